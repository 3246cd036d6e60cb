"""The audit chain: whatever is changed afterwards shows."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from storage import audit, meta
from storage.audit import Verdict
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.opening import open_store


class Kept(NamedTuple):
    seq: int
    mac: str
    kept_at: datetime = datetime(2026, 3, 2, tzinfo=UTC)


async def write(store: Store, now: datetime, count: int, first: int = 0) -> None:
    def noted(number: int) -> None:
        def work(tx: Tx) -> None:
            meta.put(tx, f"n{number}", "x")
            tx.note(now, "p1", "elder.read", f"e{number}", ["phone"])
        works.append(work)

    works: list[object] = []
    for number in range(first, first + count):
        noted(number)
    await asyncio.gather(*(store.run(work) for work in works))  # type: ignore[arg-type]


async def verdict(store: Store, known_heads: dict[int, str] | None = None) -> Verdict:
    known = [Kept(seq, mac) for seq, mac in (known_heads or {}).items()]
    return await store.read(lambda tx: audit.verify(tx, known))


async def test_works_done_at_once_by_two_stores_make_one_chain_without_forks(
    store: Store, url: str, keys: Keys, now: datetime
) -> None:
    second = open_store(url, keys)
    await asyncio.gather(write(store, now, 100), write(second, now, 100, first=100))
    second.close()
    whole = await verdict(store)
    assert (whole.lines, whole.broken_at) == (200, None)


async def test_a_chain_without_a_line_is_whole(store: Store) -> None:
    assert await verdict(store) == Verdict(0, audit.FIRST_MAC, None)


async def test_a_work_that_fails_leaves_no_line(store: Store, now: datetime) -> None:
    def work(tx: Tx) -> None:
        tx.note(now, "p1", "elder.read", "e1")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        await store.run(work)
    assert (await verdict(store)).lines == 0


@pytest.mark.parametrize(("change", "broken_at"), [
    ("UPDATE audit SET entries = replace(entries, 'e2', 'e9')", 3),
    ("UPDATE audit SET at = at + 1 WHERE seq = 4", 4),
    ("DELETE FROM audit WHERE seq = 2", 2),
    ("DELETE FROM audit WHERE seq = 1", 1),
    ("UPDATE audit SET mac = (SELECT a.mac FROM audit a WHERE a.seq = 1) WHERE seq = 2", 2),
])
async def test_a_line_that_was_changed_or_taken_away_is_found(
    store: Store, now: datetime, change: str, broken_at: int
) -> None:
    for number in range(5):
        await write(store, now, 1, first=number)
    assert (await verdict(store)).broken_at is None
    await store.run(lambda tx: tx.run(sa.text(change)))
    assert (await verdict(store)).broken_at == broken_at


async def test_a_cut_tail_shows_to_who_knows_the_head(store: Store, now: datetime) -> None:
    await write(store, now, 5)
    whole = await verdict(store)
    head = {whole.lines: whole.head}
    assert (await verdict(store, head)).broken_at is None
    await store.run(lambda tx: tx.run(sa.text("DELETE FROM audit WHERE seq > 3")))
    assert (await verdict(store)).broken_at is None
    assert (await verdict(store, head)).broken_at == 4
    await write(store, now, 5, first=10)
    assert (await verdict(store, head)).broken_at == 5


async def test_a_chain_made_with_another_key_is_not_taken_for_ones_own(
    store: Store, url: str, now: datetime
) -> None:
    await write(store, now, 2)
    forger = open_store(url, Keys({"k": bytes(32)}, "k", bytes(32), bytes(32)))
    assert (await verdict(forger)).broken_at == 1
    forger.close()


async def test_a_chain_that_was_written_anew_with_the_right_key_shows_by_an_older_head(
    store: Store, now: datetime
) -> None:
    await write(store, now, 5)
    whole = await verdict(store)
    await store.run(lambda tx: tx.run(sa.text("DELETE FROM audit WHERE seq > 3")))
    await write(store, now, 5, first=10)
    later = await verdict(store)
    assert (await verdict(store, {later.lines: later.head})).broken_at is None
    assert (await verdict(store, {whole.lines: whole.head, later.lines: later.head})).broken_at == 5


async def test_a_line_of_another_course_of_the_same_chain_does_not_fit(
    store: Store, now: datetime
) -> None:
    columns = "seq, at, entries, mac"
    await write(store, now, 3)
    [_, second, _] = await store.read(lambda tx: tx.all(sa.text(f"SELECT {columns} FROM audit ORDER BY seq")))
    await store.run(lambda tx: tx.run(sa.text("DELETE FROM audit")))  # a backup of before is taken up again
    for number in range(10, 13):
        await write(store, now, 1, first=number)
    put = sa.text("UPDATE audit SET at = :at, entries = :entries, mac = :mac WHERE seq = :seq")
    await store.run(lambda tx: tx.run(put, **dict(zip(columns.split(", "), second, strict=True))))
    assert (await verdict(store)).broken_at == 2


async def test_the_lines_about_somebody_come_newest_first_a_page_at_a_time(store: Store, now: datetime) -> None:
    def read(by: str, fields: list[str]) -> None:
        works.append(lambda tx: (tx.note(now, by, "elder.read", "e1", fields), tx.note(now, by, "elder.read", "e2")))

    works: list[Callable[[Tx], object]] = []
    for number in range(5):
        read(f"p{number}", ["phone"])
    for work in works:
        await store.run(work)
    for number in range(3):
        await write(store, now, 1, first=number)
    first = await store.read(lambda tx: audit.about(tx, "e1", 3))
    assert [(line.seq, [(e.actor, e.action, e.fields) for e in line.entries]) for line in first] == [
        (7, [("p1", "elder.read", ("phone",))]), (5, [("p4", "elder.read", ("phone",))]),
        (4, [("p3", "elder.read", ("phone",))])]
    assert [line.seq for line in await store.read(lambda tx: audit.about(tx, "e1", 9, before=4))] == [3, 2, 1]
    assert await store.read(lambda tx: audit.about(tx, "e9", 3)) == []
    head = await store.read(audit.head)
    assert head is not None and (head.seq, head.at) == (8, now)
