"""SQLite: many works share one commit, and a commit that fails acknowledges none of them."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import meta
from storage.crypto import Keys
from storage.database import Store, StoreUnavailable, Tx
from storage.ids import uuid7
from storage.opening import open_store
from storage.sqlite import BATCH, PATIENT, SqliteStore, connect

NO_SUCH_AREA = sa.text("INSERT INTO areas (id, parent_id, level, name, path) VALUES ('a', 'none', 'group', 'x', 'x')")


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


class Held:
    """Keeps the writer in one work, so that others queue up behind it; the statements it runs are noted."""

    def __init__(self, store: Store) -> None:
        assert isinstance(store, SqliteStore)
        self.statements: list[str] = []
        self._store = store
        self._started, self._go = threading.Event(), threading.Event()

    async def __aenter__(self) -> "Held":
        def wait(tx: Tx) -> None:
            self._started.set()
            assert self._go.wait(10)
        self._first = self._store.run(wait)
        assert await asyncio.to_thread(self._started.wait, 10)
        self._store._connection.set_trace_callback(self.statements.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._go.set()
        await self._first


async def value(store: Store, name: str) -> str | None:
    return await store.read(lambda tx: meta.get(tx, name))


async def test_works_that_wait_together_are_kept_by_one_commit(sqlite_store: Store) -> None:
    async with Held(sqlite_store) as held:
        works = [sqlite_store.run(lambda tx, n=n: meta.put(tx, f"n{n}", "1")) for n in range(BATCH)]
    await asyncio.gather(*works)
    assert held.statements.count("COMMIT") == 2  # the held one's, then one for all


async def test_patient_works_let_others_go_first_and_have_their_turn_all_the_same(sqlite_store: Store) -> None:
    done: list[str] = []
    async with Held(sqlite_store):
        works = [sqlite_store.run(lambda tx, n=n: done.append(f"patient {n}"), patient=True)
                 for n in range(2 * PATIENT + 1)]
        works += [sqlite_store.run(lambda tx, n=n: done.append(f"{n}")) for n in range(2 * BATCH)]
    await asyncio.gather(*works)
    first, second = ([*map(str, range(n * BATCH, (n + 1) * BATCH)),
                      *(f"patient {k}" for k in range(n * PATIENT, (n + 1) * PATIENT))] for n in (0, 1))
    assert done == [*first, *second, f"patient {2 * PATIENT}"]  # so many with each commit


async def test_a_store_that_closes_does_the_patient_works_too(sqlite_store: Store) -> None:
    works = [sqlite_store.run(lambda tx, n=n: meta.put(tx, f"n{n}", "1"), patient=True) for n in range(3 * PATIENT)]
    sqlite_store.close()
    assert await asyncio.gather(*works) == [None] * len(works)


async def test_a_commit_that_fails_acknowledges_nobody_and_keeps_nothing(sqlite_store: Store) -> None:
    def fails_at_commit(tx: Tx) -> None:
        tx.run(sa.text("PRAGMA defer_foreign_keys = ON"))
        tx.run(NO_SUCH_AREA)

    async with Held(sqlite_store):
        works = [sqlite_store.run(lambda tx: meta.put(tx, "before", "1")), sqlite_store.run(fails_at_commit),
                 sqlite_store.run(lambda tx: meta.put(tx, "after", "1"))]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert [await value(sqlite_store, name) for name in ("before", "after")] == [None, None]
    await sqlite_store.run(lambda tx: meta.put(tx, "later", "1"))
    assert await value(sqlite_store, "later") == "1"


async def test_a_work_that_points_to_a_row_that_is_not_there_fails_alone(sqlite_store: Store) -> None:
    outcomes = await asyncio.gather(sqlite_store.run(lambda tx: tx.run(NO_SUCH_AREA)),
                                    sqlite_store.run(lambda tx: meta.put(tx, "a", "1")), return_exceptions=True)
    assert not isinstance(outcomes[0], StoreUnavailable) and isinstance(outcomes[0], Exception)
    assert await value(sqlite_store, "a") == "1"


async def fill_up(store: Store) -> None:
    """Writes until the disk takes no more, then checks that the work it refused left nothing."""
    for n in range(500):
        def work(tx: Tx, n: int = n) -> None:
            meta.put(tx, f"first-of-{n}", "small")
            meta.put(tx, f"second-of-{n}", "x" * 50_000)
        try:
            await store.run(work)
        except StoreUnavailable:
            assert await value(store, f"first-of-{n}") is None
            assert await value(store, f"second-of-{n}") is None
            assert n == 0 or len(await value(store, f"second-of-{n - 1}") or "") == 50_000
            return
    raise AssertionError("the disk never filled up")


async def test_a_full_database_refuses_the_work_whole_and_goes_on_when_there_is_room(sqlite_store: Store) -> None:
    await sqlite_store.run(lambda tx: tx.all(sa.text("PRAGMA max_page_count = 200")))
    await fill_up(sqlite_store)
    await sqlite_store.run(lambda tx: tx.all(sa.text("PRAGMA max_page_count = 100000")))
    await sqlite_store.run(lambda tx: meta.put(tx, "later", "x" * 50_000))
    assert await value(sqlite_store, "later")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


async def test_a_full_disk_refuses_the_work_whole_and_goes_on_when_there_is_room(
    small_disk: Path, keys: Keys
) -> None:
    (small_disk / "ballast").write_bytes(bytes(400_000))
    store = open_store(f"sqlite:///{small_disk / 'tanfang.db'}", keys)
    try:
        await fill_up(store)
        (small_disk / "ballast").unlink()
        await store.run(lambda tx: meta.put(tx, "later", "1"))
        assert await value(store, "later") == "1"
    finally:
        store.close()
    with closing(connect(small_disk / "tanfang.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_database_locked_by_another_takes_no_work_but_is_read_and_goes_on_when_freed(
    sqlite_store: Store, path: Path, keys: Keys
) -> None:
    await sqlite_store.run(lambda tx: meta.put(tx, "before", "1"))
    impatient = SqliteStore(path, keys, uuid7(), busy_seconds=0.01)
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await impatient.run(lambda tx: meta.put(tx, "meanwhile", "1"))
        assert await value(impatient, "before") == "1"
        other.execute("ROLLBACK")
    await impatient.run(lambda tx: meta.put(tx, "after", "1"))
    assert [await value(impatient, name) for name in ("meanwhile", "after")] == [None, "1"]
    impatient.close()


async def test_a_work_that_hides_an_error_of_the_disk_is_not_acknowledged(sqlite_store: Store) -> None:
    def careless(tx: Tx) -> None:
        meta.put(tx, "a", "1")
        tx.run(sa.text("ROLLBACK"))  # what SQLite itself does where the disk is full
        raise ValueError("instead of the error of the disk")

    async with Held(sqlite_store):
        works = [sqlite_store.run(lambda tx: meta.put(tx, "before", "1")), sqlite_store.run(careless)]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert await value(sqlite_store, "before") is None


async def test_what_is_read_is_never_written(sqlite_store: Store) -> None:
    with suppress(Exception):
        await sqlite_store.read(lambda tx: meta.put(tx, "a", "1"))
    assert await value(sqlite_store, "a") is None


async def test_a_read_does_not_wait_for_the_writer(sqlite_store: Store) -> None:
    async with Held(sqlite_store), asyncio.timeout(5):
        assert await value(sqlite_store, "a") is None
