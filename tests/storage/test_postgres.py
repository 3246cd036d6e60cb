"""PostgreSQL: what goes wrong between here and the server, and comes right again."""

import asyncio
import threading

import psycopg
import pytest
import sqlalchemy as sa

from storage import meta
from storage.crypto import Keys
from storage.database import Store, StoreUnavailable, Tx
from storage.opening import open_store

ADD_ONE = sa.text("UPDATE meta SET value = cast(cast(value AS integer) + 1 AS text) WHERE name = :name")

OTHERS_WAIT = sa.text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


async def value(store: Store, name: str) -> str | None:
    return await store.read(lambda tx: meta.get(tx, name))


async def test_a_connection_cut_in_the_middle_of_a_work_keeps_nothing_of_it(postgres_store: Store) -> None:
    def work(tx: Tx) -> None:
        meta.put(tx, "half", "1")
        tx.run(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreUnavailable):
        await postgres_store.run(work, key="chat")
    await postgres_store.run(lambda tx: meta.put(tx, "whole", "1"), key="chat")
    assert [await value(postgres_store, name) for name in ("half", "whole")] == [None, "1"]


async def test_connections_cut_while_idle_cost_one_work_each_at_most(postgres_store: Store, postgres_url: str) -> None:
    await asyncio.gather(*(postgres_store.run(lambda tx: meta.put(tx, "a", "1"), key=str(n)) for n in range(40)))
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                      "WHERE datname = current_database() AND pid <> pg_backend_pid()")
    for key in range(40):
        try:
            await postgres_store.run(lambda tx, key=key: meta.put(tx, f"n{key}", "1"), key=str(key))
        except StoreUnavailable:
            assert await again(postgres_store, f"n{key}") is None
            await postgres_store.run(lambda tx, key=key: meta.put(tx, f"n{key}", "1"), key=str(key))
        assert await again(postgres_store, f"n{key}") == "1"


async def test_patient_works_keep_no_connection_from_those_that_are_not(postgres_store: Store) -> None:
    go = threading.Event()
    patient = [postgres_store.run(lambda tx: go.wait(30), patient=True) for _ in range(20)]
    async with asyncio.timeout(30):
        await asyncio.gather(*(postgres_store.run(lambda tx: meta.put(tx, "a", "1"), key=str(n)) for n in range(40)),
                             *(postgres_store.read(lambda tx: meta.get(tx, "a")) for _ in range(40)))
    go.set()
    assert await asyncio.gather(*patient) == [True] * 20


async def again(store: Store, name: str) -> str | None:
    """Reads, on whichever connection; one that was cut answers at the second try."""
    for _ in range(9):
        try:
            return await value(store, name)
        except StoreUnavailable:
            continue
    raise AssertionError("no connection came back")


async def test_two_works_that_wait_for_each_other_are_both_done_once(postgres_store: Store) -> None:
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def work(first: str, second: str) -> asyncio.Future[None]:
        def cross(tx: Tx) -> None:
            tries.append(first)
            tx.run(sa.text("SET LOCAL deadlock_timeout = '10ms'"))
            tx.run(ADD_ONE, name=first)
            if tries.count(first) == 1:
                both_hold_one.wait(10)
            tx.run(ADD_ONE, name=second)
        return asyncio.ensure_future(postgres_store.run(cross))

    for name in ("a", "b"):
        await postgres_store.run(lambda tx, name=name: meta.put(tx, name, "0"))
    await asyncio.gather(work("a", "b"), work("b", "a"))
    assert len(tries) > 2
    assert [await value(postgres_store, name) for name in ("a", "b")] == ["2", "2"]


async def test_works_of_one_key_on_two_stores_do_not_overlap(
    postgres_store: Store, postgres_url: str, keys: Keys
) -> None:
    second = open_store(postgres_url, keys)

    def first_message(tx: Tx) -> bool:
        """Writes where nothing is there yet: right only where nobody else does the same meanwhile."""
        if meta.get(tx, "met") is not None:
            return False
        for _ in range(5_000):
            if tx.one(OTHERS_WAIT):
                break
        tx.run(sa.text("INSERT INTO meta (name, value) VALUES ('met', '1')"))
        return True

    outcomes = await asyncio.gather(*(store.run(first_message, key="chat")
                                      for _ in range(3) for store in (postgres_store, second)))
    second.close()
    assert sorted(outcomes) == [False] * 5 + [True]


async def test_a_server_that_refuses_connections_is_unavailable_until_it_takes_them(
    postgres_store: Store, postgres_url: str, postgres_server: str
) -> None:
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgres_server, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        with pytest.raises(StoreUnavailable):
            await postgres_store.run(lambda tx: meta.put(tx, "meanwhile", "1"), key="chat")
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await postgres_store.run(lambda tx: meta.put(tx, "after", "1"), key="chat")
    assert [await value(postgres_store, name) for name in ("meanwhile", "after")] == [None, "1"]
