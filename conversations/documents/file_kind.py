"""What a spreadsheet is that somebody sent: a ledger, another body's list, differences that come back, areas."""

from itertools import islice
from typing import Literal

from python_calamine import CalamineSheet, SheetTypeEnum, SheetVisibleEnum

from conversations.documents import area_sheet, ledger_layout, list_sheet, match_workbook
from conversations.documents import ledger_fields as fields
from conversations.documents.ledger_fields import Refused
from conversations.documents.ledger_file import open_workbook

Kind = Literal["ledger", "list", "answers", "areas"]
_SEARCHED = 200  # lines in which a category is looked for


def kind(source: bytes) -> Kind:
    """What it is; a ledger where that is not clear, whose reader then says what is wrong. Raises Unreadable."""
    with open_workbook(source) as workbook:
        sheets = [workbook.get_sheet_by_name(each.name) for each in workbook.sheets_metadata
                  if each.typ == SheetTypeEnum.WorkSheet and each.visible == SheetVisibleEnum.Visible]
    if any(map(match_workbook.is_answer, sheets)):
        return "answers"
    if any(map(list_sheet.find, sheets)) and not any(map(_says_categories, sheets)):
        return "list"
    if any(map(area_sheet.find, sheets)) and not any(map(ledger_layout.find, sheets)):
        return "areas"
    return "ledger"


def _says_categories(sheet: CalamineSheet) -> bool:
    """Whether the sheet says of what category people are, as every ledger does and no other body's list."""
    layout = ledger_layout.find(sheet)
    columns = [column for column in layout.columns if column.field == "categories"] if layout else []
    if layout is None or any(column.ticks for column in columns):
        return bool(columns)
    return any(_names_one(cells[column.number - 1]) for column in columns
               for _, cells in islice(ledger_layout.lines(sheet), layout.header_line, layout.header_line + _SEARCHED)
               if column.number <= len(cells))


def _names_one(cell: fields.Cell) -> bool:
    try:
        return bool(fields.categories(cell))
    except Refused:
        return False
