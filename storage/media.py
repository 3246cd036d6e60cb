"""Photos and voice notes: the channel's handle is kept at once, the bytes as soon as they are fetched."""

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, insert, select, update

from storage.database import Tx
from storage.ids import millis
from storage.tables import media

Kind = Literal["photo", "voice"]

_ADD = insert(media)
_WAITING = select(media.c.id, media.c.kind, media.c.ref).where(
    media.c.channel == bindparam("channel"), media.c.body.is_(None), media.c.attempts < bindparam("most"),
).order_by(media.c.created_at).limit(bindparam("count"))
_FILL = update(media).where(media.c.id == bindparam("item")).values(body=bindparam("new_body"))
_FAILED = update(media).where(media.c.id == bindparam("item")).values(attempts=media.c.attempts + 1)
_BODY = select(media.c.kind, media.c.body).where(media.c.id == bindparam("item"))


def add(tx: Tx, channel: str, kind: str, ref: str, now: datetime, body: bytes = b"") -> str:
    """Keeps a handle, with the bytes where they are already here; gives the id that answers speak of."""
    item = tx.new_id(now)
    tx.run(_ADD, id=item, channel=channel, kind=kind, ref=tx.keys.seal(ref.encode(), "media.ref", item),
           body=tx.keys.seal(body, "media.body", item) if body else None, attempts=0, created_at=millis(now))
    return item


def waiting(tx: Tx, channel: str, count: int = 20, most: int = 10) -> list[tuple[str, Kind, str]]:
    """Id, kind and handle of what is still to be fetched."""
    return [(item, kind, tx.keys.open(ref, "media.ref", item).decode())
            for item, kind, ref in tx.all(_WAITING, channel=channel, count=count, most=most)]


def fill(tx: Tx, item: str, body: bytes) -> None:
    """Keeps the bytes."""
    tx.run(_FILL, item=item, new_body=tx.keys.seal(body, "media.body", item))


def failed(tx: Tx, item: str) -> None:
    """Counts a try that brought nothing."""
    tx.run(_FAILED, item=item)


def body(tx: Tx, item: str) -> tuple[str, bytes] | None:
    """Kind and bytes, once they are here."""
    row = tx.one(_BODY, item=item)
    return (row[0], tx.keys.open(row[1], "media.body", item)) if row and row[1] is not None else None
