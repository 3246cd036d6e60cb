"""Tick rows: a sweep is one process's at a time, a day's is done once, and what waits for an instant is found."""

from datetime import datetime, timedelta

from storage import outbox, requests, ticks
from storage.database import Store, Tx
from storage.ids import millis
from storage.outbox import Outgoing
from storage.tables import ticks as table
from storage.ticks import EACH_BEAT, KEPT, LEASE, TOO_FAR
from tests.storage.ground import lay

A_BIT = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)


async def take(store: Store, at: datetime, due: str = EACH_BEAT, held: int = 0) -> int:
    return await store.run(lambda tx: ticks.take(tx, "s", due, at, held))


async def done(store: Store, at: datetime, due: str = EACH_BEAT) -> None:
    await store.run(lambda tx: ticks.done(tx, "s", due, at))


async def test_while_one_holds_a_sweep_nobody_else_gets_it(store: Store, now: datetime) -> None:
    held = await take(store, now)
    assert held
    assert not await take(store, now)
    assert not await take(store, now + LEASE - A_BIT)
    assert await take(store, now + LEASE - A_BIT, held=held) > held


async def test_a_killed_holders_sweep_is_free_when_its_lease_runs_out_and_he_gets_no_further(
        store: Store, now: datetime) -> None:
    slow = await take(store, now)
    other = await take(store, now + LEASE)
    assert other > slow
    assert not await take(store, now + LEASE + A_BIT, held=slow)
    assert await take(store, now + LEASE + A_BIT, held=other)


async def test_a_sweep_of_each_beat_is_free_again_when_it_is_done(store: Store, now: datetime) -> None:
    await take(store, now)
    await done(store, now)
    assert await take(store, now + A_BIT)
    assert [(each.sweep, each.done_at) for each in await store.read(ticks.last)] == [("s", now)]


async def test_a_days_sweep_is_done_once_whatever_the_clock_does(store: Store, now: datetime) -> None:
    held = await take(store, now, "2026-03-02")
    assert await take(store, now, "2026-03-02", held)  # a second chunk
    await done(store, now, "2026-03-02")
    for at in (now, now + HOUR, now - HOUR, now + LEASE):
        assert not await take(store, at, "2026-03-02")
    assert await take(store, now, "2026-03-03")


async def test_a_lease_from_a_clock_that_was_put_back_holds_nobody_up(store: Store, now: datetime) -> None:
    await take(store, now + HOUR)
    assert HOUR > TOO_FAR
    assert await take(store, now)


async def test_rows_of_days_long_ago_are_not_kept(store: Store, now: datetime) -> None:
    for days in (0, 5, KEPT.days + 6):
        at = now + timedelta(days=days)
        await take(store, at, at.date().isoformat())
        await done(store, at, at.date().isoformat())
    left = await store.read(lambda tx: tx.all(table.select().order_by(table.c.due)))
    assert [row[1] for row in left] == [(now + timedelta(days=KEPT.days + 6)).date().isoformat()]


async def test_the_next_instant_is_the_least_of_what_waits(store: Store, now: datetime) -> None:
    def put(tx: Tx) -> None:
        for name, lane, hours in (("a", "reminder", 3), ("b", "alert", 2), ("c", "reply", 1), ("d", "reply", -1)):
            outbox.add(tx, Outgoing(name, "t", name, lane, "text", {}), now,  # type: ignore[arg-type]
                       not_before=now + hours * HOUR)
        outbox.drop(tx, "c", "gone", now)
        requests.add(tx, ground.elder, "visit", "2026-03-01", ground.visitor, now, late_at=now + 5 * HOUR)

    ground = await store.run(lay(now))
    assert await store.read(lambda tx: ticks.next_instant(tx, now)) is None
    await store.run(put)
    found, at = [], now
    while (following := await store.read(lambda tx, at=at: ticks.next_instant(tx, at))) is not None:  # type: ignore[misc]
        found.append((millis(following) - millis(now)) / 3_600_000)
        at = following
    assert found == [2, 3, 5]
