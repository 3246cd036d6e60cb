"""The townships and villages that a ledger speaks of: those that are known, and those to be made on a first day."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from conversations.documents import ledger_words
from conversations.documents.ledger_sheet import Areas, Fault, read
from conversations.documents.ledger_words import TOWNSHIP_ENDINGS, VILLAGE_ENDINGS, without_ending, word
from storage import areas
from storage.areas import Area
from storage.database import Tx
from storage.initials import HAN

_WITH_GROUP = ledger_words.pattern("village_with_group")
_ABOVE = ("city", "county")
Named = tuple[str, str]  # a township's and a village's words in a ledger; the township's may be missing


class PlacesUnclear(Exception):
    """Which areas are meant is not clear: `reason` is a key of words/import.toml, `details` fill its blanks."""

    def __init__(self, reason: str, **details: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details


@dataclass(frozen=True, slots=True)
class Villages:
    """`names` of every village by its id (township, village), and those that a ledger `may_name`."""

    names: Mapping[str, Named]
    may_name: Areas


def known(tx: Tx, within: Area | None) -> Villages:
    """The villages in the store; a ledger may name those in `within`. Raises PlacesUnclear where two have one name."""
    tree = {area.id: area for area in areas.everything(tx)}
    names: dict[str, Named] = {}
    may_name: dict[Named, str] = {}
    for area in tree.values():
        township = _township_of(area, tree) if area.level == "village" else None
        if township is None:
            continue
        named = names[area.id] = (township.name, area.name)
        if within and not area.path.startswith(within.path):
            continue
        if named in may_name:
            raise PlacesUnclear("same_place", township=named[0], village=named[1])
        may_name[named] = area.id
    return Villages(names, Areas(may_name))


def _township_of(area: Area, tree: Mapping[str, Area]) -> Area | None:
    above: Area | None = area
    while above and above.level != "township":
        above = tree.get(above.parent_id or "")
    return above


def named_in(source: bytes, today: date) -> Counter[Named]:
    """How often a ledger names each place, in its own words. Raises Unreadable."""
    # To a reader that knows no village, each line's place is a fault that holds the words.
    faults = (found for found in read(source, today, Areas({})) if isinstance(found, Fault) and found.line)
    counted: Counter[Named] = Counter()
    for (sheet, _), theirs in groupby(faults, lambda fault: (fault.sheet, fault.line)):
        said = {fault.reason: fault.value for fault in theirs}
        village = said.get("village_unknown") or (sheet if word(sheet).endswith(VILLAGE_ENDINGS) else "")
        township = said.get("township_unknown") or (sheet if word(sheet).endswith(TOWNSHIP_ENDINGS) else "")
        counted[township, village] += 1
    return counted


def top(tx: Tx, under: str, now: datetime) -> Area:
    """The county or township of a path such as 江阳区 or 江阳区/云溪镇, made where it is not there.

    Raises PlacesUnclear.
    """
    path = [name for name in map(ledger_words.dense, under.split("/")) if name]
    is_township = bool(path) and path[-1].endswith(TOWNSHIP_ENDINGS)
    levels = (*_ABOVE, "township") if is_township else _ABOVE
    if not path or len(path) > len(levels) or not all(map(HAN.fullmatch, path)):
        raise PlacesUnclear("under_unclear", under=under)
    area: Area | None = None
    for level, name in zip(levels[-len(path):], path, strict=True):
        area = areas.add(tx, area, level, name, now) if area else _first(tx, level, name, under, now)
    assert area is not None
    return area


def _first(tx: Tx, level: str, name: str, under: str, now: datetime) -> Area:
    found = [area for area in areas.named(tx, name) if area.level == level]
    if len(found) > 1:
        raise PlacesUnclear("under_several", name=name)
    if not found and level == "township":  # its county must be said
        raise PlacesUnclear("under_unclear", under=under)
    return found[0] if found else areas.add(tx, None, level, name, now)


@dataclass(slots=True)
class _Tree:
    """What lies under `top`, growing."""

    top: Area
    townships: list[Area]
    villages: dict[str, list[Area]] = field(default_factory=dict)


def create(tx: Tx, under: Area, named: Counter[Named], now: datetime) -> list[Named]:
    """Makes the townships and villages that are named and not there; gives the new villages' names.

    What is named most comes first: what differs only in its ending (建设, 建设村) is then the same place.
    """
    below = areas.under(tx, under)
    tree = _Tree(under, [area for area in below if area.level == "township"])
    for area in below:
        if area.level == "village" and area.parent_id:
            tree.villages.setdefault(area.parent_id, []).append(area)
    made: list[Named] = []
    for (township_said, village_said), _ in named.most_common():
        township = _township(tx, tree, township_said, village_said, now)
        village = _village_name(village_said, township) if township else ""
        if not township or not HAN.fullmatch(village):
            continue
        there = tree.villages.setdefault(township.id, [])
        if not _same(village, there, VILLAGE_ENDINGS):
            there.append(areas.add(tx, township, "village", village, now))
            made.append((township.name, village))
    return made


def _township(tx: Tx, tree: _Tree, said: str, village_said: str, now: datetime) -> Area | None:
    """The township, made where its name is new; none where none is said, or one outside of the top."""
    name = word(said).removeprefix(word(tree.top.name)) if tree.top.level != "township" else word(said)
    if found := _same(name, tree.townships, TOWNSHIP_ENDINGS) if name else None:
        return found
    if tree.top.level == "township":
        return None if name else tree.top
    if not HAN.fullmatch(name) or not word(village_said):
        return None
    township = areas.add(tx, tree.top, "township", name, now)
    tree.townships.append(township)
    return township


def _village_name(said: str, township: Area) -> str:
    name = word(said).removeprefix(word(township.name))
    with_group = _WITH_GROUP.fullmatch(name)
    return with_group["village"] if with_group else name


def _same(name: str, known: list[Area], endings: tuple[str, ...]) -> Area | None:
    """The area of this name; else the one whose name differs in its ending only, or closes this one (合江县白沙镇)."""
    stem = without_ending(name, endings)
    exact = [area for area in known if word(area.name) == name]
    alike = [area for area in known if without_ending(word(area.name), endings) == stem]
    ended = [area for area in known if endings is TOWNSHIP_ENDINGS and name.endswith(word(area.name))]
    return next(iter(exact or alike or ended), None)
