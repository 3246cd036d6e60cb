"""Of the ledger of alerts: that a coordinator decides to tell the family what is kept from it (C12)."""

from datetime import datetime

from sqlalchemy import bindparam, func, or_, update

from storage.alerts import Alert
from storage.database import Tx
from storage.scope import SECRET
from storage.tables import alerts

_DECIDE = update(alerts).where(
    alerts.c.id == bindparam("alert"), or_(*(alerts.c.kind == kind for kind in SECRET)),
    or_(*(alerts.c.state == state for state in ("open", "claimed", "arrived")))).values(
    family_by=func.coalesce(alerts.c.family_by, bindparam("who")))


def decide(tx: Tx, alert: Alert, whom: str, by: str, now: datetime) -> bool:
    """This one of the family is told, by this person's decision; the first who decided so stands in the alert.

    `whom` is a person's id, or a contact's place in the file (`slot1`). False where it ended, or is of no such kind.
    The caller has looked that he may.
    """
    done = tx.run(_DECIDE, alert=alert.id, who=by) == 1
    if done:
        tx.note(now, by, "alert.family", alert.elder_id or alert.id, (alert.called, whom))
    return done
