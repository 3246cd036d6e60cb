"""Visitors' holidays (请假): from a day to a day, both included; meanwhile their elders are a stand-in's.

The callers note changes on the audit chain, and give the stand-in his elders (assignments, role `stand_in`).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from storage.database import Tx
from storage.ids import millis
from storage.tables import leaves, people

_ADD = insert(leaves)
_stand_in = people.alias("stand_in_person")
_COLUMNS = select(
    leaves.c.id, leaves.c.person_id, people.c.name, leaves.c.from_on, leaves.c.until_on, leaves.c.state,
    leaves.c.stand_in, _stand_in.c.name.label("stand_in_name")).select_from(
    leaves.join(people, people.c.id == leaves.c.person_id).outerjoin(_stand_in, _stand_in.c.id == leaves.c.stand_in))
_ONE = _COLUMNS.where(leaves.c.id == bindparam("leave"))
_OF = _COLUMNS.where(leaves.c.person_id == bindparam("person"), leaves.c.state == "standing",
                     leaves.c.until_on >= bindparam("on_day")).order_by(leaves.c.from_on, leaves.c.id)
_STOOD_IN = _COLUMNS.where(leaves.c.stand_in == bindparam("other"), leaves.c.state == "standing",
                           leaves.c.until_on >= bindparam("on_day"))
_OVERLAP = select(leaves.c.id).where(
    leaves.c.person_id == bindparam("person"), leaves.c.state == "standing", leaves.c.from_on <= bindparam("last"),
    leaves.c.until_on >= bindparam("first")).limit(1)
_WITHDRAW = update(leaves).where(leaves.c.id == bindparam("leave"), leaves.c.state == "standing").values(
    state="withdrawn")
_STAND_IN = update(leaves).where(leaves.c.id == bindparam("leave"), leaves.c.state == "standing").values(
    stand_in=bindparam("other"))


@dataclass(frozen=True, slots=True)
class Leave:
    """Somebody's holiday, with the names; days are ISO. `state` is `standing` or `withdrawn`."""

    id: str
    person_id: str
    name: str
    from_on: str
    until_on: str
    state: str
    stand_in: str | None
    stand_in_name: str | None


def away(person: ColumnElement[Any], day: str) -> ColumnElement[bool]:
    """The condition that this person is on leave on the day that the parameter of this name gives."""
    return select(leaves.c.id).where(and_(
        leaves.c.person_id == person, leaves.c.state == "standing", leaves.c.from_on <= bindparam(day),
        leaves.c.until_on >= bindparam(day))).exists()


def add(tx: Tx, person_id: str, first: str, last: str, stand_in: str | None, by: str, now: datetime) -> str:
    """Keeps a holiday; gives its id."""
    leave_id = tx.new_id(now)
    tx.run(_ADD, id=leave_id, person_id=person_id, from_on=first, until_on=last, stand_in=stand_in, state="standing",
           made_by=by, made_at=millis(now))
    return leave_id


def find(tx: Tx, leave_id: str) -> Leave | None:
    """One holiday. The caller looks who may see it."""
    row = tx.one(_ONE, leave=leave_id)
    return Leave(*row) if row else None


def of(tx: Tx, person_id: str, today: date) -> list[Leave]:
    """The holidays of a person that are not over yet, the first one at the top."""
    return [Leave(*row) for row in tx.all(_OF, person=person_id, on_day=today.isoformat())]


def stood_in(tx: Tx, stand_in: str, today: date) -> list[Leave]:
    """The holidays that are not over yet in which this person stands in."""
    return [Leave(*row) for row in tx.all(_STOOD_IN, other=stand_in, on_day=today.isoformat())]


def overlaps(tx: Tx, person_id: str, first: str, last: str) -> bool:
    """Whether the person is away on any of these days."""
    return tx.one(_OVERLAP, person=person_id, first=first, last=last) is not None


def is_away(tx: Tx, person_id: str, day: date) -> bool:
    return overlaps(tx, person_id, day.isoformat(), day.isoformat())


def withdraw(tx: Tx, leave_id: str) -> bool:
    """It does not hold any more; False where it did not."""
    return tx.run(_WITHDRAW, leave=leave_id) == 1


def set_stand_in(tx: Tx, leave_id: str, person_id: str) -> bool:
    """Somebody else stands in; False where the holiday does not hold any more."""
    return tx.run(_STAND_IN, leave=leave_id, other=person_id) == 1
