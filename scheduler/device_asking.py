"""What a device said and nobody has looked into: more are asked, then it is an alert (C11)."""

from datetime import datetime, timedelta

from scheduler import alerting, apart, notices
from scheduler.device_notices import DeviceAsks
from scheduler.policy import Policies
from storage import alerts, device_events, elders
from storage.database import Tx
from storage.device_events import Event

CHUNK = 500
LEAST = timedelta(minutes=5)  # no policy asks again sooner


def climb(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Asks the village's coordinator of what those near did not answer in time, then raises an alert, once each.

    What is older than the policy calls late is let be: the machine stood still, and somebody has seen him since.
    """
    unanswered = device_events.unanswered(tx, now - policies.city.devices.late, now - LEAST, CHUNK)
    apart.each(tx, unanswered, lambda event: _climb(tx, event, policies, now))
    return False


def _climb(tx: Tx, event: Event, policies: Policies, now: datetime) -> None:
    elder = elders.unscoped(tx, event.elder_id or "")
    if elder is None or elder.status == "closed":
        return
    rules, waited = policies.of(tx, elder.village_id).devices, now - event.received_at
    if waited >= rules.unanswered_alert:
        if device_events.expired(tx, event, now):
            alerting.raise_alert(tx, elder.id, "unreachable", "device", None, policies, now)
            if alert := alerts.running_of(tx, elder.id):
                device_events.raised(tx, event, alert.id)
    elif waited >= rules.unanswered_ask:
        for person in notices.confirmers(tx, elder.village_id, "village"):
            notices.tell(tx, DeviceAsks(person=person, elder=elder.id, event=event.id), now,
                         unique_key=f"device:{event.id}:ask:{person}")
