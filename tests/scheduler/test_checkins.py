"""报平安 by a clock that is stepped minute by minute: who is told what and when, whatever happens to the machine."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from scheduler import alerting, casework, checkins, policy
from scheduler.notices import KINDS, Notice
from storage import accounts, alerts, assignments, check_ins, elders, outbox, people
from storage import tables as kept
from storage.check_ins import CheckIn
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import Ground, lay
from tests.storage.test_plans import plan

POLICIES = policy.load()
ZONE = POLICIES.city.zone
EVENING = datetime(2026, 3, 4, 18, 0, tzinfo=ZONE)


@dataclass
class Day:
    """A village with one elder who is asked at 08:00, and a clock; what was told, as `time who kind` lines."""

    store: Store
    ground: Ground
    people: dict[str, str]
    now: datetime = EVENING
    told: list[str] = field(default_factory=list)

    async def until(self, text: str, step: int = 0, *, sweeps: int = 1) -> list[str]:
        """Steps the clock to this time (`day HH:MM` of March); gives what was told on the way.

        By so many minutes, or (0) by the minutes in which something is due.
        """
        day, hour = text.split()
        end = datetime.fromisoformat(f"2026-03-{int(day):02}T{hour}").replace(tzinfo=ZONE)
        before = len(self.told)
        while self.now < end:
            due = await self.store.read(_next_due) if not step else self.now
            self.now = min(end, max(due, self.now + timedelta(minutes=step or 1)))
            for _ in range(sweeps):
                await self.sweep()
        return self.told[before:]

    async def sweep(self) -> None:
        """What the clock does at this time, and the messages that leave."""
        now = self.now
        while await self.store.run(lambda tx: checkins.sweep(tx, now, POLICIES)):
            pass
        while await self.store.run(lambda tx: alerting.climb(tx, now, POLICIES)):
            pass
        await self.store.run(self._send)

    def _send(self, tx: Tx) -> None:
        by_id = {person: name for name, person in self.people.items()}
        while rows := outbox.take(tx, self.now):
            for row in rows:
                notice: Notice = KINDS[row.kind].model_validate(row.fields)
                if notice.still_wanted(tx, self.now.astimezone(ZONE).date()):
                    again = " again" if row.fields.get("again") else ""
                    step = f" {row.fields['step']}" if "step" in row.fields else ""
                    self.told.append(
                        f"{self.now:%d %H:%M} {by_id[notice.person]} {row.kind}{again}{step} {row.lane}")
                outbox.sent(tx, [(row.id, "x")], self.now)

    async def does(self, work: Callable[..., object], *args: str) -> list[str]:
        """Somebody answers now; gives what was told because of it."""
        before = len(self.told)
        await self.store.run(lambda tx: work(tx, *args, POLICIES, self.now))
        await self.store.run(self._send)
        return self.told[before:]

    async def stands(self) -> CheckIn:
        found = await self.store.read(lambda tx: check_ins.own(tx, self.people["elder"]))
        assert found
        return found


def _next_due(tx: Tx) -> datetime:
    """When the next step of anything comes, in whole minutes."""
    found = [row[0] for statement in DUE if (row := tx.one(statement)) and row[0] is not None]
    return datetime.fromtimestamp(-(-min(found, default=FAR) // 60_000) * 60, ZONE)


DUE = (select(func.min(kept.check_ins.c.next_at)).where(kept.check_ins.c.state == "on"),
       select(func.min(kept.alerts.c.next_at)),
       select(func.min(kept.outbox.c.not_before)).where(kept.outbox.c.state == "waiting"))
FAR = 2 * 10**12  # milliseconds: the year 2033


@pytest.fixture
async def day(store: Store) -> Day:
    def settle(tx: Tx) -> Day:
        ground = lay(EVENING - timedelta(days=30))(tx)
        made = {"visitor": ground.visitor, "township": ground.coordinator}
        for name, role in (("first", "first_contact"), ("child", "family"), ("village", "village")):
            made[name] = people.add(tx, ground.village.id, name, (role,), EVENING).id
            if role != "village":
                assignments.entrust(tx, made[name], ground.elder, role, "2026-01-01")
        elder = elders.unscoped(tx, ground.elder)
        assert elder
        made["elder"] = checkins.set_up(tx, elder, "08:00", ground.visitor, POLICIES, EVENING)
        for name, person in made.items():
            accounts.bind(tx, "test", name, name, person, EVENING)
        return Day(store, ground, made)
    return await store.run(settle)


ASKED = ["05 08:00 elder check_in_ask reply"]
AGAIN = ["05 09:00 elder check_in_ask again reply"]
CONTACT = ["05 09:30 child check_in_contact alert", "05 09:30 first check_in_contact alert"]
ALERT = [f"05 10:00 {who} alert_raised alert" for who in ("child", "first", "village", "visitor")]


def rung(at: str, *family: str) -> list[str]:
    """Nobody goes: those near once more, and the township; the first time the family too."""
    return [f"05 {at} {who} alert_raised alert" for who in ("first", "township", "village", "visitor", *family)]


async def test_on_a_fine_morning_one_message_comes_and_one_tap_ends_the_day(day: Day) -> None:
    assert await day.until("5 08:20") == ASKED
    assert await day.does(checkins.well, day.people["elder"]) == []
    assert await day.until("6 08:00") == ["06 08:00 elder check_in_ask reply"]


async def test_without_any_answer_it_goes_step_by_step_to_an_alert_and_the_township(day: Day) -> None:
    told = await day.until("5 10:03", step=1)
    assert sorted(told) == sorted([*ASKED, *AGAIN, *CONTACT, *ALERT, *rung("10:03", "child")])
    assert sorted(await day.until("6 08:00")) == sorted([*rung("10:30"), "06 08:00 elder check_in_ask reply"])


async def test_restarts_and_sweeps_at_odd_times_and_many_times_over_leave_out_nothing_and_double_nothing(day: Day) -> None:
    told = await day.until("5 11:30", step=7, sweeps=3)  # nothing is kept but in the store
    wanted = [*ASKED, *AGAIN, *CONTACT, *ALERT, *rung("10:03", "child"), *rung("10:30")]
    assert sorted(line.split(" ", 2)[2] for line in told) == sorted(line.split(" ", 2)[2] for line in wanted)


@pytest.mark.parametrize("at", ["5 08:30", "5 09:10", "5 09:40", "5 10:30", "5 23:00"])
async def test_a_late_answer_ends_what_runs_and_those_who_were_asked_hear_it(day: Day, at: str) -> None:
    before = await day.until(at)
    told = await day.does(checkins.well, day.people["elder"])
    if at == "5 09:40":
        assert sorted(told) == ["05 09:40 child check_in_well reply", "05 09:40 first check_in_well reply"]
    elif any("alert_raised" in line for line in before):
        assert {line.split(" ", 3)[3] for line in told} == {"alert_step well alert"}
        assert {line.split()[2] for line in told} == {"child", "first", "village", "visitor", "township"}
        assert await day.store.read(lambda tx: alerts.running_of(tx, day.ground.elder))  # a person ends it
    else:
        assert told == []
    assert await day.until("6 07:59") == []
    assert (await day.stands()).stage == "fine"


async def test_the_family_reaches_him_and_the_others_need_not_call(day: Day) -> None:
    await day.until("5 09:40")
    assert await day.does(checkins.reached, day.ground.elder, day.people["child"]) == [
        "05 09:40 first check_in_well reply"]
    assert await day.until("6 07:59") == []


async def test_the_family_cannot_reach_him_and_the_alert_is_raised_at_once(day: Day) -> None:
    await day.until("5 09:40")
    told = await day.does(checkins.not_reached, day.ground.elder, day.people["child"])
    assert sorted(told) == sorted(f"05 09:40 {who} alert_raised alert" for who in ("first", "village", "visitor"))
    assert await day.does(checkins.not_reached, day.ground.elder, day.people["first"]) == []
    assert sorted(await day.until("5 12:00")) == sorted([*rung("09:43", "child"), *rung("10:10")])


async def test_neither_night_nor_hour_holds_the_steps(day: Day) -> None:
    def late(tx: Tx) -> None:
        elder = elders.unscoped(tx, day.ground.elder)
        assert elder
        checkins.set_up(tx, elder, "23:30", day.people["visitor"], POLICIES, day.now)
    await day.store.run(late)
    told = await day.until("5 02:00")
    assert [line for line in told if "village" in line] == [
        f"05 {at} village alert_raised alert" for at in ("01:30", "01:33", "01:45")]
    assert "05 01:30 township alert_raised alert" in told  # at night at once
    assert [line.split()[1] for line in told if "check_in" in line] == ["23:30", "00:30", "01:00", "01:00"]
    assert await day.until("5 23:30") == ["05 23:30 elder check_in_ask reply"]


async def test_where_nobody_near_can_be_asked_the_alert_comes_in_their_place(day: Day) -> None:
    def nobody(tx: Tx) -> None:
        for name in ("first", "child"):
            people.suspend(tx, day.people[name], "operator", EVENING)
    await day.store.run(nobody)
    told = await day.until("5 09:30")
    assert sorted(told) == sorted([*ASKED, *AGAIN, *(f"05 09:30 {who} alert_raised alert" for who in (
        "village", "visitor"))])


@pytest.mark.parametrize("status", ["paused", "closed"])
async def test_who_is_away_or_whose_file_is_closed_is_not_asked_and_goes_on_when_he_is_back(
    day: Day, status: str
) -> None:
    def stands(new: str, why: str) -> Callable[[Tx], object]:
        scope = Scope(day.ground.coordinator, date(2026, 3, 5))
        return lambda tx: casework.stand(tx, scope, day.ground.elder, new, why, "2026-03-05", POLICIES, day.now)

    await day.until("5 09:10")
    await day.store.run(stands(status, "hospital" if status == "paused" else "moved"))
    assert await day.until("6 12:00") == []
    await day.store.run(stands("active", "recovered"))
    assert await day.until("7 08:00") == ["07 08:00 elder check_in_ask reply"]


# A machine that stood still


@pytest.mark.parametrize(("stops", "starts", "told"), [
    ("5 07:00", "5 09:30", ["05 09:30 elder check_in_ask reply"]),  # late by less than two hours: asked now
    ("5 07:00", "5 10:01", ["05 10:01 village check_in_skipped reminder"]),
    ("5 07:00", "8 07:00", ["08 07:00 village check_in_skipped reminder"]),
    ("5 08:30", "5 10:30", ["05 10:30 elder check_in_ask again reply"]),
    ("5 08:30", "5 11:01", ["05 11:01 village check_in_unanswered reply"]),
    ("5 09:40", "5 10:05", [line.replace("10:00", "10:05") for line in ALERT]),
    ("5 09:40", "5 11:00", []),  # first ten minutes in which answers come in
    ("5 09:40", "7 12:00", ["07 12:00 village check_in_unanswered reply"]),
])
async def test_what_is_done_after_standing_still(day: Day, stops: str, starts: str, told: list[str]) -> None:
    await day.until(stops)
    assert sorted(await day.until(starts, step=100_000)) == sorted(told)
    assert not any("alert_raised" in line for line in told) or starts == "5 10:05"


async def test_after_days_of_standing_still_no_alert_is_raised_and_the_next_day_is_asked_as_ever(day: Day) -> None:
    await day.until("5 09:10")
    await day.until("9 03:00", step=100_000)
    assert await day.until("9 08:00") == ["09 08:00 elder check_in_ask reply"]
    assert not any("alert_raised" in line for line in day.told)


@pytest.mark.parametrize("answers", [True, False])
async def test_an_answer_that_comes_in_after_standing_still_is_in_time_and_without_one_the_alert_follows(
    day: Day, answers: bool
) -> None:
    await day.until("5 09:40")
    await day.until("5 11:00", step=100_000)
    assert (await day.stands()).stage == "settling"
    if answers:
        await day.does(checkins.well, day.people["elder"])
    told = await day.until("5 11:10")
    assert told == [] if answers else {line.split(" ", 2)[2] for line in told} == {
        f"{who} alert_raised alert" for who in ("child", "first", "village", "visitor")}


async def test_a_clock_that_jumps_an_hour_tells_nothing_twice_and_leaves_no_step_out(day: Day) -> None:
    await day.until("5 08:10")
    day.now -= timedelta(hours=1)
    await day.until("5 08:10")
    await day.until("5 09:31")
    day.now += timedelta(hours=1)  # 10:31
    await day.sweep()
    day.now -= timedelta(hours=1)
    await day.until("5 12:00")
    kinds = [line.split(" ", 2)[2] for line in day.told]
    before, alerted = kinds[:4], [kind for kind in kinds if "alert_raised" in kind]
    assert len(before) == len(set(before)) and len(kinds) == len(before) + len(alerted)
    assert kinds[:2] == ["elder check_in_ask reply", "elder check_in_ask again reply"]
    assert set(kinds[2:4]) == {"child check_in_contact alert", "first check_in_contact alert"}
    assert sorted(alerted) == sorted(line.split(" ", 2)[2] for line in (*ALERT, *rung("10:03", "child"), *rung("10:30")))


# Answers that nobody waits for


async def test_an_answer_shortly_before_the_hour_counts_for_it_and_one_long_before_does_not(day: Day) -> None:
    await day.until("5 03:59")
    await day.does(checkins.well, day.people["elder"])
    assert (await day.stands()).stage == "waiting"
    await day.until("5 04:00")
    await day.does(checkins.well, day.people["elder"])
    assert await day.until("5 23:00") == []
    assert await day.until("6 08:00") == ["06 08:00 elder check_in_ask reply"]


async def test_who_is_not_well_is_told_of_in_any_case_and_once_with_what_it_is(day: Day) -> None:
    await day.until("5 08:10")
    elder = day.people["elder"]
    moment = await day.store.run(lambda tx: checkins.unwell(tx, elder, POLICIES, day.now))
    assert moment is not None
    await day.store.run(lambda tx: checkins.unwell_of(tx, elder, moment, "body", "身体不舒服", POLICIES, day.now))
    told = await day.until("5 08:20")
    assert sorted(line.split(" ", 2)[2] for line in told) == [f"{who} check_in_unwell reply" for who in (
        "first", "village", "visitor")]
    await day.until("6 08:10")
    before = len(day.told)
    await day.does(checkins.unwell, elder)
    assert len(day.told) == before  # he may say of what
    assert len(await day.until("6 08:12")) == 3
    assert await day.until("7 07:59") == []


async def test_a_call_for_help_is_an_alert_at_once_and_the_day_goes_no_further_by_itself(day: Day) -> None:
    await day.until("5 09:40")
    told = await day.does(checkins.call_help, day.people["elder"])
    assert sorted(told) == sorted(f"05 09:40 {who} alert_raised alert" for who in (
        "child", "first", "village", "visitor"))
    rest = await day.until("5 20:00")
    assert sorted(rest) == sorted([*rung("09:43", "child"), *rung("10:10")])


# His account, and who may set it up


async def test_who_has_no_account_yet_is_not_asked_and_of_a_blocked_one_the_coordinator_hears_once(day: Day) -> None:
    await day.store.run(lambda tx: accounts.blocked(tx, "test", "elder", day.now))
    assert await day.until("6 12:00") == ["05 08:00 village check_in_silent reminder"]
    await day.store.run(lambda tx: accounts.blocked(tx, "test", "elder", None))
    assert await day.until("7 08:00") == ["07 08:00 elder check_in_ask reply"]

    def unbind(tx: Tx) -> None:
        account, = accounts.of(tx, day.people["elder"])
        accounts.remove(tx, account, day.people["elder"], day.now)
    await day.store.run(unbind)
    before = len(day.told)
    await day.until("9 12:00")
    assert not [line for line in day.told[before:] if line.split()[1] == "08:00"]


async def test_once_it_is_off_nothing_more_is_told(day: Day) -> None:
    await day.until("5 09:40")
    assert await day.store.run(lambda tx: check_ins.turn_off(tx, day.ground.elder, "someone", day.now))
    assert await day.until("7 12:00") == []
    assert not await day.store.run(lambda tx: check_ins.turn_off(tx, day.ground.elder, "someone", day.now))


async def test_set_up_again_it_is_the_same_person_with_another_hour_and_who_moved_gets_a_new_one(day: Day) -> None:
    def again(tx: Tx) -> str:
        elder = elders.unscoped(tx, day.ground.elder)
        assert elder
        return checkins.set_up(tx, elder, "19:00", day.people["visitor"], POLICIES, day.now)

    def move(tx: Tx) -> None:
        casework.move(tx, Scope(day.ground.coordinator, date(2026, 3, 5)), day.ground.elder,
                      day.ground.other_village.id, "2026-03-05", POLICIES, day.now)

    assert await day.store.run(again) == day.people["elder"]
    assert await day.until("4 19:00") == ["04 19:00 elder check_in_ask reply"]
    await day.until("5 08:10")
    await day.store.run(move)
    assert await day.until("5 19:00") == ["05 19:00 elder check_in_ask reply"]  # he goes on being asked
    new = await day.store.run(again)
    assert new != day.people["elder"]
    old = await day.store.read(lambda tx: people.find(tx, day.people["elder"]))
    assert old is not None and old.status == "left"


async def test_given_a_later_hour_on_a_day_on_which_he_was_asked_he_is_asked_at_that_one_too(day: Day) -> None:
    await day.until("5 09:10")  # asked twice, then it came out that ten is a better hour
    await day.store.run(lambda tx: checkins.set_up(
        tx, _there(tx, day), "10:00", day.people["visitor"], POLICIES, day.now))
    assert await day.until("5 11:10") == ["05 10:00 elder check_in_ask reply", "05 11:00 elder check_in_ask again reply"]


def _there(tx: Tx, day: Day) -> elders.Elder:
    elder = elders.unscoped(tx, day.ground.elder)
    assert elder
    return elder


async def test_an_elder_sees_himself_and_nobody_else(day: Day) -> None:
    scope = Scope(day.people["elder"], date(2026, 3, 5))
    assert await day.store.read(lambda tx: elders.find(tx, scope, day.ground.elder)) is not None
    assert await day.store.read(lambda tx: elders.find(tx, scope, day.ground.other_elder)) is None
    assert await day.store.read(lambda tx: people.roles(tx, day.people["elder"])) == {"self"}


async def test_the_clock_finds_what_is_due_by_the_index(day: Day) -> None:
    lines = await day.store.run(plan(check_ins._DUE, {"at": 0, "count": 9}))
    if day.store.dialect == "sqlite":
        assert any("check_ins_next" in line for line in lines), lines


async def test_an_answer_is_not_lost_to_a_sweep_at_the_same_moment(day: Day) -> None:
    await day.until("5 08:59")
    day.now += timedelta(minutes=1)
    now, elder = day.now, day.people["elder"]
    await asyncio.gather(*(day.store.run(work) for work in (
        lambda tx: checkins.sweep(tx, now, POLICIES), lambda tx: checkins.well(tx, elder, POLICIES, now),
        lambda tx: checkins.sweep(tx, now, POLICIES))))
    assert (await day.stands()).stage == "fine"
    assert await day.until("6 07:59") == []
