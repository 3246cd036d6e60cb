"""Files that came in or were made: ledgers, differences, exports. Sealed, each of one person, deleted after a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, insert, select

from storage.database import Row, Tx
from storage.ids import millis
from storage.tables import accounts, files, people

KEPT = timedelta(days=1)
MOST_BYTES = 20 * 1024 * 1024  # of one file that comes in: what Telegram lets a bot fetch

_ADD = insert(files)
_COLUMNS = select(files.c.id, files.c.kind, files.c.name, files.c.body)
_VALID = files.c.expires_at > bindparam("at")
_OWN = _COLUMNS.where(files.c.id == bindparam("file"), files.c.person_id == bindparam("person"), _VALID)
_of_account = files.join(people, people.c.id == files.c.person_id).join(
    accounts, accounts.c.person_id == people.c.id)
_FOR_CHAT = _COLUMNS.select_from(_of_account).where(and_(
    files.c.id == bindparam("file"), _VALID, people.c.status == "active", accounts.c.state == "active",
    accounts.c.channel == bindparam("on_channel"), accounts.c.chat == bindparam("in_chat")))
_EXPIRED = delete(files).where(files.c.expires_at <= bindparam("at"))


@dataclass(frozen=True, slots=True)
class File:
    """One file, opened. The repr names neither what it is called nor what is in it."""

    id: str
    kind: str
    name: str
    body: bytes

    def __repr__(self) -> str:
        return f"File({self.id}, {self.kind}, {len(self.body)} bytes)"


def add(tx: Tx, kind: str, person_id: str, name: str, body: bytes, now: datetime, kept: timedelta = KEPT) -> str:
    """Keeps a file of this person's; gives its id. `kind` is a word: ledger, difference, match, faulty, export …"""
    file = tx.new_id(now)
    tx.run(_ADD, id=file, kind=kind, person_id=person_id, name=tx.keys.seal(name.encode(), "files.name", file),
           body=tx.keys.seal(body, "files.body", file), created_at=millis(now), expires_at=millis(now + kept))
    return file


def find(tx: Tx, person_id: str, file: str, now: datetime) -> File | None:
    """A file of this person's; None where it is somebody else's, or its time is over."""
    return _opened(tx, tx.one(_OWN, file=file, person=person_id, at=millis(now)))


def for_chat(tx: Tx, file: str, channel: str, chat: str, *, now: datetime) -> File | None:
    """The file as it may be sent into this chat: only into one of the person to whom it belongs."""
    return _opened(tx, tx.one(_FOR_CHAT, file=file, on_channel=channel, in_chat=chat, at=millis(now)))


def forget(tx: Tx, now: datetime) -> int:
    """Deletes what has had its time; gives how many."""
    return tx.run(_EXPIRED, at=millis(now))


def _opened(tx: Tx, row: Row | None) -> File | None:
    if row is None:
        return None
    file, kind, name, body = row
    return File(file, kind, tx.keys.open(name, "files.name", file).decode(), tx.keys.open(body, "files.body", file))
