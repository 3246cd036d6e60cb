"""A form on its way: plain data that survives any number of restarts."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

import orjson

Manner = Literal["tap", "digits", "text", "section", "template", "default", "media", "kept"]
Value = str | int | list[str]

REVIEW = "@review"
CHANGE = "@change"
CANCEL = "@cancel"
ABROAD = "abroad"  # in the context: the draft is on a channel abroad now, where no secret question is asked or shown
CALLED = "called"  # in the context: how the answers to look-ups are shown, by question
TO_ASK = "to_ask"  # in the context: quiet questions that are asked for once, their line in a template was not clear


class Answer(NamedTuple):
    """A value with the time (milliseconds UTC) and manner it was given, and the ids of media that came with it."""

    value: Value
    at: int
    manner: Manner
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """`at` is the id of the question asked now, or one of REVIEW, CHANGE, CANCEL; `chosen` are boxes ticked so far.

    `context` holds what was looked up when it began: who the elder is, the last answers, the facts
    that conditions speak of.
    """

    id: str
    tag: str  # unguessable, in every button's token
    form: str  # the form's hash
    at: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    returns_to: str = ""  # where a refused cancel goes back to

    def with_answer(self, question: str, answer: Answer) -> "Draft":
        return Draft(self.id, self.tag, self.form, self.at, {**self.answers, question: answer}, self.context,
                     self.chosen, self.returns_to)

    def moved(self, at: str, chosen: tuple[str, ...] = ()) -> "Draft":
        """At another question, with these boxes ticked. (dataclasses.replace is five times slower.)"""
        return Draft(self.id, self.tag, self.form, at, self.answers, self.context, chosen, self.returns_to)

    def day(self) -> date | None:
        """The date this record is about, once it is known."""
        answer = self.answers.get("day")
        return date.fromisoformat(str(answer.value)) if answer else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody that a look-up found. `context` is what the draft knows once he is chosen."""

    id: str
    label: dict[str, Any]  # name, village, group, number: what a person is told apart by
    context: dict[str, Any] = field(default_factory=dict)
    called: str = ""  # how the answer is shown, where it is not an elder's name


def dump(draft: Draft) -> bytes:
    """The draft's changing part as JSON; id, tag and form hash are columns of their own."""
    return orjson.dumps({
        "at": draft.at, "context": draft.context, "chosen": draft.chosen, "returns_to": draft.returns_to,
        "answers": dump_answers(draft.answers),
    })


def parse(draft_id: str, tag: str, form: str, body: bytes) -> Draft:
    raw = orjson.loads(body)
    return Draft(draft_id, tag, form, raw["at"], parse_answers(raw["answers"]), raw["context"],
                 tuple(raw["chosen"]), raw["returns_to"])


def dump_answers(answers: dict[str, Answer]) -> dict[str, list[Any]]:
    return {question: [a.value, a.at, a.manner, list(a.media)] if a.media else [a.value, a.at, a.manner]
            for question, a in answers.items()}


def parse_answers(raw: dict[str, list[Any]]) -> dict[str, Answer]:
    return {question: Answer(a[0], a[1], a[2], tuple(a[3]) if len(a) > 3 else ()) for question, a in raw.items()}
