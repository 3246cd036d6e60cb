"""From the raising message to the first send that starts: `python -m bench.first_send --url … --keys … --waiting …`.

In turn a visitor (紧急, then what it is: the second message raises it) and a device over HTTP, each of another elder;
the village's coordinator is the first who is told. Alone, then with a queue of reminders of which some leave meanwhile.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette

from bench import beside
from bench import county as counties
from bench.county import County
from bench.measure import Platform, percentile
from bench.ours import _no_document
from bench.telegram_stub import TOKEN, StubRequest
from bot.app import keep_out_of_collections, load_book
from bot.channels.telegram import Telegram
from bot.channels.telegram_calls import encode
from bot.clock import wall
from bot.delivery import Delivery
from bot.devices.intake import Intake
from bot.devices.routes import build_routes
from bot.dispatch import Dispatch
from conversations.message import Inbound
from conversations.turn import House
from scheduler import casework, policy, reminders, tick
from scheduler.policy import Policies
from storage import accounts, areas, assignments, device_vendors, devices, people
from storage.database import Tx
from storage.elders import NewElder
from storage.key_file import load_keys
from storage.opening import open_store

RAISED = 60  # of each way, alone and again beside the queue
PAUSE = 0.1  # seconds between two
LIMIT = 60.0  # seconds until a run counts as stuck
COORDINATOR = 8_000_000_000  # his chat; the visitors' are the next ones
URL = "/devices/alarms"


@dataclass(frozen=True, slots=True)
class First:
    """Milliseconds to the first send, of so many alerts, and how many reminders left meanwhile."""

    engine: str
    way: str
    waiting: int
    alerts: int
    p50: float
    p99: float
    left: int


def _village(tx: Tx, policies: Policies, now: datetime, count: int) -> str:
    """Visitors, each with an elder who wears a call button; gives the vendor's token."""
    day = now.astimezone(policies.city.zone).date().isoformat()
    township = areas.add(tx, None, "township", "first send", now)
    village = areas.add(tx, township, "village", "first send", now).id
    coordinator = people.add(tx, village, "c", ("village",), now).id
    accounts.bind(tx, "telegram", str(COORDINATOR), str(COORDINATOR), coordinator, now)
    token = device_vendors.invite(tx, "bench", coordinator, now)
    vendor = device_vendors.by_token(tx, token)
    assert vendor
    for number in range(count):
        person = people.add(tx, village, f"{number}", ("visitor",), now, "grid_worker").id
        elder = casework.register(tx, NewElder(village, "1", f"e{number}", "e", None, "1940-01-01", ["living_alone"],
                                               "intact", day, number=number + 1), policies, now)
        assignments.entrust(tx, person, elder, "visitor", day)
        chat = str(COORDINATOR + 1 + number)
        accounts.bind(tx, "telegram", chat, chat, person, now)
        devices.bind(tx, devices.known(tx, vendor.id, f"S{number}", now), elder, coordinator, now)
    return token


class Raising:
    """Raises one alert after the other, each of an elder of whom none was raised before."""

    def __init__(self, platform: Platform, dispatch: Dispatch, http: httpx.AsyncClient, now: Any) -> None:
        self._platform, self._dispatch, self._http, self._now = platform, dispatch, http, now
        self._next = 0

    async def go(self, count: int) -> dict[str, list[float]]:
        """Seconds from message to first send, by way, of so many of each."""
        times: dict[str, list[float]] = {"chat": [], "device": []}
        for _ in range(count):
            for way, found in times.items():
                async with asyncio.timeout(LIMIT):
                    found.append(await (self._by_chat() if way == "chat" else self._by_device()))
                await asyncio.sleep(PAUSE)
        return times

    async def _by_chat(self) -> float:
        chat = COORDINATOR + 1 + self._next
        answer = self._platform.expect(chat)
        await self._dispatch.handle(self._inbound(chat, text="紧急"))
        kinds = orjson.loads((await answer).markup)["inline_keyboard"]
        return await self._first(lambda: self._dispatch.handle(
            self._inbound(chat, choice=kinds[0][0]["callback_data"], source="1")))

    async def _by_device(self) -> float:
        body = {"event_id": f"e{self._next}", "serial": f"S{self._next}", "kind": "fall", "at": self._now().isoformat()}

        async def post() -> None:
            answer = await self._http.post(URL, json=body)
            if answer.status_code != 200:
                raise RuntimeError(answer.text)
        return await self._first(post)

    async def _first(self, raises: Any) -> float:
        told = self._platform.expect(COORDINATOR)
        began = time.perf_counter()
        await raises()
        self._next += 1
        return (await told).at - began

    def _inbound(self, chat: int, **fields: str) -> Inbound:
        return Inbound("telegram", str(chat), str(chat), f"{chat}{fields}", self._now(), **fields)


async def measured(url: str, folder: Path, waiting: int) -> list[First]:
    """First without, then with so many reminders that may leave."""
    store, policies = open_store(url, load_keys(folder / "bench.keys.json", create=True)), policy.load()
    noon = wall().astimezone(policies.city.zone).replace(hour=12, minute=0, second=0, microsecond=0)
    offset = noon - wall()

    def now() -> datetime:
        return wall() + offset

    await counties.fill(store, url, County(waiting, 1, 100, noon.date()), noon)
    token = await store.run(lambda tx: _village(tx, policies, noon, 4 * RAISED + 8))
    book = await load_book(store)
    platform = Platform()
    telegram = Telegram(TOKEN, place_label="-", now=now, request=StubRequest(platform, encode))
    house = House(book, policies)
    delivery = Delivery(store, {telegram.name: telegram}, house, now, _no_document)
    keep_out_of_collections()
    stop = asyncio.Event()
    working = [asyncio.create_task(loop(stop)) for loop in (delivery.run, delivery.run_alerts)]
    app = Starlette(routes=build_routes(Intake(store, policies, now), "https://bench.example"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door",
                                 headers={"Authorization": f"Bearer {token}"}) as http:
        raising = Raising(platform, Dispatch(store, house, delivery, now), http, now)
        await raising.go(2)  # everything is warm
        without = await raising.go(RAISED)
        if await tick.tick(store, noon - timedelta(hours=6), policies, {"reminders": reminders.sweep}):
            raise RuntimeError("the sweep failed")
        before = await beside.reminders(store)
        among = await raising.go(RAISED)
        after = await beside.reminders(store)
    stop.set()
    for each in working:
        each.cancel()
    if waiting and not after:
        raise RuntimeError("the reminders were all gone before the end")
    found = [First(store.engine, way, count, len(seconds), percentile(seconds, 50), percentile(seconds, 99), left)
             for count, left, times in ((0, 0, without), (before, before - after, among))
             for way, seconds in times.items()]
    store.close()
    return found


def in_processes(waiting: int, postgres: Any) -> Iterator[First]:
    """On SQLite, then on PostgreSQL."""
    for row in beside.in_processes("bench.first_send", waiting, postgres):
        yield First(**row)


def draw(console: Console, rows: list[First]) -> None:
    """Side by side: nothing waiting, and a long queue of which some leave meanwhile."""
    table = Table(title="Alerts: ms from the raising message to the first send started", box=SIMPLE,
                  title_justify="left")
    for heading in ("database", "raised by", "reminders", "left meanwhile", "alerts", "p50", "p99"):
        table.add_column(heading, justify="left" if heading in ("database", "raised by") else "right", no_wrap=True)
    for row in rows:
        table.add_row(row.engine, row.way, f"{row.waiting:,}", f"{row.left:,}", str(row.alerts), f"{row.p50:.0f}",
                      f"{row.p99:.0f}")
    console.print(table)


if __name__ == "__main__":
    beside.main(measured)
