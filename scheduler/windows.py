"""Every window in which an elder was or is to be seen, met or not, from the log of his course (C8). Pure functions.

`docs/cadence.md` gives the rules, each with the reading of the plan behind it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from scheduler.cadence import CareClass, Window, window
from scheduler.policy import Policy
from storage.courses import Change

State = Literal["not_yet", "open", "due_soon", "overdue", "met", "met_late", "excused", "missed"]
Values = tuple[tuple[date, str], ...]  # what held from which day on, in order; the first holds before it as well
ACTIVE, UNWILLING = "active", "unwilling"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Course:
    """What was the case from which day on: class, standing (active, `paused hospital` …), wish."""

    begin: date  # the registration
    classes: Values
    standings: Values
    wishes: Values


@dataclass(frozen=True, slots=True)
class Seen:
    """A visit that counts (at home, or remote where a campaign says so), and when it was written down."""

    on_day: date
    entered_on: date


@dataclass(frozen=True, slots=True)
class Span:
    """The days in which a visit is due, both included. One made since `counts_from` meets it: the calendar's first day,
    which lies earlier where he was registered, or his class changed, in the middle.
    """

    first: date
    last: date
    counts_from: date
    care_class: CareClass


@dataclass(frozen=True, slots=True)
class Due:
    """A window and how it stands on a day. `why` it is excused: hospital, away, moved, died …, unwilling, short."""

    span: Span
    state: State
    met_on: date | None = None
    why: str = ""


def course(log: Iterable[Change], begin: date, care_class: str, *, as_of: int | None = None) -> Course:
    """Folds the log of one elder; what it does not speak of was so all along: `care_class` (of now), active, willing.

    `as_of`: only what was entered until then (milliseconds).
    """
    known = list(log)
    return Course(begin, values(known, "class", begin, at_first(known, "class", care_class), as_of=as_of),
                  values(known, "standing", begin, ACTIVE, as_of=as_of), values(known, "wish", begin, "", as_of=as_of))


def values(log: Iterable[Change], what: str, begin: date, default: str, *, as_of: int | None = None) -> Values:
    """What the log says of one thing; `default` where it says nothing of the beginning.

    What was entered later holds from its day on, whatever was written before for that day and after.
    """
    found: list[tuple[date, str]] = []
    for change in sorted((each for each in log if each.what == what), key=lambda each: each.entered):
        if as_of is not None and change.entered_at > as_of:
            break
        day = date.fromisoformat(change.from_on)
        found[:] = [each for each in found if each[0] < day]
        if not found or found[-1][1] != change.value:
            found.append((day, change.value))
    if found and found[0][0] <= begin:
        return tuple(found)
    return (begin, default), *(each for each in found if each is not found[0] or each[1] != default)


def at_first(log: Iterable[Change], what: str, now: str) -> str:
    """What was the case before any change of it was entered: the first row of the log keeps it. `now`: with no row."""
    first = min((each for each in log if each.what == what), key=lambda each: each.entered, default=None)
    return first.value if first else now


def at(values: Values, day: date) -> str:
    """What held on that day."""
    return next((value for since, value in reversed(values) if since <= day), values[0][1])


def spans(of: Course, policy: Policy, start: date, until: date) -> Iterator[Span]:
    """The windows from the one that `start` lies in to the one that `until` lies in, one after the other.

    A change of class ends the window that is running, and the window of the new class takes its place from that day
    on; what was before stays as it was. While a file is closed there is none.
    """
    day = max(of.begin, start)
    while day <= until:
        care_class: CareClass = "priority" if at(of.classes, day) == "priority" else "general"
        bounds = window(care_class, day, policy)
        changed = next((since for since, _ in of.classes if day < since <= bounds.last), None)
        if changed is None and not at(of.standings, day).startswith("closed"):
            yield Span(day, bounds.last, bounds.first, care_class)
        day = changed or bounds.last + _DAY


def windows(of: Course, seen: Sequence[Seen], policy: Policy, today: date, *, start: date | None = None,
            ) -> list[Due]:
    """Every window until today's, from the registration or from the one that `start` lies in, as it stands today.

    The last of those that are past is overdue as long as nobody saw him since; those before it are missed.
    """
    found: list[Due] = []
    last_seen = max((each.on_day for each in seen), default=None)
    all_spans = list(spans(of, policy, start or of.begin, today))
    past = [span for span in all_spans if span.last < today]
    for span in all_spans:
        counting = [each for each in seen if span.counts_from <= each.on_day <= span.last]
        if counting:
            in_time = min(each.entered_on for each in counting) <= span.last + timedelta(days=policy.late_entry_days)
            met = min(each.on_day for each in counting)
            found.append(Due(span, "met" if in_time else "met_late", met))
        elif why := excuse(of, span, policy, today):
            found.append(Due(span, "excused", None, why))
        elif span.last < today:
            overdue = span is past[-1] and (last_seen is None or last_seen <= span.last)
            found.append(Due(span, "overdue" if overdue else "missed"))
        else:
            found.append(Due(span, Window(span.first, span.last).state(today, policy)))
    return found


def excuse(of: Course, span: Span, policy: Policy, today: date) -> str:
    """Why nobody had to go in this window, as it stands at its end, or today while it runs; empty: somebody has to.

    Away at its end: why he was. Unwilling at its end. Or `short`: of what is past, so few days were left after the
    registration, the change of class or the return that nobody could be asked for it.
    """
    day = min(span.last, today)
    standing = at(of.standings, day)
    if _away(standing):
        return standing.partition(" ")[2] or standing
    if _refuses(at(of.wishes, day)):
        return UNWILLING
    short = span.last < today and (span.last - _open_since(of, span)).days + 1 < policy.least_days
    return "short" if short else ""


def due(of: Course, last_seen: date | None, policy: Policy, today: date) -> Window:
    """The oldest window after the last visit that nobody met and that is not excused; in the past when one is owed.

    Where none is owed: the one that runs, or comes next. What was missed before a pause is in the figures, but nobody
    is sent for it after the return.
    """
    back = _back(of, of.begin, today) or of.begin
    start = max(of.begin, last_seen or of.begin).replace(day=1)
    for span in spans(of, policy, start, max(today, start) + timedelta(days=62)):
        if (last_seen and last_seen >= span.counts_from) or span.last < back:
            continue
        if span.last < today and excuse(of, span, policy, today):
            continue
        return Window(_open_since(of, span), span.last)
    return window("general", today, policy)  # closed: nothing comes any more


def _open_since(of: Course, span: Span) -> date:
    """The first day of the window from which on he could be visited until its end."""
    return _back(of, span.first, span.last) or span.first


def _back(of: Course, after: date, until: date) -> date | None:
    """The last day after one and until another on which he was back, or willing again; None: he was all along."""
    free = [day for values, keeps in ((of.standings, _away), (of.wishes, _refuses)) for day, value in values
            if after < day <= until and not keeps(value) and keeps(at(values, day - _DAY))]
    return max(free, default=None)


def _away(standing: str) -> bool:
    return standing != ACTIVE


def _refuses(wish: str) -> bool:
    return wish == UNWILLING
