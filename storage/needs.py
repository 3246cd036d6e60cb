"""Needs (帮扶需求): each with one measure (帮扶措施), who answers for it, a day and an outcome (三(三)6, C7).

States go one way: open -> arranged -> closed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from storage import elders as elders_ledger
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import ELDER_IN_SCOPE, HELD_HERE, Scope
from storage.tables import elders, needs, people

_CLOSED: ColumnElement[str] = literal_column("'closed'")  # written as the partial index has it
_ADD = insert(needs).on_conflict_do_nothing(index_elements=["source", "source_id"])
_answers = people.alias("answers")
_COLUMNS = (needs.c.id, needs.c.elder_id, needs.c.source, needs.c.source_id, needs.c.what, needs.c.state,
            needs.c.made_by, people.c.name, needs.c.made_at, needs.c.due_on, needs.c.answerable, _answers.c.name,
            needs.c.measure, needs.c.outcome)
_VISIBLE = select(*_COLUMNS).select_from(
    needs.join(elders, elders.c.id == needs.c.elder_id).outerjoin(people, people.c.id == needs.c.made_by).outerjoin(
        _answers, _answers.c.id == needs.c.answerable))
_ONE = _VISIBLE.where(needs.c.id == bindparam("need"), ELDER_IN_SCOPE)
_NOT_CLOSED = needs.c.state != _CLOSED
_THEIRS = or_(HELD_HERE, needs.c.answerable == bindparam("scope_person"))
_OPEN = _VISIBLE.where(_NOT_CLOSED, _THEIRS).order_by(needs.c.made_at, needs.c.id).limit(bindparam("count")).offset(
    bindparam("skip"))
_HOW_MANY = select(func.count()).select_from(needs.join(elders, elders.c.id == needs.c.elder_id)).where(
    _NOT_CLOSED, _THEIRS)
_ALL = _VISIBLE.where(needs.c.elder_id == bindparam("elder"), ELDER_IN_SCOPE).order_by(needs.c.made_at, needs.c.id)
_OF_ELDER = select(func.count()).where(needs.c.elder_id == bindparam("elder"), _NOT_CLOSED)
_ARRANGE = update(needs).where(needs.c.id == bindparam("need"), needs.c.state == "open").values(
    state="arranged", measure=bindparam("new_measure"), answerable=bindparam("who"), due_on=bindparam("by_day"))
_CLOSE = update(needs).where(needs.c.id == bindparam("need"), needs.c.state == "arranged").values(
    state="closed", outcome=bindparam("new_outcome"), closed_by=bindparam("by"), closed_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Need:
    """One of them, opened. `due_on`: the ISO day by which the measure is to be carried out."""

    id: str
    elder_id: str
    source: str
    source_id: str
    what: str
    state: str
    made_by: str | None
    maker: str
    made_at: datetime
    due_on: str | None
    answerable: str | None
    answers: str
    measure: str
    outcome: str


def add(tx: Tx, elder_id: str, source: str, source_id: str, what: str, by: str, now: datetime) -> str | None:
    """Keeps a need; gives its id. None where its source (a contact, a visit, a check-in) has one already.

    Of what an elder says himself in a check-in nobody is named as who reported it: he is the elder.
    """
    need = tx.new_id(now)
    if tx.run(_ADD, id=need, elder_id=elder_id, source=source, source_id=source_id, state="open",
              made_by=None if source == "check_in" else by,
              what=tx.keys.seal(what.encode(), "needs.what", need), made_at=millis(now), due_on=None, answerable=None,
              measure=None, outcome=None, closed_by=None, closed_at=None) == 0:
        return None
    _count(tx, elder_id)
    tx.note(now, by, "need.add", elder_id, [source])
    return need


def find(tx: Tx, scope: Scope, need: str) -> Need | None:
    """One of an elder of the scope. The caller notes the read on the audit chain."""
    row = tx.one(_ONE, need=need, **scope.values)
    return _opened(tx, row) if row else None


def all_of(tx: Tx, scope: Scope, elder_id: str) -> list[Need]:
    """All the needs of an elder of the scope, for himself. The caller notes the read on the audit chain."""
    return [_opened(tx, row) for row in tx.all(_ALL, elder=elder_id, **scope.values)]


def waiting(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Need]]:
    """How many are not closed where the scope's person coordinates, or of those he answers for himself, and a page
    of them, the oldest first.
    """
    row = tx.one(_HOW_MANY, scope_person=scope.person_id)
    return int(row[0]) if row else 0, [
        _opened(tx, each) for each in tx.all(_OPEN, count=count, skip=skip, scope_person=scope.person_id)]


def arrange(tx: Tx, need: Need, measure: str, answerable: str, due_on: str, by: str, now: datetime) -> bool:
    """What is done about it, who answers for it, and by which day (ISO); False where that is settled already."""
    sealed = tx.keys.seal(measure.encode(), "needs.measure", need.id)
    if tx.run(_ARRANGE, need=need.id, new_measure=sealed, who=answerable, by_day=due_on) == 0:
        return False
    tx.note(now, by, "need.arrange", need.elder_id, ["measure", "answerable", "due_on"])
    return True


def close(tx: Tx, need: Need, outcome: str, by: str, now: datetime) -> bool:
    """How it ended; False where it has no measure yet, or is closed already."""
    sealed = tx.keys.seal(outcome.encode(), "needs.outcome", need.id)
    if tx.run(_CLOSE, need=need.id, new_outcome=sealed, by=by, at=millis(now)) == 0:
        return False
    _count(tx, need.elder_id)
    tx.note(now, by, "need.close", need.elder_id, ["outcome"])
    return True


def open_of(tx: Tx, elder_id: str) -> int:
    """How many of an elder are not closed. The caller has looked that the asker may know."""
    row = tx.one(_OF_ELDER, elder=elder_id)
    return int(row[0]) if row else 0


def _count(tx: Tx, elder_id: str) -> None:
    """The number on the elder's row is counted anew, so that it never drifts."""
    elders_ledger.set_open_needs(tx, elder_id, open_of(tx, elder_id))


def _opened(tx: Tx, row: Row) -> Need:
    (need, elder_id, source, source_id, what, state, made_by, maker, made_at, due_on, answerable, answers, measure,
     outcome) = row

    def opened(column: str, value: bytes | None) -> str:
        return tx.keys.open(value, f"needs.{column}", need).decode() if value else ""

    return Need(need, elder_id, source, source_id, opened("what", what), state, made_by, maker or "", instant(made_at),
                due_on, answerable, answers or "", opened("measure", measure), opened("outcome", outcome))
