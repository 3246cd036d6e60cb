"""PostgreSQL: one transaction a work, on a few connections, each with a thread of its own."""

import asyncio
import queue
import threading
import zlib
from typing import Any

import psycopg
from psycopg import errors, sql
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from storage import audit, in_use
from storage.crypto import Keys
from storage.database import Job, Statements, StoreUnavailable, T, Tx, Work, resolve_all
from storage.ids import NewId
from storage.in_use import DatabaseInUse
from storage.tables import metadata

TRIES = 5
PATIENT = 2  # connections of those works that let all others go first
_STATEMENTS = Statements(PGDialect_psycopg())  # type: ignore[no-untyped-call]  # of every store of this process
RERUN = (errors.SerializationFailure, errors.DeadlockDetected)


class PostgresStore:
    """A Store over PostgreSQL. Works of one key go to one connection, so that their order is kept."""

    dialect = "postgresql"

    def __init__(self, url: str, keys: Keys, new_id: NewId, connections: int = 8) -> None:
        self._url = url
        self._keys = keys
        self._new_id = new_id
        with psycopg.connect(url) as connection:
            self.engine = f"PostgreSQL {connection.info.server_version // 10000}"
        self._queues: list[queue.SimpleQueue[tuple[Job, str] | None]] = [
            queue.SimpleQueue() for _ in range(connections + PATIENT)]
        self._next = 0
        self._closed = False
        self._threads = [threading.Thread(target=self._serve, args=(mine,), name=f"store-{n}", daemon=True)
                         for n, mine in enumerate(self._queues)]
        for thread in self._threads:
            thread.start()

    def run(self, work: Work[T], key: str = "", *, patient: bool = False) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._closed:
            raise StoreUnavailable("the database is closed")
        among = self._queues[-PATIENT:] if patient else self._queues[:-PATIENT]
        if key:
            chosen = zlib.crc32(key.encode())
        else:
            chosen = self._next = self._next + 1
        among[chosen % len(among)].put((Job(work, loop, future), key))
        return future

    def read(self, query: Work[T], *, patient: bool = False) -> "asyncio.Future[T]":
        return self.run(query, patient=patient)

    async def rehearse(self, work: Work[T]) -> T:
        return await asyncio.to_thread(self._rehearse, work)

    def close(self) -> None:
        self._closed = True
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _rehearse(self, work: Work[T]) -> T:
        """On temporary tables, which stand before those whose names they have: no row of these is locked."""
        try:
            with psycopg.connect(self._url) as connection:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                cursor = connection.cursor()
                schema = str(next(cursor.execute("SELECT current_schema()"))[0])
                for name in metadata.tables:
                    table, copy = sql.Identifier(schema, name), sql.Identifier("pg_temp", name)
                    cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING ALL)").format(
                        sql.Identifier(name), table))
                    cursor.execute(sql.SQL("INSERT INTO {} SELECT * FROM {}").format(copy, table))
                    cursor.execute(sql.SQL("ANALYZE {}").format(copy))
                try:
                    return work(Tx(cursor, _STATEMENTS, self._keys, self._new_id))
                finally:
                    connection.rollback()
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreUnavailable("the database could not be copied") from error

    def _serve(self, waiting: "queue.SimpleQueue[tuple[Job, str] | None]") -> None:
        connection: psycopg.Connection[Any] | None = None
        while (taken := waiting.get()) is not None:
            job, key = taken
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(self._url)
                    in_use.share_session(connection)
                    connection.prepare_threshold = 3
                self._transact(connection, job, key)
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseInUse) as error:  # cut, or disk full
                job.result, job.error = None, StoreUnavailable("the database could not take this work")
                job.error.__cause__ = error
                if connection is not None:
                    connection.close()
                connection = None
            except Exception as error:
                job.result, job.error = None, error
            resolve_all([job])
        if connection is not None:
            connection.close()

    def _transact(self, connection: "psycopg.Connection[Any]", job: Job, key: str) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                with connection.transaction():
                    cursor = connection.cursor()
                    if key:  # a first message has no row to lock
                        cursor.execute("SELECT pg_advisory_xact_lock(1, hashtext(%(key)s))", {"key": key})
                    tx = Tx(cursor, _STATEMENTS, self._keys, self._new_id)
                    job.result = job.work(tx)
                    audit.extend(tx)
                return
            except RERUN:
                if attempt == TRIES:
                    raise
