"""Whether 100,000 queued reminders delay an answer: `python -m bench.queue --url … --keys … --waiting 100000`.

The reminders are a sweep's digests, each to somebody else; they leave while a few people log visits one tap after the
other. The time of a turn from raw update to finished HTTP request: before there are any, and then in turn with all of
them held back and leaving, so that both have the same neighbours and the same database.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench import beside, flow
from bench import county as counties
from bench.county import County
from bench.measure import FIRST_CHAT, Platform, Reply, percentile
from bench.ours import _no_document, _token, _village
from bench.telegram_stub import TOKEN, StubRequest
from bot.app import keep_out_of_collections, load_book
from bot.channels.telegram import Telegram
from bot.channels.telegram_calls import encode
from bot.clock import wall
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from conversations.turn import House
from scheduler import policy, reminders, tick
from storage.key_file import load_keys
from storage.opening import open_store

WRITING = 5  # people who log visits
PACE = 0.05  # seconds that each of them takes to read
SECONDS = 20.0
SLICES = 10  # of so many seconds in all, each held and leaving


@dataclass(frozen=True, slots=True)
class Turns:
    """Milliseconds of the turns, how many they were, and how many reminders left meanwhile."""

    engine: str
    waiting: int
    turns: int
    p50: float
    p99: float
    left: int


async def measured(url: str, folder: Path, waiting: int) -> list[Turns]:
    """Without, then with so many reminders that are held back, and that leave."""
    store, policies = open_store(url, load_keys(folder / "bench.keys.json", create=True)), policy.load()
    noon = wall().astimezone(policies.city.zone).replace(hour=12, minute=0, second=0, microsecond=0)
    offset = noon - wall()

    def now() -> datetime:
        return wall() + offset

    await counties.fill(store, url, County(waiting, 1, 100, noon.date()), noon)
    book = await load_book(store)
    await _village(store, policies, book.current["visit"].hash, WRITING, 0)
    platform = Platform()
    telegram = Telegram(TOKEN, place_label="-", now=now, request=StubRequest(platform, encode))
    house = House(book, policies)
    delivery = Delivery(store, {telegram.name: telegram}, house, now, _no_document)
    dispatch = Dispatch(store, house, delivery, now)
    keep_out_of_collections()
    writing = Writing(dispatch, telegram, platform)
    await writing.go(SECONDS / 4)  # everything is warm
    without = await writing.go(SECONDS)
    if await tick.tick(store, noon - timedelta(hours=6), policies, {"reminders": reminders.sweep}):
        raise RuntimeError("the sweep failed")
    before = await beside.reminders(store)
    held, among = list[float](), list[float]()
    for _ in range(SLICES):
        held += await writing.go(SECONDS / SLICES)
        working = asyncio.create_task(delivery.run(asyncio.Event()))
        among += await writing.go(SECONDS / SLICES)
        working.cancel()
    after = await beside.reminders(store)
    found = [Turns(store.engine, count, len(times), percentile(times, 50), percentile(times, 99), left)
             for count, left, times in ((0, 0, without), (before, 0, held), (before, before - after, among))]
    if after == 0:
        raise RuntimeError("the reminders were all gone before the end")
    store.close()
    return found


class Writing:
    """A few people who log visits, each waiting for his answer before he goes on."""

    def __init__(self, dispatch: Dispatch, telegram: Telegram, platform: Platform) -> None:
        self._dispatch, self._telegram, self._platform = dispatch, telegram, platform
        form = flow.visit_form()
        self._steps = flow.main_line(form, "/visit")
        self._updates = flow.Updates(form, self._steps, 0)

    async def go(self, seconds: float) -> list[float]:
        """Seconds of each turn within so many seconds."""
        until, times = time.perf_counter() + seconds, list[float]()
        async with asyncio.TaskGroup() as everybody:
            for person in range(WRITING):
                everybody.create_task(self._log(FIRST_CHAT + person, until, times))
        return times

    async def _log(self, chat: int, until: float, times: list[float]) -> None:
        reply = Reply(0.0, None, 1)
        while time.perf_counter() < until:
            for place, step in enumerate(self._steps):
                raw = self._updates.raw(place, chat, reply.message, "" if step.texts else _token(step, reply.markup))
                answer = self._platform.expect(chat)
                began = time.perf_counter()
                inbound = self._telegram.parse(orjson.loads(raw))
                assert inbound is not None
                await self._dispatch.handle(inbound)
                reply = await answer
                times.append(reply.at - began)
                await asyncio.sleep(PACE)


def in_processes(waiting: int, postgres: Any) -> Iterator[Turns]:
    """On SQLite, then on PostgreSQL."""
    for row in beside.in_processes("bench.queue", waiting, postgres):
        yield Turns(**row)


def draw(console: Console, rows: list[Turns]) -> None:
    """Side by side: nothing waiting, a long queue of which nothing leaves, and one of which some leave meanwhile."""
    table = Table(title=f"Turns of {WRITING} people beside a queue of reminders; ms from update to answer", box=SIMPLE,
                  title_justify="left")
    for heading in ("database", "waiting", "left meanwhile", "turns", "p50", "p99"):
        table.add_column(heading, justify="left" if heading == "database" else "right", no_wrap=True)
    for row in rows:
        table.add_row(row.engine, f"{row.waiting:,}", f"{row.left:,}", f"{row.turns:,}", f"{row.p50:.1f}",
                      f"{row.p99:.1f}")
    console.print(table)


if __name__ == "__main__":
    beside.main(measured)
