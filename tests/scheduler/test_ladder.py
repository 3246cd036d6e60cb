"""The ladder: every rung of every kind, by day and at night, once, at its time, whatever happens in between."""

import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from scheduler import alerting, handing, ladders, policy, raising
from scheduler.policy import PolicyError
from storage import accounts, alerts, areas, elders, people, ticks
from storage import tables as kept
from storage.alerts import Alert
from storage.database import Store, Tx
from storage.scope import SOS
from tests.scheduler.test_alerting import Village, only, sent, settle
from tests.storage.ground import Ground

POLICIES = policy.load()
MINUTE = timedelta(minutes=1)
DAYTIME, NIGHT = datetime.fromisoformat("2026-03-02T10:00+08:00"), datetime.fromisoformat("2026-03-02T23:30+08:00")
NEAR, NEAR_TOWNSHIP = "first grid village visitor", "first grid township village visitor"
WITH_FAMILY = f"child {NEAR_TOWNSHIP}"
ALL = "county first grid township village visitor"
# minutes after the raising, and who is told then; nobody near hears twice what he hears at once, the family once that nobody goes
LADDERS = {
    ("help", DAYTIME): {3: WITH_FAMILY, 30: ALL},
    ("help", NIGHT): {0: "township", 3: WITH_FAMILY, 15: ALL},
    ("fall", DAYTIME): {3: WITH_FAMILY, 15: NEAR_TOWNSHIP},
    ("fall", NIGHT): {0: "township", 3: WITH_FAMILY, 10: NEAR_TOWNSHIP},
    ("fire", DAYTIME): {3: WITH_FAMILY, 10: "county"},
    ("gas", NIGHT): {0: "township", 3: f"child {ALL}", 10: "city county"},
}
NOT_THERE = {"fall": "grid township", "help": "grid township", "fire": "county grid township"}


def under_county(tx: Tx, now: datetime) -> Village:
    """The village of `settle` with a county and a city above it, each with a coordinator who is reached."""
    village = settle(tx, now)
    city = areas.add(tx, None, "city", "泸州市", now)
    county = areas.add(tx, city, "county", "江阳区", now)
    ground: Ground = village.ground
    for area, parent in ((ground.township, county), (ground.village, None), (ground.other_village, None)):
        tx.run(update(kept.areas).where(kept.areas.c.id == area.id).values(
            path=county.path + area.path, **({"parent_id": parent.id} if parent else {})))
    for role, area in (("county", county), ("city", city)):
        village.people[role] = people.add(tx, area.id, role, (role,), now).id
        accounts.bind(tx, "test", role, role, village.people[role], now)
    return village


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: under_county(tx, now))


class Crash(Exception):
    """The process ends in the middle of a unit of work."""


async def crashed(store: Store, work: Callable[[Tx], object]) -> None:
    """The work was done, and the process killed before it was kept."""
    def killed(tx: Tx) -> None:
        work(tx)
        raise Crash
    with pytest.raises(Crash):
        await store.run(killed)


async def swept(store: Store, at: datetime) -> None:
    """The clock after a restart: what it was about to keep when it was killed, then it, then it once more."""
    await crashed(store, lambda tx: alerting.climb(tx, at, POLICIES))
    for _ in range(2):
        assert not await store.run(lambda tx: alerting.climb(tx, at, policy.load()))


async def raised(store: Store, village: Village, kind: str, at: datetime) -> Alert:
    await store.run(lambda tx: alerting.raise_alert(tx, village.ground.elder, kind, "device", None, POLICIES, at))
    return await only(store)


async def names(store: Store, village: Village, at: datetime) -> str:
    told = village.names([fields["person"] for _, fields in await sent(store, at)])
    assert len(told) == len(set(told)), told
    return " ".join(told)


async def climbed(store: Store, village: Village, start: datetime, until: int) -> dict[int, str]:
    """Who is told in which minute, where the clock stops only at the instants that are kept."""
    found, at = {}, start
    while True:
        stop = await store.read(lambda tx, at=at: ticks.next_instant(tx, at))  # type: ignore[misc]
        if stop is None or stop > start + until * MINUTE:
            return found
        await swept(store, stop - timedelta(milliseconds=1))
        assert await names(store, village, stop) == ""
        await swept(store, stop)
        if told := await names(store, village, stop):
            found[int((stop - start) / MINUTE)] = told
        at = stop


@pytest.mark.parametrize(("kind", "start"), list(LADDERS))
async def test_each_rung_is_climbed_once_at_its_time_through_crashes_and_restarts(
    store: Store, village: Village, kind: str, start: datetime
) -> None:
    await crashed(store, lambda tx: alerting.raise_alert(
        tx, village.ground.elder, kind, "device", None, POLICIES, start))
    await raised(store, village, kind, start)
    at_once = (await names(store, village, start)).split()
    wanted = dict(LADDERS[kind, start])
    assert sorted(at_once) == sorted(["child", *NEAR.split(), *wanted.pop(0, "").split()])
    assert await climbed(store, village, start, 300) == wanted
    await swept(store, start - timedelta(days=2))  # a clock that jumps back, and forward again
    await swept(store, start + timedelta(days=2))
    assert await names(store, village, start + timedelta(days=3)) == ""


@pytest.mark.parametrize("kind", list(NOT_THERE))
async def test_who_went_and_does_not_arrive_is_asked_and_those_above_told_once(
    store: Store, village: Village, kind: str
) -> None:
    alert = await raised(store, village, kind, DAYTIME)
    went = DAYTIME + MINUTE
    assert await store.run(lambda tx: alerting.claim(tx, alert, village.people["grid"], POLICIES, went))
    await names_of_all(store, went)
    assert await climbed(store, village, went, 300) == {30: NOT_THERE[kind]}


async def test_who_said_that_he_is_there_is_not_asked_where_he_is_but_how_it_ended(
    store: Store, village: Village
) -> None:
    alert, grid = await raised(store, village, "fall", DAYTIME), village.people["grid"]
    await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, DAYTIME))
    assert await store.run(lambda tx: alerting.arrive(tx, alert, grid, POLICIES, DAYTIME + 9 * MINUTE))
    await names_of_all(store, DAYTIME + 9 * MINUTE)
    assert await climbed(store, village, DAYTIME + 9 * MINUTE, 300) == {60: "grid", 180: "grid township"}
    assert (await only(store)).arrived_at == DAYTIME + 9 * MINUTE


async def test_who_said_how_it_ended_is_asked_no_more(store: Store, village: Village) -> None:
    alert, grid = await raised(store, village, "fall", DAYTIME), village.people["grid"]
    await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, DAYTIME))
    await store.run(lambda tx: alerting.arrive(tx, alert, grid, POLICIES, DAYTIME))
    await names_of_all(store, DAYTIME)
    there = await only(store)
    assert await climbed(store, village, DAYTIME, 90) == {60: "grid"}
    assert await store.run(lambda tx: alerting.end(
        tx, there, grid, {"found": "摔了一跤", "done": "扶起来了"}, POLICIES, DAYTIME + 90 * MINUTE))
    await names_of_all(store, DAYTIME + 90 * MINUTE)
    assert await climbed(store, village, DAYTIME + 90 * MINUTE, 300) == {}


async def names_of_all(store: Store, at: datetime) -> None:
    """What was told until now is not looked at."""
    await sent(store, at)


async def test_a_machine_that_stood_still_climbs_at_once_and_tells_nobody_twice(
    store: Store, village: Village
) -> None:
    await raised(store, village, "fire", DAYTIME)
    await sent(store, DAYTIME)
    late = DAYTIME + timedelta(hours=5)
    await swept(store, late)
    assert await names(store, village, late) == f"child {ALL}"
    assert await climbed(store, village, late, 600) == {}


async def test_what_was_raised_by_a_clock_that_was_ahead_does_not_wait_for_that_time(
    store: Store, village: Village
) -> None:
    await raised(store, village, "fall", DAYTIME + timedelta(days=400))
    await sent(store, DAYTIME + timedelta(days=400))
    await swept(store, DAYTIME)
    assert await names(store, village, DAYTIME) == ""
    assert await climbed(store, village, DAYTIME, 300) == {3: WITH_FAMILY, 15: NEAR_TOWNSHIP}


async def test_said_late_what_it_is_it_climbs_the_ladder_of_that_and_tells_at_once_whom_that_would_have_told(
    store: Store, village: Village
) -> None:
    alert = await raised(store, village, SOS, DAYTIME)
    await sent(store, DAYTIME)
    assert await climbed(store, village, DAYTIME, 12) == {3: NEAR_TOWNSHIP}

    at = DAYTIME + 12 * MINUTE
    assert await store.run(lambda tx: alerting.turn(tx, alert, "fire", None, POLICIES, at))
    told = [fields["person"] for kind, fields in await sent(store, at) if kind == "alert_raised"]
    assert village.names(told) == ["child", "county"]  # of a fire the family hears as well
    assert await climbed(store, village, DAYTIME + 12 * MINUTE, 300) == {}


async def test_a_fire_reported_of_what_runs_already_makes_it_one_and_nothing_makes_it_less(
    store: Store, village: Village
) -> None:
    alert = await raised(store, village, "fall", DAYTIME)
    await sent(store, DAYTIME)
    assert await climbed(store, village, DAYTIME, 12) == {3: WITH_FAMILY}
    at = DAYTIME + 12 * MINUTE
    for kind in ("fire", "illness", "fall", "gas"):
        assert await store.run(lambda tx, kind=kind: alerting.raise_alert(
            tx, village.ground.elder, kind, "device", None, POLICIES, at)) == alert.number
    found = await only(store)
    assert found.kind == "fire"
    told = await sent(store, at)
    assert village.names([fields["person"] for kind, fields in told if kind == "alert_raised"]) == ["county"]
    assert {fields["step"] for kind, fields in told if kind == "alert_step"} == {"again", "what"}


async def test_given_back_it_climbs_again_from_the_first_rung_by_the_hour_that_it_is_then(
    store: Store, village: Village
) -> None:
    alert, grid = await raised(store, village, "fall", DAYTIME), village.people["grid"]
    await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, DAYTIME + 5 * MINUTE))
    mine = await only(store)
    assert not await store.run(lambda tx: handing.give_back(tx, mine, village.people["first"], POLICIES, NIGHT))
    assert await store.run(lambda tx: handing.give_back(tx, mine, grid, POLICIES, NIGHT))
    assert not await store.run(lambda tx: handing.give_back(tx, mine, grid, POLICIES, NIGHT))
    back = await only(store)
    assert (back.state, back.claimed_by, back.rung) == ("open", None, 1)
    await sent(store, NIGHT)
    assert await climbed(store, village, NIGHT, 300) == {3: WITH_FAMILY, 10: NEAR_TOWNSHIP}


async def test_what_happens_at_the_moment_of_a_rung_is_before_it_or_after_it_and_never_both(
    store: Store, village: Village
) -> None:
    alert, grid, at = await raised(store, village, "fall", DAYTIME), village.people["grid"], DAYTIME + 3 * MINUTE

    async def as_read(then: datetime) -> list[Alert]:
        return await store.read(lambda tx: alerts.due(tx, then, 9))

    async def climb_all(due: list[Alert], then: datetime) -> str:
        """As another process read it, a moment before."""
        await sent(store, then)
        for each in due:
            await store.run(lambda tx, each=each: alerting._climb(tx, each, POLICIES, then))  # type: ignore[misc]
        return await names(store, village, then)

    due = await as_read(at)
    await swept(store, at)
    assert await climb_all(due, at) == ""  # two clocks
    due = await as_read(DAYTIME + 15 * MINUTE)
    assert await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, DAYTIME + 15 * MINUTE))
    assert await climb_all(due, DAYTIME + 15 * MINUTE) == ""
    due = await as_read(DAYTIME + 45 * MINUTE)
    assert await store.run(lambda tx: alerting.arrive(tx, alert, grid, POLICIES, DAYTIME + 45 * MINUTE))
    assert await climb_all(due, DAYTIME + 45 * MINUTE) == ""


async def test_pressed_and_gone_out_late_those_near_hear_of_it_once(store: Store, village: Village) -> None:
    def press(tx: Tx) -> None:
        elder = elders.unscoped(tx, village.ground.elder)
        raising.press(tx, village.people["visitor"], elder, village.ground.village.id, "", POLICIES, DAYTIME)
    await store.run(press)
    late = DAYTIME + timedelta(hours=2)
    await swept(store, late)
    assert await names(store, village, late) == "county first grid township village"
    assert await climbed(store, village, late, 300) == {}


@pytest.mark.parametrize(("table", "why"), [
    ('fire = { day = [], night = [], not_there = [] }', "at least 1 item"),
    ('fall = { day = [{ after = 3, tell = ["near"] }], night = [{ after = 3, tell = ["township"] }], '
     'not_there = [{ after = 3, tell = ["township"] }] }', "day: no rung tells the township"),
    ('fires = { day = [{ after = 3, tell = ["county"] }], night = [{ after = 3, tell = ["county"] }], '
     'not_there = [{ after = 3, tell = ["county"] }] }', "no alert is of this kind: fires"),
    ('fall = { day = [{ after = 9, tell = ["county"] }, { after = 3, tell = ["city"] }], '
     'night = [{ after = 3, tell = ["county"] }], not_there = [{ after = 3, tell = ["county"] }] }', "later than"),
    ('fall = { day = [{ after = 3, tell = ["goer", "township"] }], night = [{ after = 3, tell = ["county"] }], '
     'not_there = [{ after = 3, tell = ["county"] }] }', "no goer to tell"),
])
def test_a_ladder_that_leaves_somebody_alone_is_refused_with_its_reason(
    tmp_path: Path, table: str, why: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(f"[ladders]\n{table}\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=why):
        policy.load(file)


def test_every_kind_that_an_alert_can_be_has_a_word_and_may_have_a_ladder() -> None:
    words = Path(alerting.__file__).parent.parent / "conversations" / "words"
    named = {kind for file in ("alerts", "devices") for kind in tomllib.loads(
        (words / f"{file}.toml").read_text(encoding="utf-8"))["alert_kind"]}
    assert named - {"unsaid"} == ladders.KINDS


def test_the_night_goes_past_midnight() -> None:
    rules = POLICIES.city.alerts
    hours = {hour: rules.night(datetime.fromisoformat(f"2026-03-02T{hour}+08:00"), POLICIES.city.zone) for hour in (
        "21:29", "21:30", "00:00", "06:29", "06:30", "12:00")}
    assert hours == {"21:29": False, "21:30": True, "00:00": True, "06:29": True, "06:30": False, "12:00": False}


async def test_what_an_older_release_raised_climbs_from_its_raising(store: Store, village: Village) -> None:
    await raised(store, village, "fall", DAYTIME)
    await store.run(lambda tx: tx.run(update(kept.alerts).values(rungs_from=None)))
    await sent(store, DAYTIME)
    assert await climbed(store, village, DAYTIME, 300) == {3: WITH_FAMILY, 15: NEAR_TOWNSHIP}
    assert await store.read(lambda tx: tx.one(select(kept.alerts.c.rung))) == (2,)
