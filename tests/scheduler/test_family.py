"""From a child's word to the village and back, on both databases."""

from datetime import datetime, time, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from scheduler import calls, casework, family, holding, policy
from scheduler.family_notices import VisitTold
from storage import (
    accounts,
    alerts,
    assignments,
    contacts,
    elders,
    forms,
    outbox,
    people,
    requests,
    tables,
    tellings,
    visits,
)
from storage.contacts import Contact
from storage.database import Store, Tx
from storage.elders import Elder
from storage.ids import millis
from storage.scope import Scope
from storage.visits import Entry, Visit
from tests.storage.ground import DAY, Ground, lay

POLICIES = policy.load()
TODAY = DAY.isoformat()
ANSWERS = {"expression": "unchanged", "mood": "unchanged", "gas": "safe", "keep_from_family": ["none"]}


class House:
    """The ground with two children of the elder, all of whom can be written to."""

    def __init__(self, store: Store, ground: Ground, now: datetime) -> None:
        self.store, self.ground, self.now = store, ground, now
        self.children: dict[str, str] = {}

    async def settle(self) -> None:
        def work(tx: Tx) -> None:
            for name in ("李娜", "李涛"):
                person = people.add(tx, self.ground.village.id, name, ("family",), self.now).id
                assignments.entrust(tx, person, self.ground.elder, "family", "2026-01-01")
                calls.begin(tx, person, self.ground.elder, POLICIES.city, self.now)
                self.children[name] = person
            everybody = {**self.children, "王强": self.ground.visitor, "赵敏": self.ground.coordinator}
            for name, person in everybody.items():
                accounts.bind(tx, "test", name, name, person, self.now)
        await self.store.run(work)

    def elder(self, tx: Tx) -> Elder:
        found = elders.unscoped(tx, self.ground.elder)
        assert found is not None
        return found

    async def allow(self, name: str, *withheld: str) -> None:
        await self.store.run(lambda tx: tellings.add(
            tx, self.ground.elder, self.children[name], allowed=True, withheld=withheld, on_day=TODAY,
            by=self.ground.visitor, now=self.now))

    async def call(self, name: str, stamp: int, hours: float = 0) -> tuple[bool, str]:
        """A call in vain: whether it is new, and the alert that it led to."""
        at, child = self.now + timedelta(hours=hours), self.children[name]
        contact = Contact(contacts.id_of(child, self.ground.elder, stamp), self.ground.elder, child,
                          at.date().isoformat(), at, "phone", "unreachable", "")
        return await self.store.run(lambda tx: family.unreachable(tx, contact, self.elder(tx), POLICIES))

    async def visit(self, **given: Any) -> Visit:
        """A home visit of this day by the visitor."""
        def work(tx: Tx) -> Visit:
            entry = self.entry(**given)
            kept = casework.submit(tx, Scope(self.ground.visitor, DAY), entry, POLICIES, self.now)
            assert kept is not None
            made = visits.find(tx, self.ground.scope, kept.visit_id)
            assert made is not None
            family.visited(tx, made, kept.elder, POLICIES, self.now)
            return made
        return await self.store.run(work)

    async def correct(self, before: Visit, **given: Any) -> Visit:
        def work(tx: Tx) -> Visit:
            kept = casework.correct(tx, self.ground.scope, before, self.entry(**given), "写错", POLICIES, self.now)
            assert kept is not None
            after = visits.find(tx, self.ground.scope, kept.visit_id)
            assert after is not None
            family.corrected(tx, before, after, kept.elder, POLICIES, self.now)
            return after
        return await self.store.run(work)

    def entry(self, elder: str = "", on_day: str = TODAY, method: str = "home", **answers: Any) -> Entry:
        given = ANSWERS | answers
        return Entry(elder or self.ground.elder, "h", on_day, method, on_day < TODAY,
                     {question: [value, millis(self.now), "tap"] for question, value in given.items()}, "")

    async def told(self, *, send: bool = True) -> list[str]:
        """Who gets what now, by chat and kind; with `send` it counts as sent."""
        def work(tx: Tx) -> list[str]:
            found = []
            rows = tx.all(select(tables.outbox.c.id, tables.outbox.c.chat, tables.outbox.c.kind, tables.outbox.c.fields)
                          .where(tables.outbox.c.state == "waiting").order_by(tables.outbox.c.id))
            for row, chat, kind, fields in rows:
                more = orjson.loads(tx.keys.open(fields, "outbox.fields", row))
                mark = more.get("state") or ("again" if more.get("version", 1) > 1 else "late" if more.get("late") else "")
                found.append(f"{chat} {kind} {mark}".strip())
            if send:
                outbox.sent(tx, [(row[0], "1") for row in rows], self.now)
            return sorted(found)
        return await self.store.run(work)


@pytest.fixture
async def house(store: Store, now: datetime) -> House:
    ground = await store.run(lay(now))
    await store.run(lambda tx: forms.keep(tx, "h", "visit", "{}"))
    house = House(store, ground, now)
    await house.settle()
    return house


async def test_a_request_goes_to_the_visitor_and_the_village_once_however_often_it_is_pressed(house: House) -> None:
    me = house.children["李娜"]
    for told in (2, None, None):
        found = await house.store.run(lambda tx: family.ask_now(tx, house.elder(tx), me, POLICIES, house.now))
        assert found[1] == told
    assert await house.told() == ["王强 request_now", "赵敏 request_now"]


async def test_an_urgent_request_that_nobody_takes_in_time_goes_to_the_township_once(house: House) -> None:
    me = house.children["李娜"]
    found, _ = await house.store.run(lambda tx: family.ask_now(tx, house.elder(tx), me, POLICIES, house.now))
    await house.told()
    for hours, told in ((1.99, []), (2, ["赵敏 request_now late"]), (2.5, []), (30, [])):
        at = house.now + timedelta(hours=hours)
        for _ in range(2):
            await house.store.run(lambda tx, at=at: family.late(tx, at, POLICIES))
        assert await house.told() == told
    assert await house.store.run(lambda tx: requests.take(tx, found, house.ground.visitor, house.now))


@pytest.mark.parametrize(("due", "asked", "told"), [  # days from today and hours of the wall
    (1, 16, [(1, 23, []), (2, 0, []), (2, 8, ["赵敏"]), (2, 9, [])]),
    (0, 19, [(1, 0, []), (1, 8, []), (1, 18, []), (1, 19, ["赵敏"])]), (12, 9, [(12, 23, []), (13, 8, ["赵敏"])])])
async def test_a_request_for_a_day_that_is_over_goes_to_the_township_by_day_and_not_before_a_day_has_passed(
        house: House, due: int, asked: int, told: list[tuple[int, int, list[str]]]) -> None:
    def wall(day: int, hour: int) -> datetime:
        return datetime.combine(DAY + timedelta(days=day), time(hour, 1), POLICIES.city.zone)

    await house.store.run(lambda tx: family.ask(
        tx, house.elder(tx), "visit", (DAY + timedelta(days=due)).isoformat(), "", house.children["李娜"], POLICIES,
        wall(0, asked)))
    await house.told()
    for day, hour, who in told:
        at = wall(day, hour)
        await house.store.run(lambda tx, at=at: family.late(tx, at, POLICIES))
        left = await house.store.run(lambda tx, at=at: holding.take(tx, at, POLICIES.city))
        assert [row.chat for row in left] == who
        await house.store.run(lambda tx, left=left, at=at: outbox.sent(tx, [(row.id, "1") for row in left], at))


async def test_a_request_that_is_taken_does_not_go_to_the_township(house: House) -> None:
    me = house.children["李娜"]
    found, _ = await house.store.run(lambda tx: family.ask_now(tx, house.elder(tx), me, POLICIES, house.now))
    assert await house.store.run(lambda tx: family.take(
        tx, found, house.elder(tx), house.ground.visitor, POLICIES, house.now))
    await house.told()
    await house.store.run(lambda tx: family.late(tx, house.now + timedelta(hours=9), POLICIES))
    assert await house.told() == []


async def test_nobody_under_age_is_asked_to_go(house: House) -> None:
    def work(tx: Tx) -> int | None:
        student = people.add(tx, house.ground.village.id, "小周", ("visitor",), house.now, "student",
                             minor_until="2027-01-01").id
        assignments.entrust(tx, student, house.ground.elder, "visitor", "2026-01-01")
        accounts.bind(tx, "test", "小周", "小周", student, house.now)
        return family.ask_now(tx, house.elder(tx), house.children["李娜"], POLICIES, house.now)[1]
    assert await house.store.run(work) == 2
    assert await house.told() == ["王强 request_now", "赵敏 request_now"]


async def test_who_lets_go_has_the_others_asked_again(house: House) -> None:
    me, visitor = house.children["李娜"], house.ground.visitor
    found, _ = await house.store.run(lambda tx: family.ask_now(tx, house.elder(tx), me, POLICIES, house.now))
    await house.store.run(lambda tx: family.take(tx, found, house.elder(tx), visitor, POLICIES, house.now))
    assert "李娜 request_moved taken" in await house.told()
    assert await house.store.run(lambda tx: family.let_go(tx, found, house.elder(tx), visitor, POLICIES, house.now))
    assert await house.told() == ["李娜 request_moved open", "赵敏 request_now"]


async def test_a_visit_ends_every_request_up_to_its_day_and_tells_who_asked(house: House) -> None:
    await house.allow("李涛")
    for name in ("李娜", "李涛"):
        child = house.children[name]
        await house.store.run(lambda tx, child=child: family.ask_now(tx, house.elder(tx), child, POLICIES, house.now))
    await house.store.run(lambda tx: family.ask(
        tx, house.elder(tx), "visit", "2026-03-08", "", house.children["李娜"], POLICIES, house.now))
    await house.told()
    await house.visit(method="phone")
    assert [line for line in await house.told() if "request" in line] == []
    await house.visit()
    assert await house.told() == ["李娜 request_done", "李涛 request_done"]
    left = await house.store.read(lambda tx: requests.of_elder(tx, house.ground.scope, house.ground.elder))
    assert [each.due_on for each in left] == ["2026-03-08"]


async def test_a_second_call_in_vain_within_a_day_is_an_alert_whichever_child_called_first(house: House) -> None:
    assert await house.call("李娜", 1) == (True, "")
    assert await house.told() == []
    assert await house.call("李娜", 1, 0.1) == (False, "")  # the same button again
    assert await house.call("李涛", 2, 3) == (True, "A-0001")
    assert await house.told() == ["李娜 alert_raised", "王强 alert_raised", "赵敏 alert_raised"]
    assert await house.call("李娜", 3, 5) == (True, "A-0001")  # joins the alert that runs, hours later too
    assert await house.told() == ["李涛 alert_step", "王强 alert_step", "赵敏 alert_step"]


async def test_a_call_that_reached_him_between_two_in_vain_keeps_the_alert_away(house: House) -> None:
    await house.call("李娜", 1)
    child, at = house.children["李涛"], house.now + timedelta(hours=1)
    fine = Contact(contacts.id_of(child, house.ground.elder, 9), house.ground.elder, child, TODAY, at, "phone", "fine", "")
    assert await house.store.run(lambda tx: family.report(tx, fine, house.elder(tx), POLICIES))
    assert await house.call("李娜", 2, 2) == (True, "")
    assert await house.call("李娜", 3, 30) == (True, "")  # a day later it is the first again
    assert await house.told() == []


async def test_who_reaches_him_while_an_alert_runs_tells_those_who_know_of_it(house: House) -> None:
    await house.call("李娜", 1)
    await house.call("李娜", 2, 1)
    await house.told()
    child, at = house.children["李娜"], house.now + timedelta(hours=2)
    fine = Contact(contacts.id_of(child, house.ground.elder, 9), house.ground.elder, child, TODAY, at, "phone", "fine", "")
    assert await house.store.run(lambda tx: family.report(tx, fine, house.elder(tx), POLICIES))
    assert await house.told() == ["李涛 alert_step", "王强 alert_step", "赵敏 alert_step"]
    assert await house.store.read(lambda tx: alerts.running_of(tx, house.ground.elder)) is not None


async def test_only_children_to_whom_the_elder_said_yes_hear_of_a_visit(house: House) -> None:
    await house.allow("李娜")
    made = await house.visit()
    assert await house.told() == ["李娜 visit_told"]
    await house.visit(on_day=(DAY - timedelta(days=8)).isoformat())  # entered too late to be news
    assert await house.told() == []
    await house.correct(made, mood="worse")
    assert await house.told() == ["李娜 visit_told again"]


async def test_a_correction_before_anything_left_is_read_as_it_stands(house: House) -> None:
    await house.allow("李娜")
    made = await house.visit()
    await house.told(send=False)
    await house.correct(made, mood="worse")
    assert await house.told() == ["李娜 visit_told"]


async def test_a_correction_of_what_is_withheld_is_not_told(house: House) -> None:
    await house.allow("李娜", "mood")
    made = await house.visit()
    await house.told()
    await house.correct(made, mood="worse")
    assert await house.told() == []


async def test_a_visit_that_was_somebody_elses_is_unsaid(house: House) -> None:
    await house.allow("李娜")
    made = await house.visit()
    await house.told()
    await house.correct(made, elder=house.ground.other_elder)
    assert await house.told() == ["李娜 visit_untold"]


async def test_a_yes_that_is_taken_back_keeps_what_waits(house: House) -> None:
    await house.allow("李娜")
    made = await house.visit()
    notice = VisitTold(person=house.children["李娜"], elder=house.ground.elder, visit=made.visit_id)
    assert await house.store.read(lambda tx: notice.still_wanted(tx, DAY))
    await house.store.run(lambda tx: tellings.add(
        tx, house.ground.elder, house.children["李娜"], allowed=False, withheld=(), on_day=TODAY,
        by=house.ground.visitor, now=house.now + timedelta(minutes=1)))
    assert not await house.store.read(lambda tx: notice.still_wanted(tx, DAY))
    stranger = VisitTold(person=house.ground.visitor, elder=house.ground.elder, visit=made.visit_id)
    assert not await house.store.read(lambda tx: stranger.still_wanted(tx, DAY))


async def test_the_family_s_calls_never_meet_a_due_window(house: House) -> None:
    before = await house.store.read(house.elder)
    await house.call("李娜", 1)
    child = house.children["李娜"]
    fine = Contact(contacts.id_of(child, house.ground.elder, 2), house.ground.elder, child, TODAY, house.now, "video",
                   "fine", "")
    assert await house.store.run(lambda tx: family.report(tx, fine, house.elder(tx), POLICIES))
    assert await house.store.read(house.elder) == before
