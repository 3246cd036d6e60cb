"""Whatever is posted to /wechat: never a 500, and nothing changes without a valid signature."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.channels.base import Answer
from bot.channels.tencent.callback import BODY_LIMIT
from bot.channels.tencent.xml import Unreadable
from bot.channels.wechat import Account, WeChat
from bot.channels.wechat_inbound import parse
from bot.channels.wechat_templates import Templates
from conversations.message import Inbound, Message
from tests.fakes import tencent

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
APP = "wx1234567890abcdef"
ELEMENT = st.sampled_from(["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content", "MsgId", "Event", "EventKey",
                           "MediaId", "Location_X", "Location_Y", "Status", "bizmsgmenuid", "Encrypt", "Ticket", "x"])
WORD = st.one_of(
    st.sampled_from(["text", "event", "image", "voice", "location", "link", "device_event", "subscribe", "SCAN", "CLICK",
                     "unsubscribe", "TEMPLATESENDJOBFINISH", "qrscene_x", "/due", "", "0", "nan", "-1", "1e999", "o1"]),
    st.text(max_size=30))
FIELDS = st.lists(st.tuples(ELEMENT, st.one_of(WORD, st.just("<a/>"), st.just("<b><c>1</c></b>"))), max_size=10)
QUERY = st.dictionaries(st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "encrypt_type", "echostr"]),
                        st.text(max_size=50), max_size=6)


async def nothing() -> None:
    """Where the answer would leave as a message of its own."""


class Nothing:
    """A store in which anything that is written is seen."""

    def __init__(self) -> None:
        self.changed = 0

    async def run(self, work: Any, key: str = "") -> Any:
        self.changed += 1


class Bot:
    """The channel with nothing behind it: what it would store is counted."""

    def __init__(self, aes_key: str) -> None:
        self.store = Nothing()
        self.taken: list[Inbound] = []
        account = Account(APP, "s", tencent.TOKEN, aes_key, "http://127.0.0.1:9")
        self.channel = WeChat(account, self.store, Templates(None, lambda source, given: ""),  # type: ignore[arg-type]
                              lambda: NOW, ZoneInfo("Asia/Shanghai"))

    async def take(self, inbound: Inbound, beside: Any) -> Answer | None:
        self.taken.append(inbound)
        return Answer([Message("好")], lambda: None, nothing)

    def ask(self, method: str, query: dict[str, str], body: bytes = b"") -> httpx.Response:
        async def asked() -> httpx.Response:
            app = Starlette(routes=self.channel.routes(self.take))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as http:
                answer = await http.request(method, "/wechat", params=query, content=body)
                await self.channel._answers.settle()
                self.channel._answers._works.clear()
                return answer
        return asyncio.run(asked())

    @property
    def changed(self) -> bool:
        return bool(self.taken or self.store.changed)


SAFE, PLAIN = tencent.AES_KEY, ""


def xml(fields: list[tuple[str, str]]) -> str:
    told = "".join(f"<{name}>{value if value.startswith('<') else f'<![CDATA[{value}]]>'}</{name}>" for name, value in fields)
    return f"<xml>{told}</xml>"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([SAFE, PLAIN]), st.sampled_from(["GET", "POST"]), QUERY, st.one_of(
    st.binary(max_size=300), FIELDS.map(lambda fields: xml(fields).encode("utf-8", "replace"))))
def test_without_a_signature_nothing_changes(key: str, method: str, query: dict[str, str], body: bytes) -> None:
    bot = Bot(key)
    assert bot.ask(method, {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}, body).status_code == 403
    assert not bot.changed


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([SAFE, PLAIN]), st.one_of(st.text(max_size=200), FIELDS.map(xml)))
def test_whatever_is_signed_is_taken_or_passed_over_and_never_a_fault(key: str, said: str) -> None:
    said = said.encode("utf-8", "replace").decode()
    bot = Bot(key)
    sealed = tencent.seal(said, APP) if key else ""
    query = tencent.signed(NOW.timestamp(), sealed=sealed)
    answer = bot.ask("POST", query, (tencent.envelope(sealed, APP) if key else said).encode())
    assert answer.status_code == 200
    if answer.text not in ("", "success"):
        assert (tencent.opened_reply(answer.text, APP) if key else tencent.parsed(answer.text))["Content"] == "好"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3))
def test_a_signed_ciphertext_that_is_broken_changes_nothing(garbage: bytes, cut: int) -> None:
    bot = Bot(SAFE)
    garbage += b"\0" * (-len(garbage) % 16)
    sealed = tencent.sealed_bytes(garbage)[cut:]
    answer = bot.ask("POST", tencent.signed(NOW.timestamp(), sealed=sealed), tencent.envelope(sealed, APP).encode())
    assert answer.status_code == 403
    assert not bot.changed


def test_a_body_beyond_all_measure_is_not_read() -> None:
    assert Bot(SAFE).ask("POST", tencent.signed(NOW.timestamp()), b"x" * (BODY_LIMIT + 1)).status_code == 413


@given(FIELDS)
def test_every_inbound_has_a_short_key_and_a_sender(fields: list[tuple[str, str]]) -> None:
    try:
        came = parse(xml([("MsgType", "event"), ("FromUserName", "o1"), *fields]), NOW)
    except Unreadable:
        return
    if came.inbound is not None:
        assert came.inbound.account == "o1" and 0 < len(came.inbound.dedupe_key) <= 200
