"""The ledger of figures (C14): what was frozen at a cut-off, and the raw rows that figures are counted from.

Only ids, days and words are read, no name: what comes of it are numbers. So these reads have no Scope; the caller has
looked that whoever asks coordinates the village, or asks for nobody, as the clock does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    union,
)

from storage.courses import Change
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.tables import areas, courses, elders, figures, visits

T = TypeVar("T")
Counts = Mapping[str, int]  # numbers by name; what is not there is 0

_VILLAGE: ColumnElement[str] = literal_column("'village'")  # written out: the partial index wants no parameter
_AFTER: BindParameter[str] = bindparam("after")
_UNTIL: BindParameter[str] = bindparam("last")


def _there(*bounds: Callable[[ColumnElement[str]], ColumnElement[bool]]) -> CompoundSelect[Any]:
    """The ids of who lives in the village or once did: an elder is counted where he lived then."""
    once = courses.c.elder_id
    return union(
        select(elders.c.id).where(elders.c.village_id == bindparam("village"), *[each(elders.c.id) for each in bounds]),
        select(once).where(courses.c.what == _VILLAGE, courses.c.value == bindparam("village"),
                           *[each(once) for each in bounds]))


_OF = _there(lambda elder: elder > _AFTER, lambda elder: elder <= _UNTIL)
_FILES = (
    select(elders.c.id, elders.c.village_id, elders.c.registered_on, elders.c.earlier_visit_on, elders.c.care_class,
           elders.c.created_at)
    .where(elders.c.created_at < bindparam("before"), elders.c.id.in_(_there(lambda elder: elder > _AFTER)))
    .order_by(elders.c.id).limit(bindparam("count")))
_COURSES = select(courses.c.elder_id, courses.c.id, courses.c.what, courses.c.from_on, courses.c.value,
                  courses.c.entered_at).where(courses.c.elder_id.in_(_OF))
_newer = visits.alias("newer")
_STOOD = select(visits.c.elder_id, visits.c.visit_id, visits.c.on_day, visits.c.method).where(
    visits.c.elder_id.in_(_OF), or_(visits.c.state == "current", visits.c.state == "replaced"),
    visits.c.on_day >= bindparam("since"), visits.c.on_day <= bindparam("until"),
    visits.c.written_at < bindparam("before"),
    ~select(_newer.c.id).where(and_(
        _newer.c.visit_id == visits.c.visit_id, _newer.c.version > visits.c.version,
        _newer.c.written_at < bindparam("before"))).exists())

_FIRST = select(elders.c.created_at).order_by(elders.c.id).limit(1)
_NEXT_VILLAGE = select(areas.c.id).where(areas.c.level == "village", areas.c.id > bindparam("after")).order_by(
    areas.c.id).limit(1)
_ADD = insert(figures)
_FROZEN = (
    select(figures.c.area_id, figures.c.care_class, figures.c.numbers, figures.c.cut_off)
    .select_from(figures.join(areas, areas.c.id == figures.c.area_id))
    .where(figures.c.period == bindparam("of_period"), areas.c.path >= bindparam("path"),
           areas.c.path < bindparam("path_end")))


@dataclass(frozen=True, slots=True)
class Stood:
    """A visit as it stood at a time: by its newest version of then, where that counts. ISO day."""

    visit_id: str
    on_day: str
    method: str

    @property
    def entered_at(self) -> datetime:
        """When it was first written down: its id is the first version's, and a UUIDv7 begins with its time."""
        return instant(int(self.visit_id[:12], 16))


@dataclass(frozen=True, slots=True)
class File:
    """What of an elder's file decides over figures beside his course, as it stands today. ISO days."""

    elder_id: str
    village_id: str
    registered_on: str
    earlier_visit_on: str | None
    care_class: str
    created_at: int  # milliseconds


@dataclass(frozen=True, slots=True)
class Frozen:
    """The numbers of a village and class in a month, and the instant (milliseconds) at which they were frozen."""

    area_id: str
    care_class: str
    numbers: Counts
    cut_off: int


def files(tx: Tx, village_id: str, before: int, after: str, count: int) -> list[File]:
    """The next elders, by id, who live in the village or once did, and whose file was opened before an instant."""
    return [File(*row) for row in tx.all(_FILES, village=village_id, before=before, after=after, count=count)]


def courses_of(tx: Tx, village_id: str, after: str, last: str) -> dict[str, list[Change]]:
    """The courses of those elders from `after` (not he) to `last`."""
    return _by_elder(tx.all(_COURSES, village=village_id, after=after, last=last), Change)


def stood(tx: Tx, village_id: str, after: str, last: str, days: tuple[str, str], before: int,
          ) -> dict[str, list[Stood]]:
    """Their visits from one day to another (ISO) that stood just before an instant (milliseconds)."""
    return _by_elder(tx.all(_STOOD, village=village_id, after=after, last=last, since=days[0], until=days[1],
                            before=before), Stood)


def first_file(tx: Tx) -> int | None:
    """When (milliseconds) the first file of this installation was opened."""
    row = tx.one(_FIRST)
    return int(row[0]) if row else None


def village_after(tx: Tx, area_id: str) -> str | None:
    """The next village of the whole tree, by id."""
    row = tx.one(_NEXT_VILLAGE, after=area_id)
    return str(row[0]) if row else None


def freeze(tx: Tx, period: str, frozen: Frozen, now: datetime) -> None:
    """Keeps the numbers of a village and class: once, for ever."""
    tx.run(_ADD, area_id=frozen.area_id, period=period, care_class=frozen.care_class,
           numbers=orjson.dumps(frozen.numbers).decode(), cut_off=frozen.cut_off, frozen_at=millis(now))


def frozen(tx: Tx, path: str, period: str) -> list[Frozen]:
    """What was frozen of a month under an area's path; nothing stands there for a village in which nobody was."""
    return [Frozen(area, care_class, orjson.loads(numbers), cut_off) for area, care_class, numbers, cut_off in tx.all(
        _FROZEN, of_period=period, path=path, path_end=path + "~")]


def _by_elder(rows: Sequence[Row], make: Callable[..., T]) -> dict[str, list[T]]:
    """Rows that begin with an elder's id, by elder."""
    found: dict[str, list[T]] = {}
    for elder, *values in rows:
        found.setdefault(elder, []).append(make(*values))
    return found
