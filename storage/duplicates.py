"""Whether there is a file for somebody already, and what another source says otherwise (C3).

Duplicates (`known`) are looked for everywhere, so without a scope: of what is found in another village nothing is
given away but where it is. A caller that shows differences has asked whose village it is. `listed` has a scope.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select, text
from sqlalchemy.sql.expression import ClauseElement

from storage.database import Row, Tx
from storage.elders import NewElder
from storage.scope import HELD_HERE, Scope
from storage.tables import areas, elders

_WIDTH = 50  # keys in one look-up of many: a fixed number, so that the statement is built once
_COLUMNS = (
    elders.c.id, elders.c.village_id, elders.c.id_index, elders.c.name, elders.c.initials, elders.c.birth,
    elders.c.group_name, elders.c.sex, elders.c.categories, elders.c.ability, elders.c.disability_grade,
    elders.c.registered_on, elders.c.visits_made, elders.c.earlier_visit_on, elders.c.last_visit_on, elders.c.status,
    elders.c.number, elders.c.wish, elders.c.id_number, elders.c.phone, elders.c.facts)
_WANTED = [bindparam(f"wanted_{n}", type_=elders.c.name.type) for n in range(_WIDTH)]
_WITH_INDEXES = select(*_COLUMNS).where(elders.c.id_index.in_(_WANTED))
_WITH_NAMES = select(*_COLUMNS).where(elders.c.village_id == bindparam("village"), elders.c.name.in_(_WANTED))
_village = areas.alias("village")
_LISTED = select(*_COLUMNS, _village.c.name).select_from(
    elders.join(_village, _village.c.id == elders.c.village_id)).where(
    HELD_HERE, _village.c.path >= bindparam("path"), _village.c.path < bindparam("path_end"),
    elders.c.id_index.in_(_WANTED))
_PLAN_EACH = text("SET LOCAL plan_cache_mode = force_custom_plan")
_SAID = (  # compared as they are
    "name", "group_name", "sex", "birth", "ability", "disability_grade", "phone", "wish", "registered_on")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that another source says otherwise: its name (a column, or a fact of annex 2), and both values."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Known:
    """A file that is there already for somebody; `changes` is what would be taken over. `file` is as it is kept."""

    elder_id: str
    village_id: str
    by_id_number: bool
    closed: bool
    file: NewElder
    changes: tuple[Change, ...]

    @property
    def differs(self) -> bool:
        """Whether the file knows less, or otherwise, or is closed."""
        return self.closed or bool(self.changes)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file whose ID number stands on somebody's list, with its village's name."""

    elder_id: str
    village: str
    closed: bool
    file: NewElder


def listed(tx: Tx, scope: Scope, path: str, id_numbers: Sequence[str]) -> dict[str, Listed]:
    """The files with these ID numbers, by them, in a part of the area that the scope's person coordinates.

    `path` is that part's. Of anybody else nothing is told, not even that there is a file.
    """
    _plan_each(tx)
    numbers = {tx.keys.blind(number, "elders.id_number"): number for number in id_numbers}
    found: dict[str, Listed] = {}
    for *columns, village in _pages(tx, _LISTED, numbers, path=path, path_end=path + "~",
                                    scope_person=scope.person_id):
        row = _Row._make(columns)
        found[numbers[row.id_index or ""]] = Listed(row.id, village, row.status == "closed", _opened(tx, row))
    return found


def known(tx: Tx, files: Sequence[NewElder]) -> list[Known | None]:
    """For each of these the file that is there already: the one with the ID number, wherever it is.

    Where one of the two has no ID number: the one in that village with the same name and birth date, or with the
    same name and file number.
    """
    _plan_each(tx)
    indexes = [tx.keys.blind(new.id_number, "elders.id_number") if new.id_number else "" for new in files]
    by_index = {row.id_index: row for row in _looked_up(tx, _WITH_INDEXES, filter(None, indexes))}
    names: dict[str, list[str]] = {}
    for new, index in zip(files, indexes, strict=True):
        if index not in by_index:
            names.setdefault(new.village_id, []).append(new.name)
    by_name: dict[tuple[str, str], list[_Row]] = {}
    for village_id, theirs in names.items():
        for row in _looked_up(tx, _WITH_NAMES, theirs, village=village_id):
            by_name.setdefault((village_id, row.name), []).append(row)
    found: list[Known | None] = []
    for new, index in zip(files, indexes, strict=True):
        namesakes = [each for each in by_name.get((new.village_id, new.name), ())
                     if (not index or not each.id_index) and new.number in (None, each.number)]
        kept = by_index.get(index) or next((each for each in namesakes if _same_person(each, new)), None)
        found.append(_known(tx, kept, new, bool(index) and kept.id_index == index) if kept else None)
    return found


def _plan_each(tx: Tx) -> None:
    """On PostgreSQL a plan kept from when the table was empty reads all of it, for every village."""
    if tx.dialect == "postgresql":
        tx.run(_PLAN_EACH)


def merged(kept: NewElder, new: NewElder) -> NewElder:
    """The kept file with all that the other source says; what it leaves out stays, visits are never fewer."""
    said = {name: getattr(new, name) for name in _SAID if getattr(new, name)}
    facts = {**kept.facts, **new.facts}
    if new.name and new.name != kept.name:
        facts.pop("surname_only", None)
    if facts.get("household"):
        facts.pop("alone", None)
    return replace(
        kept, **said, initials=new.initials if new.name else kept.initials, facts=facts,
        categories=new.categories or kept.categories, id_number=kept.id_number or new.id_number,
        visits_made=max(kept.visits_made, new.visits_made), earlier_visit_on=max(
            filter(None, (kept.earlier_visit_on, new.earlier_visit_on)), default=None))


def changes(kept: NewElder, new: NewElder, last_visit_on: str | None = None) -> tuple[Change, ...]:
    """What `new` says that the kept file does not. What it leaves out, or is behind with, is no difference."""
    found = [Change(name, getattr(kept, name), getattr(new, name)) for name in _SAID
             if getattr(new, name) and getattr(new, name) != getattr(kept, name)]
    if new.categories and set(new.categories) != set(kept.categories):
        found.append(Change("categories", list(kept.categories), list(new.categories)))
    if new.id_number and not kept.id_number:
        found.append(Change("id_number", "", new.id_number))
    if new.visits_made > kept.visits_made:
        found.append(Change("visits_made", kept.visits_made, new.visits_made))
    if (new.earlier_visit_on or "") > max(last_visit_on or "", kept.earlier_visit_on or ""):
        found.append(Change("earlier_visit_on", kept.earlier_visit_on, new.earlier_visit_on))
    found += [Change(name, kept.facts.get(name), value) for name, value in new.facts.items()
              if kept.facts.get(name) != value]
    return tuple(found)


class _Row(NamedTuple):
    id: str
    village_id: str
    id_index: str | None
    name: str
    initials: str
    birth: str | None
    group_name: str
    sex: str | None
    categories: str
    ability: str
    disability_grade: int | None
    registered_on: str
    visits_made: int
    earlier_visit_on: str | None
    last_visit_on: str | None
    status: str
    number: int
    wish: str
    id_number: bytes | None
    phone: bytes | None
    facts: bytes | None


def _same_person(row: _Row, new: NewElder) -> bool:
    return row.birth == new.birth or (new.number is not None and row.number == new.number)


def _known(tx: Tx, row: _Row, new: NewElder, by_id_number: bool) -> Known:
    file = _opened(tx, row)
    return Known(row.id, row.village_id, by_id_number, row.status == "closed", file,
                 changes(file, new, row.last_visit_on))


def _opened(tx: Tx, row: _Row) -> NewElder:
    def opened(column: str, sealed: bytes | None) -> bytes:
        return tx.keys.open(sealed, f"elders.{column}", row.id) if sealed else b""

    return NewElder(
        row.village_id, row.group_name, row.name, row.initials, row.sex, row.birth, row.categories.split(),
        row.ability, row.registered_on, row.disability_grade, opened("id_number", row.id_number).decode(),
        opened("phone", row.phone).decode(), orjson.loads(opened("facts", row.facts) or b"{}"), row.visits_made,
        row.earlier_visit_on, row.number, row.wish)


def _looked_up(tx: Tx, statement: ClauseElement, wanted: Iterable[str], **values: str) -> Iterator[_Row]:
    """The rows for any number of keys."""
    return map(_Row._make, _pages(tx, statement, wanted, **values))


def _pages(tx: Tx, statement: ClauseElement, wanted: Iterable[str], **values: str) -> Iterator[Row]:
    """The rows for any number of keys; the last page is filled up with its last key."""
    keys = list(dict.fromkeys(wanted))
    for start in range(0, len(keys), _WIDTH):
        page = keys[start:start + _WIDTH]
        page += page[-1:] * (_WIDTH - len(page))
        yield from tx.all(statement, **values, **{f"wanted_{n}": key for n, key in enumerate(page)})
