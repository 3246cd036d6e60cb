"""收到: who has not seen an alert is told on his next channel, then the coordinator hears that he was not reached."""

from datetime import datetime, timedelta

import pytest

from scheduler import alerting, handing, policy, reaching
from scheduler.alert_notices import AlertRaised
from storage import accounts, alert_told, outbox
from storage.database import Store, Tx
from storage.outbox import Outgoing
from tests.scheduler.test_alerting import Village, only, raised, sent, settle

POLICIES = policy.load()
AFTER = timedelta(minutes=POLICIES.city.alerts.seen_minutes)


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: settle(tx, now))


async def looked(store: Store, at: datetime) -> None:
    assert not await store.run(lambda tx: reaching.sweep(tx, at, POLICIES))


async def leaving(store: Store, village: Village, at: datetime) -> list[tuple[str, str, str]]:
    """Kind, channel and person of all that leaves now."""
    def take(tx: Tx) -> list[Outgoing]:
        rows: list[Outgoing] = []
        while got := outbox.take(tx, at):
            outbox.sent(tx, [(row.id, "x") for row in got], at)
            rows += got
        return rows
    return sorted((row.kind, row.channel, *village.names([row.fields["person"]])) for row in await store.run(take))


async def states(store: Store, village: Village) -> dict[str, str]:
    alert = await only(store)
    told = await store.read(lambda tx: alert_told.of(tx, alert.id))
    return {village.names([each.person_id])[0]: each.state for each in told}


async def second(store: Store, village: Village, name: str, now: datetime, channel: str = "other") -> None:
    """This person has another channel, which he does not prefer."""
    person = village.people[name]
    await store.run(lambda tx: accounts.bind(tx, channel, f"{channel}-{name}", f"{channel}-{name}", person,
                                             now - timedelta(days=1)))


async def see(store: Store, village: Village, at: datetime, *names: str) -> None:
    alert = await only(store)
    for name in names:
        await store.run(lambda tx, name=name: alert_told.seen(  # type: ignore[misc]
            tx, alert.id, village.people[name], at))


async def test_who_has_not_seen_it_is_told_on_his_next_channel_and_who_has_is_left_in_peace(
    store: Store, village: Village, now: datetime
) -> None:
    for name in ("grid", "child"):
        await second(store, village, name, now)
    await raised(store, village, now)
    assert {each[1] for each in await leaving(store, village, now)} == {"test"}
    await see(store, village, now, "grid", "first", "visitor", "village")
    await looked(store, now + AFTER - timedelta(seconds=1))
    assert await leaving(store, village, now + AFTER) == []
    await looked(store, now + AFTER)
    await looked(store, now + AFTER)
    assert await leaving(store, village, now + AFTER) == [("alert_raised", "other", "child")]
    assert (await states(store, village))["child"] == "waiting"


async def test_after_the_last_channel_the_coordinator_is_told_once_who_was_not_reached(
    store: Store, village: Village, now: datetime
) -> None:
    await second(store, village, "child", now)
    await raised(store, village, now)
    await see(store, village, now, "grid", "visitor", "village")
    await looked(store, now + AFTER)
    await sent(store, now + AFTER)
    assert (await states(store, village))["first"] == "unreached"
    await looked(store, now + 2 * AFTER)
    assert await leaving(store, village, now + 2 * AFTER) == [("not_reached", "test", "village")]
    assert await states(store, village) == {
        "grid": "seen", "visitor": "seen", "village": "seen", "first": "unreached", "child": "unreached"}
    await see(store, village, now + 2 * AFTER, "child")
    assert (await states(store, village))["child"] == "seen"


async def test_where_the_village_s_coordinator_is_not_reached_himself_the_township_hears_of_it(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    await see(store, village, now, "grid", "visitor", "first", "child")
    await sent(store, now)
    await looked(store, now + AFTER)
    assert await leaving(store, village, now + AFTER) == [("not_reached", "test", "township")]


async def test_nobody_is_asked_after_once_somebody_goes_but_the_family(
    store: Store, village: Village, now: datetime
) -> None:
    for name in ("first", "child"):
        await second(store, village, name, now)
    await raised(store, village, now)
    alert = await only(store)
    assert await store.run(lambda tx: alerting.claim(tx, alert, village.people["grid"], POLICIES, now))
    await sent(store, now)
    await looked(store, now + AFTER)
    assert await leaving(store, village, now + AFTER) == [("alert_raised", "other", "child")]
    assert (await states(store, village))["grid"] == "seen"  # he pressed


async def test_given_back_who_has_not_seen_it_is_asked_after_again(
    store: Store, village: Village, now: datetime
) -> None:
    await second(store, village, "first", now)
    await raised(store, village, now)
    alert, grid = await only(store), village.people["grid"]
    await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, now))
    await looked(store, now + AFTER)  # somebody goes: he is left in peace
    mine = await only(store)
    assert await store.run(lambda tx: handing.give_back(tx, mine, grid, POLICIES, now + AFTER))
    await sent(store, now + AFTER)
    await looked(store, now + 2 * AFTER)
    assert ("alert_raised", "other", "first") in await leaving(store, village, now + 2 * AFTER)


async def test_what_is_pressed_on_a_page_changes_nothing_of_where_he_is_told(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    alert, grid = await only(store), village.people["grid"]
    await store.run(lambda tx: alert_told.answered(tx, alert.id, grid, "", now))
    await store.run(lambda tx: alert_told.answered(tx, alert.id, grid, "other", now))
    assert await store.read(lambda tx: alert_told.last_channel(tx, alert.id, grid)) == "other"


async def test_who_has_no_channel_at_all_is_told_of_at_once(store: Store, village: Village, now: datetime) -> None:
    await store.run(lambda tx: accounts.blocked(tx, "test", "6", now))
    await raised(store, village, now)
    await sent(store, now)
    await looked(store, now)
    assert await leaving(store, village, now) == [("not_reached", "test", "village")]
    assert (await states(store, village))["child"] == "unreached"


async def test_a_message_that_never_will_leave_brings_the_next_channel_at_once(
    store: Store, village: Village, now: datetime
) -> None:
    await second(store, village, "child", now)
    await raised(store, village, now)
    await sent(store, now)
    alert = await only(store)
    await store.run(lambda tx: alert_told.failed(tx, alert.id, village.people["child"], "test", now))
    await looked(store, now)
    assert await leaving(store, village, now) == [("alert_raised", "other", "child")]


async def test_once_it_ended_nobody_is_asked_after(store: Store, village: Village, now: datetime) -> None:
    await second(store, village, "child", now)
    await raised(store, village, now)
    alert = await only(store)
    await store.run(lambda tx: alerting.end(
        tx, alert, village.people["village"], {"reason": "没有摔"}, POLICIES, now))
    await sent(store, now)
    await looked(store, now + AFTER)
    assert await leaving(store, village, now + AFTER) == []
    assert await store.read(lambda tx: alert_told.due(tx, now + 9 * AFTER, 9)) == []


async def test_what_waits_on_a_channel_that_is_down_does_not_leave_after_he_has_seen_it_elsewhere(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    await see(store, village, now, "child")
    alert = await only(store)

    today = now.astimezone(POLICIES.city.zone).date()

    def wanted(tx: Tx) -> list[bool]:
        return [AlertRaised(person=village.people[name], alert=alert.id, at="").still_wanted(tx, today)
                for name in ("child", "first")]
    assert await store.read(wanted) == [False, True]


async def test_the_coordinator_gets_one_message_a_minute_at_most_and_it_names_everybody(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    await see(store, village, now, "grid", "village")
    await sent(store, now)
    alert, minute = await only(store), now.replace(second=0)
    told = []
    for second, name in ((1, "child"), (4, "first"), (9, "visitor")):
        at = minute + timedelta(seconds=second)
        await store.run(lambda tx, name=name, at=at: alert_told.failed(  # type: ignore[misc]
            tx, alert.id, village.people[name], "test", at))
        await looked(store, at)
        told += await leaving(store, village, at)
    assert told == [("not_reached", "test", "village")]
    assert await leaving(store, village, minute + timedelta(minutes=1)) == [("not_reached", "test", "village")]
    assert sorted((await states(store, village)).values()) == ["seen", "seen", "unreached", "unreached", "unreached"]


async def test_where_he_answered_stands_last_and_a_failure_elsewhere_changes_nothing(
    store: Store, village: Village, now: datetime
) -> None:
    await second(store, village, "child", now)
    await raised(store, village, now)
    alert, child = await only(store), village.people["child"]
    await looked(store, now + AFTER)

    async def of_child() -> tuple[tuple[str, ...], datetime | None]:
        told = await store.read(lambda tx: alert_told.of(tx, alert.id))
        return next((each.channels, each.next_at) for each in told if each.person_id == child)
    before = await of_child()
    assert before[0] == ("test", "other")
    await store.run(lambda tx: alert_told.failed(tx, alert.id, child, "test", now))
    assert await of_child() == before
    await store.run(lambda tx: alert_told.answered(tx, alert.id, child, "test", now))
    assert await of_child() == (("other", "test"), None)
