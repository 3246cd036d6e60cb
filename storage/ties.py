"""What somebody is to one elder: coordinator of where he lives, visitor, first contact, family, cadre."""

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, or_, select, union

from storage.database import Tx
from storage.scope import Scope
from storage.tables import areas, assignments, elders, posts

_held, _village = areas.alias("held"), areas.alias("village")
_OVER = union(
    select(posts.c.role).select_from(elders.join(_village, _village.c.id == elders.c.village_id).join(
        _held, and_(_village.c.path >= _held.c.path, _village.c.path < _held.c.path + "~")).join(
        posts, posts.c.area_id == _held.c.id)).where(
        elders.c.id == bindparam("elder"), posts.c.person_id == bindparam("scope_person"),
        or_(*[posts.c.role == role for role in ("village", "township", "county", "city", "operator")])),
    select(assignments.c.role).where(
        assignments.c.elder_id == bindparam("elder"), assignments.c.person_id == bindparam("scope_person"),
        assignments.c.from_on <= bindparam("scope_day"),
        or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("scope_day"))),
)
_NUMBER = select(elders.c.number).where(elders.c.id == bindparam("elder"))
_NOW = select(assignments.c.person_id, assignments.c.role).where(
    assignments.c.elder_id == bindparam("elder"), assignments.c.from_on <= bindparam("on_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("on_day"))).order_by(
    assignments.c.person_id)

_care = assignments.alias("care")
_PARENTS = select(_care.c.elder_id, _care.c.role).where(
    _care.c.person_id == bindparam("person"), _care.c.from_on <= bindparam("on_day"),
    or_(_care.c.until_on.is_(None), _care.c.until_on >= bindparam("on_day"))).order_by(_care.c.elder_id)
AT_HAND = frozenset({"visitor", "stand_in", "first_contact"})  # goes to the door himself: not a child living elsewhere


def over(tx: Tx, scope: Scope, elder_id: str) -> frozenset[str]:
    """The roles in which the scope's person has to do with this elder today; empty for a stranger."""
    return frozenset(role for role, in tx.all(_OVER, elder=elder_id, **scope.values))


def visiting(tx: Tx, elder_id: str, day: str) -> list[str]:
    """Who goes to see the elder on that day (ISO), or answers for it: visitors, who stands in for one, and first
    contact; family left out.
    """
    rows = list(tx.all(_NOW, elder=elder_id, on_day=day))
    family = {person for person, role in rows if role == "family"}
    return list(dict.fromkeys(
        person for person, role in rows if role in ("visitor", "stand_in", "first_contact") and person not in family))


def family(tx: Tx, elder_id: str, day: str) -> list[str]:
    """Everybody of his family on that day (ISO), the first contact among them where he is a child."""
    return _family((person, role) for person, role in tx.all(_NOW, elder=elder_id, on_day=day))


def children(tx: Tx, elder_id: str, day: str) -> list[str]:
    """His children who live elsewhere: family on that day (ISO), and neither first contact nor visitor."""
    rows = list(tx.all(_NOW, elder=elder_id, on_day=day))
    at_hand = {person for person, role in rows if role in AT_HAND}
    return [person for person in _family((person, role) for person, role in rows) if person not in at_hand]


def parents(tx: Tx, person_id: str, day: str) -> list[str]:
    """The elders to whose family this person belongs on that day."""
    return _family((elder, role) for elder, role in tx.all(_PARENTS, person=person_id, on_day=day))


def _family(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [each for each, role in pairs if role == "family"]


def whereabouts(tx: Tx, elder_id: str) -> int:
    """The number of the file in the village where it is now, for who has just sent it there."""
    row = tx.one(_NUMBER, elder=elder_id)
    return int(row[0]) if row else 0
