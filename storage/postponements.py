"""今天去不了: a visitor sees an elder on another day, and is not reminded of him until then."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.sql.elements import ColumnElement

from storage.database import Tx
from storage.ids import instant, millis
from storage.tables import postponements

Reason = Literal["weather", "ill", "nobody_home", "busy", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)

_ADD = insert(postponements)
_LAST = select(postponements.c.until_on, postponements.c.reason, postponements.c.made_at).where(
    postponements.c.elder_id == bindparam("elder"), postponements.c.person_id == bindparam("person")).order_by(
    postponements.c.made_at.desc(), postponements.c.id.desc()).limit(bindparam("count"))


@dataclass(frozen=True, slots=True)
class Postponed:
    """Until which day (ISO), why, and when that was said."""

    until_on: str
    reason: str
    made_at: datetime


def said(person: ColumnElement[Any], elder: ColumnElement[Any]) -> ColumnElement[str]:
    """The day (ISO) on which this person said last that he sees this elder; empty where he never said one."""
    return func.coalesce(select(postponements.c.until_on).where(
        postponements.c.person_id == person, postponements.c.elder_id == elder).order_by(
        postponements.c.made_at.desc(), postponements.c.id.desc()).limit(1).scalar_subquery(), "")


def add(tx: Tx, elder_id: str, person_id: str, until: date, reason: Reason, now: datetime) -> None:
    tx.run(_ADD, id=tx.new_id(now), elder_id=elder_id, person_id=person_id, until_on=until.isoformat(), reason=reason,
           made_at=millis(now))


def last(tx: Tx, elder_id: str, person_id: str, count: int = 1) -> list[Postponed]:
    """What the person said of this elder, the newest first."""
    return [Postponed(until, reason, instant(made)) for until, reason, made in tx.all(
        _LAST, elder=elder_id, person=person_id, count=count)]
