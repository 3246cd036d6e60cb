"""What a restored backup holds back: nothing that waited in it goes out before an operator says so.

Messages wait as `held`, which no sender takes. Alerts that ran rest: they stand in every list, whoever takes one over
or ends it goes on as ever, but nobody more is told of them by the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, select, update

from storage import meta
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.tables import alert_told, alerts, areas, outbox

HELD = "held_by_restore"  # in `meta`: the ids of the alerts that rest

_STATE = outbox.c.state == "held"
_HOLD = update(outbox).where(outbox.c.state == literal_column("'waiting'")).values(state="held", leased_until=0)
_COUNT = select(outbox.c.lane, func.count()).where(_STATE).group_by(outbox.c.lane).order_by(outbox.c.lane)
_SEND = update(outbox).where(_STATE).values(state="waiting")
_DROP = update(outbox).where(_STATE).values(state="dropped", reason="restored", done_at=bindparam("at"))
_RUNS: ColumnElement[bool] = literal_column("alerts.state IN ('open', 'claimed', 'arrived')")
_RUNNING = select(alerts.c.id, alerts.c.number, alerts.c.kind, alerts.c.state, alerts.c.raised_at,
                  areas.c.name).select_from(alerts.join(areas, areas.c.id == alerts.c.area_id)).where(
    _RUNS).order_by(alerts.c.number)
_REST = update(alerts).where(_RUNS).values(next_at=None)
_REST_TOLD = update(alert_told).where(alert_told.c.next_at.is_not(None)).values(next_at=None)
_RISE = update(alerts).where(alerts.c.id == bindparam("alert"), alerts.c.next_at.is_(None), or_(
    alerts.c.state == "open", alerts.c.state == "claimed")).values(next_at=bindparam("at"))
_RISE_TOLD = update(alert_told).where(alert_told.c.alert_id == bindparam("alert"), alert_told.c.state == "waiting",
                                      alert_told.c.next_at.is_(None)).values(next_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Running:
    """An alert that runs, by its number; `place` is its village."""

    number: int
    kind: str
    state: str
    raised_at: datetime
    place: str


@dataclass(frozen=True, slots=True)
class Held:
    """Messages by lane, and the alerts that ran."""

    messages: dict[str, int]
    alerts: Sequence[Running]

    def __str__(self) -> str:
        """How many, for an operator."""
        counts = [f"{lane} {count}" for lane, count in self.messages.items()]
        return ", ".join([*counts, f"running alerts {len(self.alerts)}"] if self.alerts else counts) or "nothing"


def hold(tx: Tx) -> Held:
    """Holds back all that waits; for the work that restores, before anything else can be sent."""
    running = tx.all(_RUNNING)
    tx.run(_HOLD)
    tx.run(_REST)
    tx.run(_REST_TOLD)
    messages: dict[str, int] = dict(tx.all(_COUNT))
    if messages or running:
        meta.put(tx, HELD, orjson.dumps([row[0] for row in running]).decode())
    return Held(messages, tuple(map(_read, running)))


def any_held(tx: Tx) -> bool:
    """Whether an operator has still to say what becomes of it."""
    return bool(meta.get(tx, HELD))


def look(tx: Tx) -> Held | None:
    """What is held: messages, and alerts that still run; None where an operator has said what becomes of it."""
    if not any_held(tx):
        return None
    resting = set(_resting(tx))
    return Held(dict(tx.all(_COUNT)), tuple(_read(row) for row in tx.all(_RUNNING) if row[0] in resting))


def send(tx: Tx, now: datetime) -> None:
    """Lets all of it go: messages wait for their time again, and alerts that nobody took over climb from now on."""
    tx.run(_SEND)
    for alert in _resting(tx):
        tx.run(_RISE, alert=alert, at=millis(now))
        tx.run(_RISE_TOLD, alert=alert, at=millis(now))
    meta.put(tx, HELD, "")


def drop(tx: Tx, now: datetime) -> None:
    """Drops the messages, with the reason `restored`; alerts that rest go on resting."""
    tx.run(_DROP, at=millis(now))
    meta.put(tx, HELD, "")


def _resting(tx: Tx) -> list[str]:
    found: list[str] = orjson.loads(meta.get(tx, HELD) or "[]")
    return found


def _read(row: Row) -> Running:
    _, number, kind, state, at, place = row
    return Running(number, kind, state, instant(at), place)
