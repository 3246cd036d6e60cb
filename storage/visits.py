"""The ledger of visits. One is never overwritten: a correction is a new version, with who, when and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from storage import elders
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import ELDER_IN_SCOPE, HELD_HERE, Scope
from storage.tables import areas, people, visits
from storage.tables import elders as elders_table

_ADD = insert(visits)
_COLUMNS = (
    visits.c.id, visits.c.visit_id, visits.c.version, visits.c.elder_id, visits.c.number, visits.c.state,
    visits.c.form_hash, visits.c.on_day, visits.c.method, visits.c.late, visits.c.answers, visits.c.visitor_id,
    visits.c.written_by, visits.c.written_at, visits.c.reason, people.c.name, elders_table.c.name)
_of_elders = visits.join(elders_table, elders_table.c.id == visits.c.elder_id).outerjoin(
    people, people.c.id == visits.c.visitor_id)
_VISIBLE = select(*_COLUMNS).select_from(_of_elders).where(ELDER_IN_SCOPE)
_NEWEST = visits.c.state != "replaced"
_ONE = _VISIBLE.where(visits.c.visit_id == bindparam("visit"), _NEWEST)
_LAST = _VISIBLE.where(visits.c.elder_id == bindparam("elder"), visits.c.state == "current").order_by(
    visits.c.on_day.desc(), visits.c.number.desc()).limit(bindparam("count"))
_LAST_BY = _VISIBLE.where(visits.c.visitor_id == bindparam("scope_person"), visits.c.state == "current").order_by(
    visits.c.written_at.desc()).limit(1)
_VERSIONS = _VISIBLE.where(visits.c.visit_id == bindparam("visit")).order_by(visits.c.version)
_OF_AREA = (
    select(*_COLUMNS, areas.c.name, elders_table.c.group_name, elders_table.c.number)
    .select_from(_of_elders.join(areas, areas.c.id == elders_table.c.village_id))
    .where(and_(
        HELD_HERE, areas.c.path >= bindparam("path"), areas.c.path < bindparam("path_end"), visits.c.state == "current",
        visits.c.on_day >= bindparam("first"), visits.c.on_day <= bindparam("last"),
        or_(visits.c.on_day > bindparam("after_day"),
            and_(visits.c.on_day == bindparam("after_day"), visits.c.id > bindparam("after_id")))))
    .order_by(visits.c.on_day, visits.c.id).limit(bindparam("count"))
)
_REPLACE = update(visits).where(visits.c.id == bindparam("row"), visits.c.state == "current").values(state="replaced")
_DAYS = select(visits.c.method, func.max(visits.c.on_day)).where(
    visits.c.elder_id == bindparam("elder"), visits.c.state == "current").group_by(visits.c.method)
_ANSWERED = select(visits.c.on_day, visits.c.answers, visits.c.id).where(
    visits.c.elder_id == bindparam("elder"), visits.c.state == "current").order_by(visits.c.on_day.desc())

WAYS = 4  # of visiting, that a policy may name
_WITHIN = select(func.max(visits.c.on_day)).where(
    visits.c.elder_id == bindparam("elder"), visits.c.state == "current", visits.c.on_day >= bindparam("first"),
    visits.c.on_day <= bindparam("last"), or_(*[visits.c.method == bindparam(f"way{n}") for n in range(WAYS)]))


_SPENT = select(func.count(), func.coalesce(func.sum(visits.c.minutes), 0)).where(
    visits.c.visitor_id == bindparam("person"), visits.c.state == "current", visits.c.minutes.is_not(None),
    visits.c.on_day >= bindparam("first"), visits.c.on_day <= bindparam("last"))


@dataclass(frozen=True, slots=True)
class Spent:
    """How many visits a person made of which it is known how long they took, and how long that is."""

    times: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What a submitted form gives to the ledger: ISO day, method, and all answers with their time and manner."""

    elder_id: str
    form_hash: str
    on_day: str
    method: str
    late: bool
    answers: dict[str, list[Any]]
    draft_id: str
    minutes: int | None = None  # how long it took, where service hours are counted (C9)


@dataclass(frozen=True, slots=True)
class Visit:
    """One version of a visit. `state`: current, replaced, void, or moved to another elder."""

    row_id: str
    visit_id: str
    version: int
    elder_id: str
    number: int
    state: str
    form_hash: str
    on_day: str
    method: str
    late: bool
    answers: dict[str, list[Any]]
    visitor_id: str | None
    written_by: str | None
    written_at: datetime
    reason: str
    visitor: str | None
    elder: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A visit in a list of an area, with what its elder is told apart by there."""

    visit: Visit
    village: str
    group: str
    elder_number: int


class Outdated(Exception):
    """The visit was corrected by somebody else meanwhile: open it again."""


def submit(tx: Tx, entry: Entry, by: str, now: datetime) -> tuple[str, int]:
    """Keeps a visit under the elder's next number. Gives the visit's id and the number."""
    visit_id = tx.new_id(now)
    number = elders.take_number(tx, entry.elder_id)
    _write(tx, visit_id, visit_id, 1, number, "current", entry, by, by, "", now)
    tx.note(now, by, "visit.submit", entry.elder_id, ["answers"])
    return visit_id, number


def correct(tx: Tx, before: Visit, entry: Entry, by: str, reason: str, now: datetime) -> tuple[str, int]:
    """Makes a new version. With another elder, the old number stays taken and the other's next one is given.

    Gives the id and number under which the visit now stands. Raises Outdated.
    """
    _retire(tx, before)
    if entry.elder_id == before.elder_id:
        _write(tx, tx.new_id(now), before.visit_id, before.version + 1, before.number, "current", entry,
               before.visitor_id, by, reason, now)
        tx.note(now, by, "visit.correct", entry.elder_id, ["answers"])
        return before.visit_id, before.number
    _write(tx, tx.new_id(now), before.visit_id, before.version + 1, before.number, "moved", _as_entry(before),
           before.visitor_id, by, reason, now)
    visit_id = tx.new_id(now)
    number = elders.take_number(tx, entry.elder_id)
    _write(tx, visit_id, visit_id, 1, number, "current", entry, before.visitor_id, by, reason, now,
           moved_from=before.visit_id)
    tx.note(now, by, "visit.move", before.elder_id, ["elder"])
    tx.note(now, by, "visit.move", entry.elder_id, ["elder"])
    return visit_id, number


def void(tx: Tx, before: Visit, by: str, reason: str, now: datetime) -> None:
    """Takes the visit out of every count; its number stays taken. Raises Outdated."""
    _retire(tx, before)
    _write(tx, tx.new_id(now), before.visit_id, before.version + 1, before.number, "void", _as_entry(before),
           before.visitor_id, by, reason, now)
    tx.note(now, by, "visit.void", before.elder_id, ["state"])


def find(tx: Tx, scope: Scope, visit_id: str) -> Visit | None:
    """The newest version. The caller notes the read on the audit chain."""
    row = tx.one(_ONE, visit=visit_id, **scope.values)
    return _visit(tx, row) if row else None


def last(tx: Tx, scope: Scope, elder_id: str, count: int = 1) -> list[Visit]:
    """The visits that stand, newest first. The caller notes the read on the audit chain."""
    return [_visit(tx, row) for row in tx.all(_LAST, elder=elder_id, count=count, **scope.values)]


def of_area(tx: Tx, scope: Scope, path: str, days: tuple[str, str], after: Visit | None, count: int) -> list[Listed]:
    """The next visits that stand, by day, in a part of the area that the scope's person coordinates.

    `path` is that part's, `days` the first and the last (ISO), `after` the last of those before. The caller notes it.
    """
    rows = tx.all(_OF_AREA, path=path, path_end=path + "~", first=days[0], last=days[1], count=count,
                  after_day=after.on_day if after else "", after_id=after.row_id if after else "",
                  scope_person=scope.person_id)
    return [Listed(_visit(tx, row[:-3]), *row[-3:]) for row in rows]


def last_by(tx: Tx, scope: Scope) -> Visit | None:
    """The visit that the scope's person wrote last. The caller notes the read on the audit chain."""
    row = tx.one(_LAST_BY, **scope.values)
    return _visit(tx, row) if row else None


def versions(tx: Tx, scope: Scope, visit_id: str) -> list[Visit]:
    """Every version, first to last."""
    return [_visit(tx, row) for row in tx.all(_VERSIONS, visit=visit_id, **scope.values)]


def last_days(tx: Tx, elder_id: str) -> dict[str, str]:
    """The newest day (ISO) of each method among the visits that stand."""
    return dict(tx.all(_DAYS, elder=elder_id))


def answers_back(tx: Tx, elder_id: str) -> Iterator[tuple[str, dict[str, list[Any]]]]:
    """Day (ISO) and answers of each visit that stands, the newest first; opened one by one."""
    for day, sealed, row_id in tx.all(_ANSWERED, elder=elder_id):
        yield str(day), orjson.loads(tx.keys.open(sealed, "visits.answers", row_id))


def last_day_within(tx: Tx, elder_id: str, ways: Sequence[str], periods: Sequence[tuple[str, str]]) -> str | None:
    """The newest day (ISO), in any of these periods, of a visit that stands and was made in one of these ways."""
    named = {f"way{n}": ways[n] if n < len(ways) else "" for n in range(WAYS)}
    rows = [tx.one(_WITHIN, elder=elder_id, first=first, last=last, **named) for first, last in periods]
    return max((row[0] for row in rows if row and row[0]), default=None)


def time_spent(tx: Tx, person_id: str, first: str, last: str) -> Spent:
    """A person's time between two days (ISO), of the visits that stand. The caller has looked who asks."""
    row = tx.one(_SPENT, person=person_id, first=first, last=last)
    assert row is not None  # a count always has one
    return Spent(int(row[0]), int(row[1]))


def _retire(tx: Tx, before: Visit) -> None:
    if tx.run(_REPLACE, row=before.row_id) == 0:
        raise Outdated(before.visit_id)


def _as_entry(visit: Visit) -> Entry:
    return Entry(visit.elder_id, visit.form_hash, visit.on_day, visit.method, visit.late, visit.answers, "")


def _write(tx: Tx, row_id: str, visit_id: str, version: int, number: int, state: str, entry: Entry,
           visitor: str | None, by: str, reason: str, now: datetime, moved_from: str | None = None) -> None:
    tx.run(_ADD, id=row_id, visit_id=visit_id, version=version, elder_id=entry.elder_id, number=number, state=state,
           form_hash=entry.form_hash, on_day=entry.on_day, method=entry.method, late=int(entry.late),
           answers=tx.keys.seal(orjson.dumps(entry.answers), "visits.answers", row_id), visitor_id=visitor,
           written_by=by, written_at=millis(now), draft_id=entry.draft_id or None, moved_from=moved_from,
           minutes=entry.minutes,
           reason=tx.keys.seal(reason.encode(), "visits.reason", row_id) if reason else None)


def _visit(tx: Tx, row: Row) -> Visit:
    (row_id, visit_id, version, elder_id, number, state, form_hash, on_day, method, late, answers, visitor_id,
     written_by, written_at, reason, visitor, elder) = row
    return Visit(
        row_id, visit_id, version, elder_id, number, state, form_hash, on_day, method, bool(late),
        orjson.loads(tx.keys.open(answers, "visits.answers", row_id)), visitor_id, written_by, instant(written_at),
        tx.keys.open(reason, "visits.reason", row_id).decode() if reason else "", visitor, elder)
