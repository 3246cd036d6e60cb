"""Who may see whom. Every read of an elder takes a Scope; there is no other way to one.

A coordinator sees the own subtree (C1); a visitor, a first contact and a family see the elders assigned
to them, while the assignment runs.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, bindparam, not_, or_, select, union

from storage.tables import alerts, areas, assignments, elders, people, posts

COORDINATORS = ("village", "township", "county", "city", "operator")
# kinds of alerts that no family, nor a contact who may be of it, hears of before a coordinator decides: he may be the
# cause; and those of which nobody has said yet what they are
SECRET = ("abuse", "self_harm")
UNSAID, SOS = "unsaid", "sos"  # pressed a moment ago, nobody told; gone out without a word of what it is
UNTOLD = frozenset({*SECRET, UNSAID, SOS})  # kinds of which no family is told

_held = areas.alias("held")
_village = areas.alias("village")
VILLAGES_HELD = (
    select(_village.c.id)
    .select_from(posts.join(_held, _held.c.id == posts.c.area_id).join(
        _village, and_(_village.c.path >= _held.c.path, _village.c.path < _held.c.path + "~")))
    .where(posts.c.person_id == bindparam("scope_person"), or_(*[posts.c.role == role for role in COORDINATORS]))
)
_entrusted = select(assignments.c.elder_id).where(
    assignments.c.person_id == bindparam("scope_person"), assignments.c.from_on <= bindparam("scope_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("scope_day")))

# the condition on `elders` that they lie in an area which the person coordinates
HELD_HERE = elders.c.village_id.in_(VILLAGES_HELD)
_entrusted_here = elders.c.id.in_(_entrusted)

_their_post, _their_elder = posts.alias("their_post"), elders.alias("their_elder")
# the condition on `people` that the scope's person may hand out what they may do: all of it lies in his area
PERSON_HELD = and_(
    people.c.area_id.in_(VILLAGES_HELD),
    not_(select(_their_post.c.role).where(
        _their_post.c.person_id == people.c.id, _their_post.c.area_id.not_in(VILLAGES_HELD)).exists()),
    not_(select(assignments.c.role).select_from(
        assignments.join(_their_elder, _their_elder.c.id == assignments.c.elder_id)).where(
        assignments.c.person_id == people.c.id, _their_elder.c.village_id.not_in(VILLAGES_HELD),
        or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("scope_day"))).exists()))

# the condition on `elders` that every statement about one elder carries: for a visitor one look by primary key
ELDER_IN_SCOPE = or_(_entrusted.where(assignments.c.elder_id == elders.c.id).exists(), HELD_HERE)


def _among(*kinds: str) -> ColumnElement[bool]:
    return or_(*(alerts.c.kind == kind for kind in kinds))


def _as(*roles: str) -> ColumnElement[bool]:
    return alerts.c.elder_id.in_(_entrusted.where(or_(*(assignments.c.role == role for role in roles))))


_no_family = not_(_as("family"))
_visits, _visited = assignments.alias("visits"), elders.alias("visited")
# of nobody on the ledger, where the scope's person visits others: who goes there is asked to go
_unlisted_here = and_(
    alerts.c.elder_id.is_(None), not_(_among(*SECRET, UNSAID)), alerts.c.area_id.in_(
        select(_visited.c.village_id).select_from(_visits.join(_visited, _visited.c.id == _visits.c.elder_id)).where(
            _visits.c.person_id == bindparam("scope_person"), _visits.c.from_on <= bindparam("scope_day"),
            or_(_visits.c.until_on.is_(None), _visits.c.until_on >= bindparam("scope_day")),
            or_(_visits.c.role == "visitor", _visits.c.role == "stand_in"), _visited.c.status != "closed")))
# the condition on `alerts` that they lie in an area which the person coordinates, are of an elder in scope and of no
# kind that he may not hear of (of a drill no family hears), of nobody listed where he visits, or were raised by him
ALERT_IN_SCOPE = or_(
    alerts.c.area_id.in_(VILLAGES_HELD),
    and_(alerts.c.elder_id.in_(_entrusted), not_(_among(*SECRET, UNSAID, SOS)), alerts.c.drill == 0),
    and_(_as("visitor", "stand_in"), _no_family),
    and_(_as("first_contact", "cadre"), _no_family, or_(_among(UNSAID, SOS), alerts.c.drill > 0)),
    _unlisted_here,
    and_(alerts.c.raised_by == bindparam("scope_person"),
         or_(alerts.c.elder_id.is_(None), alerts.c.elder_id.in_(_entrusted))))


def within(statement: Select[Any]) -> CompoundSelect[Any]:
    """The rows of a statement on `elders` that are in scope, for lists.

    One arm for each way to an elder, so that each uses its index: for the condition above, an OR of two
    subqueries, PostgreSQL reads the whole table, which only a statement with the elder's id avoids.
    """
    return union(statement.where(HELD_HERE), statement.where(_entrusted_here))


@dataclass(frozen=True, slots=True)
class Scope:
    """The view of one person on one day."""

    person_id: str
    day: date

    @property
    def values(self) -> dict[str, str]:
        """What the statements that carry `ELDER_IN_SCOPE` or `VILLAGES_HELD` want."""
        return {"scope_person": self.person_id, "scope_day": self.day.isoformat()}
