"""The next weeks of a visitor: who is seen on which day, so that one walk does several and no day is too full. Pure."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, Protocol, TypeVar

FULL = 8  # elders on one day: half an hour each, and the ways; more only where the windows leave no other day
SOON = 5  # free days within which those overdue are seen


class Waiting(Protocol):
    """An elder with an open or coming window, both days included; `place` is what one walk goes to."""

    @property
    def place(self) -> tuple[str, ...]: ...
    @property
    def first(self) -> date: ...
    @property
    def last(self) -> date: ...


W = TypeVar("W", bound=Waiting)


@dataclass(frozen=True, slots=True)
class Walk(Generic[W]):
    """One way to one place on one day."""

    day: date
    place: tuple[str, ...]
    seen: tuple[W, ...]


def plan(waiting: Sequence[W], today: date, not_on: Set[date]) -> list[Walk[W]]:
    """Walks for all of them, each in his window, by day and place; those overdue first, within a week.

    The earliest end goes first and takes along whoever may be seen in the same place on that day: the day that serves
    most, then the one that is least full. `not_on` (holidays, leave) are used only where a window has no other day.
    """
    left = sorted(waiting, key=lambda each: (each.last, each.place))
    load: Counter[date] = Counter()
    walks: dict[tuple[date, tuple[str, ...]], list[W]] = {}
    while left:
        first, days = left[0], _days(left[0], today, not_on)
        near = [(each, _days(each, today, not_on)) for each in left if each.place == first.place]
        along = {day: [each for each, days in near if day in days][:max(1, FULL - load[day])] for day in days}
        day = min(days, key=lambda day: (load[day] >= FULL, -len(along[day]), load[day], day))
        walks.setdefault((day, first.place), []).extend(along[day])
        load[day] += len(along[day])
        left = [each for each in left if not any(each is one for one in along[day])]
    return [Walk(day, place, tuple(seen)) for (day, place), seen in sorted(walks.items(), key=lambda walk: walk[0])]


def _days(each: Waiting, today: date, not_on: Set[date]) -> list[date]:
    """The days on which he may be seen, the first at the front."""
    if each.last < today:
        coming = (today + timedelta(days=n) for n in range(len(not_on) + SOON))
        return [day for day in coming if day not in not_on][:SOON]
    first = max(each.first, today)
    window = [first + timedelta(days=n) for n in range((each.last - first).days + 1)]
    return [day for day in window if day not in not_on] or window
