"""The head of the audit chain in a file beside the key file, outside the database and its backup.

A line a day, only ever added: `audit verify` holds all of them against the chain, and so finds a cut tail, and a
chain that was written anew.
"""

import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from storage import audit
from storage.audit import Head

if TYPE_CHECKING:
    from bot.app import Foundation


class HeadFileBroken(Exception):
    """A line of the file is not what was written there; the text names file and line."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One line: the chain's head, and when it was written down."""

    seq: int
    mac: str
    at: datetime
    kept_at: datetime


def beside(key_file: Path) -> Path:
    """Where the file is: tanfang.keys.json has tanfang.keys.audit-head.jsonl beside it."""
    return key_file.with_name(f"{key_file.stem}.audit-head.jsonl")


def read(path: Path) -> list[Kept]:
    """All lines, the oldest first; none where there is no file. Raises HeadFileBroken."""
    if not path.exists():
        return []
    kept = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        try:
            raw = json.loads(text)
            kept.append(Kept(int(raw["seq"]), str(raw["mac"]), datetime.fromisoformat(raw["at"]),
                             datetime.fromisoformat(raw["kept_at"])))
        except (ValueError, KeyError, TypeError):
            raise HeadFileBroken(f"{path}, line {number}: not a head of the audit chain") from None
    return kept


def add(path: Path, head: Head, now: datetime) -> None:
    """Adds a line; it is on disk when this returns."""
    line = json.dumps({"seq": head.seq, "mac": head.mac, "at": head.at.isoformat(), "kept_at": now.isoformat()})
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


async def keep_daily(base: "Foundation", now: datetime) -> bool:
    """Adds today's head, unless it is there already or the chain has not grown. `now` is the wall's."""
    path = beside(base.settings.key_file)
    kept = read(path)
    if kept and _day(base, kept[-1].kept_at) >= _day(base, now):
        return False
    head = await base.store.read(audit.head)
    if head is None or (kept and head.seq == kept[-1].seq):
        return False
    add(path, head, now)
    return True


def _day(base: "Foundation", at: datetime) -> date:
    return at.astimezone(base.policy.zone).date()
