"""A visitor's days: everybody in his window, places together, no day too full, holidays only where nothing else is left."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler import planning
from scheduler.planning import FULL, SOON, Walk

TODAY = date(2026, 3, 5)


@dataclass(frozen=True)
class Elder:
    name: str
    group: str
    first: date
    last: date

    @property
    def place(self) -> tuple[str, ...]:
        return ("建设村", self.group)


def elder(name: str, group: str, first: int, last: int) -> Elder:
    """Days are counted from today."""
    return Elder(name, group, TODAY + timedelta(days=first), TODAY + timedelta(days=last))


def told(walks: list[Walk[Elder]]) -> list[str]:
    return [f"{(walk.day - TODAY).days} {walk.place[1]}: {' '.join(each.name for each in walk.seen)}" for walk in walks]


def test_one_walk_does_several_and_the_days_share_the_places() -> None:
    waiting = [elder("a", "1组", -4, 10), elder("b", "2组", -4, 10), elder("c", "1组", -4, 26), elder("d", "3组", -4, 10)]
    assert told(planning.plan(waiting, TODAY, frozenset())) == ["0 1组: a c", "1 2组: b", "2 3组: d"]


def test_a_walk_goes_when_the_most_can_be_seen() -> None:
    waiting = [elder("a", "1组", -4, 10), elder("b", "1组", 3, 12)]
    assert told(planning.plan(waiting, TODAY, frozenset())) == ["3 1组: a b"]


def test_who_is_overdue_comes_first_and_not_all_on_one_day() -> None:
    waiting = [elder(f"e{n:02}", f"{n}组", -40, -5) for n in range(30)]
    walks = planning.plan(waiting, TODAY, frozenset())
    load = Counter(walk.day for walk in walks)
    assert set(load) == {TODAY + timedelta(days=n) for n in range(SOON)}
    assert max(load.values()) <= FULL


def test_holidays_are_used_only_where_a_window_has_no_other_day() -> None:
    off = {TODAY + timedelta(days=n) for n in range(3)}
    waiting = [elder("a", "1组", -4, 1), elder("b", "2组", -4, 5), elder("c", "3组", -4, -1)]
    assert told(planning.plan(waiting, TODAY, off)) == ["0 1组: a", "3 3组: c", "4 2组: b"]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-40, 20), st.integers(0, 30)), max_size=60),
       st.sets(st.integers(0, 20)))
def test_everybody_is_seen_once_and_in_his_window(given_: list[tuple[int, int, int]], off: set[int]) -> None:
    waiting = [elder(f"e{n}", f"{group}组", first, first + long) for n, (group, first, long) in enumerate(given_)]
    not_on = {TODAY + timedelta(days=n) for n in off}
    walks = planning.plan(waiting, TODAY, not_on)
    assert sorted(each.name for walk in walks for each in walk.seen) == sorted(each.name for each in waiting)
    for walk in walks:
        for each in walk.seen:
            assert each.place == walk.place
            if each.last >= TODAY:
                days = {each.first + timedelta(days=n) for n in range((each.last - each.first).days + 1)}
                assert walk.day in days and walk.day >= TODAY
                assert walk.day not in not_on or not {day for day in days if day >= TODAY} - not_on
            else:
                assert walk.day not in not_on
    assert len({(walk.day, walk.place) for walk in walks}) == len(walks)
