"""Whatever arrives at WeCom's door: never a 500, and nothing is heard that the platform did not sign."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.channels.wecom import Application, WeCom
from conversations.message import Inbound
from storage.database import Store
from tests.fakes import tencent
from tests.fakes.house import ZONE

NOW = datetime(2026, 3, 2, 8, 40, tzinfo=UTC)
CORP = "ww1234567890abcdef"
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.sampled_from(("ToUserName", "FromUserName", "MsgType", "Event", "EventKey", "MsgId", "Content", "MediaId",
                         "CreateTime", "Location_X", "Location_Y", "ResponseCode", "TaskId", "SelectedItems", "AgentID"))
TEXTS = st.text(max_size=30) | st.sampled_from((
    "text", "event", "template_card_event", "click", "location", "image", "subscribe", "unsubscribe", "/due", "single",
    "T.3.=done|选好了", "T.3.1|甲", "nan", "1e999", "-1", "<SelectedItem><OptionIds><OptionId>T.3.1|甲</OptionId></OptionIds></SelectedItem>",
    "<SelectedItem/>", "<a><b/></a>", "]]>", "&bomb;"))
MESSAGES = st.lists(st.tuples(NAMES, TEXTS), max_size=9).map(
    lambda fields: "<xml>" + "".join(f"<{name}>{text}</{name}>" for name, text in fields) + "</xml>")


class _EverybodyIsKnown:
    """As much of a store as the door asks."""

    async def read(self, query: Any) -> str:
        return "chat"

    async def run(self, work: Any, key: str = "") -> None:
        return None


class Door:
    """The callback in this process, and what was heard through it."""

    def __init__(self) -> None:
        self.heard: list[Inbound] = []

    def post(self, body: bytes | str, query: dict[str, str]) -> int:
        async def handle(inbound: Inbound) -> None:
            self.heard.append(inbound)

        async def posted() -> int:
            channel = WeCom(Application(CORP, 1, "secret", tencent.TOKEN, tencent.AES_KEY), cast(Store, _EverybodyIsKnown()),
                            lambda: NOW, ZONE)
            transport = httpx.ASGITransport(Starlette(routes=channel.routes(handle)))
            async with httpx.AsyncClient(transport=transport, base_url="http://bot") as http:
                status = (await http.post("/wecom", params=query, content=body)).status_code
                echo = (await http.get("/wecom", params={**query, "echostr": str(body)[:200]})).status_code
            await channel.close()
            assert echo in (200, 403)
            return status

        return asyncio.run(posted())


def _signed(sealed: str) -> dict[str, str]:
    return tencent.signed(NOW.timestamp(), sealed=sealed)


@FEW
@given(st.binary(max_size=300) | st.text(max_size=100) | MESSAGES,
       st.dictionaries(st.sampled_from(("msg_signature", "timestamp", "nonce", "echostr")), st.text(max_size=60)))
def test_what_nobody_signed_is_refused(body: bytes | str, query: dict[str, str]) -> None:
    door = Door()
    given_body = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    assert door.post(given_body, {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}) == 403
    assert door.heard == []


@FEW
@given(MESSAGES, st.text(min_size=1, max_size=20).filter(lambda text: text != CORP))
def test_a_message_for_another_receiver_is_refused(message: str, receiver: str) -> None:
    door = Door()
    sealed = tencent.seal(message, receiver.encode("utf-8", "replace").decode())
    assert door.post(tencent.envelope(sealed, CORP), _signed(sealed)) == 403
    assert door.heard == []


@FEW
@given(st.binary(min_size=16, max_size=160).map(lambda raw: raw[:len(raw) // 16 * 16]))
def test_a_signed_ciphertext_that_holds_nothing_is_refused(raw: bytes) -> None:
    door = Door()
    sealed = tencent.sealed_bytes(raw)
    assert door.post(tencent.envelope(sealed, CORP), _signed(sealed)) == 403
    assert door.heard == []


@FEW
@given(MESSAGES | st.text(max_size=60))
def test_what_is_signed_is_heard_or_passed_over_and_never_a_fault(message: str) -> None:
    sealed = tencent.seal(message.encode("utf-8", "replace").decode(), CORP)
    door = Door()
    assert door.post(tencent.envelope(sealed, CORP), _signed(sealed)) == 200
    for inbound in door.heard:
        assert inbound.account and inbound.dedupe_key and len(inbound.dedupe_key) <= 200
        assert inbound.chat_kind == "private"
