"""The clock is killed while alerts climb, at each rung: of each alert everybody is told of each rung once."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from scheduler import alerting, policy
from storage import accounts, areas, assignments, people
from storage import elders as ledger
from storage.database import Tx
from storage.elders import Standing
from storage.key_file import load_keys
from storage.opening import open_store
from storage.tables import alerts, outbox
from tests.faults.test_kill_sweep import Sweeping
from tests.storage.ground import new_elder

RAISED = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)  # nine in the morning
ALERTS = 60
RUNGS = (3, 30)  # minutes of the default's day
STANDING = Standing("general", "2026-03-01", "2026-03-31", None, None, None)


def fill(tx: Tx) -> None:
    """Alerts, each of an elder with a visitor of his own, whose chat is called after him; nobody takes one over."""
    policies, town = policy.load(), areas.add(tx, None, "township", "云溪镇", RAISED)
    village = areas.add(tx, town, "village", "石岭村", RAISED)
    for role, area in (("village", village), ("township", town)):
        person = people.add(tx, area.id, role, (role,), RAISED).id
        accounts.bind(tx, "test", role, role, person, RAISED)
    for n in range(ALERTS):
        elder = ledger.add(tx, new_elder(village, number=n), STANDING, RAISED)
        visitor = people.add(tx, village.id, "某", ("visitor",), RAISED, "grid_worker").id
        accounts.bind(tx, "test", elder, elder, visitor, RAISED)
        assignments.entrust(tx, visitor, elder, "visitor", "2026-01-01")
        alerting.raise_alert(tx, elder, "help", "device", None, policies, RAISED)


async def test_killed_at_any_rung_each_alert_climbs_each_once(postgres_url: str, tmp_path: Path) -> None:
    chance, path = random.Random("ladder 5"), tmp_path / "k.json"
    store = open_store(postgres_url, load_keys(path, create=True))
    await store.run(fill)
    for rung, minutes in enumerate(RUNGS, 1):
        start, left = RAISED + timedelta(minutes=minutes), ALERTS
        while left:  # killed in the middle of a chunk, and begun again, until all have climbed this rung
            clock = await Sweeping.begin(postgres_url, path, "ladder", start)
            try:
                await clock.chunks(chance.randint(2, 3))
            finally:
                await clock.kill()
            row = await store.read(lambda tx, rung=rung: tx.one(  # type: ignore[misc]
                select(func.count()).where(alerts.c.rung < rung)))
            assert row and row[0] <= left
            left = row[0]
    rows = await store.read(lambda tx: [chat for chat, in tx.all(select(outbox.c.chat))])
    told = Counter(rows)
    # each rung tells those near once more, and the township; there is nobody above it, so the last tells it once
    assert told.pop("village") == ALERTS * (1 + len(RUNGS)) and told.pop("township") == ALERTS * len(RUNGS)
    assert set(told.values()) == {1 + len(RUNGS)} and len(told) == ALERTS
    store.close()
