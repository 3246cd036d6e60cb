"""The copy of a ledger that goes back to its sender: faulty cells in colour, and beside each line what to do."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineSheet, SheetTypeEnum

from conversations.documents import ledger_household, ledger_layout, ledger_words
from conversations.documents.ledger_faults import beside
from conversations.documents.ledger_fields import Cell, shown
from conversations.documents.ledger_file import open_workbook
from conversations.documents.ledger_found import Fault

_FAULTY = PatternFill("solid", fgColor="FFC7CE")
_WARNED = PatternFill("solid", fgColor="FFEB9C")
_TEXT = "@"
_LONG_NUMBER = re.compile(r"\d{11,}[xX]?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_REPORT_WIDTH = 60


def write_faulty_copy(source: Path | str | bytes, out: Path | str | BinaryIO, faults: Iterable[Fault]) -> None:
    """Writes the cells of `source` to `out` (.xlsx), which can be put right there and imported again.

    Cells with a fault are red, with a warning yellow; the reasons stand in a last column. Long numbers and
    whatever a spreadsheet would take for a formula are written as text. Raises Unreadable.
    """
    by_line: defaultdict[tuple[str, int], list[Fault]] = defaultdict(list)
    for fault in faults:
        by_line[fault.sheet, fault.line].append(fault)
    copy = Workbook(write_only=True)
    with open_workbook(source) as workbook:
        for each in workbook.sheets_metadata:
            if each.typ == SheetTypeEnum.WorkSheet:
                target = copy.create_sheet(each.name)
                target.sheet_state = "visible" if str(each.visible).endswith(".Visible") else "hidden"
                _copy_sheet(workbook.get_sheet_by_name(each.name), target, by_line)
    copy.save(out)


def _copy_sheet(sheet: CalamineSheet, target: Worksheet, by_line: dict[tuple[str, int], list[Fault]]) -> None:
    layout = ledger_household.find(sheet) or ledger_layout.find(sheet)
    header_line = layout.header_line if layout else 0
    header = next((cells for line, cells in ledger_layout.lines(sheet) if line == header_line), [])
    # A copy that comes back with new faults keeps its one column of reasons.
    before = [shown(cell) for cell in header]
    last = before.index(ledger_words.REPORT_COLUMN) if ledger_words.REPORT_COLUMN in before else len(header)
    target.column_dimensions[get_column_letter(last + 1)].width = _REPORT_WIDTH
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        first, final = (
            f"{get_column_letter(left + 1)}{top + 1}",
            f"{get_column_letter(right + 1)}{bottom + 1}",
        )
        target.merged_cells.add(f"{first}:{final}")
    for line, cells in ledger_layout.lines(sheet):
        faults = by_line.get((sheet.name, line), [])
        row: list[object] = list(_copied(cells, faults, target))
        if layout and line >= header_line:
            row[last : last + 1] = [_reasons(line == header_line, faults, target)]
        target.append(row)


def _copied(cells: ledger_layout.Line, faults: list[Fault], target: Worksheet) -> Iterator[object]:
    fills = {fault.column_number: _WARNED for fault in faults if fault.warning}
    fills |= {fault.column_number: _FAULTY for fault in faults if not fault.warning}
    for number, cell in enumerate(cells, 1):
        yield _safe(cell, fills.get(number), target)


def _safe(cell: Cell, fill: PatternFill | None, target: Worksheet) -> object:
    """The cell's plain value where that is safe and enough, else a cell with its style."""
    value: Any = cell
    if isinstance(cell, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", cell) or None
    elif isinstance(cell, int | float) and abs(cell) >= 10**15:
        value = shown(cell)  # its last digits are lost; as text the cell is ready for the right number
    formula = isinstance(value, str) and value.startswith(_FORMULA)
    as_text = isinstance(value, str) and (formula or fill or _LONG_NUMBER.fullmatch(value) or value != cell)
    if not as_text and not fill:
        return value
    styled = WriteOnlyCell(target, value=value)
    if as_text:
        styled.data_type = "s"
        styled.number_format = _TEXT
        styled.quotePrefix = formula
    if fill:
        styled.fill = fill
    return styled


def _reasons(is_header: bool, faults: list[Fault], target: Worksheet) -> object:
    if is_header:
        head = WriteOnlyCell(target, value=ledger_words.REPORT_COLUMN)
        head.font = Font(bold=True)
        return head
    if not faults:
        return None
    cell = WriteOnlyCell(target, value="\n".join(map(beside, faults)))
    cell.data_type = "s"
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
