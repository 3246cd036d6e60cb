"""Reads a township's ledger (.xlsx, .xls) into rows that are right and faults that name what is not."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar, cast

from python_calamine import CalamineSheet, SheetTypeEnum, SheetVisibleEnum

from conversations.documents import ledger_annex, ledger_household, ledger_layout, ledger_words
from conversations.documents import ledger_fields as fields
from conversations.documents.id_number import Holder, Sex
from conversations.documents.ledger_fields import Cell, Economic, Refused
from conversations.documents.ledger_file import Unreadable, open_workbook
from conversations.documents.ledger_found import Fault, Row
from conversations.documents.ledger_household import Households, Key
from conversations.documents.ledger_layout import Column, Layout, Line
from conversations.documents.ledger_places import Areas, Place, Places
from conversations.documents.ledger_words import COLUMN_TITLES, dense, word
from scheduler import annex2

__all__ = ["Areas", "Fault", "Reading", "Row", "Unreadable", "read"]

LEAST_AGE = 60  # the ledger is of elders
MOST_AGE = 120

_PLACE_FIELDS = frozenset({"township", "village", "group"})
_T = TypeVar("_T")


class Reading:
    """A ledger that was opened; each `iter()` reads it from its start, a row at a time.

    `rows` is an upper bound of what comes (for a progress bar), `unread_columns` are (sheet, header) pairs
    that mean nothing to us. Faults of one line come together, warnings of a good row just before it; a line of a
    household whose elder is none of the rows comes last.
    """

    def __init__(self, source: Path | str | bytes, today: date, areas: Areas) -> None:
        self._today = today
        self._places = Places(areas)
        self._sheets, households, self._notes = _sheets(source)
        self._households = Households(households, self._places)
        every = [*self._sheets, *households]
        self.rows = sum(ledger_layout.last_line(sheet) - layout.header_line for sheet, layout in every)
        self.unread_columns = tuple((sheet.name, header) for sheet, layout in every for header in layout.unread)

    def __iter__(self) -> Iterator[Row | Fault]:
        yield from self._notes
        yield from self._households.faults
        taken: set[Key] = set()
        ambiguous = self._ambiguous()
        for found in self._elders():
            if not (isinstance(found, Row) and self._households):
                yield found
                continue
            keys = _keys(found)
            taken.update(keys)
            yield _with_members(found, self._households.of([key for key in keys if key not in ambiguous]))
        yield from self._households.left(frozenset(taken), ambiguous)

    def _elders(self) -> Iterator[Row | Fault]:
        seen: dict[str, tuple[str, int]] = {}
        for sheet, layout in self._sheets:
            for line, cells in _body(sheet, layout):
                yield from _LineReader(sheet.name, line, layout, cells).read(self._today, self._places, seen)

    def _ambiguous(self) -> frozenset[Key]:
        """The names by which a household means more than one elder of its village; asks for a reading of its own."""
        if not (named := self._households.by_name):
            return frozenset()
        rows = (found for found in self._elders() if isinstance(found, Row))
        times = Counter(key for row in rows for key in _keys(row) if key in named)
        return frozenset(key for key, count in times.items() if count > 1)


def _with_members(row: Row, members: list[dict[str, object]] | None) -> Row:
    """The row with its household, which says that he is not alone; None: there is one, and none of it is taken."""
    if members == []:
        return row
    annex = {name: value for name, value in row.annex.items() if name != annex2.ALONE}
    return replace(row, annex={**annex, annex2.HOUSEHOLD: members} if members else annex)


def _keys(row: Row) -> list[Key]:
    """What a line of a household may call this elder."""
    if row.id_number:
        return [(row.id_number,)]
    named = (row.area, row.name)
    told = row.birth.isoformat() if row.birth else f"#{row.number}" if row.number is not None else ""
    return [named, (*named, told)] if told else [named]


def read(source: Path | str | bytes, today: date, areas: Areas) -> Reading:
    """Opens a ledger of a path or of bytes; raises Unreadable at once, never while it is read."""
    return Reading(source, today, areas)


_Sheets = list[tuple[CalamineSheet, Layout]]


def _sheets(source: Path | str | bytes) -> tuple[_Sheets, _Sheets, list[Fault]]:
    """The sheets of elders, those of households, and notes on the others."""
    found: _Sheets = []
    households: _Sheets = []
    notes: list[Fault] = []
    filled = False
    with open_workbook(source) as workbook:
        for each in workbook.sheets_metadata:
            if each.typ != SheetTypeEnum.WorkSheet:
                continue
            if each.visible != SheetVisibleEnum.Visible:
                notes.append(_note(each.name, "sheet_hidden"))
                continue
            sheet = workbook.get_sheet_by_name(each.name)
            filled = filled or ledger_layout.last_line(sheet) > 0
            if layout := ledger_household.find(sheet):
                households.append((sheet, layout))
            elif layout := ledger_layout.find(sheet):
                found.append((sheet, layout))
            elif ledger_layout.last_line(sheet):
                notes.append(_note(each.name, "sheet_without_header"))
    if not found:
        raise Unreadable("no_header" if filled or notes else "empty")
    return found, households, notes


def _note(sheet: str, reason: str) -> Fault:
    return Fault(
        sheet=sheet, line=0, column="", column_number=None, value="", reason=reason,
        details={"sheet": sheet}, warning=True,
    )  # fmt: skip


def _body(sheet: CalamineSheet, layout: Layout) -> Iterator[tuple[int, dict[Column, Cell]]]:
    """The lines that speak of an elder: {column: cell} without blanks, merged place cells filled down."""
    merges = ledger_layout.tall_merges(sheet)
    covering: dict[int, tuple[Cell, int]] = {}  # column number -> its merged cell's value and last line
    filled_down = [column for column in layout.columns if column.field in ledger_words.FILL_DOWN]
    for line, row in ledger_layout.lines(sheet):
        if line <= layout.header_line:
            continue
        for number, last in merges.get(line, ()):
            covering[number] = (row[number - 1] if number <= len(row) else "", last)
        cells = {column: row[column.number - 1] for column in layout.columns if column.number <= len(row)}
        cells = {column: cell for column, cell in cells.items() if not _blank(cell)}
        if all(column.field in _PLACE_FIELDS for column in cells) or _is_no_elder(row, cells):
            continue
        for column in filled_down:
            value, last = covering.get(column.number, ("", 0))
            if line <= last and not _blank(value):
                cells[column] = value
        yield line, cells


def _blank(cell: Cell) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _is_no_elder(row: Line, cells: Mapping[Column, Cell]) -> bool:
    """A header repeated on each printed page, or a line under the table such as 填表人."""
    fields_here = {column.field: cell for column, cell in cells.items()}
    name = fields_here.get("name")
    if name is not None and ledger_words.COLUMN_BY_WORD.get(word(fields.shown(name))) == "name":
        return True
    first = next((dense(fields.shown(cell)) for cell in row if not _blank(cell)), "")
    return "id_number" not in fields_here and first.startswith(ledger_words.FOOTERS)


class _LineReader:
    """Reads one line: takes each field, and gathers every fault on the way."""

    def __init__(self, sheet: str, line: int, layout: Layout, cells: Mapping[Column, Cell]) -> None:
        self._sheet, self._line, self._layout, self._cells = sheet, line, layout, cells
        self._by_field = {column.field: (column, cell) for column, cell in cells.items() if not column.ticks}
        self._faults: list[Fault] = []

    def read(self, today: date, places: Places, seen: dict[str, tuple[str, int]]) -> Iterator[Row | Fault]:
        """The line's Row, after its warnings; or all of its faults."""
        name = self._take("name", fields.name)
        if not self._has("name"):
            self._fault("name", "name_missing")
        place = self._place(places)
        number, holder = self._identity(seen)
        file_number = self._take("number", fields.file_number)
        sex, birth = self._person(holder, today, file_number)
        categories = self._categories()
        economic = self._economic()
        last_visit, visits_before = self._visits(today)
        group = self._take("group", fields.text)
        phone = self._take("phone", fields.phone)
        emergency_phone = self._take("emergency_phone", fields.phone)
        at_registered = self._take("at_registered_residence", fields.yes_no)
        certificate = self._take("disability_certificate", fields.certificate)
        grade = self._take("disability_grade", fields.disability_grade)
        ability = self._take("ability", fields.ability)
        income = self._take("income", fields.income)
        registered = self._take("registered_on", lambda cell: ledger_annex.registered(cell, today))
        wish = self._take("wish", ledger_annex.wish)
        annex = {field_name: self._take(field_name, parse) for field_name, parse in ledger_annex.READ.items()}
        yield from self._faults
        if name is None or place is None or any(not fault.warning for fault in self._faults):
            return
        yield Row(
            sheet=self._sheet, line=self._line, area=place.area, township=place.township, village=place.village,
            group=group or place.group, name=name, sex=sex, birth=birth, id_number=number, phone=phone,
            emergency_name=self._take("emergency_name", fields.text), emergency_phone=emergency_phone,
            address=self._take("address", fields.text), at_registered_residence=at_registered,
            categories=categories, disability_certificate=certificate, disability_grade=grade, ability=ability,
            illnesses=self._take("illnesses", fields.answered), economic=economic,
            income_source=self._take("income_source", fields.text), income=income,
            last_visit=last_visit, visits_before=visits_before, registered_on=registered, wish=wish,
            number=None if number or birth else file_number,
            annex={field_name: value for field_name, value in annex.items() if value is not None},
        )  # fmt: skip

    def _has(self, field_name: str) -> bool:
        return field_name in self._by_field

    def _take(self, field_name: str, parse: Callable[[Cell], _T]) -> _T | None:
        if field_name not in self._by_field:
            return None
        column, cell = self._by_field[field_name]
        return self._parsed(column, lambda: parse(cell))

    def _parsed(self, column: Column, parse: Callable[[], _T]) -> _T | None:
        try:
            return parse()
        except Refused as refused:
            self._fault_at(column, column.header, refused.reason, refused.details)
            return None

    def _fault(
        self,
        field_name: str,
        reason: str,
        details: Mapping[str, str | int] | None = None,
        *,
        warning: bool = False,
    ) -> None:
        column = self._by_field[field_name][0] if self._has(field_name) else self._layout.column(field_name)
        self._fault_at(column, COLUMN_TITLES[field_name], reason, details or {}, warning)

    def _fault_at(
        self,
        column: Column | None,
        title: str,
        reason: str,
        details: Mapping[str, str | int],
        warning: bool = False,
    ) -> None:
        self._faults.append(
            Fault(
                sheet=self._sheet,
                line=self._line,
                column=column.header if column else title,
                column_number=column.number if column else None,
                value=fields.shown(self._cells.get(column)) if column else "",
                reason=reason,
                details=details,
                warning=warning,
            )
        )

    def _place(self, places: Places) -> Place | None:
        """The village by its cell, else by the sheet's name; the sheet's name may be the township too."""
        township = self._take("township", lambda cell: places.township(fields.shown(cell)))
        unsure = township is None and self._has("township")
        if not self._has("township"):
            with suppress(Refused):
                township = places.township(self._sheet)
        try:
            if self._has("village"):
                return places.village(fields.shown(self._by_field["village"][1]), township)
            with suppress(Refused):
                return places.village(self._sheet, township)
            raise Refused("village_missing")
        except Refused as refused:
            if not (unsure and refused.reason == "village_ambiguous"):  # the township, once right, will tell
                self._fault("village", refused.reason, refused.details)
            return None

    def _identity(self, seen: dict[str, tuple[str, int]]) -> tuple[str | None, Holder | None]:
        taken = self._take("id_number", fields.identity)
        if taken is None:
            return None, None
        number, holder = taken
        sheet, line = seen.setdefault(number, (self._sheet, self._line))
        if (sheet, line) != (self._sheet, self._line):
            self._fault("id_number", "id_number_twice", {"sheet": sheet, "line": line})
        if not holder.area_known:
            self._fault("id_number", "id_number_area", warning=True)
        return number, holder

    def _person(self, holder: Holder | None, today: date, number: int | None) -> tuple[Sex | None, date | None]:
        """Sex and birth, by the ID number where there is a right one; what else is given must agree.

        Who is meant must be told by the ID number, the birth date, or the file's number.
        """
        sex = self._take("sex", fields.sex)
        birth = self._take("birth", lambda cell: fields.day(cell, "birth_unreadable"))
        if holder:
            if sex and sex != holder.sex:
                self._fault("sex", "sex_conflict")
            if birth is not None and not _agrees(birth, holder.birth):
                self._fault("birth", "birth_conflict")
            else:
                self._age("id_number", holder.birth, today)
            return holder.sex, holder.birth
        if birth is None and number is None and not self._has("birth") and not self._has("id_number"):
            self._fault("id_number", "birth_missing")
        if isinstance(birth, date):
            self._age("birth", birth, today)
            return sex, birth
        if birth is not None and not self._has("id_number"):
            self._fault("birth", "birth_incomplete")
        return sex, None

    def _age(self, field_name: str, birth: date, today: date) -> None:
        age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
        if age < LEAST_AGE:
            self._fault(field_name, "age_under", {"least": LEAST_AGE})
        elif age > MOST_AGE:
            self._fault(field_name, "age_over", {"most": MOST_AGE})

    def _categories(self) -> tuple[str, ...]:
        """Those named in one cell, then those ticked in columns of their own, each once."""
        before = len(self._faults)
        found = [*(self._take("categories", fields.categories) or ()), *self._ticked("categories")]
        if not found and len(self._faults) == before:
            self._fault("categories", "categories_missing")
        return tuple(dict.fromkeys(found))

    def _economic(self) -> Economic | None:
        named = self._take("economic", fields.economic)
        found = dict.fromkeys(
            [*([named] if named else []), *(cast(Economic, value) for value in self._ticked("economic"))]
        )
        if len(found) > 1:
            self._fault("economic", "economic_several")
        return next(iter(found), None)

    def _ticked(self, field_name: str) -> list[str]:
        found: list[str] = []
        for column, cell in self._cells.items():
            value = column.ticks
            if column.field == field_name and value and self._tick(column, cell, value):
                found.append(value)
        return found

    def _tick(self, column: Column, cell: Cell, value: str) -> bool | None:
        return self._parsed(column, lambda: fields.ticked(cell, value))

    def _visits(self, today: date) -> tuple[date | None, int]:
        last = self._take("last_visit", lambda cell: fields.day(cell, "last_visit_unreadable"))
        count = self._take("visits_before", fields.visits)
        if isinstance(last, tuple):
            self._fault("last_visit", "last_visit_unreadable")
            last = None
        if last is not None and last > today:
            self._fault("last_visit", "last_visit_future")
        if last is not None and not count and (count == 0 or not self._has("visits_before")):
            self._fault("visits_before", "last_visit_without_count")
        return last, count or 0


def _agrees(given: date | fields.YearMonth, known: date) -> bool:
    if isinstance(given, date):
        return given == known
    year, month = given
    return year == known.year and month in (None, known.month)
