"""The same thing delivered several times, or done twice, counts once."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from storage.database import Tx
from storage.tables import inbox, outbox, visits
from tests.fakes.telegram_api import FakeTelegram
from tests.fakes.telegram_people import Person
from tests.faults.server import SECRET, Server
from tests.faults.visitor import Visitor

HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


def counts(tx: Tx) -> tuple[int, int, int]:
    """How many inbound things, messages sent or to be sent, and visits there are."""
    (things,), (messages,), (kept,) = (
        tx.all(select(func.count()).select_from(table))[0] for table in (inbox, outbox, visits))
    return things, messages, kept


async def at_review(visitor: Visitor, token: str) -> None:
    """Brings a visitor to where only 提交 is left."""
    await visitor.begins(token)
    while "请核对" not in (shown := await visitor.next()).text:
        await visitor.reacts(shown)


def tap_of(fake: FakeTelegram, person: Person, label: str) -> dict[str, Any]:
    """A tap as an update with an id of its own, for the test to post by itself."""
    message, button = person.private.newest(label)
    return {"update_id": 900_000_000 + len(fake.taps), "callback_query": {
        "id": fake.new_tap(), "from": person.about(), "message": fake.as_json(person.private, message),
        "chat_instance": "1", "data": button["callback_data"]}}


async def test_a_webhook_delivered_four_times_at_once_beside_others_is_one_turn_with_one_answer(
        tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "webhook") as server:
        members = await server.village(5)
        visitors = [Visitor(fake, fake.person(1000 + n, "某")) for n in range(5)]
        await server.start()
        await asyncio.gather(*(at_review(v, m.token) for v, m in zip(visitors, members, strict=True)))
        before = await server.asks(counts)
        taps = [tap_of(fake, visitor.person, "提交") for visitor in visitors]
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = await asyncio.gather(*(
                client.post(f"{server.url}/telegram/webhook", json=tap, headers=HEADERS)
                for _ in range(4) for tap in taps))
        assert {answer.status_code for answer in answers} == {200}
        for visitor in visitors:
            await visitor.person.sees("第 1 次探访")
        await server.stop()
        assert await server.asks(counts) == (before[0] + 5, before[1] + 5, before[2] + 5)
        for visitor in visitors:
            assert sum("已记下" in message.text for message in visitor.person.chat) == 1


async def test_two_taps_on_submit_at_once_keep_one_visit_and_the_second_is_told_so(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "webhook") as server:
        [member] = await server.village(1)
        visitor = Visitor(fake, fake.person(1000, "某"))
        await server.start()
        await at_review(visitor, member.token)
        taps = [tap_of(fake, visitor.person, "提交") for _ in range(2)]
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = await asyncio.gather(*(
                client.post(f"{server.url}/telegram/webhook", json=tap, headers=HEADERS) for tap in taps))
        assert [answer.status_code for answer in answers] == [200, 200]
        await visitor.person.sees("已记下")
        await visitor.person.sees("这次探访已经提交过了，是第 1 次")
        await server.stop()
        assert (await server.asks(counts))[2] == 1


async def test_two_taps_on_submit_by_polling_keep_one_visit(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        [member] = await server.village(1)
        visitor = Visitor(fake, fake.person(1000, "某"))
        await server.start()
        await at_review(visitor, member.token)
        await asyncio.gather(*(visitor.person.taps("提交") for _ in range(2)))
        await visitor.person.sees("这次探访已经提交过了，是第 1 次")
        await visitor.person.sees("已记下")
        await server.stop()
        assert (await server.asks(counts))[2] == 1
