"""A parsed message or event of an Official Account to what a person did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import wechatpy
from wechatpy.messages import BaseMessage

from bot.channels.tencent.inbound import inbound, place
from bot.channels.tencent.xml import message, word
from bot.channels.wechat_text import token_of
from conversations.message import Inbound, Media
from storage.reply_windows import Window

CHANNEL = "wechat"
MESSAGE = Window("message", 5, timedelta(hours=48))
EVENT = Window("event", 3, timedelta(minutes=1))

_inbound = partial(inbound, CHANNEL)
_TALK = frozenset(("text", "image", "voice", "video", "shortvideo", "location", "link"))
_START = frozenset(("subscribe", "subscribe_scan", "scan"))
_MENU = frozenset(("click", "scancode_push", "scancode_waitmsg"))

What = Literal["turn", "left", "template_failed", "nothing"]


@dataclass(frozen=True, slots=True)
class Came:
    """What came in: `turn` has an inbound; `left`: he unfollowed; `template_failed`: one did not reach him.

    `us` is the account that was written to, `window` what his act opens, `handle` that of what did not reach him.
    """

    what: What
    account: str
    us: str
    inbound: Inbound | None = None
    window: Window | None = None
    why: str = ""
    handle: str = ""


def parse(xml: str | bytes, now: datetime) -> Came:
    """Reads a message, encrypted ones opened already. Raises Unreadable."""
    given = message(xml, wechatpy.parse_message)
    account, us = word(given, "FromUserName"), word(given, "ToUserName")
    if given.type != "event":
        if given.type not in _TALK:
            return Came("nothing", account, us)
        # a tapped link comes as a text, but opens what the menu opens
        tapped = given.type == "text" and word(given, "bizmsgmenuid")
        return Came("turn", account, us, _said(given, account, now), EVENT if tapped else MESSAGE)
    event = given.event
    if event in _START:
        scene = word(given, "EventKey").removeprefix("qrscene_")
        return Came("turn", account, us, _inbound(given, account, now, text=f"/start {scene}".strip()), EVENT)
    if event in _MENU and word(given, "EventKey").startswith("/"):
        return Came("turn", account, us, _inbound(given, account, now, choice=word(given, "EventKey")), EVENT)
    if event == "unsubscribe":
        return Came("left", account, us)
    if event == "templatesendjobfinish" and word(given, "Status") != "success":
        return Came("template_failed", account, us, why=word(given, "Status"),
                    handle=f"template:{word(given, 'MsgID')}")
    return Came("nothing", account, us)  # a page opened, a location that he did not send


def _said(given: BaseMessage, account: str, now: datetime) -> Inbound:
    match given.type:
        case "text":
            token = token_of(word(given, "bizmsgmenuid"))
            if token:  # in Content stands the label, which cannot tell an old question's from this one's
                return _inbound(given, account, now, choice=token)
            return _inbound(given, account, now, text=word(given, "Content"))
        case "image" | "voice" if word(given, "MediaId"):
            kind: Literal["photo", "voice"] = "photo" if given.type == "image" else "voice"
            return _inbound(given, account, now, media=(Media(kind, word(given, "MediaId")),))
        case "location":
            return _inbound(given, account, now, place=place(given))
    return _inbound(given, account, now)  # a video, a link: one kind sentence answers it
