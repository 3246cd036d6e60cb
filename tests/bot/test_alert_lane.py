"""Alerts leave by themselves: behind no reminder, no slow platform, and no other alert that does not get through."""

import asyncio
from datetime import datetime
from typing import Any

from bot.channels.base import Receipt
from bot.delivery import Delivery
from conversations import book as books
from conversations.message import Message
from conversations.turn import House
from scheduler import policy
from storage import outbox
from storage.database import Store, Tx
from storage.outbox import Lane, Outgoing
from tests.fakes.house import Recorder

PATIENCE = 20.0  # seconds


class Stuck(Recorder):
    """A platform that takes what is sent and does not answer until it is told to."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.answers = asyncio.Event()

    async def send(self, chat: str, message: Message) -> Receipt:
        self.begun.put_nowait(chat)
        await self.answers.wait()
        return Receipt("1")


async def _nothing(wanted: Any, words: Any) -> None:
    return None


def waiting(tx: Tx, now: datetime, lane: Lane, *to: tuple[str, str]) -> None:
    for channel, chat in to:
        outbox.add(tx, Outgoing(tx.new_id(now), channel, chat, lane, "reply", {"parts": [["menu.trouble", {}]]}), now)


async def test_an_alert_leaves_while_a_reminder_and_another_alert_hang_on_a_slow_platform(
    store: Store, now: datetime
) -> None:
    slow, quick = Stuck("slow"), Stuck("quick")
    quick.answers.set()
    delivery = Delivery(store, {"slow": slow, "quick": quick}, House(books.from_folder(), policy.load()), lambda: now,
                        _nothing)
    stop = asyncio.Event()
    await store.run(lambda tx: waiting(tx, now, "reminder", ("slow", "wang")))
    running = [asyncio.create_task(loop(stop)) for loop in (delivery.run, delivery.run_alerts)]
    async with asyncio.timeout(PATIENCE):
        assert await slow.begun.get() == "wang"
        await store.run(lambda tx: waiting(tx, now, "alert", ("slow", "wang"), ("slow", "wang")))
        assert await slow.begun.get() == "wang"
        await store.run(lambda tx: waiting(tx, now, "alert", ("slow", "lina"), ("quick", "zhao"), ("quick", "zhao")))
        assert [await quick.begun.get() for _ in range(2)] == ["zhao", "zhao"]
        assert await slow.begun.get() == "lina"
        assert slow.begun.empty()  # the second alert to the same chat waits for the first
        slow.answers.set()
        assert await slow.begun.get() == "wang"
        stop.set()
        await asyncio.gather(*running)
        await delivery.settle()
    assert await store.read(outbox.depth) == {}
