"""The windows of those whom a person visits: open ones and those that begin soon."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, or_, select

from storage.database import Tx
from storage.postponements import said
from storage.scope import Scope
from storage.tables import areas, assignments, elders

_GOES = select(assignments.c.elder_id).where(
    assignments.c.person_id == bindparam("scope_person"),
    or_(assignments.c.role == "visitor", assignments.c.role == "stand_in"),
    assignments.c.from_on <= bindparam("scope_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("scope_day")))
_OWN = select(
    elders.c.id, elders.c.name, areas.c.name.label("village"), elders.c.group_name, elders.c.due_from,
    elders.c.due_until, said(bindparam("scope_person"), elders.c.id),
).select_from(elders.join(areas, areas.c.id == elders.c.village_id)).where(
    elders.c.id.in_(_GOES), elders.c.status != "paused", elders.c.status != "closed", elders.c.wish != "unwilling",
    elders.c.due_from <= bindparam("until")).order_by(
    elders.c.due_until, areas.c.name, elders.c.group_name, elders.c.number, elders.c.id).limit(bindparam("count"))


@dataclass(frozen=True, slots=True)
class ToSee:
    """When an elder is to be seen, both days included: not before the day to which his visitor put it off."""

    elder_id: str
    name: str
    village: str
    group: str
    first: date
    last: date

    @property
    def place(self) -> tuple[str, ...]:
        """Where one walk goes."""
        return self.village, self.group


def of(tx: Tx, scope: Scope, until: date, count: int) -> list[ToSee]:
    """Those who are visited by the scope's person, whose window is open by that day; the earliest end first."""
    return [_to_see(*row) for row in tx.all(_OWN, until=until.isoformat(), count=count, **scope.values)]


def _to_see(elder: str, name: str, village: str, group: str, first: str, last: str, put_off: str) -> ToSee:
    return ToSee(elder, name, village, group, *(date.fromisoformat(max(day, put_off)) for day in (first, last)))
