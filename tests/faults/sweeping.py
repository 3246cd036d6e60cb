"""A process that ticks on and on: `python -m tests.faults.sweeping URL KEYS START SWEEP`.

It writes a line for each chunk that it begins; its clock begins at START and runs with the wall's.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import bindparam, select, update

from scheduler import alerting, policy, reminders, tick
from scheduler.policy import Policies
from scheduler.tick import Sweep
from storage import outbox, ticks
from storage.database import Tx
from storage.key_file import load_keys
from storage.opening import open_store
from storage.outbox import Outgoing
from storage.tables import elders

CHUNK = 20  # elders in one unit of work
LEASE = timedelta(seconds=1)
BEAT = 0.05  # seconds
_DUE = select(elders.c.id).where(elders.c.remind_on <= bindparam("today")).order_by(elders.c.id).limit(CHUNK)
_TOLD = update(elders).where(elders.c.id == bindparam("elder")).values(remind_on=None)


def naive(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Has nothing of its own that keeps it from telling twice: no unique key, no lock, no condition."""
    found = tx.all(_DUE, today=now.date().isoformat())
    for elder, in found:
        outbox.add(tx, Outgoing(tx.new_id(now), "test", elder, "reminder", "text", {"elder": elder}), now)
        tx.run(_TOLD, elder=elder)
    return len(found) == CHUNK


SWEEPS: dict[str, Sweep] = {"naive": naive, "reminders": reminders.sweep}
LADDER: dict[str, Sweep] = {"ladder": alerting.climb}


def spoken(sweep: Sweep) -> Sweep:
    def run(tx: Tx, now: datetime, policies: Policies) -> bool:
        sys.stdout.write("chunk\n")
        sys.stdout.flush()
        return sweep(tx, now, policies)
    return run


async def main(url: str, keys: str, start: str, name: str) -> None:
    ticks.LEASE, reminders.CHUNK, alerting.CHUNK = LEASE, CHUNK, CHUNK
    store, policies = open_store(url, load_keys(Path(keys), create=False)), policy.load()
    loop = asyncio.get_running_loop()
    began, first = loop.time(), datetime.fromisoformat(start)
    while True:
        now = first + timedelta(seconds=loop.time() - began)
        await tick.tick(store, now, policies, {name: spoken((SWEEPS | LADDER)[name])})
        await asyncio.sleep(BEAT)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
