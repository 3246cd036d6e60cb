"""A process that raises nothing and tells on: `python -m tests.faults.telling URL KEYS NOW`.

It looks once who has not seen an alert, and sends what waits; it writes a line for each chunk and for each message that
its platforms took, and `done`. Its clock stands still.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.channels.base import Receipt
from bot.delivery import Delivery
from conversations import book as books
from conversations.message import Message
from conversations.turn import House
from scheduler import policy, reaching, tick
from scheduler.policy import Policies
from storage import ticks
from storage.database import Tx
from storage.key_file import load_keys
from storage.opening import open_store
from tests.fakes.house import Recorder

CHUNK = 8  # people in one unit of work


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Spoken(Recorder):
    """A platform that says what it takes."""

    async def send(self, chat: str, message: Message) -> Receipt:
        say(f"{self.name} {chat}")
        return Receipt("1")


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    more = reaching.sweep(tx, now, policies)
    say("chunk")  # not yet written: a kill here takes it back
    return more


async def _nothing(wanted: Any, words: Any) -> None:
    return None


async def main(url: str, keys: str, at: str) -> None:
    reaching.CHUNK, ticks.LEASE, now = CHUNK, timedelta(seconds=1), datetime.fromisoformat(at)
    store, policies = open_store(url, load_keys(Path(keys), create=False)), policy.load()
    delivery = Delivery(store, {name: Spoken(name) for name in ("first", "second")},
                        House(books.from_folder(), policies), lambda: now, _nothing)
    await delivery.take_over()
    await delivery.settle()
    await delivery.sweep()
    assert not await tick.tick(store, now, policies, {"alerts that somebody has not seen": sweep})
    await delivery.sweep()
    await delivery.settle()
    say("done")
    store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
