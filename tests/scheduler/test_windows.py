"""Due windows (C8): what is owed, what is met, late, excused, missed. `docs/cadence.md` gives the reading of each."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.cadence import Window
from scheduler.policy import load
from scheduler.windows import Course, Seen, Values, course, due, windows
from storage.courses import Change

POLICY = load().city
_DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
_CLASSES = st.sampled_from(["priority", "general"])


def day(text: str) -> date:
    """A day of 2026 as MM-DD, or a whole one."""
    return date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def values(text: str) -> Values:
    """`01-01 general, 03-10 priority`."""
    return tuple((day(when), what) for when, _, what in (each.strip().partition(" ") for each in text.split(",")))


def plain(begin: date, care_class: str) -> Course:
    return Course(begin, ((begin, care_class),), ((begin, "active"),), ((begin, ""),))


def life(begin: str = "01-01", classes: str = "01-01 general", standings: str = "01-01 active",
         wishes: str = "01-01 willing") -> Course:
    return Course(day(begin), values(classes), values(standings), values(wishes))


def visited(*days: str) -> list[Seen]:
    """Visits on these days, each written down the same day, or `day/day` later."""
    return [Seen(day(made), day(written or made)) for made, _, written in (each.partition("/") for each in days)]


def table(of: Course, seen: list[Seen], today: str) -> list[str]:
    """A line a window: first..last class state (why)."""
    return [f"{due.span.first:%m-%d}..{due.span.last:%m-%d} {due.span.care_class} {due.state} {due.why}".strip()
            for due in windows(of, seen, POLICY, day(today))]


def test_each_month_one_home_visit_and_the_last_unmet_one_is_overdue_until_somebody_goes() -> None:
    assert table(life(), visited("01-20"), "04-10") == [
        "01-01..01-31 general met", "02-01..02-28 general missed", "03-01..03-31 general overdue",
        "04-01..04-30 general open"]
    assert table(life(), visited("01-20", "04-09"), "04-10") == [
        "01-01..01-31 general met", "02-01..02-28 general missed", "03-01..03-31 general missed",
        "04-01..04-30 general met"]


def test_the_priority_class_is_seen_in_each_half() -> None:
    assert table(life(classes="01-01 priority"), visited("01-15", "01-16", "02-28"), "03-13") == [
        "01-01..01-15 priority met", "01-16..01-31 priority met", "02-01..02-15 priority missed",
        "02-16..02-28 priority met", "03-01..03-15 priority due_soon"]


def test_a_visit_written_down_long_after_meets_its_window_late() -> None:
    assert table(life(), visited("01-20/02-03", "02-10/03-04"), "03-02") == [
        "01-01..01-31 general met", "02-01..02-28 general met_late", "03-01..03-31 general open"]


@pytest.mark.parametrize(("begin", "state"), [
    ("01-27", "missed"), ("01-28", "excused short"), ("01-31", "excused short")])
def test_the_first_window_begins_with_the_registration_and_is_owed_where_days_enough_were_left(
        begin: str, state: str) -> None:
    assert table(life(begin), visited(), "03-01")[0] == f"{begin}..01-31 general {state}"


def test_a_visit_before_the_registration_counts_in_the_month_of_it() -> None:
    assert table(life("01-20"), visited("01-05"), "02-01")[0] == "01-20..01-31 general met"


def test_who_becomes_priority_owes_the_half_that_runs_and_no_half_before() -> None:
    grown = life(classes="01-01 general, 03-20 priority")
    assert table(grown, visited("01-05", "02-05"), "04-01") == [
        "01-01..01-31 general met", "02-01..02-28 general met", "03-20..03-31 priority overdue",
        "04-01..04-15 priority open"]
    assert table(grown, visited("01-05", "02-05", "03-17"), "04-01")[2] == "03-20..03-31 priority met"
    assert table(grown, visited("01-05", "02-05", "03-14"), "04-01")[2] == "03-20..03-31 priority overdue"


def test_who_becomes_general_owes_the_month_and_a_half_that_is_past_stays_as_it_was() -> None:
    assert table(life(classes="01-01 priority, 01-20 general"), visited("01-05"), "02-01") == [
        "01-01..01-15 priority met", "01-20..01-31 general met", "02-01..02-28 general open"]
    assert table(life(classes="01-01 priority, 01-10 general"), visited(), "01-31") == [
        "01-10..01-31 general due_soon"]
    assert table(life(classes="01-01 priority, 01-20 general"), visited(), "01-31") == [
        "01-01..01-15 priority overdue", "01-20..01-31 general due_soon"]


@pytest.mark.parametrize(("standings", "lines"), [
    # away at the end of the window: excused, with why
    ("01-01 active, 01-20 paused hospital", ["01-01..01-31 general excused hospital",
                                             "02-01..02-28 general excused hospital"]),
    # back in time: owed from the day on which he was back
    ("01-01 active, 01-05 paused away, 02-20 active", ["01-01..01-31 general excused away",
                                                       "02-01..02-28 general missed"]),
    # back too late for anybody to go
    ("01-01 active, 01-05 paused away, 02-27 active", ["01-01..01-31 general excused away",
                                                       "02-01..02-28 general excused short"]),
    # dead: the month is excused, and nothing comes any more
    ("01-01 active, 01-20 closed died", ["01-01..01-31 general excused died"]),
])
def test_pauses_and_the_end(standings: str, lines: list[str]) -> None:
    found = table(life(standings=standings), visited(), "04-01")
    assert found[:len(lines)] == lines
    if "closed" in standings:
        assert found == lines


def test_who_was_seen_before_he_left_was_seen() -> None:
    assert table(life(standings="01-01 active, 01-20 paused away"), visited("01-05"), "01-31") == [
        "01-01..01-31 general met"]


def test_who_does_not_want_it_is_shown_and_not_owed() -> None:
    found = table(life(wishes="01-01 willing, 02-10 unwilling, 03-05 willing"), visited("01-05"), "04-01")
    assert found == ["01-01..01-31 general met", "02-01..02-28 general excused unwilling",
                     "03-01..03-31 general overdue", "04-01..04-30 general open"]


@pytest.mark.parametrize(("year", "last"), [(2026, 28), (2027, 28), (2028, 29)])
def test_february_has_its_own_second_half(year: int, last: int) -> None:
    begin = date(year, 2, 1)
    spans = [each.span for each in windows(plain(begin, "priority"), [], POLICY, date(year, 2, last))]
    assert [(each.first.day, each.last.day) for each in spans] == [(1, 15), (16, last)]


@pytest.mark.parametrize(("care_class", "registered", "home", "first", "last"), [
    # never visited: the window of the registration, from that day on
    ("priority", "2026-03-05", None, "2026-03-05", "2026-03-15"),
    ("priority", "2026-03-15", None, "2026-03-15", "2026-03-15"),
    ("general", "2026-03-31", None, "2026-03-31", "2026-03-31"),
    # visited: the window after the one of the last home visit, also when that is long past
    ("priority", "2026-01-01", "2026-03-05", "2026-03-16", "2026-03-31"),
    ("priority", "2026-01-01", "2026-03-15", "2026-03-16", "2026-03-31"),
    ("priority", "2026-01-01", "2026-03-16", "2026-04-01", "2026-04-15"),
    ("priority", "2026-01-01", "2026-12-31", "2027-01-01", "2027-01-15"),
    ("priority", "2026-01-01", "2028-02-20", "2028-03-01", "2028-03-15"),
    ("general", "2026-01-01", "2026-01-31", "2026-02-01", "2026-02-28"),
    ("general", "2026-01-01", "2026-12-01", "2027-01-01", "2027-01-31"),
    # a visit before the registration (from the old ledger) counts where it lies in the same window
    ("general", "2026-03-20", "2026-03-02", "2026-04-01", "2026-04-30"),
    ("priority", "2026-03-20", "2026-03-02", "2026-03-20", "2026-03-31"),
    ("general", "2026-03-20", "2026-02-27", "2026-03-20", "2026-03-31"),
])
def test_what_is_due_is_the_oldest_window_without_a_home_visit(care_class: str, registered: str, home: str | None,
                                                               first: str, last: str) -> None:
    last_home = date.fromisoformat(home) if home else None
    begin = date.fromisoformat(registered)
    found = due(plain(begin, care_class), last_home, POLICY, max(begin, last_home or begin))
    assert found == Window(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(("of", "last", "today", "found"), [
    (life(standings="01-01 active, 01-05 paused away, 03-10 active"), "01-02", "03-12", "03-10..03-31"),
    (life(standings="01-01 active, 01-05 paused away, 02-27 active"), "01-02", "03-02", "03-01..03-31"),
    (life(standings="01-01 active, 02-05 paused away, 02-10 active"), None, "03-12", "02-10..02-28"),
    (life(wishes="01-01 unwilling, 03-05 willing"), None, "03-12", "03-05..03-31"),
    (life(classes="01-01 general, 03-20 priority"), "02-03", "03-22", "03-20..03-31"),
    (life(classes="01-01 general, 03-20 priority"), "03-03", "03-22", "03-20..03-31"),
    (life(classes="01-01 general, 03-20 priority"), "03-18", "03-22", "04-01..04-15"),
    (life(classes="01-01 priority, 03-20 general"), "03-03", "03-22", "04-01..04-30"),
])
def test_what_is_due_follows_the_course(of: Course, last: str | None, today: str, found: str) -> None:
    window = due(of, day(last) if last else None, POLICY, day(today))
    assert f"{window.first:%m-%d}..{window.last:%m-%d}" == found


def change(n: int, what: str, from_on: str, value: str) -> Change:
    return Change(str(n), what, from_on, value, n)


def test_before_the_first_change_of_class_the_first_class_holds_also_where_the_filing_date_is_moved_back() -> None:
    log = [change(1, "class", "2026-03-10", "general"), change(2, "class", "2026-04-05", "priority")]
    assert course(log, day("02-05"), "priority").classes == values("02-05 general, 04-05 priority")


def test_what_is_entered_later_holds_from_its_day_on_whatever_was_written_before() -> None:
    log = [change(1, "standing", "2026-03-01", "paused away"), change(2, "standing", "2026-03-12", "active"),
           change(3, "standing", "2026-03-10", "paused hospital")]
    begin = day("01-01")
    assert course(log, begin, "general").standings == values(
        "01-01 active, 03-01 paused away, 03-10 paused hospital")
    assert course(log, begin, "general", as_of=2).standings == values(
        "01-01 active, 03-01 paused away, 03-12 active")
    assert course([], begin, "priority") == plain(begin, "priority")


@given(registered=_DAYS, care_class=_CLASSES, after=st.integers(-60, 800))
def test_a_home_visit_always_settles_its_own_window(registered: date, care_class: str, after: int) -> None:
    home = registered + timedelta(days=after)
    wanted = due(plain(registered, care_class), home, POLICY, max(registered, home))
    assert wanted.first > home
    assert wanted.first >= registered
    assert wanted.last >= wanted.first


@given(registered=_DAYS, care_class=_CLASSES, first=st.integers(0, 400), more=st.integers(0, 400))
def test_a_later_visit_never_brings_an_earlier_window(registered: date, care_class: str, first: int, more: int) -> None:
    earlier, later = registered + timedelta(days=first), registered + timedelta(days=first + more)
    course = plain(registered, care_class)
    assert due(course, later, POLICY, later).first >= due(course, earlier, POLICY, later).first


@given(begin=_DAYS, changes=st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["priority", "general"])),
                                   max_size=6), length=st.integers(0, 400))
def test_no_day_is_owed_twice_and_windows_are_in_order(begin: date, changes: list[tuple[int, str]], length: int) -> None:
    classes = ((begin, "general"), *((begin + timedelta(days=after), value) for after, value in sorted(changes)))
    of = Course(begin, classes, ((begin, "active"),), ((begin, ""),))
    found = [each.span for each in windows(of, [], POLICY, begin + timedelta(days=length))]
    assert all(earlier.last < later.first for earlier, later in itertools.pairwise(found))
    assert all(begin <= each.first <= each.last for each in found)


@given(begin=_DAYS, care_class=_CLASSES, gone=st.lists(st.integers(0, 300), max_size=8), length=st.integers(0, 300))
def test_what_is_due_is_the_first_of_the_windows_that_is_not_met_missed_or_excused(
        begin: date, care_class: str, gone: list[int], length: int) -> None:
    today = begin + timedelta(days=length)
    days = [begin + timedelta(days=after) for after in gone if after <= length]
    seen = [Seen(each, each) for each in days]
    of = plain(begin, care_class)
    last = max((each.on_day for each in seen), default=None)
    owed = [each.span for each in windows(of, seen, POLICY, today)
            if each.state in ("overdue", "missed", "open", "due_soon") and (last is None or each.span.last > last)]
    found = due(of, last, POLICY, today)
    if owed:
        assert (found.first, found.last) == (owed[0].first, owed[0].last)
    else:
        assert found.first > today
