"""What a family reports and asks for, on both databases: once only, one winner, and nobody else's matters."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from storage import assignments, call_plans, contacts, needs, people, requests, tables, tellings
from storage.contacts import Contact
from storage.database import Store, Tx
from storage.requests import Request
from storage.scope import Scope
from tests.storage.ground import DAY, Ground, lay

TODAY = DAY.isoformat()


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


async def child_of(store: Store, ground: Ground, name: str, now: datetime) -> str:
    def work(tx: Tx) -> str:
        person = people.add(tx, ground.village.id, name, ("family",), now).id
        assignments.entrust(tx, person, ground.elder, "family", "2026-01-01")
        return person
    return await store.run(work)


def call(child: str, ground: Ground, stamp: int, outcome: str, at: datetime, words: str = "") -> Contact:
    return Contact(contacts.id_of(child, ground.elder, stamp), ground.elder, child, at.date().isoformat(), at, "phone",
                   outcome, words)


def request_of(tx: Tx, ground: Ground, child: str, now: datetime, due: str = TODAY, **given: bool) -> Request:
    found = requests.find(tx, ground.scope, requests.add(tx, ground.elder, "visit", due, child, now, **given))
    assert found is not None
    return found


async def test_an_asking_is_answered_once_whatever_is_tapped_afterwards(
        store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    given = ("fine", "trouble", "unreachable", "fine")
    added = await asyncio.gather(*(
        store.run(lambda tx, outcome=outcome: contacts.add(tx, call(child, ground, 7, outcome, now)))
        for outcome in given))
    assert sorted(added) == [False, False, False, True]
    kept = await store.read(lambda tx: contacts.mine(tx, Scope(child, DAY), ground.elder, 9))
    assert [each.outcome for each in kept] == [given[added.index(True)]]


async def test_a_child_reads_only_his_own_calls(store: Store, ground: Ground, now: datetime) -> None:
    one, other = await child_of(store, ground, "李娜", now), await child_of(store, ground, "李涛", now)
    kept = call(one, ground, 1, "trouble", now, "和邻居吵架")
    await store.run(lambda tx: contacts.add(tx, kept))
    assert await store.read(lambda tx: contacts.find(tx, Scope(one, DAY), kept.id)) == kept
    assert await store.read(lambda tx: contacts.find(tx, Scope(other, DAY), kept.id)) is None
    assert await store.read(lambda tx: contacts.mine(tx, Scope(other, DAY), ground.elder, 9)) == []
    assert not await store.run(lambda tx: contacts.set_method(tx, other, kept.id, "video"))


async def test_beside_the_visits_stands_how_often_the_children_called_and_the_last(
        store: Store, ground: Ground, now: datetime) -> None:
    one, other = await child_of(store, ground, "李娜", now), await child_of(store, ground, "李涛", now)
    for child, days, outcome in ((one, 40, "fine"), (one, 9, "fine"), (other, 2, "unreachable"), (one, 5, "trouble")):
        await store.run(lambda tx, child=child, days=days, outcome=outcome: contacts.add(
            tx, call(child, ground, days, outcome, now - timedelta(days=days))))
    since = (DAY - timedelta(days=30)).isoformat()
    found = await store.read(lambda tx: contacts.beside(tx, Scope(ground.visitor, DAY), ground.elder, since))
    assert found is not None
    assert (found.count, found.name, found.outcome) == (3, "李涛", "unreachable")
    stranger = Scope(ground.other_visitor, DAY)
    assert await store.read(lambda tx: contacts.beside(tx, stranger, ground.elder, since)) is None


@pytest.mark.parametrize(("outcomes", "count"), [
    (["unreachable"], 1), (["unreachable", "unreachable"], 2), (["unreachable", "fine", "unreachable"], 1),
    (["unreachable", "trouble"], 0), (["fine", "unreachable", "unreachable"], 2)])
async def test_calls_in_vain_are_counted_since_somebody_reached_him(
        store: Store, ground: Ground, now: datetime, outcomes: list[str], count: int) -> None:
    one, other = await child_of(store, ground, "李娜", now), await child_of(store, ground, "李涛", now)
    for hour, outcome in enumerate(outcomes):
        await store.run(lambda tx, hour=hour, outcome=outcome: contacts.add(
            tx, call((one, other)[hour % 2], ground, hour, outcome, now + timedelta(hours=hour))))
    last = now + timedelta(hours=len(outcomes) - 1)
    found = await store.read(lambda tx: contacts.in_vain(tx, ground.elder, last - timedelta(hours=24), last))
    assert found == count
    late = now + timedelta(hours=40)
    assert await store.read(lambda tx: contacts.in_vain(tx, ground.elder, late - timedelta(hours=24), late)) == 0


async def test_of_two_who_say_that_they_go_one_wins(store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    asked = await store.run(lambda tx: request_of(tx, ground, child, now, late_at=now + timedelta(hours=2)))
    taken = await asyncio.gather(*(store.run(lambda tx, by=by: requests.take(tx, asked, by, now), key=by)
                                   for by in (ground.visitor, ground.coordinator) * 4))
    assert sorted(map(len, taken)) == [0] * 7 + [1]
    found = await store.read(lambda tx: requests.find(tx, ground.scope, asked.id))
    assert found is not None
    assert (found.state, found.taken_by in (ground.visitor, ground.coordinator)) == ("taken", True)


async def test_who_goes_goes_for_every_child_who_asked_by_that_day_and_for_none_later(
        store: Store, ground: Ground, now: datetime) -> None:
    one, other = await child_of(store, ground, "李娜", now), await child_of(store, ground, "李涛", now)
    hers = await store.run(lambda tx: request_of(tx, ground, one, now, late_at=now + timedelta(hours=2)))
    his = await store.run(lambda tx: request_of(tx, ground, other, now, late_at=now + timedelta(hours=2)))
    later = await store.run(lambda tx: request_of(tx, ground, other, now, "2026-03-08"))
    taken = await store.run(lambda tx: requests.take(tx, hers, ground.visitor, now))
    assert sorted(taken) == sorted([(hers.id, one), (his.id, other)])
    done = await store.run(lambda tx: requests.seen_to(tx, ground.elder, TODAY, ground.visitor, now))
    assert sorted(done) == sorted([(hers.id, one), (his.id, other)])
    left = await store.read(lambda tx: requests.of_elder(tx, ground.scope, ground.elder))
    assert [each.id for each in left] == [later.id]


async def test_a_request_that_was_let_go_can_be_taken_by_another(store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    asked = await store.run(lambda tx: request_of(tx, ground, child, now, late_at=now + timedelta(hours=2)))
    await store.run(lambda tx: requests.take(tx, asked, ground.visitor, now))
    assert not await store.run(lambda tx: requests.let_go(tx, asked, ground.coordinator, now))
    assert await store.run(lambda tx: requests.let_go(tx, asked, ground.visitor, now))
    assert await store.run(lambda tx: requests.take(tx, asked, ground.coordinator, now))


async def test_an_ended_request_stays_as_it_ended(store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    asked = await store.run(lambda tx: request_of(tx, ground, child, now))
    assert not await store.run(lambda tx: requests.withdraw(tx, asked, ground.visitor, now))  # not his
    assert await store.run(lambda tx: requests.withdraw(tx, asked, child, now))
    for again in (lambda tx: requests.withdraw(tx, asked, child, now), lambda tx: requests.done(tx, asked, child, now),
                  lambda tx: requests.decline(tx, asked, child, "不行", now),
                  lambda tx: requests.take(tx, asked, ground.visitor, now)):
        assert not await store.run(again)
    found = await store.read(lambda tx: requests.find(tx, ground.scope, asked.id))
    assert found is not None
    assert (found.state, found.answer) == ("withdrawn", "")


async def test_a_request_is_seen_by_those_who_see_the_elder(store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    asked = await store.run(lambda tx: request_of(tx, ground, child, now))
    for who, seen in ((ground.visitor, True), (ground.coordinator, True), (ground.other_visitor, False)):
        scope = Scope(who, DAY)
        assert (await store.read(lambda tx, scope=scope: requests.find(tx, scope, asked.id)) is not None) == seen
        total, page = await store.read(lambda tx, scope=scope: requests.waiting(tx, scope, 9))
        assert (total, [each.id for each in page]) == ((1, [asked.id]) if seen else (0, []))


async def test_a_contact_has_one_need_and_the_elder_counts_those_not_closed(
        store: Store, ground: Ground, now: datetime) -> None:
    def opened(tx: Tx) -> int:
        return int(tx.all(select(tables.elders.c.open_needs).where(tables.elders.c.id == ground.elder))[0][0])

    first = await store.run(lambda tx: needs.add(tx, ground.elder, "contact", "c1", "膝盖疼", ground.visitor, now))
    assert await store.run(lambda tx: needs.add(tx, ground.elder, "contact", "c1", "又", ground.visitor, now)) is None
    await store.run(lambda tx: needs.add(tx, ground.elder, "visit", "c1", "灶坏了", ground.visitor, now))
    assert await store.read(opened) == 2
    need = await store.read(lambda tx: needs.find(tx, ground.scope, first or ""))
    assert need is not None
    assert not await store.run(lambda tx: needs.close(tx, need, "好了", ground.coordinator, now))  # no measure yet
    assert await store.run(lambda tx: needs.arrange(tx, need, "村医", ground.visitor, TODAY, ground.coordinator, now))
    assert not await store.run(lambda tx: needs.arrange(tx, need, "别的", ground.visitor, TODAY, ground.visitor, now))
    theirs = await store.read(lambda tx: needs.waiting(tx, Scope(ground.visitor, DAY), 9))
    assert [each.id for each in theirs[1]] == [first]  # he answers for that one
    assert await store.run(lambda tx: needs.close(tx, need, "好了", ground.visitor, now))
    assert not await store.run(lambda tx: needs.close(tx, need, "又好", ground.visitor, now))
    assert await store.read(opened) == 1
    after = await store.read(lambda tx: needs.find(tx, ground.scope, need.id))
    assert after is not None
    assert (after.state, after.measure, after.outcome) == ("closed", "村医", "好了")


async def test_of_what_an_elder_said_the_newest_day_counts_not_what_was_written_last(
        store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    scope = Scope(child, DAY)
    assert await store.read(lambda tx: tellings.newest(tx, scope, ground.elder, child)) is None
    for allowed, day in ((True, "2026-02-20"), (False, "2026-02-10")):
        await store.run(lambda tx, allowed=allowed, day=day: tellings.add(
            tx, ground.elder, child, allowed=allowed, withheld=("mood", "home"), on_day=day, by=ground.visitor, now=now))
    found = await store.read(lambda tx: tellings.newest(tx, scope, ground.elder, child))
    assert found is not None
    assert (found.allowed, found.withheld, found.asker) == (True, {"mood", "home"}, "王强")
    stranger = Scope(ground.other_visitor, DAY)
    assert await store.read(lambda tx: tellings.newest(tx, stranger, ground.elder, child)) is None


async def test_of_two_sweeps_one_moves_a_plan(store: Store, ground: Ground, now: datetime) -> None:
    child = await child_of(store, ground, "李娜", now)
    plan = call_plans.Plan(child, ground.elder, 6, "19:00", False, "each", now)
    assert await store.run(lambda tx: call_plans.begin(tx, plan))
    assert not await store.run(lambda tx: call_plans.begin(tx, plan))
    assert await store.read(lambda tx: call_plans.due(tx, now - timedelta(seconds=1), 9)) == []
    assert await store.read(lambda tx: call_plans.due(tx, now, 9)) == [plan]
    moved = await asyncio.gather(*(store.run(lambda tx: call_plans.asked(tx, plan, now + timedelta(days=2), now))
                                   for _ in range(3)))
    assert sorted(moved) == [False, False, True]


