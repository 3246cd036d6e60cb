"""The audit chain: who read or changed what, each line bound to the one before by an HMAC."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or

from storage.database import AuditEntry, Tx
from storage.ids import instant, millis
from storage.tables import audit, audit_subjects

FIRST_MAC = "0" * 64
RESTORED = "backup.restored"
PG_LOCK = text("SELECT pg_advisory_xact_lock(2, 0)")
HEAD = select(audit.c.seq, audit.c.mac, audit.c.at).order_by(audit.c.seq.desc()).limit(1)
APPEND = insert(audit)
FIND = insert_or(audit_subjects).on_conflict_do_nothing(index_elements=["subject", "seq"])  # after a cut tail
PAGE = select(audit.c.seq, audit.c.at, audit.c.entries, audit.c.mac).where(
    audit.c.seq > bindparam("after")).order_by(audit.c.seq).limit(1000)
ABOUT = select(audit.c.seq, audit.c.at, audit.c.entries).select_from(
    audit_subjects.join(audit, audit.c.seq == audit_subjects.c.seq)).where(
    audit_subjects.c.subject == bindparam("of"), audit_subjects.c.seq < bindparam("before")).order_by(
    audit_subjects.c.seq.desc()).limit(bindparam("count"))
NEWEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of the chain: its number, its mac, and when it was written."""

    seq: int
    mac: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of the chain says of somebody."""

    seq: int
    at: datetime
    entries: Sequence[AuditEntry]


class Known(Protocol):
    """A head of the chain that was kept elsewhere."""

    @property
    def seq(self) -> int: ...
    @property
    def mac(self) -> str: ...
    @property
    def kept_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Restore:
    """A line that says that a backup was restored: the chain goes on from there, what came after the backup is gone.

    `left` names heads that were found not to be in it.
    """

    seq: int
    at: datetime
    left: frozenset[str]

    def explains(self, head: Known) -> bool:
        """Whether this head may be of the lines that were left behind."""
        return named(head) in self.left or (head.seq >= self.seq and head.kept_at < self.at)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken_at` is the first line that does not fit, or None; `lines` and `head` describe the whole chain.

    `left` are the known heads that are not in it; those that no restore explains are why it is broken.
    """

    lines: int
    head: str
    broken_at: int | None
    restores: tuple[Restore, ...] = ()
    left: tuple[Known, ...] = ()


def extend(tx: Tx) -> None:
    """Writes what the unit of work noted as one line of the chain; nothing where nothing was noted."""
    if not tx.audited or tx.audited_at is None:
        return
    if tx.dialect == "postgresql":
        tx.all(PG_LOCK)  # the head belongs to one transaction at a time; taken last, so it is held briefly
    seq, mac, _ = tx.one(HEAD) or (0, FIRST_MAC, 0)
    entries = orjson.dumps([[e.actor, e.action, e.subject, list(e.fields)] for e in tx.audited]).decode()
    at = millis(tx.audited_at)
    tx.run(APPEND, seq=seq + 1, at=at, entries=entries, mac=_mac(tx, mac, seq + 1, at, entries))
    for subject in sorted({entry.subject for entry in tx.audited if entry.subject}):
        tx.run(FIND, subject=subject, seq=seq + 1)
    tx.audited.clear()


def head(tx: Tx) -> Head | None:
    """The last line; None where there is none yet."""
    row = tx.one(HEAD)
    return Head(row[0], row[1], instant(row[2])) if row else None


def about(tx: Tx, subject: str, count: int, before: int = NEWEST) -> list[Line]:
    """The newest lines, before a line's number, that speak of this elder (or person, or whatever has an id).

    It has no Scope: the caller has looked whether the asker may see who read this file.
    """
    return [Line(seq, instant(at), [AuditEntry(actor, action, of, tuple(fields)) for actor, action, of, fields
                                    in orjson.loads(entries) if of == subject])
            for seq, at, entries in tx.all(ABOUT, of=subject, before=before, count=count)]


def verify(tx: Tx, known: Sequence[Known] = ()) -> Verdict:
    """Reads the whole chain. `known` heads, kept elsewhere, show a cut tail, and a chain that was written anew by
    somebody who has the key; after a restore those of the lines that it left behind are told apart.
    """
    asked, found, restores = {head.seq for head in known}, dict[int, str](), list[Restore]()
    seq, mac = 0, FIRST_MAC
    while rows := tx.all(PAGE, after=seq):
        for number, at, entries, kept in rows:
            if number != seq + 1 or not hmac.compare_digest(kept, _mac(tx, mac, number, at, entries)):
                return Verdict(seq, mac, seq + 1)
            seq, mac = number, kept
            if seq in asked:
                found[seq] = mac
            if RESTORED in entries:
                restores += [Restore(seq, instant(at), frozenset(fields))
                             for _, action, _, fields in orjson.loads(entries) if action == RESTORED]
    left = tuple(head for head in known if found.get(head.seq) != head.mac)
    broken = [min(head.seq, seq + 1) for head in left if not any(each.explains(head) for each in restores)]
    return Verdict(seq, mac, min(broken, default=None), tuple(restores), left)


def restored(tx: Tx, backup: str, left: Sequence[Known], now: datetime) -> None:
    """Notes that a backup was restored, and which known heads are not in its chain; for the restore's own work."""
    tx.note(now, "operator", RESTORED, backup, [named(head) for head in left])


def named(head: Known) -> str:
    """How a line of a restore names a head."""
    return f"{head.seq}:{head.mac[:16]}"


def _mac(tx: Tx, before: str, seq: int, at: int, entries: str) -> str:
    return hmac.new(tx.keys.audit, f"{before}|{seq}|{at}|{entries}".encode(), hashlib.sha256).hexdigest()
