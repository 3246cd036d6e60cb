"""A callback of WeCom, opened already, to what a member did.

An account is the member's id in small letters: the platform takes them either way, and gives them in small ones itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from wechatpy.enterprise import parse_message
from wechatpy.messages import BaseMessage

from bot.channels.tencent.inbound import inbound, place
from bot.channels.tencent.xml import message, word
from bot.channels.wecom_cards import pressed
from conversations.message import Inbound, Media

CHANNEL = "wecom"

_inbound = partial(inbound, CHANNEL)
_TALK = frozenset(("text", "image", "voice", "video", "location", "link", "file"))
_MENU = frozenset(("click", "scancode_push", "scancode_waitmsg"))
_KINDS: dict[str, Literal["photo", "voice", "file"]] = {"image": "photo", "voice": "voice", "file": "file"}


@dataclass(frozen=True, slots=True)
class Came:
    """What came in; without an inbound there is nothing to do. Of a card: the code that changes it once, and the label
    that was pressed; `left`: whose account is reached no more.
    """

    inbound: Inbound | None = None
    code: str = ""
    label: str = ""
    left: str = ""


def parse(xml: str, now: datetime) -> Came:
    """Reads a message or an event. Raises Unreadable."""
    given = message(xml, parse_message)
    account = word(given, "FromUserName").lower()
    kind = word(given, "MsgType").lower()
    if kind != "event":
        return Came(_said(given, kind, account, now)) if kind in _TALK else Came()
    match word(given, "Event").lower():
        case "template_card_event":
            return _of_card(given, account, now)
        case event if event in _MENU and word(given, "EventKey").startswith("/"):
            return Came(_inbound(given, account, now, choice=word(given, "EventKey")))
        case "subscribe":
            return Came(_inbound(given, account, now, text="/start"))
        case "unsubscribe":
            return Came(left=account)
    return Came()  # the application opened, a location that he did not send


def _of_card(given: BaseMessage, account: str, now: datetime) -> Came:
    chosen = pressed(word(given, "EventKey"), _ticked(given._data))
    code = word(given, "ResponseCode")
    if chosen is None:
        return Came(_inbound(given, account, now, source=code))
    return Came(_inbound(given, account, now, choice=chosen.token, source=code), code, chosen.label)


def _ticked(data: Mapping[str, Any]) -> list[str]:
    """The ids of the boxes that were ticked, whatever the shape: one is a text, several are a list."""
    found: list[str] = []
    for item in _each(_under(data.get("SelectedItems"), "SelectedItem")):
        found += [each for each in _each(_under(_under(item, "OptionIds"), "OptionId")) if isinstance(each, str)]
    return found


def _under(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _said(given: BaseMessage, kind: str, account: str, now: datetime) -> Inbound:
    if kind == "text":
        return _inbound(given, account, now, text=word(given, "Content"))
    if kind in _KINDS and word(given, "MediaId"):
        media = Media(_KINDS[kind], word(given, "MediaId"), name=word(given, "FileName") or word(given, "Title"))
        return _inbound(given, account, now, media=(media,))
    if kind == "location":
        return _inbound(given, account, now, place=place(given))
    return _inbound(given, account, now)  # a video, a link: one kind sentence answers it
