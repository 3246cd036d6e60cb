"""The ledger of visits: numbers without gap, nothing overwritten, counted once."""

import asyncio
from datetime import datetime

import pytest

from storage import elders, visits
from storage.database import Store, Tx
from storage.visits import Outdated, Spent, Visit
from tests.storage.ground import DAY, STANDING, TAKEN, Ground, entry, lay, new_elder


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


async def submit(store: Store, ground: Ground, now: datetime, draft: str, elder: str = "") -> tuple[str, int]:
    return await store.run(
        lambda tx: visits.submit(tx, entry(elder or ground.elder, draft), ground.visitor, now), key=draft)


async def found(store: Store, ground: Ground, visit: str) -> Visit:
    newest = await store.read(lambda tx: visits.find(tx, ground.scope, visit))
    assert newest is not None
    return newest


async def test_visits_submitted_at_once_take_the_elders_numbers_without_gap_or_double(
    store: Store, ground: Ground, now: datetime
) -> None:
    kept = await asyncio.gather(*(submit(store, ground, now, f"d{n}") for n in range(40)))
    assert sorted(number for _, number in kept) == list(range(1, 41))
    assert await submit(store, ground, now, "another", ground.other_elder) == (
        (await store.read(lambda tx: visits.last(tx, ground.scope, ground.other_elder)))[0].visit_id, 1)


async def test_the_numbers_go_on_from_the_visits_made_before_this_system(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> tuple[str, int]:
        elder = elders.add(tx, new_elder(ground.village, "周素华", visits_made=17), STANDING, now)
        return visits.submit(tx, entry(elder, "d"), ground.visitor, now)
    assert (await store.run(work))[1] == 18


async def test_a_draft_becomes_one_visit_and_takes_one_number(store: Store, ground: Ground, now: datetime) -> None:
    outcomes = await asyncio.gather(*(
        store.run(lambda tx: visits.submit(tx, entry(ground.elder, "same"), ground.visitor, now)) for _ in range(4)),
        return_exceptions=True)
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, TAKEN) for outcome in outcomes) == 3
    assert (await submit(store, ground, now, "next"))[1] == 2


async def test_a_correction_is_a_new_version_under_the_same_number_with_who_and_why(
    store: Store, ground: Ground, now: datetime
) -> None:
    visit, number = await submit(store, ground, now, "d1")
    before = await found(store, ground, visit)
    better = entry(ground.elder, "d2", on_day="2026-03-01", answers={"mood": ["worse", 2, "tap"]})
    corrected = await store.run(lambda tx: visits.correct(tx, before, better, ground.coordinator, "记错", now))

    assert corrected == (visit, number)
    first, second = await store.read(lambda tx: visits.versions(tx, ground.scope, visit))
    assert (first.state, first.on_day, first.answers) == ("replaced", "2026-03-02", {"mood": ["same", 1, "tap"]})
    assert (second.state, second.on_day, second.answers) == ("current", "2026-03-01", {"mood": ["worse", 2, "tap"]})
    assert (second.written_by, second.reason, second.visitor_id) == (ground.coordinator, "记错", ground.visitor)
    assert (await submit(store, ground, now, "d3"))[1] == number + 1


async def test_a_visit_moved_to_another_elder_leaves_its_number_taken(
    store: Store, ground: Ground, now: datetime
) -> None:
    await submit(store, ground, now, "theirs", ground.other_elder)
    visit, _ = await submit(store, ground, now, "d1")
    before = await found(store, ground, visit)
    moved, number = await store.run(lambda tx: visits.correct(
        tx, before, entry(ground.other_elder, "d2"), ground.visitor, "认错人", now))

    assert number == 2
    assert (await found(store, ground, visit)).state == "moved"
    assert (await found(store, ground, moved)).elder_id == ground.other_elder
    assert await store.read(lambda tx: visits.last(tx, ground.scope, ground.elder)) == []
    assert (await submit(store, ground, now, "d3"))[1] == 2


async def test_a_void_visit_counts_nowhere_and_keeps_its_number(store: Store, ground: Ground, now: datetime) -> None:
    visit, _ = await submit(store, ground, now, "d1")
    before = await found(store, ground, visit)
    await store.run(lambda tx: visits.void(tx, before, ground.visitor, "没去", now))

    assert ((await found(store, ground, visit)).state, (await found(store, ground, visit)).reason) == ("void", "没去")
    assert await store.read(lambda tx: visits.last_days(tx, ground.elder)) == {}
    assert await store.read(lambda tx: visits.last(tx, ground.scope, ground.elder)) == []
    assert (await submit(store, ground, now, "d2"))[1] == 2


async def test_of_two_who_correct_the_same_version_the_second_is_told(
    store: Store, ground: Ground, now: datetime
) -> None:
    visit, _ = await submit(store, ground, now, "d1")
    before = await found(store, ground, visit)
    outcomes = await asyncio.gather(
        store.run(lambda tx: visits.correct(tx, before, entry(ground.elder, "a"), ground.visitor, "x", now)),
        store.run(lambda tx: visits.void(tx, before, ground.coordinator, "y", now)), return_exceptions=True)
    assert sum(isinstance(outcome, Outdated) for outcome in outcomes) == 1
    assert len(await store.read(lambda tx: visits.versions(tx, ground.scope, visit))) == 2


async def test_the_last_days_are_kept_by_method_and_answers_are_read_back_from_the_newest(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> tuple[dict[str, str], list[tuple[str, list[str]]]]:
        screened = {"sad": ["no", 1, "tap"]}
        for draft, day, method, answers in (("a", "2026-01-05", "home", screened), ("b", "2026-02-05", "phone", {}),
                                            ("c", "2026-02-01", "home", {})):
            visits.submit(tx, entry(ground.elder, draft, on_day=day, method=method, answers=answers), ground.visitor,
                          now)
        return visits.last_days(tx, ground.elder), [
            (day, list(answers)) for day, answers in visits.answers_back(tx, ground.elder)]
    assert await store.run(work) == ({"home": "2026-02-01", "phone": "2026-02-05"}, [
        ("2026-02-05", []), ("2026-02-01", []), ("2026-01-05", ["sad"])])


async def test_files_opened_at_once_in_a_village_get_different_numbers(
    store: Store, ground: Ground, now: datetime
) -> None:
    ids = await asyncio.gather(*(
        store.run(lambda tx: elders.add(tx, new_elder(ground.village), STANDING, now)) for _ in range(16)))
    listed = await store.read(lambda tx: elders.due_first(tx, ground.scope, 100))
    numbers = {elder.id: elder.number for elder in listed if elder.village == ground.village.name}
    assert sorted(numbers[elder] for elder in ids) == list(range(2, 18))
    assert ground.scope.day == DAY


async def test_only_time_that_is_known_of_visits_that_stand_is_counted(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        for draft, day, minutes in (("a", "2026-03-01", 30), ("b", "2026-03-02", 45), ("c", "2026-03-03", None),
                                    ("d", "2026-03-04", 60), ("e", "2026-03-05", 20)):
            visits.submit(tx, entry(ground.elder, draft, on_day=day, minutes=minutes), ground.visitor, now)
        visits.submit(tx, entry(ground.other_elder, "f", on_day="2026-03-03", minutes=500), ground.other_visitor, now)

    await store.run(work)
    dropped = next(each for each in await store.read(lambda tx: visits.last(tx, ground.scope, ground.elder, 9))
                   if each.on_day == "2026-03-04")
    await store.run(lambda tx: visits.void(tx, dropped, ground.visitor, "wrong", now))
    assert await store.read(lambda tx: visits.time_spent(tx, ground.visitor, "2026-03-02", "2026-03-05")) == Spent(2, 65)
    assert await store.read(lambda tx: visits.time_spent(tx, ground.visitor, "2026-04-01", "2026-04-30")) == Spent(0, 0)
