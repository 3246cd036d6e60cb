"""The database is there, and right, after every start."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from storage import audit, meta, opening
from storage.crypto import Keys
from storage.opening import DatabaseRefused, open_store
from storage.sqlite import connect, driver
from storage.tables import metadata
from tests.conftest import database, run_on

# what compare_metadata does not look at: collations, conditions of indexes, keys
POSTGRES_SHAPE = """
    SELECT table_name || ' ' || column_name, data_type || is_nullable || coalesce(collation_name, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
              WHERE connamespace = 'public'::regnamespace"""

# a column that was added later stands after a table's constraints, so the text of CREATE TABLE is no measure
SQLITE_SHAPE = """
    SELECT m.name || ' ' || c.name, c.type || c."notnull" || c.pk FROM sqlite_master m, pragma_table_info(m.name) c
    WHERE m.type = 'table'
    UNION ALL SELECT m.name || ' -> ' || f."from", f."table" || f."to"
              FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
    UNION ALL SELECT m.name || ' unique ' || group_concat(k.name), i.origin || i."unique"
              FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) k
              WHERE m.type = 'table' AND i.origin <> 'c' GROUP BY m.name, i.name
    UNION ALL SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    UNION ALL SELECT name, CASE WHEN sql LIKE '%WITHOUT ROWID%' THEN 'without rowid' ELSE 'rowid' END
              FROM sqlite_master WHERE type = 'table'"""


@pytest.fixture
def empty_postgres(postgres_server: str, request: pytest.FixtureRequest) -> Any:
    name = f"tanfang_empty_{abs(hash(request.node.nodeid))}"
    run_on(postgres_server, f"CREATE DATABASE {name}")
    yield database(postgres_server, name)
    run_on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def no_file(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tanfang.db'}"


@pytest.fixture(params=["no_file", "empty_postgres"])
def new_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without a single table."""
    return str(request.getfixturevalue(request.param))


def engine_of(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def shape(url: str) -> set[tuple[str, str]]:
    """Every table, column, index and constraint by name, with its definition."""
    if url.startswith("sqlite"):
        with closing(connect(Path(url.removeprefix("sqlite:///")))) as connection:
            rows = connection.execute(SQLITE_SHAPE).fetchall()
    else:
        with psycopg.connect(url) as connection:
            rows = connection.execute(POSTGRES_SHAPE).fetchall()
    return {(name, " ".join(sql.split())) for name, sql in rows if "alembic_version" not in name}


def test_the_migrations_make_the_tables_that_the_code_declares(
    new_url: str, keys: Keys, tmp_path: Path, postgres_server: str
) -> None:
    open_store(new_url, keys).close()
    engine = engine_of(new_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrated = shape(new_url)

    if new_url.startswith("sqlite"):
        declared_url = f"sqlite:///{tmp_path / 'declared.db'}"
    else:
        run_on(new_url, "DROP SCHEMA public CASCADE")
        run_on(new_url, "CREATE SCHEMA public")
        declared_url = new_url
    declared_engine = engine_of(declared_url)
    metadata.create_all(declared_engine)
    assert migrated == shape(declared_url)
    engine.dispose()
    declared_engine.dispose()


async def test_opening_again_keeps_what_is_there_and_does_not_load_alembic(new_url: str, keys: Keys) -> None:
    store = open_store(new_url, keys)
    await store.run(lambda tx: meta.put(tx, "a", "1"))
    store.close()

    program = """
import sys, asyncio
from pathlib import Path
from storage.crypto import Keys
from storage.opening import open_store
from storage import meta
store = open_store(sys.argv[1], Keys({"k": bytes(32)}, "k", bytes(32), bytes(32)))
async def value(): return await store.read(lambda tx: meta.get(tx, "a"))
print(asyncio.run(value()), "alembic" in sys.modules, "psycopg" in sys.modules)
store.close()
"""
    out, _ = await (await start(program, new_url)).communicate()
    assert out.decode().split() == ["1", "False", str(new_url.startswith("postgres"))]


OPEN = """
import sys
from storage.crypto import Keys
from storage.opening import open_store
print("ready", flush=True)
sys.stdin.readline()
open_store(sys.argv[1], Keys({"k": bytes(32)}, "k", bytes(32), bytes(32))).close()
print("open", flush=True)
"""
STOP_AT_THE_FIFTH_TABLE = """
import sys
from alembic import op
create, made = op.create_table, []
def stop(*args, **options):
    if len(made) == 5:
        print("half", flush=True)
        sys.stdin.readline()
    made.append(create(*args, **options))
op.create_table = stop
"""


async def start(program: str, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, url, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().strip()


async def test_three_processes_that_start_at_once_all_open_one_new_database(new_url: str) -> None:
    processes = [await start(OPEN, new_url) for _ in range(3)]
    assert [await line(process) for process in processes] == ["ready"] * 3
    outputs = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [out for out, _ in outputs] == [b"open\n"] * 3
    assert any(name.startswith("elders ") or name == "elders" for name, _ in shape(new_url))


async def test_a_migration_killed_in_the_middle_leaves_nothing_and_the_next_start_ends_it(
    new_url: str, keys: Keys
) -> None:
    process = await start(STOP_AT_THE_FIFTH_TABLE + OPEN, new_url)
    assert await line(process) == "ready"
    assert process.stdin is not None
    process.stdin.write(b"\n")
    assert await line(process) == "half"
    process.kill()
    await process.wait()
    assert shape(new_url) == set()

    open_store(new_url, keys).close()
    engine = engine_of(new_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


async def test_lines_of_the_audit_chain_from_before_are_found_by_whom_they_speak_of(
    new_url: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "NEWEST", "0001")
    open_store(new_url, keys).close()
    engine = engine_of(new_url)
    with engine.begin() as connection:
        for seq in range(1, 2003):
            entries = f'[["p1","elder.read","e{seq % 2}",[]],["p1","elder.open","e{seq % 2}",[]]]'
            connection.execute(sa.text("INSERT INTO audit VALUES (:seq, 0, :entries, '')"), {
                "seq": seq, "entries": entries})
    engine.dispose()
    monkeypatch.undo()
    store = open_store(new_url, keys)
    found = await store.read(lambda tx: audit.about(tx, "e1", 2000))
    assert [line.seq for line in found] == list(range(2001, 0, -2))
    store.close()


async def test_a_database_of_a_newer_release_is_refused_and_left_alone(new_url: str, keys: Keys) -> None:
    store = open_store(new_url, keys)
    await store.run(lambda tx: tx.run(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    store.close()
    with pytest.raises(DatabaseRefused, match=r"TANFANG_DATABASE_URL.* version 9999, .* newer release"):
        open_store(new_url, keys)


@pytest.mark.parametrize("url", ["", "tanfang.db", "mysql://host/db", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_url_of_no_known_kind_is_refused_with_the_two_that_are(url: str, keys: Keys) -> None:
    with pytest.raises(DatabaseRefused, match=r"TANFANG_DATABASE_URL must be sqlite:////.* or postgresql://"):
        open_store(url, keys)


def test_a_server_that_does_not_answer_is_named_without_the_password(keys: Keys) -> None:
    with pytest.raises(DatabaseRefused, match="TANFANG_DATABASE_URL: PostgreSQL cannot be used") as refused:
        open_store("postgresql://someone:secret-word@127.0.0.1:1/db", keys)
    assert "secret-word" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, keys: Keys) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"no database at all, but a text that somebody wrote" * 100)
    before = file.read_bytes()
    with pytest.raises(DatabaseRefused, match=r"TANFANG_DATABASE_URL: .*notes\.db cannot be opened"):
        open_store(f"sqlite:///{file}", keys)
    assert file.read_bytes() == before


def test_a_folder_that_is_made_for_the_database_is_open_to_nobody_else(tmp_path: Path, keys: Keys) -> None:
    open_store(f"sqlite:///{tmp_path / 'new' / 'tanfang.db'}", keys).close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_nobody_else_can_read_the_database_whatever_its_folder(tmp_path: Path, keys: Keys) -> None:
    tmp_path.chmod(0o755)
    store = open_store(f"sqlite:///{tmp_path / 'tanfang.db'}", keys)
    files = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.glob("tanfang.db*")}
    store.close()
    assert "tanfang.db-wal" in files
    assert set(files.values()) == {"0o600"}


def test_every_migration_file_is_known_by_its_number() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(opening.MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert {revision.revision for revision in script.walk_revisions()} == opening.REVISIONS
    assert script.get_current_head() == opening.NEWEST


def test_the_sqlite_in_use_is_one_without_the_wal_reset_bug() -> None:
    assert driver.sqlite_version_info >= (3, 51, 3)
