"""Template messages and subscription notices: which notice goes out through which, and what stands in its fields.

The operator's file (TANFANG_WECHAT_TEMPLATES) has a table for each kind of notice, and `[other]` for all the rest:

    [alert_raised]
    template = "the template's id in the console"
    [alert_raised.fields]
    thing1 = "{{ elder | of_whom }}"
    time2 = "{{ time }}"

A value is written as the sentences in `conversations/words` are; beside the notice's own fields it may use `line` (the
first line of the message), `date` and `time`. The platform refuses a value that does not fit the type of its field
(47003), so each is fitted or refused here.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import structlog
from jinja2 import TemplateError
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.channels.base import Refused
from conversations.message import Message

OTHER = "other"
TEMPLATE, SUBSCRIPTION = "/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend"
Render = Callable[[str, dict[str, Any]], str]  # a template's source and its fields to text; raises jinja2's errors

_CHINESE = "\\u4e00-\\u9fff"
_KIND = re.compile(r"([a-z_]+?)\d+")
_BREAKS = re.compile(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*")  # no value may hold a control character
_CUT = "…"
_log = structlog.get_logger()


class TemplatesError(Exception):
    """What is wrong with the operator's file."""


class Entry(BaseModel):
    """One kind of notice: the template, and what stands in its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str
    fields: dict[str, str]
    api: Literal["template", "subscription"] = "template"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """One message as the platform takes it."""

    path: str
    body: dict[str, Any]


def _cut(most: int) -> Callable[[str], str]:
    return lambda text: text if len(text) <= most else text[:most - 1] + _CUT


def _only(pattern: str) -> Callable[[str], str]:
    whole = re.compile(pattern)
    return lambda text: text if whole.fullmatch(text) else ""


def _phrase(text: str) -> str:
    return re.sub(f"[^{_CHINESE}]", "", text)[:5]


# what a field's type takes; empty: it does not fit
FIT: Mapping[str, Callable[[str], str]] = {
    "thing": _cut(20), "short_thing": _cut(5),  # of the second the platform says nothing: as others found
    "const": _only(r".{1,20}"), "phrase": _phrase,
    "character_string": _only(r"[\x20-\x7e]{1,32}"), "number": _only(r"\d{1,32}(\.\d+)?"),
    "letter": _only(r"[A-Za-z]{1,32}"), "symbol": _only(r".{1,5}"),
    "time": _only(r"(\d{4}年\d{1,2}月\d{1,2}日 ?)?\d{1,2}:\d{2}(:\d{2})?|\d{4}年\d{1,2}月\d{1,2}日"),
    "date": _only(r"\d{4}年\d{1,2}月\d{1,2}日( \d{1,2}:\d{2})?"),
    "amount": _only(r".?\d{1,10}(\.\d{1,2})?.?"), "phone_number": _only(r"[\d+\-]{1,17}"),
    "car_number": _only(r".{1,8}"), "name": _only(rf"[{_CHINESE}·]{{1,10}}|[A-Za-z ]{{1,20}}"),
}


class Templates:
    """The operator's templates; without a file there are none."""

    def __init__(self, path: Path | None, render: Render) -> None:
        self._render = render
        self._entries: dict[str, Entry] = {}
        if path is None:
            return
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            self._entries = {kind: Entry.model_validate(entry) for kind, entry in raw.items()}
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
            raise TemplatesError(f"TANFANG_WECHAT_TEMPLATES cannot be used: {error}") from None
        unknown = [f"{kind}.{name}" for kind, entry in self._entries.items() for name in entry.fields
                   if (match := _KIND.fullmatch(name)) is None or match[1] not in FIT]
        if unknown:
            raise TemplatesError(f"TANFANG_WECHAT_TEMPLATES names fields of no known type: {', '.join(unknown)}")

    def fields(self) -> Mapping[str, Entry]:
        """What the account must have, by kind of notice."""
        return self._entries

    def ready(self, account: str, message: Message, at: datetime) -> Ready:
        """The message as a template, `at` in local wall time. Raises Refused: there is none, or it does not fit."""
        kind = message.told.kind if message.told else OTHER
        entry = self._entries.get(kind) or self._entries.get(OTHER)
        if entry is None:
            raise Refused("no window, and no template")
        given = dict(message.told.fields) if message.told else {}
        given |= {"line": message.text.strip().partition("\n")[0], "date": f"{at.year}年{at.month}月{at.day}日",
                  "time": f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"}
        data = {name: {"value": self._value(kind, name, source, given)} for name, source in entry.fields.items()}
        body = {"touser": account, "template_id": entry.template, "data": data}
        if entry.url:
            body["url" if entry.api == "template" else "page"] = entry.url
        return Ready(TEMPLATE if entry.api == "template" else SUBSCRIPTION, body)

    def _value(self, kind: str, name: str, source: str, given: dict[str, Any]) -> str:
        match = _KIND.fullmatch(name)
        assert match is not None  # looked at when the file was read
        try:
            said = self._render(source, given)
        except (TemplateError, TypeError, KeyError) as error:
            _log.error("a template's field could not be said", kind=kind, field=name, error=type(error).__name__)
            raise Refused("a template's field cannot be said") from None
        fitted = FIT[match[1]](_BREAKS.sub(" ", said).strip())
        if not fitted:
            _log.error("a template's field does not fit its type", kind=kind, field=name)
            raise Refused("a template's field does not fit")
        return fitted
