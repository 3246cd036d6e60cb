"""What the clock does and did: a row for each sweep and day (`ticks`), and the next instant at which something is due.

Who runs a sweep holds a lease until the last chunk, which writes `done_at`. The lease is also a fence: it only grows,
each chunk renews it in its own transaction, and of two who run the same sweep, by whatever mishap, one gets no further.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Select, and_, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from storage.database import Tx
from storage.ids import instant, millis
from storage.outbox import LANES
from storage.tables import alert_told, alerts, call_plans, check_ins, outbox, requests, ticks

LEASE = timedelta(seconds=30)
TOO_FAR = 20 * LEASE  # a lease that ends later was given by a clock that has been put back since: it counts no more
EACH_BEAT = ""  # the `due` of a sweep that runs at every beat: one row, done again and again
KEPT = timedelta(days=30)  # for rows of days: a clock that is put back finds that its day is done

_MINE = and_(ticks.c.sweep == bindparam("called"), ticks.c.due == bindparam("of"))
_FREE = or_(ticks.c.leased_until <= bindparam("at"), ticks.c.leased_until > bindparam("too_far"),
            ticks.c.leased_until == bindparam("held"))
_FIRST = insert(ticks).on_conflict_do_nothing()
_AGAIN = update(ticks).where(_MINE, _FREE, or_(ticks.c.due == EACH_BEAT, ticks.c.done_at.is_(None))).values(
    leased_until=bindparam("until"))
_DONE = update(ticks).where(_MINE).values(leased_until=0, done_at=bindparam("when"))
_FORGET = delete(ticks).where(ticks.c.sweep == bindparam("called"), ticks.c.due != EACH_BEAT,
                              ticks.c.due < bindparam("before"))
_LAST = select(ticks.c.sweep, func.max(ticks.c.done_at)).group_by(ticks.c.sweep)


def _least(column: "Column[int]", *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(column).where(column > bindparam("after"), *conditions).order_by(column).limit(1)


# whatever waits for an instant, a line each: a clock that is moved stops there. Each wants an index, and what a partial
# one asks for written out
INSTANTS: Sequence[Select[Any]] = (
    *(_least(outbox.c.not_before, outbox.c.state == literal_column("'waiting'"), outbox.c.lane == lane)
      for lane in LANES),
    _least(call_plans.c.next_at),
    _least(check_ins.c.next_at, check_ins.c.state == literal_column("'on'")),
    _least(alerts.c.next_at),
    _least(alert_told.c.next_at),
    _least(requests.c.late_at),
)


@dataclass(frozen=True, slots=True)
class Last:
    """When a sweep was last done; None where it never was to its end."""

    sweep: str
    done_at: datetime | None


def take(tx: Tx, sweep: str, due: str, now: datetime, held: int = 0) -> int:
    """Takes a sweep for its next chunk, or goes on holding it; gives the lease to come back with as `held`.

    0 where somebody else has it, or it is done. `due`: EACH_BEAT, or an ISO day.
    """
    at, until = millis(now), max(millis(now + LEASE), held + 1)
    if tx.run(_AGAIN, called=sweep, of=due, at=at, too_far=millis(now + TOO_FAR), held=held, until=until) == 1:
        return until
    first = not held and tx.run(_FIRST, sweep=sweep, due=due, leased_until=until, done_at=None) == 1
    return until if first else 0


def done(tx: Tx, sweep: str, due: str, now: datetime) -> None:
    """The last chunk is written: with this it counts as done, and anybody may take the next."""
    tx.run(_DONE, called=sweep, of=due, when=millis(now))
    if due != EACH_BEAT:
        tx.run(_FORGET, called=sweep, before=(now - KEPT).date().isoformat())


def last(tx: Tx) -> list[Last]:
    """Every sweep that ever ran, with its last end."""
    return [Last(sweep, instant(at) if at else None) for sweep, at in tx.all(_LAST)]


def next_instant(tx: Tx, after: datetime) -> datetime | None:
    """The least stored instant later than this at which something waits to happen."""
    found = [row[0] for each in INSTANTS if (row := tx.one(each, after=millis(after)))]
    return instant(min(found)) if found else None
