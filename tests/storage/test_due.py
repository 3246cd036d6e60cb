"""Who is due, in which order, and for whom: by urgency, and those of one place together."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import update

from storage import assignments, due, elders, leaves, people, postponements, tables
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import STANDING, Ground, lay, new_elder

DAY = date(2026, 3, 20)
OPEN = replace(STANDING, remind_on="2026-03-24")


async def with_elders(store: Store, now: datetime, *files: tuple[str, dict[str, Any]]) -> Ground:
    """The ground without its own elders; each file by name with what is special about its row."""
    def work(tx: Tx) -> Ground:
        ground = lay(now)(tx)
        tx.run(update(tables.elders).values(status="closed"))
        for name, given in files:
            elder = elders.add(tx, new_elder(ground.village, name), OPEN, now)
            tx.run(update(tables.elders).where(tables.elders.c.id == elder).values(**given))
            assignments.entrust(tx, ground.visitor, elder, "visitor", "2026-01-01")
        return ground
    return await store.run(work)


async def names(store: Store, person: str, **how: Any) -> str:
    return " ".join(each.name for each in await store.read(
        lambda tx: due.page(tx, Scope(person, DAY), how.pop("count", 20), **how)))


async def test_the_most_urgent_come_first(store: Store, now: datetime) -> None:
    """Overdue, class, days left, last seen, needs, hazards: each decides where those before it are alike."""
    one = {"group_name": "1组"}
    ground = await with_elders(
        store, now,
        ("八", {"group_name": "8组", "due_until": "2026-03-31", "last_home_on": "2026-02-05"}),
        ("七", {"group_name": "7组", "due_until": "2026-03-31", "last_home_on": "2026-02-05", "open_hazards": 1}),
        ("六", {"group_name": "6组", "due_until": "2026-03-31", "last_home_on": "2026-02-05", "open_needs": 1}),
        ("五", {"group_name": "5组", "due_until": "2026-03-31", "last_home_on": "2026-01-05"}),
        ("四", {"group_name": "4组", "due_until": "2026-03-25", "last_home_on": "2026-02-05"}),
        ("三", {"group_name": "3组", "due_until": "2026-03-31", "care_class": "priority"}),
        ("二", {"group_name": "2组", "due_until": "2026-03-19"}),
        ("一", {**one, "due_until": "2026-03-19", "care_class": "priority"}))
    assert await names(store, ground.visitor) == "一 二 三 四 五 六 七 八"


async def test_those_of_a_group_stand_where_its_most_urgent_one_stands(store: Store, now: datetime) -> None:
    ground = await with_elders(
        store, now, ("甲", {"group_name": "1组", "due_until": "2026-03-31"}),
        ("乙", {"group_name": "2组", "due_until": "2026-03-25"}),
        ("丙", {"group_name": "1组", "due_until": "2026-03-19"}),
        ("丁", {"group_name": "3组", "due_until": "2026-03-24"}))
    assert await names(store, ground.visitor) == "丙 甲 丁 乙"
    assert await names(store, ground.visitor, count=2) == "丙 甲"
    assert await names(store, ground.visitor, count=2, skip=2) == "丁 乙"
    assert await names(store, ground.coordinator) == "丙 甲 丁 乙"
    assert await names(store, ground.other_visitor) == ""


@pytest.mark.parametrize("given", [
    {"status": "paused"}, {"wish": "unwilling"}, {"due_from": "2026-03-21"}, {"remind_on": None}])
async def test_who_is_not_waited_for_is_in_no_list_and_no_count(
    store: Store, now: datetime, given: dict[str, Any]
) -> None:
    ground = await with_elders(store, now, ("甲", {"due_until": "2026-03-19"}), ("乙", {"due_until": "2026-03-19", **given}))
    for overdue in (False, True):
        assert await names(store, ground.coordinator, overdue=overdue) == "甲"
        assert await store.read(lambda tx, o=overdue: due.count(  # type: ignore[misc]
            tx, Scope(ground.coordinator, DAY), overdue=o)) == 1


async def test_only_those_past_their_window_are_overdue(store: Store, now: datetime) -> None:
    ground = await with_elders(
        store, now, ("甲", {"due_until": "2026-03-19"}), ("乙", {"due_until": "2026-03-20"}))
    assert await names(store, ground.visitor, overdue=True) == "甲"


async def test_who_goes_leaves_out_who_is_away_and_counts_who_stands_in(store: Store, now: datetime) -> None:
    ground = await with_elders(store, now, ("甲", {"number": 51}), ("乙", {"number": 52}))
    scope = Scope(ground.coordinator, DAY)

    async def goers() -> list[tuple[str, int]]:
        return [(each.name, each.count) for each in await store.read(
            lambda tx: due.goers(tx, scope, village_id=ground.village.id))]
    assert await goers() == [("王强", 2)]
    leave = await store.run(lambda tx: leaves.add(
        tx, ground.visitor, "2026-03-20", "2026-03-20", ground.other_visitor, ground.visitor, now))
    assert await goers() == []

    def lend(tx: Tx) -> None:
        for elder, _, _ in assignments.visited(tx, ground.visitor, "2026-03-20", "2026-03-20"):
            assignments.lend(tx, ground.other_visitor, elder, "2026-03-20", "2026-03-20", "2026-03-20")
    await store.run(lend)
    assert await goers() == [("李军", 2)]
    await store.run(lambda tx: people.suspend(tx, ground.other_visitor, ground.coordinator, now))
    assert await goers() == []
    assert await store.run(lambda tx: leaves.withdraw(tx, leave))
    assert await goers() == [("王强", 2)]
    assert await store.read(lambda tx: due.goers(tx, Scope(ground.visitor, DAY), village_id=ground.village.id)) == []


async def test_what_a_person_put_off_is_not_in_his_list_of_the_day_but_in_the_coordinators(
    store: Store, now: datetime
) -> None:
    ground = await with_elders(store, now, ("甲", {"number": 51}), ("乙", {"number": 52}))
    scope = Scope(ground.visitor, DAY)

    def put_off(tx: Tx) -> None:
        first = due.page(tx, scope, 1)[0]
        postponements.add(tx, first.id, ground.visitor, date(2026, 3, 21), "busy", now)
    await store.run(put_off)
    own = await store.read(lambda tx: due.own(tx, scope, "2026-03-31", "", 9))
    assert [each.name for each in own] == ["乙"]
    tomorrow = await store.read(lambda tx: due.own(tx, Scope(ground.visitor, date(2026, 3, 21)), "2026-03-31", "", 9))
    assert [each.name for each in tomorrow] == ["甲", "乙"]
    assert await names(store, ground.coordinator) == "甲 乙"


async def test_what_is_lent_again_is_had_from_the_first_day_to_the_last(store: Store, now: datetime) -> None:
    ground = await store.run(lay(now))

    async def days() -> str:
        def work(tx: Tx) -> str:
            held = [day for day in range(1, 32) if elders.in_scope(
                tx, Scope(ground.other_visitor, date(2026, 3, day)), ground.elder)]
            return f"{held[0]}-{held[-1]} {len(held)}"
        return await store.read(work)
    lend = [("2026-03-05", "2026-03-09", "2026-03-05"), ("2026-03-07", "2026-03-12", "2026-03-05"),
            ("2026-03-06", "2026-03-08", "2026-03-05"), ("2026-03-15", "2026-03-16", "2026-03-12"),
            ("2026-03-20", "2026-03-21", "2026-03-17")]
    seen = []
    for first, last, today in lend:
        await store.run(lambda tx, f=first, t=last, d=today: assignments.lend(  # type: ignore[misc]
            tx, ground.other_visitor, ground.elder, f, t, d))
        seen.append(await days())
    assert seen == ["5-9 5", "5-12 8", "5-12 8", "5-16 12", "20-21 2"]
