"""A danger that was not gone when an alert was closed stands on the next digest of who visits the elder (C12)."""

from dataclasses import asdict
from datetime import datetime, timedelta

from scheduler.policy import Policies
from scheduler.reminder_notices import Digest
from scheduler.reminder_rules import at_hour
from storage import accounts, alerts, outbox, people, ties
from storage.alerts import Alert
from storage.database import Tx
from storage.outbox import Outgoing


def remind(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """Who visits the elder, or answers for it, has a digest on the next day, whoever else is due; as ever only one.

    Called when an alert is closed, and each time that the township is asked again.
    """
    kept = alerts.unscoped(tx, alert.id)
    if kept is None or kept.elder_id is None or kept.drill or not kept.risk_left:
        return
    policy = policies.of(tx, kept.area_id)
    today = now.astimezone(policy.zone).date()
    day = today + timedelta(days=1)
    fields = {"day": day.isoformat(), **asdict(policy.reminders.limits(day, policy.remind_days))}
    for person in ties.visiting(tx, kept.elder_id, today.isoformat()):
        where = accounts.reached(tx, person)
        if where:
            row = Outgoing(tx.new_id(now), *where, Digest.lane, Digest.kind, {"person": person, **fields})
            hour = at_hour(day, people.choices(tx, person).digest_at or policy.reminders.digest_at, policy.zone)
            outbox.add(tx, row, now, unique_key=f"digest:{person}:{day}", not_before=hour)
