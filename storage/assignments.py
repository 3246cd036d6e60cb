"""Who cares for whom: visitor, stand_in, first_contact, family, cadre (挂钩联系). Ended by a date, never deleted.

The callers note changes on the audit chain in the name of who made them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from storage.database import Tx
from storage.ids import millis
from storage.scope import ELDER_IN_SCOPE, VILLAGES_HELD, Scope
from storage.tables import accounts, areas, assignments, elders, invitations, people, posts

CARING = ("visitor", "stand_in", "first_contact", "cadre")  # those who go to the door; a family stays what it is

VISITING = ("visitor", "stand_in")  # who stands in for a visitor on leave is one meanwhile

_insert = insert(assignments)
_ENTRUST = _insert.on_conflict_do_update(index_elements=["person_id", "elder_id", "role"], set_={
    "from_on": _insert.excluded.from_on, "until_on": _insert.excluded.until_on})


def _runs(day: str, table: FromClause = assignments) -> ColumnElement[bool]:
    return and_(table.c.from_on <= bindparam(day), or_(table.c.until_on.is_(None), table.c.until_on >= bindparam(day)))


def _visits(table: FromClause) -> ColumnElement[bool]:
    return or_(*[table.c.role == role for role in VISITING])


_AFTER = or_(assignments.c.until_on.is_(None), assignments.c.until_on > bindparam("last_day"))
_END = update(assignments).where(
    assignments.c.person_id == bindparam("person"), assignments.c.elder_id == bindparam("elder"), _AFTER).values(
    until_on=bindparam("last_day"))
_END_AS = _END.where(assignments.c.role == bindparam("of_role"))
_END_ROLE = update(assignments).where(
    assignments.c.elder_id == bindparam("elder"), assignments.c.role == bindparam("of_role"), _AFTER).values(
    until_on=bindparam("last_day"))
_ROLES_OF = select(assignments.c.role).where(assignments.c.elder_id == bindparam("elder"), _AFTER).distinct()
_LEND = _insert.on_conflict_do_update(index_elements=["person_id", "elder_id", "role"], set_={
    "from_on": case((assignments.c.until_on < bindparam("today"), _insert.excluded.from_on),
                    (assignments.c.from_on < _insert.excluded.from_on, assignments.c.from_on),
                    else_=_insert.excluded.from_on),
    "until_on": case((assignments.c.until_on > _insert.excluded.until_on, assignments.c.until_on),
                     else_=_insert.excluded.until_on)})
_VISITED = select(assignments.c.elder_id, elders.c.village_id, assignments.c.until_on).select_from(
    assignments.join(elders, elders.c.id == assignments.c.elder_id)).where(
    assignments.c.person_id == bindparam("person"), assignments.c.role == "visitor", elders.c.status != "closed",
    assignments.c.from_on <= bindparam("last"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("first"))).order_by(
    assignments.c.elder_id)
_care = assignments.alias("care")  # the scope has `assignments` of its own
_OF_ELDER = (
    select(_care.c.person_id, people.c.name, people.c.visitor_kind, _care.c.role, _care.c.from_on,
           _care.c.until_on, people.c.minor_until)
    .select_from(_care.join(people, people.c.id == _care.c.person_id).join(
        elders, elders.c.id == _care.c.elder_id))
    .where(_care.c.elder_id == bindparam("elder"), _care.c.role != "self", ELDER_IN_SCOPE)
)
_CARERS = _OF_ELDER.where(people.c.status == "active", _runs("scope_day", _care)).order_by(
    _care.c.role, people.c.name, people.c.id)
_EVER = _OF_ELDER.order_by(_care.c.from_on, people.c.name, people.c.id)
_CASELOAD = (
    select(assignments.c.elder_id, assignments.c.role, assignments.c.until_on, elders.c.name, elders.c.village_id,
           areas.c.name)
    .select_from(assignments.join(elders, elders.c.id == assignments.c.elder_id).join(
        areas, areas.c.id == elders.c.village_id))
    .where(assignments.c.person_id == bindparam("person"), elders.c.status != "closed", _runs("scope_day"),
           elders.c.village_id.in_(VILLAGES_HELD)).order_by(elders.c.village_id, elders.c.number)
)
_held, _village = areas.alias("held"), areas.alias("village")
_load = select(func.count()).select_from(assignments).where(
    assignments.c.person_id == people.c.id, assignments.c.role == "visitor", _runs("scope_day")).scalar_subquery()
_IN_REACH = (
    select(people.c.id, people.c.name, people.c.visitor_kind, _held.c.level, _held.c.name.label("area"),
           _load.label("load"), people.c.minor_until)
    .select_from(people.join(posts, posts.c.person_id == people.c.id).join(
        _held, _held.c.id == posts.c.area_id).join(
        _village, and_(_village.c.path >= _held.c.path, _village.c.path < _held.c.path + "~")))
    .where(_village.c.id == bindparam("village"), posts.c.role == "visitor", people.c.status == "active")
    .order_by(func.length(_held.c.path).desc(), "load", people.c.id).limit(bindparam("count"))
)


_COMES = or_(  # somebody who is on the system, or for whom an invitation is open
    select(accounts.c.account).where(accounts.c.person_id == people.c.id, accounts.c.state == "active").exists(),
    select(invitations.c.id).where(
        invitations.c.person_id == people.c.id, invitations.c.used_at.is_(None), invitations.c.revoked_at.is_(None),
        invitations.c.expires_at >= bindparam("scope_from")).exists())


def nobody(role: Any) -> ColumnElement[bool]:
    """The condition on `elders` that nobody who is active and of age has this role for them on the scope's day.

    Who stands in for a visitor is one. A first contact who is not on the system counts while his invitation is open:
    the callers give `beginning` of the scope's day.
    """
    return ~select(assignments.c.elder_id).select_from(assignments.join(
        people, people.c.id == assignments.c.person_id)).where(
        assignments.c.elder_id == elders.c.id, people.c.status == "active",
        or_(assignments.c.role == role, and_(role == "visitor", assignments.c.role == "stand_in")),
        or_(people.c.minor_until.is_(None), people.c.minor_until <= bindparam("scope_day")),
        or_(assignments.c.role != "first_contact", _COMES), _runs("scope_day")).exists()


def beginning(scope: Scope) -> dict[str, int]:
    """What the statements with `nobody` want beside the scope's values: when its day begins, in milliseconds."""
    return {"scope_from": millis(datetime.combine(scope.day, time(), UTC))}


_WITHOUT = select(elders.c.id).where(
    elders.c.status != "closed", elders.c.village_id.in_(VILLAGES_HELD), nobody(bindparam("of_role"))).order_by(
    elders.c.due_until, elders.c.id)
_WITHOUT_COUNT = select(func.count()).select_from(_WITHOUT.order_by(None).subquery())
_WITHOUT_PAGE = _WITHOUT.limit(bindparam("count")).offset(bindparam("skip"))


_other = assignments.alias("other")
_LEFT_ALONE = (
    select(elders.c.id, elders.c.village_id, func.max(assignments.c.until_on).label("ended")).select_from(
        assignments.join(elders, elders.c.id == assignments.c.elder_id))
    .where(assignments.c.until_on >= bindparam("first_day"), assignments.c.until_on <= bindparam("last_day"),
           _visits(assignments), elders.c.status != "paused", elders.c.status != "closed",  # see storage/due.py
           ~select(_other.c.elder_id).select_from(_other.join(people, people.c.id == _other.c.person_id)).where(
               _other.c.elder_id == elders.c.id, _visits(_other), people.c.status == "active",
               or_(people.c.minor_until.is_(None), people.c.minor_until <= bindparam("scope_day")),
               _runs("scope_day", _other)).exists())
    .group_by(elders.c.id, elders.c.village_id).order_by(text("ended DESC"), elders.c.id).limit(bindparam("count"))
)
LOOKED_BACK = timedelta(days=7)  # a day on which the clock stood still is made up for


@dataclass(frozen=True, slots=True)
class Carer:
    """Somebody who cares or cared for an elder, and what as; ISO days, `until_on` None where there is no end."""

    person_id: str
    name: str
    kind: str | None
    role: str
    from_on: str
    until_on: str | None
    minor_until: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """An elder in somebody's care, as a coordinator of his village sees it."""

    elder_id: str
    role: str
    until_on: str | None
    name: str
    village_id: str
    village: str


@dataclass(frozen=True, slots=True)
class Near:
    """A visitor in whose radius a village lies: the level and name of his area, and how many elders he has."""

    person_id: str
    name: str
    kind: str | None
    level: str
    area: str
    load: int
    minor_until: str | None


def entrust(tx: Tx, person_id: str, elder_id: str, role: str, from_on: str, until_on: str | None = None) -> None:
    """Gives an elder into somebody's care, from a day on (ISO), until another where it ends; again after an end."""
    tx.run(_ENTRUST, person_id=person_id, elder_id=elder_id, role=role, from_on=from_on, until_on=until_on)


def lend(tx: Tx, person_id: str, elder_id: str, from_on: str, until_on: str, today: str) -> None:
    """Gives an elder to who stands in for his visitor, both days (ISO) included.

    What he has of him already, or is to have, is kept, with the days between: it is one row, and nobody is left out.
    """
    tx.run(_LEND, person_id=person_id, elder_id=elder_id, role="stand_in", from_on=from_on, until_on=until_on,
           today=today)


def visited(tx: Tx, person_id: str, first: str, last: str) -> list[tuple[str, str, str | None]]:
    """Elder, village and last day of care (ISO) of those whom a person visits on some day from the first to the last.
    """
    return [(elder, village, until) for elder, village, until in tx.all(
        _VISITED, person=person_id, first=first, last=last)]


def end(tx: Tx, person_id: str, elder_id: str, today: date, role: str | None = None) -> bool:
    """From today on this person does not care for the elder any more, in this role or (None) in any.

    False where he did not.
    """
    values = {"person": person_id, "elder": elder_id, "last_day": _before(today)}
    return (tx.run(_END, **values) if role is None else tx.run(_END_AS, **values, of_role=role)) > 0


def end_role(tx: Tx, elder_id: str, role: str, today: date) -> None:
    """From today on nobody is this to the elder any more."""
    tx.run(_END_ROLE, elder=elder_id, of_role=role, last_day=_before(today))


def end_all(tx: Tx, elder_id: str, today: date, but: tuple[str, ...] = ()) -> None:
    """From today on nobody cares for the elder any more, in no role but these."""
    for role, in tx.all(_ROLES_OF, elder=elder_id, last_day=_before(today)):
        if role not in but:
            end_role(tx, elder_id, role, today)


def carers(tx: Tx, scope: Scope, elder_id: str) -> list[Carer]:
    """Who cares for an elder of the scope on its day."""
    return [Carer(*row) for row in tx.all(_CARERS, elder=elder_id, **scope.values)]


def ever(tx: Tx, scope: Scope, elder_id: str) -> list[Carer]:
    """Everybody who cares or cared for an elder of the scope, the earliest first."""
    return [Carer(*row) for row in tx.all(_EVER, elder=elder_id, **scope.values)]


def caseload(tx: Tx, scope: Scope, person_id: str) -> list[Held]:
    """The elders in a person's care, as far as they lie where the scope's person coordinates."""
    return [Held(*row) for row in tx.all(_CASELOAD, person=person_id, **scope.values)]


def near(tx: Tx, scope: Scope, village_id: str, count: int) -> list[Near]:
    """The visitors in whose radius the village lies: the closest area first, then who has fewest elders (C9)."""
    return [Near(*row) for row in tx.all(_IN_REACH, village=village_id, count=count,
                                         scope_day=scope.values["scope_day"])]


def without(tx: Tx, scope: Scope, role: str, count: int, skip: int = 0) -> tuple[int, list[str]]:
    """How many elders in the area that the scope's person coordinates have nobody of age in this role, and a page of
    their ids.
    """
    values = {**scope.values, **beginning(scope)}
    row = tx.one(_WITHOUT_COUNT, of_role=role, **values)
    page = tx.all(_WITHOUT_PAGE, of_role=role, count=count, skip=skip, **values)
    return int(row[0]) if row else 0, [elder for elder, in page]


def left_alone(tx: Tx, today: date, count: int) -> list[tuple[str, str, str]]:
    """Elder, village and last day (ISO) of those whose last visitor of age ended within the week, the newest first."""
    return [(elder, village, ended) for elder, village, ended in tx.all(
        _LEFT_ALONE, first_day=(today - LOOKED_BACK).isoformat(), last_day=_before(today),
        scope_day=today.isoformat(), count=count)]


def _before(today: date) -> str:
    return (today - timedelta(days=1)).isoformat()
