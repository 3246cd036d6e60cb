"""What the family is told unasked, and the village of what the family wants: reminders to call, requests, needs,
and how a visit went. Ids only; what is said is read when it leaves.
"""

from datetime import date
from typing import ClassVar

from scheduler.notices import KINDS, Notice
from storage import call_plans, elders, needs, requests, tellings, ties, visits
from storage.database import Tx
from storage.outbox import Lane
from storage.requests import Request
from storage.scope import Scope
from storage.tellings import Telling


class CallDue(Notice):
    """It is time to call. Not wanted once the child answered, wherever; `stamp` is the asking that it speaks of."""

    kind = "call_due"
    elder: str
    stamp: int
    again: bool = False

    def why(self, tx: Tx, today: date) -> str:
        return f"{super().why(tx, today)}, {'not answered yet' if self.again else 'time to call'}"

    def still_wanted(self, tx: Tx, today: date) -> bool:
        plan = call_plans.find(tx, self.person, self.elder)
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return (super().still_wanted(tx, today) and plan is not None and plan.unanswered
                and plan.stamp == self.stamp and elder is not None and elder.status != "closed")


class OfRequest(Notice):
    """About what a family asked for."""

    request: str

    def why(self, tx: Tx, today: date) -> str:
        found = self.read(tx, today)
        about = elders.unscoped(tx, found.elder_id) if found else None
        return f"file {about.number} of {about.village}, {found.kind} for {found.due_on}" if found and about else ""

    def read(self, tx: Tx, today: date) -> Request | None:
        """The request as it stands, for who is told of it."""
        return requests.find(tx, Scope(self.person, today), self.request)


class RequestMade(OfRequest):
    """A family asks for a visit on a day, or for a call back. Not wanted once somebody does it.

    `late`: for the township, nobody has taken it by that day, or in the time that the policy gives.
    """

    kind = "request_made"
    late: bool = False

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = self.read(tx, today)
        return super().still_wanted(tx, today) and found is not None and found.state == "open"


class RequestNow(RequestMade):
    """Somebody is to go and look now: the child waits, so quiet hours do not hold it."""

    kind = "request_now"
    lane: ClassVar[Lane] = "reply"


class RequestMoved(OfRequest):
    """Somebody does it, or cannot; the child does not want it any more. Not wanted once it went further."""

    kind = "request_moved"
    lane: ClassVar[Lane] = "reply"
    state: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = self.read(tx, today)
        return super().still_wanted(tx, today) and found is not None and found.state == self.state


class RequestDone(OfRequest):
    """It was done; of a visit, how it went as far as the elder lets it be told."""

    kind = "request_done"
    lane: ClassVar[Lane] = "reply"
    visit: str = ""

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = self.read(tx, today)
        return super().still_wanted(tx, today) and found is not None and found.state == "done"


class NeedRaised(Notice):
    """A child reported that something is difficult: the coordinator arranges what is done. Not wanted once he has."""

    kind = "need_raised"
    need: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = needs.find(tx, Scope(self.person, today), self.need)
        return super().still_wanted(tx, today) and found is not None and found.state == "open"


class NeedYours(Notice):
    """This person answers for a measure. Not wanted once it is closed."""

    kind = "need_yours"
    need: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = needs.find(tx, Scope(self.person, today), self.need)
        return (super().still_wanted(tx, today) and found is not None and found.state == "arranged"
                and found.answerable == self.person)


class NeedMoved(Notice):
    """What became of what the child reported: arranged, or closed."""

    kind = "need_moved"
    need: str
    state: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = needs.find(tx, Scope(self.person, today), self.need)
        return super().still_wanted(tx, today) and found is not None and found.state == self.state


class OfFamily(Notice):
    """About how an elder is, for a child to whom he said yes, and who wants to hear it in this way."""

    wants: ClassVar[str]
    elder: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        plan = call_plans.find(tx, self.person, self.elder)
        return (super().still_wanted(tx, today) and plan is not None and plan.summaries == self.wants
                and allowed(tx, Scope(self.person, today), self.elder) is not None)


class VisitTold(OfFamily):
    """How a visit went, in five lines at most. `version` above 1: what was told before has changed.

    Not wanted once it is void, moved or corrected again: then that is told.
    """

    kind = "visit_told"
    wants = "each"
    visit: str
    version: int = 1

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = visits.find(tx, Scope(self.person, today), self.visit)
        return super().still_wanted(tx, today) and found is not None and found.state == "current"


class VisitUntold(OfFamily):
    """A visit that was told does not stand any more."""

    kind = "visit_untold"
    wants = "each"
    on_day: str


class MonthTold(OfFamily):
    """How a month went (`2026-11`)."""

    kind = "month_told"
    wants = "monthly"
    month: str


KINDS.update({each.kind: each for each in (
    CallDue, RequestMade, RequestNow, RequestMoved, RequestDone, NeedRaised, NeedYours, NeedMoved, VisitTold,
    VisitUntold, MonthTold)})


def allowed(tx: Tx, scope: Scope, elder_id: str) -> Telling | None:
    """The elder's yes to the scope's person, who is his child today; None where there is none (any more)."""
    if "family" not in ties.over(tx, scope, elder_id):
        return None
    found = tellings.newest(tx, scope, elder_id, scope.person_id)
    return found if found is not None and found.allowed else None
