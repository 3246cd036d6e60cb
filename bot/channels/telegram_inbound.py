"""A raw Telegram update to an `Inbound`, read only as far as it is used.

`telegram.Update.de_json` builds every nested object (113 us); this takes 5 us.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from conversations.message import ChatKind, GroupEvent, Inbound, Media, Place

CHANNEL = "telegram"

# What a person can send. A message with none of these is a notice about the chat (someone joined, a pinned
# message, a new title): nobody said anything, so nobody is answered.
_CONTENT = frozenset(
    (
        *("text", "caption", "photo", "voice", "location", "sticker", "contact", "video", "video_note"),
        *(
            "animation",
            "document",
            "audio",
            "poll",
            "dice",
            "story",
            "game",
            "venue",
            "paid_media",
            "checklist",
        ),
    )
)
_CHAT_KINDS: dict[str, ChatKind] = {"private": "private", "group": "group", "supergroup": "group"}
_OUTSIDE = frozenset(("left", "kicked"))
_ADDRESSED = re.compile(r"(/\w+)@(\w+)", re.ASCII)


def loads(body: bytes) -> Any:
    """The JSON of a body; half a surrogate pair in a text becomes "?". Raises ValueError.

    orjson refuses such a body whole: one broken character would hold up every update behind it.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return orjson.loads(json.dumps(json.loads(body), ensure_ascii=False).encode(errors="replace"))
        except RecursionError:
            raise ValueError("nested too deeply") from None


def parse(update: object, now: datetime, username: str = "") -> Inbound | None:
    """What a person did, or None for an update of another kind, from another bot, or with broken fields.

    `now` (aware, UTC) is the time of a tap, which carries none; `username` is the bot's own: a group's
    command for another bot (`/figures@other_bot`) is passed over.
    """
    try:
        if not isinstance(update, dict):
            return None
        if "callback_query" in update:
            return _tap(update, update["callback_query"], now)
        if "message" in update:
            return _of_group(update, update["message"], now) or _message(update, update["message"], username)
        if "my_chat_member" in update:
            return _member(update, update["my_chat_member"], now)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        return None
    return None


def _tap(update: Mapping[str, Any], tap: Mapping[str, Any], now: datetime) -> Inbound | None:
    message = tap["message"]  # none under a message sent inline into another chat: passed over
    sender, chat, choice = tap["from"], message["chat"], tap["data"]
    if sender["is_bot"] or not isinstance(choice, str) or not isinstance(tap["id"], str):
        return None
    return Inbound(
        channel=CHANNEL,
        account=_number(sender["id"]),
        chat=_number(chat["id"]),
        dedupe_key=_number(update["update_id"]),
        at=now,
        choice=choice,
        chat_kind=_CHAT_KINDS[chat["type"]],
        source=_number(message["message_id"]),
    )


def _of_group(update: Mapping[str, Any], message: Mapping[str, Any], now: datetime) -> Inbound | None:
    """A notice that the group has another id, or that somebody left it."""
    event: GroupEvent
    if "migrate_to_chat_id" in message:
        event, about = "moved", _number(message["migrate_to_chat_id"])
    elif "left_chat_member" in message and not message["left_chat_member"]["is_bot"]:
        event, about = "member_left", _number(message["left_chat_member"]["id"])
    else:
        return None
    return Inbound(channel=CHANNEL, account="", chat=_number(message["chat"]["id"]),
                   dedupe_key=_number(update["update_id"]), at=now, chat_kind="group", event=event, about=about)


def _member(update: Mapping[str, Any], change: Mapping[str, Any], now: datetime) -> Inbound | None:
    """The bot was put into a group, or taken out of it."""
    chat, was, became = change["chat"], *(change[when]["status"] for when in ("old_chat_member", "new_chat_member"))
    if _CHAT_KINDS.get(chat["type"]) != "group" or (was in _OUTSIDE) == (became in _OUTSIDE):
        return None
    return Inbound(channel=CHANNEL, account="", chat=_number(chat["id"]), dedupe_key=_number(update["update_id"]),
                   at=now, chat_kind="group", event="removed" if became in _OUTSIDE else "joined")


def _message(update: Mapping[str, Any], message: Mapping[str, Any], username: str) -> Inbound | None:
    sender, chat = message["from"], message["chat"]
    if sender["is_bot"] or _CONTENT.isdisjoint(message):
        return None
    text = message.get("text") or message.get("caption") or ""
    if not isinstance(text, str):
        return None
    if text.startswith("/") and (addressed := _ADDRESSED.match(text)):
        if username and addressed[2].lower() != username.lower():
            return None
        text = addressed[1] + text[addressed.end() :]
    return Inbound(
        channel=CHANNEL,
        account=_number(sender["id"]),
        chat=_number(chat["id"]),
        dedupe_key=_number(update["update_id"]),
        at=datetime.fromtimestamp(message["date"], UTC),
        text=text,
        media=_media(message),
        place=_place(message["location"]) if "location" in message else None,
        chat_kind=_CHAT_KINDS[chat["type"]],
    )


def _media(message: Mapping[str, Any]) -> tuple[Media, ...]:
    if "photo" in message:
        largest = max(message["photo"], key=lambda size: size["width"] * size["height"])
        return (Media("photo", _text(largest["file_id"]), largest.get("file_size", 0)),)
    if "voice" in message:
        voice = message["voice"]
        return (Media("voice", _text(voice["file_id"]), voice.get("file_size", 0)),)
    if "document" in message and "animation" not in message:  # an animation comes as a document too
        document = message["document"]
        name = document.get("file_name", "")
        return (Media("file", _text(document["file_id"]), document.get("file_size", 0), _text(name)),)
    return ()


def _place(location: Mapping[str, Any]) -> Place:
    return Place(float(location["latitude"]), float(location["longitude"]))


def _number(value: object) -> str:
    if type(value) is not int:
        raise TypeError
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
