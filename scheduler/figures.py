"""The figures of a month (C14, 四(三)): what became of each elder's minimum of 三(五)1, counted. Pure functions.

Everybody who is on the ledger at the end of the month counts once, in the village and class that he is in then, and in
one outcome. The rate is over all of them: refusals and pauses are shown, not dropped (探访率, C8).
"""

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from scheduler import windows
from scheduler.policy import Policy
from scheduler.windows import Due, Seen
from storage.courses import Change
from storage.figures import File, Stood
from storage.ids import instant, millis

CLASSES = ("priority", "general")
Outcome = Literal["met", "late", "missed", "waiting", "refused", "paused", "excused"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of a place and class in one month or several: elders by what became of their minimum, and visits by method.

    `late`: seen in time, and written down long after. `waiting`: the month runs and his days are not over. `left` were
    taken off the ledger in the month; `left_missed` of those had not been seen when it was due before.
    """

    met: int = 0
    late: int = 0
    missed: int = 0
    waiting: int = 0
    refused: int = 0
    paused: int = 0
    excused: int = 0
    left: int = 0
    left_missed: int = 0
    home: int = 0
    phone: int = 0
    video: int = 0
    other: int = 0

    def __add__(self, others: "Numbers") -> "Numbers":
        return Numbers(*[getattr(self, name) + getattr(others, name) for name in _NAMES])

    @property
    def on_ledger(self) -> int:
        return self.due + self.refused + self.paused + self.excused

    @property
    def due(self) -> int:
        """Those to whom a visit was owed."""
        return self.met + self.late + self.missed + self.waiting

    @property
    def seen(self) -> int:
        """Those who got their minimum."""
        return self.met + self.late

    @property
    def visits(self) -> int:
        return self.home + self.phone + self.video + self.other

    @property
    def rate(self) -> float | None:
        """The visit rate in percent, one decimal, never rounded up: 100 means all. None: nobody is on the ledger."""
        return self.seen * 1000 // self.on_ledger / 10 if self.on_ledger else None

    @property
    def counts(self) -> dict[str, int]:
        """What is not 0, by name: how it is kept."""
        return {name: count for name in _NAMES if (count := getattr(self, name))}


_NAMES = tuple(each.name for each in fields(Numbers))
NONE = Numbers()


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    def plus(self, months: int) -> "Month":
        years, month = divmod(self.month - 1 + months, 12)
        return Month(self.year + years, month + 1)

    def cut_off(self, days: int, zone: ZoneInfo) -> datetime:
        """The instant at which its figures are frozen: what is entered before it counts."""
        day = self.last + timedelta(days=days + 1)
        return datetime(day.year, day.month, day.day, tzinfo=zone)

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @classmethod
    def read(cls, text: str) -> "Month":
        """The month written as 2026-11. Raises ValueError."""
        return cls.of(date.fromisoformat(f"{text}-01"))


def quarter(month: Month) -> tuple[Month, Month, Month]:
    """The three months of the quarter that a month lies in."""
    first = Month(month.year, (month.month - 1) // 3 * 3 + 1)
    return first, first.plus(1), first.plus(2)


@dataclass(frozen=True, slots=True)
class Counted:
    """One elder in one month: where and in which class he is counted, as what; and how many visits came in `later`,
    after the cut-off.
    """

    month: Month
    village_id: str
    care_class: str
    numbers: Numbers
    later: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in a village: its policy, and the days (ISO) between which remote visits met the minimum (三(六)2)."""

    policy: Policy
    remote: Sequence[tuple[str, str]] = ()

    def meets(self, visit: Stood) -> bool:
        """Whether such a visit counts for the minimum."""
        return visit.method in self.policy.home_methods or (
            visit.method in self.policy.campaigns.epidemic
            and any(first <= visit.on_day <= last for first, last in self.remote))


def count(file: File, log: Sequence[Change], stood: Sequence[Stood], months: Sequence[Month], before: datetime,
          rules: Callable[[str], Rules]) -> Iterator[Counted]:
    """One elder in each of these months in which he was on the ledger, by all that was entered before an instant.

    `log` may know more than that; `stood` are his visits from the first of these months on, as they stood then. `rules`
    gives those of a village. Days are those on the wall there.
    """
    as_of = millis(before) - 1
    zone = rules(file.village_id).policy.zone  # the city's: it is the same everywhere
    opened = instant(file.created_at).astimezone(zone).date()  # of the time before nothing is known
    begin = max(opened, date.fromisoformat(_entered(log, "registered", file.registered_on, as_of)))
    earlier = _entered(log, "earlier", file.earlier_visit_on or "", as_of)
    lived = windows.values(log, "village", begin, windows.at_first(log, "village", file.village_id), as_of=as_of)
    course = windows.course(log, begin, file.care_class, as_of=as_of)
    for month in months:
        day = month.last
        village = windows.at(lived, day)
        there = rules(village)
        policy = there.policy
        today = min((before - timedelta(milliseconds=1)).astimezone(zone).date(), day + _DAY)
        if begin > min(day, today) or _off(windows.at(course.standings, month.first - _DAY)):
            continue
        care_class = "priority" if windows.at(course.classes, day) == "priority" else "general"
        visits = [each for each in stood if str(month.first) <= each.on_day <= str(day)]
        dues = [each for each in windows.windows(course, _seen(earlier, stood, there), policy, today, start=month.first)
                if month.first <= each.span.last <= day]
        numbers = _visits(visits)
        if _off(windows.at(course.standings, min(day, today))):
            missed = any(each.state in ("missed", "overdue") for each in dues)
            numbers = replace(numbers, left=1, left_missed=int(missed))
        else:
            numbers = replace(numbers, **{outcome(dues): 1})
        cut_off = month.cut_off(policy.figures_cut_off_days, zone)
        yield Counted(month, village, care_class, numbers, sum(each.entered_at >= cut_off for each in visits))


def outcome(dues: Sequence[Due]) -> Outcome:
    """What became of an elder's minimum in a month, by its windows: the one that weighs most.

    Missed, before still waiting, before excused, before late. A window that was excused as too short counts only where
    there is no other.
    """
    states = {each.state for each in dues}
    if states & {"missed", "overdue"}:
        return "missed"
    if states & {"not_yet", "open", "due_soon"}:
        return "waiting"
    whys = [each.why for each in dues if each.state == "excused" and each.why != "short"]
    if whys:
        return "refused" if whys[-1] == windows.UNWILLING else "paused"
    if "met_late" in states:
        return "late"
    return "met" if "met" in states else "excused"


def _entered(log: Sequence[Change], what: str, now: str, as_of: int) -> str:
    """What the file said by then of something that is one thing at a time."""
    return windows.values(log, what, date.min, windows.at_first(log, what, now), as_of=as_of)[-1][1]


def _seen(earlier: str, stood: Sequence[Stood], rules: Rules) -> list[Seen]:
    seen = [Seen(date.fromisoformat(each.on_day), each.entered_at.astimezone(rules.policy.zone).date())
            for each in stood if rules.meets(each)]
    if earlier:  # a visit before this system
        day = date.fromisoformat(earlier)
        seen.append(Seen(day, day))
    return seen


def _visits(of: Sequence[Stood]) -> Numbers:
    """How many by method, on the ledger or not."""
    by_method = [sum(each.method == name for each in of) for name in ("home", "phone", "video")]
    home, phone, video = by_method
    return Numbers(home=home, phone=phone, video=video, other=len(of) - sum(by_method))


def _off(standing: str) -> bool:
    """Whether he is not on the ledger."""
    return standing.startswith("closed")
