"""回访: what became of an alert after it was closed, asked of the township until all is answered (C12)."""

from datetime import datetime

from scheduler import notices, risks
from scheduler.alert_notices import FollowUp
from scheduler.policy import Policies
from storage import alerts
from storage.database import Tx

CHUNK = 100


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Asks after a chunk of those whose day has come; True where there may be more."""
    due = alerts.to_ask_after(tx, now, CHUNK)
    for alert in due:
        assert alert.closed_at is not None  # it is closed
        then = policies.of(tx, alert.area_id).alerts.ask_after(alert.closed_at, now, policies.city.zone)
        if alerts.asked_after(tx, alert, now, then):
            risks.remind(tx, alert, policies, now)
            for person in notices.confirmers(tx, alert.area_id, "township"):
                key = f"followup:{alert.id}:{then.date()}:{person}"
                notices.tell(tx, FollowUp(person=person, alert=alert.id), now, unique_key=key)
    return len(due) == CHUNK
