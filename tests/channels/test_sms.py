"""The gateway for text messages: what leaves, what is made of its answers, and that no number stands in the outbox."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy import select
from starlette.responses import Response

from bot.channels.base import Refused, RetryAt
from bot.channels.sms import Sms
from bot.delivery import Delivery
from bot.settings import Settings
from conversations.message import Message, Told
from scheduler import reaching, sms
from storage import alert_contacts, alert_family, alerts, tables
from storage.crypto import Keys
from storage.database import Tx
from tests.fakes.served import served
from tests.fakes.sms_gateway import TOKEN, Gateway
from tests.fakes.talk import Talk, talking

ELDER = "张桂芳3组"
CONTACTS = {"emergency_name": "李涛", "emergency_phone": "138 0000 0001", "emergency2_name": "李娜",
            "emergency2_phone": "13800000002"}
SAID = Message("【探访】您家的张某有紧急情况", told=Told("alert_texted", {}))


@pytest_asyncio.fixture
async def gateway() -> Gateway:
    return Gateway()


@pytest_asyncio.fixture
async def url(gateway: Gateway) -> AsyncIterator[str]:
    async with served(gateway.app) as address:
        yield f"{address}/send"


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        await found.file_says(ELDER, **CONTACTS)
        yield found


async def number(chat: str) -> str:
    return "138-0000-0001"


async def with_gateway(talk: Talk, url: str, *, on: bool = True) -> Delivery:
    """The village with a gateway beside its channel."""
    running = talk.running

    async def number_of(chat: str) -> str:
        return await running.store.read(lambda tx: sms.number(tx, chat))

    await running.store.run(lambda tx: sms.enable(tx, on=on))
    channels = {running.channel.name: running.channel, "sms": Sms(url, TOKEN, number_of)}
    return Delivery(running.store, channels, running.house, running.now, running._document)


async def test_who_has_no_account_is_written_to_once_with_nothing_that_a_wrong_reader_should_know(
    talk: Talk, url: str, gateway: Gateway
) -> None:
    delivery = await with_gateway(talk, url)
    alert = await talk.alarm(ELDER, "illness", words="心脏病")
    await talk.alarm(ELDER, "illness")  # reported again

    def written(tx: Tx) -> list[bytes]:
        return [tx.keys.open(fields, "outbox.fields", row) + chat.encode() for row, chat, fields in tx.all(
            select(tables.outbox.c.id, tables.outbox.c.chat, tables.outbox.c.fields))]
    assert not [row for row in await talk.running.store.read(written) if b"138" in row and b"0001" in row]
    await delivery.sweep()
    [sent] = gateway.sent.values()
    assert sent["to"] == "13800000001" and "张某" in sent["text"] and alert.called in sent["text"]
    assert not any(word in sent["text"] for word in ("张桂芳", "病", "建设村", "18号"))
    card = await talk.asked("王强", f"/claim {alert.id}")
    assert "短信发过了" in card.text and "家属还没有通知到" in card.text  # a message is no call that got through


async def test_a_daughter_who_saw_it_nowhere_is_written_to_at_the_number_in_the_file(
    talk: Talk, url: str, gateway: Gateway
) -> None:
    delivery, running = await with_gateway(talk, url), talk.running
    await talk.alarm(ELDER, "fall")
    await delivery.sweep()
    running.at += timedelta(minutes=3)
    await running.store.run(lambda tx: reaching.sweep(tx, running.now(), running.policies))
    await delivery.sweep()
    assert [sent["to"] for sent in gateway.sent.values()] == ["13800000001", "13800000002"]


@pytest.mark.parametrize("kind", ["abuse", "self_harm"])
async def test_of_what_is_kept_from_the_family_nobody_is_written_to(
    talk: Talk, url: str, gateway: Gateway, kind: str
) -> None:
    delivery = await with_gateway(talk, url)
    alert = await talk.alarm(ELDER, kind, "王强")
    await delivery.sweep()
    assert gateway.asked == 0

    def decided(tx: Tx) -> None:  # a coordinator chose one to be called by telephone
        alert_family.decide(tx, alert, "slot1", talk.running.village.people["赵敏"], talk.running.now())
        now = alerts.lock(tx, alert.id)
        sms.tell(tx, now, talk.running.now().date(), talk.running.now())
        sms.last(tx, now, talk.running.village.people["李娜"], talk.running.now())
    await talk.running.store.run(decided)
    await delivery.sweep()
    assert gateway.asked == 0


async def test_who_was_reached_meanwhile_or_after_the_end_is_not_written_to(
    talk: Talk, url: str, gateway: Gateway
) -> None:
    delivery, running = await with_gateway(talk, url), talk.running
    alert = await talk.alarm(ELDER, "fall")
    await running.store.run(lambda tx: alert_contacts.mark(
        tx, alert, "1", "reached", running.village.people["王强"], running.now()))
    await delivery.sweep()
    assert gateway.asked == 0


async def test_without_a_gateway_nothing_is_kept_for_one(talk: Talk, url: str) -> None:
    await with_gateway(talk, url, on=False)
    await talk.alarm(ELDER, "fall")
    rows = await talk.running.store.read(lambda tx: tx.all(
        select(tables.outbox.c.id).where(tables.outbox.c.channel == "sms")))
    assert rows == []


async def test_a_busy_gateway_is_tried_again_and_a_repeated_message_is_one(
    talk: Talk, url: str, gateway: Gateway
) -> None:
    delivery = await with_gateway(talk, url)
    await talk.alarm(ELDER, "fall")
    gateway.answers = [Response(status_code=503), Response(status_code=429, headers={"retry-after": "7"})]
    for _ in range(4):
        await delivery.sweep()
        talk.running.later(10)
    assert gateway.asked == 3 and len(gateway.sent) == 1


@pytest.mark.parametrize(("status", "after", "seconds"), [
    (429, "7", 7.0), (429, "", 5.0), (503, "99999", 300.0), (500, "Wed, 21 Oct", 5.0)])
async def test_429_and_5xx_are_for_later(
    url: str, gateway: Gateway, status: int, after: str, seconds: float
) -> None:
    gateway.answers = [Response(status_code=status, headers={"retry-after": after} if after else {})]
    with pytest.raises(RetryAt) as failure:
        await Sms(url, TOKEN, number).send("a:1", SAID)
    assert failure.value.seconds == seconds


async def test_what_the_gateway_refuses_and_a_number_that_is_none_are_refused(url: str, gateway: Gateway) -> None:
    async def none(chat: str) -> str:
        return "打村委会"

    with pytest.raises(Refused):
        await Sms(url, "another", number).send("a:1", SAID)
    with pytest.raises(Refused):
        await Sms(url, TOKEN, number).send("a:1", Message("no template"))
    with pytest.raises(Refused):
        await Sms(url, TOKEN, none).send("a:1", SAID)
    assert gateway.asked == 2 and not gateway.sent


async def test_a_gateway_that_is_away_is_for_later_and_its_address_stands_in_no_error() -> None:
    with pytest.raises(RetryAt) as failure:
        await Sms("http://127.0.0.1:9/send?key=secret", TOKEN, number).send("a:1", SAID)
    assert failure.value.__cause__ is None and "secret" not in str(failure.value)


@pytest.mark.parametrize("given", [
    {"sms_url": "https://sms.example"}, {"sms_token": "x"}, {"sms_url": "http://sms.example", "sms_token": "x"},
    {"sms_url": "sms.example", "sms_token": "x"}])
def test_half_a_gateway_or_an_open_one_is_refused_by_name(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"TANFANG_SMS_(URL|TOKEN)"):
        Settings(_env_file=None, **given)  # type: ignore[arg-type, call-arg]
