"""A process that tells of an alert: `python -m tests.faults.telling URL KEYS NOW`.

It looks once who has not seen an alert, and sends what waits; it writes a line for each chunk and for each message that
its platforms took, and `done`. Its clock stands still.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.channels.base import Capabilities, Receipt
from bot.delivery import Delivery
from conversations import book as books
from conversations.message import Inbound, Media, Message
from conversations.turn import House
from scheduler import policy, reaching, tick
from scheduler.policy import Policies
from storage import ticks
from storage.database import Tx
from storage.key_file import load_keys
from storage.opening import open_store

CHUNK = 8  # people in one unit of work


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Spoken:
    """A platform that says what it takes."""

    capabilities = Capabilities(
        button_rows=30, buttons_per_row=4, label_length=40, text_length=20_000, can_edit=True, can_push=True,
        has_groups=True, carries_files=True, abroad=False)

    def __init__(self, name: str) -> None:
        self.name = name

    async def send(self, chat: str, message: Message) -> Receipt:
        say(f"{self.name} {chat}")
        return Receipt("1")

    async def fetch(self, media: Media) -> bytes:
        raise NotImplementedError

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        raise NotImplementedError


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
