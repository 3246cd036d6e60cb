"""Opens the database that the settings name, its tables brought to what this code expects.

What a start does not need is imported late: Alembic, since a database that is already there is only
asked for its version, and PostgreSQL's driver, where SQLite is used.
"""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from storage.crypto import Keys
from storage.database import Store
from storage.ids import NewId, uuid7
from storage.sqlite import DriverError, SqliteStore, connect

SETTING = "TANFANG_DATABASE_URL"
MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = frozenset(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
NEWEST = max(REVISIONS)
NEW_ID = uuid7()


class DatabaseRefused(Exception):
    """The database cannot be opened; the text is for the operator and holds no password."""


def open_store(url: str, keys: Keys, new_id: NewId = NEW_ID) -> Store:
    """The store at `sqlite:////folder/file.db` or `postgresql://…`, migrated. Raises DatabaseRefused."""
    if re.match(r"postgres(ql)?://", url):
        return _open_postgres(url, keys, new_id)
    path = url.removeprefix("sqlite:///")
    if path == url or path in ("", ":memory:"):
        raise DatabaseRefused(f"{SETTING} must be sqlite:////folder/file.db or postgresql://user@host/database")
    return _open_sqlite(Path(path), keys, new_id)


def _open_sqlite(path: Path, keys: Keys, new_id: NewId) -> Store:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)  # names are in it, and the folder may be open to others; -wal and -shm take this mode
        with closing(connect(path)) as connection:
            if _version(connection, "SELECT name FROM sqlite_master WHERE name = 'alembic_version'") != NEWEST:
                _migrate("sqlite", lambda: connect(path), "BEGIN IMMEDIATE")
        return SqliteStore(path, keys, new_id)
    except (OSError, DriverError) as error:
        raise DatabaseRefused(f"{SETTING}: {path} cannot be opened: {error}") from error


def _open_postgres(url: str, keys: Keys, new_id: NewId) -> Store:
    import psycopg

    from storage.postgres import PostgresStore

    try:
        with psycopg.connect(url) as connection:
            version = _version(connection, "SELECT to_regclass('alembic_version')")
        if version != NEWEST:
            _migrate("postgresql", lambda: psycopg.connect(url), "SELECT pg_advisory_xact_lock(3, 0)")
        return PostgresStore(url, keys, new_id)
    except psycopg.Error as error:
        raise DatabaseRefused(f"{SETTING}: PostgreSQL cannot be used: {error}") from error


def _version(connection: Any, find_table: str) -> str | None:
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
    """Brings the tables up in one transaction under a lock: of several that start at once, one does the work."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine(f"{dialect}+{'psycopg' if dialect == 'postgresql' else 'pysqlite'}://",
                           creator=creator, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(lock))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, NEWEST)
    engine.dispose()
