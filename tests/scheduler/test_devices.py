"""What becomes of what a device sent: an alert for village and family at once, a call, a line in a list."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from scheduler import alerting, device_rules, devices, policy
from scheduler.device_rules import DeviceRules, Kind
from scheduler.devices import Sent
from storage import accounts, alerts, device_events, device_vendors, elder_files, erasing, outbox, people
from storage import devices as ledger
from storage.database import Store, Tx
from storage.device_events import Kept
from storage.scope import Scope
from tests.scheduler.test_alerting import POLICIES, Village, settle
from tests.storage.ground import DAY

RULES = policy.load().city.devices
HOUR = timedelta(hours=1)


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    """The people of the alerts' tests, and a device A1 of their elder."""
    def work(tx: Tx) -> Village:
        found = settle(tx, now)
        found.people["operator"] = people.add(tx, found.ground.township.id, "周工", ("operator",), now).id
        accounts.bind(tx, "test", "op", "op", found.people["operator"], now)
        device_vendors.invite(tx, "anxin", "operator", now)
        ledger.bind(tx, a1(tx, now), found.ground.elder, found.people["village"], now)
        return found
    return await store.run(work)


def a1(tx: Tx, now: datetime, serial: str = "A1") -> ledger.Device:
    vendor = device_vendors.named(tx, "anxin")
    assert vendor is not None
    return ledger.known(tx, vendor.id, serial, now)


async def sent(store: Store, now: datetime, kind: Kind, number: int | None = None, *, at: datetime | None = None,
               serial: str = "a1") -> Kept:
    def work(tx: Tx) -> Kept:
        vendor = device_vendors.named(tx, "anxin")
        assert vendor is not None
        return devices.keep(tx, vendor, Sent(
            tx.new_id(now), serial, kind, at or now, number, {"per_minute": number} if number else {}), POLICIES, now)
    return await store.run(work)


async def told(store: Store, village: Village, now: datetime, kind: str) -> list[str]:
    """Who is told that, taken out of the outbox with all else."""
    def take(tx: Tx) -> list[dict[str, Any]]:
        found = []
        while rows := outbox.take(tx, now):
            outbox.sent(tx, [(row.id, "x") for row in rows], now)
            found += [row.fields for row in rows if row.kind == kind]
        return found
    return village.names([each["person"] for each in await store.run(take)])


@pytest.mark.parametrize(("kind", "number", "outcome"), [
    ("call_button", None, "alert"), ("gas", None, "alert"), ("water_unused", 11, "note"), ("water_unused", 12, "check_in"),
    ("power_unused", 24, "alert"), ("heart_rate", 70, "note"), ("heart_rate", 49, "check_in"), ("heart_rate", 39, "alert"),
    ("heart_rate", 120, "check_in"), ("heart_rate", 140, "alert"), ("left_home", None, "check_in"), ("offline", 24, "check_in"),
    ("battery_low", 3, "note")])
def test_the_policy_says_what_a_reading_is(kind: Kind, number: int | None, outcome: str) -> None:
    assert RULES.outcome(kind, number) == outcome


@pytest.mark.parametrize(("line", "value"), [
    ("fall", {"becomes": "note"}), ("call_button", {"becomes": "alert", "ask_from": 3}),
    ("heart_rate", {"becomes": "note", "ask_from": 140, "alert_from": 120}), ("damp_days", [])])
def test_a_policy_that_would_hush_a_call_for_help_is_refused(line: str, value: object) -> None:
    with pytest.raises(ValidationError, match=line):
        DeviceRules.model_validate(RULES.model_dump() | {line: value})


async def test_an_alarm_tells_the_family_at_the_same_time_as_the_village(store: Store, village: Village, now: datetime) -> None:
    assert await sent(store, now, "fall") == Kept("alert", 1)
    assert await told(store, village, now, "alert_raised") == ["child", "first", "grid", "village", "visitor"]
    alert = await store.read(lambda tx: alerts.running_of(tx, village.ground.elder))
    assert alert is not None and alert.source == "device" and alert.raised_by is None


async def test_who_is_near_is_asked_to_call_and_an_alert_comes_of_not_reaching_the_elder(
    store: Store, village: Village, now: datetime
) -> None:
    assert await sent(store, now, "left_home") == Kept("check_in", None)
    assert await told(store, village, now, "device_asks") == ["first", "grid", "visitor"]

    def answer(tx: Tx) -> tuple[bool, int, bool]:
        device = a1(tx, now)
        event = device_events.find(tx, Scope(village.people["grid"], DAY), device_events.latest(tx, device, 1)[0].id)
        assert event is not None
        first = device_events.answer(tx, event, "unreachable", village.people["grid"], now)
        number = devices.not_reached(tx, event, village.people["grid"], POLICIES, now)
        return first, number, device_events.answer(tx, event, "fine", village.people["first"], now)

    assert await store.run(answer) == (True, 1, False)
    assert await told(store, village, now, "alert_raised") == ["child", "first", "village", "visitor"]


async def test_the_same_is_asked_once_in_some_hours_but_a_call_for_help_is_told_each_time(
    store: Store, village: Village, now: datetime
) -> None:
    states = [(await sent(store, now + n * HOUR, "water_unused", 12 + n)).state for n in range(0, 14, 2)]
    assert states == ["check_in", "note", "note", "check_in", "note", "note", "alert"]
    assert (await sent(store, now + 14 * HOUR, "water_unused", 26)).state == "note"  # people know
    assert [(await sent(store, now + n * HOUR, "fall")).alert for n in range(20, 23)] == [2, 3, 4]


async def test_a_damped_device_is_silent_for_its_time_save_for_the_four(store: Store, village: Village, now: datetime) -> None:
    await store.run(lambda tx: ledger.damp(tx, a1(tx, now), now + 24 * HOUR, village.people["village"], now))
    for kind in ("heart_rate", "water_unused", "left_home", "offline", "power_unused"):
        assert await sent(store, now, kind, 200) == Kept("note", None)  # type: ignore[arg-type]
    for n, kind in enumerate(sorted(device_rules.NEVER_DAMPED)):
        assert (await sent(store, now + n * HOUR, kind)).state == "alert"  # type: ignore[arg-type]
    assert (await sent(store, now + 24 * HOUR, "heart_rate", 200)).state == "alert"


async def test_what_comes_late_is_asked_about_and_raises_no_alert(store: Store, village: Village, now: datetime) -> None:
    assert (await sent(store, now, "fall", at=now - 13 * HOUR)).state == "check_in"
    assert (await sent(store, now, "left_home", at=now - 13 * HOUR)).state == "note"
    assert (await sent(store, now, "smoke", at=now + 99 * HOUR)).state == "alert"  # a device's clock may go wrong


async def test_in_hospital_an_elder_is_not_looked_for_at_home(store: Store, village: Village, now: datetime) -> None:
    await store.run(lambda tx: elder_files.set_condition(tx, village.ground.elder, "paused", "hospital", "2026-03-01", None))
    assert (await sent(store, now, "water_unused", 48)).state == "note"
    assert (await sent(store, now, "smoke")).state == "alert"


async def test_what_nobodys_device_sends_is_kept_and_told_the_operator_once_an_hour(
    store: Store, village: Village, now: datetime
) -> None:
    for minutes in (0, 5, 61):
        assert await sent(store, now + timedelta(minutes=minutes), "call_button", serial="x9") == Kept("unknown_device", None)
    assert await told(store, village, now + HOUR * 2, "device_unknown") == ["operator", "operator"]
    total, page = await store.read(lambda tx: ledger.unknown(tx, 8))
    assert (total, [each.serial for each in page]) == (1, ["X9"])
    await store.run(lambda tx: ledger.bind(tx, a1(tx, now, "X9"), village.ground.elder, village.people["village"], now))
    assert (await store.read(lambda tx: ledger.unknown(tx, 8)))[0] == 0
    shown = await store.read(lambda tx: device_events.latest(tx, a1(tx, now, "X9"), 9))
    assert shown == []  # what it sent before may have been somebody else's


async def test_a_device_with_many_false_alarms_is_shown_to_the_coordinator_once_a_day(
    store: Store, village: Village, now: datetime
) -> None:
    async def ended_as(state: str, at: datetime) -> None:
        await sent(store, at, "fall")

        def end(tx: Tx) -> None:
            alert = alerts.running_of(tx, village.ground.elder)
            assert alert is not None
            alerting.claim(tx, alert, village.people["village"], POLICIES, at)
            outcome = {"reason": "没有摔"} if state == "false" else {"found": "x", "done": "y", "told": "", "risk": "gone"}
            assert alerting.end(tx, alert, village.people["village"], outcome, POLICIES, at)
        await store.run(end)
        await store.run(lambda tx: devices.sweep(tx, at, POLICIES))

    for n, state in enumerate(("false", "false", "true", "false", "false")):
        at = now + n * timedelta(minutes=10)
        await ended_as(state, at)
        assert await told(store, village, at, "device_noisy") == (["village"] if n == 3 else [])
    await ended_as("false", now + timedelta(days=1))
    assert await told(store, village, now + timedelta(days=1), "device_noisy") == []
    assert await store.read(lambda tx: devices.false_alarms(tx, a1(tx, now), POLICIES, now + timedelta(days=1))) == 1


async def test_a_coordinator_elsewhere_sees_neither_the_device_nor_what_it_sent(store: Store, village: Village, now: datetime) -> None:
    await sent(store, now, "heart_rate", 125)

    def look(tx: Tx) -> list[bool]:
        other = people.add(tx, village.ground.other_village.id, "外村", ("village",), now).id
        device = a1(tx, now)
        event = device_events.latest(tx, device, 1)[0].id
        return [bool(ledger.find(tx, scope, device.id) or ledger.held(tx, scope, 8)[0] or device_events.find(tx, scope, event)
                     or ledger.of_elder(tx, scope, village.ground.elder))
                for scope in (Scope(other, DAY), Scope(village.people["village"], DAY))]
    assert await store.run(look) == [False, True]


async def test_erasing_an_elder_unbinds_the_device_and_blanks_what_it_sent(store: Store, village: Village, now: datetime) -> None:
    def send(tx: Tx) -> None:
        vendor = device_vendors.named(tx, "anxin")
        assert vendor is not None
        devices.keep(tx, vendor, Sent("1", "A1", "heart_rate", now, 125, {"per_minute": 125}), POLICIES, now)
    await store.run(send)

    def erase(tx: Tx) -> tuple[str | None, dict[str, int] | None]:
        counted = erasing.erase(tx, village.ground.elder, "operator", DAY, now)
        return a1(tx, now).elder_id, counted
    elder, counted = await store.run(erase)
    assert elder is None and counted is not None and (counted["devices"], counted["device_events"]) == (1, 1)
    read = await store.read(lambda tx: [each.reading for each in device_events.latest(
        tx, ledger.Device(a1(tx, now).id, "", "", "", village.ground.elder, None, None, None), 5)])
    assert read == [{}]
    assert (await sent(store, now, "fall")).state == "unknown_device"


