"""Pauses, closed files and moves, on both databases: what is owed afterwards, and who still finds whom."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from scheduler import casework, notices, pauses
from scheduler import policy as policies
from scheduler.notices import LifeChanged, MovedHere, VisitDue
from storage import accounts, assignments, elder_files, elders, erasing, people, reviews, ties, visits
from storage.database import Store, Tx
from storage.elder_files import Wish
from storage.elders import Elder
from storage.scope import Scope
from tests.storage.ground import DAY, STANDING, Ground, entry, lay, new_elder

POLICY = policies.load()


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


def seen(tx: Tx, ground: Ground, day: date = DAY) -> Elder:
    found = elders.find(tx, Scope(ground.coordinator, day), ground.elder)
    assert found is not None
    return found


@pytest.mark.parametrize(("back", "due"), [
    ("2026-03-10", ("2026-03-10", "2026-03-15")),  # still in the window that was open before
    ("2026-03-20", ("2026-03-20", "2026-03-31")), ("2026-06-02", ("2026-06-02", "2026-06-15"))])
async def test_what_fell_into_a_pause_is_not_owed_and_stays_so_when_anything_is_derived_anew(
    store: Store, ground: Ground, now: datetime, back: str, due: tuple[str, str]
) -> None:
    def work(tx: Tx) -> None:
        visits.submit(tx, entry(ground.elder, "d", on_day="2026-02-20"), ground.visitor, now)
        casework.stand(tx, ground.scope, ground.elder, "paused", "hospital", "2026-03-05", POLICY, now)
        then = datetime.fromisoformat(f"{back}T09:00+08:00")
        casework.stand(tx, ground.scope, ground.elder, "active", "recovered", back, POLICY, then)
        casework.recompute(tx, ground.scope, seen(tx, ground), POLICY, then)
        found = seen(tx, ground)
        assert (found.due_from, found.due_until) == due
    await store.run(work)


async def test_a_reminder_already_queued_is_not_wanted_for_who_is_paused_closed_or_unwilling(
    store: Store, ground: Ground, now: datetime
) -> None:
    reminder = VisitDue(person=ground.visitor, elder=ground.elder, due_until="2999-12-31")

    def work(tx: Tx) -> None:
        assert reminder.still_wanted(tx, DAY)
        for status, why in (("paused", "hospital"), ("closed", "died")):
            casework.stand(tx, ground.scope, ground.elder, status, why, "2026-03-01", POLICY, now)  # type: ignore[arg-type]
            assert not reminder.still_wanted(tx, DAY)
        casework.stand(tx, ground.scope, ground.elder, "active", "recovered", "2026-03-01", POLICY, now)
        assert reminder.still_wanted(tx, DAY)
        elder_files.keep_wish(tx, ground.elder, Wish("unwilling", "duty", "2026-03-01", ground.visitor), now)
        assert not reminder.still_wanted(tx, DAY)
    await store.run(work)


async def test_a_closed_file_is_found_by_name_by_its_coordinator_only(
    store: Store, ground: Ground, now: datetime
) -> None:
    visitor = Scope(ground.visitor, DAY)

    def work(tx: Tx) -> None:
        casework.stand(tx, ground.scope, ground.elder, "closed", "died", "2026-03-01", POLICY, now)
        assert elders.closed_named(tx, visitor, "张桂芳", 9) == []
        assert [each.id for each in elders.closed_named(tx, ground.scope, "张桂芳", 9)] == [ground.elder]
        assert elders.named(tx, visitor, "张桂芳", 9) == elders.named(tx, ground.scope, "张桂芳", 9) == []
    await store.run(work)


async def test_a_file_that_moves_takes_number_and_visits_along_and_leaves_who_cared_for_it_but_the_family(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        village = people.add(tx, ground.other_village.id, "孙村", ("village",), now).id
        child = people.add(tx, ground.village.id, "李娜", ("family",), now).id
        assignments.entrust(tx, child, ground.elder, "family", "2026-01-01")
        accounts.bind(tx, "test", "1", "1", village, now)
        visits.submit(tx, entry(ground.elder, "d"), ground.visitor, now)
        moved = casework.move(tx, ground.scope, ground.elder, ground.other_village.id, "2026-03-01", POLICY, now)
        assert moved is not None
        assert (moved.village, moved.number, moved.visits_made, moved.group_name) == ("河坝村", 2, 1, "")
        assert "address" in moved.missing.split()
        assert elders.find(tx, Scope(ground.visitor, DAY), ground.elder) is None
        assert elders.find(tx, Scope(child, DAY), ground.elder) is not None
        assert ties.visiting(tx, ground.elder, DAY.isoformat()) == []
        told = LifeChanged(person=ground.visitor, elder=ground.elder, what="moved", seen_on=DAY.isoformat())
        assert told.still_wanted(tx, DAY)
        here = MovedHere(person=village, elder=ground.elder)
        assert notices.confirmers(tx, ground.other_village.id, "village") == [village]
        assert here.still_wanted(tx, DAY)
        assignments.entrust(tx, ground.other_visitor, ground.elder, "visitor", "2026-03-01")
        assert not here.still_wanted(tx, DAY)
    await store.run(work)


async def test_a_coordinator_of_the_old_village_alone_moves_a_file_out_and_its_standing_is_right(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        old = people.add(tx, ground.village.id, "周村", ("village",), now).id
        casework.move(tx, Scope(old, DAY), ground.elder, ground.other_village.id, "2026-03-01", POLICY, now)
        assert elders.find(tx, Scope(old, DAY), ground.elder) is None
        assert "address" in seen(tx, ground).missing.split()
    await store.run(work)


async def test_a_child_who_is_first_contact_is_told_nothing_by_the_bot(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> list[str]:
        child = people.add(tx, ground.village.id, "李娜", ("family", "first_contact"), now).id
        assignments.entrust(tx, child, ground.elder, "family", "2026-01-01")
        assignments.entrust(tx, child, ground.elder, "first_contact", "2026-01-01")
        return ties.visiting(tx, ground.elder, DAY.isoformat())
    assert await store.run(work) == [ground.visitor]


async def test_who_was_to_be_back_is_due_again_from_the_day_after_once(
    store: Store, ground: Ground, now: datetime
) -> None:
    def swept(tx: Tx, day: date) -> bool:
        return pauses.sweep(tx, now + (day - DAY), POLICY)

    def work(tx: Tx) -> None:
        casework.stand(tx, ground.scope, ground.elder, "paused", "away", "2026-03-01", POLICY, now,
                       until="2026-03-20")
        casework.stand(tx, ground.scope, ground.other_elder, "paused", "away", "2026-03-01", POLICY, now)
        swept(tx, date(2026, 3, 20))
        assert seen(tx, ground).status == "paused"
        for _ in range(2):
            assert not swept(tx, date(2026, 3, 21))
        found = seen(tx, ground)
        assert (found.status, found.due_from, found.due_until) == ("active", "2026-03-21", "2026-03-31")
        other = elders.find(tx, ground.scope, ground.other_elder)
        assert other is not None and other.status == "paused"  # nobody said until when
    await store.run(work)


async def test_a_clock_that_comes_late_moves_nobodys_return(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        casework.stand(tx, ground.scope, ground.elder, "paused", "away", "2026-03-01", POLICY, now, until="2026-03-10")
        pauses.sweep(tx, now + (date(2026, 3, 18) - DAY), POLICY)
        found = seen(tx, ground)
        assert (found.due_from, found.due_until) == ("2026-03-11", "2026-03-15")
    await store.run(work)


async def test_files_come_up_again_by_time_the_oldest_first_and_only_ones_own(
    store: Store, ground: Ground, now: datetime
) -> None:
    visitor = Scope(ground.visitor, DAY)

    def work(tx: Tx) -> None:
        elder_files.reviewed(tx, ground.elder, "2025-08-01")
        elder_files.reviewed(tx, ground.other_elder, "2025-07-01")
        for scope, found in ((ground.scope, [ground.other_elder, ground.elder]), (visitor, [ground.elder])):
            assert [each.id for each in reviews.old(tx, scope, "2025-08-01", 9)] == found
            assert reviews.old_count(tx, scope, "2025-08-01") == len(found)
        assert reviews.old_count(tx, visitor, "2025-07-31") == 0
        elder_files.keep_wish(tx, ground.elder, Wish("unwilling", "duty", "2026-01-01", None), now)
        elder_files.keep_wish(tx, ground.elder, Wish("undecided", "duty", "2026-02-01", None), now)
        assert reviews.ask_again_count(tx, visitor, "2026-01-31") == 0
        assert [each.id for each in reviews.ask_again(tx, visitor, "2026-02-01", 9)] == [ground.elder]
        elder_files.keep_wish(tx, ground.elder, Wish("willing", "consent", "2026-02-02", None), now)
        assert reviews.ask_again_count(tx, visitor, "2026-12-31") == 0
    await store.run(work)


async def test_a_refusal_that_came_with_a_spreadsheet_is_asked_again_from_the_filing_on(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        file = replace(new_elder(ground.village, "甲"), wish="unwilling")  # filed on 1 January, nobody knows when asked
        elder = elders.add(tx, file, STANDING, now)
        assert reviews.ask_again_count(tx, ground.scope, "2025-12-31") == 0
        assert [each.id for each in reviews.ask_again(tx, ground.scope, "2026-01-01", 9)] == [elder]
    await store.run(work)


async def test_what_was_said_before_the_last_time_is_history_and_moves_nothing(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        assert elder_files.keep_wish(tx, ground.elder, Wish("unwilling", "duty", "2026-03-01", None), now)
        assert not elder_files.keep_wish(tx, ground.elder, Wish("willing", "consent", "2026-02-01", None), now)
        assert seen(tx, ground).wish == "unwilling"
        assert [each.wish for each in elder_files.wishes_of(tx, ground.elder)] == ["unwilling", "willing"]
        assert elder_files.keep_wish(tx, ground.elder, Wish("undecided", "duty", "2026-03-01", None), now)
        assert seen(tx, ground).wish == "undecided"
    await store.run(work)


async def test_of_who_is_erased_no_wish_is_kept(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        erasing.erase(tx, ground.elder, ground.coordinator, DAY, now)
        assert not elder_files.keep_wish(tx, ground.elder, Wish("unwilling", "duty", "2026-03-01", None), now)
        assert (seen(tx, ground).wish, elder_files.wishes_of(tx, ground.elder)) == ("", [])
    await store.run(work)
