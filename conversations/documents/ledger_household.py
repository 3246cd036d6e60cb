"""The sheet of households in a ledger: a line a person, beside the elder to whom he belongs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from python_calamine import CalamineSheet

from conversations.documents import ledger_fields as fields
from conversations.documents import ledger_layout, ledger_words
from conversations.documents.ledger_fields import Cell, Refused
from conversations.documents.ledger_found import Fault
from conversations.documents.ledger_layout import Column, Layout
from conversations.documents.ledger_places import Place, Places
from conversations.documents.ledger_words import HOUSEHOLD_BY_WORD, HOUSEHOLD_TITLES, word

# (ID number,) or (village, name) or (village, name, ISO birth or #number of the file) of an elder
Key = tuple[str, ...]

_NOTHING: Mapping[str, str | int] = {}
_SEARCHED = 40  # rows in which a header is looked for
_MEMBER: Mapping[str, Callable[[Cell], object]] = {
    "name": fields.name, "sex": fields.sex, "id_number": lambda cell: fields.identity(cell)[0],
    "relation": fields.chosen(ledger_words.RELATION, "relation_unknown"),
    "health": fields.chosen(ledger_words.HEALTH, "health_unknown"),
    "on_relief": fields.yes_no, "visits_often": fields.yes_no,
}  # by the names of annex2.MEMBER


@dataclass(frozen=True, slots=True)
class _Line:
    """A right line, until its elder is found; `at` says where it stands, for a fault where he is not.

    There are tens of thousands: it keeps nothing else of what was read.
    """

    key: Key
    member: dict[str, object]
    at: Fault

    def fault(self, reason: str) -> Fault:
        return replace(self.at, reason=reason)


def find(sheet: CalamineSheet) -> Layout | None:
    """The layout of a sheet of households, None where it is another sheet."""
    for line, cells in islice(ledger_layout.lines(sheet), _SEARCHED):
        heads = [(number, fields.shown(cell)) for number, cell in enumerate(cells, 1)]
        known = {HOUSEHOLD_BY_WORD[word(head)]: Column(HOUSEHOLD_BY_WORD[word(head)], number, head)
                 for number, head in reversed(heads) if word(head) in HOUSEHOLD_BY_WORD}
        if {"name", "relation"} <= known.keys() and {"elder_id_number", "elder_name"} & known.keys():
            unread = (head for _, head in heads if head and word(head) not in HOUSEHOLD_BY_WORD
                      and word(head) not in ledger_words.IGNORED)
            return Layout(line, tuple(known.values()), tuple(unread))
    return None


class Households:
    """All people of all households in a ledger; each elder takes his own: all of it, or none where a line is faulty."""

    def __init__(self, sheets: Iterable[tuple[CalamineSheet, Layout]], places: Places) -> None:
        self._lines: defaultdict[Key, list[_Line]] = defaultdict(list)
        self._spoilt: set[Key] = set()  # of elders of whom a line is faulty
        self.faults: list[Fault] = []
        for sheet, layout in sheets:
            for line, cells in ledger_layout.lines(sheet):
                if line > layout.header_line:
                    self._read(_Reader(sheet.name, line, layout, cells, places))

    def _read(self, reader: "_Reader") -> None:
        if found := reader.read():
            self._lines[found.key].append(found)
        elif reader.key:
            self._spoilt.add(reader.key)
        self.faults += reader.faults

    def __bool__(self) -> bool:
        return bool(self._lines or self._spoilt)

    @property
    def by_name(self) -> frozenset[Key]:
        """The elders who are named by village and name alone, of whom there must be no two."""
        return frozenset(key for key in self._lines if len(key) == 2)

    def of(self, keys: Sequence[Key]) -> list[dict[str, object]] | None:
        """The people beside an elder who goes by these keys, in their order; None where a line of his is faulty."""
        if not self._spoilt.isdisjoint(keys):
            self._spoilt.update(keys)
            return None
        return [line.member for key in keys for line in self._lines.get(key, ())]

    def left(self, taken: frozenset[Key], ambiguous: frozenset[Key]) -> Iterator[Fault]:
        """A fault for each line whose elder is none of those taken, or is not the only one, or has a faulty line."""
        for key, lines in self._lines.items():
            if key not in taken or key in ambiguous:
                yield from (line.fault("elder_ambiguous" if key in ambiguous else "elder_not_here") for line in lines)
            elif key in self._spoilt:
                yield from (line.fault("household_spoilt") for line in lines)


class _Reader:
    """One line of a sheet of households."""

    def __init__(self, sheet: str, line: int, layout: Layout, cells: ledger_layout.Line, places: Places) -> None:
        self._sheet, self._line, self._layout, self._places = sheet, line, layout, places
        here = {column: cells[column.number - 1] for column in layout.columns if column.number <= len(cells)}
        self._cells = {column.field: (column, cell) for column, cell in here.items() if fields.shown(cell)}
        self.key: Key | None = None  # whose line it is, where that can be told
        self.faults: list[Fault] = []

    def read(self) -> _Line | None:
        """The line, or None where it is empty, a note under the table, or faulty."""
        member_cells = self._cells.keys() & _MEMBER.keys()
        if not member_cells:
            return None
        key = self.key = self._elder()
        found = {name: self._take(name, parse) for name, parse in _MEMBER.items()}
        if "name" not in self._cells:
            self.faults.append(self._fault("name", "member_name_missing"))
        if key is None or self.faults:
            return None
        at = "elder_id_number" if len(key) == 1 else "elder_name"
        return _Line(key, {name: value for name, value in found.items() if value is not None},
                     self._fault(at, "", _NOTHING))

    def _elder(self) -> Key | None:
        if "elder_id_number" in self._cells:
            number = self._take("elder_id_number", lambda cell: fields.identity(cell)[0])
            return (number,) if number else None
        if "elder_name" not in self._cells or "village" not in self._cells:
            self.faults.append(self._fault("elder_id_number", "elder_missing"))
            return None
        name, place = self._take("elder_name", fields.name), self._place()
        birth = self._take("elder_birth", fields.full_day("birth_unreadable"))
        if not (name and place):
            return None
        number = self._take("elder_number", fields.file_number)
        told = birth.isoformat() if birth else f"#{number}" if number is not None else ""
        return (place.area, name, told) if told else (place.area, name)

    def _place(self) -> Place | None:
        township = self._take("township", lambda cell: self._places.township(fields.shown(cell)))
        found: Place | None = self._take(
            "village", lambda cell: self._places.village(fields.shown(cell), township))
        return found

    def _take(self, name: str, parse: Callable[[Cell], Any]) -> Any:
        if name not in self._cells:
            return None
        try:
            return parse(self._cells[name][1])
        except Refused as refused:
            self.faults.append(self._fault(name, refused.reason, refused.details))
            return None

    def _fault(self, name: str, reason: str, details: Mapping[str, str | int] | None = None) -> Fault:
        column = self._layout.column(name)
        return Fault(
            sheet=self._sheet, line=self._line, column=column.header if column else HOUSEHOLD_TITLES[name],
            column_number=column.number if column else None,
            value=fields.shown(self._cells[name][1]) if name in self._cells else "", reason=reason,
            details={} if details is None else details)
