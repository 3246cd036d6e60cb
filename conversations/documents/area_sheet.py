"""The area tree as a spreadsheet: a line an area (区县, 乡镇, 村, 组), read, and what would become of it written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from python_calamine import CalamineSheet, SheetTypeEnum, SheetVisibleEnum

from conversations.documents import ledger_faults, ledger_layout
from conversations.documents import ledger_fields as fields
from conversations.documents.ledger_file import Unreadable, open_workbook
from conversations.documents.ledger_found import Fault
from conversations.documents.ledger_layout import Column, Layout
from conversations.documents.ledger_words import AREA_BY_WORD, COLUMN_BY_WORD, dense, word
from conversations.words_book import Words
from storage.areas import LEVELS
from storage.initials import HAN

BELOW_CITY = LEVELS[1:]
_SEARCHED = 40  # rows in which a header is looked for
_OF_PEOPLE = frozenset({"name", "id_number"})
_GROUP = re.compile(r"[0-9\u4e00-\u9fff]{1,12}")


@dataclass(frozen=True, slots=True)
class Line:
    """The names that a line says, by level; what stands above them only once is filled in."""

    sheet: str
    line: int
    names: Mapping[str, str]
    layout: Layout

    def fault(self, level: str, reason: str, **details: str) -> Fault:
        """What is wrong with one cell of it."""
        column = self.layout.column(level)
        return Fault(sheet=self.sheet, line=self.line, column=column.header if column else level,
                     column_number=column.number if column else None, value=self.names.get(level, ""), reason=reason,
                     details=details)


def find(sheet: CalamineSheet) -> Layout | None:
    """The layout of a sheet of areas, which speaks of two levels and of no people; None where it is another sheet."""
    for line, cells in islice(ledger_layout.lines(sheet), _SEARCHED):
        heads = [(number, fields.shown(cell)) for number, cell in enumerate(cells, 1)]
        if any(COLUMN_BY_WORD.get(word(head)) in _OF_PEOPLE for _, head in heads):
            return None
        known = {AREA_BY_WORD[word(head)]: Column(AREA_BY_WORD[word(head)], number, head)
                 for number, head in reversed(heads) if word(head) in AREA_BY_WORD}
        if len(known) > 1:
            return Layout(line, tuple(known.values()), ())
    return None


def read(source: bytes, group: str) -> list[Line | Fault]:
    """The lines of every sheet of areas; `group` is how a number of a group is written ("{}组"). Raises Unreadable."""
    found: list[Line | Fault] = []
    known = False
    with open_workbook(source) as workbook:
        for each in workbook.sheets_metadata:
            if each.typ != SheetTypeEnum.WorkSheet or each.visible != SheetVisibleEnum.Visible:
                continue
            sheet = workbook.get_sheet_by_name(each.name)
            if layout := find(sheet):
                known = True
                found += map(_checked, _lines(sheet, layout, group))
    if not known:
        raise Unreadable("no_areas")
    return found


def _lines(sheet: CalamineSheet, layout: Layout, group: str) -> Iterator[Line]:
    above: dict[str, str] = {}
    for line, cells in ledger_layout.lines(sheet):
        here = {column.field: dense(fields.shown(cells[column.number - 1])) for column in layout.columns
                if column.number <= len(cells)}
        said = {level: name for level, name in here.items() if name}
        if line <= layout.header_line or not said or any(AREA_BY_WORD.get(word(name)) for name in said.values()):
            continue  # the head, also where it is repeated on each page
        first = min(map(BELOW_CITY.index, said))
        names = {level: above[level] for level in BELOW_CITY[:first] if level in above} | said
        if names.get("group", "").isdigit():
            names["group"] = group.format(names["group"])
        above = names
        yield Line(sheet.name, line, names, layout)


def _checked(line: Line) -> Line | Fault:
    for level, name in line.names.items():
        if not (_GROUP if level == "group" else HAN).fullmatch(name) or len(name) > 20:
            return line.fault(level, "area_name_wrong")
    return line


def write(new: Iterable[Sequence[str]], faults: Iterable[Fault], words: Words) -> bytes:
    """The .xlsx of what would be added, and of what is to be mended."""
    from conversations.documents import workbook  # late: openpyxl takes 0.2 s to import

    made = {"new": new, "faulty": ((each.sheet, each.line, each.column, each.value, ledger_faults.explain(each))
                                   for each in faults)}
    return workbook.sheets(
        (words.say(f"area_sheet.{name}"), words.say(f"area_sheet.{name}_head").split(), lines)
        for name, lines in made.items())
