"""The head of the audit chain goes to every operator, once a day."""

from datetime import datetime

from scheduler import notices
from scheduler.notices import AuditHead
from scheduler.policy import Policies
from storage import audit, people
from storage.database import Tx


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Tells today's head to every operator who was not told yet today; there is never more to do."""
    head = audit.head(tx)
    if head is None:
        return False
    today = now.astimezone(policies.city.zone).date()
    for person in people.operators(tx):
        notices.tell(tx, AuditHead(person=person, lines=head.seq, mac=head.mac), now,
                     unique_key=f"audit_head:{person}:{today}")
    return False
