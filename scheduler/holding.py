"""Where messages leave: quiet hours and the daily cap bind reminders, in the unit of work that leases them.

Lanes `alert` and `reply` are never held. A digest beyond the cap is dropped, for the next day brings another; anything
else waits for the next morning.
"""

from datetime import datetime

from scheduler.policy import Policy
from scheduler.reminder_notices import Digest
from storage import outbox, quotas
from storage.database import Tx
from storage.outbox import Outgoing

MOST_HELD = 500  # rows put off in one unit of work
ROUNDS = MOST_HELD // outbox.FEW  # of leasing, where nothing of what was leased may leave
OVER_CAP = "daily cap"


def take(tx: Tx, now: datetime, policy: Policy, count: int = 50) -> list[Outgoing]:
    """Leases what may leave now. Each reminder is counted for its person and day; `give_back` what did not leave."""
    if opens := policy.messages.quiet(now, policy.zone):
        outbox.hold_reminders(tx, now, opens, MOST_HELD)
        return outbox.take(tx, now, count, outbox.UNBOUND)
    for _ in range(ROUNDS):
        rows = outbox.take(tx, now, count)
        leaving = [row for row in rows if _may_leave(tx, row, now, policy)]
        if leaving or not rows:
            return leaving
    return []


def _may_leave(tx: Tx, row: Outgoing, now: datetime, policy: Policy) -> bool:
    person = _bound(row)
    if person is None:
        return True
    today = now.astimezone(policy.zone).date()
    if quotas.count(tx, person, today, policy.messages.most_a_day):
        return True
    if row.kind == Digest.kind:
        outbox.drop(tx, row.id, OVER_CAP, now)
    else:
        outbox.hold(tx, row.id, policy.messages.tomorrow(now, policy.zone))
    return False


def give_back(tx: Tx, row: Outgoing, now: datetime, policy: Policy) -> None:
    """A leased row did not leave, or is tried again later: it does not count. After a crash it does: it may have left.
    """
    if person := _bound(row):
        quotas.give_back(tx, person, now.astimezone(policy.zone).date())


def _bound(row: Outgoing) -> str | None:
    """The person for whom a row counts."""
    return str(row.fields["person"]) if row.lane == "reminder" and "person" in row.fields else None
