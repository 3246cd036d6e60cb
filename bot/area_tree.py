"""The area tree grows by a spreadsheet of its own (C1): what is there stays, nothing is ever taken away."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from conversations.documents.area_sheet import Line
from conversations.documents.ledger_found import Fault
from conversations.documents.ledger_words import TOWNSHIP_ENDINGS, VILLAGE_ENDINGS, without_ending, word
from storage import areas
from storage.areas import LEVELS, Area
from storage.database import Tx

CHUNK = 200  # lines that one unit of work adds
_ENDINGS = {"township": TOWNSHIP_ENDINGS, "village": VILLAGE_ENDINGS}


@dataclass(slots=True)
class _Node:
    """An area that is there, or (`area` None) is to be added under `parent`."""

    level: str
    name: str
    parent: "_Node | None"
    area: Area | None = None
    below: list["_Node"] = field(default_factory=list)

    def path(self) -> list["_Node"]:
        return [*(self.parent.path() if self.parent else ()), self]


@dataclass(slots=True)
class Grown:
    """What a list adds to the tree, parents first; how many areas that it names are there; and its faulty lines."""

    new: list[_Node] = field(default_factory=list)
    there: int = 0
    faults: list[Fault] = field(default_factory=list)

    def lines(self) -> list[list[str]]:
        """The new areas, by their names from the county down."""
        found = []
        for node in self.new:
            names = {each.level: each.name for each in node.path()}
            found.append([names.get(level, "") for level in LEVELS[1:]])
        return found


def look(tx: Tx, top: Area | None, lines: Sequence[Line]) -> Grown:
    """What these lines would add under an area, anywhere where None. Writes nothing."""
    tree = _Tree(areas.everything(tx), top)
    grown, named = Grown(), dict[int, _Node]()
    for line in lines:
        found = tree.reach(line)
        if isinstance(found, Fault):
            grown.faults.append(found)
        else:
            named |= {id(node): node for node in found}
    grown.new = [node for node in named.values() if node.area is None]
    grown.there = len(named) - len(grown.new)
    return grown


def grow(tx: Tx, top: Area | None, lines: Sequence[Line], actor: str, now: datetime) -> Grown:
    """Adds what is not there; doing it again adds nothing. `actor` is whom the audit chain names."""
    grown = look(tx, top, lines)
    for node in grown.new:
        node.area = areas.add(tx, node.parent.area if node.parent else None, node.level, node.name, now)
    if grown.new:
        tx.note(now, actor, "areas.create", top.id if top else "", ["name"])
    return grown


class _Tree:
    """The areas, and where a line leads in them."""

    def __init__(self, known: Sequence[Area], top: Area | None) -> None:
        nodes: dict[str, _Node] = {}
        self._roots: list[_Node] = []
        for area in known:  # parents come first
            nodes[area.id] = self._hang(area.level, area.name, nodes.get(area.parent_id or ""), area)
        self._top = nodes[top.id] if top else None
        self._own = {node.level: node for node in self._top.path()} if self._top else {}

    def _hang(self, level: str, name: str, above: _Node | None, area: Area | None = None) -> _Node:
        node = _Node(level, name, above, area)
        (above.below if above else self._roots).append(node)
        return node

    def reach(self, line: Line) -> list[_Node] | Fault:
        """The areas that a line names below the top, hung in where they are new; or what is wrong with it."""
        at, found = self._top, list[_Node]()
        lowest = max(map(LEVELS.index, line.names))
        for level in LEVELS[1:lowest + 1]:
            said = line.names.get(level, "")
            if self._top and LEVELS.index(level) <= LEVELS.index(self._top.level):
                if said and level in self._own and not _called(said, [self._own[level]]):
                    return line.fault(level, "area_outside", top=self._top.name)
                continue
            known = self._counties() if level == "county" else [
                node for node in (at.below if at else ()) if node.level == level]
            if not said and not (level == "county" and len(known) == 1):  # the only county need not be said
                return line.fault(level, "area_above_missing")
            bare = said.removeprefix(at.name) if at else said  # 江阳区云溪镇
            fitting = _called(bare or said, known) if said else known
            if len(fitting) > 1:
                return line.fault(level, "area_ambiguous", value=said)
            at = fitting[0] if fitting else self._hang(level, bare or said, at or self._city())
            found.append(at)
        return found

    def _counties(self) -> list[_Node]:
        """Those in the top, or everywhere."""
        under = self._top.below if self._top else [*self._roots, *(node for root in self._roots for node in root.below)]
        return [node for node in under if node.level == "county"]

    def _city(self) -> _Node | None:
        cities = [node for node in self._roots if node.level == "city"]
        return cities[0] if len(cities) == 1 else None


def _called(said: str, known: Sequence[_Node]) -> list[_Node]:
    """The areas of this name; else those whose name differs in that one of both has its ending only: 建设, 建设村.

    建设村 and 建设社区 are two.
    """
    name = word(said)
    exact = [node for node in known if word(node.name) == name]
    return exact or [node for node in known if _bare_of(node.level, name) == _bare_of(node.level, word(node.name))
                     in (name, word(node.name))]


def _bare_of(level: str, name: str) -> str:
    return without_ending(name, _ENDINGS.get(level, ()))
