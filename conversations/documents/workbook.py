"""A workbook to give away: sheets of plain cells, nothing in them a formula."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXT = "@"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet, under a bold head that stays in sight; `lines` is gone through once."""

    title: str
    head: Iterable[str]
    lines: Iterable[Iterable[Any]]


def sheet(title: str, head: Iterable[str], lines: Iterable[Iterable[Any]]) -> bytes:
    """An .xlsx of these lines."""
    return sheets(Sheet(title, head, lines))


def sheets(*each: Sheet) -> bytes:
    """An .xlsx of these sheets, in their order."""
    workbook = Workbook(write_only=True)
    for given in each:
        made = workbook.create_sheet(given.title)
        made.freeze_panes = "A2"
        made.append([_bold(made, text) for text in given.head])
        for line in given.lines:
            made.append([_cell(made, value) for value in line])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _bold(made: Worksheet, text: str) -> Any:
    cell = WriteOnlyCell(made, value=text)
    cell.font = Font(bold=True)
    return cell


def _cell(made: Worksheet, given: Any) -> Any:
    """What a spreadsheet would take for a formula, or for a number and shorten, is text and stays text when edited."""
    if not isinstance(given, str):
        return given
    text = ILLEGAL_CHARACTERS_RE.sub("", given)
    formula = text.startswith(_FORMULA)
    if not formula and not (text.isascii() and text[:-1].isdigit()):
        return text or None
    cell = WriteOnlyCell(made, value=text)
    cell.data_type, cell.number_format, cell.quotePrefix = "s", _TEXT, formula
    return cell
