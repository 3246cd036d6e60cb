"""Visits as a workbook: one line each, annex 3's questions as columns, in the words they were answered in."""

from collections.abc import Iterable, Iterator
from typing import Any

from conversations.book import FormBook
from conversations.documents import workbook
from conversations.form import Form, Question
from conversations.say import value
from conversations.words_book import Words
from storage.visits import Listed

_HEAD = ("village", "group", "elder_number", "elder", "number", "day", "late", "visitor")
_IN_HEAD = ("person", "date")  # kinds of questions whose answers stand in the first columns


def write(listed: Iterable[Listed], book: FormBook, words: Words) -> bytes:
    """An .xlsx of these visits, in their order. What only older forms asked stands in one column."""
    questions = [each for each in book.current["visit"].questions if each.kind not in _IN_HEAD]
    head = [*(words.say(f"workbook.{name}") for name in _HEAD), *(each.label for each in questions),
            words.say("workbook.others")]
    return workbook.sheet(words.say("workbook.title"), head,
                          (_line(each, questions, book, words) for each in listed))


def _line(listed: Listed, questions: list[Question], book: FormBook, words: Words) -> Iterator[Any]:
    visit = listed.visit
    yield from (listed.village, listed.group, listed.elder_number, visit.elder, visit.number, visit.on_day,
                words.say("workbook.is_late") if visit.late else "", visit.visitor or "")
    form = book.form(visit.form_hash)
    told = {name: _told(form, name, answer, words) for name, answer in visit.answers.items()
            if name in form.by_id and form.by_id[name].kind not in _IN_HEAD}
    yield from (told.pop(each.id, "") for each in questions)
    yield "\n".join(words.say("workbook.other", {"label": form.by_id[name].label, "value": text})
                    for name, text in told.items() if text)


def _told(form: Form, name: str, answer: list[Any], words: Words) -> str:
    given, _, _, *media = answer
    count = len(media[0]) if media else 0
    return "" if given == "" and not count else value(form.by_id[name], given, count, words)
