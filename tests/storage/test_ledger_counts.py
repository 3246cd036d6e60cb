"""The ledger in numbers: what is counted, and of whom."""

from dataclasses import replace
from datetime import datetime

from storage import assignments, elder_files, elders, ledger_counts, people, proposals
from storage.database import Store, Tx
from storage.ledger_counts import Counts
from tests.storage.ground import DAY, STANDING, Ground, lay, new_elder

CATEGORIES = ("living_alone", "old", "severely_disabled")
FIELDS = ("phone", "emergency_phone", "address")


def fill(tx: Tx, now: datetime) -> Ground:
    """石岭村: one elder of the ground and six more; 河坝村: the one of the ground."""
    ground = lay(now)(tx)

    def add(name: str, missing: tuple[str, ...] = (), care_class: str = "general", wish: str = "") -> str:
        file = replace(new_elder(ground.village, name), wish=wish)
        return elders.add(tx, file, replace(STANDING, care_class=care_class, missing=missing), now)

    add("甲", ("phone", "address"), "priority")
    add("乙", ("emergency_phone",), wish="unwilling")
    elder_files.set_condition(tx, add("丙", ("phone",), wish="undecided"), "paused", "hospital", "2026-03-01", None)
    for name, why, since in (("丁", "died", "2026-02-01"), ("戊", "died", "2025-12-31"), ("己", "moved", "2026-01-01")):
        elder_files.set_condition(tx, add(name, ("phone",)), "closed", why, since, None)
    elder_files.reviewed(tx, ground.elder, "2026-03-01")
    proposals.add(tx, "life", ground.village.id, {}, ground.visitor, now)
    proposals.add(tx, "registration", ground.village.id, {}, ground.visitor, now, state="growing")
    proposals.add(tx, "life", ground.other_village.id, {}, ground.other_visitor, now)
    return ground


async def counted(store: Store, now: datetime, *, whole: bool) -> Counts:
    ground = await store.run(lambda tx: fill(tx, now))
    village = "" if whole else ground.village.id
    return await store.read(lambda tx: ledger_counts.count(tx, ground.scope, village, CATEGORIES, FIELDS, "2026-02-01"))


async def test_a_village_is_counted_by_what_its_files_say(store: Store, now: datetime) -> None:
    assert await counted(store, now, whole=False) == Counts(
        open=4, classes={"general": 3, "priority": 1}, paused={"hospital": 1},
        wishes={"": 2, "unwilling": 1, "undecided": 1}, closed={"died": 1, "moved": 1},
        categories={"living_alone": 4, "old": 0, "severely_disabled": 0}, incomplete=3,
        lacking={"phone": 2, "emergency_phone": 1, "address": 1}, old=3, no_visitor=3, no_first_contact=4,
        proposals={"proposed": 1, "growing": 1})


async def test_the_whole_area_has_all_its_villages(store: Store, now: datetime) -> None:
    found = await counted(store, now, whole=True)
    assert (found.open, found.proposals) == (5, {"proposed": 2, "growing": 1})


async def test_a_visitor_counts_nothing_and_neither_does_a_coordinator_elsewhere(store: Store, now: datetime) -> None:
    ground = await store.run(lambda tx: fill(tx, now))
    elsewhere = await store.run(lambda tx: people.add(tx, ground.other_village.id, "孙丽", ("village",), now).id)
    for person in (ground.visitor, elsewhere):
        scope = replace(ground.scope, person_id=person)
        found = await store.read(lambda tx, scope=scope: ledger_counts.count(  # type: ignore[misc]
            tx, scope, ground.village.id, CATEGORIES, FIELDS, "2026-02-01"))
        assert (found.open, found.incomplete, found.closed, found.proposals) == (0, 0, {}, {})


async def test_who_is_without_a_visitor_is_counted_as_he_is_listed(store: Store, now: datetime) -> None:
    ground = await store.run(lambda tx: fill(tx, now))
    await store.run(lambda tx: people.suspend(tx, ground.visitor, ground.coordinator, now))
    for role in ("visitor", "first_contact"):
        found = await store.read(lambda tx: ledger_counts.count(tx, ground.scope, "", CATEGORIES, FIELDS, "2026-02-01"))
        total, _ = await store.read(lambda tx, role=role: assignments.without(tx, ground.scope, role, 1))  # type: ignore[misc]
        assert {"visitor": found.no_visitor, "first_contact": found.no_first_contact}[role] == total


async def test_the_files_that_lack_something_come_page_by_page_in_everybodys_own_scope(
    store: Store, now: datetime
) -> None:
    ground = await store.run(lambda tx: fill(tx, now))
    total, first = await store.read(lambda tx: ledger_counts.incomplete(tx, ground.scope, 2))
    _, rest = await store.read(lambda tx: ledger_counts.incomplete(tx, ground.scope, 2, 2))
    assert (total, [elder.name for elder in (*first, *rest)]) == (3, ["甲", "乙", "丙"])
    visitor = replace(ground.scope, person_id=ground.visitor)
    await store.run(lambda tx: assignments.entrust(tx, ground.visitor, rest[0].id, "visitor", DAY.isoformat()))
    total, own = await store.read(lambda tx: ledger_counts.incomplete(tx, visitor, 8))
    assert (total, [elder.name for elder in own]) == (1, ["丙"])
