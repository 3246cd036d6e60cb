"""kill -9 at random moments while 20 people log visits: nothing acknowledged is lost, nothing is kept twice."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.fakes.telegram_api import FakeTelegram
from tests.faults.kept import all_is_there, tells_nothing_personal
from tests.faults.server import Server
from tests.faults.visitor import Visitor

PEOPLE = 20
ALIVE = 0.6  # a process lives so many seconds at most after it was first heard of
YOUNG = 0.2  # share of the kills that come before a process is heard of


@pytest.mark.parametrize(("mode", "kills"), [("polling", 40), ("webhook", 10)])
async def test_nothing_acknowledged_is_lost_and_nothing_kept_twice(mode: str, kills: int, tmp_path: Path) -> None:
    chance = random.Random(f"{mode} 20")
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, mode) as server:
        members = await server.village(PEOPLE)
        visitors = [Visitor(fake, fake.person(880_000_100 + n, "某")) for n in range(PEOPLE)]
        enough = asyncio.Event()

        async def works(visitor: Visitor, token: str) -> None:
            await visitor.begins(token)
            await visitor.logs_visits(enough, least=1)

        async with asyncio.TaskGroup() as group:
            for visitor, member in zip(visitors, members, strict=True):
                group.create_task(works(visitor, member.token))
            for _ in range(kills):
                heard = len(fake.calls)
                await server.start()
                if chance.random() < YOUNG:
                    await server.lives(chance.uniform(0.0, 1.0))
                else:
                    await _heard_of(fake, server, heard)
                    await server.lives(chance.uniform(0.0, ALIVE))
                await server.kill()
            await server.start()
            enough.set()
        code, _ = await server.stop()
        assert code == 0
        confirmed = {str(update["update_id"]) for update in fake.updates} - {str(number) for number in fake.pending}
        await server.asks(lambda tx: all_is_there(tx, visitors, [m.person_id for m in members], confirmed))
        tells_nothing_personal(server.said(), visitors)


async def _heard_of(fake: FakeTelegram, server: Server, before: int) -> None:
    """Waits until the new process has called Telegram."""
    async with asyncio.timeout(20):
        while len(fake.calls) == before:
            await server.lives(0.01)
