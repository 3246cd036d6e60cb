"""What devices sent (C11): each once by vendor and event id, and what became of it. Nothing is thrown away."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, bindparam, distinct, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.devices import Device
from storage.ids import instant, millis
from storage.scope import ELDER_IN_SCOPE, Scope
from storage.tables import alerts, device_events, elders

State = Literal["alert", "check_in", "note", "unknown_device"]
Answer = Literal["fine", "unreachable"]

_ADD = insert(device_events).on_conflict_do_nothing(index_elements=["vendor_id", "event_id"])
_ALL = select(device_events.c.id, device_events.c.device_id, device_events.c.elder_id, device_events.c.kind,
              device_events.c.at, device_events.c.received_at, device_events.c.reading, device_events.c.state,
              device_events.c.alert_id, device_events.c.answer, device_events.c.answered_by)
_THIS = device_events.c.id == bindparam("row")
_ONE = select(*_ALL.selected_columns).select_from(
    device_events.join(elders, elders.c.id == device_events.c.elder_id)).where(_THIS, ELDER_IN_SCOPE)
_KEPT = select(device_events.c.state, alerts.c.number).select_from(
    device_events.outerjoin(alerts, alerts.c.id == device_events.c.alert_id)).where(
    device_events.c.vendor_id == bindparam("vendor"), device_events.c.event_id == bindparam("event"))
_BECAME = update(device_events).where(_THIS).values(state=bindparam("new_state"), alert_id=bindparam("alert"))
_TOLD = select(device_events.c.state).where(
    device_events.c.device_id == bindparam("device"), device_events.c.elder_id == bindparam("elder"),
    device_events.c.kind == bindparam("of_kind"), device_events.c.received_at > bindparam("since"),
    or_(device_events.c.state == "alert", device_events.c.state == "check_in")).distinct()
_NOBODYS = _ALL.where(device_events.c.device_id == bindparam("device"), device_events.c.elder_id.is_(None)).order_by(
    device_events.c.received_at.desc(), device_events.c.id.desc()).limit(bindparam("count"))
_ELDERS = _ALL.where(
    device_events.c.device_id == bindparam("device"), device_events.c.elder_id == bindparam("elder")).order_by(
    device_events.c.received_at.desc(), device_events.c.id.desc()).limit(bindparam("count"))
_UNANSWERED = _ALL.where(
    literal_column("device_events.state = 'check_in'"), device_events.c.answer.is_(None),  # as its partial index has it
    device_events.c.received_at > bindparam("since"), device_events.c.received_at <= bindparam("until")).order_by(
    device_events.c.received_at, device_events.c.id).limit(bindparam("count"))
_NOBODYS_SINCE = _ALL.where(
    device_events.c.device_id == bindparam("device"), device_events.c.elder_id.is_(None),
    device_events.c.state == "unknown_device", device_events.c.at > bindparam("since")).order_by(
    device_events.c.at.desc(), device_events.c.id.desc())
_ADOPT = update(device_events).where(_THIS, device_events.c.elder_id.is_(None)).values(
    elder_id=bindparam("elder"), state="note")
_OF_ALERT = _ALL.where(device_events.c.alert_id == bindparam("alert"), device_events.c.state == "alert").order_by(
    device_events.c.id).limit(1)
_ANSWER = update(device_events).where(_THIS, device_events.c.answer.is_(None)).values(
    answer=bindparam("said"), answered_by=bindparam("who"), answered_at=bindparam("at"))
_RAISED = update(device_events).where(_THIS).values(alert_id=bindparam("alert"))
_HOW_MANY: ColumnElement[int] = func.count(distinct(device_events.c.alert_id))
_FALSE_SINCE = (alerts.c.state == "false_alarm", alerts.c.source == "device", alerts.c.closed_at >= bindparam("since"),
                device_events.c.state == "alert")
_FALSE_OF = select(_HOW_MANY).select_from(device_events.join(alerts, alerts.c.id == device_events.c.alert_id)).where(
    device_events.c.device_id == bindparam("device"), device_events.c.received_at >= bindparam("began"), *_FALSE_SINCE)
# the alerts of the last days by the index on their ids, which begin with the time of their making
_NOISY = select(device_events.c.device_id, _HOW_MANY).select_from(
    device_events.join(alerts, alerts.c.id == device_events.c.alert_id)).where(
    device_events.c.alert_id.is_not(None), device_events.c.alert_id >= bindparam("made"), *_FALSE_SINCE).group_by(
    device_events.c.device_id).having(literal_column("2") <= _HOW_MANY).order_by(device_events.c.device_id)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a device sent. `reading` is what it measured: `hours`, `per_minute`, `percent` or a `place`."""

    id: str
    device_id: str
    elder_id: str | None
    kind: str
    at: datetime
    received_at: datetime
    reading: dict[str, Any] = field(repr=False)
    state: str
    alert_id: str | None
    answer: str | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an event, as its vendor is told, and the number of the alert where there is one."""

    state: str
    alert: int | None


def add(tx: Tx, device: Device, event_id: str, kind: str, at: datetime, reading: dict[str, Any], now: datetime,
        ) -> str | None:
    """Keeps it, as a note that becomes more; gives its id, None where this event of the vendor is there already."""
    row = tx.new_id(now)
    sealed = tx.keys.seal(orjson.dumps(reading), "device_events.reading", row)
    done = tx.run(_ADD, id=row, vendor_id=device.vendor_id, event_id=event_id, device_id=device.id,
                  elder_id=device.elder_id, kind=kind, at=millis(at), received_at=millis(now), reading=sealed,
                  state="note", alert_id=None, answer=None, answered_by=None, answered_at=None)
    return row if done == 1 else None


def became(tx: Tx, event: str, state: State, alert_id: str | None = None) -> None:
    """What was made of it, in the unit of work that keeps it."""
    tx.run(_BECAME, row=event, new_state=state, alert=alert_id)


def kept(tx: Tx, vendor_id: str, event_id: str) -> Kept | None:
    """What became of a vendor's event."""
    row = tx.one(_KEPT, vendor=vendor_id, event=event_id)
    return Kept(*row) if row else None


def told(tx: Tx, device: Device, kind: str, since: datetime) -> set[str]:
    """Of what a device sent of this kind since then: `alert`, `check_in`, where somebody was told of any."""
    return {state for state, in tx.all(_TOLD, device=device.id, elder=device.elder_id, of_kind=kind,
                                       since=millis(since))}


def find(tx: Tx, scope: Scope, event: str) -> Event | None:
    """One of an elder in the scope."""
    row = tx.one(_ONE, row=event, **scope.values)
    return _read(tx, row) if row else None


def latest(tx: Tx, device: Device, count: int) -> list[Event]:
    """The last things that a device sent, the newest first: of its elder's time; of one that is nobody's, of such."""
    rows = tx.all(_ELDERS, device=device.id, elder=device.elder_id, count=count) if device.elder_id else tx.all(
        _NOBODYS, device=device.id, count=count)
    return [_read(tx, row) for row in rows]


def of_alert(tx: Tx, alert_id: str) -> Event | None:
    """What a device sent from which an alert came: the first of it. The caller found the alert in his scope."""
    row = tx.one(_OF_ALERT, alert=alert_id)
    return _read(tx, row) if row else None


def answer(tx: Tx, event: Event, said: Answer, by: str, now: datetime) -> bool:
    """Somebody looked or called; False where somebody did before. The caller found the event in his scope."""
    done = tx.run(_ANSWER, row=event.id, said=said, who=by, at=millis(now)) == 1
    if done:
        tx.note(now, by, "device.answer", event.elder_id or "", (event.id,))
    return done


def unanswered(tx: Tx, since: datetime, until: datetime, count: int) -> list[Event]:
    """What was asked about between these times and nobody answered, the longest waiting first. For the clock."""
    return [_read(tx, row) for row in tx.all(
        _UNANSWERED, since=millis(since), until=millis(until), count=count)]


def expired(tx: Tx, event: Event, now: datetime) -> bool:
    """Nobody answered in time: it counts as not reached; False where somebody did."""
    return tx.run(_ANSWER, row=event.id, said="unreachable", who=None, at=millis(now)) == 1


def nobodys(tx: Tx, device: Device, since: datetime) -> list[Event]:
    """What a device sent since then while it was nobody's, the newest first. The caller has just bound it."""
    return [_read(tx, row) for row in tx.all(_NOBODYS_SINCE, device=device.id, since=millis(since))]


def adopt(tx: Tx, event: Event, elder_id: str) -> bool:
    """What was nobody's is this elder's, a note that becomes more; False where it is somebody's."""
    return tx.run(_ADOPT, row=event.id, elder=elder_id) == 1


def raised(tx: Tx, event: Event, alert_id: str) -> None:
    """The alert that came of its being asked."""
    tx.run(_RAISED, row=event.id, alert=alert_id)


def false_alarms(tx: Tx, device: Device, since: datetime, began: datetime) -> int:
    """How many alerts of a device, of what came since `began`, were ended as false alarms since a time."""
    row = tx.one(_FALSE_OF, device=device.id, since=millis(since), began=millis(began))
    return int(row[0]) if row else 0


def noisy(tx: Tx, since: datetime, began: datetime) -> list[tuple[str, int]]:
    """Every device with two false alarms or more as in `false_alarms`, and how many. For the clock: no Scope."""
    return [(device, int(count)) for device, count in tx.all(
        _NOISY, since=millis(since), made=f"{millis(began):012x}")]


def _read(tx: Tx, row: Row) -> Event:
    event, device, elder, kind, at, received, sealed, state, alert, answered, by = row
    reading: dict[str, Any] = orjson.loads(
        tx.keys.open(sealed, "device_events.reading", event)) if sealed else {}
    return Event(event, device, elder, kind, instant(at), instant(received), reading, state, alert, answered, by)
