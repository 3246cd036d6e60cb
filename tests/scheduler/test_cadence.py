"""Class and window (C8, 三(五)1) as decision tables, and what holds for every day."""

import calendar
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.cadence import Reason, Window, age_on, classify, window
from scheduler.policy import load

POLICY = load().city
DAY = date(2026, 3, 5)
OLD, YOUNG = date(1946, 3, 5), date(1946, 3, 6)  # 80 on that day, and one day short of it
CATEGORIES = ("childless_alone", "living_alone", "empty_nest", "left_behind", "care_dependent", "severely_disabled",
              "special_family_planning")
ABILITIES = ("intact", "mild", "moderate", "severe", "total", "")  # the last: not assessed yet


@pytest.mark.parametrize(("category", "birth", "ability", "grade"),
                         list(product(CATEGORIES, (OLD, YOUNG, None), ABILITIES, (None, 1, 2, 3, 4))))
def test_priority_is_what_the_plan_names_and_nothing_else(category: str, birth: date | None, ability: str,
                                                          grade: int | None) -> None:
    named = [
        category == "childless_alone",
        category == "living_alone" and birth == OLD,
        ability in ("moderate", "severe", "total"),
        grade in (1, 2),
        category == "severely_disabled" and grade is None,  # as long as the grade is not known
        category == "care_dependent" and not ability,
    ]
    found = classify([category], birth, ability, grade, DAY, POLICY)
    assert found.care_class == ("priority" if any(named) else "general")
    assert len(found.reasons) == sum(named)


def test_every_reason_that_holds_is_given() -> None:
    found = classify(["childless_alone", "living_alone"], OLD, "total", 2, DAY, POLICY)
    assert found.reasons == (Reason("category:childless_alone"), Reason("old_alone", 80), Reason("ability:total"),
                             Reason("disability", 2))


def test_a_county_may_set_the_age() -> None:
    younger = POLICY.model_copy(update={"old_age": 70})
    assert classify(["living_alone"], date(1956, 3, 5), "intact", None, DAY, younger).care_class == "priority"
    assert classify(["living_alone"], date(1956, 3, 5), "intact", None, DAY, POLICY).care_class == "general"


@pytest.mark.parametrize(("birth", "day", "age"), [
    (date(1946, 3, 5), date(2026, 3, 4), 79), (date(1946, 3, 5), date(2026, 3, 5), 80),
    (date(1948, 2, 29), date(2026, 2, 28), 77), (date(1948, 2, 29), date(2026, 3, 1), 78),
    (date(1948, 2, 29), date(2028, 2, 28), 79), (date(1948, 2, 29), date(2028, 2, 29), 80),
    (date(1946, 12, 31), date(2026, 1, 1), 79),
])
def test_age_is_in_whole_years(birth: date, day: date, age: int) -> None:
    assert age_on(birth, day) == age


@pytest.mark.parametrize(("care_class", "day", "first", "last"), [
    ("priority", "2026-03-01", "2026-03-01", "2026-03-15"), ("priority", "2026-03-15", "2026-03-01", "2026-03-15"),
    ("priority", "2026-03-16", "2026-03-16", "2026-03-31"), ("priority", "2026-03-31", "2026-03-16", "2026-03-31"),
    ("priority", "2026-02-16", "2026-02-16", "2026-02-28"), ("priority", "2028-02-29", "2028-02-16", "2028-02-29"),
    ("priority", "2026-04-30", "2026-04-16", "2026-04-30"), ("priority", "2026-12-31", "2026-12-16", "2026-12-31"),
    ("general", "2026-02-01", "2026-02-01", "2026-02-28"), ("general", "2028-02-15", "2028-02-01", "2028-02-29"),
    ("general", "2026-12-31", "2026-12-01", "2026-12-31"),
])
def test_a_window_is_a_half_month_or_a_month(care_class: str, day: str, first: str, last: str) -> None:
    assert window(care_class, date.fromisoformat(day), POLICY) == _window(first, last)


@pytest.mark.parametrize(("day", "state"), [
    ("2026-03-15", "not_yet"), ("2026-03-16", "open"), ("2026-03-28", "open"), ("2026-03-29", "due_soon"),
    ("2026-03-31", "due_soon"), ("2026-04-01", "overdue"), ("2027-01-01", "overdue")])
def test_a_window_is_open_then_due_soon_then_overdue(day: str, state: str) -> None:
    assert _window("2026-03-16", "2026-03-31").state(date.fromisoformat(day), POLICY) == state


_DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
_CLASSES = st.sampled_from(["priority", "general"])


@given(day=_DAYS, care_class=_CLASSES)
def test_every_window_contains_its_day_and_ends_with_its_month(day: date, care_class: str) -> None:
    found = window(care_class, day, POLICY)
    assert found.first <= day <= found.last
    assert found.first.month == found.last.month
    assert found.last.day in (15, calendar.monthrange(day.year, day.month)[1])
    assert window(care_class, found.last, POLICY) == window(care_class, found.first, POLICY) == found


@given(day=_DAYS, care_class=_CLASSES)
def test_windows_follow_each_other_without_gap_or_overlap(day: date, care_class: str) -> None:
    found = window(care_class, day, POLICY)
    following = window(care_class, found.last + timedelta(days=1), POLICY)
    assert following.first == found.last + timedelta(days=1)


def _window(first: str, last: str) -> Window:
    return Window(date.fromisoformat(first), date.fromisoformat(last))
