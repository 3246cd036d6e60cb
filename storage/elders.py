"""The ledger of elders: one file each (一人一档). Reads take a Scope; only casework moves a class or a window."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import CompoundSelect, bindparam, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from storage.database import Tx, escaped
from storage.ids import millis
from storage.scope import ELDER_IN_SCOPE, HELD_HERE, Scope, within
from storage.tables import areas, elders

_ADD = insert(elders)
_SEALED = ("id_number", "phone", "facts")
BRIEF = (
    select(elders.c.id.label("elder_id"), elders.c.name, elders.c.number, areas.c.name.label("village"),
           elders.c.group_name, elders.c.birth, elders.c.categories, elders.c.ability, elders.c.disability_grade,
           elders.c.registered_on, elders.c.status, elders.c.care_class, elders.c.due_from, elders.c.due_until,
           elders.c.visits_made, elders.c.last_visit_on,
           elders.c.last_home_on, elders.c.last_screening_on, elders.c.sex, elders.c.earlier_visit_on,
           elders.c.village_id, elders.c.wish, elders.c.condition, elders.c.condition_since, elders.c.condition_until,
           elders.c.missing, elders.c.reviewed_on, elders.c.class_until, elders.c.remind_on, elders.c.open_needs,
           elders.c.open_hazards)
    .select_from(elders.join(areas, areas.c.id == elders.c.village_id))
)
_ONE = BRIEF.where(ELDER_IN_SCOPE, elders.c.id == bindparam("elder"))
_UNSCOPED = BRIEF.where(elders.c.id == bindparam("elder"))
_IN_SCOPE = select(elders.c.id).where(ELDER_IN_SCOPE, elders.c.id == bindparam("elder"))
_HELD = select(elders.c.id).where(HELD_HERE, elders.c.id == bindparam("elder"))
_OPEN = elders.c.status != "closed"


def _listed(*conditions: ColumnElement[bool]) -> CompoundSelect[Any]:
    found = within(BRIEF.where(_OPEN, *conditions))
    rows = found.selected_columns
    return found.order_by(  # active before paused
        rows.status, rows.due_until, rows.group_name, rows.number, rows.elder_id).limit(bindparam("count"))


_DUE_FIRST = _listed().offset(bindparam("skip"))
_COUNT = select(func.count()).select_from(within(select(elders.c.id).where(_OPEN)).subquery())
_NAMED = _listed(elders.c.name == bindparam("name"))
_MATCHING = _listed(or_(
    elders.c.name.like(bindparam("part"), escape="\\"), elders.c.initials.like(bindparam("initials"), escape="\\")))
_NUMBERED = _listed(elders.c.number == bindparam("number"))
_CLOSED_NAMED = BRIEF.where(
    HELD_HERE, elders.c.status == "closed", elders.c.name == bindparam("name")).limit(bindparam("count"))
_FACTS = select(elders.c.facts).where(ELDER_IN_SCOPE, elders.c.id == bindparam("elder"))
_HOLD_VILLAGE = select(areas.c.id).where(areas.c.id == bindparam("village")).with_for_update(key_share=True)
_NEXT_NUMBER = select(func.coalesce(func.max(elders.c.number), 0) + 1).where(
    elders.c.village_id == bindparam("village"))
_BY_INDEX = select(elders.c.id).where(elders.c.id_index == bindparam("id_index"))
_village = areas.alias("village")
_NAMED_IN = select(elders.c.id).select_from(elders.join(_village, _village.c.id == elders.c.village_id)).where(
    elders.c.name == bindparam("name"), _village.c.path >= bindparam("path"), _village.c.path < bindparam("path_end"))
_HELD_FAST = BRIEF.where(_OPEN).limit(bindparam("count")).with_for_update(of=elders)  # no visit comes in between
_CLASS_OVER = _HELD_FAST.where(elders.c.class_until <= bindparam("on_day")).order_by(elders.c.class_until, elders.c.id)
_ALL_AFTER = _HELD_FAST.where(elders.c.id > bindparam("after")).order_by(elders.c.id)
_TAKE = update(elders).where(elders.c.id == bindparam("elder")).values(
    visits_made=elders.c.visits_made + 1).returning(elders.c.visits_made)
_STANDING = update(elders).where(elders.c.id == bindparam("elder")).values(
    care_class=bindparam("new_class"), due_from=bindparam("new_from"), due_until=bindparam("new_until"),
    last_visit_on=bindparam("visit_on"), last_home_on=bindparam("home_on"), last_screening_on=bindparam("screened_on"),
    class_until=bindparam("new_class_until"), missing=bindparam("new_missing"), remind_on=bindparam("new_remind"),
    open_hazards=bindparam("new_hazards"))
_OPEN_NEEDS = update(elders).where(elders.c.id == bindparam("elder")).values(open_needs=bindparam("count"))


@dataclass(frozen=True, slots=True)
class NewElder:
    """A file to open. `facts` is what annex 2 asks beyond the columns; it is sealed whole."""

    village_id: str
    group_name: str
    name: str
    initials: str
    sex: str | None
    birth: str | None
    categories: Sequence[str]
    ability: str
    registered_on: str
    disability_grade: int | None = None
    id_number: str = ""
    phone: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    visits_made: int = 0
    earlier_visit_on: str | None = None
    number: int | None = None  # None: the next one of the village
    wish: str = ""  # whether he wants to be visited: willing, unwilling, undecided; empty: not asked yet


@dataclass(frozen=True, slots=True)
class Elder:
    """An elder as most people may see him: no ID number, phone, illness or address."""

    id: str
    name: str
    number: int
    village: str
    group_name: str
    birth: str | None
    categories: str
    ability: str
    disability_grade: int | None
    registered_on: str
    status: str
    care_class: str
    due_from: str
    due_until: str
    visits_made: int
    last_visit_on: str | None
    last_home_on: str | None
    last_screening_on: str | None
    sex: str | None
    earlier_visit_on: str | None
    village_id: str
    wish: str  # willing, unwilling, undecided; empty: not asked yet
    condition: str | None  # why the file is paused or closed: hospital, away, moved, died …
    condition_since: str | None
    condition_until: str | None
    missing: str  # names of fields still to be filled, one space between
    reviewed_on: str | None
    class_until: str | None  # from this day on the class must be derived anew: a birthday
    remind_on: str | None  # the next day on which somebody is reminded of him
    open_needs: int
    open_hazards: int  # unsafe points of the newest visit

    def age(self, day: date) -> int | None:
        """Whole years on that day; None where the birth date is not known."""
        if not self.birth:
            return None
        born = date.fromisoformat(self.birth)
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Standing:
    """What casework derives from an elder's facts and visits: class, due window, last days. ISO dates.

    `class_until`: from that day on the class must be derived anew. `missing`: what annex 2 still asks. `remind_on`: the
    next day on which somebody is reminded, None where nobody is. `priority_since`: the birthday that made him priority.
    """

    care_class: str
    due_from: str
    due_until: str
    last_visit_on: str | None
    last_home_on: str | None
    last_screening_on: str | None
    class_until: str | None = None
    missing: Sequence[str] = ()
    remind_on: str | None = None
    open_hazards: int = 0
    priority_since: str | None = None  # not kept: goes into the file's course


def add(tx: Tx, new: NewElder, standing: Standing, now: datetime) -> str:
    """Opens a file; gives its id. The caller has looked for a file with the same ID number."""
    elder_id = tx.new_id(now)
    tx.run(_ADD, **_row(tx, elder_id, new, standing, now))
    return elder_id


def add_many(tx: Tx, rows: Sequence[tuple[NewElder, Standing]], now: datetime) -> list[str]:
    """Opens many files with one statement; their numbers are given."""
    ids = [tx.new_id(now) for _ in rows]
    tx.many(_ADD, [_row(tx, elder_id, new, standing, now) for elder_id, (new, standing) in zip(ids, rows, strict=True)])
    return ids


def next_number(tx: Tx, village_id: str) -> int:
    """The number of the next file in a village, which until the end of this work nobody else gets."""
    tx.one(_HOLD_VILLAGE, village=village_id)
    row = tx.one(_NEXT_NUMBER, village=village_id)
    return int(row[0]) if row else 1


def with_id_number(tx: Tx, id_number: str) -> str | None:
    """The id of the file with this ID number, wherever it is: there must be no second one (C3)."""
    row = tx.one(_BY_INDEX, id_index=tx.keys.blind(id_number, "elders.id_number"))
    return row[0] if row else None


def ids_named(tx: Tx, path: str, name: str) -> list[str]:
    """The ids of the files of this name under an area's path, for an operator: ids only, so no Scope."""
    return [elder for elder, in tx.all(_NAMED_IN, name=name, path=path, path_end=path + "~")]


def find(tx: Tx, scope: Scope, elder_id: str) -> Elder | None:
    row = tx.one(_ONE, elder=elder_id, **scope.values)
    return Elder(*row) if row else None


def in_scope(tx: Tx, scope: Scope, elder_id: str) -> bool:
    """Whether the scope's person may see this elder (today): asked in each turn of a form about him."""
    return tx.one(_IN_SCOPE, elder=elder_id, **scope.values) is not None


def held(tx: Tx, scope: Scope, elder_id: str) -> bool:
    """Whether the scope's person coordinates the area where this elder lives."""
    values = scope.values
    return tx.one(_HELD, elder=elder_id, scope_person=values["scope_person"]) is not None


def due_first(tx: Tx, scope: Scope, count: int, skip: int = 0) -> list[Elder]:
    """The elders of this scope, the one due first at the top."""
    return [Elder(*row) for row in tx.all(_DUE_FIRST, count=count, skip=skip, **scope.values)]


def count(tx: Tx, scope: Scope) -> int:
    row = tx.one(_COUNT, **scope.values)
    return int(row[0]) if row else 0


def named(tx: Tx, scope: Scope, name: str, count: int) -> list[Elder]:
    """The elders of exactly this name."""
    return [Elder(*row) for row in tx.all(_NAMED, name=name, count=count, **scope.values)]


def closed_named(tx: Tx, scope: Scope, name: str, count: int) -> list[Elder]:
    """The closed files of exactly this name where the scope's person coordinates: nobody else finds them by name."""
    return [Elder(*row) for row in tx.all(_CLOSED_NAMED, name=name, count=count, scope_person=scope.person_id)]


def matching(tx: Tx, scope: Scope, text: str, count: int) -> list[Elder]:
    """The elders with this part in the name, or whose initials begin so."""
    part = escaped(text)
    return [Elder(*row) for row in tx.all(_MATCHING, part=f"%{part}%", initials=f"{part.lower()}%", count=count,
                                          **scope.values)]


def numbered(tx: Tx, scope: Scope, number: int, count: int) -> list[Elder]:
    """The elders with this file number, one for each village in scope."""
    return [Elder(*row) for row in tx.all(_NUMBERED, number=number, count=count, **scope.values)]


def facts(tx: Tx, scope: Scope, elder_id: str) -> dict[str, object]:
    """What annex 2 knows beyond the columns. The caller notes the read on the audit chain."""
    row = tx.one(_FACTS, elder=elder_id, **scope.values)
    opened: dict[str, object] = orjson.loads(tx.keys.open(row[0], "elders.facts", elder_id)) if row and row[0] else {}
    return opened


def class_over(tx: Tx, day: str, count: int) -> list[Elder]:
    """Those whose class must be derived anew by that day. For the clock, which is nobody: so no Scope."""
    return [Elder(*row) for row in tx.all(_CLASS_OVER, on_day=day, count=count)]


def all_after(tx: Tx, elder_id: str, count: int) -> list[Elder]:
    """The next open files of the whole ledger, by id. For the clock, which is nobody: so no Scope."""
    return [Elder(*row) for row in tx.all(_ALL_AFTER, after=elder_id, count=count)]


def unscoped(tx: Tx, elder_id: str) -> Elder | None:
    """One elder for the program's own work, such as a take-over; nobody is shown him."""
    row = tx.one(_UNSCOPED, elder=elder_id)
    return Elder(*row) if row else None


def take_number(tx: Tx, elder_id: str) -> int:
    """The next visit number (第 N 次) of this elder; once taken it stays taken."""
    row = tx.one(_TAKE, elder=elder_id)
    if row is None:
        raise LookupError(f"no elder {elder_id}")
    return int(row[0])


def set_standing(tx: Tx, elder_id: str, standing: Standing) -> None:
    """Keeps what was derived. Called by casework only."""
    tx.run(_STANDING, elder=elder_id, new_class=standing.care_class, new_from=standing.due_from,
           new_until=standing.due_until, visit_on=standing.last_visit_on, home_on=standing.last_home_on,
           screened_on=standing.last_screening_on, new_class_until=standing.class_until,
           new_missing=" ".join(standing.missing), new_remind=standing.remind_on, new_hazards=standing.open_hazards)


def set_open_needs(tx: Tx, elder_id: str, count: int) -> None:
    """How many needs of his are not closed. Called by the ledger of needs only."""
    tx.run(_OPEN_NEEDS, elder=elder_id, count=count)


def _row(tx: Tx, elder_id: str, new: NewElder, standing: Standing, now: datetime) -> dict[str, object]:
    def sealed(column: str, value: bytes) -> bytes | None:
        return tx.keys.seal(value, f"elders.{column}", elder_id) if value else None

    return {
        "id": elder_id, "village_id": new.village_id, "group_name": new.group_name, "name": new.name,
        "number": new.number if new.number is not None else next_number(tx, new.village_id),
        "initials": new.initials, "sex": new.sex, "birth": new.birth, "categories": " ".join(new.categories),
        "ability": new.ability, "disability_grade": new.disability_grade, "registered_on": new.registered_on,
        "status": "active", "visits_made": new.visits_made, "earlier_visit_on": new.earlier_visit_on,
        "id_number": sealed("id_number", new.id_number.encode()), "phone": sealed("phone", new.phone.encode()),
        "id_index": tx.keys.blind(new.id_number, "elders.id_number") if new.id_number else None,
        "facts": sealed("facts", orjson.dumps(new.facts) if new.facts else b""),
        "care_class": standing.care_class, "due_from": standing.due_from, "due_until": standing.due_until,
        "last_visit_on": standing.last_visit_on, "last_home_on": standing.last_home_on,
        "last_screening_on": standing.last_screening_on, "created_at": millis(now), "condition": None,
        "condition_since": None, "condition_until": None, "wish": new.wish, "missing": " ".join(standing.missing),
        "reviewed_on": new.registered_on, "class_until": standing.class_until, "remind_on": standing.remind_on,
        "open_needs": 0, "open_hazards": 0,
    }
