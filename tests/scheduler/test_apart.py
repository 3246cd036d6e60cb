"""One of many that fails keeps none of the others waiting; an alert waits for no other sweep, and not for the minute."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from scheduler import alerting, apart, policy, reaching, runner, tick
from scheduler.runner import Ticker
from storage import alerts, audit, meta, ticks
from storage.alerts import Alert
from storage.database import Store, Tx
from tests.scheduler.test_alerting import Village, raised, sent, settle

POLICIES = policy.load()


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: settle(tx, now))


async def nothing() -> None:
    pass


async def test_of_what_fails_nothing_is_kept_and_the_others_stand(store: Store, now: datetime) -> None:
    def work(tx: Tx, name: str) -> None:
        meta.put(tx, name, "done")
        tx.note(now, "clock", "tested", name)
        assert name != "second"

    names = ("first", "second", "third")
    assert await store.run(lambda tx: apart.each(tx, names, lambda name: work(tx, name)))
    kept = await store.read(lambda tx: [name for name in names if meta.get(tx, name)])
    assert kept == ["first", "third"]
    assert [name for name in names if await store.read(lambda tx, name=name: audit.about(tx, name, 9))] == kept  # type: ignore[misc]


async def test_where_all_fail_it_is_said_and_where_none_does_nothing_is_left(store: Store) -> None:
    assert not await store.run(lambda tx: apart.each(tx, ("a", "b"), lambda name: meta.put(tx, name, "done")))
    with pytest.raises(ZeroDivisionError):
        await store.run(lambda tx: apart.each(tx, (1, 2), lambda _: 1 / 0))


async def two(store: Store, village: Village, now: datetime) -> tuple[int, int]:
    """Numbers of an alert of the elder, and of somebody on no list."""
    def work(tx: Tx) -> int:
        other = alerts.add(tx, None, village.ground.village.id, "fire", "person", village.people["grid"], "", now, now)
        alerting.went_out(tx, other, POLICIES, now)
        return other.number
    return await raised(store, village, now), await store.run(work)


def spoil(monkeypatch: pytest.MonkeyPatch, module: object, name: str, number: int) -> None:
    """From now on this fails for the alert with this number."""
    as_it_was = getattr(module, name)

    def fails(tx: Tx, alert: Alert, *rest: object, **more: object) -> object:
        assert alert.number != number
        return as_it_was(tx, alert, *rest, **more)
    monkeypatch.setattr(module, name, fails)


async def told(store: Store, at: datetime) -> set[str]:
    return {fields["alert"] for _, fields in await sent(store, at)}


@pytest.mark.parametrize(("module", "name"), [(alerting, "_near"), (reaching, "_asked")], ids=["climbs", "is not seen"])
async def test_an_alert_that_cannot_be_told_further_keeps_no_other_waiting(
    store: Store, village: Village, now: datetime, monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> None:
    first, second = await two(store, village, now)
    await told(store, now)
    spoil(monkeypatch, module, name, first)
    sweeps = {key: sweep for key, sweep in tick.ALERTS.items() if sweep.__module__ == module.__name__}  # type: ignore[attr-defined]
    assert await tick.tick(store, now + timedelta(minutes=4), POLICIES, sweeps) == list(sweeps)
    numbers = {alert.number for each in await told(store, now + timedelta(minutes=4))
               if (alert := await store.read(lambda tx, each=each: alerts.unscoped(tx, each)))}  # type: ignore[misc]
    assert numbers == {second}
    monkeypatch.undo()
    assert not await tick.tick(store, now + timedelta(minutes=5), POLICIES, sweeps)  # and it, once it can be
    assert await told(store, now + timedelta(minutes=5))


async def test_an_alert_climbs_without_waiting_for_the_minute_and_where_none_waits_nothing_is_written(
    store: Store, village: Village, now: datetime
) -> None:
    at = now
    ticker = Ticker(store, POLICIES, lambda: at, nothing)
    await raised(store, village, now)
    await told(store, now)
    await ticker.alert_beat()
    assert not await store.read(ticks.last)
    at = now + timedelta(minutes=POLICIES.city.alerts.seen_minutes)
    await ticker.alert_beat()
    assert await told(store, at)
    assert {each.sweep for each in await store.read(ticks.last)} == set(tick.ALERTS)


async def test_the_clock_looks_after_alerts_while_a_long_sweep_is_under_way(
    store: Store, village: Village, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    climbed, long_one = asyncio.Event(), asyncio.Event()

    async def tick_of(store: Store, now: datetime, policies: object, sweeps: Mapping[str, object] = tick.SWEEPS,
                      report: object = None) -> list[str]:
        if sweeps is tick.ALERTS:
            climbed.set()
        else:
            await long_one.wait()
        return []
    await raised(store, village, now)
    monkeypatch.setattr(runner, "ALERT_BEAT", 0.05)
    monkeypatch.setattr(runner.tick, "tick", tick_of)
    ticker = Ticker(store, POLICIES, lambda: now + timedelta(minutes=4), nothing)
    ticker.start()
    async with asyncio.timeout(10):
        await climbed.wait()
    long_one.set()
    ticker.stop()
