"""What `Store.run` and `Store.read` promise on either database."""

import asyncio
import sys
import threading
from datetime import datetime
from pathlib import Path
from subprocess import PIPE

import pytest
import sqlalchemy as sa

from storage import inbox, meta
from storage.crypto import Keys
from storage.database import Store, StoreUnavailable, Tx
from storage.opening import open_store


async def value(store: Store, name: str) -> str | None:
    return await store.read(lambda tx: meta.get(tx, name))


async def test_a_work_gives_what_it_returns_and_keeps_what_it_wrote(store: Store) -> None:
    def work(tx: Tx) -> str:
        meta.put(tx, "a", "1")
        return "done"
    assert await store.run(work) == "done"
    assert await value(store, "a") == "1"


async def test_a_work_that_fails_takes_back_all_of_its_own_and_nothing_of_others(store: Store) -> None:
    def good(name: str) -> asyncio.Future[None]:
        return asyncio.ensure_future(store.run(lambda tx: meta.put(tx, name, "1")))

    def bad(tx: Tx) -> None:
        meta.put(tx, "half", "1")
        raise ZeroDivisionError("of the work itself")

    outcomes = await asyncio.gather(good("a"), store.run(bad), good("b"), store.run(bad), good("c"),
                                    return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), ZeroDivisionError] * 2 + [type(None)]
    assert [await value(store, name) for name in ("a", "b", "c", "half")] == ["1", "1", "1", None]


async def test_a_rehearsal_sees_all_that_is_there_keeps_nothing_and_nobody_waits_for_it(
        store: Store, tmp_path: Path) -> None:
    await store.run(lambda tx: [meta.put(tx, name, "1") for name in ("a", "b")])
    half, go = threading.Event(), threading.Event()

    def work(tx: Tx) -> list[str | None]:
        meta.put(tx, "a", "2")
        half.set()
        assert go.wait(30)
        return [meta.get(tx, name) for name in ("a", "b")]

    files = sorted(tmp_path.iterdir())
    rehearsed = asyncio.create_task(asyncio.wait_for(store.rehearse(work), 30))
    assert await asyncio.to_thread(half.wait, 30)
    assert sorted(tmp_path.iterdir()) == files  # were it killed now, there would be no copy left
    async with asyncio.timeout(4):  # less than the writer of another process waits for a lock
        await store.run(lambda tx: [meta.put(tx, name, "3") for name in ("a", "b")])
    go.set()
    assert await rehearsed == ["2", "1"]
    assert [await value(store, name) for name in ("a", "b")] == ["3", "3"]


async def test_a_rehearsal_that_fails_says_how(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.rehearse(lambda tx: 1 / 0)


async def test_a_wrong_statement_is_the_fault_of_its_work_and_of_no_other(store: Store) -> None:
    outcomes = await asyncio.gather(
        store.run(lambda tx: meta.put(tx, "a", "1")), store.run(lambda tx: tx.run(sa.text("SELECT * FROM nowhere"))),
        store.run(lambda tx: meta.put(tx, "b", "1")), return_exceptions=True)
    assert [outcome is None for outcome in outcomes] == [True, False, True]
    assert not isinstance(outcomes[1], StoreUnavailable)
    assert [await value(store, name) for name in ("a", "b")] == ["1", "1"]


async def test_works_of_one_key_are_done_in_the_order_of_the_calls(store: Store) -> None:
    done: list[tuple[str, int]] = []

    def work(key: str, number: int) -> asyncio.Future[None]:
        def append(tx: Tx) -> None:
            tx.one(sa.text("SELECT 1"))
            done.append((key, number))
        return asyncio.ensure_future(store.run(append, key=key))

    keys = [f"chat{n}" for n in range(6)]
    await asyncio.gather(*(work(key, number) for number in range(30) for key in keys))
    for key in keys:
        assert [number for of, number in done if of == key] == list(range(30))


async def test_a_thousand_works_at_once_are_all_kept(store: Store, now: datetime) -> None:
    taken = await asyncio.gather(*(
        store.run(lambda tx, n=n: inbox.take(tx, "t", str(n % 500), b"", "", now), key=str(n % 7))
        for n in range(1000)))
    assert sum(taken) == 500


async def test_a_waiter_who_went_away_disturbs_nobody(store: Store) -> None:
    gone = asyncio.ensure_future(store.run(lambda tx: meta.put(tx, "a", "1")))
    gone.cancel()
    await store.run(lambda tx: meta.put(tx, "b", "1"))
    assert await value(store, "b") == "1"


async def test_closing_first_does_the_works_that_wait(url: str, keys: Keys) -> None:
    store = open_store(url, keys)
    waiting = [asyncio.ensure_future(store.run(lambda tx, n=n: meta.put(tx, f"n{n}", "1"))) for n in range(100)]
    await asyncio.to_thread(store.close)
    await asyncio.gather(*waiting)
    again = open_store(url, keys)
    assert await again.read(lambda tx: tx.one(sa.text("SELECT count(*) FROM meta"))) == (100,)
    again.close()


async def test_a_store_that_is_closed_takes_no_work(url: str, keys: Keys) -> None:
    store = open_store(url, keys)
    store.close()
    async with asyncio.timeout(5):
        with pytest.raises(StoreUnavailable):
            await store.run(lambda tx: None)


LOG_AND_TELL = """
import asyncio, sys
from storage import meta
from storage.crypto import Keys
from storage.opening import open_store
store = open_store(sys.argv[1], Keys({"k": bytes(32)}, "k", bytes(32), bytes(32)))
async def person(number):
    turn = 0
    while True:
        name = f"{number}-{turn}"
        await store.run(lambda tx: meta.put(tx, name, "kept"), key=str(number))
        print(name, flush=True)
        turn += 1
async def main():
    await asyncio.gather(*(person(number) for number in range(20)))
asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 60, 400])
async def test_every_work_acknowledged_before_a_kill_is_there_afterwards(
    url: str, keys: Keys, after: int
) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOG_AND_TELL, url, stdout=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(60):
        told = [(await process.stdout.readline()).decode() for _ in range(after)]
        process.kill()
        told += (await process.stdout.read()).decode().splitlines(keepends=True)
        await process.wait()
    acknowledged = {line.strip() for line in told if line.endswith("\n")}
    assert len(acknowledged) >= after

    store = open_store(url, keys)
    kept = {name for name, in await store.read(lambda tx: tx.all(sa.text("SELECT name FROM meta")))}
    assert acknowledged <= kept
    await store.run(lambda tx: meta.put(tx, "works", "again"))
    store.close()
