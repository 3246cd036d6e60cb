"""What the process before this one left in the outbox: rows that it had leased, and lines in which something waits."""

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import bindparam, literal_column, select, update

from storage.database import Tx
from storage.ids import millis
from storage.outbox import LEASE, Outgoing
from storage.tables import outbox

_WAITING = select(outbox.c.id, outbox.c.channel, outbox.c.chat, outbox.c.lane, outbox.c.kind, outbox.c.fields,
                  outbox.c.attempts, outbox.c.not_before).where(
    outbox.c.state == literal_column("'waiting'"), outbox.c.lane != "reminder").order_by(outbox.c.id)
_LEASE = update(outbox).where(outbox.c.id == bindparam("row")).values(leased_until=bindparam("until"))


@dataclass(frozen=True, slots=True)
class Left:
    """`due` rows are leased to the caller, in the order of their making; in `chats` something waits for its time."""

    due: tuple[Outgoing, ...]
    chats: frozenset[tuple[str, str]]


def take_over(tx: Tx, now: datetime, *, alone: bool) -> Left:
    """All that waits, reminders excepted: those may be many, and have time. Called once, before anything comes in.

    `alone`: no other process sends from this database (SQLite), so a lease in it is a dead process's and counts
    no more. Where there are others (PostgreSQL) nothing is taken: a lease runs out by itself.
    """
    due, chats, at, until = [], set(), millis(now), millis(now + LEASE)
    for row, channel, chat, lane, kind, fields, attempts, not_before in tx.all(_WAITING):
        if not alone or not_before > at or (channel, chat) in chats:
            chats.add((channel, chat))
            continue
        tx.run(_LEASE, row=row, until=until)
        opened = orjson.loads(tx.keys.open(fields, "outbox.fields", row))
        due.append(Outgoing(row, channel, chat, lane, kind, opened, attempts))
    return Left(tuple(due), frozenset(chats))
