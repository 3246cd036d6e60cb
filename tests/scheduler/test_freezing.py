"""Freezing: once, in portions, whatever happens later; and counted again from the raw log it is the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.recounting import differences
from scheduler import casework, freezing, policy
from scheduler.figures import Month, Numbers
from storage import areas, campaigns, elder_files, erasing, figures, forms, meta, people, visits
from storage.areas import Area
from storage.campaigns import NewCampaign
from storage.database import Store, Tx
from storage.elder_files import Wish
from storage.elders import NewElder
from storage.scope import Scope
from storage.tables import figures as figures_table
from storage.visits import Entry

POLICIES = policy.load()
ZONE = ZoneInfo("Asia/Shanghai")
OCTOBER = Month(2026, 10)


def at(text: str) -> datetime:
    """A day of 2026, MM-DD, with the hour behind it where it is not nine in the morning."""
    day, _, hour = text.partition(" ")
    return datetime.fromisoformat(f"2026-{day}T{hour or '09:00'}").replace(tzinfo=ZONE)


class County:
    """A township with two villages and a coordinator; its clock is moved by the test, and sweeps as it goes."""

    def __init__(self, store: Store, places: list[Area], coordinator: str) -> None:
        self.store, self.places, self.coordinator = store, places, coordinator
        self.now = at("09-28")
        self.named: dict[str, str] = {}
        self.drafts = 0

    async def moves_to(self, now: datetime) -> None:
        self.now = now
        while await self.store.run(lambda tx: freezing.sweep(tx, now, POLICIES)):
            pass

    @property
    def scope(self) -> Scope:
        return Scope(self.coordinator, self.now.astimezone(ZONE).date())

    async def registers(self, name: str, village: int = 0, **given: object) -> str:
        new = NewElder(self.places[village].id, "3组", name, "x", "female", "1950-01-01", ["empty_nest"], "intact",
                       self.now.astimezone(ZONE).date().isoformat())
        found = await self.store.run(lambda tx: casework.register(
            tx, replace(new, **given), POLICIES, self.now))  # type: ignore[arg-type]
        self.named[name] = found
        return found

    def entry(self, elder: str, day: str, method: str = "home") -> Entry:
        self.drafts += 1
        return Entry(elder, "h", day, method, False, {}, f"d{self.drafts}")

    async def visits(self, elder: str, day: str, method: str = "home") -> str:
        entry = self.entry(elder, f"2026-{day}", method)
        kept = await self.store.run(lambda tx: casework.submit(tx, self.scope, entry, POLICIES, self.now))
        assert kept is not None
        return kept.visit_id

    async def frozen(self, month: Month = OCTOBER) -> dict[tuple[str, str], Numbers]:
        """By the village's name and class."""
        def query(tx: Tx) -> dict[tuple[str, str], Numbers]:
            return {(place.name, each.care_class): Numbers(**each.numbers) for place in self.places
                    for each in figures.frozen(tx, place.path, str(month))}
        return await self.store.read(query)

    async def same_again(self) -> int:
        """How many months were counted again; every number must be what it was."""
        months = 0
        async for month, lines in differences(self.store, POLICIES):
            assert lines == [], month
            months += 1
        return months


@pytest.fixture
async def county(store: Store) -> County:
    def work(tx: Tx) -> tuple[list[Area], str]:
        now = at("09-28")
        town = areas.add(tx, None, "township", "云溪镇", now)
        forms.keep(tx, "h", "visit", "{}")
        return ([areas.add(tx, town, "village", name, now) for name in ("建设村", "河坝村")],
                people.add(tx, town.id, "赵敏", ("township",), now).id)
    return County(store, *await store.run(work))


async def test_a_month_is_frozen_in_the_night_of_its_cut_off_and_not_before(county: County) -> None:
    elder = await county.registers("甲")
    await county.visits(elder, "09-28")
    await county.moves_to(at("10-20"))
    await county.visits(elder, "10-20")
    await county.moves_to(at("11-04 01:59"))
    assert await county.frozen() == {}
    await county.moves_to(at("11-04 02:00"))
    assert await county.frozen() == {("建设村", "general"): Numbers(met=1, home=1)}
    assert await county.same_again() == 2  # September, in which the first file was opened, and October


async def test_after_months_of_standing_still_each_is_frozen_as_it_was_at_its_own_cut_off(county: County) -> None:
    elder = await county.registers("甲")
    county.now = at("10-20")
    await county.visits(elder, "10-20")
    county.now = at("11-10")
    await county.visits(elder, "10-21")
    await county.moves_to(at("12-20"))
    assert await county.frozen() == {("建设村", "general"): Numbers(met=1, home=1)}
    assert await county.frozen(Month(2026, 11)) == {("建设村", "general"): Numbers(missed=1)}
    assert await county.store.read(lambda tx: meta.get(tx, freezing.FROZEN)) == "2026-11"


async def test_what_comes_later_leaves_the_frozen_numbers_alone(county: County) -> None:
    seen, late, gone, moved = [await county.registers(name) for name in ("甲", "乙", "丙", "丁")]
    county.now = at("10-20")
    visit = await county.visits(seen, "10-20")
    await county.visits(moved, "10-20")
    await county.moves_to(at("11-05"))
    before = await county.frozen()
    assert before == {("建设村", "general"): Numbers(met=2, missed=2, home=2)}
    await county.visits(late, "10-19")

    def afterwards(tx: Tx) -> None:
        kept = visits.find(tx, county.scope, visit)
        assert kept is not None
        casework.void(tx, county.scope, kept, "写错", POLICIES, county.now)
        casework.stand(tx, county.scope, gone, "closed", "died", "2026-10-09", POLICIES, county.now)
        casework.move(tx, county.scope, moved, county.places[1].id, "2026-10-01", POLICIES, county.now)
        erasing.erase(tx, gone, "op", county.scope.day, county.now)

    await county.store.run(afterwards)
    assert await county.frozen() == before
    assert await county.same_again() == 2


async def test_who_moved_at_the_end_of_a_month_is_counted_where_he_lived_then_also_where_that_is_said_later(
        county: County) -> None:
    moved, later = [await county.registers(name) for name in ("甲", "乙")]
    county.now = at("11-02")

    def move(tx: Tx) -> None:
        for elder, day in ((moved, "2026-10-30"), (later, "2026-11-01")):
            casework.move(tx, county.scope, elder, county.places[1].id, day, POLICIES, county.now)
    await county.store.run(move)
    await county.moves_to(at("11-05"))
    assert await county.frozen() == {("建设村", "general"): Numbers(missed=1), ("河坝村", "general"): Numbers(missed=1)}
    assert await county.same_again() == 2


def epidemic(county: County, village: int, first_on: str) -> NewCampaign:
    return NewCampaign("epidemic", "流感", county.places[village].id, first_on, "2026-11-30", "epidemic", ("phone",),
                       remote=True)


async def test_remote_visits_count_where_an_epidemic_was_declared_in_time_and_not_where_it_was_later(
        county: County) -> None:
    here, next_door = await county.registers("甲"), await county.registers("乙", 1)
    county.now = at("10-09")
    await county.store.run(lambda tx: campaigns.add(
        tx, epidemic(county, 0, "2026-10-09"), county.coordinator, county.now, "open"))
    county.now = at("10-12")
    for elder in (here, next_door):
        await county.visits(elder, "10-12", "phone")
    await county.moves_to(at("11-05"))
    before = await county.frozen()
    assert before == {("建设村", "general"): Numbers(met=1, phone=1), ("河坝村", "general"): Numbers(missed=1, phone=1)}
    await county.store.run(lambda tx: campaigns.add(
        tx, epidemic(county, 1, "2026-10-01"), county.coordinator, county.now, "open"))
    assert await county.same_again() == 2


async def test_who_was_erased_is_on_the_ledger_no_more(county: County) -> None:
    elder = await county.registers("甲")
    county.now = at("10-20")
    await county.store.run(lambda tx: erasing.erase(tx, elder, "op", county.scope.day, county.now))
    await county.moves_to(at("12-05"))
    assert await county.frozen() == {("建设村", "general"): Numbers(left=1)}
    assert await county.frozen(Month(2026, 11)) == {}


async def test_a_sweep_cut_off_between_portions_goes_on_and_counts_nobody_twice(
        county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    portion = freezing.portion
    monkeypatch.setattr(freezing, "portion", partial(_of_two, portion))
    for n in range(7):
        await county.registers(f"老人{n}", n % 2)
    county.now = at("11-05")

    class Killed(Exception):
        pass

    def cut(tx: Tx) -> None:
        freezing.sweep(tx, county.now, POLICIES)
        raise Killed

    more = True
    while more:  # each portion is done once in vain, and once for good
        with pytest.raises(Killed):
            await county.store.run(cut)
        more = await county.store.run(lambda tx: freezing.sweep(tx, county.now, POLICIES))
    assert await county.frozen() == {("建设村", "general"): Numbers(missed=4), ("河坝村", "general"): Numbers(missed=3)}


def _of_two(portion: Callable[..., freezing.Portion], *given: Any) -> freezing.Portion:
    return portion(*given, size=2)  # so few, that there are several to a village


async def test_in_one_beat_a_share_is_done_and_the_next_one_goes_on(
        county: County, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "SHARE", 1)
    for n in range(4):
        await county.registers(f"老人{n}", n % 2)
    now, beats = at("11-05"), 0
    while await county.store.read(lambda tx: freezing.to_freeze(tx, now, POLICIES)):  # September and October
        await county.moves_to(now + timedelta(minutes=beats))
        beats += 1
    assert beats == 4  # one for each village and month
    assert await county.frozen() == {("建设村", "general"): Numbers(missed=2), ("河坝村", "general"): Numbers(missed=2)}


async def test_numbers_that_were_tampered_with_are_found(county: County) -> None:
    await county.registers("甲")
    await county.moves_to(at("11-05"))
    await county.store.run(lambda tx: tx.run(figures_table.update().values(numbers='{"met": 1}')))
    lines = [line async for _, found in differences(county.store, POLICIES) for line in found]
    assert lines[-2:] == ["2026-10 建设村 general: met 1 frozen, 0 counted again",
                          "2026-10 建设村 general: missed 0 frozen, 1 counted again"]


class Chance:
    """Things that happen to somebody at random, by the doors that the bot uses."""

    def __init__(self, county: County, random: Random) -> None:
        self.county, self.random = county, random
        self.written: list[str] = []

    async def happens(self) -> None:
        what: Callable[[Tx], None] = self.random.choice([
            self.visit, self.visit, self.visit, self.correct, self.void, self.pause, self.back, self.close, self.wish,
            self.ability, self.move, self.erase, self.register])
        await self.county.store.run(what)

    def day(self, back: int = 40) -> str:
        return (self.county.scope.day - timedelta(days=self.random.randrange(back))).isoformat()

    def elder(self) -> str:
        return self.random.choice(list(self.county.named.values()))

    def visit(self, tx: Tx) -> None:
        entry = self.county.entry(self.elder(), self.day(), self.random.choice(["home", "home", "phone"]))
        kept = casework.submit(tx, self.county.scope, entry, POLICIES, self.county.now)
        self.written += [kept.visit_id] if kept else []

    def _one(self, tx: Tx) -> visits.Visit | None:
        found = visits.find(tx, self.county.scope, self.random.choice(self.written)) if self.written else None
        return found if found and found.state == "current" else None

    def correct(self, tx: Tx) -> None:
        if before := self._one(tx):
            elder = self.random.choice([before.elder_id, self.elder()])
            entry = self.county.entry(elder, self.day(), self.random.choice(["home", "phone"]))
            kept = casework.correct(tx, self.county.scope, before, entry, "写错", POLICIES, self.county.now)
            self.written += [kept.visit_id] if kept else []

    def void(self, tx: Tx) -> None:
        if before := self._one(tx):
            casework.void(tx, self.county.scope, before, "写错", POLICIES, self.county.now)

    def _stand(self, tx: Tx, status: elder_files.Status, why: str) -> None:
        casework.stand(tx, self.county.scope, self.elder(), status, why, self.day(20), POLICIES, self.county.now)

    def pause(self, tx: Tx) -> None:
        self._stand(tx, "paused", "hospital")

    def back(self, tx: Tx) -> None:
        self._stand(tx, "active", "recovered")

    def close(self, tx: Tx) -> None:
        if self.random.random() < 0.3:
            self._stand(tx, "closed", "died")

    def wish(self, tx: Tx) -> None:
        wish = Wish(self.random.choice(["willing", "unwilling"]), "duty", self.day(3), None)
        casework.keep_wish(tx, self.elder(), wish, POLICIES, self.county.now)

    def ability(self, tx: Tx) -> None:
        elder = self.elder()
        if file := elder_files.read(tx, self.county.scope, elder):
            new = replace(file, ability=self.random.choice(["intact", "severe"]), registered_on=self.random.choice(
                [file.registered_on, self.day(60)]), earlier_visit_on=self.random.choice([None, self.day(60)]))
            casework.revise(tx, self.county.scope, elder, new, POLICIES, self.county.now)

    def move(self, tx: Tx) -> None:
        place = self.random.choice(self.county.places)
        casework.move(tx, self.county.scope, self.elder(), place.id, self.day(20), POLICIES, self.county.now)

    def erase(self, tx: Tx) -> None:
        if self.random.random() < 0.2:
            erasing.erase(tx, self.elder(), "op", self.county.scope.day, self.county.now)

    def register(self, tx: Tx) -> None:
        new = NewElder(self.random.choice(self.county.places).id, "3组", "新", "x", "female", "1946-11-20",
                       ["living_alone"], "intact", self.day(60), wish=self.random.choice(["", "unwilling"]))
        self.county.named[f"新{len(self.county.named)}"] = casework.register(tx, new, POLICIES, self.county.now)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_happens_each_frozen_month_counted_again_is_the_same(county: County, seed: int) -> None:
    random = Random(seed)
    chance = Chance(county, random)
    for n in range(6):
        await county.registers(f"老人{n}", n % 2, ability=random.choice(["intact", "severe"]))
    for _ in range(120):
        await county.moves_to(county.now + timedelta(minutes=random.randrange(60 * 44)))
        await chance.happens()
    assert await county.same_again() >= 3
    whole = [sum((await county.frozen(Month(2026, n))).values(), Numbers()) for n in (10, 11, 12)]
    assert all(each.on_ledger >= 4 for each in whole)  # there was something to count
