"""What a device said and nobody looked into climbs; what it said while it was nobody's is told once it is somebody's."""

from datetime import datetime, timedelta

import pytest

from scheduler import device_asking, devices
from scheduler.device_rules import Kind
from storage import alerts, device_events
from storage import devices as ledger
from storage.database import Store, Tx
from storage.scope import Scope
from tests.scheduler.test_alerting import POLICIES, Village
from tests.scheduler.test_devices import a1, sent, told, village
from tests.storage.ground import DAY

__all__ = ["village"]
MINUTE = timedelta(minutes=1)


async def climbed(store: Store, at: datetime) -> None:
    assert not await store.run(lambda tx: device_asking.climb(tx, at, POLICIES))


async def runs(store: Store, village: Village) -> alerts.Alert | None:
    return await store.read(lambda tx: alerts.running_of(tx, village.ground.elder))


async def answered(store: Store, village: Village, said: device_events.Answer, now: datetime) -> None:
    def work(tx: Tx) -> None:
        scope = Scope(village.people["village"], DAY)
        event = device_events.find(tx, scope, device_events.latest(tx, a1(tx, now), 1)[0].id)
        assert event
        assert device_events.answer(tx, event, said, scope.person_id, now)
    await store.run(work)


async def test_the_coordinator_is_asked_once_and_then_an_alert_is_raised_once(
    store: Store, village: Village, now: datetime
) -> None:
    await sent(store, now, "left_home")
    assert "village" not in await told(store, village, now, "device_asks")
    await climbed(store, now + 29 * MINUTE)
    assert await told(store, village, now + 29 * MINUTE, "device_asks") == []
    for minutes in (30, 30, 45, 89):
        await climbed(store, now + minutes * MINUTE)
    assert await told(store, village, now + 89 * MINUTE, "device_asks") == ["village"]
    assert await runs(store, village) is None
    for minutes in (90, 91, 200, 90):
        await climbed(store, now + minutes * MINUTE)
    alert = await runs(store, village)
    assert alert and alert.kind == "unreachable" and alert.source == "device" and alert.words == ""


@pytest.mark.parametrize("minutes", [10, 60])
async def test_what_somebody_answered_climbs_no_further(
    store: Store, village: Village, now: datetime, minutes: int
) -> None:
    await sent(store, now, "left_home")
    await climbed(store, now + minutes * MINUTE)
    await answered(store, village, "fine", now)
    await climbed(store, now + 95 * MINUTE)
    assert await runs(store, village) is None


async def test_after_standing_still_for_long_nothing_old_is_raised(
    store: Store, village: Village, now: datetime
) -> None:
    await sent(store, now, "left_home")
    await climbed(store, now + timedelta(hours=12))
    assert await runs(store, village) is None


async def bound(store: Store, village: Village, at: datetime) -> int:
    def work(tx: Tx) -> int:
        device = a1(tx, at, "B2")
        assert ledger.bind(tx, device, village.ground.elder, village.people["village"], at)
        return devices.bound(tx, device.id, POLICIES, at)
    return await store.run(work)


@pytest.mark.parametrize(("kind", "hours", "number", "raised", "asked"), [
    ("fall", 2, None, 1, False), ("fall", 13, None, 0, False), ("left_home", 2, None, 0, True),
    ("heart_rate", 2, 150, 1, False), ("battery_low", 2, 3, 0, False)])
async def test_what_came_while_it_was_nobody_s_is_told_after_binding_where_it_is_fresh(
    store: Store, village: Village, now: datetime, kind: Kind, hours: int, number: int | None, raised: int, asked: bool
) -> None:
    for _ in range(3):
        await sent(store, now, kind, number, serial="B2")
    at = now + timedelta(hours=hours)
    assert await bound(store, village, at) == raised
    assert (await runs(store, village) is not None) == bool(raised)
    assert bool(await told(store, village, at, "device_asks")) == asked
    assert await store.run(lambda tx: devices.bound(tx, a1(tx, now, "B2").id, POLICIES, at)) == 0
