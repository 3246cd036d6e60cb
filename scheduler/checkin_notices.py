"""What is told of an elder's own 报平安.

He is asked in lane `reply`: at his own wish, at his own hour. His family is asked in lane `alert`: he may lie on the
floor. Neither quiet hours nor the cap hold them.
"""

from datetime import date
from typing import ClassVar

from scheduler.notices import KINDS, Notice
from storage import check_ins, elders, outbox
from storage.check_ins import CheckIn
from storage.database import Tx
from storage.outbox import Lane
from storage.scope import Scope


class OfDay(Notice):
    """A notice of an elder's check-in on one day (ISO)."""

    lane: ClassVar[Lane] = "reply"
    elder: str
    day: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = check_ins.find(tx, Scope(self.person, today), self.elder)
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return (super().still_wanted(tx, today) and found is not None and found.state == "on" and elder is not None
                and elder.status == "active" and self.fits(found))

    def fits(self, found: CheckIn) -> bool:
        """Whether what it says is so as the day stands now."""
        return True


class CheckInAsk(OfDay):
    """The elder is asked whether he is well; `again`: for the second time. Not wanted once he answered."""

    kind = "check_in_ask"
    again: bool = False

    def fits(self, found: CheckIn) -> bool:
        return found.day == self.day and found.asking


class CheckInContact(OfDay):
    """First contact and family are asked to call him. Not wanted once anybody answered, or an alert runs."""

    kind = "check_in_contact"
    lane = "alert"
    minutes: int  # that the policy gives them

    def fits(self, found: CheckIn) -> bool:
        return found.day == self.day and found.stage in ("contact", "settling")


class CheckInWell(OfDay):
    """Who was asked to call need not any more: the elder answered himself, or `by` reached him."""

    kind = "check_in_well"
    by: str = ""

    def fits(self, found: CheckIn) -> bool:
        return found.day != self.day or found.stage == "fine"


class CheckInSkipped(OfDay):
    """The machine stood still: from this day to another the elder was not asked. For the coordinator, who may call."""

    kind = "check_in_skipped"
    lane = "reminder"  # nothing is known to be wrong: it has time until the morning
    until: str


class CheckInUnanswered(OfDay):
    """The machine stood still while an answer was waited for: nobody knows how he is, and somebody should look."""

    kind = "check_in_unanswered"

    def fits(self, found: CheckIn) -> bool:
        return not (found.day == self.day and found.stage == "fine")


class CheckInSilent(OfDay):
    """The elder's account cannot be written to any more: the coordinator finds out why."""

    kind = "check_in_silent"
    lane = "reminder"


class CheckInUnwell(OfDay):
    """The elder says that he is not well, and `what` is the matter. Without it not wanted once he has said it.

    `moment` tells apart one press from another: the minute of it, counted from 1970.
    """

    kind = "check_in_unwell"
    moment: int
    what: str = ""

    def still_wanted(self, tx: Tx, today: date) -> bool:
        more = self.model_copy(update={"what": "more"})
        return super().still_wanted(tx, today) and (bool(self.what) or outbox.receipt(tx, more.key) is None)

    @property
    def key(self) -> str:
        """The unique key under which this person is told, first that he is not well, and then of what."""
        return f"check_in:{self.elder}:unwell:{self.moment}:{'what:' if self.what else ''}{self.person}"


KINDS.update({each.kind: each for each in (
    CheckInAsk, CheckInContact, CheckInWell, CheckInSkipped, CheckInUnanswered, CheckInSilent, CheckInUnwell)})
