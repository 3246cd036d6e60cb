"""The ledger of alerts: numbered one after the other, taken over by one person, ended once and by a person."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from storage import alerts, assignments, people
from storage.alerts import Alert
from storage.database import Store, Tx
from storage.ids import millis
from storage.scope import Scope
from storage.tables import alerts as kept
from tests.storage.ground import DAY, Ground, lay
from tests.storage.test_plans import plan


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


def opened(tx: Tx, ground: Ground, now: datetime, *, elder: str | None = "", words: str = "") -> Alert:
    return alerts.add(tx, ground.elder if elder == "" else elder, ground.village.id, "help", "person", ground.visitor,
                      words, now, now + timedelta(minutes=3))


async def test_alerts_opened_at_once_have_numbers_of_their_own(store: Store, ground: Ground, now: datetime) -> None:
    made = await asyncio.gather(*(store.run(lambda tx: opened(tx, ground, now)) for _ in range(8)))
    assert sorted(alert.number for alert in made) == list(range(1, 9))
    assert made[0].called == f"A-{made[0].number:04d}"


async def test_of_several_who_press_one_takes_it_over(store: Store, ground: Ground, now: datetime) -> None:
    alert = await store.run(lambda tx: opened(tx, ground, now))
    people_ = (ground.visitor, ground.coordinator, ground.other_visitor)
    won = await asyncio.gather(*(store.run(lambda tx, who=who: alerts.claim(tx, alert, who, now)) for who in people_))
    assert sorted(won) == [False, False, True]
    kept = await store.read(lambda tx: alerts.unscoped(tx, alert.id))
    assert kept is not None and kept.state == "claimed" and kept.claimed_by == people_[won.index(True)]


async def test_only_who_went_arrives_and_what_nobody_took_over_is_not_closed(
    store: Store, ground: Ground, now: datetime
) -> None:
    alert = await store.run(lambda tx: opened(tx, ground, now))
    assert not await store.run(lambda tx: alerts.end(tx, alert, "closed", ground.visitor, {"found": "没事"}, now))
    assert not await store.run(lambda tx: alerts.arrive(tx, alert, ground.visitor, now))
    await store.run(lambda tx: alerts.claim(tx, alert, ground.visitor, now))
    assert not await store.run(lambda tx: alerts.arrive(tx, alert, ground.coordinator, now))
    assert await store.run(lambda tx: alerts.arrive(tx, alert, ground.visitor, now))
    assert not await store.run(lambda tx: alerts.arrive(tx, alert, ground.visitor, now))


async def test_an_alert_ends_once_and_nobody_takes_over_what_ended(store: Store, ground: Ground, now: datetime) -> None:
    alert = await store.run(lambda tx: opened(tx, ground, now, words="摔了一跤"))
    ended = await asyncio.gather(*(store.run(lambda tx, n=n: alerts.end(
        tx, alert, "false_alarm", ground.coordinator, {"reason": f"{n}"}, now)) for n in range(4)))
    assert sorted(ended) == [False, False, False, True]
    assert not await store.run(lambda tx: alerts.claim(tx, alert, ground.visitor, now))
    kept = await store.read(lambda tx: alerts.find(tx, ground.scope, alert.id))
    assert kept is not None and not kept.running
    assert (kept.words, kept.outcome, kept.closed_by) == (
        "摔了一跤", {"reason": str(ended.index(True))}, ground.coordinator)


async def test_an_alert_is_seen_by_who_cares_for_the_elder_and_who_coordinates(
    store: Store, ground: Ground, now: datetime
) -> None:
    alert = await store.run(lambda tx: opened(tx, ground, now))
    nobody = await store.run(lambda tx: opened(tx, ground, now, elder=None))

    def seen(tx: Tx) -> list[list[str]]:
        return [[each.id for each in (alert, nobody) if alerts.find(tx, Scope(who, DAY), each.id)]
                for who in (ground.visitor, ground.other_visitor, ground.coordinator)]

    assert await store.read(seen) == [[alert.id, nobody.id], [], [alert.id, nobody.id]]  # whose nobody is, who raised it
    total, page = await store.read(lambda tx: alerts.running(tx, ground.scope, 1))
    assert total == 2 and [each.id for each in page] == [alert.id]
    assert await store.read(lambda tx: alerts.running(tx, Scope(ground.other_visitor, DAY), 9)) == (0, [])


async def test_who_visits_and_is_family_too_hears_of_no_secret_one_and_who_raised_one_of_anothers_elder_sees_it_no_more(
    store: Store, ground: Ground, now: datetime
) -> None:
    def raised(tx: Tx, kind: str, by: str, elder: str) -> str:
        return alerts.add(tx, elder, ground.village.id, kind, "person", by, "", now, now).id

    def seen(tx: Tx, who: str, *alerts_: str) -> list[bool]:
        return [alerts.find(tx, Scope(who, DAY), each) is not None for each in alerts_]

    def work(tx: Tx) -> None:
        both = [raised(tx, kind, ground.coordinator, ground.elder) for kind in ("fall", "abuse")]
        assert seen(tx, ground.visitor, *both) == [True, True]
        assignments.entrust(tx, ground.visitor, ground.elder, "family", "2026-01-01")
        assert seen(tx, ground.visitor, *both) == [True, False]
        his = raised(tx, "fall", ground.other_visitor, ground.elder)
        assert seen(tx, ground.other_visitor, his) == [False]
        assignments.entrust(tx, ground.other_visitor, ground.elder, "cadre", "2026-01-01")
        assert seen(tx, ground.other_visitor, his) == [True]
    await store.run(work)


async def test_the_running_alert_of_an_elder_is_found_and_an_ended_or_old_one_is_not(
    store: Store, ground: Ground, now: datetime
) -> None:
    alert = await store.run(lambda tx: opened(tx, ground, now))

    async def found(since: datetime) -> Alert | None:
        return await store.read(lambda tx: alerts.running_of(tx, ground.elder, since))

    assert (same := await found(now)) is not None and same.id == alert.id
    assert await found(now + timedelta(milliseconds=1)) is None
    assert await store.read(lambda tx: alerts.running_of(tx, ground.other_elder)) is None
    await store.run(lambda tx: alerts.end(tx, alert, "false_alarm", ground.visitor, {"reason": "x"}, now))
    assert await found(now) is None


async def test_around_an_elder_are_those_active_who_care_today(
    store: Store, ground: Ground, now: datetime
) -> None:
    def care(tx: Tx) -> str:
        child = people.add(tx, ground.village.id, "李娜", ("family",), now).id
        gone = people.add(tx, ground.village.id, "吴兵", ("visitor",), now).id
        assignments.entrust(tx, child, ground.elder, "family", "2026-01-01")
        assignments.entrust(tx, gone, ground.elder, "visitor", "2026-01-01", "2026-03-01")
        return child

    child = await store.run(care)

    async def around(day: date) -> set[tuple[str, str]]:
        found = await store.read(lambda tx: alerts.around(tx, ground.elder, day.isoformat()))
        return {(each.person_id, each.role) for each in found}

    assert await around(DAY) == {(ground.visitor, "visitor"), (child, "family")}
    assert len(await around(DAY - timedelta(days=1))) == 3
    await store.run(lambda tx: people.suspend(tx, child, "operator", now))
    assert (child, "family") not in await around(DAY)


async def test_the_clock_finds_what_is_due_without_reading_what_has_ended(
    store: Store, ground: Ground, now: datetime
) -> None:
    def many(tx: Tx) -> tuple[Alert, Alert]:
        done = opened(tx, ground, now)
        alerts.end(tx, done, "false_alarm", ground.visitor, {"reason": "x"}, now)
        [row] = tx.all(select(kept).where(kept.c.id == done.id))
        tx.many(insert(kept), [{**dict(zip(kept.c.keys(), row, strict=True)), "id": tx.new_id(now), "number": n}
                               for n in range(10, 2010)])
        taken = opened(tx, ground, now)
        assert alerts.claim(tx, taken, ground.visitor, now)
        assert alerts.climbed(tx, alerts.lock(tx, taken.id), 0, now, now + timedelta(minutes=30), now)
        return opened(tx, ground, now), opened(tx, ground, now + timedelta(seconds=1))

    first, second = await store.run(many)
    at = now + timedelta(minutes=3)
    assert [each.id for each in await store.read(lambda tx: alerts.due(tx, at, 9))] == [first.id]
    lines = await store.run(plan(alerts._DUE, {"at": millis(at), "count": 9}))
    assert any("alerts_next" in line for line in lines), lines

    async def climbed(alert: Alert) -> bool:
        return await store.run(lambda tx: alerts.climbed(tx, alert, 1, alert.rungs_from, None, at))
    assert await climbed(first)
    assert not await climbed(first)  # as it was read it stands no more
    assert await store.run(lambda tx: alerts.claim(tx, second, ground.visitor, now))
    assert not await climbed(second)
    assert [each.id for each in await store.read(lambda tx: alerts.due(tx, at, 9))] == [second.id]
