"""受虐待, 轻生: no family is told before a coordinator decides whom, since the contact may be the cause (C12).

Who is told hears what it is and with whom to talk: not who reported it, nor what was said.
"""

from datetime import date, datetime
from typing import ClassVar

from scheduler import notices
from scheduler.notices import KINDS, Notice
from storage import accounts, alert_contacts, alert_family, alerts, outbox, people, ties
from storage.alerts import Alert
from storage.database import Tx
from storage.outbox import Lane
from storage.scope import SECRET


class FamilyTold(Notice):
    """For one of the family, chosen by a coordinator: such an alert runs, or has `ended`."""

    kind = "family_told"
    lane: ClassVar[Lane] = "alert"
    alert: str
    ended: bool = False

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = alerts.unscoped(tx, self.alert)
        return (super().still_wanted(tx, today) and found is not None and found.family_by is not None
                and found.running != self.ended and found.elder_id is not None
                and self.person in ties.family(tx, found.elder_id, today.isoformat()))

    def why(self, tx: Tx, today: date) -> str:
        found = alerts.unscoped(tx, self.alert)
        return f"alert {found.called}" if found else ""


KINDS[FamilyTold.kind] = FamilyTold


def may(tx: Tx, person_id: str, alert: Alert) -> bool:
    """Whether this person decides: a coordinator of the place, while an alert of such a kind runs."""
    return (alert.running and alert.kind in SECRET and alert.elder_id is not None
            and people.coordinates(tx, person_id, alert.area_id, "village"))


def choices(tx: Tx, alert: Alert, today: date) -> list[tuple[str, bool]]:
    """Those of the family who can be written to, by id, and whether each was told."""
    family = ties.family(tx, alert.elder_id, today.isoformat()) if alert.elder_id else []
    return [(person, outbox.receipt(tx, _key(alert, person)) is not None) for person in dict.fromkeys(family)
            if accounts.reached(tx, person)]


def tell(tx: Tx, alert: Alert, person: str, by: str, now: datetime) -> bool:
    """Tells this one of `choices`; False where it ended. Told twice, he hears of it once."""
    if not alert_family.decide(tx, alert, person, by, now):
        return False
    notices.tell(tx, FamilyTold(person=person, alert=alert.id), now, unique_key=_key(alert, person))
    return True


def call(tx: Tx, alert: Alert, slot: str, by: str, now: datetime) -> bool:
    """The contact at this place in the file, who has no account, is to be called; False where it ended."""
    if not alert_family.decide(tx, alert, f"slot{slot}", by, now):
        return False
    alert_contacts.mark(tx, alert, slot, "chosen", by, now)
    return True


def ended(tx: Tx, alert: Alert, today: date, now: datetime) -> None:
    """Those of the family who were told hear that it is over."""
    for person, told in choices(tx, alert, today) if alert.family_by else ():
        if told:
            notices.tell(tx, FamilyTold(person=person, alert=alert.id, ended=True), now,
                         unique_key=f"{_key(alert, person)}:ended")


def _key(alert: Alert, person: str) -> str:
    return f"alert:{alert.id}:family:{person}"
