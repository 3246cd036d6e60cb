"""SQLite with group commit: one writer thread, many works a transaction, one fsync for all of them."""

import asyncio
import os
import queue
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from storage import audit, in_use
from storage.crypto import Keys
from storage.database import Job, Statements, StoreUnavailable, T, Tx, Work, resolve_all
from storage.ids import NewId

try:
    import pysqlite3 as driver
except ImportError:  # no wheel for this machine: the interpreter's own library
    import sqlite3 as driver

DriverError = driver.Error
ENGINE = f"SQLite {driver.sqlite_version}"
BATCH = 64
PATIENT = 2  # patient works that ride on a commit: those who do not wait for them wait for so many at the most
BUSY_SECONDS = 5.0
FIRST_SAFE = (3, 51, 3)  # earlier ones have the WAL-reset bug with several connections (sqlite.org/wal.html)
OUT_OF_ORDER = "the database could not take this work"


class _Compiler(SQLiteCompiler):
    """Writes `LIMIT +:count`: for a bare parameter SQLite makes its plan by the value, and so at each execution anew,
    which takes ten times as long as a small query itself (performance.md).
    """

    def limit_clause(self, select: Any, **kw: Any) -> str:
        text: str = super().limit_clause(select, **kw)  # type: ignore[no-untyped-call]
        return text.replace(" LIMIT :", " LIMIT +:")


class _Dialect(SQLiteDialect_pysqlite):
    statement_compiler = _Compiler


_STATEMENTS = Statements(_Dialect(paramstyle="named"))  # of every store of this process


class SqliteStore:
    """A Store over one SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: Path, keys: Keys, new_id: NewId, readers: int = 2,
                 busy_seconds: float = BUSY_SECONDS) -> None:
        self.engine = ENGINE
        self._path = path
        self._keys = keys
        self._new_id = new_id
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._open_readers: list[Any] = []
        safe = driver.sqlite_version_info >= FIRST_SAFE
        self._readers = ThreadPoolExecutor(readers, "reader") if safe else None
        self._busy_seconds = busy_seconds
        self._held: int | None = in_use.share(path)
        self._connection: Any = connect(path, busy_seconds=busy_seconds)
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._writer.start()

    def run(self, work: Work[T], key: str = "", *, patient: bool = False) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._closed:
            raise StoreUnavailable("the database is closed")
        self._waiting.put(Job(work, loop, future, patient))
        return future

    def read(self, query: Work[T], *, patient: bool = False) -> "asyncio.Future[T]":
        if self._readers is None:
            return self.run(query, patient=patient)
        return asyncio.get_running_loop().run_in_executor(self._readers, self._query, query)

    async def rehearse(self, work: Work[T]) -> T:
        return await asyncio.to_thread(self._rehearse, work)

    def close(self) -> None:
        self._closed = True
        self._waiting.put(None)
        self._writer.join()
        if self._readers is not None:
            self._readers.shutdown()
        for connection in self._open_readers:
            connection.close()
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _query(self, query: Work[T]) -> T:
        connection = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = connect(self._path, read_only=True, busy_seconds=self._busy_seconds)
                self._local.connection = connection
                self._open_readers.append(connection)
            tx = self._tx(connection)
            connection.execute("BEGIN")
            result = query(tx)
        except driver.OperationalError as error:
            if not _of_the_disk(error):
                raise
            raise StoreUnavailable(OUT_OF_ORDER) from error
        finally:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
        if tx.audited:
            raise AssertionError("a query that is audited must go through run()")
        return result

    def _rehearse(self, work: Work[T]) -> T:
        try:
            with closing(_copy(self._path, self._busy_seconds)) as connection:
                connection.execute("BEGIN")
                return work(self._tx(connection))
        except (OSError, driver.OperationalError) as error:
            if isinstance(error, driver.OperationalError) and not _of_the_disk(error):
                raise
            raise StoreUnavailable(OUT_OF_ORDER) from error

    def _tx(self, connection: Any) -> Tx:
        return Tx(connection.cursor(), _STATEMENTS, self._keys, self._new_id)

    def _write(self) -> None:
        patient: deque[Job] = deque()
        stopping = False
        while not stopping or patient:
            jobs: list[Job] = []
            try:
                while not stopping and len(jobs) < BATCH:
                    job = self._waiting.get(block=not jobs and not patient)
                    if job is None:
                        stopping = True
                    else:
                        (patient if job.patient else jobs).append(job)
            except queue.Empty:
                pass
            jobs += [patient.popleft() for _ in range(min(PATIENT, len(patient)))]
            if jobs:
                self._commit_together(jobs)
                resolve_all(jobs)
        if self._connection is not None:
            self._connection.close()

    def _commit_together(self, jobs: list[Job]) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._path, busy_seconds=self._busy_seconds)
            if not self._all_at_once(self._connection, jobs):
                self._one_by_one(self._connection, jobs)
        except Exception as error:  # locked, disk full, gone: nobody of this batch is acknowledged
            self._undo()
            for job in jobs:
                job.result, job.error = None, StoreUnavailable(OUT_OF_ORDER)
                job.error.__cause__ = error

    def _all_at_once(self, connection: Any, jobs: list[Job]) -> bool:
        """The usual way, without savepoints, each of which copies the pages it touches. False where a work raised:
        then nothing is kept, and all are done again.
        """
        connection.execute("BEGIN IMMEDIATE")
        cursor = connection.cursor()
        try:
            for job in jobs:
                tx = Tx(cursor, _STATEMENTS, self._keys, self._new_id)
                job.result = job.work(tx)
                audit.extend(tx)
        except Exception as error:
            if _of_the_disk(error):
                raise
            self._undo()
            return False
        connection.execute("COMMIT")
        return True

    def _one_by_one(self, connection: Any, jobs: list[Job]) -> None:
        """Each work in a savepoint, so that one that raises undoes only itself."""
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            connection.execute("SAVEPOINT work")
            tx = self._tx(connection)
            try:
                job.result = job.work(tx)
                audit.extend(tx)
            except Exception as error:
                if _of_the_disk(error) or not connection.in_transaction:
                    raise
                job.result, job.error = None, error
                connection.execute("ROLLBACK TO work")
            connection.execute("RELEASE work")
        connection.execute("COMMIT")

    def _undo(self) -> None:
        try:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except driver.Error:
            self._connection.close()
            self._connection = None  # the next batch opens another; this thread must live


def _of_the_disk(error: Exception) -> bool:
    """Whether the disk or the lock is at fault, rather than the work: then it may come again."""
    return isinstance(error, driver.OperationalError) and error.sqlite_errorcode != driver.SQLITE_ERROR


def connect(path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> Any:
    """A connection in WAL mode whose commits are on disk before they return, and whose deletions leave no trace."""
    connection = driver.connect(str(path), timeout=busy_seconds, isolation_level=None, check_same_thread=False,
                                cached_statements=512)
    _into_wal_mode(connection, busy_seconds)
    for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON",
                   "temp_store=MEMORY", "cache_size=-16000", f"query_only={'ON' if read_only else 'OFF'}"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def plain(path: str, busy_seconds: float = BUSY_SECONDS) -> Any:
    """A connection as the file is, with nothing set: to what no store has open."""
    return driver.connect(path, timeout=busy_seconds, isolation_level=None)


def is_busy(error: Exception) -> bool:
    """Whether others have the file open, or write in it."""
    return isinstance(error, driver.OperationalError) and error.sqlite_errorcode & 0xFF == driver.SQLITE_BUSY


def _copy(path: Path, busy_seconds: float) -> Any:
    """All that is there now, for one connection alone: in a temporary file of SQLite's own, which loses its name before
    anything is in it. Nobody waits while it is made, and nothing of it stays, however this process ends.
    """
    connection = driver.connect("", isolation_level=None, cached_statements=512)
    connection.execute("PRAGMA foreign_keys=ON")
    with closing(connect(path, read_only=True, busy_seconds=busy_seconds)) as source:
        source.backup(connection)
    return connection


def _into_wal_mode(connection: Any, busy_seconds: float) -> None:
    """Tries again while another process does the same to a new file: SQLite does not wait for that by itself."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except driver.OperationalError as error:
            if not is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
