"""Opens the database that the settings name, its tables brought to what this code expects.

What a start does not need is imported late: Alembic, since a database that is already there is only
asked for its version, and PostgreSQL's driver, where SQLite is used.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import in_use
from storage.crypto import Keys
from storage.database import Store
from storage.ids import NewId, uuid7
from storage.in_use import DatabaseInUse
from storage.sqlite import DriverError, SqliteStore, connect

if TYPE_CHECKING:
    from sqlalchemy import Connection

SETTING = "TANFANG_DATABASE_URL"
MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = frozenset(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
NEWEST = max(REVISIONS)
NEW_ID = uuid7()
FIND_IN_SQLITE = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
FIND_IN_POSTGRES = "SELECT to_regclass('alembic_version')"


class DatabaseRefused(Exception):
    """The database cannot be opened; the text is for the operator and holds no password."""


def open_store(url: str, keys: Keys, new_id: NewId = NEW_ID) -> Store:
    """The store at `sqlite:////folder/file.db` or `postgresql://…`, migrated. Raises DatabaseRefused."""
    path = file_of(url)
    try:
        return _open_postgres(url, keys, new_id) if path is None else _open_sqlite(path, keys, new_id)
    except DatabaseInUse as error:
        raise DatabaseRefused(f"{SETTING}: {error}") from None


def file_of(url: str) -> Path | None:
    """The file of a SQLite database, None for PostgreSQL. Raises DatabaseRefused for what is neither."""
    if re.match(r"postgres(ql)?://", url):
        return None
    path = url.removeprefix("sqlite:///")
    if path == url or path in ("", ":memory:"):
        raise DatabaseRefused(f"{SETTING} must be sqlite:////folder/file.db or postgresql://user@host/database")
    return Path(path)


def _open_sqlite(path: Path, keys: Keys, new_id: NewId) -> Store:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = in_use.share(path)
    except OSError as error:
        raise DatabaseRefused(f"{SETTING}: {path} cannot be opened: {error}") from error
    try:
        path.touch(mode=0o600)  # names are in it, and the folder may be open to others; -wal and -shm take this mode
        with closing(connect(path)) as connection:
            if version(connection, FIND_IN_SQLITE) != NEWEST:
                _migrate("sqlite", lambda: connect(path), "BEGIN IMMEDIATE")
        return SqliteStore(path, keys, new_id)
    except (OSError, DriverError) as error:
        raise DatabaseRefused(f"{SETTING}: {path} cannot be opened: {error}") from error
    finally:
        os.close(held)


def _open_postgres(url: str, keys: Keys, new_id: NewId) -> Store:
    import psycopg

    from storage.postgres import PostgresStore

    try:
        with psycopg.connect(url) as connection:
            in_use.share_session(connection)
            if version(connection, FIND_IN_POSTGRES) != NEWEST:
                connection.commit()
                _migrate("postgresql", lambda: psycopg.connect(url), "SELECT pg_advisory_xact_lock(3, 0)")
        return PostgresStore(url, keys, new_id)
    except psycopg.Error as error:
        raise DatabaseRefused(f"{SETTING}: PostgreSQL cannot be used: {error}") from error


def version(connection: Any, find_table: str) -> str | None:
    """The version of the tables, None where there are none. Raises DatabaseRefused for a newer one."""
    if not any(connection.execute(find_table).fetchone() or ()):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row and row[0] not in REVISIONS:
        raise DatabaseRefused(
            f"{SETTING}: the database is at version {row[0]}, this program knows none after {NEWEST}. "
            "It was written by a newer release: install that one, or restore a backup")
    return row[0] if row else None


def _migrate(dialect: str, creator: Callable[[], Any], lock: str) -> None:
    """Brings the tables up under a lock: of several that start at once, one does the work."""
    with altering(dialect, creator, lock) as connection:
        upgrade(connection, NEWEST)


@contextmanager
def altering(dialect: str, creator: Callable[[], Any], begin: str) -> Iterator["Connection"]:
    """One transaction, begun with this statement, in which tables may be changed (`upgrade`) and filled."""
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine(f"{dialect}+{'psycopg' if dialect == 'postgresql' else 'pysqlite'}://",
                           creator=creator, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def upgrade(connection: "Connection", revision: str) -> None:
    """Brings the tables up to a revision; nothing where they are there."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
