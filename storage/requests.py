"""What a family asks the village for: somebody to go and look, today or on a day; a call back.

open -> taken (somebody said that he does it) -> done. Before that a child may withdraw it, the village may decline it
with a reason, and who took it may let it go: then it is open again.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, bindparam, func, insert, literal_column, or_, select, text, update
from sqlalchemy.sql.elements import ColumnElement

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import ELDER_IN_SCOPE, Scope, within
from storage.tables import elders, people, requests

_ADD = insert(requests)
_LIVE = text("requests.state IN ('open', 'taken')")  # written as the partial index has it
_OPEN: ColumnElement[str] = literal_column("'open'")
_taker = people.alias("taker")
_COLUMNS = (requests.c.id, requests.c.elder_id, requests.c.kind, requests.c.urgent, requests.c.state,
            requests.c.asked_by, people.c.name, requests.c.asked_at, requests.c.due_on, requests.c.words,
            requests.c.taken_by, _taker.c.name, requests.c.answer)
_whole = requests.join(elders, elders.c.id == requests.c.elder_id).outerjoin(
    people, people.c.id == requests.c.asked_by).outerjoin(_taker, _taker.c.id == requests.c.taken_by)
_VISIBLE = select(*_COLUMNS).select_from(_whole)
_ONE = _VISIBLE.where(requests.c.id == bindparam("request"), ELDER_IN_SCOPE)
_MINE = _VISIBLE.where(requests.c.elder_id == bindparam("elder"), requests.c.asked_by == bindparam("scope_person"),
                       _LIVE).order_by(requests.c.asked_at, requests.c.id)
_OF_ELDER = _VISIBLE.where(requests.c.elder_id == bindparam("elder"), _LIVE, ELDER_IN_SCOPE).order_by(
    requests.c.due_on, requests.c.id)
_ALL = _VISIBLE.where(requests.c.elder_id == bindparam("elder"), ELDER_IN_SCOPE).order_by(
    requests.c.asked_at, requests.c.id)
_seen = within(select(requests.c.id, requests.c.due_on, requests.c.asked_at).select_from(
    requests.join(elders, elders.c.id == requests.c.elder_id)).where(_LIVE)).subquery()
_LISTED = _VISIBLE.join(_seen, _seen.c.id == requests.c.id).order_by(
    requests.c.due_on, requests.c.asked_at, requests.c.id).limit(bindparam("count")).offset(bindparam("skip"))
_COUNT = select(func.count()).select_from(_seen)
_BY = requests.c.taken_by
_TAKE = update(requests).where(
    requests.c.elder_id == bindparam("elder"), requests.c.kind == bindparam("of_kind"),
    requests.c.due_on <= bindparam("until_day"), requests.c.state == _OPEN).values(
    state="taken", taken_by=bindparam("by")).returning(requests.c.id, requests.c.asked_by)
_LET_GO = update(requests).where(requests.c.id == bindparam("request"), requests.c.state == "taken",
                                 requests.c.taken_by == bindparam("by")).values(state="open", taken_by=None)
_DONE = update(requests).where(requests.c.id == bindparam("request"), _LIVE).values(
    state="done", done_at=bindparam("at"), taken_by=func.coalesce(_BY, bindparam("by")))
_SEEN_TO = update(requests).where(
    requests.c.elder_id == bindparam("elder"), requests.c.kind == "visit", requests.c.due_on <= bindparam("on_day"),
    _LIVE).values(state="done", done_at=bindparam("at"), taken_by=func.coalesce(_BY, bindparam("by"))).returning(
    requests.c.id, requests.c.asked_by)
_WITHDRAW = update(requests).where(requests.c.id == bindparam("request"), requests.c.asked_by == bindparam("by"),
                                   _LIVE).values(state="withdrawn", done_at=bindparam("at"))
_DECLINE = update(requests).where(requests.c.id == bindparam("request"), _LIVE).values(
    state="declined", done_at=bindparam("at"), taken_by=bindparam("by"), answer=bindparam("why"))
_NOT_TAKEN = select(requests.c.id, elders.c.village_id, requests.c.urgent).select_from(
    requests.join(elders, elders.c.id == requests.c.elder_id)).where(
    _LIVE, requests.c.state == _OPEN, or_(
        and_(requests.c.late_at > bindparam("after"), requests.c.late_at <= bindparam("at")),
        # what is asked in the evening for that day is not late at midnight
        and_(requests.c.due_on >= bindparam("since"), requests.c.due_on < bindparam("today"),
             requests.c.asked_at <= bindparam("day_ago")))).order_by(requests.c.id)


@dataclass(frozen=True, slots=True)
class Request:
    """One of them, opened. `kind`: visit, call_back; `due_on`: the ISO day for which it is asked."""

    id: str
    elder_id: str
    kind: str
    urgent: bool
    state: str
    asked_by: str | None
    asker: str
    asked_at: datetime
    due_on: str
    words: str
    taken_by: str | None
    taker: str
    answer: str  # why it was declined


def add(tx: Tx, elder_id: str, kind: str, due_on: str, by: str, now: datetime, *,
        late_at: datetime | None = None, words: str = "") -> str:
    """Keeps what is asked for; gives its id. The caller has looked whether the same is asked already.

    With `late_at` it is urgent: when the township is told, unless somebody took it.
    """
    request = tx.new_id(now)
    tx.run(_ADD, id=request, elder_id=elder_id, kind=kind, urgent=int(late_at is not None), state="open", asked_by=by,
           asked_at=millis(now), due_on=due_on, taken_by=None, done_at=None, answer=None,
           late_at=millis(late_at) if late_at else None,
           words=tx.keys.seal(words.encode(), "requests.words", request) if words else None)
    tx.note(now, by, "request.add", elder_id, [kind])
    return request


def find(tx: Tx, scope: Scope, request: str) -> Request | None:
    """One about an elder of the scope."""
    row = tx.one(_ONE, request=request, **scope.values)
    return _opened(tx, row) if row else None


def mine(tx: Tx, scope: Scope, elder_id: str) -> list[Request]:
    """What the scope's person himself asked for this elder and still waits for, the oldest first."""
    return [_opened(tx, row) for row in tx.all(_MINE, elder=elder_id, scope_person=scope.person_id)]


def of_elder(tx: Tx, scope: Scope, elder_id: str) -> list[Request]:
    """What any of his family asked for and still waits for."""
    return [_opened(tx, row) for row in tx.all(_OF_ELDER, elder=elder_id, **scope.values)]


def all_of(tx: Tx, scope: Scope, elder_id: str) -> list[Request]:
    """All that was ever asked about an elder of the scope, for himself. The caller notes the read."""
    return [_opened(tx, row) for row in tx.all(_ALL, elder=elder_id, **scope.values)]


def waiting(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Request]]:
    """How many wait for the elders of the scope, and a page of them, the most pressing first."""
    row = tx.one(_COUNT, **scope.values)
    return int(row[0]) if row else 0, [
        _opened(tx, each) for each in tx.all(_LISTED, count=count, skip=skip, **scope.values)]


def take(tx: Tx, request: Request, by: str, now: datetime) -> list[tuple[str, str | None]]:
    """Somebody does it: this one, and whatever else of the kind his elder's family wants by that day.

    Gives id and asker of each; empty where somebody was quicker, or it is withdrawn: one wins.
    """
    taken = tx.all(_TAKE, elder=request.elder_id, of_kind=request.kind, until_day=request.due_on, by=by)
    if taken:
        tx.note(now, by, "request.take", request.elder_id, [request.kind])
    return [(row, asker) for row, asker in taken]


def let_go(tx: Tx, request: Request, by: str, now: datetime) -> bool:
    """Who took it cannot after all: it is open again; False where it is not his, or has ended."""
    freed = tx.run(_LET_GO, request=request.id, by=by) == 1
    if freed:
        tx.note(now, by, "request.let_go", request.elder_id, [request.kind])
    return freed


def done(tx: Tx, request: Request, by: str, now: datetime) -> bool:
    """It is done; False where it was before, or is withdrawn."""
    ended = tx.run(_DONE, request=request.id, by=by, at=millis(now)) == 1
    if ended:
        tx.note(now, by, "request.done", request.elder_id, [request.kind])
    return ended


def seen_to(tx: Tx, elder_id: str, on_day: str, by: str, now: datetime) -> list[tuple[str, str | None]]:
    """A visit on that day (ISO) ends what was asked for it or an earlier one; gives id and asker of each."""
    return [(row, asker) for row, asker in tx.all(_SEEN_TO, elder=elder_id, on_day=on_day, by=by, at=millis(now))]


def withdraw(tx: Tx, request: Request, by: str, now: datetime) -> bool:
    """The child does not want it any more; False where it has ended, or is not his."""
    ended = tx.run(_WITHDRAW, request=request.id, by=by, at=millis(now)) == 1
    if ended:
        tx.note(now, by, "request.withdraw", request.elder_id, [request.kind])
    return ended


def decline(tx: Tx, request: Request, by: str, why: str, now: datetime) -> bool:
    """The village cannot do it, and says why; False where it has ended."""
    sealed = tx.keys.seal(why.encode(), "requests.answer", request.id)
    ended = tx.run(_DECLINE, request=request.id, by=by, why=sealed, at=millis(now)) == 1
    if ended:
        tx.note(now, by, "request.decline", request.elder_id, [request.kind])
    return ended


def not_taken(tx: Tx, now: datetime, today: date, looked_back: timedelta) -> list[tuple[str, str, bool]]:
    """Id and village of what nobody took: its hour is over, or its day and a day since it was asked; and whether it is
    urgent. Only what became late within the time looked back. For the clock.
    """
    return [(row, village, bool(urgent)) for row, village, urgent in tx.all(
        _NOT_TAKEN, after=millis(now - looked_back), at=millis(now), since=(today - looked_back).isoformat(),
        today=today.isoformat(), day_ago=millis(now - timedelta(days=1)))]


def _opened(tx: Tx, row: Row) -> Request:
    (request, elder_id, kind, urgent, state, asked_by, asker, asked_at, due_on, words, taken_by, taker, answer) = row

    def opened(column: str, value: bytes | None) -> str:
        return tx.keys.open(value, f"requests.{column}", request).decode() if value else ""

    return Request(request, elder_id, kind, bool(urgent), state, asked_by, asker or "", instant(asked_at), due_on,
                   opened("words", words), taken_by, taker or "", opened("answer", answer))
