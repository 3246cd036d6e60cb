"""Of the ledger of alerts: elders where the danger of a closed one is not gone yet, as far as is known (C12)."""

from sqlalchemy import bindparam, or_, select

from storage import alerts as ledger
from storage.database import Tx
from storage.scope import ALERT_IN_SCOPE, Scope
from storage.tables import alerts, assignments

MOST = 200

_care = assignments.alias("care")
_THEIRS = select(alerts.c.id).where(
    # as the partial index on `next_at` has it: what is still asked after, and what runs, is little
    alerts.c.next_at.is_not(None), alerts.c.state == "closed", ALERT_IN_SCOPE, alerts.c.elder_id.in_(
        select(_care.c.elder_id).where(
            _care.c.person_id == bindparam("scope_person"),
            or_(*(_care.c.role == role for role in ("visitor", "stand_in", "first_contact"))),
            _care.c.from_on <= bindparam("scope_day"),
            or_(_care.c.until_on.is_(None), _care.c.until_on >= bindparam("scope_day"))))).order_by(
    alerts.c.closed_at, alerts.c.id).limit(bindparam("count"))


def elders(tx: Tx, scope: Scope) -> list[str]:
    """Of the elders whom the scope's person visits or answers for, by id: those where a danger is left."""
    found = (ledger.unscoped(tx, alert) for alert, in tx.all(_THEIRS, count=MOST, **scope.values))
    return list(dict.fromkeys(alert.elder_id for alert in found if alert and alert.elder_id and alert.risk_left))
