"""The ledger in numbers (台账): counts over the area that a coordinator holds, or over one village of it.

Everything is counted by the database; no file is read. `village` is the id of a village, or empty for the whole area.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, func, literal, or_, select

from storage import elders as files
from storage.assignments import beginning, nobody
from storage.database import Row, Tx
from storage.elders import Elder
from storage.scope import HELD_HERE, VILLAGES_HELD, Scope, within
from storage.tables import elders, proposals

_OPEN = elders.c.status != "closed"
_INCOMPLETE = and_(_OPEN, elders.c.missing != "")
_HERE = elders.c.village_id == bindparam("village")

_GROUPED = select(
    elders.c.status, elders.c.condition, elders.c.care_class, elders.c.wish, func.count(),
    func.sum(case((elders.c.condition_since >= bindparam("year"), 1), else_=0)),
).where(HELD_HERE).group_by(elders.c.status, elders.c.condition, elders.c.care_class, elders.c.wish)
_STATES = select(proposals.c.state, func.count()).where(
    or_(proposals.c.state == "growing", proposals.c.state == "proposed"),
    proposals.c.area_id.in_(VILLAGES_HELD)).group_by(proposals.c.state)
_NOBODY = select(func.count()).select_from(elders).where(_OPEN, HELD_HERE, nobody(bindparam("of_role")))
_BY_VILLAGE = {
    False: (_GROUPED, _STATES, _NOBODY),
    True: (_GROUPED.where(_HERE), _STATES.where(proposals.c.area_id == bindparam("village")), _NOBODY.where(_HERE))}

_found = within(files.BRIEF.where(_INCOMPLETE)).subquery()
_LACKING = select(_found).order_by(_found.c.village_id, _found.c.number).limit(bindparam("count")).offset(
    bindparam("skip"))
_LACKING_COUNT = select(func.count()).select_from(within(select(elders.c.id).where(_INCOMPLETE)).subquery())


@dataclass(frozen=True, slots=True)
class Counts:
    """Of open files: in all, by class, by why they are paused, by wish, by category; and what else waits.

    `closed` is how many were closed since the first day of the year, by why; `incomplete` how many lack anything,
    `lacking` how many lack what, the most frequent first.
    """

    open: int
    classes: dict[str, int]
    paused: dict[str, int]
    wishes: dict[str, int]
    closed: dict[str, int]
    categories: dict[str, int]
    incomplete: int
    lacking: dict[str, int]
    old: int
    no_visitor: int
    no_first_contact: int
    proposals: dict[str, int]  # by state: proposed, growing


def count(tx: Tx, scope: Scope, village: str, categories: Sequence[str], fields: Sequence[str], since: str) -> Counts:
    """Counts all of it; `since` is the day (ISO) on which or before which a file that is old was last gone through."""
    grouped, states, alone = _BY_VILLAGE[bool(village)]
    values: dict[str, Any] = {**scope.values, **({"village": village} if village else {})}
    alone_on = {**values, **beginning(scope)}
    classes: dict[str, int] = {}
    paused: dict[str, int] = {}
    wishes: dict[str, int] = {}
    closed: dict[str, int] = {}
    for status, condition, care_class, wish, number, this_year in tx.all(
            grouped, year=f"{scope.day.year}-01-01", **values):
        if status == "closed":
            closed[condition or ""] = closed.get(condition or "", 0) + int(this_year or 0)
            continue
        classes[care_class] = classes.get(care_class, 0) + number
        wishes[wish] = wishes.get(wish, 0) + number
        if status == "paused":
            paused[condition or ""] = paused.get(condition or "", 0) + number
    row = tx.one(_sums(tuple(categories), tuple(fields), here=bool(village)), since=since, **values) or ()
    sums = [int(each or 0) for each in row]
    (lacking_any, old), rest = sums[:2], sums[2:]
    lacking = sorted(zip(fields, rest[len(categories):], strict=True), key=lambda each: -each[1])
    return Counts(
        sum(classes.values()), classes, paused, wishes, {why: number for why, number in closed.items() if number},
        dict(zip(categories, rest[:len(categories)], strict=True)), lacking_any,
        {name: number for name, number in lacking if number}, old,
        _number(tx.one(alone, of_role="visitor", **alone_on)),
        _number(tx.one(alone, of_role="first_contact", **alone_on)),
        dict(tx.all(states, **values)))


def incomplete(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Elder]]:
    """How many open files in scope lack anything of annex 2, and a page of them, village by village."""
    page = tx.all(_LACKING, count=count, skip=skip, **scope.values)
    return _number(tx.one(_LACKING_COUNT, **scope.values)), [Elder(*each) for each in page]


def _number(row: Row | None) -> int:
    return int(row[0]) if row else 0


@cache
def _sums(categories: tuple[str, ...], fields: tuple[str, ...], *, here: bool) -> Select[Any]:
    """One row over the open files: how many are true of each of these."""
    conditions = [
        elders.c.missing != "", or_(elders.c.reviewed_on.is_(None), elders.c.reviewed_on <= bindparam("since")),
        *[_has(elders.c.categories, word) for word in categories], *[_has(elders.c.missing, word) for word in fields]]
    statement = select(*[func.sum(case((each, 1), else_=0)) for each in conditions]).where(_OPEN, HELD_HERE)
    return statement.where(_HERE) if here else statement


def _has(column: Any, word: str) -> Any:
    return (literal(" ") + column + literal(" ")).like(f"% {word} %")

