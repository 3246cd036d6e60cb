"""The survey household by household (摸排, 三(二)): which group or estate was gone through, when, and what was found.

A group is an area of its own where the tree has it; one that only stands in elders' files is made when it is surveyed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, func, insert, or_, select

from storage.database import Tx
from storage.ids import millis
from storage.tables import areas, elders, surveys

_ADD = insert(surveys)
_newer = surveys.alias("newer")
_group = areas.alias("group_area")
_GROUPS = (
    select(_group.c.name, surveys.c.on_day, surveys.c.households, surveys.c.found)
    .select_from(_group.outerjoin(surveys, and_(
        surveys.c.area_id == _group.c.id, ~select(_newer.c.id).where(
            _newer.c.area_id == _group.c.id, or_(_newer.c.on_day > surveys.c.on_day, and_(
                _newer.c.on_day == surveys.c.on_day, _newer.c.id > surveys.c.id))).exists())))
    .where(_group.c.parent_id == bindparam("village"), _group.c.level == "group")
)
_REGISTERED = select(elders.c.group_name, func.count()).where(
    elders.c.village_id == bindparam("village"), elders.c.status != "closed").group_by(elders.c.group_name)


@dataclass(frozen=True, slots=True)
class Coverage:
    """One group or estate: how many elders are on the ledger, and the newest survey (ISO day), if there was one."""

    group: str
    registered: int
    on_day: str | None
    households: int
    found: int


def write(tx: Tx, group_id: str, day: str, households: int, found: int, by: str, now: datetime) -> None:
    """A group was gone through: so many households, so many elders in special difficulty found."""
    tx.run(_ADD, id=tx.new_id(now), area_id=group_id, on_day=day, households=households, found=found, made_by=by,
           written_at=millis(now))
    tx.note(now, by, "survey.write", group_id, ["households", "found"])


def coverage(tx: Tx, village_id: str) -> list[Coverage]:
    """Every group that the tree or a file knows of in a village, those not surveyed first. Areas and counts only."""
    registered: dict[str, int] = dict(tx.all(_REGISTERED, village=village_id))
    found = [Coverage(name, registered.pop(name, 0), day, households or 0, elders_found or 0)
             for name, day, households, elders_found in tx.all(_GROUPS, village=village_id)]
    found += [Coverage(name, count, None, 0, 0) for name, count in registered.items() if name]
    return sorted(found, key=lambda each: (each.on_day is not None, len(each.group), each.group))
