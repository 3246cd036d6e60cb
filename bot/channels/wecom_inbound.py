"""A callback of WeCom, opened already, to what a member did.

An account is the member's id in small letters: the platform takes them either way, and gives them in small ones itself.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from wechatpy.enterprise import parse_message
from wechatpy.messages import BaseMessage

from bot.channels.tencent.xml import dedupe_key, message, word
from bot.channels.wecom_cards import pressed
from conversations.message import Inbound, Media, Place

CHANNEL = "wecom"

_LONGEST_KEY = 200
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
        return _inbound(given, account, now, place=_place(given))
    return _inbound(given, account, now)  # a video, a link: one kind sentence answers it


def _inbound(given: BaseMessage, account: str, now: datetime, **more: Any) -> Inbound:
    key = dedupe_key(given)
    if len(key) > _LONGEST_KEY:
        key = hashlib.sha256(key.encode()).hexdigest()
    return Inbound(channel=CHANNEL, account=account, chat=account, dedupe_key=key, at=_at(given, now), **more)


def _at(given: BaseMessage, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(int(word(given, "CreateTime")), UTC)
    except (ValueError, OverflowError, OSError):
        return now


def _place(given: BaseMessage) -> Place | None:
    """The platform's own datum (GCJ-02), X the latitude."""
    try:
        latitude, longitude = float(word(given, "Location_X")), float(word(given, "Location_Y"))
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # NaN is neither
        return None
    return Place(latitude, longitude, "GCJ-02")
