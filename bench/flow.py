"""The main line of a visit as people do it in Telegram: each step, and its raw update as the platform posts it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from conversations import walk
from conversations.draft import Answer, Draft
from conversations.form import FORMS, Form, Question, load

WORDS: dict[str, Any] = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
START = "start"
SUBMIT = "submit"
TIME = 1_764_550_800  # when every message was sent: 2025-12-01 09:00 in Shanghai
_BOT = {"id": 7_100_000_001, "is_bot": True, "first_name": "tanfang", "username": "tanfang_bench_bot"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a person does: taps the button of `option` (its place in the question), or sends a text.

    `name` is the question's id, START or SUBMIT; START is a command, SUBMIT a tap without an option. People
    differ in which of `texts` they send.
    """

    name: str
    option: int | None = None
    texts: tuple[str, ...] = ()


def visit_form() -> Form:
    """The bot's own form of a visit."""
    return load(FORMS / "visit.toml")


def main_line(form: Form, command: str = "/visit") -> tuple[Step, ...]:
    """The steps of a visit on which nothing has changed and all is safe, one answer a step."""
    steps = [Step(START, texts=(command,))]
    draft = Draft("", "", form.hash)
    while question := walk.following(form, draft):
        step = _step(question)
        steps.append(step)
        value = "" if step.option is None or not question.options else question.option_ids[step.option]
        draft = draft.with_answer(question.id, Answer(value, 0, "tap"))
    return (*steps, Step(SUBMIT))


def _step(question: Question) -> Step:
    if question.kind == "text":
        return Step(question.id, texts=tuple(WORDS["people"][question.id]))
    calm = question.unchanged or question.alone
    return Step(question.id, question.option_ids.index(calm) if calm else 0)


class Updates:
    """Makes raw updates, each as cheap as filling in a template: what is measured is the bot.

    They are whole: sender, chat, date, and under a tap the message with its text and buttons.
    """

    def __init__(self, form: Form, steps: Sequence[Step], first: int = 0) -> None:
        self._templates = [_templates(form, step) for step in steps]
        self._last = 700_000_000 + first  # each run's updates have numbers of their own

    def raw(self, place: int, chat: int, message: int, data: str) -> bytes:
        """The update of the step at `place`: a text, or a tap with `data` on the chat's `message`."""
        self._last += 1
        templates = self._templates[place]
        return templates[chat % len(templates)] % {
            b"update": self._last, b"chat": chat, b"message": message, b"data": data.encode()}


def _templates(form: Form, step: Step) -> list[bytes]:
    sender = {"id": "<chat>", "is_bot": False, "language_code": "zh-hans"}
    updates: list[dict[str, Any]] = []
    for nth, name in enumerate(WORDS["people"]["first_names"]):
        who = {**sender, "first_name": name}
        chat = {"id": "<chat>", "type": "private", "first_name": name}
        if step.texts:
            text = step.texts[nth % len(step.texts)]
            message = {"message_id": "<message>", "from": who, "chat": chat, "date": TIME, "text": text}
            if text.startswith("/"):
                message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text)}]
            updates.append({"update_id": "<update>", "message": message})
        else:
            asked, labels = _shown(form, step)
            rows = [[{"text": label, "callback_data": f"AAAAAAAAAAAAAAAA.{place}"}]
                    for place, label in enumerate(labels)]
            message = {"message_id": "<message>", "from": _BOT, "chat": chat, "date": TIME, "text": asked,
                       "reply_markup": {"inline_keyboard": rows}}
            updates.append({"update_id": "<update>", "callback_query": {
                "id": "<tap>", "from": who, "message": message, "chat_instance": "-5429014521884306112",
                "data": "<data>"}})
    return [_as_template(update) for update in updates]


def _shown(form: Form, step: Step) -> tuple[str, list[str]]:
    if step.name == SUBMIT:
        return WORDS["peers"]["review"], [WORDS["peers"]["submit"]]
    question = form.by_id[step.name]
    labels = [option.label for option in question.options]
    return f"{question.label}\n{question.ask}", labels or WORDS["peers"]["elders"]


def _as_template(update: dict[str, Any]) -> bytes:
    template = orjson.dumps(update).replace(b"%", b"%%")
    for mark in (b"update", b"chat", b"message"):
        template = template.replace(b'"<%b>"' % mark, b"%%(%b)d" % mark)
    return template.replace(b"<tap>", b"43%(update)d").replace(b"<data>", b"%(data)b")
