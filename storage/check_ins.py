"""An elder's own 报平安, by his wish: each day at his hour, and how far the day has gone.

The stage moves by conditional UPDATEs, each from where it stood: of two who move it, by whatever mishap, one does.
`next_at` is the time of the next step, the next day's asking where the day is over.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import ELDER_IN_SCOPE, Scope
from storage.tables import check_ins, elders

# `waiting` for his hour; `asked`, asked `again`; his first `contact` and family were asked; `settling`, where the
# machine stood still meanwhile; an `alert` was raised; he said that he is `fine`, or `unwell`
ASKING = ("asked", "again", "contact", "settling")

_ON: ColumnElement[str] = literal_column("'on'")  # written out: the partial index wants no parameter
_insert = insert(check_ins)
_SET = _insert.on_conflict_do_update(index_elements=["elder_id"], set_={
    name: _insert.excluded[name] for name in ("person_id", "at_time", "state", "day", "stage", "next_at")})
_OFF = update(check_ins).where(check_ins.c.elder_id == bindparam("elder"), check_ins.c.state == _ON).values(state="off")
_ALL = select(check_ins.c.elder_id, check_ins.c.person_id, check_ins.c.at_time, check_ins.c.state, check_ins.c.day,
              check_ins.c.stage, check_ins.c.next_at)
_UNSCOPED = _ALL.where(check_ins.c.elder_id == bindparam("elder"))
_HOLD = _UNSCOPED.with_for_update()
_ONE = select(*_ALL.selected_columns).select_from(check_ins.join(elders, elders.c.id == check_ins.c.elder_id)).where(
    check_ins.c.elder_id == bindparam("elder"), ELDER_IN_SCOPE)
_OWN = _ALL.where(check_ins.c.person_id == bindparam("person")).order_by(check_ins.c.state.desc()).limit(1)
_DUE = _ALL.where(check_ins.c.state == _ON, check_ins.c.next_at <= bindparam("at")).order_by(
    check_ins.c.next_at, check_ins.c.elder_id).limit(bindparam("count"))
_MOVE = update(check_ins).where(
    check_ins.c.elder_id == bindparam("elder"), check_ins.c.state == _ON, check_ins.c.stage == bindparam("stood"),
    check_ins.c.day == bindparam("of_day"), check_ins.c.next_at == bindparam("due")).values(
    stage=bindparam("stands"), day=bindparam("new_day"), next_at=bindparam("next"))


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One elder's: his own person, the hour (HH:MM on the wall), `on` or `off`, and the stage of a day (ISO)."""

    elder_id: str
    person_id: str
    at_time: str
    state: str
    day: str
    stage: str
    next_at: datetime

    @property
    def asking(self) -> bool:
        """Whether somebody's answer is waited for."""
        return self.stage in ASKING


def set_up(tx: Tx, elder_id: str, person_id: str, at_time: str, day: str, next_at: datetime, by: str, now: datetime,
           ) -> None:
    """From `next_at` on, on `day`, the elder is asked daily; what ran before with another hour is over."""
    tx.run(_SET, elder_id=elder_id, person_id=person_id, at_time=at_time, state="on", day=day, stage="waiting",
           next_at=millis(next_at))
    tx.note(now, by, "check_in.on", elder_id, ["at_time"])


def turn_off(tx: Tx, elder_id: str, by: str, now: datetime) -> bool:
    """He is not asked any more; False where he was not."""
    done = tx.run(_OFF, elder=elder_id) == 1
    if done:
        tx.note(now, by, "check_in.off", elder_id)
    return done


def find(tx: Tx, scope: Scope, elder_id: str) -> CheckIn | None:
    """That of an elder in the scope."""
    return _read(tx.one(_ONE, elder=elder_id, **scope.values))


def own(tx: Tx, person_id: str) -> CheckIn | None:
    """The person's own, as the elder that he is."""
    return _read(tx.one(_OWN, person=person_id))


def hold(tx: Tx, elder_id: str) -> CheckIn | None:
    """An elder's as it stands, which until the end of this work nobody else moves: so that no answer is lost."""
    return _read(tx.one(_HOLD, elder=elder_id))


def due(tx: Tx, now: datetime, count: int) -> list[CheckIn]:
    """Those whose next step has come, the one that waits longest first. For the clock, which is nobody: so no Scope."""
    return [found for row in tx.all(_DUE, at=millis(now), count=count) if (found := _read(row))]


def move(tx: Tx, before: CheckIn, stage: str, day: str, next_at: datetime) -> bool:
    """Moves it from where it stood; False where somebody else did, or it is off."""
    return tx.run(_MOVE, elder=before.elder_id, stood=before.stage, of_day=before.day, due=millis(before.next_at),
                  stands=stage, new_day=day, next=millis(next_at)) == 1


def _read(row: Row | None) -> CheckIn | None:
    if row is None:
        return None
    elder_id, person_id, at_time, state, day, stage, next_at = row
    return CheckIn(elder_id, person_id, at_time, state, day, stage, instant(next_at))
