"""What runs when: sweeps of each beat and of each day, over missed days, kills and a clock that jumps."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import pytest

from scheduler import policy, tick
from scheduler.policy import Policies
from scheduler.tick import Daily, Sweep
from storage import outbox, ticks
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.opening import open_store
from storage.outbox import Outgoing

POLICIES = policy.load()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(wall: str) -> datetime:
    """A time on the wall in Luzhou."""
    return datetime.fromisoformat(f"{wall}+08:00").astimezone(UTC)


class Ran:
    """Sweeps that keep at which times they ran."""

    def __init__(self) -> None:
        self.times: dict[str, list[datetime]] = {"beat": [], "day": []}

    def sweep(self, name: str) -> Sweep:
        def run(tx: Tx, now: datetime, policies: Policies) -> bool:
            self.times[name].append(now)
            return False
        return run

    @property
    def sweeps(self) -> Mapping[str, Sweep | Daily]:
        return {"beat": self.sweep("beat"), "day": Daily(self.sweep("day"), time(8))}


async def beats(store: Store, ran: Ran, *times: datetime) -> None:
    for each in times:
        assert await tick.tick(store, each, POLICIES, ran.sweeps) == []


async def test_a_daily_sweep_runs_once_a_day_from_its_hour_on_the_wall(store: Store) -> None:
    ran = Ran()
    start = at("2026-03-02 07:58")
    await beats(store, ran, *(start + n * MINUTE for n in range(5)))
    first, *rest = ran.times["day"]
    assert first == start  # yesterday's was never done: late, but not dropped
    assert rest == [at("2026-03-02 08:00")]
    assert len(ran.times["beat"]) == 5


async def test_after_days_of_standing_still_there_is_one_run_not_thirty(store: Store) -> None:
    ran = Ran()
    await beats(store, ran, at("2026-03-02 08:00"), *(at("2026-04-03 10:00") + n * MINUTE for n in range(9)))
    assert ran.times["day"] == [at("2026-03-02 08:00"), at("2026-04-03 10:00")]


@pytest.mark.parametrize("around", ["2026-03-03 08:00", "2026-03-03 00:00", "2026-03-03 07:30", "2026-03-03 08:30"])
async def test_a_clock_that_jumps_an_hour_to_and_fro_runs_each_day_once(store: Store, around: str) -> None:
    ran = Ran()
    await beats(store, ran, at("2026-03-02 08:00"))
    jumps = (at(around) + offset for offset in (-MINUTE, HOUR, MINUTE, -HOUR, 2 * MINUTE, HOUR, 0 * HOUR))
    await beats(store, ran, *jumps, at("2026-03-03 12:00"), at("2026-03-04 08:00"))
    days = [each.astimezone(POLICIES.city.zone).date().day for each in ran.times["day"]]
    assert days == [2, 3, 4]
    assert all(each >= at(f"2026-03-0{day} 08:00") for day, each in zip(days, ran.times["day"], strict=True))
    assert len(ran.times["beat"]) == 10


async def test_a_sweep_cut_between_two_chunks_is_gone_on_with_by_another_process(
        store: Store, url: str, keys: Keys) -> None:
    now, left = at("2026-03-02 08:00"), [3]

    def chunked(tx: Tx, now: datetime, policies: Policies) -> bool:
        outbox.add(tx, Outgoing(tx.new_id(now), "t", "c", "reminder", "text", {}), now, unique_key=f"k{left[0]}")
        left[0] -= 1
        return left[0] > 0

    run = tick._Run("day", Daily(chunked, time(8)), now, POLICIES, None)
    assert run._kept(await store.run(run._chunk))  # one chunk, and then a kill
    second = open_store(url, keys)
    await tick.tick(second, now + MINUTE / 4, POLICIES, {"day": Daily(chunked, time(8))})
    assert left == [2]  # the lease of the dead one still runs
    await tick.tick(second, now + MINUTE, POLICIES, {"day": Daily(chunked, time(8))})
    assert left == [0]
    assert not run._kept(await store.run(run._chunk))  # were it alive, it would get no further
    assert left == [0]
    second.close()
    assert await store.read(outbox.depth) == {"reminder": 3}
    [last] = await store.read(ticks.last)
    assert last.done_at == now + MINUTE


async def test_a_sweep_that_failed_is_told_until_it_is_done(store: Store) -> None:
    now, broken = at("2026-03-02 08:00"), [True]

    def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
        if broken:
            raise ZeroDivisionError
        return False

    sweeps = {"a": Daily(sweep, time(8))}
    assert await tick.tick(store, now, POLICIES, sweeps) == ["a"]
    [found] = await store.read(lambda tx: tick.failures(tx, sweeps))
    assert (found.sweep, found.at, found.error) == ("a", now, "ZeroDivisionError")
    broken.clear()
    assert await tick.tick(store, now + MINUTE, POLICIES, sweeps) == []
    assert await store.read(lambda tx: tick.failures(tx, sweeps)) == []


async def test_the_next_due_instant_is_a_new_day_a_daily_hour_or_what_waits(store: Store) -> None:
    sweeps = {"a": Daily(Ran().sweep("day"), time(8)), "b": Daily(Ran().sweep("day"), time(3))}
    now = at("2026-03-02 07:00")
    await store.run(lambda tx: outbox.add(tx, Outgoing("1", "t", "c", "reminder", "text", {}), now,
                                          not_before=at("2026-03-02 08:30")))
    found = [now]
    while found[-1] < at("2026-03-03 08:00"):
        found.append(await store.read(lambda tx: tick.next_due(tx, found[-1], POLICIES, sweeps)))
    assert found[1:] == [at(f"2026-03-{each}") for each in (
        "02 08:00", "02 08:30", "03 00:00", "03 03:00", "03 08:00")]
