"""What becomes of an alert that somebody took over: more help is asked for, another goes, nobody does any more (C12).

And several of one kind in one village. After a change the rungs count anew: it is `climbed` in the same work.
Each change is one conditional UPDATE: of two who press, one does it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update

from storage.alerts import TAKEN, Alert
from storage.database import Tx
from storage.ids import millis
from storage.scope import VILLAGES_HELD, Scope
from storage.tables import alerts, areas

_MINE = (alerts.c.id == bindparam("alert"), TAKEN, alerts.c.claimed_by == bindparam("owner"))
# pressed again soon after it is the same; a time that has not come yet was given by a clock put back since
_SUPPORT = update(alerts).where(*_MINE, or_(
    alerts.c.support_at.is_(None), alerts.c.support_at <= bindparam("before"), alerts.c.support_at > bindparam("at"),
)).values(support_at=bindparam("at"))
_OFFER = update(alerts).where(*_MINE, or_(
    alerts.c.offered_to.is_(None), alerts.c.offered_to != bindparam("other"))).values(offered_to=bindparam("other"))
_UNOFFER = update(alerts).where(*_MINE, alerts.c.offered_to == bindparam("who")).values(offered_to=None)
_again: dict[str, Any] = {"arrived_at": None, "support_at": None, "offered_to": None, "rung": 0,
                          "rungs_from": bindparam("at"), "next_at": bindparam("at")}
_TAKE_OVER = update(alerts).where(*_MINE, alerts.c.offered_to == bindparam("who")).values(
    state="claimed", claimed_by=bindparam("who"), claimed_at=bindparam("at"), **_again)
_GIVE_BACK = update(alerts).where(*_MINE).values(state="open", claimed_by=None, claimed_at=None, **_again)
_HOLD = select(areas.c.id).where(areas.c.id == bindparam("area")).with_for_update(key_share=True)
_ALIKE = select(alerts.c.id, alerts.c.alike).where(
    alerts.c.area_id == bindparam("area"), alerts.c.kind == bindparam("what"), alerts.c.raised_at >= bindparam("since"),
    alerts.c.state != "false_alarm", alerts.c.drill == 0)
_OF_SEVERAL = update(alerts).where(alerts.c.id == bindparam("alert")).values(alike=1)
_SEVERAL = select(areas.c.name, alerts.c.kind, func.count()).select_from(
    alerts.join(areas, areas.c.id == alerts.c.area_id)).where(
    alerts.c.area_id.in_(VILLAGES_HELD), alerts.c.alike == 1, alerts.c.raised_at >= bindparam("since")).group_by(
    areas.c.path, areas.c.name, alerts.c.kind).order_by(areas.c.path, alerts.c.kind)


def support(tx: Tx, alert: Alert, by: str, before: datetime, now: datetime) -> bool:
    """Who went wants more people; False where it is not his, or he asked so after `before`."""
    done = tx.run(_SUPPORT, alert=alert.id, owner=by, before=millis(before), at=millis(now)) == 1
    return done and _noted(tx, alert, by, "alert.support", now)


def offer(tx: Tx, alert: Alert, by: str, to: str, now: datetime) -> bool:
    """Who went asks this one to go instead, and nobody else any more; False where it is not his, or he is asked."""
    done = tx.run(_OFFER, alert=alert.id, owner=by, other=to) == 1
    return done and _noted(tx, alert, by, "alert.offer", now)


def unoffer(tx: Tx, alert: Alert, by: str, now: datetime) -> bool:
    """He who was asked to go instead says no; False where he is not asked any more."""
    done = tx.run(_UNOFFER, alert=alert.id, owner=alert.claimed_by, who=by) == 1
    return done and _noted(tx, alert, by, "alert.unoffer", now)


def take_over(tx: Tx, alert: Alert, by: str, now: datetime) -> bool:
    """He who was asked goes now, in the place of who went; False where he is not asked, or the other goes no more."""
    done = tx.run(_TAKE_OVER, alert=alert.id, owner=alert.claimed_by, who=by, at=millis(now)) == 1
    return done and _noted(tx, alert, by, "alert.handed", now)


def give_back(tx: Tx, alert: Alert, by: str, now: datetime) -> bool:
    """Nobody goes any more: it is open as on the first minute. False where another went meanwhile, or it ended."""
    done = tx.run(_GIVE_BACK, alert=alert.id, owner=alert.claimed_by, at=millis(now)) == 1
    return done and _noted(tx, alert, by, "alert.back", now)


def alike(tx: Tx, alert: Alert, since: datetime, count: int) -> int:
    """How many of its kind there are in its village since then, where they are several for the first time; else 0.

    From `count` on they are several; what follows within that time belongs to them, and is nothing new.
    """
    tx.one(_HOLD, area=alert.area_id)  # two at the same moment see each other
    found = tx.all(_ALIKE, area=alert.area_id, what=alert.kind, since=millis(since))
    known = any(told for _, told in found)
    if not known and len(found) < count:
        return 0
    for each, told in found:
        if not told:
            tx.run(_OF_SEVERAL, alert=each)
    return 0 if known else len(found)


def several(tx: Tx, scope: Scope, since: datetime) -> list[tuple[str, str, int]]:
    """Where several of one kind were raised since then, in what the scope's person coordinates: village, kind, count.
    """
    return [(name, kind, int(count)) for name, kind, count in tx.all(
        _SEVERAL, scope_person=scope.person_id, since=millis(since))]


def _noted(tx: Tx, alert: Alert, by: str, action: str, now: datetime) -> bool:
    tx.note(now, by, action, alert.elder_id or alert.id, (alert.called,))
    return True

