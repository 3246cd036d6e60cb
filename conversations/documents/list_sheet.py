"""Reads the list of another body (health, disability): a line a person, known by his ID number alone (C3)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from python_calamine import CalamineSheet, SheetTypeEnum, SheetVisibleEnum

from conversations.documents import ledger_fields as fields
from conversations.documents import ledger_household, ledger_layout, ledger_words
from conversations.documents.ledger_fields import Cell, Refused
from conversations.documents.ledger_file import Unreadable, open_workbook
from conversations.documents.ledger_found import Fault
from conversations.documents.ledger_layout import Column, Layout
from conversations.documents.ledger_words import COLUMN_TITLES, LIST_BY_WORD, dense, word

_SEARCHED = 40  # rows in which a header is looked for
_until = fields.full_day("certificate_until_unreadable")
_VALUES: Mapping[str, Callable[[Cell], object]] = {  # by the names under which a file keeps them
    "name": fields.name, "ability": fields.ability, "disability_grade": fields.disability_grade,
    "disability_certificate": fields.certificate, "certificate_until": lambda cell: _until(cell).isoformat(),
    "illnesses": fields.answered,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says of one person. `values` are by the names of a file's fields, empty cells left out; `died` and
    `moved` hold an ISO day, or "" where it is not told. The repr names the place only."""

    sheet: str
    line: int
    id_number: str = field(repr=False)
    address: str = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)


def find(sheet: CalamineSheet) -> Layout | None:
    """The layout of a sheet with an ID number and something else that is known; None where it is another sheet."""
    if ledger_household.find(sheet):
        return None
    for line, cells in islice(ledger_layout.lines(sheet), _SEARCHED):
        heads = [(number, fields.shown(cell)) for number, cell in enumerate(cells, 1)]
        known = {LIST_BY_WORD[word(head)]: Column(LIST_BY_WORD[word(head)], number, head)
                 for number, head in reversed(heads) if word(head) in LIST_BY_WORD}
        if "id_number" in known and len(known) > 1:
            return Layout(line, tuple(known.values()), ())
    return None


def read(source: bytes, today: date) -> Iterator[Listed | Fault]:
    """The people of a list, each once, and what is not understood: a warning is of one cell, the others count.

    Raises Unreadable.
    """
    seen: dict[str, tuple[str, int]] = {}
    found = False
    with open_workbook(source) as workbook:
        for each in workbook.sheets_metadata:
            if each.typ != SheetTypeEnum.WorkSheet or each.visible != SheetVisibleEnum.Visible:
                continue
            sheet = workbook.get_sheet_by_name(each.name)
            if not (layout := find(sheet)):
                continue
            found = True
            for line, cells in ledger_layout.lines(sheet):
                if line > layout.header_line:
                    yield from _Reader(each.name, line, layout, cells).read(today, seen)
    if not found:
        raise Unreadable("no_header")


class _Reader:
    """One line of a list."""

    def __init__(self, sheet: str, line: int, layout: Layout, cells: ledger_layout.Line) -> None:
        self._sheet, self._line, self._layout, self._row = sheet, line, layout, cells
        here = {column: cells[column.number - 1] for column in layout.columns if column.number <= len(cells)}
        self._cells = {column.field: cell for column, cell in here.items() if fields.shown(cell)}
        self._faults: list[Fault] = []

    def read(self, today: date, seen: dict[str, tuple[str, int]]) -> Iterator[Listed | Fault]:
        """What the line says, after its faults; nothing where it is empty, a header again or a note under the table."""
        if "id_number" not in self._cells:
            first = next((dense(fields.shown(cell)) for cell in self._row if fields.shown(cell)), "")
            if "name" in self._cells and not first.startswith(ledger_words.FOOTERS):
                self._fault("id_number", "list_id_missing")
        elif ledger_words.LIST_BY_WORD.get(word(fields.shown(self._cells["id_number"]))) != "id_number":
            taken = self._take("id_number", lambda cell: fields.identity(cell)[0], warning=False)
            if taken and seen.setdefault(taken, (self._sheet, self._line)) != (self._sheet, self._line):
                sheet, line = seen[taken]
                self._fault("id_number", "id_number_twice", {"sheet": sheet, "line": line})
            elif taken:
                values = {name: self._take(name, parse) for name, parse in _VALUES.items()} | self._ended(today)
                yield from self._faults
                yield Listed(self._sheet, self._line, taken, fields.shown(self._cells.get("address")),
                             {name: value for name, value in values.items() if value is not None})
                return
        yield from self._faults

    def _ended(self, today: date) -> dict[str, str]:
        """Whether he died or moved away, and on which day: by a column for each, or by one for how he stands."""
        found = {name: day for name in ("died", "moved")
                 if (day := self._take(name, lambda cell: _day_or_mark(cell, today))) is not None}
        status = self._take("status", lambda cell: ledger_words.STATUS.get(word(fields.shown(cell))))
        return found or ({status: ""} if status else {})

    def _take(self, name: str, parse: Callable[[Cell], Any], *, warning: bool = True) -> Any:
        if name not in self._cells:
            return None
        try:
            return parse(self._cells[name])
        except Refused as refused:
            self._fault(name, refused.reason, refused.details, warning=warning)
            return None

    def _fault(self, name: str, reason: str, details: Mapping[str, str | int] | None = None, *,
               warning: bool = False) -> None:
        column = self._layout.column(name)
        self._faults.append(Fault(
            sheet=self._sheet, line=self._line, column=column.header if column else COLUMN_TITLES[name],
            column_number=column.number if column else None, value=fields.shown(self._cells.get(name)), reason=reason,
            details=details or {}, warning=warning))


def _day_or_mark(cell: Cell, today: date) -> str | None:
    """The ISO day that a cell names, "" where it only says yes, None where it says no."""
    said = ledger_words.YES_NO.get(word(fields.shown(cell))) or (
        "yes" if word(fields.shown(cell)) in ledger_words.STATUS else "")
    if said:
        return "" if said == "yes" else None
    day = fields.day(cell, "ended_unreadable")
    if not isinstance(day, date):
        raise Refused("ended_unreadable")
    if day > today:
        raise Refused("ended_future")
    return day.isoformat()
