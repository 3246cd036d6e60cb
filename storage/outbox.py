"""What is to be sent: a kind and its fields, never finished text. Nothing leaves that is not here first.

A row is `waiting` (after a restore `held`) until it is `sent` or `dropped`; who sends it holds a lease, so that after a
crash any process takes it up again. Order is kept per chat and lane.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from sqlalchemy import and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from storage import held
from storage.database import Row, Tx
from storage.ids import first_id, millis
from storage.tables import inbox, outbox

Lane = Literal["alert", "reply", "reminder"]
LANES: tuple[Lane, ...] = ("alert", "reply", "reminder")  # the most urgent first
UNBOUND: tuple[Lane, ...] = ("alert", "reply")  # never held, merged or capped
LEASE = timedelta(seconds=30)
CARRIED = "reply"  # the receipt of an answer that left in the reply to the request itself
FEW = 2  # reminders at once: who writes meanwhile waits behind so many and no more

# written out: a parameter would keep the partial indexes from being used
_WAITING: ColumnElement[str] = literal_column("'waiting'")
_ADD = insert(outbox)
_ADD_ONCE = insert(outbox).on_conflict_do_nothing(
    index_elements=["unique_key"], index_where=outbox.c.unique_key.is_not(None))
_other = outbox.alias("other")
_OLDEST = select(_other.c.id).where(  # not "no older one exists", which PostgreSQL may do as a join over all rows
    _other.c.channel == outbox.c.channel, _other.c.chat == outbox.c.chat, _other.c.lane == outbox.c.lane,
    _other.c.state == _WAITING,
    or_(_other.c.not_before <= bindparam("at"), and_(_other.c.lane != "reminder", _other.c.attempts > 0)),
).order_by(_other.c.id).limit(1).scalar_subquery()  # what is for later holds up nothing, what is tried again does
_DUE = and_(
    outbox.c.state == _WAITING, outbox.c.not_before <= bindparam("at"), outbox.c.leased_until <= bindparam("at"))
_READY = select(outbox.c.id, outbox.c.channel, outbox.c.chat, outbox.c.lane, outbox.c.kind, outbox.c.fields,
                outbox.c.attempts).where(
    outbox.c.lane == bindparam("in_lane"), _DUE, outbox.c.id == _OLDEST,
).order_by(outbox.c.not_before, outbox.c.id).limit(bindparam("count")).with_for_update(skip_locked=True)
_LEASE = update(outbox).where(outbox.c.id == bindparam("row"), _DUE).values(leased_until=bindparam("until"))
_LEFT = select(*_READY.selected_columns, outbox.c.not_before).where(
    outbox.c.state == _WAITING, outbox.c.lane != "reminder").order_by(outbox.c.id)
_SEIZE = update(outbox).where(outbox.c.id == bindparam("row")).values(leased_until=bindparam("until"))
_SENT = update(outbox).where(outbox.c.id == bindparam("row")).values(
    state="sent", receipt=bindparam("new_receipt"), done_at=bindparam("at"))
_RETRY = update(outbox).where(outbox.c.id == bindparam("row")).values(  # of what is done, nobody reads them again
    attempts=outbox.c.attempts + 1, not_before=bindparam("at"), leased_until=0)
_HOLD = update(outbox).where(outbox.c.id == bindparam("row")).values(
    not_before=bindparam("at"), leased_until=0)
_HELD_BACK = update(outbox).where(outbox.c.id.in_(
    select(outbox.c.id).where(outbox.c.lane == "reminder", _DUE).order_by(outbox.c.not_before, outbox.c.id).limit(
        bindparam("count")).with_for_update(skip_locked=True))).values(not_before=bindparam("until"))
_DROP = update(outbox).where(outbox.c.id == bindparam("row"), outbox.c.state == "waiting").values(
    state="dropped", reason=bindparam("why"), done_at=bindparam("at"))
_MOVE = update(outbox).where(outbox.c.channel == bindparam("on_channel"), outbox.c.chat == bindparam("old_chat"),
                             outbox.c.state == _WAITING).values(chat=bindparam("new_chat"), leased_until=0)
_silencing: dict[str, Any] = {"state": "dropped", "reason": bindparam("why"), "done_at": bindparam("at")}
_SILENCE = update(outbox).where(outbox.c.channel == bindparam("on_channel"), outbox.c.chat == bindparam("in_chat"),
                                outbox.c.state == _WAITING).values(_silencing)
_SILENCE_HELD = update(outbox).where(outbox.c.channel == bindparam("on_channel"), outbox.c.chat == bindparam("in_chat"),
                                     outbox.c.state == "held").values(_silencing)
_WAITS = select(outbox.c.id).where(outbox.c.channel == bindparam("on_channel"), outbox.c.chat == bindparam("in_chat"),
                                   outbox.c.state == _WAITING, outbox.c.lane != "reminder").limit(1)
_RECEIPT = select(outbox.c.receipt).where(outbox.c.unique_key == bindparam("key"))
_OF_RECEIPT = select(outbox.c.id, outbox.c.channel, outbox.c.chat, outbox.c.lane, outbox.c.kind, outbox.c.fields,
                     outbox.c.attempts).where(
    outbox.c.id >= bindparam("first"), outbox.c.channel == bindparam("on_channel"),
    outbox.c.chat == bindparam("in_chat"), outbox.c.receipt == bindparam("handle"))
_WAS_SENT = select(outbox.c.id).where(outbox.c.unique_key == bindparam("key"), outbox.c.state == "sent")
_ANSWER = select(outbox.c.id, outbox.c.channel, outbox.c.chat, outbox.c.lane, outbox.c.kind, outbox.c.fields,
                 outbox.c.attempts).select_from(inbox.join(outbox, outbox.c.id == inbox.c.answer_id)).where(
    inbox.c.channel == bindparam("on_channel"), inbox.c.dedupe_key == bindparam("key"),
    or_(outbox.c.state == _WAITING, outbox.c.receipt == CARRIED))
_ALERTS_WAIT = select(outbox.c.id).where(outbox.c.lane == literal_column("'alert'"), _DUE).limit(1)
_IS_WAITING = select(outbox.c.id).where(outbox.c.id == bindparam("row"), outbox.c.state == _WAITING)
_DEPTH = select(outbox.c.lane, func.count()).where(
    outbox.c.state == _WAITING).group_by(outbox.c.lane)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One row on its way; `fields` is opened."""

    id: str
    channel: str
    chat: str
    lane: str
    kind: str
    fields: dict[str, Any]
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """`due` rows are leased to the caller, in the order of their making; in `chats` something waits for its time."""

    due: tuple[Outgoing, ...]
    chats: frozenset[tuple[str, str]]


def add(tx: Tx, row: Outgoing, now: datetime, *, leased: bool = False, unique_key: str | None = None,
        not_before: datetime | None = None) -> bool:
    """Keeps a row to be sent. `leased`: this process sends it at once. False where the unique key is taken."""
    return tx.run(_ADD_ONCE if unique_key else _ADD, **_row(tx, row, now, unique_key, not_before or now, leased)) == 1


def add_once(tx: Tx, rows: Iterable[tuple[Outgoing, str, datetime]], now: datetime) -> None:
    """Keeps many rows with one statement, each with its unique key and the time before which it does not leave.

    Those whose key is taken are left out.
    """
    tx.many(_ADD_ONCE, [_row(tx, row, now, key, not_before) for row, key, not_before in rows])


def _row(tx: Tx, row: Outgoing, now: datetime, unique_key: str | None, not_before: datetime, leased: bool = False,
         ) -> dict[str, Any]:
    return {
        "id": row.id, "channel": row.channel, "chat": row.chat, "lane": row.lane, "kind": row.kind,
        "fields": tx.keys.seal(orjson.dumps(row.fields), "outbox.fields", row.id), "unique_key": unique_key,
        "state": "waiting", "not_before": millis(not_before), "leased_until": millis(now + LEASE) if leased else 0,
        "attempts": 0, "receipt": None, "reason": None, "created_at": millis(now), "done_at": None}


def take(tx: Tx, now: datetime, count: int = 50, lanes: Sequence[Lane] = LANES) -> list[Outgoing]:
    """Leases what is due and free, only the oldest of each chat and lane, alerts first."""
    at, until = millis(now), millis(now + LEASE)
    rows: list[Row] = []
    for lane in lanes:
        most = count - len(rows)
        rows += tx.all(_READY, in_lane=lane, at=at, count=min(most, FEW) if lane == "reminder" else most)
        if len(rows) == count:
            break
    return [_opened(tx, row) for row in rows if tx.run(_LEASE, row=row[0], at=at, until=until) == 1]


def take_over(tx: Tx, now: datetime, *, alone: bool) -> Left:
    """What the process before this one left, reminders excepted: those may be many, and have time.

    Called once, before anything comes in. `alone`: no other process sends from this database (SQLite), so a lease
    in it is a dead process's and counts no more. Where there are others (PostgreSQL) nothing is taken: a lease
    runs out by itself.
    """
    due, chats, at, until = [], set(), millis(now), millis(now + LEASE)
    for *row, not_before in tx.all(_LEFT):
        row_id, channel, chat = row[:3]
        if not alone or not_before > at or (channel, chat) in chats:
            chats.add((channel, chat))
            continue
        tx.run(_SEIZE, row=row_id, until=until)
        due.append(_opened(tx, row))
    return Left(tuple(due), frozenset(chats))


def sent(tx: Tx, receipts: Sequence[tuple[str, str]], now: datetime) -> None:
    """Marks rows as sent, with the channel's handle of each."""
    at = millis(now)
    tx.many(_SENT, [{"row": row, "at": at, "new_receipt": handle} for row, handle in receipts])


def retry(tx: Tx, row_id: str, at: datetime) -> None:
    """Frees a row to be tried again from `at` on."""
    tx.run(_RETRY, row=row_id, at=millis(at))


def hold(tx: Tx, row_id: str, until: datetime) -> None:
    """Frees a row that may not leave yet, as one that was not tried."""
    tx.run(_HOLD, row=row_id, at=millis(until))


def hold_reminders(tx: Tx, now: datetime, until: datetime, count: int) -> None:
    """Puts off reminders that are due and free, so many at most."""
    tx.run(_HELD_BACK, at=millis(now), until=millis(until), count=count)


def drop(tx: Tx, row_id: str, why: str, now: datetime) -> None:
    """Ends a row that will not be sent, with the reason (a word, no personal data)."""
    tx.run(_DROP, row=row_id, why=why, at=millis(now))


def move(tx: Tx, channel: str, old_chat: str, new_chat: str) -> None:
    """A chat has a new id: what waits for it goes there."""
    tx.run(_MOVE, on_channel=channel, old_chat=old_chat, new_chat=new_chat)


def receipt(tx: Tx, unique_key: str) -> str | None:
    """The channel's handle of what was sent under this key: empty while it has none, None where no such row is."""
    row = tx.one(_RECEIPT, key=unique_key)
    return (row[0] or "") if row else None


def of_receipt(tx: Tx, channel: str, chat: str, handle: str, since: datetime) -> Outgoing | None:
    """What was kept since then and sent with this handle."""
    row = tx.one(_OF_RECEIPT, first=first_id(since), on_channel=channel, in_chat=chat, handle=handle)
    return _opened(tx, row) if row else None


def was_sent(tx: Tx, unique_key: str) -> bool:
    """Whether what was kept under this key has gone out."""
    return tx.one(_WAS_SENT, key=unique_key) is not None


def answer(tx: Tx, channel: str, dedupe_key: str) -> Outgoing | None:
    """The answer to what came before, where it is still to leave, or left in a reply that may have been lost."""
    row = tx.one(_ANSWER, on_channel=channel, key=dedupe_key)
    return _opened(tx, row) if row else None


def is_waiting(tx: Tx, row_id: str) -> bool:
    """Whether a row is still to leave: no other process has seen to it."""
    return tx.one(_IS_WAITING, row=row_id) is not None


def silence(tx: Tx, channel: str, chat: str, why: str, now: datetime) -> None:
    """Drops all that waits for a chat: who is there may not be told any more."""
    for each in (_SILENCE, _SILENCE_HELD) if held.any_held(tx) else (_SILENCE,):  # no index knows what is held
        tx.run(each, on_channel=channel, in_chat=chat, why=why, at=millis(now))


def waits(tx: Tx, channel: str, chat: str) -> bool:
    """Whether an answer or an alert still waits for this chat: reminders hold up neither."""
    return tx.one(_WAITS, on_channel=channel, in_chat=chat) is not None


def alerts_wait(tx: Tx, now: datetime) -> bool:
    """Whether an alert is due and free."""
    return tx.one(_ALERTS_WAIT, at=millis(now)) is not None


def depth(tx: Tx) -> dict[str, int]:
    """How many rows wait, by lane."""
    return dict(tx.all(_DEPTH))


def _opened(tx: Tx, row: Sequence[Any]) -> Outgoing:
    row_id, channel, chat, lane, kind, fields, attempts = row
    return Outgoing(row_id, channel, chat, lane, kind, orjson.loads(tx.keys.open(fields, "outbox.fields", row_id)),
                    attempts)
