"""The figures of a month: a table worked out by hand, and what holds for every month."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from scheduler import policy
from scheduler.figures import Counted, Month, Numbers, Rules, count, quarter
from storage.courses import Change
from storage.figures import File, Stood
from storage.ids import millis, uuid7

ZONE = ZoneInfo("Asia/Shanghai")
POLICY = policy.load().city
OCTOBER = Month(2026, 10)
CUT_OFF = datetime(2026, 11, 4, tzinfo=ZONE)  # the end of 3 November
OPENED = "01-10"
NEW_ID = uuid7()


def at(text: str) -> datetime:
    """Noon of a day of 2026 given as MM-DD."""
    return datetime.fromisoformat(f"2026-{text}T12:00").replace(tzinfo=ZONE)


def visited(text: str) -> list[Stood]:
    """`10-05` at home, `10-05 phone`, `10-05/11-02` written down later; commas between."""
    found = []
    for each in filter(None, map(str.strip, text.split(","))):
        days, _, method = each.partition(" ")
        day, _, written = days.partition("/")
        found.append(Stood(NEW_ID(at(written or day)), f"2026-{day}", method or "home"))
    return found


def log(text: str) -> list[Change]:
    """`10-10 class priority`, entered that day; `10-20/11-05 standing paused hospital`, entered later; `;` between."""
    found = []
    for each in filter(None, map(str.strip, text.split(";"))):
        days, what, value = each.split(" ", 2)
        day, _, entered = days.partition("/")
        made = at(entered or day)
        found.append(Change(NEW_ID(made), what, f"2026-{day}", value, millis(made)))
    return found


def counted(care_class: str, course: str, visits: str, before: datetime = CUT_OFF, month: Month = OCTOBER,
            registered: str = OPENED, opened: str = OPENED, village: str = "v",
            remote: tuple[tuple[str, str], ...] = ()) -> list[Counted]:
    file = File("e", village, f"2026-{registered}", None, care_class, millis(at(opened)))
    stood = [each for each in visited(visits) if each.entered_at < before]
    return list(count(file, log(course), stood, [month], before, lambda _: Rules(POLICY, remote)))


def told(found: list[Counted]) -> str:
    """What stands in the numbers, in words: `met 1, home 2`; nothing where he is not counted."""
    return ", ".join(f"{name} {number}" for each in found for name, number in each.numbers.counts.items())


# Who, in October 2026; what happened; whom he was visited by when; and what he counts as on 3 November at night.
# Priority is owed a visit from the 1st to the 15th and one from the 16th to the 31st, general one in the month.
TABLE = [
    ("an elder alone, seen in each half", "priority", "", "10-05, 10-20", "met 1, home 2"),
    ("the second half was forgotten", "priority", "", "10-05", "missed 1, home 1"),
    ("both visits in the first half", "priority", "", "10-05, 10-12", "missed 1, home 2"),
    ("the first half entered five days after it", "priority", "", "10-05/10-20, 10-22", "late 1, home 2"),
    ("the first half entered three days after it", "priority", "", "10-05/10-18, 10-22", "met 1, home 2"),
    ("general, seen once", "general", "", "10-31", "met 1, home 1"),
    ("general, only telephoned", "general", "", "10-03 phone, 10-13 video, 10-23 other", "missed 1, phone 1, video 1, other 1"),
    ("general, seen and telephoned", "general", "", "10-02, 10-03 phone", "met 1, home 1, phone 1"),
    ("general, seen in September and November only", "general", "", "09-30, 11-01", "missed 1"),
    ("entered in the last hours before the figures are frozen", "general", "", "10-30/11-03", "met 1, home 1"),
    ("entered after that", "general", "", "10-30/11-04", "missed 1"),
    ("in hospital since the 20th", "general", "10-20 standing paused hospital", "", "paused 1"),
    ("seen before he went to hospital", "general", "10-20 standing paused hospital", "10-12", "met 1, home 1"),
    ("priority, seen, then to hospital", "priority", "10-20 standing paused hospital", "10-12", "paused 1, home 1"),
    ("priority, forgotten, then to hospital", "priority", "10-20 standing paused hospital", "", "missed 1"),
    ("back from hospital on the 10th and seen", "priority",
     "10-02 standing paused hospital; 10-10 standing active", "10-11, 10-21", "met 1, home 2"),
    ("back on the 30th, which is too late to be asked for", "general",
     "09-02 standing paused away; 10-30 standing active", "", "excused 1"),
    ("does not want to be visited", "general", "02-01 wish unwilling", "", "refused 1"),
    ("does not want it and was seen all the same", "general", "02-01 wish unwilling", "10-09", "met 1, home 1"),
    ("priority since the 20th: the second half is owed", "priority", "01-10 class general; 10-20 class priority",
     "10-05", "missed 1, home 1"),
    ("priority since the 20th and seen in that half", "priority", "01-10 class general; 10-20 class priority",
     "10-25", "met 1, home 1"),
    ("general since the 20th: the half before stays missed", "general", "01-10 class priority; 10-20 class general",
     "10-25", "missed 1, home 1"),
    ("died on the 9th, not seen", "general", "10-09 standing closed died", "", "left 1"),
    ("died on the 20th, not seen in the half before", "priority", "10-20 standing closed died", "", "left 1, left_missed 1"),
    ("died in September", "priority", "09-20 standing closed died", "", ""),
    ("died on 1 November", "general", "11-01 standing closed died", "10-10", "met 1, home 1"),
    ("that he died was entered after the figures were frozen", "general", "10-09/11-06 standing closed died", "", "missed 1"),
]


@pytest.mark.parametrize(("care_class", "course", "visits", "outcome"), [row[1:] for row in TABLE],
                         ids=[row[0] for row in TABLE])
def test_a_month_worked_out_by_hand(care_class: str, course: str, visits: str, outcome: str) -> None:
    assert told(counted(care_class, course, visits)) == outcome


def test_the_month_of_the_table_as_its_reader_adds_it_up() -> None:
    whole = sum((each.numbers for row in TABLE for each in counted(*row[1:4])), Numbers())
    by_class = {name: sum((each.numbers for row in TABLE for each in counted(*row[1:4]) if each.care_class == name),
                          Numbers()) for name in ("priority", "general")}
    assert by_class["priority"] + by_class["general"] == whole
    assert (whole.on_ledger, whole.due, whole.seen, whole.missed) == (24, 20, 11, 9)
    assert (whole.refused, whole.paused, whole.excused, whole.left, whole.left_missed) == (1, 2, 1, 2, 1)
    assert whole.rate == 45.8  # 11 of 24: refusals and pauses are in it
    assert whole.on_ledger + whole.left == len(TABLE) - 1  # all but the one who died in September


@pytest.mark.parametrize(("today", "outcome"), [
    ("10-03", "waiting 1"), ("10-15", "waiting 1"), ("10-16", "missed 1"), ("10-31", "missed 1")])
def test_while_the_month_runs_nobody_is_missed_before_his_days_are_over(today: str, outcome: str) -> None:
    assert told(counted("priority", "", "", at(today))) == outcome


def test_who_was_seen_in_the_first_half_waits_for_the_second() -> None:
    assert told(counted("priority", "", "10-05", at("10-20"))) == "waiting 1, home 1"
    assert told(counted("priority", "", "10-05, 10-18", at("10-20"))) == "met 1, home 2"


def test_an_elder_counts_in_the_village_and_class_that_he_is_in_at_the_end_of_the_month() -> None:
    course = "01-10 village a; 10-20 village b; 11-02 village c; 01-10 class general; 10-25 class priority"
    (found,) = counted("priority", course, "", village="c")
    assert (found.village_id, found.care_class) == ("b", "priority")
    (before,) = counted("priority", course, "", village="c", month=Month(2026, 9))
    assert (before.village_id, before.care_class) == ("a", "general")


def test_a_move_that_was_entered_later_does_not_move_what_is_frozen() -> None:
    course = "01-10/11-10 village a; 10-20/11-10 village b"
    assert [each.village_id for each in counted("general", course, "", village="b")] == ["a"]
    assert [each.village_id for each in counted("general", course, "", at("11-20"), village="b")] == ["b"]


def test_a_class_that_changed_after_the_cut_off_does_not_change_what_is_frozen() -> None:
    course = "01-10/11-10 class general; 11-10 class priority"
    assert [each.care_class for each in counted("priority", course, "")] == ["general"]


@pytest.mark.parametrize(("registered", "visits", "outcome"), [
    ("10-20", "", "missed 1"), ("10-20", "10-25", "met 1, home 1"), ("10-30", "", "excused 1"), ("11-02", "", "")])
def test_who_is_registered_in_the_month_counts_from_then_on(registered: str, visits: str, outcome: str) -> None:
    assert told(counted("general", "", visits, registered=registered)) == outcome


@pytest.mark.parametrize(("opened", "outcome"), [
    ("10-10", "missed 1"), ("10-14", "missed 1"), ("10-31", "excused 1"), ("11-02", "")])
def test_of_the_time_before_a_file_came_into_this_system_nothing_is_owed(opened: str, outcome: str) -> None:
    assert told(counted("general", "", "", opened=opened)) == outcome
    if opened == "10-14":
        assert told(counted("priority", "", "10-20", opened=opened)) == "met 1, home 1"  # two days were left of the first half


def test_remote_visits_meet_the_minimum_in_the_days_in_which_home_visits_were_impossible() -> None:
    days = (("2026-10-10", "2026-10-20"),)
    assert told(counted("priority", "", "10-12 phone, 10-25", remote=days)) == "met 1, home 1, phone 1"
    assert told(counted("priority", "", "10-05 phone, 10-25", remote=days)) == "missed 1, home 1, phone 1"


def test_what_was_entered_after_the_cut_off_is_counted_apart() -> None:
    (found,) = counted("general", "", "10-30/11-04, 10-12 phone", at("11-20"))
    assert (found.later, told([found])) == (1, "late 1, home 1, phone 1")


def test_the_rate_is_never_rounded_up() -> None:
    assert Numbers(met=1999, missed=1).rate == 99.9
    assert Numbers(met=3).rate == 100
    assert Numbers(left=3).rate is None


def test_months_quarters_and_their_cut_off() -> None:
    assert [str(each) for each in quarter(Month(2026, 11))] == ["2026-10", "2026-11", "2026-12"]
    assert (Month(2026, 1).plus(-1), Month(2026, 12).plus(2)) == (Month(2025, 12), Month(2027, 2))
    assert OCTOBER.cut_off(3, ZONE) == CUT_OFF
    assert Month(2028, 2).last == date(2028, 2, 29)
    assert Month.read("2026-10") == OCTOBER
