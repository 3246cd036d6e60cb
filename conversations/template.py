"""A whole visit in one message: a text template filled in without signal, several in a row.

Each block begins with `探访 姓名`; each line is `label：value`. What is not understood is asked, nothing else.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime

from conversations import answers as reading
from conversations.answers import Bounds
from conversations.controls import LABELS, control, plain
from conversations.draft import Answer
from conversations.form import Form
from conversations.readers import Refusal
from storage.ids import millis

LINE = re.compile(r"\s*([^:：]{1,20})[:：]\s*(.*)")


@dataclass(slots=True)
class Block:
    """One visit of a template: whom, the answers understood, and the labels of the lines that were not.

    `to_ask` are the questions of those lines, as far as they name one.
    """

    elder: str
    answers: dict[str, Answer] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)
    to_ask: list[str] = field(default_factory=list)


def blank(form: Form, heading: str) -> str:
    """The template to copy: a line for each section that one tap answers, and for each question always asked."""
    lines = [heading]
    swept = set()
    for question in form.questions:
        section = form.section_by_id[question.section]
        if question.kind in ("person", "photo", "place") or question.ask_if:
            continue
        if question.quiet and question.kind != "date":
            continue
        if section.one_tap and question.unchanged:
            if section.id not in swept:
                swept.add(section.id)
                lines.append(f"{section.also[0] if section.also else section.title}：{LABELS['sweep']}")
            continue
        first = question.options[0] if question.options else None
        shown = first.also[0] if first and first.also else first.label if first else ""
        label = question.also[0] if question.also and not question.options else question.label
        lines.append(f"{label}：{shown}")
    return "\n".join(lines)


def is_one(text: str, openers: frozenset[str]) -> bool:
    """Whether a message is a filled template: it opens as one and has lines with labels."""
    first, _, rest = plain(text).partition("\n")
    return _opened(first, openers) is not None and any(LINE.fullmatch(line) for line in rest.splitlines())


def read(form: Form, text: str, openers: frozenset[str], today: date, now: datetime) -> list[Block]:
    """The visits in the message, in order. A wrong value is left to be asked; its label is named."""
    blocks: list[Block] = []
    labels = _labels(form)
    for line in plain(text).splitlines():
        if not line.strip():
            continue
        elder = _opened(line, openers)
        if elder is not None:
            blocks.append(Block(elder))
            continue
        match = LINE.fullmatch(line)
        name = match[1].strip() if match else line.strip()[:20]
        if not match or name not in labels or not _fill(form, blocks[-1], labels[name], match[2].strip(), today, now):
            blocks[-1].unclear.append(name)
            blocks[-1].to_ask += [labels[name]] if name in labels else []
    return blocks


def _opened(line: str, openers: frozenset[str]) -> str | None:
    """The elder's name in a block's first line, empty where none is given."""
    word, _, name = line.strip().replace("：", " ").replace(":", " ").partition(" ")
    return name.strip() if word in openers else None


def _labels(form: Form) -> dict[str, str]:
    """From a line's name to a question id, or `#section` for a whole section."""
    found: dict[str, str] = {}
    for section in form.sections:
        if section.one_tap:
            found |= dict.fromkeys((section.title, *section.also), f"#{section.id}")
    for question in form.questions:
        found |= dict.fromkeys((question.label, *question.also), question.id)
    return found


def _fill(form: Form, block: Block, target: str, value: str, today: date, now: datetime) -> bool:
    """Takes one line; False where it was not understood. An empty value is simply asked later."""
    if not value:
        return True
    at = millis(now)
    if target.startswith("#"):
        swept = [q for q in form.in_section(target[1:]) if q.unchanged]
        if control(value) != "sweep" and not all(isinstance(reading.read(q, value, Bounds(today)), str) and
                                                  reading.read(q, value, Bounds(today)) == q.unchanged for q in swept):
            return False
        for question in swept:
            block.answers.setdefault(question.id, Answer(question.unchanged, at, "template"))
        return True
    question = form.by_id[target]
    if question.kind == "person":
        block.elder = value
        return True
    if question.optional and control(value) == "skip":
        block.answers[target] = Answer("", at, "template")
        return True
    taken = reading.read(question, value, Bounds(today))
    if isinstance(taken, Refusal):
        return False
    block.answers[target] = Answer(taken, at, "template")
    return True
