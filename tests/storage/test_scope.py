"""Nobody finds an elder who is not in his scope, by any read; everybody finds all who are."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import areas, assignments, elders, forms, people, visits
from storage.database import Store, Tx
from storage.scope import COORDINATORS, Scope
from tests.storage.ground import DAY, STANDING, Ground, entry, lay, new_elder

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """A county of townships of villages with so many elders, and people with posts and elders entrusted."""

    villages: list[list[int]]  # by township, the number of elders of each village
    posts: list[tuple[str, int, int]]  # role, township (-1: the county), village (-1: the whole township)
    entrusted: list[tuple[int, int, int | None]]  # which elder, from and until how many days from today


plans = st.builds(
    Plan,
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(people.ROLES), st.integers(-1, 2), st.integers(-1, 2)), max_size=2),
    st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 2), st.none() | st.integers(-2, 2)), max_size=4),
)


def lay_out(tx: Tx, plan: Plan) -> tuple[str, dict[str, str], set[str]]:
    """Gives the person, every elder with one visit of his, and the elders that the person may see."""
    forms.keep(tx, "h", "visit", "{}")
    county = areas.add(tx, None, "county", tx.new_id(NOW), NOW)
    townships = [areas.add(tx, county, "township", f"t{n}", NOW) for n in range(len(plan.villages))]
    villages = [[areas.add(tx, townships[t], "village", f"v{n}", NOW) for n in range(len(counts))]
                for t, counts in enumerate(plan.villages)]
    home = {elders.add(tx, new_elder(villages[t][v], facts={"past": "x"}), STANDING, NOW): (t, v)
            for t, counts in enumerate(plan.villages) for v, count in enumerate(counts) for _ in range(count)}
    person = people.add(tx, county.id, "某", (), NOW).id
    clerk = people.add(tx, county.id, "甲", (), NOW).id
    seen: set[str] = set()
    for role, t, v in plan.posts:
        area = county if t < 0 else townships[t % len(townships)]
        if t >= 0 and v >= 0:
            area = villages[t % len(townships)][v % len(villages[t % len(townships)])]
        tx.run(people._POST, person_id=person, role=role, area_id=area.id)
        if role in COORDINATORS:
            seen |= {elder for elder, (at, of) in home.items() if villages[at][of].path.startswith(area.path)}
    given: set[str] = set()
    for which, begins, ends in plan.entrusted:
        if not home or (elder := list(home)[which % len(home)]) in given:
            continue
        given.add(elder)
        until = None if ends is None else (DAY + timedelta(ends)).isoformat()
        assignments.entrust(tx, person, elder, "visitor", (DAY + timedelta(begins)).isoformat(), until)
        if begins <= 0 and (ends is None or ends >= 0):
            seen.add(elder)
    visit_of = {elder: visits.submit(tx, entry(elder, tx.new_id(NOW)), clerk, NOW)[0] for elder in home}
    return person, visit_of, seen


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans)
async def test_every_read_finds_the_elders_in_scope_and_no_other(store: Store, plan: Plan) -> None:
    person, visit_of, seen = await store.run(lambda tx: lay_out(tx, plan))
    scope = Scope(person, DAY)

    def lists(tx: Tx) -> list[list[str]]:
        numbered = [elder.id for number in range(1, 10) for elder in elders.numbered(tx, scope, number, 100)]
        return [[elder.id for elder in found] for found in (
            elders.due_first(tx, scope, 100), elders.named(tx, scope, "张桂芳", 100),
            elders.matching(tx, scope, "zg", 100), elders.matching(tx, scope, "桂", 100))] + [numbered]

    def one_by_one(tx: Tx) -> list[set[str]]:
        return [
            {elder for elder in visit_of if elders.find(tx, scope, elder)},
            {elder for elder in visit_of if elders.facts(tx, scope, elder)},
            {elder for elder, visit in visit_of.items() if visits.find(tx, scope, visit)},
            {elder for elder, visit in visit_of.items() if visits.versions(tx, scope, visit)},
            {elder for elder in visit_of if visits.last(tx, scope, elder)},
        ]

    for found in await store.read(lists):
        assert sorted(found) == sorted(seen)
    for held in await store.read(one_by_one):
        assert held == seen
    assert await store.read(lambda tx: elders.count(tx, scope)) == len(seen)


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


@pytest.mark.parametrize(("day", "seen"), [
    (date(2026, 4, 30), False), (date(2026, 5, 1), True), (date(2026, 5, 31), True), (date(2026, 6, 1), False)])
async def test_an_elder_is_seen_from_the_first_to_the_last_day_of_the_care(
    store: Store, ground: Ground, day: date, seen: bool
) -> None:
    await store.run(lambda tx: assignments.entrust(
        tx, ground.visitor, ground.other_elder, "visitor", "2026-05-01", "2026-05-31"))
    elder = await store.read(lambda tx: elders.find(tx, Scope(ground.visitor, day), ground.other_elder))
    assert (elder is not None) is seen


async def test_an_elder_released_from_ones_care_is_not_seen_any_more(store: Store, ground: Ground) -> None:
    await store.run(lambda tx: assignments.end(tx, ground.visitor, ground.elder, DAY))
    assert await store.read(lambda tx: elders.count(tx, Scope(ground.visitor, DAY))) == 0


async def test_a_visit_moved_out_of_ones_scope_is_not_shown_as_ones_last(
    store: Store, ground: Ground, now: datetime
) -> None:
    scope = Scope(ground.visitor, DAY)
    visit, _ = await store.run(lambda tx: visits.submit(tx, entry(ground.elder, "d"), ground.visitor, now))
    last = await store.read(lambda tx: visits.last_by(tx, scope))
    assert last is not None and last.visit_id == visit
    await store.run(lambda tx: visits.correct(tx, last, entry(ground.other_elder, "e"), ground.visitor, "x", now))
    assert await store.read(lambda tx: visits.last_by(tx, scope)) is None


async def test_the_elder_due_first_stands_first_and_pages_neither_repeat_nor_miss_one(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> list[str]:
        for n in range(30):
            due = elders.Standing("general", "2026-03-01", f"2026-03-{30 - n % 7:02}", None, None, None)
            elders.add(tx, new_elder(ground.village), due, now)
        pages = [elders.due_first(tx, ground.scope, 10, skip) for skip in (0, 10, 20, 30)]
        return [f"{elder.due_until} {elder.id}" for page in pages for elder in page]
    listed = await store.run(work)
    assert len(set(listed)) == 32
    assert [row[:10] for row in listed] == sorted(row[:10] for row in listed)


@pytest.mark.parametrize(("typed", "found"), [
    ("zg", 1), ("ZGF", 1), ("桂", 1), ("%", 0), ("_", 0), ("\\", 0), ("gf", 0)])
async def test_a_part_of_the_name_or_the_first_initials_find_an_elder(
    store: Store, ground: Ground, typed: str, found: int
) -> None:
    scope = Scope(ground.visitor, DAY)
    assert len(await store.read(lambda tx: elders.matching(tx, scope, typed, 5))) == found
