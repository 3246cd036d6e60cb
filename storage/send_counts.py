"""How many messages an account was sent of late, where the platform drops in silence what is more.

Kept in slots of a sixth of the span, used again in turn: what is counted reaches back a span and up to one slot more,
so that no span of the platform's, whenever it begins, holds more than is allowed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import instant, millis
from storage.tables import send_counts

SLOTS = 7  # six make a span, one is being filled

_add = insert(send_counts)
_OF = select(send_counts.c.span, send_counts.c.since, send_counts.c.count).where(
    send_counts.c.channel == bindparam("on_channel"), send_counts.c.account == bindparam("of_account"))
_OLD = delete(send_counts).where(send_counts.c.since < bindparam("before"))
_PUT = _add.on_conflict_do_update(index_elements=["channel", "account", "span"], set_={
    "since": _add.excluded.since, "count": _add.excluded.count})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages in a span; the last `reserve` of them are kept for what is urgent."""

    name: str
    span: timedelta
    most: int
    reserve: int


def take(tx: Tx, channel: str, account: str, limits: tuple[Limit, ...], now: datetime, *, count: int = 1,
         urgent: bool = False) -> datetime | None:
    """Counts so many messages as sent now; where one limit has no room for them, counts nothing and gives when it may.
    """
    rows = {span: (since, sent) for span, since, sent in tx.all(_OF, on_channel=channel, of_account=account)}
    at, later = millis(now), None
    for limit in limits:
        length = _slot_length(limit)
        kept = sorted((since, sent) for span, (since, sent) in rows.items()
                      if span.startswith(f"{limit.name}:") and since + length * SLOTS > at)
        room = limit.most - (0 if urgent else limit.reserve) - sum(sent for _, sent in kept)
        for since, sent in kept:
            if room >= count:
                break
            room += sent
            free = instant(since + length * SLOTS)
            later = free if later is None or free > later else later
    if later is not None:
        return later
    for limit in limits:
        length = _slot_length(limit)
        since = at - at % length
        name = f"{limit.name}:{at // length % SLOTS}"
        before, sent = rows.get(name, (0, 0))
        tx.run(_PUT, channel=channel, account=account, span=name, since=since,
               count=count + (sent if before == since else 0))
    return None


def _slot_length(limit: Limit) -> int:
    return int(limit.span.total_seconds() * 1000) // (SLOTS - 1)


def forget(tx: Tx, before: datetime) -> None:
    """Deletes what was counted before; no span is longer than a day (and one slot)."""
    tx.run(_OLD, before=millis(before))
