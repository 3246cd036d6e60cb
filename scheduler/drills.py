"""演练: the way an alert goes, marked wherever it is shown; no family hears of it, and it is in no figures (C12).

A real report on the same elder is an alert of its own.
"""

from datetime import datetime

from scheduler import alerting
from scheduler.policy import Policies
from storage import alert_drills, alerts, people
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import Elder
from storage.scope import SECRET

KINDS = ("fall", "illness", "lost", "fire", "gas", "electric", "house", "missing")  # nothing that is kept from families
VILLAGE, TOWNSHIP = 1, 2  # who hears of it besides those near
OVER = "drill_over"  # in the place of a reason: it ended by itself


def village_of(tx: Tx, person_id: str) -> str | None:
    """The one village that somebody coordinates: there he may hold a drill on a made-up name."""
    held = {post.area_id for post in people.posts_of(tx, person_id) if post.role == "village"}
    return held.pop() if len(held) == 1 else None


def start(tx: Tx, elder: Elder | None, area_id: str, name: str, kind: str, by: str, reach: int, policies: Policies,
          now: datetime) -> Alert | None:
    """Begins one on an elder, or in this village on a made-up `name`; None while another of this person's runs.

    The caller has looked that he coordinates there. ValueError on a kind that is not among `KINDS`.
    """
    if kind not in KINDS or kind in SECRET or reach not in (VILLAGE, TOWNSHIP):
        raise ValueError("no drill is of this kind")
    if alert_drills.of(tx, by):
        return None
    alert = alerts.add(tx, elder.id if elder else None, elder.village_id if elder else area_id, kind, "person", by,
                       "" if elder else name, now, now, drill=reach)
    alerting.went_out(tx, alert, policies, now)
    return alerts.unscoped(tx, alert.id)


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Ends those that have run for the policy's minutes. There are few: all at once."""
    for alert in alert_drills.running(tx):
        if now - alert.raised_at >= policies.of(tx, alert.area_id).alerts.drill_for and alert.raised_by:
            alerting.end(tx, alert, alert.raised_by, {"reason": OVER}, policies, now)
    return False
