"""From what a turn means to what is shown: parts (a kind and its fields) become one message."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from conversations.book import FormBook
from conversations.controls import LABELS
from conversations.draft import CANCEL, CHANGE, REVIEW
from conversations.engine import Part
from conversations.form import Form, Question
from conversations.message import Button, Message
from conversations.walk import PLACES
from conversations.words_book import Words

Rows = list[tuple[Button, ...]]
UNNUMBERED = "unnumbered"  # a field of a part with buttons: numbers that are typed now are for something else
LABEL_WIDTH = 7  # characters: how wide a label may be for two of them to stand in one row


def messages(parts: Iterable[Part], words: Words, book: FormBook, edits: str = "") -> list[Message]:
    """The parts as messages: a `break` among them begins a new one."""
    groups: list[list[Part]] = [[]]
    for part in parts:
        if part[0] == "break":
            groups.append([])
        else:
            groups[-1].append(part)
    return [compose(group, words, book, edits) for group in groups if group]


def compose(parts: Iterable[Part], words: Words, book: FormBook, edits: str = "") -> Message:
    """One message of all parts, a blank line between; the buttons are those of the last part that has any."""
    texts: list[str] = []
    rows: Rows = []
    asks_place = False
    for kind, fields in parts:
        if kind == "question":
            text, rows, asks_place = _question(fields, words, book)
        elif kind in ("review", "change"):
            text, rows = _review(kind, fields, words, book)
        elif kind == "cancel":
            text, rows = words.say("form.cancel"), [_controls(fields["tag"], PLACES[CANCEL], "yes", "no")]
        elif kind == "record":
            form = book.form(fields["form"])
            text = words.say("menu.record", {**fields, "lines": lines(form, fields["items"], words, fields["elder"])})
            rows = _given(fields["buttons"], words)
        elif kind == "registration.card":
            told = lines(book.form(fields["form"]), fields["items"], words, fields["elder"])
            text, rows = words.say(kind, {**fields, "lines": told}), _given(fields["buttons"], words)
        elif kind == "which":
            text = words.say("form.which", {"count": len(fields["people"])})
            rows = _people(fields["tag"], fields["where"], fields["people"], fields.get("lookup", "elders"), words)
        else:
            text = words.say(kind, fields)
            numbered = not fields.get(UNNUMBERED)
            rows = _given(fields["buttons"], words, numbered=numbered) if "buttons" in fields else rows
        texts.append(text)
    return Message("\n\n".join(texts), tuple(rows), edits, asks_place=asks_place)


def lines(form: Form, items: Iterable[Sequence[Any]], words: Words, elder: str) -> list[dict[str, str]]:
    """Each answer as a label and a value to read; an item is a question id, its value, and how many media came."""
    return [{"label": form.by_id[item[0]].label, "value": value(form.by_id[item[0]], item[1], item[2], words, elder)}
            for item in items]


def value(question: Question, given: Any, media: int, words: Words, elder: str = "") -> str:
    """An answer in words."""
    if question.kind == "person":
        return words.named(elder) if question.lookup == "elders" else str(given)
    if given == "" and not media:
        return words.say("values.skipped")
    if question.options:
        chosen = given if isinstance(given, list) else [given]
        told = words.say("values.joiner").join(
            question.option(each).label for each in chosen if each in question.option_ids)
    elif question.kind == "date" and given:
        told = words.full_day(given) if question.ahead else words.day(given)
    elif question.kind == "place" and given:
        told = words.say("values.place")
    elif given == "" and media:
        return words.say("values.photo" if question.kind == "photo" else "values.voice")
    else:
        told = str(given)
    return told + words.say("values.attached") if media else told


def _question(fields: dict[str, Any], words: Words, book: FormBook) -> tuple[str, Rows, bool]:
    form = book.form(fields["form"])
    question = form.by_id[fields["question"]]
    tag, where = fields["tag"], str(form.index[question.id])
    last, given = fields["last"], fields["given"]
    several = question.kind == "choices"
    section = form.section_by_id[question.section]
    sweep_over = words.say("values.joiner").join(form.by_id[each].label for each in fields["sweep"])
    text = words.say("form.question", {
        "elder": fields["elder"], "section": section.title, "nth": fields["nth"], "of": fields["of"],
        "ask": question.ask.replace("{level}", words.say(f"rule_value.{fields['level']}"))
        if "{level}" in question.ask else question.ask, "sweep_over": sweep_over, "sweep": LABELS["sweep"],
        "several": several, "done": LABELS["done"],
        "last": value(question, last, 0, words) if last not in (None, "") and question.kind != "person" else "",
        "given": value(question, given, fields["media"], words, fields["elder"]) if given is not None else "",
    })
    rows: Rows = []
    if fields["sweep"]:
        rows.append(_controls(tag, where, "sweep"))
    if question.kind == "person":
        rows += _people(tag, where, fields["people"], question.lookup, words)
    ticked = fields["chosen"]
    labelled = [
        Button(f"{'☑ ' if option.id in ticked else ''}{n} {option.label}", f"{tag}.{where}.{n - 1}")
        for n, option in enumerate(question.options, 1)]
    rows += _in_rows(labelled)
    if several:
        rows.append(_controls(tag, where, "done"))
    if question.optional:
        rows.append(_controls(tag, where, "skip"))
    steering = [name for name, wanted in (
        ("keep", given is not None), ("back", fields["back"]), ("words", bool(question.say)), ("pause", True),
        ("cancel", True)) if wanted]
    rows.append(_controls(tag, where, *steering))
    return text, rows, question.kind == "place"


def _review(kind: str, fields: dict[str, Any], words: Words, book: FormBook) -> tuple[str, Rows]:
    form = book.form(fields["form"])
    tag = fields["tag"]
    if kind == "review":
        text = words.say("form.review", {"elder": fields["elder"], "title": form.title,
                                         "lines": lines(form, fields["items"], words, fields["elder"])})
        where = PLACES[REVIEW]
        return text, [_controls(tag, where, "submit"), _controls(tag, where, "change", "back", "pause", "cancel")]
    where = PLACES[CHANGE]
    buttons = [Button(f"{n} {form.by_id[item[0]].label}", f"{tag}.{where}.{form.index[item[0]]}")
               for n, item in enumerate(fields["items"], 1)]
    return words.say("form.change"), [*_in_rows(buttons, 10), _controls(tag, where, "review")]


def _controls(tag: str, where: str, *names: str) -> tuple[Button, ...]:
    return tuple(Button(LABELS[name], f"{tag}.{where}.={name}") for name in names)


def _people(tag: str, where: str, people: Sequence[Sequence[Any]], lookup: str, words: Words) -> Rows:
    return [(Button(f"{n} {words.say(f'found.{lookup}', {'label': label})}", f"{tag}.{where}.{person}"),)
            for n, (person, label) in enumerate(people, 1)]


def _given(rows: Sequence[Sequence[Sequence[Any]]], words: Words, *, numbered: bool = True) -> Rows:
    """Buttons outside a form: rows of label key, its fields, and token; numbered, so that a number can be typed."""
    n = count(1)
    return [tuple(Button(f"{next(n)} {label}" if numbered else label, token)
                  for key, label_fields, token in row for label in [words.say(key, label_fields)]) for row in rows]


def _in_rows(buttons: Sequence[Button], width: int = LABEL_WIDTH) -> Rows:
    """Two or three short labels a row, so that a thumb finds them; long ones alone."""
    longest = max((len(button.label) for button in buttons), default=0)
    each = 3 if longest <= 6 and len(buttons) % 3 == 0 else 2 if longest <= width + 3 else 1
    return [tuple(buttons[start:start + each]) for start in range(0, len(buttons), each)]
