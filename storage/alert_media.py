"""What is added to an alert while it runs (C12): a photo, a voice note, a place. Never asked for before."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, func, insert, or_, select, update

from storage import alerts
from storage.alerts import Alert
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import Scope
from storage.tables import alert_media
from storage.tables import alerts as kept

Kind = Literal["photo", "voice", "place"]
MOST = 20  # of one alert: somebody may send the same thing again and again

_ADD = insert(alert_media)
_ALL = select(alert_media.c.id, alert_media.c.alert_id, alert_media.c.kind, alert_media.c.media_id, alert_media.c.place,
              alert_media.c.added_by, alert_media.c.added_at)
_OF = _ALL.where(alert_media.c.alert_id == bindparam("alert")).order_by(alert_media.c.added_at, alert_media.c.id)
_ONE = _ALL.where(alert_media.c.id == bindparam("row"))
_MOVE = update(alert_media).where(alert_media.c.alert_id == bindparam("alert")).values(alert_id=bindparam("into"))
_HOW_MANY = select(func.count()).select_from(alert_media).where(alert_media.c.alert_id == bindparam("alert"))
_OWN = select(kept.c.id).where(
    or_(*(kept.c.state == state for state in ("open", "claimed", "arrived"))),
    or_(kept.c.raised_by == bindparam("who"), kept.c.claimed_by == bindparam("who"))).order_by(
    kept.c.drill, kept.c.raised_at.desc(), kept.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Added:
    """One thing that was added. `place` is `latitude,longitude datum` in degrees, empty for what is no place."""

    id: str
    alert_id: str
    kind: str
    media_id: str | None
    place: str = field(repr=False)
    by: str | None
    at: datetime


def own(tx: Tx, person_id: str) -> Alert | None:
    """The newest alert that this person raised or goes to, while it runs; a drill where there is no other."""
    row = tx.one(_OWN, who=person_id)
    return alerts.unscoped(tx, row[0]) if row else None


def add(tx: Tx, alert: Alert, kind: Kind, by: str, now: datetime, media_id: str | None = None, place: str = "") -> bool:
    """Adds a photo or voice note that is kept already, or a place; False where there are as many as there may be."""
    counted = tx.one(_HOW_MANY, alert=alert.id)
    if counted and counted[0] >= MOST:
        return False
    row = tx.new_id(now)
    sealed = tx.keys.seal(place.encode(), "alert_media.place", row) if place else None
    tx.run(_ADD, id=row, alert_id=alert.id, kind=kind, media_id=media_id, place=sealed, added_by=by,
           added_at=millis(now))
    tx.note(now, by, "alert.added", alert.elder_id or alert.id, (alert.called, kind))
    return True


def move(tx: Tx, alert: Alert, into: Alert) -> None:
    """What was added to an alert that becomes a further report of another goes there."""
    tx.run(_MOVE, alert=alert.id, into=into.id)


def of(tx: Tx, alert_id: str) -> list[Added]:
    """All of it, in the order in which it came. The caller found the alert in his scope."""
    return [_read(tx, row) for row in tx.all(_OF, alert=alert_id)]


def find(tx: Tx, scope: Scope, row_id: str) -> tuple[Alert, Added] | None:
    """One of them with its alert, where the scope's person may see that."""
    row = tx.one(_ONE, row=row_id)
    alert = alerts.find(tx, scope, row[1]) if row else None
    return (alert, _read(tx, row)) if row and alert else None


def _read(tx: Tx, row: Row) -> Added:
    added, alert, kind, media_id, place, by, at = row
    where = tx.keys.open(place, "alert_media.place", added).decode() if place else ""
    return Added(added, alert, kind, media_id, where, by, instant(at))
