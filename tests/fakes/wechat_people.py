"""Followers of an Official Account with their phones, and the platform's deliveries of what they do."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from tests.fakes import tencent

if TYPE_CHECKING:
    from tests.fakes.wechat_api import FakeWeChat

LINK = re.compile(r'<a href="weixin://bizmsgmenu\?msgmenucontent=([^"&]+)&msgmenuid=([^"&]+)">([^<]+)</a>')
TRIES = 3
TEXT_BYTES = 2048
MESSAGE, EVENT = (5, timedelta(hours=48)), (3, timedelta(minutes=1))


@dataclass(frozen=True)
class Received:
    """What stands on a phone: how it came (reply, message, template), and its links as (label, says, token)."""

    via: str
    text: str
    change: int
    links: tuple[tuple[str, str, str], ...] = ()

    @property
    def read(self) -> str:
        """The text as it is read, without its links' addresses."""
        return LINK.sub(r"\3", self.text)


@dataclass
class Delivery:
    """One thing that the platform delivered: the status of each try (0: no answer in time), and what replied."""

    message: dict[str, str]
    statuses: list[int] = field(default_factory=list)
    reply: str | None = None


@dataclass
class Person:
    """A follower by his openid."""

    fake: FakeWeChat
    openid: str
    follows_now: bool = True
    tags: set[int] = field(default_factory=set)
    phone: list[Received] = field(default_factory=list)
    subscribed: set[str] = field(default_factory=set)  # templates of subscription notices
    windows: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    template: str = ""  # the number of the last template that was sent to him
    client_ids: dict[str, datetime] = field(default_factory=dict)  # of templates that are sent once

    # what he does

    async def says(self, text: str, hint: str = "", *, tapped: bool = False) -> Delivery:
        given = {"MsgType": "text", "Content": text, **({"bizmsgmenuid": hint} if hint else {})}
        return await self._sends(given, tapped=tapped or bool(hint))

    async def taps(self, label: str, shown: Received | None = None, *, encoded: bool = False) -> Delivery:
        """Taps a link on his phone, the newest with that label: it says its words, and carries its token along."""
        found = next(link for each in ([shown] if shown else reversed(self.phone)) for link in each.links
                     if link[0] == label)
        hint = found[2] if encoded else unquote(found[2])
        return await self.says(found[1], hint if self.fake.hints else "", tapped=True)

    async def taps_menu(self, label: str) -> Delivery:
        key = next(button["key"] for button in self.fake.menu_of(self) if button["name"] == label)
        return await self._event("CLICK", EventKey=key)

    async def sends_photo(self, body: bytes = b"\xff\xd8 made up") -> Delivery:
        return await self._sends({"MsgType": "image", "MediaId": self.fake.keeps(body, "image/jpeg"),
                                  "PicUrl": "http://mmbiz.qpic.cn/x"})

    async def sends_voice(self, body: bytes = b"#!AMR made up") -> Delivery:
        return await self._sends({"MsgType": "voice", "MediaId": self.fake.keeps(body, "audio/amr"), "Format": "amr"})

    async def sends_place(self, latitude: float, longitude: float) -> Delivery:
        return await self._sends({"MsgType": "location", "Location_X": str(latitude), "Location_Y": str(longitude),
                                  "Scale": "16", "Label": ""})

    async def sends_video(self) -> Delivery:
        return await self._sends({"MsgType": "video", "MediaId": "v1", "ThumbMediaId": "t1"})

    async def follows(self, scene: str = "") -> Delivery:
        self.follows_now = True
        return await self._event("subscribe", EventKey=f"qrscene_{scene}" if scene else "",
                                 **({"Ticket": "t"} if scene else {}))

    async def scans(self, scene: str) -> Delivery:
        """As one who follows already, or not yet."""
        return await (self._event("SCAN", EventKey=scene, Ticket="t") if self.follows_now else self.follows(scene))

    async def unfollows(self) -> Delivery:
        self.follows_now = False
        self.windows.clear()
        self.tags.clear()
        return await self._event("unsubscribe", EventKey="")

    async def misses_template(self, why: str) -> Delivery:
        """The platform says that his last template did not reach him."""
        return await self._event("TEMPLATESENDJOBFINISH", MsgID=self.template, Status=why)

    async def _sends(self, fields: dict[str, str], *, tapped: bool = False) -> Delivery:
        assert self.follows_now, "who does not follow cannot write"
        if tapped:  # "does not produce the quota of a message": the platform's own words
            self.opens("event", *EVENT)
        else:
            self.opens("message", *MESSAGE)
        return await self.fake.delivers(self, {**fields, "MsgId": str(self.fake.next_number())})

    async def _event(self, event: str, **fields: str) -> Delivery:
        if event in ("subscribe", "SCAN", "CLICK"):
            self.opens("event", *EVENT)
        return await self.fake.delivers(self, {"MsgType": "event", "Event": event, **fields})

    # what the platform keeps of him

    def opens(self, kind: str, messages: int, lasts: timedelta) -> None:
        self.windows[kind] = (self.fake.now() + lasts, messages)

    def may_get(self) -> int:
        """The error code of a customer message now; 0 counts one."""
        if not self.follows_now:
            return 43004
        alive = [(until, kind, left) for kind, (until, left) in self.windows.items() if until > self.fake.now()]
        if not alive:
            return 45015
        for until, kind, left in sorted(alive):
            if left:
                self.windows[kind] = (until, left - 1)
                return 0
        return 45047

    def gets(self, via: str, text: str) -> None:
        links = tuple((label, says, token) for says, token, label in LINK.findall(text))
        self.phone.append(Received(via, text, self.fake.next_number(), links))

    @property
    def last(self) -> Received:
        return self.phone[-1]


class Callbacks:
    """The platform's requests to the bot: signed, encrypted in safe mode, three tries."""

    def __init__(self, fake: FakeWeChat) -> None:
        self.fake = fake
        self.http = fake.http
        self.deliveries: list[Delivery] = []
        self._nonces = itertools.count(1)

    async def deliver(self, person: Person, fields: dict[str, str], *, tries: int = TRIES) -> Delivery:
        message = {"ToUserName": self.fake.original_id, "FromUserName": person.openid,
                   "CreateTime": str(int(self.fake.now().timestamp())), **fields}
        delivery = Delivery(message)
        self.deliveries.append(delivery)
        await self.again(person, delivery, tries=tries)
        return delivery

    async def again(self, person: Person, delivery: Delivery, *, tries: int = TRIES) -> None:
        """The same message once more; a reply that the phone shows already is not shown twice."""
        for _ in range(tries):
            status, body = await self._post(delivery.message)
            delivery.statuses.append(status)
            if status != 200:
                continue
            if body not in ("", "success"):
                text = self._reply(person, body)
                if delivery.reply is None:
                    person.gets("reply", text)
                else:
                    assert text == delivery.reply, "another answer to the same message"
                delivery.reply = text
            return

    async def _post(self, message: dict[str, str]) -> tuple[int, str]:
        xml = "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in message.items()) + "</xml>"
        sealed = tencent.seal(xml, self.fake.app_id, self.fake.aes_key) if self.fake.aes_key else ""
        query = tencent.signed(self.fake.now().timestamp(), f"n{next(self._nonces)}", sealed=sealed, token=self.fake.token)
        query["openid"] = message["FromUserName"]
        body = tencent.envelope(sealed, self.fake.app_id) if sealed else xml
        try:
            answer = await self.http.post(f"{self.fake.bot_url}/wechat", params=query, content=body.encode(),
                                          timeout=self.fake.patience)
        except httpx.TransportError:  # nobody is there, or not in time
            return 0, ""
        return answer.status_code, answer.text

    def _reply(self, person: Person, body: str) -> str:
        fields = tencent.opened_reply(body, self.fake.app_id, self.fake.token) if self.fake.aes_key else tencent.parsed(body)
        assert fields.keys() == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}, fields.keys()
        assert (fields["MsgType"], fields["ToUserName"], fields["FromUserName"]) == (
            "text", person.openid, self.fake.original_id)
        assert 0 < len(fields["Content"].encode()) <= TEXT_BYTES, "the platform shows a fault"
        return fields["Content"]


