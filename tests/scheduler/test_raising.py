"""紧急: kept with the first tap, told once, whatever is said of it and when; of what is secret no family hears."""

import asyncio
import threading
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select

from scheduler import alerting, policy, raising
from storage import alert_media, alerts, elders, people
from storage import tables as kept
from storage.alerts import Alert
from storage.database import Store, Tx
from storage.elders import Elder
from storage.scope import SECRET, SOS, UNSAID, Scope
from tests.scheduler.test_alerting import Village, sent, settle
from tests.storage.ground import DAY

POLICIES = policy.load()
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: settle(tx, now))


def elder(tx: Tx, village: Village) -> Elder:
    found = elders.unscoped(tx, village.ground.elder)
    assert found
    return found


async def pressed(store: Store, village: Village, at: datetime, by: str = "visitor", *, known: bool = True) -> Alert:
    return await store.run(lambda tx: raising.press(
        tx, village.people[by], elder(tx, village) if known else None, village.ground.village.id, "", POLICIES, at))


async def said(store: Store, alert: Alert, kind: str, at: datetime) -> Alert | None:
    def work(tx: Tx) -> Alert | None:
        now = alerts.unscoped(tx, alert.id)
        return raising.say_what(tx, now, kind, POLICIES, at) if now else None
    return await store.run(work)


async def told(store: Store, village: Village, at: datetime) -> list[str]:
    return village.names([fields["person"] for kind, fields in await sent(store, at) if kind == "alert_raised"])


async def swept(store: Store, at: datetime) -> None:
    assert not await store.run(lambda tx: alerting.climb(tx, at, POLICIES))


async def every(store: Store) -> list[Alert]:
    return await store.read(lambda tx: [found for each, in tx.all(select(kept.alerts.c.id).order_by(
        kept.alerts.c.number)) if (found := alerts.unscoped(tx, each))])


async def test_nobody_is_told_before_it_is_said_what_it_is_and_everybody_then(
    store: Store, village: Village, now: datetime
) -> None:
    alert = await pressed(store, village, now)
    assert alert.kind == UNSAID and await told(store, village, now) == []
    assert await said(store, alert, "fall", now)
    assert await told(store, village, now) == ["child", "first", "grid", "village"]
    assert await said(store, alert, "fire", now) is None
    await swept(store, now + MINUTE)
    assert await told(store, village, now + MINUTE) == []


async def test_without_more_it_goes_out_after_the_policy_s_seconds_exactly_once(
    store: Store, village: Village, now: datetime
) -> None:
    await pressed(store, village, now)
    await swept(store, now + timedelta(seconds=59))
    assert await told(store, village, now + MINUTE) == []
    for late in (60, 61, 3600):  # the second and third: a sweep again, a machine that stood still
        await swept(store, now + timedelta(seconds=60))
        at = now + timedelta(seconds=late)
        assert await told(store, village, at) == (["first", "grid", "village"] if late == 60 else [])
    assert [each.kind for each in await every(store)] == [SOS]
    await swept(store, now + 3 * MINUTE)  # counted from the first tap
    assert await told(store, village, now + 3 * MINUTE) == ["first", "grid", "township", "village"]


async def test_what_is_said_at_the_moment_at_which_the_clock_sends_it_out_is_not_lost(
    store: Store, village: Village, now: datetime
) -> None:
    alert = await pressed(store, village, now)
    await swept(store, now + MINUTE)  # since it was read
    said_now = await store.run(lambda tx: raising.say_what(tx, alert, "fire", POLICIES, now + MINUTE))
    assert said_now and said_now.kind == "fire"
    await sent(store, now + MINUTE)
    second = await pressed(store, village, now + MINUTE, "grid")
    await swept(store, now + 2 * MINUTE)  # it became a further report of the first
    said_now = await store.run(lambda tx: raising.say_what(tx, second, "illness", POLICIES, now + 2 * MINUTE))
    assert said_now and said_now.id == alert.id
    assert not await store.run(lambda tx: alerts.say_more(tx, second, "x"))  # nor is anything added to what is gone


async def test_pressed_again_before_it_went_out_it_is_the_same(store: Store, village: Village, now: datetime) -> None:
    made = [await pressed(store, village, now + n * timedelta(seconds=5), known=n > 0) for n in range(3)]
    assert {each.id for each in made} == {made[0].id}
    other = await pressed(store, village, now, "grid")
    assert other.id != made[0].id


async def test_what_two_report_on_one_elder_is_one_alert(store: Store, village: Village, now: datetime) -> None:
    one, two = await asyncio.gather(pressed(store, village, now), pressed(store, village, now, "child"))
    first, second = await asyncio.gather(said(store, one, "fall", now), said(store, two, "fall", now))
    assert first and second and first.id == second.id
    assert len(await every(store)) == 1


@pytest.mark.parametrize("kind", SECRET)
async def test_of_what_is_secret_neither_family_nor_a_contact_who_may_be_of_it_hears(
    store: Store, village: Village, now: datetime, kind: str
) -> None:
    alert = await pressed(store, village, now)
    assert await said(store, alert, kind, now)
    assert await told(store, village, now) == ["grid", "village"]

    def sees(tx: Tx) -> list[str]:
        return [name for name, person in village.people.items() if alerts.find(tx, Scope(person, DAY), alert.id)]
    assert sorted(await store.read(sees)) == sorted(["grid", "visitor", "village", "township", "young", "courier"])
    mine = await pressed(store, village, now, "child")  # what family reports is not put together with it
    again = await said(store, mine, "missing", now)
    assert again and again.id == mine.id
    secret_too = await pressed(store, village, now, "grid")
    assert (joined := await said(store, secret_too, kind, now)) and joined.id == alert.id


async def test_who_goes_before_it_went_out_keeps_nobody_from_hearing_of_it(
    store: Store, village: Village, now: datetime
) -> None:
    alert = await pressed(store, village, now)
    assert await store.run(lambda tx: alerting.claim(tx, alert, village.people["village"], POLICIES, now))
    assert await told(store, village, now) == ["first", "grid", "village"]
    assert [(each.kind, each.state) for each in await every(store)] == [(SOS, "claimed")]


async def test_who_goes_to_what_is_a_second_report_goes_to_the_alert_that_runs(
    store: Store, village: Village, now: datetime
) -> None:
    first = await pressed(store, village, now)
    await said(store, first, "fall", now)
    second = await pressed(store, village, now, "child")
    went = await store.run(lambda tx: alerting.claim(tx, second, village.people["village"], POLICIES, now))
    assert went and went.id == first.id
    assert [(each.id, each.state) for each in await every(store)] == [(first.id, "claimed")]


async def test_said_late_of_whom_it_is_those_near_are_told_then(store: Store, village: Village, now: datetime) -> None:
    alert = await pressed(store, village, now, known=False)
    await swept(store, now + MINUTE)
    assert await told(store, village, now + MINUTE) == ["grid", "village"]

    def whom(tx: Tx) -> bool:
        known = alerts.unscoped(tx, alert.id)
        assert known
        return raising.say_whom(tx, known, elder(tx, village), known.area_id, POLICIES, now + MINUTE)
    assert await store.run(whom)
    assert not await store.run(whom)  # it is somebody's now
    assert await told(store, village, now + MINUTE) == ["first"]
    assert await said(store, alert, "fall", now + 2 * MINUTE)
    assert await told(store, village, now + 2 * MINUTE) == ["child"]


async def test_of_who_is_on_no_list_the_visitors_of_the_village_hear_and_may_go_but_of_nothing_secret(
    store: Store, village: Village, now: datetime
) -> None:
    await said(store, await pressed(store, village, now, "child", known=False), "fall", now)
    assert await told(store, village, now) == ["grid", "village", "visitor"]
    alert, = await every(store)

    def seen(tx: Tx) -> list[str]:
        return village.names([each for each in village.people.values() if alerts.find(tx, Scope(each, DAY), alert.id)])
    assert await store.read(seen) == ["child", "courier", "grid", "township", "village", "visitor", "young"]
    assert await store.run(lambda tx: alerting.may_go(tx, village.people["grid"], alert, POLICIES, DAY))
    assert not await store.run(lambda tx: alerting.may_go(tx, village.people["courier"], alert, POLICIES, DAY))
    assert await store.run(lambda tx: alerting.claim(tx, alert, village.people["grid"], POLICIES, now))
    await sent(store, now)
    await said(store, await pressed(store, village, now, "child", known=False), "abuse", now)
    assert await told(store, village, now) == ["village"]
    alert = (await every(store))[1]
    assert await store.read(seen) == ["child", "township", "village"]


async def test_said_late_in_which_village_it_is_those_there_are_told_then(
    store: Store, village: Village, now: datetime
) -> None:
    def elsewhere(tx: Tx) -> Alert:
        return raising.press(tx, village.people["township"], None, village.ground.township.id, "", POLICIES, now)
    await said(store, await store.run(elsewhere), "fall", now)
    assert await told(store, village, now) == ["township"]  # nobody goes there: those above, and he is one of them
    alert, = await every(store)
    assert await store.run(lambda tx: raising.say_whom(tx, alert, None, village.ground.village.id, POLICIES, now))
    assert await told(store, village, now) == ["grid", "village", "visitor"]


async def test_where_only_he_who_pressed_is_reached_those_above_are_told_at_once(store: Store, now: datetime) -> None:
    def alone(tx: Tx) -> Village:
        village = settle(tx, now)
        for name in ("grid", "first", "village", "child"):
            people.suspend(tx, village.people[name], "operator", now)
        return village
    village = await store.run(alone)
    alert = await pressed(store, village, now)
    assert await said(store, alert, "fall", now)
    assert await told(store, village, now) == ["township"]


@pytest.mark.parametrize("seed", range(4))
async def test_in_whatever_order_things_are_pressed_what_runs_is_known_to_somebody(
    store: Store, village: Village, now: datetime, seed: int
) -> None:
    chance, at = Random(seed), now
    for _ in range(60):
        at += timedelta(seconds=chance.randint(1, 40))
        running = [each for each in await every(store) if each.running]
        match chance.choice(("press", "say", "whom", "claim", "end", "sweep")):
            case "press":
                who = chance.choice(("visitor", "grid", "child", "first"))
                await pressed(store, village, at, who, known=chance.random() < 0.6)
            case "say" if running:
                await said(store, chance.choice(running), chance.choice(("fall", "abuse", "gas")), at)
            case "whom" if running:
                one = chance.choice(running)
                await store.run(lambda tx, one=one, at=at: raising.say_whom(
                    tx, one, elder(tx, village), one.area_id, POLICIES, at))
            case "claim" if running:
                one, who = chance.choice(running), village.people[chance.choice(("grid", "village"))]
                await store.run(lambda tx, one=one, who=who, at=at: alerting.claim(tx, one, who, POLICIES, at))
            case "end" if running:
                one = chance.choice(running)
                await store.run(lambda tx, one=one, at=at: alerting.end(
                    tx, one, village.people["village"], {"reason": "没事"}, POLICIES, at))
            case _:
                await swept(store, at)
    await swept(store, at + MINUTE)
    rows = await store.read(lambda tx: list(tx.all(select(kept.outbox.c.unique_key))))
    keys = {key for key, in rows if key}
    for each in await every(store):
        assert not (each.running and each.kind == UNSAID)
        if each.running:
            assert any(key.startswith(f"alert:{each.id}:") for key in keys)


async def test_what_is_said_while_the_clock_sends_it_out_takes_no_photo_elsewhere(
    postgres_store: Store, now: datetime
) -> None:
    """Of what is secret the family would see it on the alert that runs beside."""
    store = postgres_store
    village = await store.run(lambda tx: settle(tx, now))
    await said(store, await pressed(store, village, now, "grid"), "fall", now)
    alert = await pressed(store, village, now)
    await store.run(lambda tx: alert_media.add(tx, alert, "place", village.people["visitor"], now, place="29.1,105.4"))
    read, sent_out = threading.Event(), threading.Event()

    def clock(tx: Tx) -> Alert | None:
        due = alerts.unscoped(tx, alert.id)
        read.set()
        assert due and sent_out.wait(10)
        return alerting.go_out(tx, due, SOS, POLICIES, now)

    waiting = store.run(clock, key="clock")
    assert await asyncio.to_thread(read.wait, 10)
    assert await store.run(lambda tx: raising.say_what(tx, alert, "abuse", POLICIES, now), key="person")
    sent_out.set()
    assert await waiting is None
    assert [each.alert_id for each in await store.read(lambda tx: alert_media.of(tx, alert.id))] == [alert.id]


async def test_what_is_added_while_it_becomes_a_further_report_stands_with_the_one_that_runs(
    store: Store, village: Village, now: datetime
) -> None:
    runs = await pressed(store, village, now, "grid")
    assert await said(store, runs, "fall", now)
    mine = await pressed(store, village, now + MINUTE)
    await swept(store, now + 3 * MINUTE)  # as it was read, it is not there any more
    assert [each.id for each in await every(store)] == [runs.id]
    await store.run(lambda tx: raising.add_words(
        tx, mine, village.people["visitor"], "后门没锁", POLICIES, now + 3 * MINUTE))
    assert (await every(store))[0].words == "后门没锁"
