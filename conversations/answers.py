"""From what a person typed to a value, or to a kind refusal (the name of a sentence and its fields)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from conversations import dates, readers, spoken
from conversations.controls import NOTHING, UNITS
from conversations.draft import Value
from conversations.form import Option, Question
from conversations.readers import Refusal

NUMBER = re.compile(rf"(\d{{1,9}})\s*[{UNITS}]*")
DIGITS = re.compile(r"\d+")
SEPARATORS = re.compile(r"[\s,，、;；/+和]+")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The days that a date may lie between: no visit before the elder was registered, none tomorrow."""

    today: date
    earliest: date | None = None


def read(question: Question, text: str, bounds: Bounds) -> Value | Refusal:
    """The value that the text gives to this question."""
    match question.kind:
        case "choice" | "signature":
            return _option(question, text)
        case "choices":
            return _options(question, text)
        case "number":
            return _number(question, text)
        case "date":
            return _date(question, text, bounds)
        case "text":
            return _read_as(question, text, bounds) if question.reads else _text(question, text)
        case "photo":
            return Refusal("refuse.photo_wanted", {"optional": question.optional})
        case "place":
            return Refusal("refuse.place_wanted", {"optional": question.optional})
        case "person":
            return Refusal("refuse.person_unknown", {"text": text[:20]})


def place(text: str, count: int) -> int | None:
    """The index that a typed number means in a list of so many, None where it means none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    return number - 1 if 1 <= number <= count else None


def _matching(question: Question, text: str) -> Option | None:
    if text.isdigit() and text.isascii():
        index = place(text, len(question.options))
        return None if index is None else question.options[index]
    bare = text.rstrip("。.!！ ")
    for option in question.options:
        if bare in (option.label, *option.also, option.id) or spoken.means(option.label, bare):
            return option
    # "1 无变化", "1.无变化": the number with its label
    head = re.match(r"([0-9]+)[\s.、:：]*(.+)", bare)
    numbered = _matching(question, head[1]) if head else None
    return numbered if head and numbered and head[2] in (numbered.label, *numbered.also) else None


def _option(question: Question, text: str) -> Value | Refusal:
    option = _matching(question, text)
    return option.id if option else Refusal("refuse.choice", {"count": len(question.options)})


def _options(question: Question, text: str) -> Value | Refusal:
    whole = _matching(question, text)
    if whole is not None:
        return [whole.id]
    words = SEPARATORS.split(text.strip("。.!！ "))
    if len(words) == 1 and DIGITS.fullmatch(text) and len(question.options) < 10:
        words = list(text)
    chosen = [_matching(question, word) for word in words if word]
    if not chosen or None in chosen:
        return Refusal("refuse.choices", {"count": len(question.options)})
    ids = {option.id for option in chosen if option}
    if question.alone in ids and len(ids) > 1:
        return Refusal("refuse.alone", {"label": question.option(question.alone).label})
    return [option_id for option_id in question.option_ids if option_id in ids]


def _number(question: Question, text: str) -> Value | Refusal:
    match = NUMBER.fullmatch(text)
    if question.least == 0 and text in NOTHING:
        return 0
    if match:
        number = int(match[1])
    else:
        bare = text.rstrip(f"{UNITS}。 ").replace("两", "二")
        try:
            number = int(unicodedata.numeric(bare))
        except (TypeError, ValueError):
            return Refusal("refuse.number", {"least": question.least, "most": question.most})
    if not question.least <= number <= question.most:
        return Refusal("refuse.number", {"least": question.least, "most": question.most})
    return number


def _date(question: Question, text: str, bounds: Bounds) -> Value | Refusal:
    day = dates.read(text, bounds.today, coming=question.ahead and not question.least)
    if day is None:
        return Refusal("refuse.coming" if question.ahead and not question.least else "refuse.date")
    if question.ahead:
        return (question.least and readers.age(day, bounds.today, question.least, question.most)) or day.isoformat()
    if day > bounds.today:
        return Refusal("refuse.future", {"day": day.isoformat()})
    if bounds.earliest and day < bounds.earliest:
        return Refusal("refuse.before_registration", {"day": day.isoformat(),
                                                      "registered": bounds.earliest.isoformat()})
    return day.isoformat()


def _read_as(question: Question, text: str, bounds: Bounds) -> Value | Refusal:
    value = readers.read(question.reads, text)
    if question.least and isinstance(value, str) and value:  # an ID number, which says the age
        return readers.age(readers.born(value), bounds.today, question.least, question.most) or value
    return value


def _text(question: Question, text: str) -> Value | Refusal:
    if len(text) > question.most:
        return Refusal("refuse.long", {"length": len(text), "most": question.most})
    if not any(character.isalnum() for character in text):
        return Refusal("refuse.empty")
    return text
