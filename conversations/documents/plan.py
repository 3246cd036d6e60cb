"""日程: the next two weeks of a visitor, walk by walk, and as a file for the calendar of his phone.

In that file stand days, village, group and name (surname + 某 on a channel abroad), and nothing else: a calendar is
often kept by some company's servers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from conversations.words_book import Words
from scheduler import calendar, planning
from scheduler.planning import Walk
from storage import leaves, to_see
from storage.database import Tx
from storage.leaves import Leave
from storage.scope import Scope
from storage.to_see import ToSee

DAYS = timedelta(days=14)
MOST = 300  # elders of one visitor


@dataclass(frozen=True, slots=True)
class Plan:
    """The walks of the days from `first` to `last`, both included; `later`: how many are to be seen after them."""

    first: date
    last: date
    walks: Sequence[Walk[ToSee]]
    later: int

    @property
    def count(self) -> int:
        return sum(len(walk.seen) for walk in self.walks)


def gather(tx: Tx, scope: Scope) -> Plan:
    """The plan of the scope's person, from the scope's day on."""
    today = scope.day
    last = today + DAYS - timedelta(days=1)
    waiting = to_see.of(tx, scope, last, MOST)
    end = max([last, *(each.last for each in waiting)])
    away = {day for leave in leaves.of(tx, scope.person_id, today) for day in _days(leave, today, end)}
    walks = planning.plan(waiting, today, calendar.off(today, end) | away)
    return Plan(today, last, [walk for walk in walks if walk.day <= last],
                sum(len(walk.seen) for walk in walks if walk.day > last))


def _days(leave: Leave, first: date, last: date) -> Iterator[date]:
    """The days of a holiday between these two."""
    day = max(first, date.fromisoformat(leave.from_on))
    while day <= min(last, date.fromisoformat(leave.until_on)):
        yield day
        day += timedelta(days=1)


def ics(plan: Plan, person_id: str, words: Words, now: datetime) -> tuple[str, bytes]:
    """File name and bytes: an all-day event for each walk, which a newer file replaces where it has the same."""
    from icalendar import Calendar, Event  # late: it takes 0.1 s to import

    made = Calendar()
    made.add("prodid", "-//tanfang//plan//ZH")
    made.add("version", "2.0")
    made.add("x-wr-calname", words.say("plan.calendar"))
    for walk in plan.walks:
        village, group = walk.place
        event = Event()
        place = hashlib.sha256(f"{person_id} {walk.day} {village} {group}".encode()).hexdigest()[:32]
        event.add("uid", f"{place}@tanfang")
        event.add("dtstamp", now)
        event.add("dtstart", walk.day)
        event.add("dtend", walk.day + timedelta(days=1))
        event.add("summary", words.say("plan.event", {
            "village": village, "group": group, "names": [each.name for each in walk.seen]}))
        event.add("class", "PRIVATE")
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    return words.say("plan.file", {"first": plan.first.isoformat()}), made.to_ical()
