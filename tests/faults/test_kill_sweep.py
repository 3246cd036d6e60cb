"""Two processes on one PostgreSQL do the same sweep, and one after the other is killed in the middle of a chunk."""

import asyncio
import random
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage import accounts, areas, assignments, people
from storage import elders as ledger
from storage.database import Store, Tx
from storage.elders import Standing
from storage.key_file import load_keys
from storage.opening import open_store
from storage.tables import elders, outbox
from tests.faults import sweeping
from tests.faults.server import HOUSE
from tests.storage.ground import new_elder

START = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
ELDERS, KILLS = 1200, 4
DUE = Standing("general", "2026-03-01", "2026-03-09", None, None, None, remind_on="2026-03-01")


class Sweeping:
    """One process that ticks."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, url: str, keys: Path, sweep: str, start: datetime = START) -> "Sweeping":
        return cls(await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.sweeping", url, str(keys), start.isoformat(), sweep, cwd=HOUSE,
            stdout=asyncio.subprocess.PIPE))

    async def chunks(self, count: int) -> None:
        """Waits until it has begun so many more chunks."""
        assert self._process.stdout is not None
        for _ in range(count):
            assert await self._process.stdout.readline(), "the process ended by itself"

    async def kill(self) -> None:
        """kill -9."""
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


def fill(tx: Tx) -> None:
    """Elders who are all due, each with a visitor of his own, whose chat is called after him."""
    village = areas.add(tx, None, "village", "石岭村", START)
    for elder in ledger.add_many(tx, [(new_elder(village, number=n), DUE) for n in range(ELDERS)], START):
        visitor = people.add(tx, village.id, "某", ("visitor",), START).id
        accounts.bind(tx, "test", elder, elder, visitor, START)
        assignments.entrust(tx, visitor, elder, "visitor", "2026-01-01")


async def waiting(store: Store) -> int:
    row = await store.read(lambda tx: tx.one(select(func.count()).where(elders.c.remind_on <= START.date().isoformat())))
    assert row
    return int(row[0])


async def until(store: Store, left: int) -> int:
    """Waits until so many elders are left to be told, or fewer; gives how many."""
    async with asyncio.timeout(60):
        while (found := await waiting(store)) > left:
            pass
    return found


@pytest.mark.parametrize("sweep", list(sweeping.SWEEPS))
async def test_two_that_sweep_at_once_and_are_killed_in_the_middle_tell_of_each_elder_once(
        sweep: str, postgres_url: str, tmp_path: Path) -> None:
    chance, path = random.Random(f"{sweep} 4"), tmp_path / "k.json"
    store = open_store(postgres_url, load_keys(path, create=True))
    await store.run(fill)
    pair = [await Sweeping.begin(postgres_url, path, sweep) for _ in range(2)]
    seen = []
    try:
        for _ in range(KILLS):
            # whoever of the two gets the sweep first; the other finds it taken
            begun = {asyncio.ensure_future(each.chunks(chance.randint(2, 5))): each for each in pair}
            done, rest = await asyncio.wait(begun, timeout=60, return_when=asyncio.FIRST_COMPLETED)
            victim = begun[done.pop()]
            await victim.kill()
            for each in rest:
                each.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*rest)
            seen.append(await waiting(store))
            pair = [each for each in pair if each is not victim] + [await Sweeping.begin(postgres_url, path, sweep)]
        assert await until(store, 0) == 0
    finally:
        for each in pair:
            await each.kill()
    assert seen == sorted(seen, reverse=True) and 0 < seen[-1] < seen[0] < ELDERS, seen
    rows = await store.read(lambda tx: tx.all(select(outbox.c.chat)))
    assert len(rows) == len(set(rows)) == ELDERS
    store.close()
