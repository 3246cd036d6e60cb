"""Who goes to the elders of a village: they are asked first when an alert runs there (C12). Only read."""

from sqlalchemy import bindparam, or_, select

from storage.alerts import Around
from storage.database import Tx
from storage.tables import assignments, elders, people

_GOING = select(people.c.id, people.c.visitor_kind, people.c.minor_until, people.c.area_id, assignments.c.role
                ).select_from(assignments.join(people, people.c.id == assignments.c.person_id).join(
    elders, elders.c.id == assignments.c.elder_id)).where(
    elders.c.village_id == bindparam("area"), elders.c.status != "closed", assignments.c.role != "family",
    assignments.c.from_on <= bindparam("on_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("on_day")),
    people.c.status == "active").distinct().order_by(assignments.c.role.desc(), people.c.id)


def going(tx: Tx, area_id: str, day: str) -> list[Around]:
    """Everybody active who cares for an elder of this village on that day (ISO), once for each role but family."""
    return [Around(*row) for row in tx.all(_GOING, area=area_id, on_day=day)]
