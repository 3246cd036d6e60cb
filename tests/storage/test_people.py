"""Who works here: found by name, kind, organisation and village in one's own area; a status from the one shown."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from storage import people, tables
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import DAY, Ground, lay

SINCE = DAY.isoformat()


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    def work(tx: Tx) -> Ground:
        ground = lay(now)(tx)
        for name, kind, organisation in (("周敏", "volunteer", "石岭志愿者协会"), ("吴刚", "short_term_volunteer", ""),
                                         ("百分%之", "student", "泸州职院")):
            people.add(tx, ground.village.id, name, ("visitor",), now, kind, organisation)
        people.add(tx, ground.other_village.id, "周涛", ("village",), now)
        return ground
    return await store.run(work)


@pytest.mark.parametrize(("text", "kinds", "found"), [
    ("周", (), ["周敏", "周涛"]), ("周敏", (), ["周敏"]), ("协会", (), ["周敏"]), ("志愿者", ("volunteer",), ["周敏"]),
    ("甲", ("volunteer", "short_term_volunteer"), ["吴刚", "周敏"]), ("河坝村", (), ["周涛", "李军"]), ("村", (), []),
    ("%", (), ["百分%之"]), ("_", (), []), ("石岭", ("student",), ["周敏", "百分%之"])])
async def test_those_are_found_who_are_called_so_are_of_the_kind_or_work_there(
        store: Store, ground: Ground, text: str, kinds: tuple[str, ...], found: list[str]) -> None:
    total, page = await store.read(lambda tx: people.search_held(tx, ground.scope, text, kinds, 9))
    assert sorted(each.person.name for each in page) == sorted(found) and total == len(found)


async def test_a_search_is_paged_and_ends_at_the_own_area(store: Store, ground: Ground) -> None:
    def found(tx: Tx, person: str, text: str, skip: int = 0) -> tuple[int, list[str]]:
        total, page = people.search_held(tx, Scope(person, DAY), text, ("volunteer", "student"), 1, skip)
        return total, [each.person.name for each in page]

    (total, first), (_, second) = [await store.read(lambda tx, n=n: found(tx, ground.coordinator, "甲", n))  # type: ignore[misc]
                                   for n in (0, 1)]
    assert total == 2 and sorted(first + second) == ["周敏", "百分%之"]
    next_door = await store.read(lambda tx: people.named(tx, "周涛"))
    assert await store.read(lambda tx: found(tx, next_door[0], "甲")) == (0, [])
    assert await store.read(lambda tx: found(tx, next_door[0], "周")) == (1, ["周涛"])
    assert await store.read(lambda tx: found(tx, ground.visitor, "周")) == (0, []), "a visitor coordinates nobody"


async def test_a_status_is_written_from_the_one_that_was_shown(store: Store, ground: Ground, now: datetime) -> None:
    who, by = ground.visitor, ground.coordinator

    def work(tx: Tx) -> None:
        assert people.suspend(tx, who, by, now, reason="手机丢了", since=SINCE)
        assert not people.suspend(tx, who, by, now, reason="又一次", since=SINCE), "somebody was quicker"
        assert people.why_suspended(tx, who) == "手机丢了"
        assert not people.activate(tx, who, by, now, shown="left", since=SINCE)
        assert people.suspend(tx, who, by, now, leaves=True, shown="suspended", since=SINCE)
        assert not people.activate(tx, who, by, now, shown="suspended", since=SINCE)
        found = people.find(tx, who)
        assert found and (found.status, found.status_since, people.why_suspended(tx, who)) == ("left", SINCE, "")
        assert people.activate(tx, who, by, now, shown="left", since="2026-03-03")
        again = people.find(tx, who)
        assert again and (again.status, again.status_since) == ("active", "2026-03-03")
    await store.run(work)


async def test_why_somebody_is_suspended_is_sealed(store: Store, ground: Ground, now: datetime) -> None:
    await store.run(lambda tx: people.suspend(tx, ground.visitor, ground.coordinator, now, reason="酒后上门"))
    row = await store.read(lambda tx: tx.one(select(tables.people.c.status_reason).where(
        tables.people.c.status_reason.is_not(None))))
    assert row and "酒后上门".encode() not in bytes(row[0])


async def test_what_is_changed_of_somebody_stands_on_the_chain_by_name(
        store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> tuple[list[str], list[str]]:
        before = people.find(tx, ground.visitor)
        assert before
        after = replace(before, visitor_kind="student", organisation="职院", service="陪着说话",
                        minor_until="2027-01-01", guardian_consent_on="2026-03-01")
        changed = people.revise(tx, before, after, ground.coordinator, now)
        assert people.find(tx, ground.visitor) == after
        return changed, people.revise(tx, after, after, ground.coordinator, now)

    changed, same = await store.run(work)
    assert changed == ["visitor_kind", "minor_until", "guardian_consent_on", "organisation", "service"] and same == []
