"""多起同类警报: several alerts of one kind in one village, within the policy's time, are told above, once (C12)."""

from datetime import datetime

from scheduler import notices
from scheduler.alert_notices import AlertsAlike
from scheduler.policy import Policies
from storage import accounts, alert_turns, people
from storage.alerts import Alert
from storage.database import Tx


def look(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """After it is said what an alert is: where it makes them several, the rank of the policy is told, once for all
    that follow each other; never of a drill. Where nobody of that rank is reached, the next one above is.
    """
    rules = policies.of(tx, alert.area_id).alerts
    wanted = rules.many.get(alert.kind)
    count = alert_turns.alike(tx, alert, now - rules.many_within, wanted) if wanted and not alert.drill else 0
    if not count:
        return
    ranks = people.COORDINATING[people.COORDINATING.index(rules.many_to):]
    persons = (people.coordinators(tx, alert.area_id, role) for role in ranks)
    reached = next((found for found in persons if any(accounts.reached(tx, each) for each in found)), None)
    for person in reached if reached is not None else people.operators(tx):
        notice = AlertsAlike(person=person, alert=alert.id, count=count, minutes=rules.many_minutes)
        notices.tell(tx, notice, now, unique_key=f"alike:{alert.id}:{person}")
