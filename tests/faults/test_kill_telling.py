"""Who tells of an alert is killed in the middle of it: everybody is told on each of his channels, by one message each."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from scheduler import alerting, policy
from storage import accounts, areas, assignments, outbox, people
from storage import elders as ledger
from storage.database import Tx
from storage.elders import Standing
from storage.key_file import load_keys
from storage.opening import open_store
from storage.tables import alert_told as told_table
from storage.tables import outbox as outbox_table
from tests.faults.server import HOUSE
from tests.faults.telling import CHUNK
from tests.storage.ground import new_elder

START = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
POLICIES = policy.load()
PEOPLE = 5 * CHUNK
STANDING = Standing("general", "2026-03-01", "2026-03-31", None, None, None)


def fill(tx: Tx) -> None:
    """An elder with many visitors, each on two channels, of whom `first` is preferred; an alert that all were sent."""
    village = areas.add(tx, None, "village", "石岭村", START)
    elder = ledger.add(tx, new_elder(village), STANDING, START)
    for number in range(PEOPLE):
        visitor = people.add(tx, village.id, f"王{number}", ("visitor",), START, "grid_worker").id
        for channel in ("second", "first"):
            accounts.bind(tx, channel, f"{number}", f"{number}", visitor, START)
        people.prefer(tx, visitor, "first", START)
        assignments.entrust(tx, visitor, elder, "visitor", "2026-01-01")
    alerting.raise_alert(tx, elder, "fall", "person", None, POLICIES, START, "")


async def lines(url: str, keys: Path, now: datetime, until: str | None, count: int) -> list[str]:
    """What such a process says, killed once it has said so many lines that begin like this; None: it ends by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.telling", url, str(keys), now.isoformat(), cwd=HOUSE,
        stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    said = []
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode().strip():
            said.append(line)
            if until and sum(each.startswith(until) for each in said) == count:
                process.send_signal(signal.SIGKILL)
                break
        await process.wait()
    return said


async def test_killed_in_sending_and_in_a_sweep_everybody_is_told_on_each_channel(
    postgres_url: str, tmp_path: Path
) -> None:
    path, lease = tmp_path / "k.json", outbox.LEASE + timedelta(seconds=1)
    store = open_store(postgres_url, load_keys(path, create=True))
    await store.run(fill)
    due = START + POLICIES.city.alerts.seen_after
    first = await lines(postgres_url, path, due, "first", PEOPLE // 2)  # killed while it sends
    swept = await lines(postgres_url, path, due + lease, "chunk", 3)  # in the middle of a chunk of the sweep
    assert "done" not in first + swept
    told = await store.read(lambda tx: tx.all(select(told_table.c.person_id).where(told_table.c.channels != "first")))
    assert len(told) in (2 * CHUNK, 3 * CHUNK)  # whole chunks and no more
    last = await lines(postgres_url, path, due + 2 * lease, None, 0)
    assert last[-1] == "done"
    rows = await store.read(lambda tx: tx.all(
        select(outbox_table.c.channel, outbox_table.c.chat, outbox_table.c.state).where(
            outbox_table.c.kind == "alert_raised")))
    assert Counter((channel, chat) for channel, chat, _ in rows) == {
        (channel, f"{n}"): 1 for channel in ("first", "second") for n in range(PEOPLE)}
    assert {state for *_, state in rows} == {"sent"}
    taken = Counter(line for line in first + swept + last if line not in ("chunk", "done"))
    assert set(taken) == {f"{channel} {n}" for channel in ("first", "second") for n in range(PEOPLE)}
    assert max(taken.values()) <= 2  # what a platform took in the moment of a kill may be sent again, and no more
    store.close()
