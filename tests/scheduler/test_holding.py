"""Quiet hours and the daily cap: they bind reminders, where they leave, and nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from scheduler import holding, policy
from scheduler.policy import Policy
from scheduler.reminder_rules import Messages
from storage import outbox, quotas, tables
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.opening import open_store
from storage.outbox import LEASE, Lane, Outgoing
from tests.storage.ground import Ground, lay

CITY = policy.load().city
MOST = CITY.messages.most_a_day


def at(hour: str, day: str = "2026-03-02") -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}:00+08:00")


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


async def put(store: Store, person: str, *rows: str, lane: Lane = "reminder", kind: str = "caseload",
              when: datetime | None = None) -> None:
    def work(tx: Tx) -> None:
        for row in rows:
            outbox.add(tx, Outgoing(row, "t", person, lane, kind, {"person": person}), when or at("09:00"))
    await store.run(work)


async def leaving(store: Store, now: datetime, rules: Policy = CITY) -> list[str]:
    """The rows that leave now, sent one after the other."""
    gone: list[str] = []
    while rows := await store.run(lambda tx: holding.take(tx, now, rules)):
        gone += [row.id for row in rows]
        await store.run(lambda tx, rows=rows: outbox.sent(  # type: ignore[misc]
            tx, [(row.id, "m") for row in rows], now))
    return gone


async def states(store: Store) -> dict[str, tuple[str, str | None]]:
    rows = await store.read(lambda tx: tx.all(
        select(tables.outbox.c.id, tables.outbox.c.state, tables.outbox.c.reason)))
    return {row: (state, reason) for row, state, reason in rows}


@pytest.mark.parametrize(("hour", "until"), [
    ("19:59", None), ("20:00", "2026-03-03 08:00"), ("23:59", "2026-03-03 08:00"), ("00:00", "2026-03-02 08:00"),
    ("07:59", "2026-03-02 08:00"), ("08:00", None), ("12:00", None)])
def test_quiet_hours_go_over_midnight_on_the_elders_wall(hour: str, until: str | None) -> None:
    quiet = CITY.messages.quiet(at(hour).astimezone(UTC), CITY.zone)
    assert (quiet and quiet.astimezone(CITY.zone).strftime("%Y-%m-%d %H:%M")) == until


def test_the_same_hour_twice_is_never_quiet_and_hours_of_one_day_are() -> None:
    never = Messages(quiet_from="08:00", quiet_until="08:00", most_a_day=1)
    noon = Messages(quiet_from="12:00", quiet_until="14:00", most_a_day=1)
    assert never.quiet(at("08:00"), CITY.zone) is None
    assert noon.quiet(at("13:00"), CITY.zone) == at("14:00")
    assert noon.quiet(at("14:00"), CITY.zone) is None


async def test_in_quiet_hours_reminders_wait_for_the_morning_and_nothing_else_does(
    store: Store, ground: Ground
) -> None:
    await put(store, ground.visitor, "reminder", when=at("20:30"))
    await put(store, ground.visitor, "reply", lane="reply", when=at("20:30"))
    await put(store, ground.visitor, "alert", lane="alert", when=at("20:30"))
    assert await leaving(store, at("20:30")) == ["alert", "reply"]
    assert await leaving(store, at("07:59", "2026-03-03")) == []
    [held] = await store.read(lambda tx: tx.all(select(tables.outbox.c.not_before).where(
        tables.outbox.c.id == "reminder")))
    assert held[0] == at("08:00", "2026-03-03").timestamp() * 1000
    assert await leaving(store, at("08:00", "2026-03-03")) == ["reminder"]


async def test_however_many_wait_none_leaves_in_a_quiet_hour(
    store: Store, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST_HELD", 1)
    await put(store, ground.visitor, *(f"{n}" for n in range(5)), when=at("20:30"))
    assert await leaving(store, at("20:30")) == []


async def test_beyond_the_cap_a_digest_is_dropped_and_others_wait_for_the_next_morning(
    store: Store, ground: Ground
) -> None:
    first = [f"{n}" for n in range(MOST)]
    await put(store, ground.visitor, *first)
    await put(store, ground.visitor, "x-digest", kind="digest")
    await put(store, ground.visitor, "y-late")
    await put(store, ground.visitor, "z-reply", lane="reply")
    assert sorted(await leaving(store, at("09:00"))) == [*first, "z-reply"]
    assert await leaving(store, at("19:59")) == []
    found = await states(store)
    assert found["x-digest"] == ("dropped", "daily cap")
    assert found["y-late"] == ("waiting", None)
    assert await leaving(store, at("07:59", "2026-03-03")) == []
    assert await leaving(store, at("08:00", "2026-03-03")) == ["y-late"]


async def test_the_cap_is_one_persons_and_one_days(store: Store, ground: Ground) -> None:
    rows = [f"{n}" for n in range(MOST + 2)]
    await put(store, ground.visitor, *rows)
    await put(store, ground.other_visitor, "of another")
    assert sorted(await leaving(store, at("09:00"))) == [*rows[:MOST], "of another"]
    assert sorted(await leaving(store, at("08:00", "2026-03-03"))) == rows[MOST:]


async def test_two_processes_at_once_never_send_more_than_the_cap(
    store: Store, url: str, keys: Keys, ground: Ground
) -> None:
    await put(store, ground.visitor, *(f"{n:02}" for n in range(4 * MOST)))
    second = open_store(url, keys)

    async def process(mine: Store) -> list[str]:
        gone = []
        for _ in range(4 * MOST):
            gone += await leaving(mine, at("09:00"))
        return gone
    gone = [row for rows in await asyncio.gather(process(store), process(second)) for row in rows]
    second.close()
    assert len(gone) == len(set(gone)) == MOST


async def test_what_a_crash_may_have_sent_counts_again(store: Store, ground: Ground) -> None:
    await put(store, ground.visitor, *(f"{n}" for n in range(MOST)))
    [taken] = await store.run(lambda tx: holding.take(tx, at("09:00"), CITY))  # then killed: sent or not
    assert taken.id == "0"
    gone = await leaving(store, at("09:00") + LEASE)
    assert len(gone) == MOST - 1
    assert await store.read(lambda tx: quotas.used(tx, ground.visitor, at("09:00").date())) == MOST


async def test_what_did_not_leave_is_given_back(store: Store, ground: Ground) -> None:
    await put(store, ground.visitor, *(f"{n}" for n in range(MOST)))
    for minute in range(20):  # the platform is away
        now = at("09:00") + timedelta(minutes=minute)
        [row] = await store.run(lambda tx, now=now: holding.take(tx, now, CITY))  # type: ignore[misc]

        def failed(tx: Tx, row: Outgoing = row, now: datetime = now) -> None:
            outbox.retry(tx, row.id, now)
            holding.give_back(tx, row, now, CITY)
        await store.run(failed)
    assert len(await leaving(store, at("10:00"))) == MOST


async def test_a_digest_for_the_evening_holds_up_no_other_reminder_and_no_answer(store: Store, ground: Ground) -> None:
    def work(tx: Tx) -> None:
        outbox.add(tx, Outgoing("1", "t", ground.visitor, "reminder", "digest", {"person": ground.visitor}),
                   at("00:01"), not_before=at("18:00"))
    await store.run(work)
    await put(store, ground.visitor, "2")
    assert not await store.read(lambda tx: outbox.waits(tx, "t", ground.visitor))
    assert await leaving(store, at("09:00")) == ["2"]
    assert await leaving(store, at("18:00")) == ["1"]


async def test_many_reminders_beyond_the_cap_do_not_hide_who_may_be_written_to(store: Store, ground: Ground) -> None:
    """The first rows to be leased belong to somebody who has had his; the others leave all the same."""
    def work(tx: Tx) -> None:
        for n in range(120):
            outbox.add(tx, Outgoing(f"{n:03}", "t", f"c{n}", "reminder", "caseload", {"person": ground.visitor}),
                       at("09:00"))
        outbox.add(tx, Outgoing("last", "t", "d", "reminder", "caseload", {"person": ground.other_visitor}),
                   at("09:00"))
        for _ in range(MOST):
            quotas.count(tx, ground.visitor, at("09:00").date(), MOST)
    await store.run(work)
    assert await leaving(store, at("09:00")) == ["last"]
