"""The database or Telegram is away for a while, or the server is told to stop: nothing is lost, nothing comes twice."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import orjson
import pytest

from storage import outbox
from tests.fakes.telegram_api import FakeTelegram
from tests.faults.kept import all_is_there, tells_nothing_personal
from tests.faults.server import Server
from tests.faults.test_hostile import message_of
from tests.faults.visitor import Visitor


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Another process holds the database's write lock."""
    with closing(sqlite3.connect(server.folder / "data" / "tanfang.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_a_locked_database_refuses_the_webhook_and_takes_the_update_when_it_is_free(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "webhook") as server:
        [member] = await server.village(1)
        visitor = Visitor(fake, fake.person(1000, "某"))
        await server.start()
        await visitor.begins(member.token)
        body = orjson.dumps(message_of(visitor.person, "/my", 5))
        with locked(server):
            status, ready = await asyncio.gather(server.post(body), server.gets("/readyz"))
            assert (status, ready[0]) == (503, 503)
            assert (await server.gets("/healthz"))[0] == 200
        assert await server.post(body) == 200
        await visitor.person.sees("我的老人，共 3 位")
        assert (await server.gets("/readyz"))[0] == 200
        await visitor.logs_visit()


async def test_a_locked_database_confirms_no_polled_update_and_keeps_them_all_when_it_is_free(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        members = await server.village(3)
        visitors = [Visitor(fake, fake.person(880_000_100 + n, "某")) for n in range(3)]
        await server.start()
        await asyncio.gather(*(v.begins(m.token) for v, m in zip(visitors, members, strict=True)))
        polls = len(fake.called("getUpdates"))
        with locked(server):
            for visitor in visitors:
                await visitor.reacts(await visitor.next())
            await fake.hears("getUpdates", times=polls + 1, timeout=30)
            assert {update["update_id"] for update in fake.updates[-3:]} <= set(fake.pending)
        for visitor in visitors:
            await visitor.logs_visit()
        await server.stop()
        confirmed = {str(update["update_id"]) for update in fake.updates}
        await server.asks(lambda tx: all_is_there(tx, visitors, [m.person_id for m in members], confirmed))


async def test_what_telegram_did_not_take_goes_out_later_in_order_and_once(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        [member] = await server.village(1)
        visitor = Visitor(fake, fake.person(1000, "某"))
        await server.start()
        await visitor.begins(member.token)
        fake.refuse(500, "Internal Server Error", method="sendMessage")
        fake.flood(1, times=2, method="sendMessage")
        for text in ("/my", "/template", "/help", "/drafts", "/start"):
            await visitor.person.says(text)
        await visitor.person.sees("今天要做什么", timeout=30)
        said = [message.text for message in visitor.person.chat if message.by_bot][1:]
        assert len(said) == 5
        for text, part in zip(said, ("我的老人", "没信号时", "可以这样用", "没有没填完的", "今天要做什么"), strict=True):
            assert part in text
        await server.stop()
        assert (await server.asks(outbox.depth)).keys() <= {"reminder"}


async def test_what_waits_for_telegram_stays_in_order_through_a_kill(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        [member] = await server.village(1)
        visitor = Visitor(fake, fake.person(1000, "某"))
        await server.start()
        await visitor.begins(member.token)
        fake.flood(3, method="sendMessage")
        await visitor.person.says("/my")
        await fake.hears("sendMessage", times=2)
        await visitor.person.says("/help")
        while fake.pending:
            await server.lives(0.02)
        await server.kill()
        await server.start()
        await visitor.person.says("/template")
        await visitor.person.sees("复制下面这段", timeout=20)
        said = [message.text for message in visitor.person.chat if message.by_bot][1:]
        assert [part for text in said for part in ("我的老人，", "可以这样用", "没信号时，") if text.startswith(part)] == [
            "我的老人，", "可以这样用", "没信号时，"]


async def test_the_webhook_is_set_in_the_end_where_telegram_refused_it_at_first(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "webhook") as server:
        [member] = await server.village(1)
        fake.flood(1, method="setWebhook")
        visitor = Visitor(fake, fake.person(1000, "某"))
        await server.start()
        await visitor.begins(member.token)


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_a_stop_in_the_middle_of_work_takes_under_five_seconds_and_loses_nothing(
        mode: str, tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, mode) as server:
        members = await server.village(10)
        visitors = [Visitor(fake, fake.person(880_000_100 + n, "某")) for n in range(10)]
        await server.start()
        await asyncio.gather(*(v.begins(m.token) for v, m in zip(visitors, members, strict=True)))
        enough = asyncio.Event()
        work = asyncio.gather(*(visitor.logs_visits(enough, least=1) for visitor in visitors))
        await fake.hears("editMessageText", times=30, timeout=20)
        code, seconds = await server.stop()
        assert (code, seconds < 5) == (0, True), seconds
        await server.start()
        enough.set()
        await work
        await server.stop()
        confirmed = {str(update["update_id"]) for update in fake.updates} - {str(number) for number in fake.pending}
        await server.asks(lambda tx: all_is_there(tx, visitors, [m.person_id for m in members], confirmed))
        tells_nothing_personal(server.said(), visitors)


async def test_a_telegram_that_never_answers_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    host, port = silent.sockets[0].getsockname()
    async with Server(tmp_path, f"http://{host}:{port}", "1:token") as server:
        await server.start()
        await server.ready()
        code, seconds = await server.stop()
    silent.close()
    assert (code, seconds < 5) == (0, True), seconds
