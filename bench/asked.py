"""The visit as a peer's programmer would hold it: the same questions in the same order, ready to be sent.

Only the main line is here, and an answer is its value alone, as people write such bots. What the bot does
besides (follow-up questions, going back, pausing, changes in the review, each answer's time and manner, scope,
sealing, audit) the peers are spared: it would make them slower.
"""

import time
from dataclasses import dataclass
from typing import Any

from bench import flow
from bench.flow import Step

REVIEW = "review"
Answers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its text, and its buttons as (label, data); without buttons a text is wanted."""

    name: str
    text: str
    buttons: tuple[tuple[str, str], ...]


_form = flow.visit_form()
_words = flow.WORDS["peers"]
_names = [step.name for step in flow.main_line(_form)[1:-1]]


def _buttons(name: str) -> tuple[tuple[str, str], ...]:
    question = _form.by_id[name]
    if question.kind == "person":
        return tuple((label, f"{name}:{nth}") for nth, label in enumerate(_words["elders"]))
    return tuple((option.label, f"{name}:{option.id}") for option in question.options)


def _asked(nth: int, name: str) -> Asked:
    question = _form.by_id[name]
    return Asked(name, f"{nth}/{len(_names)} {question.label}\n{question.ask}", _buttons(name))


QUESTIONS = {name: _asked(nth, name) for nth, name in enumerate(_names, 1)}
FIRST = QUESTIONS[_names[0]]
SUBMIT = ((_words["submit"], f"{REVIEW}:submit"),)
NEXT: dict[str, Asked | None] = {
    name: QUESTIONS[after] if after else None for name, after in zip(_names, [*_names[1:], ""], strict=True)}
_LABELS = {data: label for asked in QUESTIONS.values() for label, data in asked.buttons}


def token(step: Step, markup: object) -> str:
    """The data of the button to tap, as `measure` asks for it: here it depends on the step alone."""
    if step.name == flow.SUBMIT:
        return SUBMIT[0][1]
    assert step.option is not None
    return QUESTIONS[step.name].buttons[step.option][1]


def review(answers: Answers) -> str:
    """All answers to be looked at before submitting."""
    lines = [f"{_form.by_id[name].label}：{_LABELS.get(f'{name}:{value}', value)}"
             for name, value in answers.items()]
    return "\n".join((_words["review"], *lines))


def elder_of(visitor: int, answers: Answers) -> str:
    return f"{visitor}-{answers['elder']}"


def record(visitor: int, number: int, answers: Answers) -> dict[str, Any]:
    """The visit as it is kept."""
    return {"elder": elder_of(visitor, answers), "number": number, "form": _form.hash, "visitor": visitor,
            "method": answers["method"], "written_at": time.time_ns() // 1_000_000, "answers": answers}


def kept(number: int) -> str:
    return str(_words["kept"]).format(number=number)


CANCELLED = str(_words["cancelled"])
