"""What stands beside the figures of an area, as it is now: gaps, open needs, the survey, the visiting forces (C14)."""

from dataclasses import dataclass

from sqlalchemy import bindparam, case, func, select

from storage import surveys
from storage.assignments import beginning, nobody
from storage.database import Tx
from storage.scope import HELD_HERE, VILLAGES_HELD, Scope
from storage.tables import areas, elders, people, posts

_GAPS = select(func.sum(case((nobody(bindparam("of_role")), 1), else_=0)), func.sum(elders.c.open_needs)).where(
    HELD_HERE, elders.c.village_id == bindparam("village"), elders.c.status != "closed")
_VISITS_ELDERS = select(posts.c.role).where(posts.c.person_id == people.c.id, posts.c.role == "visitor").exists()
_VISITORS = (
    select(areas.c.path, func.coalesce(people.c.visitor_kind, ""), func.count())
    .select_from(people.join(areas, areas.c.id == people.c.area_id))
    .where(areas.c.path >= bindparam("path"), areas.c.path < bindparam("path_end"),
           people.c.area_id.in_(VILLAGES_HELD), people.c.status == "active", _VISITS_ELDERS)
    .group_by(areas.c.path, people.c.visitor_kind))


@dataclass(frozen=True, slots=True)
class Gaps:
    """Of a village: elders without a first contact, open needs, groups and estates, how many of them were surveyed."""

    no_first_contact: int = 0
    open_needs: int = 0
    groups: int = 0
    surveyed: int = 0

    def __add__(self, other: "Gaps") -> "Gaps":
        return Gaps(self.no_first_contact + other.no_first_contact, self.open_needs + other.open_needs,
                    self.groups + other.groups, self.surveyed + other.surveyed)


def gaps(tx: Tx, scope: Scope, village_id: str) -> Gaps:
    """What is missing in a village; nothing where the scope's person does not coordinate it."""
    row = tx.one(_GAPS, village=village_id, of_role="first_contact", **beginning(scope), **scope.values)
    groups = surveys.coverage(tx, village_id)
    alone, needs = row or (0, 0)
    return Gaps(int(alone or 0), int(needs or 0), len(groups), sum(each.on_day is not None for each in groups))


def visitors(tx: Tx, scope: Scope, path: str) -> list[tuple[str, str, int]]:
    """How many visit elders under a path: the path of the area where they work, their kind (empty: none), how many."""
    rows = tx.all(_VISITORS, path=path, path_end=path + "~", scope_person=scope.person_id)
    return [(where, kind, int(count)) for where, kind, count in rows]
