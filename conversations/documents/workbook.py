"""A workbook to give away: sheets of plain cells, nothing in it a formula."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXT = "@"
Sheet = tuple[str, Iterable[str], Iterable[Iterable[Any]]]  # title, head, lines


def sheet(title: str, head: Iterable[str], lines: Iterable[Iterable[Any]]) -> bytes:
    """An .xlsx of these lines under a bold head that stays in sight."""
    return sheets([(title, head, lines)])


def sheets(those: Iterable[Sheet]) -> bytes:
    """An .xlsx of several such sheets: title, head and lines of each."""
    workbook = Workbook(write_only=True)
    for title, head, lines in those:
        made = workbook.create_sheet(title)
        made.freeze_panes = "A2"
        made.append([_bold(made, text) for text in head])
        for line in lines:
            made.append([_cell(made, given) for given in line])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _bold(made: Worksheet, text: str) -> Any:
    cell = WriteOnlyCell(made, value=text)
    cell.font = Font(bold=True)
    return cell


def _cell(made: Worksheet, given: Any) -> Any:
    """A plain value where that will do: a cell of its own costs."""
    value, marked = _value(given)
    return _as_text(WriteOnlyCell(made), value) if marked else value


def put(cell: Any, given: Any) -> None:
    """Puts a value into a cell of an ordinary sheet; texts stay texts, as in the others."""
    value, marked = _value(given)
    if marked:
        _as_text(cell, value)
    else:
        cell.value = value


def _value(given: Any) -> tuple[Any, bool]:
    """What goes into the cell; and whether it must be marked as text: a spreadsheet would take it for a formula,
    or for a number and shorten it.
    """
    if not isinstance(given, str):
        return given, False
    text = ILLEGAL_CHARACTERS_RE.sub("", given)
    return text or None, text.startswith(_FORMULA) or (text.isascii() and text[:-1].isdigit())


def _as_text(cell: Any, text: str) -> Any:
    """Text, and text when it is edited."""
    cell.value = text
    cell.data_type, cell.number_format, cell.quotePrefix = "s", _TEXT, text.startswith(_FORMULA)
    return cell
