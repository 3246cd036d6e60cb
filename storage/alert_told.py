"""Who was told of an alert, on which channels, and whether he has seen it: a platform's OK is no answer (C12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.tables import alert_told

State = Literal["waiting", "seen", "unreached"]

_OF_HIM = (alert_told.c.alert_id == bindparam("alert"), alert_told.c.person_id == bindparam("person"))
_AS_IT_WAS = (*_OF_HIM, alert_told.c.next_at == bindparam("before"))  # who has seen it, or missed it, has no such time
_ADD = insert(alert_told).on_conflict_do_nothing()
_SEEN = update(alert_told).where(*_OF_HIM, alert_told.c.seen_at.is_(None)).values(
    state="seen", seen_at=bindparam("at"), next_at=None)
_HAS_SEEN = select(alert_told.c.seen_at).where(*_OF_HIM, alert_told.c.seen_at.is_not(None))
_ALL = select(alert_told.c.alert_id, alert_told.c.person_id, alert_told.c.channels, alert_told.c.state,
              alert_told.c.told_at, alert_told.c.seen_at, alert_told.c.next_at)
_OF = _ALL.where(alert_told.c.alert_id == bindparam("alert")).order_by(alert_told.c.told_at, alert_told.c.person_id)
_DUE = _ALL.where(alert_told.c.next_at <= bindparam("at")).order_by(
    alert_told.c.next_at, alert_told.c.alert_id, alert_told.c.person_id).limit(bindparam("count"))
_AGAIN = update(alert_told).where(*_AS_IT_WAS).values(channels=bindparam("on"), next_at=bindparam("then"))
_MISSED = update(alert_told).where(*_AS_IT_WAS).values(state="unreached", next_at=None)
_REST = update(alert_told).where(*_AS_IT_WAS).values(next_at=None)
_WAKE = update(alert_told).where(
    alert_told.c.alert_id == bindparam("alert"), alert_told.c.state == "waiting", alert_told.c.next_at.is_(None),
).values(next_at=bindparam("then"))
_FAILED = update(alert_told).where(
    *_OF_HIM, alert_told.c.next_at.is_not(None), or_(  # told elsewhere meanwhile, he is waited for there
        alert_told.c.channels == bindparam("on"), alert_told.c.channels.like("% " + bindparam("on")))).values(
    next_at=bindparam("at"))
_ON = select(alert_told.c.channels).where(*_OF_HIM)
_MOVE = update(alert_told).where(*_OF_HIM, alert_told.c.channels == bindparam("before")).values(
    channels=bindparam("on"))


@dataclass(frozen=True, slots=True)
class Told:
    """One person who was told, and on which channels, the one told or answered last at the end; none where nothing
    reaches him. At `next_at` the next one's turn comes.
    """

    alert_id: str
    person_id: str
    channels: tuple[str, ...]
    state: str
    told_at: datetime
    seen_at: datetime | None
    next_at: datetime | None


def add(tx: Tx, alert_id: str, person_id: str, channel: str | None, now: datetime, next_at: datetime) -> None:
    """He is told in this work, on this channel (None: nothing reaches him). Told before, it stays as it was."""
    tx.run(_ADD, alert_id=alert_id, person_id=person_id, told_at=millis(now), seen_at=None, channels=channel or "",
           state="waiting", next_at=millis(next_at if channel else now))


def seen(tx: Tx, alert_id: str, person_id: str, now: datetime) -> bool:
    """He has seen it, whatever he pressed and where; False where that was known, or he was not told."""
    return tx.run(_SEEN, alert=alert_id, person=person_id, at=millis(now)) == 1


def answered(tx: Tx, alert_id: str, person_id: str, channel: str, now: datetime) -> None:
    """He has seen it, for he pressed something on this channel (empty: on a page): what follows goes there."""
    seen(tx, alert_id, person_id, now)
    before = _channels(tx, alert_id, person_id)
    if channel and before and before[-1] != channel:
        on = " ".join((*(each for each in before if each != channel), channel))
        tx.run(_MOVE, alert=alert_id, person=person_id, before=" ".join(before), on=on)


def last_channel(tx: Tx, alert_id: str, person_id: str) -> str | None:
    """Where he was told last, or answered; None where he was not told."""
    return next(reversed(_channels(tx, alert_id, person_id)), None)


def has_seen(tx: Tx, alert_id: str, person_id: str) -> bool:
    """Whether he is known to have seen it."""
    return tx.one(_HAS_SEEN, alert=alert_id, person=person_id) is not None


def of(tx: Tx, alert_id: str) -> list[Told]:
    """Everybody who was told, in that order. The caller found the alert in his scope, or is the program itself."""
    return [_read(row) for row in tx.all(_OF, alert=alert_id)]


def due(tx: Tx, now: datetime, count: int) -> list[Told]:
    """Those who have not seen it in time. For the clock, which is nobody: so no Scope."""
    return [_read(row) for row in tx.all(_DUE, at=millis(now), count=count)]


def again(tx: Tx, told: Told, channel: str, next_at: datetime) -> bool:
    """He is told on this channel too in this work; False where something changed meanwhile."""
    on = " ".join((*told.channels, channel))
    return tx.run(_AGAIN, **_was(told), on=on, then=millis(next_at)) == 1


def missed(tx: Tx, told: Told) -> bool:
    """There is no further channel: 未送达, until he presses something. False where something changed meanwhile."""
    return tx.run(_MISSED, **_was(told)) == 1


def rest(tx: Tx, told: Told) -> None:
    """He is not asked after any more: it ended, somebody goes, or it is not his business now."""
    tx.run(_REST, **_was(told))


def wake(tx: Tx, alert_id: str, next_at: datetime) -> None:
    """Nobody goes any more: who has not seen it is asked after again."""
    tx.run(_WAKE, alert=alert_id, then=millis(next_at))


def failed(tx: Tx, alert_id: str, person_id: str, channel: str, now: datetime) -> None:
    """A message to him does not get through on this channel: the next one's turn comes now."""
    tx.run(_FAILED, alert=alert_id, person=person_id, on=channel, at=millis(now))


def _channels(tx: Tx, alert_id: str, person_id: str) -> list[str]:
    row = tx.one(_ON, alert=alert_id, person=person_id)
    return row[0].split() if row else []


def _was(told: Told) -> dict[str, object]:
    return {"alert": told.alert_id, "person": told.person_id, "before": millis(told.next_at) if told.next_at else None}


def _read(row: Row) -> Told:
    alert_id, person, channels, state, told, seen_at, next_at = row
    return Told(alert_id, person, tuple(channels.split()), state, instant(told),
                instant(seen_at) if seen_at else None, instant(next_at) if next_at else None)
