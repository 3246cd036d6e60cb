"""The one door to the database: `Store.run(work)` for writes, `Store.read(query)` for reads.

A work is a plain function of a `Tx`; it touches nothing else, may run twice, and takes a few
milliseconds. SQLite and PostgreSQL differ only below this file (`sqlite.py`, `postgres.py`).
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.expression import ClauseElement

from storage.crypto import Keys
from storage.ids import NewId, RandomBytes

T = TypeVar("T")
Row = tuple[Any, ...]
FEW = 5  # rows for which a statement each is as good
_VALUES = re.compile(r" VALUES \((.*?)\)(?= ON CONFLICT|$)", re.DOTALL)
_PARAMETER = re.compile(r"%\((\w+)\)s(::\w+)?")


class StoreUnavailable(Exception):
    """Nothing of this work was kept: disk full, database locked or away. Do not acknowledge; try again."""


class Cursor(Protocol):
    """What both drivers' cursors share."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, sql: Any, parameters: Any = ..., /) -> Any: ...
    def executemany(self, sql: Any, parameters: Any, /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who read or changed what: ids and field names, never values."""

    actor: str
    action: str
    subject: str
    fields: tuple[str, ...] = ()


class Statements:
    """Core statements compiled once for a dialect and kept as SQL text.

    Executing through SQLAlchemy's connection costs several times the statement itself (performance.md),
    so statements are built with Core and run on the driver's cursor. Column types are plain
    (text, integer, bytes), so that nothing needs converting on the way.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._kept: dict[ClauseElement, tuple[str, dict[str, Any]]] = {}
        self._at_once: dict[ClauseElement, tuple[str, list[str]] | None] = {}

    def sql(self, statement: ClauseElement) -> tuple[str, dict[str, Any]]:
        """The SQL text and the values of its constants."""
        kept = self._kept.get(statement)
        if kept is None:
            compiled = cast(SQLCompiler, statement.compile(dialect=self.dialect))
            constants = {name: bind.value for bind, name in compiled.bind_names.items() if not bind.required}
            kept = self._kept[statement] = (str(compiled), constants)
        return kept

    def at_once(self, statement: ClauseElement) -> tuple[str, list[str]] | None:
        """An INSERT of one row as one of many: the SQL text, whose parameters are lists, and their names.

        On PostgreSQL a statement for each row costs several times as much. None on SQLite, where it does not, and for
        what is no such INSERT, or wants its rows one after the other (ON CONFLICT DO UPDATE).
        """
        if statement not in self._at_once:
            sql, constants = self.sql(statement)
            found = _VALUES.search(sql) if isinstance(statement, Insert) and not constants else None
            if self.dialect.name != "postgresql" or found is None or "DO UPDATE" in sql:
                self._at_once[statement] = None
            else:
                parameters = _PARAMETER.findall(found[1])
                lists = ", ".join(f"%({name})s{kind or '::BYTEA'}[]" for name, kind in parameters)
                text = f"{sql[:found.start()]} SELECT * FROM unnest({lists}){sql[found.end():]}"  # noqa: S608 (names only)
                self._at_once[statement] = (text, [name for name, _ in parameters])
        return self._at_once[statement]


def escaped(text: str) -> str:
    """A text as a part of a pattern of LIKE, with a backslash as its escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Tx:
    """One unit of work's hands on the database. Ledgers take it as their first argument."""

    def __init__(self, cursor: Cursor, statements: Statements, keys: Keys, new_id: NewId,
                 random_bytes: RandomBytes = os.urandom) -> None:
        self._cursor = cursor
        self._statements = statements
        self.keys = keys
        self.new_id = new_id
        self.random_bytes = random_bytes
        self.audited: list[AuditEntry] = []
        self.audited_at: datetime | None = None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._statements.dialect.name

    def run(self, statement: ClauseElement, **values: Any) -> int:
        """Runs a statement; gives the number of rows that it touched."""
        sql, constants = self._statements.sql(statement)
        self._cursor.execute(sql, {**constants, **values} if constants else values)
        return self._cursor.rowcount

    def many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Runs a statement once for each mapping of values."""
        if len(rows) >= FEW and (at_once := self._statements.at_once(statement)):
            text, names = at_once
            self._cursor.execute(text, {name: [row[name] for row in rows] for name in names})
            return
        sql, constants = self._statements.sql(statement)
        self._cursor.executemany(sql, [{**constants, **row} for row in rows] if constants else rows)

    def one(self, statement: ClauseElement, **values: Any) -> Row | None:
        """The first row, or None."""
        self.run(statement, **values)
        row: Row | None = self._cursor.fetchone()
        return row

    def all(self, statement: ClauseElement, **values: Any) -> list[Row]:
        """Every row."""
        self.run(statement, **values)
        return self._cursor.fetchall()

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Of what is done in it nothing is kept where it raises; the rest of this unit of work stands."""
        noted = len(self.audited)
        self._cursor.execute("SAVEPOINT apart")
        try:
            yield
        except BaseException:
            self._cursor.execute("ROLLBACK TO SAVEPOINT apart")
            self._cursor.execute("RELEASE SAVEPOINT apart")
            del self.audited[noted:]
            raise
        self._cursor.execute("RELEASE SAVEPOINT apart")

    def note(self, now: datetime, actor: str, action: str, subject: str, fields: Sequence[str] = ()) -> None:
        """Puts a line on the audit chain; it is written as this unit of work's last statement."""
        self.audited.append(AuditEntry(actor, action, subject, tuple(fields)))
        self.audited_at = now


Work = Callable[[Tx], T]


class Job:
    """A work that waits for its turn, with the future of who waits for it."""

    __slots__ = ("error", "future", "loop", "patient", "result", "work")

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]",
                 patient: bool = False) -> None:
        self.work = work
        self.loop = loop
        self.future = future
        self.patient = patient
        self.result: Any = None
        self.error: BaseException | None = None

    def resolve(self) -> None:
        """Hands the outcome to the waiter; runs in the waiter's loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def resolve_all(jobs: Sequence[Job]) -> None:
    """Wakes the waiters of a batch, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        loops.setdefault(job.loop, []).append(job)
    for loop, theirs in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve_here, theirs)
        except RuntimeError:  # the loop is closed: nobody waits any more, and what is kept is kept
            continue


def _resolve_here(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.resolve()


class Store(Protocol):
    """A database that is open. Close it when done."""

    dialect: str
    engine: str  # for `doctor`: product and version

    def run(self, work: Work[T], key: str = "", *, patient: bool = False) -> Awaitable[T]:
        """Does the work in one transaction: when this returns, it is on disk.

        Works of one `key` (a chat) run in the order of the calls. A `patient` one stands behind those that are not,
        whoever came first: nobody waits for reminders, sweeps and jobs. It has its turn all the same, however many
        others come. Raises StoreUnavailable when nothing was kept; what the work itself raises comes back as it is,
        and then nothing of it is kept either.
        """
        ...

    def read(self, query: Work[T], *, patient: bool = False) -> Awaitable[T]:
        """Runs a query that writes nothing, beside the writers."""
        ...

    def rehearse(self, work: Work[T]) -> Awaitable[T]:
        """Does the work on a copy of all that is there now, of which nothing stays. Nobody else waits for it.

        The copy takes as much room as the database. Raises StoreUnavailable where it cannot be made.
        """
        ...

    def close(self) -> None:
        """Waits for the works under way and closes every connection."""
        ...
