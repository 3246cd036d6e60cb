"""What is told of alerts: raised, how it goes on, how it ended. Neither quiet hours nor the cap hold it."""

from datetime import date
from typing import ClassVar, Literal

from scheduler.notices import KINDS, Notice
from storage import alerts
from storage.alerts import Alert
from storage.database import Tx
from storage.outbox import Lane
from storage.scope import Scope

# somebody goes, is there; another report came in; the elder says that he is well, or somebody near reached him; who
# raised it says of whom it is, or what; somebody who knows more says it, or adds a photo, a voice note or a place
Step = Literal["claimed", "arrived", "again", "well", "reached", "whom", "what", "words", "photo", "voice", "place"]


class OfAlert(Notice):
    """A notice of one alert, for who may see it."""

    lane: ClassVar[Lane] = "alert"
    alert: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = alerts.find(tx, Scope(self.person, today), self.alert)
        return super().still_wanted(tx, today) and found is not None and self.fits(found)

    def why(self, tx: Tx, today: date) -> str:
        found = alerts.unscoped(tx, self.alert)
        return f"alert {found.called}" if found else ""

    def fits(self, alert: Alert) -> bool:
        """Whether what it says is so as the alert stands now."""
        raise NotImplementedError


class AlertRaised(OfAlert):
    """An alert runs. Not wanted once it ended: then the end is told.

    `goes`: this person may take it over; `late`: nobody has in the time that the policy gives.
    """

    kind = "alert_raised"
    at: str  # when it was raised, in the wall time of the elders (ISO, to the minute)
    goes: bool = False
    late: bool = False

    def fits(self, alert: Alert) -> bool:
        return alert.state == "open" if self.late else alert.running


class AlertStep(OfAlert):
    """It goes on, by this person's doing. Not wanted where it went further meanwhile."""

    kind = "alert_step"
    step: Step
    by: str = ""

    def fits(self, alert: Alert) -> bool:
        return alert.state == self.step if self.step in ("claimed", "arrived") else alert.running


class AlertEnded(OfAlert):
    """How it ended, and when (as `AlertRaised.at`)."""

    kind = "alert_ended"
    at: str

    def fits(self, alert: Alert) -> bool:
        return not alert.running


class GlassBroken(Notice):
    """A coordinator of another area read the file of an elder on whom an alert ran: for those whose elder he is."""

    kind = "glass_broken"
    lane = "reply"
    alert: str
    by: str
    reason: str  # a word of the form `glass`
    at: str  # as `AlertRaised.at`

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return super().still_wanted(tx, today) and alerts.find(tx, Scope(self.person, today), self.alert) is not None


class FollowUp(Notice):
    """The township is asked what became of an alert that was closed. Not wanted where all was answered meanwhile."""

    kind = "follow_up"
    alert: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = alerts.find(tx, Scope(self.person, today), self.alert)
        return super().still_wanted(tx, today) and found is not None and found.asked_after


KINDS.update({each.kind: each for each in (AlertRaised, AlertStep, AlertEnded, GlassBroken, FollowUp)})
