"""Of the ledger of alerts: drills (演练) that run."""

from sqlalchemy import bindparam, literal_column, select

from storage import alerts as ledger
from storage.alerts import Alert
from storage.database import Tx
from storage.tables import alerts

# written out as the partial index has it
_RUN = select(alerts.c.id).where(
    literal_column("alerts.state IN ('open', 'claimed', 'arrived')"), alerts.c.drill > 0).order_by(
    alerts.c.raised_at, alerts.c.id)
_BY = _RUN.where(alerts.c.raised_by == bindparam("who")).limit(1)


def running(tx: Tx) -> list[Alert]:
    """All of them, the longest first. For the clock: no Scope."""
    return [alert for row, in tx.all(_RUN) if (alert := ledger.unscoped(tx, row))]


def of(tx: Tx, person_id: str) -> Alert | None:
    """The one that this person started."""
    row = tx.one(_BY, who=person_id)
    return ledger.unscoped(tx, row[0]) if row else None
