"""What is told of alerts: raised, how it goes on, how it ended. Neither quiet hours nor the cap hold it."""

from datetime import date
from typing import ClassVar, Literal

from scheduler.notices import KINDS, Notice
from storage import alert_told, alerts
from storage.alerts import Alert
from storage.database import Tx
from storage.outbox import Lane
from storage.scope import Scope

# somebody goes, is there; another report came in; the elder says that he is well, or somebody near reached him; who
# raised it says of whom it is, or what; somebody who knows more says it, or adds a photo, a voice note, a place; who
# goes wants more people; another goes in his place, or cannot; nobody goes any more; who went has not said that he is
# there, or how it ended
Step = Literal["claimed", "arrived", "again", "well", "reached", "whom", "what", "words", "support", "handed", "back",
               "declined", "not_there", "not_ended", "photo", "voice", "place"]
# the states in which a step is still so, by him who does it
GOES = {"claimed": ("claimed",), "arrived": ("arrived",), "handed": ("claimed",), "support": ("claimed", "arrived"),
        "not_there": ("claimed",), "not_ended": ("arrived",)}


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
    """An alert runs. Not wanted once it ended: then the end is told; nor once he has seen it, on whatever channel.

    `goes`: this person may take it over; `late`: nobody has in the time that the policy gives; `call`: the number that
    the family may ring.
    """

    kind = "alert_raised"
    at: str  # when it was raised, in the wall time of the elders (ISO, to the minute)
    goes: bool = False
    late: bool = False
    call: str = ""

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return super().still_wanted(tx, today) and (self.late or not alert_told.has_seen(tx, self.alert, self.person))

    def fits(self, alert: Alert) -> bool:
        return alert.state == "open" if self.late else alert.running


class AlertStep(OfAlert):
    """It goes on, by this person's doing. Not wanted where it went further meanwhile.

    `at`: since when he goes, or is there (as `AlertRaised.at`), of `not_there` and `not_ended`; `goes`: this person may
    take it over, of `back`.
    """

    kind = "alert_step"
    step: Step
    by: str = ""
    at: str = ""
    goes: bool = False

    def fits(self, alert: Alert) -> bool:
        if self.step in GOES:
            return alert.state in GOES[self.step] and alert.claimed_by == self.by
        if self.step == "declined":
            return alert.running and alert.claimed_by == self.person
        return alert.state == "open" if self.step == "back" else alert.running


class AlertOffered(OfAlert):
    """Who goes (`by`) asks this person to go in his place. Not wanted once somebody else is asked, or goes."""

    kind = "alert_offered"
    by: str

    def fits(self, alert: Alert) -> bool:
        return alert.running and alert.claimed_by == self.by and alert.offered_to == self.person


class AlertsAlike(OfAlert):
    """多起同类警报: so many of one kind in one village; `alert` is the one with which they were so many."""

    kind = "alerts_alike"
    count: int
    minutes: int

    def fits(self, alert: Alert) -> bool:
        return True


class NotReached(OfAlert):
    """未送达: some who were told of it have not seen it on any of their channels. They are named when it leaves."""

    kind = "not_reached"

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return super().still_wanted(tx, today) and any(
            each.state == "unreached" for each in alert_told.of(tx, self.alert))

    def fits(self, alert: Alert) -> bool:
        return alert.running


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


KINDS.update({each.kind: each for each in (
    AlertRaised, AlertStep, AlertOffered, NotReached, AlertsAlike, AlertEnded, GlassBroken, FollowUp)})
