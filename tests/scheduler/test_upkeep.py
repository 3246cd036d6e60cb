"""Classes change overnight: by a birthday, or by another policy. Stepped day by day."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from scheduler import cadence, casework, policy, tick, upkeep
from scheduler.policy import Policies
from storage import assignments, audit, elder_files, elders, meta, tables
from storage.database import Store, Tx
from storage.elders import Elder, NewElder
from storage.scope import Scope
from tests.storage.ground import Ground, entry, lay

POLICIES = policy.load()


def at(day: str) -> datetime:
    """Nine in the morning in Luzhou."""
    return datetime.fromisoformat(f"{day}T01:00:00").replace(tzinfo=UTC)


async def registered(store: Store, on_day: str, birth: str | None, categories: list[str], policies: Policies = POLICIES,
                     **given: Any) -> tuple[Ground, str]:
    def work(tx: Tx) -> tuple[Ground, str]:
        ground = lay(at(on_day))(tx)
        elder = casework.register(tx, NewElder(ground.village.id, "3组", "罗玉兰", "lyl", "female", birth, categories,
                                               "intact", on_day, **given), policies, at(on_day))
        assignments.entrust(tx, ground.visitor, elder, "visitor", on_day)
        return ground, elder
    return await store.run(work)


async def swept(store: Store, now: datetime, policies: Policies = POLICIES) -> int:
    """How many units of work the sweep takes until there is no more to do."""
    for times in range(1, 1000):
        if not await store.run(lambda tx: upkeep.classes(tx, now, policies)):
            return times
    raise AssertionError("the sweep does not end")


async def seen(store: Store, ground: Ground, elder: str) -> Elder:
    found = await store.read(lambda tx: elders.find(tx, ground.scope, elder))
    assert found is not None
    return found


def visit(ground: Ground, elder: str, day: str) -> Callable[[Tx], object]:
    return lambda tx: casework.submit(tx, Scope(ground.visitor, date.fromisoformat(day)),
                                      entry(elder, f"d{day}", on_day=day), POLICIES, at(day))


@pytest.mark.parametrize(("birth", "turns"), [
    ("1946-03-20", "2026-03-20"), ("1946-03-01", "2026-03-01"), ("1948-02-29", "2028-02-29")])
async def test_who_lives_alone_becomes_priority_on_the_eightieth_birthday(store: Store, birth: str, turns: str) -> None:
    day = date.fromisoformat(turns) - timedelta(days=40)
    ground, elder = await registered(store, day.isoformat(), birth, ["living_alone"])
    for _ in range(60):
        day += timedelta(days=1)
        await swept(store, at(day.isoformat()))
        found = await seen(store, ground, elder)
        assert found.care_class == ("priority" if day.isoformat() >= turns else "general"), day


async def test_born_on_29_february_he_comes_of_an_odd_age_on_1_march(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("old_age = 78", encoding="utf-8")
    younger = policy.load(path)
    ground, elder = await registered(store, "2026-02-01", "1948-02-29", ["living_alone"], younger)
    await swept(store, at("2026-02-28"), younger)
    assert (await seen(store, ground, elder)).care_class == "general"
    await swept(store, at("2026-03-01"), younger)
    assert (await seen(store, ground, elder)).care_class == "priority"


async def test_the_birthday_begins_at_midnight_in_luzhou(store: Store) -> None:
    ground, elder = await registered(store, "2026-03-01", "1946-03-20", ["living_alone"])
    midnight = datetime(2026, 3, 19, 16, 0, tzinfo=UTC)
    await swept(store, midnight - timedelta(seconds=1))
    assert (await seen(store, ground, elder)).care_class == "general"
    await swept(store, midnight)
    assert (await seen(store, ground, elder)).care_class == "priority"


@pytest.mark.parametrize(("visited", "before", "after"), [
    # nothing of the month is missed: the half month of the birthday is the first that counts
    ("2026-02-25", "2026-03-01 2026-03-31", "2026-03-20 2026-03-31"),
    ("2026-03-03", "2026-04-01 2026-04-30", "2026-03-20 2026-03-31"),
    # seen in that half month already
    ("2026-03-17", "2026-04-01 2026-04-30", "2026-04-01 2026-04-15"),
    # a month was missed before: it stays owed, as the month that it was
    ("2026-01-31", "2026-02-01 2026-02-28", "2026-02-01 2026-02-28"),
])
async def test_no_half_month_before_the_birthday_is_owed(store: Store, visited: str, before: str, after: str) -> None:
    ground, elder = await registered(store, "2026-01-05", "1946-03-20", ["living_alone"])
    await store.run(visit(ground, elder, visited))
    for day, window in (("2026-03-19", before), ("2026-03-20", after), ("2026-03-31", after)):
        await swept(store, at(day))
        found = await seen(store, ground, elder)
        assert f"{found.due_from} {found.due_until}" == window, day
    await store.run(visit(ground, elder, "2026-03-31"))
    assert (await seen(store, ground, elder)).due_until == "2026-04-15"


@pytest.mark.parametrize(("birth", "categories", "until"), [
    ("1946-03-20", ["living_alone"], "2026-03-20"), ("1946-03-20", ["living_alone", "childless_alone"], "2026-03-20"),
    ("1940-03-20", ["living_alone"], None), ("1946-03-02", ["living_alone"], None), ("1946-03-20", ["empty_nest"], None),
    (None, ["living_alone"], None), ("1948-02-29", ["living_alone"], "2028-02-29")])
def test_the_next_birthday_that_decides_something_is_known(birth: str | None, categories: list[str],
                                                           until: str | None) -> None:
    born = date.fromisoformat(birth) if birth else None
    found = cadence.classify(categories, born, "intact", None, date(2026, 3, 2), POLICIES.city)
    assert found.until == (date.fromisoformat(until) if until else None)


async def test_a_second_sweep_does_nothing_and_the_chain_says_what_the_first_did(store: Store) -> None:
    _, elder = await registered(store, "2026-02-01", "1946-03-20", ["living_alone"])
    await swept(store, at("2026-03-20"))
    lines = await store.read(lambda tx: audit.about(tx, elder, 9, audit.NEWEST))
    told = [each for line in lines for each in line.entries if each.action == "elder.derive"]
    # registered on 1 February and never seen: that month stays owed
    assert [(each.actor, each.fields) for each in told] == [("clock", ("care_class",))]
    head = await store.read(audit.head)
    assert await swept(store, at("2026-03-20")) == 1
    assert await swept(store, at("2026-03-21")) == 1
    assert await store.read(audit.head) == head


async def test_a_closed_file_is_left_alone(store: Store) -> None:
    ground, elder = await registered(store, "2026-02-01", "1946-03-20", ["living_alone"])
    await store.run(lambda tx: elder_files.set_condition(tx, elder, "closed", "died", "2026-03-01"))
    assert await swept(store, at("2026-03-01")) < 5
    assert await swept(store, at("2026-03-20")) == 1
    assert (await seen(store, ground, elder)).care_class == "general"


async def test_another_policy_moves_every_class_once_in_chunks_and_goes_on_after_a_kill(
        store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "CHUNK", 3)
    ground, _ = await registered(store, "2026-02-01", "1950-01-01", ["living_alone"])
    more = NewElder(ground.village.id, "3组", "甲", "j", "male", "1951-01-01", ["living_alone"], "intact", "2026-02-01")
    for number in range(20, 28):
        await store.run(lambda tx, n=number: casework.register(  # type: ignore[misc]
            tx, replace(more, name=f"甲{n}", number=n), POLICIES, at("2026-02-01")))
    await swept(store, at("2026-02-02"))
    path = tmp_path / "p.toml"
    path.write_text("old_age = 70", encoding="utf-8")
    other = policy.load(path)

    async def old() -> int:
        found = await store.read(lambda tx: elders.due_first(tx, ground.scope, 99))
        return sum(each.care_class == "priority" and each.name.startswith(("甲", "罗")) for each in found)

    assert await old() == 0
    assert await store.run(lambda tx: upkeep.classes(tx, at("2026-02-03"), other))  # a chunk, and then a kill
    after_one = await old()
    assert 0 < after_one < 9
    assert await swept(store, at("2026-02-03"), other) < 5  # it goes on where it was
    assert await old() == 9
    assert await swept(store, at("2026-02-03"), other) == 1
    assert await store.run(lambda tx: upkeep.classes(tx, at("2026-02-04"), POLICIES))  # and back
    await swept(store, at("2026-02-04"))
    assert await old() == 0


async def test_files_from_before_the_list_of_what_is_missing_get_theirs_once(store: Store) -> None:
    ground, elder = await registered(store, "2026-02-01", "1950-01-01", ["empty_nest"], phone="13912345678")
    whole = (await seen(store, ground, elder)).missing
    await store.run(lambda tx: tx.run(update(tables.elders).values(missing="")))
    # the classes of all of them were derived by this very policy, before
    await store.run(lambda tx: meta.put(tx, upkeep.DERIVED_BY, POLICIES.digest))
    await swept(store, at("2026-02-02"))
    found = (await seen(store, ground, elder)).missing
    assert found == whole and "id_number" in found.split() and "phone" not in found.split()
    assert await swept(store, at("2026-02-03")) == 1


async def test_a_window_too_short_to_be_owed_gives_way_to_the_next_when_it_is_over(store: Store) -> None:
    ground, elder = await registered(store, "2026-01-30", "1956-03-20", ["empty_nest"])
    assert (await seen(store, ground, elder)).due_until == "2026-01-31"
    await swept(store, at("2026-01-31"))
    assert (await seen(store, ground, elder)).due_until == "2026-01-31"
    await swept(store, at("2026-02-01"))
    found = await seen(store, ground, elder)
    assert (found.due_from, found.due_until, found.remind_on) == ("2026-02-01", "2026-02-28", "2026-02-21")


async def test_one_sweep_that_fails_does_not_keep_the_others(store: Store) -> None:
    done = []

    def broken(tx: Tx, now: datetime, policies: Policies) -> bool:
        raise ZeroDivisionError

    def counting(tx: Tx, now: datetime, policies: Policies) -> bool:
        done.append(now)
        return len(done) < 3

    assert await tick.tick(store, at("2026-03-01"), POLICIES, {"a": broken, "b": counting}) == ["a"]
    assert done == [at("2026-03-01")] * 3


async def test_a_dry_run_says_what_would_change_and_keeps_nothing(store: Store) -> None:
    ground, elder = await registered(store, "2026-02-01", "1946-03-20", ["living_alone"])
    await tick.tick(store, at("2026-03-19"), POLICIES)
    before = await seen(store, ground, elder), await store.read(audit.head)
    found = await tick.dry_run(store, at("2026-03-20"), POLICIES)
    lines = found.lines()
    assert lines[:2] == ["2026-03-20 09:00", "  classes"]
    assert any(line.endswith(" elders changed") for line in lines)
    assert f"    elder.derive {elder} care_class" in lines
    assert (await seen(store, ground, elder), await store.read(audit.head)) == before
    await tick.tick(store, at("2026-03-20"), POLICIES)
    assert (await seen(store, ground, elder)).care_class == "priority"
