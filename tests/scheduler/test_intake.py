"""Many files are opened at once, and nobody gets a second one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import select, update

from scheduler import casework, intake, policy
from scheduler.intake import Taken
from storage import areas, elders, people
from storage.database import Store, Tx
from storage.elders import Elder, NewElder
from storage.scope import Scope
from storage.tables import audit
from storage.tables import elders as elders_table

POLICY = policy.load()
CHEN = NewElder(
    village_id="", group_name="3组", name="陈玉", initials="cy", sex="female", birth="1940-05-12",
    categories=("living_alone", "empty_nest"), ability="mild", registered_on="2026-03-02", id_number="5105021940",
    phone="13800000001", facts={"address": "虚构路1号", "income": 900}, visits_made=7, earlier_visit_on="2026-02-20")
NEWER = [
    replace(CHEN, group_name="4组"), replace(CHEN, categories=("living_alone",)), replace(CHEN, ability="severe"),
    replace(CHEN, phone="13800000002"), replace(CHEN, facts={"income": 901}), replace(CHEN, visits_made=8),
    replace(CHEN, facts={"illnesses": "高血压"}), replace(CHEN, earlier_visit_on="2026-02-21"),
    replace(CHEN, disability_grade=2), replace(CHEN, name="陈钰"), replace(CHEN, registered_on="2026-01-05"),
]
LEAVING_OUT = [
    replace(CHEN, sex=None, ability="", phone="", facts={}), replace(CHEN, visits_made=3),
    replace(CHEN, group_name="", earlier_visit_on=None, visits_made=0), replace(CHEN, id_number=""),
    replace(CHEN, categories=("empty_nest", "living_alone")), replace(CHEN, registered_on=""),
]


class Place:
    """A township with two villages, and a coordinator who sees all of it."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.now = store, now

    async def settle(self) -> "Place":
        def work(tx: Tx) -> tuple[str, str, str]:
            township = areas.add(tx, None, "township", "云溪镇", self.now)
            first, second = (areas.add(tx, township, "village", name, self.now).id for name in ("建设村", "桂圆村"))
            return first, second, people.add(tx, township.id, "赵", ("township",), self.now).id

        self.first, self.second, self.coordinator = await self.store.run(work)
        return self

    async def opened(self, *files: NewElder) -> list[str]:
        return [each.outcome for each in await self.taken(files)]

    async def taken(self, files: Sequence[NewElder]) -> list[Taken]:
        settled = [new if new.village_id else replace(new, village_id=self.first) for new in files]
        return await self.store.run(lambda tx: intake.take(tx, settled, POLICY, "operator", self.now))

    async def elders(self) -> list[Elder]:
        scope = Scope(self.coordinator, date(2026, 3, 2))
        return await self.store.read(lambda tx: elders.due_first(tx, scope, 1000))

    async def audited(self) -> list[str]:
        return [row[0] for row in await self.store.read(lambda tx: tx.all(select(audit.c.entries)))]


@pytest.fixture
async def place(store: Store, now: datetime) -> Place:
    return await Place(store, now).settle()


def person(turn: int, *, village_id: str = "", with_id: bool = True) -> NewElder:
    return replace(CHEN, village_id=village_id, name=f"陈{chr(0x4E00 + turn)}",
                   id_number=f"5105021940{turn}" if with_id else "")


async def test_a_file_is_opened_with_its_class_window_and_the_visits_so_far(place: Place) -> None:
    assert await place.opened(CHEN) == ["new"]
    (elder,) = await place.elders()
    assert (elder.care_class, elder.due_from, elder.due_until) == ("priority", "2026-03-02", "2026-03-15")
    assert (elder.visits_made, elder.last_home_on) == (7, "2026-02-20")
    assert await place.store.run(lambda tx: elders.take_number(tx, elder.id)) == 8


async def test_files_are_numbered_on_in_each_village_in_the_order_they_come(place: Place) -> None:
    await place.opened(person(1), person(2, village_id=place.second), person(3))
    await place.opened(person(4, village_id=place.second), person(5))
    assert {(elder.name, elder.village, elder.number) for elder in await place.elders()} == {
        (person(1).name, "建设村", 1), (person(3).name, "建设村", 2), (person(5).name, "建设村", 3),
        (person(2).name, "桂圆村", 1), (person(4).name, "桂圆村", 2)}


async def test_a_second_time_opens_nothing_and_writes_nothing(place: Place) -> None:
    files = [person(turn, with_id=turn % 3 > 0) for turn in range(130)]
    assert set(await place.opened(*files)) == {"new"}
    before = (await place.elders(), await place.audited())
    assert set(await place.opened(*files)) == {"same"}
    assert (await place.elders(), await place.audited()) == before
    assert len(before[0]) == 130


@pytest.mark.parametrize("newer", NEWER)
async def test_a_file_that_says_more_differs_and_the_kept_one_stays_as_it_is(place: Place, newer: NewElder) -> None:
    await place.opened(CHEN)
    before = await place.elders()
    assert await place.opened(newer) == ["differs"]
    assert await place.elders() == before


@pytest.mark.parametrize("older", LEAVING_OUT)
async def test_what_a_file_leaves_out_or_is_behind_with_is_no_difference(place: Place, older: NewElder) -> None:
    await place.opened(CHEN)
    assert await place.opened(older) == ["same"]


async def test_a_file_without_a_filing_date_is_filed_today(place: Place) -> None:
    assert await place.opened(replace(CHEN, registered_on="")) == ["new"]
    (elder,) = await place.elders()
    assert (elder.registered_on, elder.due_from) == ("2026-03-02", "2026-03-02")


@pytest.mark.parametrize("together", [True, False], ids=["in one chunk", "in two chunks"])
async def test_who_goes_by_the_number_of_his_file_is_found_by_it_and_never_opened_anew(
        place: Place, together: bool) -> None:
    bare = replace(CHEN, name="陈某", id_number="", birth=None, sex=None)
    for _ in range(2):  # two of one name, as they are registered abroad
        await place.store.run(lambda tx: casework.register(tx, replace(bare, village_id=place.first), POLICY, place.now))
    lines = [replace(bare, number=1), replace(bare, number=2, facts={}), replace(bare, number=3),
             replace(bare, number=2, ability="severe", facts={})]
    parts = [lines] if together else [[line] for line in lines]
    assert [outcome for part in parts for outcome in await place.opened(*part)] == [
        "same", "same", "unknown", "differs"]


async def test_a_closed_file_that_a_ledger_still_lists_is_left_closed(place: Place) -> None:
    await place.opened(CHEN)
    await place.store.run(lambda tx: tx.run(update(elders_table).values(status="closed")))
    assert await place.opened(CHEN) == ["closed"]


async def test_an_id_number_of_another_village_is_told_and_opens_no_second_file(place: Place) -> None:
    await place.opened(CHEN)
    assert await place.taken([replace(CHEN, village_id=place.second)]) == [Taken("elsewhere", place.first)]
    assert await place.taken([person(1), person(1, village_id=place.second)]) == [
        Taken("new", place.first), Taken("elsewhere", place.first)]
    assert len(await place.elders()) == 2


@pytest.mark.parametrize("together", [True, False], ids=["in one chunk", "in two chunks"])
@pytest.mark.parametrize(("second", "outcome"), [
    (replace(CHEN, id_number=""), "same"),
    (CHEN, "differs"),
    (replace(CHEN, id_number="", birth="1940-05-13"), "new"),
    (replace(CHEN, id_number="", name="陈玉兰"), "new"),
])
async def test_without_an_id_number_the_village_name_and_birth_tell(
        place: Place, together: bool, second: NewElder, outcome: str) -> None:
    first = replace(CHEN, id_number="")
    if together:
        assert await place.opened(first, second) == ["new", outcome]
    else:
        assert await place.opened(first) + await place.opened(second) == ["new", outcome]


@pytest.mark.parametrize("together", [True, False], ids=["in one chunk", "in two chunks"])
async def test_two_people_of_one_name_and_birth_are_told_apart_by_their_id_numbers(
        place: Place, together: bool) -> None:
    twin = replace(CHEN, id_number="5105021941")
    if together:
        assert await place.opened(CHEN, twin) == ["new", "new"]
    else:
        assert await place.opened(CHEN) + await place.opened(twin) == ["new", "new"]


async def test_a_chunk_is_one_line_on_the_audit_chain_with_names_of_fields_and_no_values(place: Place) -> None:
    await place.opened(*[person(turn) for turn in range(20)])
    (line,) = await place.audited()
    assert '"operator","elders.import",""' in line
    assert '"id_number"' in line
    assert '"address"' in line
    assert not any(value in line for value in (CHEN.id_number, CHEN.phone, "虚构", "陈"))


async def test_chunks_written_at_once_give_no_number_twice(place: Place) -> None:
    chunks = [[person(turn) for turn in range(start, start + 10)] for start in (0, 10, 20, 30)]
    await asyncio.gather(*map(place.taken, chunks))
    assert sorted(elder.number for elder in await place.elders()) == list(range(1, 41))
