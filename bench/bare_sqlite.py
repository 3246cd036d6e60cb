"""The limit: the rows of a visit written by bare sqlite3, without a bot around them.

The same tables, indexes, driver and settings as the bot's (`storage.sqlite.connect`: WAL, synchronous=FULL),
rows of the same size, statements written by hand. In every turn: the inbox row, the look-up of who writes with
his draft, the draft, the answer's outbox row, and the sent-mark of the answer before; at the end of a visit also
the visit, the elder's number and standing, and a line of the audit chain.
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from bench import flow
from bench.measure import FIRST_CHAT, Load, Row, peak_mb, percentile, serve
from storage.sqlite import connect
from storage.tables import metadata

INBOX, FIELDS, RECEIPT = 180, 400, 40  # bytes of the sealed columns, about as the bot fills them
DRAFT_FIRST, DRAFT_LAST = 600, 1800  # it grows with the answers
NOW = flow.TIME * 1000
NOTE = "no bot, our rows only; times are of one transaction, nobody queues"
VISITS = {1: 3, 64: 15}  # visits a person by turns a transaction: some seconds of each

_WRITER = """SELECT p.id, p.name, p.status, a.blocked_at, a.menu, d.id, d.tag, d.form, d.form_hash, d.body
FROM accounts a JOIN people p ON p.id = a.person_id LEFT JOIN drafts d ON d.person_id = p.id AND d.state = 'open'
WHERE a.channel = ? AND a.account = ?"""
_INBOX = "INSERT INTO inbox VALUES ('telegram', ?, ?, ?, ?) ON CONFLICT (channel, dedupe_key) DO NOTHING"
_NEW_DRAFT = "INSERT INTO drafts VALUES (?, ?, ?, 'visit', 'h', 'open', ?, NULL, ?, ?)"
_DRAFT = "UPDATE drafts SET body = ?, updated_at = ? WHERE id = ?"
_CLOSE = "UPDATE drafts SET state = 'submitted', result = ?, updated_at = ? WHERE id = ? AND state = 'open'"
_OUTBOX = """INSERT INTO outbox VALUES
(?, 'telegram', ?, 'reply', 'say', ?, NULL, 'waiting', ?, ?, 0, NULL, NULL, ?, NULL)
"""
_SENT = "UPDATE outbox SET state = 'sent', receipt = ?, done_at = ? WHERE id = ?"
_NUMBER = "UPDATE elders SET visits_made = visits_made + 1 WHERE id = ? RETURNING visits_made"
_VISIT = """INSERT INTO visits VALUES
(?, ?, 1, ?, ?, 'current', 'h', '2025-12-01', 'home', 0, ?, ?, ?, ?, NULL, ?, NULL)"""
_STANDING = """UPDATE elders SET care_class = 'general', due_from = ?, due_until = ?, last_visit_on = ?,
last_home_on = ?, last_screening_on = NULL WHERE id = ?"""
_HEAD = "SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1"
_AUDIT = "INSERT INTO audit VALUES (?, ?, ?, ?)"


class Village:
    """A database with `people` visitors, each with an elder, and their turns as rows to write."""

    def __init__(self, path: Path, people: int) -> None:
        self._connection = connect(path)
        self.execute = self._connection.execute
        self._random = random.Random(7)
        self._ids = 0
        self._last_answer: dict[int, str] = {}
        self._drafts: dict[int, str] = {}
        self.steps = len(flow.main_line(flow.visit_form()))
        self.execute("BEGIN")
        for table in metadata.sorted_tables:
            self.execute(str(CreateTable(table).compile(dialect=sqlite_dialect())))
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                self.execute(str(CreateIndex(index).compile(dialect=sqlite_dialect())))
        self.execute("INSERT INTO areas VALUES ('v', NULL, 'village', 'v', 'v/')")
        self.execute("INSERT INTO forms VALUES ('h', 'visit', '{}')")
        for person in range(people):
            self._settle(person)
        self.execute("COMMIT")

    def _settle(self, person: int) -> None:
        self.execute("INSERT INTO people VALUES (?, 'v', 'W', 'grid', 'active', ?)", (f"p{person}", NOW))
        chat = str(FIRST_CHAT + person)
        account = (chat, f"p{person}", chat, NOW)
        self.execute("INSERT INTO accounts VALUES ('telegram', ?, ?, ?, ?, NULL, NULL)", account)
        self.execute(
            "INSERT INTO elders (id, village_id, number, group_name, name, initials, categories, ability,"
            " registered_on, status, care_class, due_from, due_until, visits_made, created_at) VALUES"
            " (?, 'v', ?, '3', 'Z', 'z', 'alone', 'able', '2024-01-01', 'active', 'general', '', '', 0, ?)",
            (f"e{person}", person, NOW))

    def close(self) -> None:
        self._connection.close()

    def turn(self, person: int, step: int) -> None:
        """Writes one turn into the open transaction."""
        chat, answer = str(FIRST_CHAT + person), self._id()
        self.execute(_WRITER, ("telegram", chat)).fetchone()
        self.execute(_INBOX, (self._id(), answer, self._sealed(INBOX), NOW))
        body = self._sealed(DRAFT_FIRST + (DRAFT_LAST - DRAFT_FIRST) * step // self.steps)
        if step == 0:
            draft = self._drafts[person] = self._id()
            self.execute(_NEW_DRAFT, (draft, draft, f"p{person}", body, NOW, NOW))
        elif step < self.steps - 1:
            self.execute(_DRAFT, (body, NOW, self._drafts[person]))
        else:
            self._submit(person, body)
        self.execute(_OUTBOX, (answer, chat, self._sealed(FIELDS), NOW, NOW, NOW))
        if before := self._last_answer.get(person):
            self.execute(_SENT, (self._sealed(RECEIPT), NOW, before))
        self._last_answer[person] = answer

    def _submit(self, person: int, body: bytes) -> None:
        visit, draft, visitor, elder = self._id(), self._drafts[person], f"p{person}", f"e{person}"
        number = self.execute(_NUMBER, (elder,)).fetchone()[0]
        self.execute(_VISIT, (visit, visit, elder, number, body, visitor, visitor, NOW, draft))
        self.execute(_CLOSE, (visit, NOW, draft))
        self.execute(_STANDING, ("2025-12-16", "2025-12-31", "2025-12-01", "2025-12-01", elder))
        seq = (self.execute(_HEAD).fetchone() or (0,))[0] + 1
        entries = f'[["{visitor}","visit.submit","{elder}",["answers"]]]'
        self.execute(_AUDIT, (seq, NOW, entries, f"{seq:064x}"))

    def _id(self) -> str:
        self._ids += 1
        return f"019ad700-0000-7000-8000-{self._ids:012x}"

    def _sealed(self, size: int) -> bytes:
        return self._random.randbytes(size)


def write(people: int, visits: int, together: int) -> tuple[list[float], int]:
    """Seconds of each transaction of `together` turns, people in turn, and how many visits were kept."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        village = Village(Path(folder) / "bare.db", people)
        turns = [(person, step)
                 for _ in range(visits) for step in range(village.steps) for person in range(people)]
        for first in range(0, len(turns), together):
            began = time.perf_counter()
            village.execute("BEGIN IMMEDIATE")
            for person, step in turns[first:first + together]:
                village.turn(person, step)
            village.execute("COMMIT")
            seconds.append(time.perf_counter() - began)
        kept: Any = village.execute("SELECT count(*) FROM visits").fetchone()[0]
        village.close()
    return seconds, int(kept)


async def run(load: Load) -> list[Row]:
    rows = []
    for together, visits in VISITS.items():
        seconds, kept = write(load.people, visits * load.visits, together)
        if kept != load.people * visits * load.visits:
            raise RuntimeError(f"{kept} visits kept, {load.people * visits * load.visits} written")
        turns = kept * len(flow.main_line(flow.visit_form()))
        name = f"sqlite3, {together} a transaction"
        rows.append(Row(name, turns / sum(seconds), percentile(seconds, 50), percentile(seconds, 99), None,
                        peak_mb(), turns, NOTE))
    return rows


if __name__ == "__main__":
    serve(run)
