"""多起同类警报: told above once when there are several of a kind in one village within the hour, however many follow."""

import asyncio
from datetime import datetime, timedelta

import pytest

from scheduler import alerting, drills, policy, raising
from scheduler.policy import Policies
from storage import alert_turns, alerts, elders
from storage.database import Store, Tx
from storage.scope import Scope
from tests.scheduler.test_alerting import Village, sent
from tests.scheduler.test_ladder import under_county
from tests.storage.ground import DAY, STANDING, new_elder

POLICIES = policy.load()
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: under_county(tx, now))


async def raised(store: Store, village: Village, kind: str, at: datetime, *, there: bool = True,
                 policies: Policies = POLICIES) -> int:
    """An alert of an elder of his own, in the village or the next one; gives its number."""
    ground = village.ground

    def work(tx: Tx) -> int:
        elder = elders.add(tx, new_elder(ground.village if there else ground.other_village), STANDING, at)
        return alerting.raise_alert(tx, elder, kind, "device", None, policies, at)
    return await store.run(work)


async def told(store: Store, village: Village, at: datetime) -> list[tuple[str, int]]:
    """Who hears of several, and of how many."""
    found = [(fields["person"], fields["count"]) for kind, fields in await sent(store, at) if kind == "alerts_alike"]
    return [(village.names([person])[0], count) for person, count in found]


async def test_the_county_hears_once_of_several_fires_in_one_village_and_not_of_those_that_follow(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, "fire", now)
    await raised(store, village, "gas", now)
    await raised(store, village, "fire", now, there=False)
    assert await told(store, village, now) == []
    await raised(store, village, "fire", now + 59 * MINUTE)
    assert await told(store, village, now + 59 * MINUTE) == [("county", 2)]
    for later in (60, 100, 159, 218):  # each within the hour of the one before: they belong to them
        await raised(store, village, "fire", now + later * MINUTE)
        assert await told(store, village, now + later * MINUTE) == []
    seen = [Scope(village.people[who], DAY) for who in ("county", "township", "grid")]
    lists = await store.read(lambda tx: [alert_turns.several(tx, scope, now) for scope in seen])
    assert lists == [[("石岭村", "fire", 6)], [("石岭村", "fire", 6)], []]
    await raised(store, village, "fire", now + 300 * MINUTE)
    assert await told(store, village, now + 300 * MINUTE) == []
    await raised(store, village, "fire", now + 310 * MINUTE)
    assert await told(store, village, now + 310 * MINUTE) == [("county", 2)]  # others, hours later


async def test_two_an_hour_and_a_minute_apart_are_not_several_nor_is_one_that_was_false(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, "fire", now)
    number = await raised(store, village, "fire", now + 61 * MINUTE)

    def off(tx: Tx) -> bool:
        alert = alerts.running_numbered(tx, number)
        assert alert
        return alerting.end(tx, alert, village.people["village"], {"reason": "烧饭"}, POLICIES, now + 62 * MINUTE)
    assert await store.run(off)
    await raised(store, village, "fire", now + 63 * MINUTE)
    assert await told(store, village, now + 63 * MINUTE) == []


async def test_of_several_at_the_same_moment_the_county_hears_once(
    store: Store, village: Village, now: datetime
) -> None:
    await asyncio.gather(*(raised(store, village, "gas", now) for _ in range(5)))
    assert len(await told(store, village, now)) == 1


async def test_what_is_said_later_counts_from_then_and_a_fall_never(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, "fire", now)
    for _ in range(3):
        await raised(store, village, "fall", now)

    def press(tx: Tx) -> None:
        elder = elders.unscoped(tx, village.ground.elder)
        alert = raising.press(tx, village.people["visitor"], elder, village.ground.village.id, "", POLICIES, now)
        alerting.go_out(tx, alert, "sos", POLICIES, now)
        out = alerts.unscoped(tx, alert.id)
        assert out and raising.say_what(tx, out, "fire", POLICIES, now + MINUTE)
    await store.run(press)
    assert await told(store, village, now + MINUTE) == [("county", 2)]


async def test_a_drill_is_none_of_several(store: Store, village: Village, now: datetime) -> None:
    def drill(tx: Tx) -> None:
        elder = elders.unscoped(tx, village.ground.elder)
        assert elder and drills.start(tx, elder, elder.village_id, "", "fire", village.people["village"], drills.VILLAGE,
                                      POLICIES, now)
    await store.run(drill)
    await raised(store, village, "fire", now)
    assert await told(store, village, now) == []
    await raised(store, village, "fire", now)
    assert await told(store, village, now) == [("county", 2)]


async def test_a_county_says_how_many_are_several_and_who_hears(store: Store, village: Village, now: datetime) -> None:
    own = Policies(POLICIES.city, own={("江阳区",): {"alerts": {"many": {"fall": 3}, "many_to": "city"}}})
    for count in range(3):
        await raised(store, village, "fall", now, policies=own)
        assert await told(store, village, now) == ([("city", 3)] if count == 2 else [])
