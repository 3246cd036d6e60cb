"""需要支援 and 移交: who is told, how often, and that nobody gets an alert that he was not asked to take."""

from datetime import datetime, timedelta

import pytest

from scheduler import alerting, handing, policy
from storage import accounts, alert_told, alerts, outbox, people
from storage.alerts import Alert
from storage.database import Store, Tx
from tests.scheduler.test_alerting import Village, only, sent
from tests.scheduler.test_ladder import under_county

POLICIES = policy.load()
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    def work(tx: Tx) -> Village:
        village = under_county(tx, now)
        alerting.raise_alert(tx, village.ground.elder, "fall", "device", None, POLICIES, now)
        return village
    village = await store.run(work)
    assert await claimed(store, village, now)
    return village


async def claimed(store: Store, village: Village, now: datetime) -> bool:
    alert = await only(store)
    done = await store.run(lambda tx: alerting.claim(tx, alert, village.people["grid"], POLICIES, now))
    await sent(store, now)
    return done


async def test_support_is_told_to_all_near_who_may_go_and_the_township_once_in_its_time(
    store: Store, village: Village, now: datetime
) -> None:
    async def press(who: str, at: datetime) -> str:
        alert = await only(store)
        done = await store.run(lambda tx: handing.support(tx, alert, village.people[who], POLICIES, at))
        told = village.names([fields["person"] for _, fields in await sent(store, at)])
        assert done == bool(told)
        return " ".join(told)

    assert await press("village", now) == ""  # not his to ask
    assert await press("grid", now) == "first township village visitor"
    assert await press("grid", now + 9 * MINUTE) == ""
    assert (await only(store)).support_at == now
    assert await press("grid", now + 10 * MINUTE) == "first township village visitor"
    assert await press("grid", now) != ""  # a clock that was put back keeps nobody from asking


async def test_only_who_may_go_and_is_reached_is_asked_and_he_alone_takes_over(
    store: Store, village: Village, now: datetime
) -> None:
    grid, first, visitor = (village.people[name] for name in ("grid", "first", "visitor"))

    async def offer(to: str, by: str = grid) -> str:
        alert = await only(store)
        return await store.run(lambda tx: handing.offer(tx, alert, by, village.people[to], POLICIES, now))

    async def takes(who: str, alert: Alert) -> bool:
        return await store.run(lambda tx: handing.take_over(tx, alert, who, POLICIES, now))

    assert [await offer(to) for to in ("child", "young", "courier", "grid")] == ["may_not"] * 4
    assert await offer("first", visitor) == "not_yours"
    assert (await only(store)).offered_to is None
    assert await offer("first") == await offer("first") == "offered"
    assert [fields["person"] for _, fields in await sent(store, now)] == [first]  # pressed twice it is one message
    asked = await only(store)
    assert not await takes(visitor, asked) and (await only(store)).claimed_by == grid
    assert await offer("visitor") == "offered"
    assert not await takes(first, await only(store))  # another is asked in his place
    assert await takes(visitor, await only(store)) and not await takes(visitor, await only(store))
    now_is = await only(store)
    assert (now_is.state, now_is.claimed_by, now_is.offered_to, now_is.rung) == ("claimed", visitor, None, 0)
    assert not await store.run(lambda tx: alerting.arrive(tx, now_is, grid, POLICIES, now))


async def test_who_is_asked_to_go_instead_is_asked_where_he_answered_last(
    store: Store, village: Village, now: datetime
) -> None:
    alert, grid, first = await only(store), village.people["grid"], village.people["first"]

    def work(tx: Tx) -> list[str]:
        accounts.bind(tx, "other", "first", "first", first, now - timedelta(days=1))
        alert_told.answered(tx, alert.id, first, "other", now)
        assert handing.offer(tx, alert, grid, first, POLICIES, now) == "offered"
        asked = next(each for each in [alerts.lock(tx, alert.id)] if each.offered_to == first)
        assert handing.decline(tx, asked, first, now)
        return [f"{row.kind} {row.channel}" for row in outbox.take(tx, now)]
    assert await store.run(work) == ["alert_offered other", "alert_step test"]


async def test_whom_no_message_reaches_is_not_offered_it(store: Store, village: Village, now: datetime) -> None:
    def cut_off(tx: Tx) -> None:
        for account in accounts.of(tx, village.people["first"]):
            accounts.blocked(tx, "test", account.chat, now)
        people.suspend(tx, village.people["visitor"], "operator", now)
    await store.run(cut_off)
    alert, grid = await only(store), village.people["grid"]
    today = now.date()
    found = await store.read(lambda tx: handing.may_take(tx, alert, POLICIES, today))
    assert village.names(found) == ["village"]
    first = village.people["first"]
    assert await store.run(lambda tx: handing.offer(tx, alert, grid, first, POLICIES, now)) == "unreached"
