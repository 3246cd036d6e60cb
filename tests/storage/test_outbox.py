"""What waits to be sent: in order, by one at a time, never lost and never twice."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import outbox
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.opening import open_store
from storage.outbox import LEASE, Lane, Outgoing


async def put(store: Store, now: datetime, row: str, chat: str = "c", lane: Lane = "reply", **how: Any) -> bool:
    return await store.run(lambda tx: outbox.add(
        tx, Outgoing(row, "telegram", chat, lane, "text", {"of": row}), now, **how))


async def take(store: Store, now: datetime, count: int = 50) -> list[str]:
    return [row.id for row in await store.run(lambda tx: outbox.take(tx, now, count))]


async def test_of_each_chat_and_lane_only_the_oldest_goes_until_it_is_done(store: Store, now: datetime) -> None:
    for row, chat, lane in (("1", "c", "reply"), ("2", "c", "reply"), ("3", "d", "reply"), ("4", "c", "reminder")):
        await put(store, now, row, chat, lane)  # type: ignore[arg-type]
    assert await take(store, now) == ["1", "3", "4"]
    assert await take(store, now) == []
    await store.run(lambda tx: outbox.sent(tx, [("1", "m1")], now))
    assert await take(store, now) == ["2"]


async def test_messages_of_one_turn_go_in_the_order_in_which_they_were_written(store: Store, now: datetime) -> None:
    def turn(tx: Tx) -> list[str]:
        ids = [tx.new_id(now) for _ in range(20)]
        for row in ids:
            outbox.add(tx, Outgoing(row, "telegram", "c", "reply", "text", {}), now)
        return ids
    ids = await store.run(turn)
    for row in ids:
        assert await take(store, now) == [row]
        await store.run(lambda tx, row=row: outbox.sent(tx, [(row, "m")], now))


async def test_an_alert_goes_before_an_answer_and_an_answer_before_a_reminder(store: Store, now: datetime) -> None:
    await put(store, now, "1", "a", "reminder")
    await put(store, now, "2", "b", "reply")
    await put(store, now, "3", "c", "alert")
    assert await take(store, now, count=1) == ["3"]
    assert await take(store, now, count=1) == ["2"]
    assert await take(store, now, count=1) == ["1"]


async def test_what_a_killed_process_had_taken_is_taken_again_when_its_lease_runs_out(
    store: Store, now: datetime
) -> None:
    await put(store, now, "1", leased=True)
    assert await take(store, now + LEASE - timedelta(milliseconds=1)) == []
    assert await take(store, now + LEASE) == ["1"]
    assert await take(store, now + LEASE * 2 - timedelta(milliseconds=1)) == []
    assert await take(store, now + LEASE * 2) == ["1"]


async def test_a_row_that_is_tried_again_is_not_taken_before_its_time_and_keeps_its_place(
    store: Store, now: datetime
) -> None:
    later = now + timedelta(hours=1)
    await put(store, now, "1")
    await put(store, now, "2")
    await store.run(lambda tx: outbox.retry(tx, "1", later + timedelta(minutes=1)))
    assert await take(store, later) == []
    [again] = await store.run(lambda tx: outbox.take(tx, later + timedelta(minutes=1)))
    assert (again.id, again.attempts, again.fields) == ("1", 1, {"of": "1"})


@pytest.mark.parametrize("lane", outbox.LANES)
async def test_a_row_for_a_later_time_holds_up_no_other(store: Store, now: datetime, lane: Lane) -> None:
    later = now + timedelta(minutes=1)
    await put(store, now, "1", lane=lane, not_before=later)
    await put(store, now, "2", lane=lane)
    assert await take(store, now) == ["2"]
    await store.run(lambda tx: outbox.sent(tx, [("2", "m")], now))
    assert await take(store, later - timedelta(seconds=1)) == []
    assert await take(store, later) == ["1"]


async def test_a_dropped_row_gives_way_and_stays_dropped(store: Store, now: datetime) -> None:
    await put(store, now, "1")
    await put(store, now, "2")
    await store.run(lambda tx: outbox.drop(tx, "1", "blocked", now))
    await store.run(lambda tx: outbox.retry(tx, "1", now))
    assert await take(store, now) == ["2"]


async def test_a_reminder_with_its_unique_key_is_written_once_even_after_it_was_sent(
    store: Store, now: datetime
) -> None:
    first = await asyncio.gather(*(put(store, now, f"r{n}", unique_key="digest:p:1") for n in range(6)))
    assert sorted(first) == [False] * 5 + [True]
    [row] = await take(store, now)
    await store.run(lambda tx: outbox.sent(tx, [(row, "m")], now))
    assert not await put(store, now, "again", unique_key="digest:p:1")
    assert await take(store, now + LEASE) == []


async def test_two_stores_that_take_at_once_never_get_the_same_row(
    store: Store, url: str, keys: Keys, now: datetime
) -> None:
    def fill(tx: Tx) -> None:
        for n in range(200):
            outbox.add(tx, Outgoing(f"{n:03}", "telegram", f"c{n}", "reply", "text", {}), now)
    await store.run(fill)
    second = open_store(url, keys)
    taken = await asyncio.gather(*(take(either, now, 10) for _ in range(20) for either in (store, second)))
    second.close()
    rows = [row for rows in taken for row in rows]
    assert len(rows) == len(set(rows)) == 200


async def test_what_waits_for_a_chat_follows_it_to_its_new_id(store: Store, now: datetime) -> None:
    await put(store, now, "1", "old", leased=True)
    await put(store, now, "2", "old")
    await store.run(lambda tx: outbox.move(tx, "telegram", "old", "new"))
    [row] = await store.run(lambda tx: outbox.take(tx, now))
    assert (row.id, row.chat) == ("1", "new")


async def test_the_fields_of_a_row_stand_nowhere_in_the_clear(store: Store, now: datetime) -> None:
    await store.run(lambda tx: outbox.add(
        tx, Outgoing("1", "telegram", "c", "reply", "text", {"name": "secret-word"}), now))
    assert "secret-word" not in str(await store.read(lambda tx: tx.all(sa.text("SELECT * FROM outbox"))))


async def test_how_many_rows_wait_is_known_by_lane(store: Store, now: datetime) -> None:
    for row, lane in (("1", "reply"), ("2", "reply"), ("3", "alert")):
        await put(store, now, row, lane=lane)  # type: ignore[arg-type]
    await store.run(lambda tx: outbox.sent(tx, [("1", "m")], now))
    assert await store.read(outbox.depth) == {"reply": 1, "alert": 1}
