"""Visits as a workbook: one line each, annex 3's questions as columns, in the words they were answered in."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from conversations.book import FormBook
from conversations.form import Form, Question
from conversations.say import value
from conversations.words_book import Words
from storage.visits import Listed

_HEAD = ("village", "group", "elder_number", "elder", "number", "day", "late", "visitor")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(listed: Iterable[Listed], book: FormBook, words: Words) -> bytes:
    """An .xlsx of these visits, in their order. What only older forms asked stands in one column."""
    questions = [each for each in book.current["visit"].questions if each.kind not in ("person", "date")]
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(words.say("visits_column.title"))
    sheet.freeze_panes = "E2"
    head = [words.say(f"visits_column.{name}") for name in _HEAD]
    sheet.append([_bold(sheet, text) for text in (
        *head, *(each.label for each in questions), words.say("visits_column.others"))])
    for each in listed:
        sheet.append([_cell(sheet, text) for text in _line(each, questions, book, words)])
    out = BytesIO()
    workbook.save(out)
    return out.getvalue()


def _line(listed: Listed, questions: list[Question], book: FormBook, words: Words) -> Iterator[Any]:
    visit = listed.visit
    yield from (listed.village, listed.group, listed.elder_number, visit.elder, visit.number, visit.on_day,
                words.say("visits_column.is_late") if visit.late else "", visit.visitor or "")
    form = book.form(visit.form_hash)
    told = {name: _told(form, name, answer, words) for name, answer in visit.answers.items() if name in form.by_id}
    yield from (told.pop(each.id, "") for each in questions)
    left = [name for name in told if form.by_id[name].kind not in ("person", "date")]
    yield "\n".join(words.say("visits_column.other", {"label": form.by_id[name].label, "value": told[name]})
                    for name in left)


def _told(form: Form, name: str, answer: list[Any], words: Words) -> str:
    given, _, _, *media = answer
    count = len(media[0]) if media else 0
    return "" if given == "" and not count else value(form.by_id[name], given, count, words)


def _bold(sheet: Worksheet, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=text)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Worksheet, given: Any) -> Any:
    """What a spreadsheet would take for a formula is written as text."""
    if not isinstance(given, str):
        return given
    text = ILLEGAL_CHARACTERS_RE.sub("", given)
    if not text.startswith(_FORMULA):
        return text or None
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type, cell.quotePrefix = "s", True
    return cell
