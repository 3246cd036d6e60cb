"""All rows of a database as they stand at one moment, read beside whoever writes, row by row."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, MetaData, Table

from storage import in_use, opening
from storage.backup_file import Contents
from storage.database import Row
from storage.opening import DatabaseRefused
from storage.sqlite import ENGINE, DriverError, connect, plain
from storage.tables import metadata

HEAD = "SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stands in a database: `tables` may be read once, in their order; what refers comes after what it refers to.
    """

    engine: str
    revision: str
    head: tuple[int, str] | None
    tables: Iterator[Contents]


@contextmanager
def of(url: str) -> Iterator[Snapshot]:
    """The database at this URL, whatever release its tables are of; nothing is changed there. Raises DatabaseRefused.
    """
    path = opening.file_of(url)
    try:
        with (_sqlite(path) if path else _postgres(url)) as found:
            yield found
    except in_use.DatabaseInUse as error:
        raise DatabaseRefused(f"{opening.SETTING}: {error}") from None


def tables_at(revision: str) -> MetaData:
    """The tables that a release with this revision has."""
    if revision == opening.NEWEST:
        return metadata
    found = MetaData()
    with opening.altering("sqlite", lambda: plain(":memory:"), "BEGIN") as connection:
        opening.upgrade(connection, revision)
        found.reflect(connection)
    found.remove(found.tables["alembic_version"])
    return found


def quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@contextmanager
def _sqlite(path: Path) -> Iterator[Snapshot]:
    if not path.exists():
        raise DatabaseRefused(f"{opening.SETTING}: there is no database {path}")
    held = in_use.share(path)
    try:
        with closing(connect(path, read_only=True)) as connection:
            connection.execute("BEGIN")

            def rows(table: Table, columns: list[str]) -> Iterator[Row]:
                yield from connection.execute(f'SELECT {quoted(columns)} FROM "{table.name}"')  # noqa: S608 (names)

            yield _snapshot(connection, ENGINE, opening.FIND_IN_SQLITE, rows)
    except DriverError as error:
        raise DatabaseRefused(f"{opening.SETTING}: {path} cannot be read: {error}") from error
    finally:
        os.close(held)


@contextmanager
def _postgres(url: str) -> Iterator[Snapshot]:
    import psycopg

    try:
        with closing(psycopg.connect(url)) as connection:
            in_use.share_session(connection)
            connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True

            def rows(table: Table, columns: list[str]) -> Iterator[Row]:
                kinds = [_kind(table.c[name].type) for name in columns]
                with connection.cursor().copy(f'COPY "{table.name}" ({quoted(columns)}) TO STDOUT') as copy:
                    copy.set_types(kinds)
                    yield from copy.rows()

            engine = f"PostgreSQL {connection.info.server_version // 10000}"
            yield _snapshot(connection, engine, opening.FIND_IN_POSTGRES, rows)
    except psycopg.Error as error:
        raise DatabaseRefused(f"{opening.SETTING}: PostgreSQL cannot be read: {error}") from error


def _snapshot(connection: Any, engine: str, find_version: str, rows: Any) -> Snapshot:
    revision = opening.version(connection, find_version)
    if revision is None:
        raise DatabaseRefused(f"{opening.SETTING}: there is nothing in this database yet")

    def contents() -> Iterator[Contents]:
        for table in tables_at(revision).sorted_tables:
            columns = [str(column.name) for column in table.c]  # SQLAlchemy's own kind of text is none for JSON
            sealed = [place for place, column in enumerate(table.c) if isinstance(column.type, LargeBinary)]
            yield Contents(str(table.name), columns, sealed, rows(table, columns))

    return Snapshot(engine, revision, connection.execute(HEAD).fetchone(), contents())


def _kind(of_type: Any) -> str:
    """How PostgreSQL calls a column's type."""
    if isinstance(of_type, LargeBinary):
        return "bytea"
    return "int8" if isinstance(of_type, BigInteger | Integer) else "text"
