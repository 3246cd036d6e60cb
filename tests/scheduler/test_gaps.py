"""Whose care ends by a day: the coordinator is told once that an elder has nobody of age, and not when it is no more so."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from scheduler import gaps, policy
from scheduler.notices import LeftAlone
from storage import accounts, assignments, people, tables
from storage.database import Store, Tx
from tests.storage.ground import Ground, lay

POLICIES = policy.load()
ENDS = "2026-03-10"


def at(day: str) -> datetime:
    """Nine in the morning in Luzhou."""
    return datetime.fromisoformat(f"{day}T01:00:00").replace(tzinfo=UTC)


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    """The visitor of the elder is there until the 10th; the coordinator can be written to."""
    def work(tx: Tx) -> Ground:
        ground = lay(now)(tx)
        assignments.entrust(tx, ground.visitor, ground.elder, "visitor", "2026-01-01", ENDS)
        accounts.bind(tx, "test", "7003", "7003", ground.coordinator, now)
        return ground
    return await store.run(work)


async def told(store: Store, *days: str) -> int:
    """How many notices wait after the sweep ran on these days, twice each."""
    for day in days:
        for _ in range(2):
            assert not await store.run(lambda tx, day=day: gaps.sweep(tx, at(day), POLICIES))
    rows = await store.read(lambda tx: tx.all(select(tables.outbox.c.kind)))
    assert {kind for kind, in rows} <= {"left_alone"}
    return len(rows)


async def beside(store: Store, ground: Ground, now: datetime, minor_until: str | None) -> str:
    def work(tx: Tx) -> str:
        person = people.add(tx, ground.village.id, "小周", ("visitor",), now, "student", minor_until=minor_until)
        assignments.entrust(tx, person.id, ground.elder, "visitor", "2026-01-01")
        return person.id
    return await store.run(work)


async def test_the_coordinator_is_told_once_on_the_day_after_the_last(store: Store, ground: Ground) -> None:
    assert await told(store, "2026-03-10") == 0
    assert await told(store, "2026-03-11", "2026-03-12", "2026-03-13") == 1


async def test_days_on_which_the_clock_stood_still_are_made_up_for(store: Store, ground: Ground) -> None:
    assert await told(store, "2026-03-14") == 1


async def test_with_another_visitor_of_age_nobody_is_told(store: Store, ground: Ground, now: datetime) -> None:
    await beside(store, ground, now, None)
    assert await told(store, "2026-03-11") == 0


async def test_somebody_under_age_is_not_left_alone_with_him_unnoticed(
    store: Store, ground: Ground, now: datetime
) -> None:
    await beside(store, ground, now, "2026-12-01")
    assert await told(store, "2026-03-11") == 1
    notice = LeftAlone(person=ground.coordinator, elder=ground.elder)
    assert await store.read(lambda tx: notice.still_wanted(tx, at("2026-03-11").date()))


async def test_a_suspended_visitor_is_none(store: Store, ground: Ground, now: datetime) -> None:
    person = await beside(store, ground, now, None)
    await store.run(lambda tx: people.suspend(tx, person, ground.coordinator, now))
    assert await told(store, "2026-03-11") == 1


async def test_it_is_not_said_any_more_once_somebody_was_found(store: Store, ground: Ground, now: datetime) -> None:
    assert await told(store, "2026-03-11") == 1
    await beside(store, ground, now, None)
    notice = LeftAlone(person=ground.coordinator, elder=ground.elder)
    assert not await store.read(lambda tx: notice.still_wanted(tx, (at("2026-03-11") + timedelta(hours=1)).date()))
