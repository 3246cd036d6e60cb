"""Messages and replies of WeChat and WeCom as XML; what wechatpy 1.8.18 does wrong with them is put right here.

Its parser raises on a message without MsgType, or with a field where a text should be, and every event has the id 0;
its replies break on `]]>`, and carry control characters, which the platform refuses.
"""

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.messages import BaseMessage
from wechatpy.replies import TextReply

Parse = Callable[[str], BaseMessage | None]  # wechatpy.parse_message, or that of wechatpy.enterprise

_OF_AN_EVENT = ("FromUserName", "CreateTime", "Event", "EventKey", "MsgId", "TaskId")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(Exception):
    """No message of the platform, though it may be signed. The text names no content."""


def fields(body: bytes | str) -> Mapping[str, Any]:
    """What stands under `<xml>`; entities are refused. Raises Unreadable."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
        found = xmltodict.parse(text)["xml"]
    except (ExpatError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None
    if not isinstance(found, dict):
        raise Unreadable("nothing in it")
    return found


def message(body: bytes | str, parse: Parse) -> BaseMessage:
    """The message as wechatpy has it: its `type`, its `event`, and `_data` for `word`. Raises Unreadable."""
    given = fields(body)
    if not (word(given, "MsgType") and word(given, "FromUserName")):
        raise Unreadable("no type, or no sender")
    try:
        found = parse(body.decode() if isinstance(body, bytes) else body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(type(error).__name__) from None
    if found is None:
        raise Unreadable("nothing in it")
    return found


def word(given: Mapping[str, Any] | BaseMessage, name: str) -> str:
    """A field's text, empty where there is none, or something else than a text."""
    data: Mapping[str, Any] = given._data if isinstance(given, BaseMessage) else given
    value = data.get(name)
    return value if isinstance(value, str) else ""


def dedupe_key(given: BaseMessage) -> str:
    """The same for each delivery of one message, and unique: its MsgId, or for events who, when and what."""
    number = word(given, "MsgId")
    if given.type != "event" and number and number != "0":
        return number
    return ":".join(word(given, name) for name in _OF_AN_EVENT)


def reply(source: str, target: str, text: str, now: datetime) -> str:
    """A passive text reply from `source` (the account written to) to `target`; empty where there is nothing to say."""
    if not text:
        return ""
    # a "]]>" would end the section that the text stands in: two sections share it
    content = clean(text).replace("]]>", "]]]]><![CDATA[>")
    rendered: str = TextReply(source=clean(source), target=clean(target), content=content,
                              time=int(now.timestamp())).render()
    return rendered


def clean(text: str) -> str:
    """The text without what XML 1.0 cannot hold (control characters, halves of a surrogate pair)."""
    return _NOT_IN_XML.sub("", text)


def base64_of(text: str) -> bytes:
    """The bytes of a base64 text. Raises ValueError."""
    return base64.b64decode(text, validate=True)
