"""How often an elder must be seen: class with reasons, and the calendar's windows (C8, 三(五)1). Pure functions."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from scheduler.policy import Policy

CareClass = Literal["priority", "general"]
State = Literal["not_yet", "open", "due_soon", "overdue"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is priority: a word (`category:…`, `old_alone`, `ability:…`, `disability`) and a number."""

    word: str
    number: int | None = None  # age in years, or grade


@dataclass(frozen=True, slots=True)
class Classified:
    """The class, with every reason that holds; general has none.

    `since`: the birthday that made him priority, where nothing but his age does. `until`: the birthday that will add a
    reason; None where age decides nothing, or has decided.
    """

    care_class: CareClass
    reasons: tuple[Reason, ...]
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The days in which a home visit is due, both included."""

    first: date
    last: date

    def state(self, day: date, policy: Policy) -> State:
        if day < self.first:
            return "not_yet"
        if day > self.last:
            return "overdue"
        return "due_soon" if (self.last - day).days < policy.due_soon_days else "open"


def age_on(birth: date, day: date) -> int:
    """Whole years; who is born on 29 February has his birthday on 1 March in other years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def birthday(birth: date, age: int) -> date:
    """The day on which somebody comes to that age."""
    try:
        return birth.replace(year=birth.year + age)
    except ValueError:  # 29 February in a year that has none
        return date(birth.year + age, 3, 1)


def classify(categories: Sequence[str], birth: date | None, ability: str, disability_grade: int | None, day: date,
             policy: Policy) -> Classified:
    """Priority: 孤寡, 高龄独居, 中度、重度、完全失能, 重度残疾 (grade 1-2). All others are general."""
    reasons = [Reason(f"category:{name}") for name in categories if name in policy.priority_categories]
    old_on = None
    if birth and set(categories) & set(policy.priority_alone_when_old):
        old_on = birthday(birth, policy.old_age)
        if old_on <= day:
            reasons.append(Reason("old_alone", age_on(birth, day)))
    if ability in policy.priority_abilities:
        reasons.append(Reason(f"ability:{ability}"))
    if disability_grade in policy.priority_disability_grades:
        reasons.append(Reason("disability", disability_grade))
    ungraded = {"severely_disabled": disability_grade is None, "care_dependent": not ability}
    reasons += [Reason(f"category:{name}") for name in categories
                if name in policy.priority_until_graded and ungraded.get(name)]
    by_age_alone = [reason.word for reason in reasons] == ["old_alone"]
    return Classified("priority" if reasons else "general", tuple(reasons), old_on if by_age_alone else None,
                      old_on if old_on and old_on > day else None)


def window(care_class: str, day: date, policy: Policy) -> Window:
    """The window that this day lies in: a half month for the priority class, else the calendar month."""
    end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if care_class != "priority":
        return Window(day.replace(day=1), end)
    if day.day < policy.second_half_from:
        return Window(day.replace(day=1), day.replace(day=policy.second_half_from - 1))
    return Window(day.replace(day=policy.second_half_from), end)
