"""The area tree: city, county, township, village, group (C1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, insert, or_, select

from storage.database import Tx
from storage.tables import areas, posts

LEVELS = ("city", "county", "township", "village", "group")

_ADD = insert(areas)
_COLUMNS = select(areas.c.id, areas.c.parent_id, areas.c.level, areas.c.name, areas.c.path)
_BY_ID = _COLUMNS.where(areas.c.id == bindparam("area"))
_CHILD = _COLUMNS.where(areas.c.parent_id == bindparam("parent"), areas.c.name == bindparam("name"))
_ROOT = _COLUMNS.where(areas.c.parent_id.is_(None), areas.c.name == bindparam("name"))
_NAMED = _COLUMNS.where(areas.c.name == bindparam("name")).order_by(areas.c.path)
_UNDER = _COLUMNS.where(areas.c.path >= bindparam("path"), areas.c.path < bindparam("path_end")).order_by(areas.c.path)
_ALL = _COLUMNS.order_by(areas.c.path)
_OF_LEVEL = _COLUMNS.where(areas.c.level == bindparam("of_level")).order_by(areas.c.path)
_office = areas.alias("office")
_OF_OFFICE = select(*_COLUMNS.selected_columns).select_from(posts.join(_office, _office.c.id == posts.c.area_id).join(
    areas, and_(areas.c.path >= _office.c.path, areas.c.path < _office.c.path + "~"))).where(
    posts.c.person_id == bindparam("person")).distinct().order_by(areas.c.path)
_COORDINATED = or_(*[posts.c.role == level for level in LEVELS])
_VILLAGES_OF = _OF_OFFICE.where(or_(posts.c.role == "visitor", _COORDINATED), areas.c.level == "village")
_HELD = _OF_OFFICE.where(_COORDINATED, areas.c.level != "group")


@dataclass(frozen=True, slots=True)
class Area:
    """One node; `path` begins with the path of every area that it lies in."""

    id: str
    parent_id: str | None
    level: str
    name: str
    path: str


def add(tx: Tx, parent: Area | None, level: str, name: str, now: datetime) -> Area:
    """The area of this name under the parent: the one that is there, or a new one."""
    found = tx.one(_CHILD, parent=parent.id, name=name) if parent else tx.one(_ROOT, name=name)
    if found:
        return Area(*found)
    area_id = tx.new_id(now)
    area = Area(area_id, parent.id if parent else None, level, name, f"{parent.path if parent else ''}{area_id}/")
    tx.run(_ADD, id=area.id, parent_id=area.parent_id, level=level, name=name, path=area.path)
    return area


def find(tx: Tx, area_id: str) -> Area | None:
    row = tx.one(_BY_ID, area=area_id)
    return Area(*row) if row else None


def named(tx: Tx, name: str) -> list[Area]:
    """Every area of exactly this name, whatever its level."""
    return [Area(*row) for row in tx.all(_NAMED, name=name)]


def under(tx: Tx, area: Area) -> list[Area]:
    """The area and all that lies in it, parents first."""
    return [Area(*row) for row in tx.all(_UNDER, path=area.path, path_end=area.path + "~")]


def above(tx: Tx, area: Area) -> list[Area]:
    """The areas that it lies in, and itself last."""
    return [found for each in area.path.split("/")[:-1] if (found := find(tx, each))]


def names_of(tx: Tx, area_id: str) -> dict[str, str]:
    """What an area and those that it lies in are called, by level."""
    area = find(tx, area_id)
    return {each.level: each.name for each in above(tx, area)} if area else {}


def villages_of(tx: Tx, person_id: str) -> list[Area]:
    """The villages in which a person has a post, or which lie in an area where he has one."""
    return [Area(*row) for row in tx.all(_VILLAGES_OF, person=person_id)]


def held(tx: Tx, person_id: str) -> list[Area]:
    """What a coordinator coordinates: his own areas and all that lies in them down to the villages, parents first."""
    return [Area(*row) for row in tx.all(_HELD, person=person_id)]


def of_level(tx: Tx, level: str) -> list[Area]:
    """Every area of this level."""
    return [Area(*row) for row in tx.all(_OF_LEVEL, of_level=level)]


def everything(tx: Tx) -> list[Area]:
    """The whole tree, parents first. Areas are not personal data."""
    return [Area(*row) for row in tx.all(_ALL)]
