"""Emergency contacts who have no account (C12): somebody calls them by telephone, and says whether he got through.

Who they are and their numbers stand sealed in the elder's file; here is only their place in it.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.dialects.postgresql import insert

from storage.alerts import Alert
from storage.database import Tx
from storage.ids import millis
from storage.tables import alert_contacts, alert_told, alerts, assignments

# 已打通, 未打通; of what is kept from the family: a coordinator has chosen him to be called
State = Literal["reached", "not_reached", "chosen"]

_insert = insert(alert_contacts)
_MARK = _insert.on_conflict_do_update(index_elements=["alert_id", "slot"], set_={
    name: _insert.excluded[name] for name in ("state", "called_by", "at")})
_OF = select(alert_contacts.c.slot, alert_contacts.c.state).where(
    alert_contacts.c.alert_id == bindparam("alert")).order_by(alert_contacts.c.slot)
_REACHED = select(alert_contacts.c.slot).where(
    alert_contacts.c.alert_id == bindparam("alert"), alert_contacts.c.state == "reached").limit(1)
_kin = assignments.alias("kin")
# somebody of the elder's family saw it, reported it, or goes himself
_FAMILY_KNOWS = select(alerts.c.id).where(alerts.c.id == bindparam("alert"), exists().where(
    _kin.c.elder_id == alerts.c.elder_id, _kin.c.role == "family", _kin.c.from_on <= bindparam("on_day"),
    or_(_kin.c.until_on.is_(None), _kin.c.until_on >= bindparam("on_day")),
    or_(_kin.c.person_id == alerts.c.raised_by, _kin.c.person_id == alerts.c.claimed_by, exists().where(
        alert_told.c.alert_id == alerts.c.id, alert_told.c.person_id == _kin.c.person_id,
        alert_told.c.seen_at.is_not(None)))))


def mark(tx: Tx, alert: Alert, slot: str, state: State, by: str, now: datetime) -> None:
    """Somebody called, and got through or did not, or is to; what was said last counts.

    The caller has looked that he may.
    """
    tx.run(_MARK, alert_id=alert.id, slot=slot, state=state, called_by=by, at=millis(now))
    if state != "chosen":
        tx.note(now, by, "alert.contact", alert.elder_id or alert.id, (alert.called, f"slot{slot}", state))


def of(tx: Tx, alert_id: str) -> dict[str, str]:
    """What came of the calls, by the contact's place in the file. The caller found the alert in his scope."""
    return dict(tx.all(_OF, alert=alert_id))


def family_knows(tx: Tx, alert: Alert, day: str) -> bool:
    """Whether anybody of the family has heard of it for certain: a call got through, or one of them has seen it."""
    return tx.one(_REACHED, alert=alert.id) is not None or tx.one(
        _FAMILY_KNOWS, alert=alert.id, on_day=day) is not None
