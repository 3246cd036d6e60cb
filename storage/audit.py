"""The audit chain: who read or changed what, each line bound to the one before by an HMAC."""

import hashlib
import hmac
from dataclasses import dataclass

import orjson
from sqlalchemy import bindparam, insert, select, text

from storage.database import Tx
from storage.ids import millis
from storage.tables import audit

FIRST_MAC = "0" * 64
PG_LOCK = text("SELECT pg_advisory_xact_lock(2, 0)")
HEAD = select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1)
APPEND = insert(audit)
PAGE = select(audit.c.seq, audit.c.at, audit.c.entries, audit.c.mac).where(
    audit.c.seq > bindparam("after")).order_by(audit.c.seq).limit(1000)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`broken_at` is the first line that does not fit, or None; `lines` and `head` describe the whole chain."""

    lines: int
    head: str
    broken_at: int | None


def extend(tx: Tx) -> None:
    """Writes what the unit of work noted as one line of the chain; nothing where nothing was noted."""
    if not tx.audited or tx.audited_at is None:
        return
    if tx.dialect == "postgresql":
        tx.all(PG_LOCK)  # the head belongs to one transaction at a time; taken last, so it is held briefly
    seq, mac = tx.one(HEAD) or (0, FIRST_MAC)
    entries = orjson.dumps([[e.actor, e.action, e.subject, list(e.fields)] for e in tx.audited]).decode()
    at = millis(tx.audited_at)
    tx.run(APPEND, seq=seq + 1, at=at, entries=entries, mac=_mac(tx, mac, seq + 1, at, entries))
    tx.audited.clear()


def verify(tx: Tx, known_head: tuple[int, str] | None = None) -> Verdict:
    """Reads the whole chain. `known_head` (line number and mac, kept elsewhere) shows a cut tail."""
    seq, mac = 0, FIRST_MAC
    while rows := tx.all(PAGE, after=seq):
        for found, at, entries, kept in rows:
            if found != seq + 1 or not hmac.compare_digest(kept, _mac(tx, mac, found, at, entries)):
                return Verdict(seq, mac, seq + 1)
            seq, mac = found, kept
            if known_head is not None and known_head[0] == seq and known_head[1] != mac:
                return Verdict(seq, mac, seq)
    if known_head is not None and known_head[0] > seq:
        return Verdict(seq, mac, seq + 1)
    return Verdict(seq, mac, None)


def _mac(tx: Tx, before: str, seq: int, at: int, entries: str) -> str:
    return hmac.new(tx.keys.audit, f"{before}|{seq}|{at}|{entries}".encode(), hashlib.sha256).hexdigest()
