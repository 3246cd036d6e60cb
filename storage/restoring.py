"""A backup into the place of a database, whole or not at all: killed at any point, the old one stands, or the new one.

SQLite: a new file is filled beside the old one and renamed over it. PostgreSQL: everything is one transaction. The
tables are made as the backup has them, filled, and brought up to this release; then `finish` does what belongs to a
restore, still before anybody sees it.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Generic

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError

from storage import audit, backup_file, in_use, opening, snapshot
from storage.backup_file import About
from storage.crypto import Keys
from storage.database import Statements, T, Tx
from storage.sqlite import DriverError, is_busy, plain

SAYS = ("elders", "visits", "people", "areas")  # what tells that somebody has worked with a database
ERASED = "SELECT id FROM elders WHERE condition = 'erased'"
FIRST = "0001"  # the tables of which nobody could be erased from
KEPT = "-before-restore-"  # in the name of what was there
WAIT = "5s"  # for whoever else reads the tables of PostgreSQL


class RestoreRefused(Exception):
    """Nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class There:
    """What is in a database before: rows of a few tables (none: it is new), and who was erased there."""

    rows: Mapping[str, int]
    erased: frozenset[str]
    readable: bool = True

    @property
    def empty(self) -> bool:
        return self.readable and not any(self.rows.values())


@dataclass(frozen=True, slots=True)
class Restored(Generic[T]):
    """What `finish` gave, the head of the audit chain now, and where the SQLite file that was there is kept."""

    done: T
    head: audit.Head | None
    kept: Path | None


Allow = Callable[[There], None]  # raises RestoreRefused where what is there must not be replaced
Finish = Callable[[Tx, There], T]


def restore(url: str, file: BinaryIO, about: About, keys: Keys, now: datetime, allow: Allow, finish: "Finish[T]",
            ) -> "Restored[T]":
    """Puts a backup that was checked into this database. Raises RestoreRefused, and then all is as it was."""
    if about.revision not in opening.REVISIONS:
        raise RestoreRefused(f"it was made by a newer release (tables {about.revision}, here {opening.NEWEST}): "
                             "install that one first")
    path = opening.file_of(url)
    into = _Into(file, about, keys, finish)
    try:
        return _sqlite(path, into, now, allow) if path else Restored(*_postgres(url, into, allow), None)
    except in_use.DatabaseInUse as error:
        raise RestoreRefused(str(error)) from None
    except (OSError, DriverError, DBAPIError) as error:  # SQLAlchemy's, where a migration met it
        raise RestoreRefused(f"{path or 'the database'} cannot be written: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class _Into:
    """What is done in the one transaction, on either database."""

    file: BinaryIO
    about: About
    keys: Keys
    finish: Any

    def fill(self, connection: Connection, put: Callable[[Any, backup_file.Contents], None], there: There,
             ) -> tuple[Any, audit.Head | None]:
        opening.upgrade(connection, self.about.revision)
        cursor: Any = connection.connection.cursor()
        known = snapshot.tables_at(self.about.revision).tables
        for contents in backup_file.tables(self.file):
            if contents.table not in known or not set(contents.columns) <= set(known[contents.table].c.keys()):
                raise RestoreRefused(f"its table {contents.table} is not as that of revision {self.about.revision}")
            put(cursor, contents)
        opening.upgrade(connection, opening.NEWEST)
        dialect = connection.dialect.name
        statements = Statements(PGDialect_psycopg() if dialect == "postgresql"  # type: ignore[no-untyped-call]
                                else SQLiteDialect_pysqlite(paramstyle="named"))
        tx = Tx(cursor, statements, self.keys, opening.NEW_ID)
        done = self.finish(tx, there)
        audit.extend(tx)
        return done, audit.head(tx)


# SQLite

def _sqlite(path: Path, into: _Into, now: datetime, allow: Allow) -> "Restored[Any]":
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with in_use.alone(path):
        there = _there(path)
        allow(there)
        new = path.with_name(f"{path.name}-restoring")
        new.unlink(missing_ok=True)  # of one that was killed
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL, 0o600)
        in_use.for_its_user(descriptor, path)
        os.close(descriptor)
        try:
            with opening.altering("sqlite", lambda: _filling(new), "BEGIN IMMEDIATE") as connection:
                done, head = into.fill(connection, _insert, there)
            _sync(new)
            kept = _put_aside(path, now)
            os.replace(new, path)
            backup_file.sync_folder(path.parent)
        finally:
            new.unlink(missing_ok=True)
        return Restored(done, head, kept)


def _there(path: Path) -> There:
    """What is in the file now. Its journal is folded into it, which no other process may have it open for."""
    if not path.exists():
        return There({}, frozenset())
    try:
        with closing(plain(str(path), busy_seconds=1.0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()  # another program that has it open keeps it WAL
            return _counted(connection, opening.FIND_IN_SQLITE)
    except DriverError as error:
        if is_busy(error):
            raise in_use.DatabaseInUse(in_use.SERVED) from None
        return There({}, frozenset(), readable=False)  # spoilt, which may be why it is replaced


def _counted(connection: Any, find_version: str) -> There:
    version: str | None = "a newer release's, which has these tables as well"
    with suppress(opening.DatabaseRefused):
        version = opening.version(connection, find_version)
    if version is None:
        return There({}, frozenset())
    rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in SAYS}  # noqa: S608
    erased = connection.execute(ERASED).fetchall() if version != FIRST else ()
    return There(rows, frozenset(elder for elder, in erased))


def _filling(path: Path) -> Any:
    """A connection to a file that nobody else knows of: nothing is synced before its end."""
    connection = plain(str(path))
    for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-64000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _insert(cursor: Any, contents: backup_file.Contents) -> None:
    places = ", ".join("?" * len(contents.columns))
    cursor.executemany(f'INSERT INTO "{contents.table}" ({snapshot.quoted(contents.columns)}) '  # noqa: S608 (names)
                       f"VALUES ({places})", contents.rows)


def _put_aside(path: Path, now: datetime) -> Path | None:
    """Gives the old file a second name, so that at no moment there is none under its own; None where there is none.

    A journal that lies about would be taken for the new one's, and goes with it: one that could be read has none.
    """
    kept = path.with_name(f"{path.stem}{KEPT}{now:%Y%m%d-%H%M%S}{path.suffix}")
    there = path.exists() and path.stat().st_size > 0
    if there:
        for other in path.parent.glob(f"{path.stem}{KEPT}*{path.suffix}"):
            if other.samefile(path):  # of a restore that was killed here
                other.unlink()
        try:
            os.link(path, kept)
        except OSError:  # a file system that has no hard links
            shutil.copyfile(path, kept)
            kept.chmod(0o600)
            _sync(kept)
    for more in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(path.with_name(path.name + more), kept.with_name(kept.name + more))
    return kept if there else None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# PostgreSQL

def _postgres(url: str, into: _Into, allow: Allow) -> tuple[Any, audit.Head | None]:
    import psycopg

    try:
        with in_use.alone_session(url), opening.altering(
                "postgresql", lambda: psycopg.connect(url), f"SET LOCAL lock_timeout = '{WAIT}'") as connection:
            raw: Any = connection.connection.dbapi_connection
            there = _counted(raw, opening.FIND_IN_POSTGRES)
            allow(there)
            if version := opening.version(raw, opening.FIND_IN_POSTGRES):
                names = [*snapshot.tables_at(version).tables, "alembic_version"]
                raw.execute(f"DROP TABLE {snapshot.quoted(names)}")
            return into.fill(connection, _copy, there)
    except psycopg.errors.LockNotAvailable:
        raise RestoreRefused("somebody else reads its tables: close what else is connected to the database") from None
    except psycopg.OperationalError as error:
        raise RestoreRefused(f"PostgreSQL cannot be used: {error}") from error
    except psycopg.Error as error:  # its text may have values in it
        raise RestoreRefused(f"PostgreSQL did not take it: {type(error).__name__}") from error


def _copy(cursor: Any, contents: backup_file.Contents) -> None:
    with cursor.copy(f'COPY "{contents.table}" ({snapshot.quoted(contents.columns)}) FROM STDIN') as copy:
        for row in contents.rows:
            copy.write_row(row)
