"""Members of a corporation with their phones, and the platform's deliveries of what they do."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from tests.fakes import tencent

if TYPE_CHECKING:
    from tests.fakes.wecom_api import FakeWeCom

TRIES = 3
LIMITS = ((timedelta(minutes=1), 30), (timedelta(hours=1), 1000))


@dataclass
class Received:
    """What stands on a phone. A card's buttons are (label, key), its boxes (text, id); `pressed` is what its button says
    once it cannot be pressed any more.
    """

    change: int
    kind: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    boxes: tuple[tuple[str, str], ...] = ()
    checked: tuple[str, ...] = ()
    submit: tuple[str, str] = ("", "")
    several: bool = False
    values: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    task_id: str = ""
    link: str = ""
    pressed: str = ""
    file: tuple[str, bytes] | None = None


@dataclass
class Delivery:
    """One thing that the platform delivered, and the status of each try (0: no answer in time)."""

    message: str
    statuses: list[int] = field(default_factory=list)


@dataclass
class Member:
    """Somebody by his user id, and what the directory calls him."""

    fake: FakeWeCom
    user_id: str
    name: str = ""
    visible: bool = True  # within the application's range
    licensed: bool = True
    phone: list[Received] = field(default_factory=list)
    sent: deque[datetime] = field(default_factory=deque)
    seen: dict[str, datetime] = field(default_factory=dict)  # what was sent to be checked for duplicates

    def takes(self) -> bool:
        """Whether the platform shows one more, or drops it in silence."""
        now = self.fake.now()
        fits = all(sum(at > now - span for at in self.sent) < most for span, most in LIMITS)
        if fits:
            self.sent.append(now)
        return fits

    @property
    def last(self) -> Received:
        return self.phone[-1]

    # what he does

    async def says(self, text: str) -> Delivery:
        return await self._sends("text", Content=text)

    async def sends_photo(self, body: bytes = b"\xff\xd8 made up") -> Delivery:
        return await self._sends("image", PicUrl="http://wework.qpic.cn/x", MediaId=self.fake.keeps("photo.jpg", body))

    async def sends_voice(self, body: bytes = b"#!AMR made up") -> Delivery:
        return await self._sends("voice", MediaId=self.fake.keeps("voice.amr", body), Format="amr")

    async def sends_video(self) -> Delivery:
        return await self._sends("video", MediaId="v1", ThumbMediaId="t1")

    async def sends_place(self, latitude: float, longitude: float) -> Delivery:
        return await self._sends("location", Location_X=str(latitude), Location_Y=str(longitude), Scale="16", Label="",
                                 AppType="wxwork")

    async def presses(self, label: str, card: Received | None = None) -> Delivery:
        """Presses a button, of the newest card that has it."""
        card = card or next(each for each in reversed(self.phone) if any(label == text for text, _ in each.buttons))
        assert not card.pressed, "the card is answered, and cannot be pressed"
        key = next(key for text, key in card.buttons if text == label)
        return await self._card(card, key, "button_interaction")

    async def ticks(self, *texts: str, card: Received | None = None) -> Delivery:
        """Ticks these boxes of the newest card that has any, and submits it."""
        card = card or next(each for each in reversed(self.phone) if each.boxes)
        assert not card.pressed, "the card is answered, and cannot be submitted"
        assert card.several or len(texts) <= 1, "one of them can be ticked"
        ids = [next(key for text, key in card.boxes if text == each) for each in texts]
        return await self._card(card, card.submit[1], "vote_interaction", ids)

    async def opens(self) -> Delivery:
        return await self._event("enter_agent", EventKey="")

    async def taps_menu(self, key: str) -> Delivery:
        return await self._event("click", EventKey=key)

    async def leaves(self) -> Delivery:
        self.visible = False
        return await self._event("unsubscribe", EventKey="")

    async def _card(self, card: Received, key: str, kind: str, ids: list[str] | None = None) -> Delivery:
        items = ""
        if ids is not None:
            options = "".join(f"<OptionId><![CDATA[{each}]]></OptionId>" for each in ids)
            items = (f"<SelectedItems><SelectedItem><QuestionKey><![CDATA[choice]]></QuestionKey>"
                     f"<OptionIds>{options}</OptionIds></SelectedItem></SelectedItems>")
        return await self._event("template_card_event", items, EventKey=key, TaskId=card.task_id, CardType=kind,
                                 ResponseCode=self.fake.new_code(self, card))

    async def _sends(self, kind: str, **fields: str) -> Delivery:
        return await self.fake.delivers(self, {"MsgType": kind, **fields, "MsgId": str(self.fake.next_number())})

    async def _event(self, event: str, more: str = "", **fields: str) -> Delivery:
        return await self.fake.delivers(self, {"MsgType": "event", "Event": event, **fields}, more)


class Callbacks:
    """The platform's side of the callback URL: sealed and signed, tried three times."""

    def __init__(self, fake: FakeWeCom) -> None:
        self._fake = fake
        self.http = fake.http
        self._nonce = 0

    async def verify(self, echo: str = "12345678", **changed: str) -> httpx.Response:
        """The console's check of the URL."""
        sealed = tencent.seal(echo, self._fake.corp_id, self._fake.aes_key)
        return await self.http.get(f"{self._fake.bot_url}/wecom", params={
            **self._query(sealed), "echostr": sealed, **changed})

    async def deliver(self, member: Member, fields: dict[str, str], more: str = "") -> Delivery:
        common = {"ToUserName": self._fake.corp_id, "FromUserName": member.user_id,
                  "CreateTime": str(int(self._fake.now().timestamp())), **fields, "AgentID": str(self._fake.agent_id)}
        message = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in common.items())
        return await self.again(Delivery(f"<xml>{message}{more}</xml>"))

    async def again(self, delivery: Delivery) -> Delivery:
        """Delivers it, up to three times until the bot takes it."""
        for _ in range(TRIES):
            status = await self.post(delivery.message)
            delivery.statuses.append(status)
            if status == 200:
                break
        return delivery

    async def post(self, message: str, *, receive_id: str = "", **changed: str) -> int:
        sealed = tencent.seal(message, receive_id or self._fake.corp_id, self._fake.aes_key)
        try:
            async with asyncio.timeout(self._fake.patience):
                answer = await self.http.post(f"{self._fake.bot_url}/wecom", params={**self._query(sealed), **changed},
                                              content=tencent.envelope(sealed, self._fake.corp_id))
        except TimeoutError:
            return 0
        return answer.status_code

    def _query(self, sealed: str) -> dict[str, Any]:
        self._nonce += 1
        query = tencent.signed(self._fake.now().timestamp(), f"n{self._nonce}", sealed=sealed, token=self._fake.token)
        return {name: query[name] for name in ("msg_signature", "timestamp", "nonce")}
