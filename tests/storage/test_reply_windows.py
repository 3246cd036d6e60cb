"""Windows in which an account may be written to: counted before a message leaves, given back where it did not."""

import asyncio
from datetime import datetime, timedelta

from storage import reply_windows
from storage.database import Store
from storage.reply_windows import Window

MESSAGE, EVENT = Window("message", 5, timedelta(hours=48)), Window("event", 3, timedelta(minutes=1))


async def opens(store: Store, window: Window, now: datetime, account: str = "o1") -> None:
    await store.run(lambda tx: reply_windows.opened(tx, "wechat", account, window, now))


async def take(store: Store, now: datetime, account: str = "o1") -> str | None:
    return await store.run(lambda tx: reply_windows.take(tx, "wechat", account, now))


async def test_the_window_that_ends_first_is_used_first_and_each_holds_so_many(store: Store, now: datetime) -> None:
    assert await take(store, now) is None
    await opens(store, MESSAGE, now)
    await opens(store, EVENT, now)
    assert [await take(store, now) for _ in range(9)] == ["event"] * 3 + ["message"] * 5 + [None]
    assert await take(store, now, "o2") is None


async def test_a_window_ends_and_one_of_the_same_kind_begins_anew(store: Store, now: datetime) -> None:
    await opens(store, EVENT, now)
    await take(store, now)
    await opens(store, EVENT, now + timedelta(seconds=30))
    assert [await take(store, now + timedelta(seconds=80)) for _ in range(4)] == ["event"] * 3 + [None]
    await opens(store, EVENT, now)
    assert await take(store, now + EVENT.lasts) is None


async def test_what_did_not_leave_is_given_back_and_what_the_platform_shut_is_shut(store: Store, now: datetime) -> None:
    await opens(store, MESSAGE, now)
    for _ in range(7):
        kind = await take(store, now)
        assert kind is not None
        await store.run(lambda tx, kind=kind: reply_windows.give_back(tx, "wechat", "o1", kind))
    await store.run(lambda tx: reply_windows.shut(tx, "wechat", "o1"))
    assert await take(store, now) is None


async def test_two_who_send_at_once_do_not_both_send_the_last_one(store: Store, now: datetime) -> None:
    await opens(store, MESSAGE, now)
    taken = await asyncio.gather(*(take(store, now) for _ in range(12)))
    assert sorted(filter(None, taken)) == ["message"] * 5
