"""The weekly reminder to call, stepped through weeks on both databases: who is reminded when, and of what not."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import orjson
import pytest
from sqlalchemy import select

from scheduler import call_rules, calls, family, policy
from scheduler.family_notices import CallDue
from storage import accounts, assignments, call_plans, contacts, elder_files, elders, meta, people, tables, tellings
from storage.contacts import Contact
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import Ground, lay

POLICIES = policy.load()
ZONE = POLICIES.city.zone
BEGIN = date(2026, 3, 2)  # a Monday


def at(day: str, time: str = "00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZONE)


@pytest.fixture
async def ground(store: Store) -> Ground:
    return await store.run(lay(at("2026-03-02")))


async def child(store: Store, ground: Ground, name: str, *, account: bool = True, **chosen: object) -> str:
    """A child with his choices, as of the morning of the first day."""
    now = at("2026-03-02")

    def work(tx: Tx) -> str:
        person = people.add(tx, ground.village.id, name, ("family",), now).id
        assignments.entrust(tx, person, ground.elder, "family", "2026-01-01")
        plan = calls.begin(tx, person, ground.elder, POLICIES.city, now)
        wanted = {"weekday": plan.weekday, "at_time": plan.at_time, "shares": False, "summaries": "each"} | chosen
        calls.choose(tx, plan, POLICIES.city, now, **wanted)  # type: ignore[arg-type]
        if account:
            accounts.bind(tx, "test", name, name, person, now)
        return person
    return await store.run(work)


async def swept(store: Store, now: datetime) -> None:
    """Twice, as two processes or a restart would."""
    for _ in range(2):
        while await store.run(lambda tx: calls.sweep(tx, now, POLICIES)):
            pass


async def answer(store: Store, ground: Ground, person: str, now: datetime, outcome: str = "fine") -> None:
    def work(tx: Tx) -> None:
        elder = elders.unscoped(tx, ground.elder)
        assert elder is not None
        stamp = calls.begin(tx, person, ground.elder, POLICIES.city, now).stamp
        contact = Contact(contacts.id_of(person, elder.id, stamp), elder.id, person, now.date().isoformat(), now,
                          "phone", outcome, "")
        assert family.report(tx, contact, elder, POLICIES)
    await store.run(work)


async def sent(store: Store) -> list[str]:
    """Every reminder so far: day and hour of the wall, who, and whether it is the second one."""
    def read(tx: Tx) -> list[str]:
        rows = tx.all(select(tables.outbox.c.id, tables.outbox.c.fields, tables.outbox.c.created_at,
                             tables.outbox.c.chat).where(tables.outbox.c.kind == "call_due").order_by(tables.outbox.c.id))
        told = []
        for row, fields, made, chat in rows:
            notice = CallDue(**orjson.loads(tx.keys.open(fields, "outbox.fields", row)))
            wall = datetime.fromtimestamp(made / 1000, ZONE)
            told.append(f"{wall:%m-%d %H:%M} {chat}{' again' if notice.again else ''}")
        return told
    return await store.read(read)


async def stepped(store: Store, days: int, since: date = BEGIN, minutes: int = 30) -> None:
    """The clock runs at each half hour of so many days."""
    now = datetime(since.year, since.month, since.day, tzinfo=ZONE)
    end = now + timedelta(days=days)
    while now < end:
        await swept(store, now)
        now += timedelta(minutes=minutes)


async def test_weeks_of_three_children_go_as_each_chose(sqlite_store: Store) -> None:
    store = sqlite_store
    ground = await store.run(lay(at("2026-03-02")))
    anna = await child(store, ground, "anna", weekday=6, at_time="19:00")  # answers at once
    await child(store, ground, "bo", weekday=2, at_time="09:00")  # never answers
    await child(store, ground, "cai", account=False)  # cannot be written to
    for week in range(3):
        monday = BEGIN + timedelta(weeks=week)
        await stepped(store, 6, monday)
        await stepped(store, 1, monday + timedelta(days=6))
        await answer(store, ground, anna, at((monday + timedelta(days=6)).isoformat(), "23:45"))
    assert await sent(store) == [
        "03-04 09:00 bo", "03-06 09:00 bo again", "03-08 19:00 anna",
        "03-11 09:00 bo", "03-13 09:00 bo again", "03-15 19:00 anna",
        "03-18 09:00 bo", "03-20 09:00 bo again", "03-22 19:00 anna"]


async def test_children_who_share_turns_are_reminded_one_a_week_in_order(sqlite_store: Store) -> None:
    store = sqlite_store
    ground = await store.run(lay(at("2026-03-02")))
    for name, weekday in (("anna", 6), ("bo", 2), ("cai", 4)):
        await child(store, ground, name, weekday=weekday, shares=True, at_time="19:00")
    await child(store, ground, "dan", weekday=0, at_time="19:00")  # does not share
    await child(store, ground, "ed", weekday=0, at_time="19:00", shares=True, account=False)  # holds up nobody
    await stepped(store, 42, minutes=60)
    firsts = [line for line in await sent(store) if "again" not in line and "dan" not in line]
    weeks = [date(2026, int(line[:2]), int(line[3:5])).isocalendar().week for line in firsts]
    assert weeks == sorted(set(weeks))  # never two in one week
    assert [line.split()[-1] for line in firsts] == ["anna", "bo", "cai", "anna", "bo", "cai"]
    assert len([line for line in await sent(store) if "dan" in line and "again" not in line]) == 6


async def test_a_call_of_his_own_accord_settles_and_spares_the_reminder(store: Store, ground: Ground) -> None:
    anna = await child(store, ground, "anna", weekday=6, at_time="19:00")
    await answer(store, ground, anna, at("2026-03-08", "10:00"))
    await swept(store, at("2026-03-08", "19:00"))
    assert await sent(store) == []
    await swept(store, at("2026-03-15", "19:00"))
    assert await sent(store) == ["03-15 19:00 anna"]
    plan = await store.read(lambda tx: call_plans.find(tx, anna, ground.elder))
    assert plan is not None
    notice = CallDue(person=anna, elder=ground.elder, stamp=plan.stamp)
    assert await store.read(lambda tx: notice.still_wanted(tx, date(2026, 3, 15)))
    await answer(store, ground, anna, at("2026-03-15", "20:00"))
    assert not await store.read(lambda tx: notice.still_wanted(tx, date(2026, 3, 15)))
    await swept(store, at("2026-03-17", "19:00"))
    assert await sent(store) == ["03-15 19:00 anna"]


async def test_weeks_in_which_the_clock_stood_still_give_one_reminder(store: Store, ground: Ground) -> None:
    await child(store, ground, "anna", weekday=6, at_time="19:00")
    await swept(store, at("2026-04-01", "10:00"))
    assert await sent(store) == ["04-01 10:00 anna"]
    await swept(store, at("2026-04-03", "19:00"))
    await swept(store, at("2026-04-12", "19:00"))
    assert await sent(store) == ["04-01 10:00 anna", "04-03 19:00 anna again", "04-12 19:00 anna"]


async def test_a_clock_that_jumps_back_an_hour_reminds_nobody_twice(store: Store, ground: Ground) -> None:
    await child(store, ground, "anna", weekday=6, at_time="19:00")
    for time in ("19:00", "18:00", "18:30", "19:00", "19:30"):
        await swept(store, at("2026-03-08", time))
    assert await sent(store) == ["03-08 19:00 anna"]


async def test_who_is_at_hand_or_family_no_more_is_not_reminded(store: Store, ground: Ground) -> None:
    anna, bo = await child(store, ground, "anna"), await child(store, ground, "bo")
    dead = await child(store, ground, "cai")

    def work(tx: Tx) -> None:
        assignments.entrust(tx, anna, ground.elder, "first_contact", "2026-01-01")
        assignments.end(tx, bo, ground.elder, BEGIN)
        people.suspend(tx, dead, ground.coordinator, at("2026-03-02"))
    await store.run(work)
    await swept(store, at("2026-03-08", "19:00"))
    assert await sent(store) == []
    assert await store.read(lambda tx: call_plans.find(tx, bo, ground.elder)) is None
    assert await store.read(lambda tx: call_plans.find(tx, anna, ground.elder)) is not None


async def test_nobody_is_reminded_to_call_who_is_gone(store: Store, ground: Ground) -> None:
    await child(store, ground, "anna")
    await store.run(lambda tx: elder_files.set_condition(tx, ground.elder, "closed", "died", "2026-03-03", None))
    await swept(store, at("2026-03-08", "19:00"))
    assert await sent(store) == []


async def test_children_from_before_get_a_plan_once(store: Store, ground: Ground) -> None:
    now = at("2026-03-02")

    def work(tx: Tx) -> list[str]:
        made = []
        for n in range(calls.CHUNK + 5):
            person = people.add(tx, ground.village.id, f"c{n}", ("family",), now).id
            assignments.entrust(tx, person, ground.elder, "family", "2026-01-01")
            made.append(person)
        return made
    made = await store.run(work)
    while await store.run(lambda tx: calls.plans(tx, now, POLICIES)):
        pass
    plans = await store.read(lambda tx: call_plans.of_elder(tx, ground.elder))
    assert sorted(plan.person_id for plan in plans) == sorted(made)
    assert {(plan.weekday, plan.at_time, plan.summaries) for plan in plans} == {(6, "19:00", "each")}
    assert await store.read(lambda tx: meta.get(tx, calls.PLANNED)) == "done"


@pytest.mark.parametrize(("weekday", "time", "after", "slot"), [
    (6, "19:00", "2026-03-08T18:59", "2026-03-08T19:00"), (6, "19:00", "2026-03-08T19:00", "2026-03-15T19:00"),
    (0, "09:00", "2026-12-31T12:00", "2027-01-04T09:00"), (1, "09:00", "2028-02-28T12:00", "2028-02-29T09:00"),
    (6, "21:00", "2026-03-08T19:00", "2026-03-08T19:30"), (6, "21:00", "2026-03-08T20:00", "2026-03-15T19:30")])
def test_the_next_slot_is_the_first_after_and_in_range(weekday: int, time: str, after: str, slot: str) -> None:
    now = datetime.fromisoformat(after).replace(tzinfo=ZONE)
    assert calls.next_slot(weekday, time, now, POLICIES.city) == datetime.fromisoformat(slot).replace(tzinfo=ZONE)


@pytest.mark.parametrize(("wanted", "kept"), [("06:00", "09:00"), ("12:00", "12:00"), ("23:00", "19:30")])
def test_an_hour_outside_the_policy_is_brought_within(wanted: str, kept: str) -> None:
    assert POLICIES.city.calls.within(wanted) == kept


def test_a_policy_whose_hour_lies_outside_its_own_range_is_refused() -> None:
    with pytest.raises(ValueError, match="between"):
        call_rules.Calls.model_validate(POLICIES.city.calls.model_dump() | {"at": "21:00"})


async def told_of_month(store: Store, now: datetime) -> list[str]:
    for _ in range(2):
        while await store.run(lambda tx: calls.month(tx, now, POLICIES)):
            pass
    rows = await store.read(lambda tx: tx.all(select(
        tables.outbox.c.chat, tables.outbox.c.not_before).where(tables.outbox.c.kind == "month_told")))
    return [f"{chat} {datetime.fromtimestamp(at / 1000, ZONE):%m-%d %H:%M}" for chat, at in rows]


async def test_a_month_is_told_on_its_first_morning_to_those_who_want_that(store: Store, ground: Ground) -> None:
    anna = await child(store, ground, "anna", summaries="monthly")
    await child(store, ground, "bo", summaries="each")
    await child(store, ground, "cai", summaries="emergency")
    await store.run(lambda tx: tellings.add(tx, ground.elder, anna, allowed=True, withheld=(), on_day="2026-03-02",
                                            by=ground.visitor, now=at("2026-03-02")))
    assert await told_of_month(store, at("2026-03-31", "23:59")) == []
    assert await told_of_month(store, at("2026-04-01")) == ["anna 04-01 09:00"]
    assert await told_of_month(store, at("2026-04-01", "12:00")) == ["anna 04-01 09:00"]
    assert await told_of_month(store, at("2026-05-03", "12:00")) == ["anna 04-01 09:00", "anna 05-03 12:00"]


async def test_what_a_child_chooses_holds_at_once(store: Store, ground: Ground) -> None:
    anna = await child(store, ground, "anna", weekday=6, at_time="19:00")
    now = at("2026-03-03", "12:00")

    def work(tx: Tx) -> None:
        plan = call_plans.find(tx, anna, ground.elder)
        assert plan is not None
        chosen = calls.choose(tx, plan, POLICIES.city, now, weekday=3, at_time="05:00", shares=False,
                              summaries="emergency")
        assert chosen == replace(plan, weekday=3, at_time="09:00", summaries="emergency", next_at=at("2026-03-05", "09:00"))
    await store.run(work)
    await swept(store, at("2026-03-05", "09:00"))
    await swept(store, at("2026-03-08", "19:00"))
    assert await sent(store) == ["03-05 09:00 anna", "03-08 19:00 anna again"]


async def test_a_reminder_is_for_the_own_elder_only(store: Store, ground: Ground) -> None:
    anna = await child(store, ground, "anna")
    notice = CallDue(person=anna, elder=ground.other_elder, stamp=1)
    assert not await store.read(lambda tx: notice.still_wanted(tx, BEGIN))
    assert await store.read(lambda tx: elders.find(tx, Scope(anna, BEGIN), ground.other_elder)) is None


async def test_the_operator_sees_why_without_a_name(store: Store, ground: Ground) -> None:
    anna = await child(store, ground, "anna")
    said = await store.read(lambda tx: [CallDue(person=anna, elder=ground.elder, stamp=1, again=again).why(tx, BEGIN)
                                        for again in (False, True)])
    assert said == ["file 1 of 石岭村, time to call", "file 1 of 石岭村, not answered yet"]
