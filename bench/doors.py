"""The doors of WeChat and WeCom: `python -m bench.doors --people 500`.

A visit, typed, by everybody at once. A request comes signed and sealed as the platform makes it, and the clock runs
until its reply stands there, sealed: decrypt, parse, turn on disk, reply, encrypt. WeCom is answered by a call: there
it runs until that was taken. The platform's side is left out.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import httpx
from rich.console import Console
from starlette.applications import Starlette
from starlette.routing import Route

from bench import flow, peers
from bench.flow import SUBMIT, WORDS, Step
from bench.measure import FIRST_CHAT, Load, Row, fresh, peak_mb, percentile, serve, visits_logged
from bench.ours import _no_document, _village, _visits
from bot.app import keep_out_of_collections, load_book
from bot.channels import wechat, wecom
from bot.channels.base import Receipt
from bot.channels.tencent import envelope, xml
from bot.channels.wechat_templates import Templates
from bot.clock import wall
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from conversations.message import Message
from conversations.turn import House
from conversations.words_book import Words
from scheduler import policy
from storage.database import Store
from storage.key_file import load_keys
from storage.opening import open_store
from tests.fakes import tencent

PEOPLE = 500
TRIES = 3  # deliveries of one thing
GOAL_MS = 4500.0  # the reply to a request must be there
T = TypeVar("T", bound=Callable[..., Any])


class Door(Protocol):
    """One platform in front of the bot."""

    name: str
    path: str

    def routes(self, dispatch: Dispatch) -> list[Route]:
        """What the platform posts to."""
        ...

    def request(self, account: str, text: str) -> tuple[dict[str, str], bytes]:
        """A text of this account as the platform posts it: query and body."""
        ...

    async def answered(self, account: str) -> None:
        """Returns once the answer has left, where it is not the reply itself."""
        ...


class Shares:
    """How long the sync code of each kind ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: set[str] = set()

    def timed(self, kind: str, work: T) -> T:
        """The same function, timed; what it calls of its own kind is not counted twice."""
        def run(*given: Any, **named: Any) -> Any:
            if kind in self._open:
                return work(*given, **named)
            self._open.add(kind)
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                self.seconds[kind] = self.seconds.get(kind, 0.0) + time.perf_counter() - began
                self._open.discard(kind)

        return run  # type: ignore[return-value]

    @contextmanager
    def measured(self, *places: tuple[str, Any, str]) -> Iterator[None]:
        """Times (kind, where, name) meanwhile."""
        before = [(where, name, getattr(where, name)) for _, where, name in places]
        for kind, where, name in places:
            setattr(where, name, self.timed(kind, getattr(where, name)))
        try:
            yield
        finally:
            for where, name, was in before:
                setattr(where, name, was)


SHARED = (("crypto", envelope.Envelope, "open"), ("crypto", envelope.Envelope, "seal"),
          ("XML", xml, "fields"), ("XML", xml, "message"), ("XML", xml, "reply"))


class WeChatDoor:
    """An Official Account in safe mode: the answer is the reply to the request."""

    name, path = "wechat", wechat.PATH
    places = (*SHARED, ("XML", wechat, "parse"))
    APP_ID, US = "wx1234567890abcdef", "gh_1234567890ab"

    def __init__(self, store: Store) -> None:
        account = wechat.Account(self.APP_ID, "s" * 32, tencent.TOKEN, tencent.AES_KEY, "http://127.0.0.1:9")
        self.channel = wechat.WeChat(account, store, Templates(None, Words().phrase), wall, policy.load().city.zone)
        self._number = 24_000_000_000_000_000

    def routes(self, dispatch: Dispatch) -> list[Route]:
        return self.channel.routes(dispatch.answer)

    def request(self, account: str, text: str) -> tuple[dict[str, str], bytes]:
        self._number += 1
        return _sealed(self.APP_ID, self.US, account, text, self._number)

    async def answered(self, account: str) -> None:
        """The reply is the answer."""


class WeComDoor:
    """An application of WeCom: acknowledged once it is stored, and answered by calls, which are taken at once."""

    name, path = "wecom", wecom.PATH
    places = (*SHARED, ("XML", wecom, "parse"))
    CORP_ID, AGENT_ID = "ww1234567890abcdef", 1000002

    def __init__(self, store: Store) -> None:
        application = wecom.Application(self.CORP_ID, self.AGENT_ID, "s" * 43, tencent.TOKEN, tencent.AES_KEY,
                                        "http://127.0.0.1:9")
        self.channel = wecom.WeCom(application, store, wall, policy.load().city.zone)
        self.channel.calls._http = httpx.AsyncClient(transport=httpx.MockTransport(_taken))
        # nobody answers 30 questions a minute but here
        wecom.LIMITS = tuple(replace(limit, most=1_000_000) for limit in wecom.LIMITS)
        self._send, self.channel.send = self.channel.send, self._sent  # type: ignore[method-assign]
        self._left: dict[str, asyncio.Event] = {}
        self._number = 7_000_000_000_000_000

    def routes(self, dispatch: Dispatch) -> list[Route]:
        return self.channel.routes(dispatch.handle)

    def request(self, account: str, text: str) -> tuple[dict[str, str], bytes]:
        self._left[account] = asyncio.Event()
        self._number += 1
        return _sealed(self.CORP_ID, self.CORP_ID, account, text, self._number)

    async def answered(self, account: str) -> None:
        await self._left[account].wait()

    async def _sent(self, chat: str, message: Message) -> Receipt:
        receipt = await self._send(chat, message)
        self._left[chat].set()
        return receipt


def _taken(request: httpx.Request) -> httpx.Response:
    said = {"errcode": 0, "errmsg": "ok", "msgid": "1", "access_token": "t", "expires_in": 7200}
    return httpx.Response(200, json=said)


def _sealed(receive_id: str, us: str, account: str, text: str, number: int) -> tuple[dict[str, str], bytes]:
    at = time.time()
    said = (f"<xml><ToUserName><![CDATA[{us}]]></ToUserName><FromUserName><![CDATA[{account}]]></FromUserName>"
            f"<CreateTime>{int(at)}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{text}]]></Content><MsgId>{number}</MsgId></xml>")
    sealed = tencent.seal(said, receive_id)
    return {**tencent.signed(at, sealed=sealed), "openid": account}, tencent.envelope(sealed, us).encode()


DOORS: dict[str, Callable[[Store], Any]] = {"wechat": WeChatDoor, "wecom": WeComDoor}


async def run(load: Load, name: str, database: str, keys: Path) -> list[Row]:
    """Everybody logs a visit through one door."""
    store = open_store(database, load_keys(keys, create=True))
    try:
        return [await _run(store, DOORS[name](store), load)]
    finally:
        store.close()


async def _run(store: Store, door: Any, load: Load) -> Row:
    policies, book = policy.load(), await load_book(store)
    await _village(store, policies, book.current["visit"].hash, load.people, 0, door.name)
    no_files = () if door.channel.capabilities.carries_files else (door.name,)
    house = House(book, policies, no_files=frozenset(no_files))
    delivery = Delivery(store, {door.name: door.channel}, house, wall, _no_document)
    dispatch = Dispatch(store, house, delivery, wall)
    app = Starlette(routes=door.routes(dispatch))
    steps = flow.main_line(flow.visit_form())
    before = await store.read(_visits)
    keep_out_of_collections()

    async def log_visits(number: int, visits: int, times: list[float]) -> None:
        account = str(FIRST_CHAT + number)
        for _ in range(visits):
            for step in steps:
                query, body = door.request(account, _typed(step, number))
                began = time.perf_counter()
                for _ in range(TRIES):  # as the platform does where there is no answer in time
                    if (status := await _post(app, door.path, query, body)) == 200:
                        break
                    late.append(account)
                await door.answered(account)
                times.append(time.perf_counter() - began)
                if status != 200:
                    raise RuntimeError(f"{door.name} answered {status}")

    alone: list[float] = []
    crowd: list[float] = []
    late: list[str] = []  # requests that ended without an answer, and came again
    shares = Shares()
    await log_visits(0, 1, [])
    await log_visits(0, load.alone, alone)
    with shares.measured(*door.places):
        began = time.perf_counter()
        async with asyncio.TaskGroup() as everybody:
            for number in range(load.people):
                everybody.create_task(log_visits(number, load.visits, crowd))
        seconds = time.perf_counter() - began
    await delivery.settle()
    if (kept := await store.read(_visits) - before) < visits_logged(load):
        raise RuntimeError(f"{visits_logged(load)} visits were logged, {kept} kept")
    each = ", ".join(f"{kind} {spent / len(crowd) * 1e6:.0f} us a turn ({spent / seconds:.0%})"
                     for kind, spent in sorted(shares.seconds.items())) + f"; {len(late)} requests came again"
    return Row(f"{door.name}, {store.engine}", len(crowd) / seconds, percentile(crowd, 50), percentile(crowd, 99),
               percentile(alone, 50), peak_mb(), len(crowd), each)


def _typed(step: Step, number: int) -> str:
    """What is typed: a text, the number of an option, or the word that hands in."""
    if step.texts:
        return step.texts[number % len(step.texts)]
    return WORDS["peers"]["submit"] if step.name == SUBMIT else str((step.option or 0) + 1)


async def _post(app: Starlette, path: str, query: dict[str, str], body: bytes) -> int:
    """One request through the application, without a socket; gives the status once all of the reply is there."""
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode(),
             "root_path": "", "scheme": "http", "query_string": urlencode(query).encode(),
             "headers": [(b"content-type", b"text/xml"), (b"content-length", str(len(body)).encode())]}
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


def in_processes(load: Load) -> Iterator[tuple[str, Row]]:
    """A row for each door, each in a process of its own; Telegram's beside them."""
    with tempfile.TemporaryDirectory() as folder:
        keys = str(Path(folder) / "bench.keys.json")
        row = fresh("bench.ours", load, "--database", f"sqlite:///{folder}/telegram.db", "--keys", keys)[0]
        yield "-", replace(row, name="telegram, raw update to finished call")
        for name in DOORS:
            database = f"sqlite:///{folder}/{name}.db"
            yield "-", fresh("bench.doors", load, "--door", name, "--database", database, "--keys", keys)[0]


def draw(console: Console, load: Load, rows: list[tuple[str, Row]]) -> None:
    """The table, and how far the slowest reply is from the limit."""
    peers.draw(console, load, rows)
    slowest = max(row.p99_ms or 0.0 for _, row in rows)
    console.print(f"p99 of the slowest door is {slowest / GOAL_MS:.1%} of the 4.5 s that a platform waits")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", default="")
    parser.add_argument("--database", default="")
    parser.add_argument("--keys", type=Path, default=Path())
    parser.add_argument("--quick", action="store_true", help="a few people: that it runs, not how fast")
    chosen, rest = parser.parse_known_args()
    if chosen.door:
        sys.argv[1:] = rest
        serve(partial(run, name=chosen.door, database=chosen.database, keys=chosen.keys))
        return
    load = peers.QUICK if chosen.quick else Load(people=PEOPLE)
    draw(Console(width=110), load, list(in_processes(load)))


if __name__ == "__main__":
    main()
