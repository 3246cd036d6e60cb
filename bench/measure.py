"""How fast an implementation takes turns: raw update in, finished HTTP request out.

Each implementation runs in its own fresh process (`fresh`), so that memory and imports are its own, and
prints its rows as JSON (`serve`). All run on the same event loop (uvloop where it is installed).
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench import flow
from bench.flow import Step

FIRST_CHAT = 5_200_000_001
LIMIT = 300.0  # seconds until a run counts as stuck: some turn was not answered
Feed = Callable[[bytes], Awaitable[object]]
Token = Callable[[Step, Any], str]


@dataclass(frozen=True, slots=True)
class Load:
    """How many people at once, how many visits each of them logs, and how many the one does who is alone."""

    people: int = 200
    visits: int = 1
    alone: int = 10


@dataclass(frozen=True, slots=True)
class Row:
    """What an implementation did. Times are milliseconds from update to answer; memory is the process's peak."""

    name: str
    turns_per_second: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    alone_ms: float | None = None
    peak_mb: float | None = None
    turns: int = 0
    note: str = ""


class Reply(NamedTuple):
    """An answer as the platform got it: when (perf_counter), its markup as sent, and its message's number."""

    at: float
    markup: Any
    message: int


class Platform:
    """Stands for the platform behind its HTTP: who waits in a chat is woken by the next answer there."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._last = 100
        self.requests = 0

    def expect(self, chat: int) -> "asyncio.Future[Reply]":
        """The next answer in this chat."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[chat] = future
        return future

    def replied(self, chat: int, markup: Any, message: int | None = None) -> int:
        """Takes a finished request that sends to the chat, or edits its `message`; gives the message's number."""
        at = time.perf_counter()
        self.requests += 1
        if message is None:
            self._last += 1
            message = self._last
        waiting = self._waiting.pop(chat, None)
        if waiting is not None:
            waiting.set_result(Reply(at, markup, message))
        return message


async def measure(name: str, feed: Feed, token: Token, platform: Platform, load: Load,
                  command: str = "/visit", first_chat: int = FIRST_CHAT) -> Row:
    """Warms up, then one person alone, then all at once; nobody goes on before his answer is there.

    `feed(raw)` takes one update as it was posted and returns when the platform would be acknowledged;
    `token(step, markup)` gives the data of the button to tap, from the markup of the answer before.
    """
    form = flow.visit_form()
    steps = flow.main_line(form, command)
    updates = flow.Updates(form, steps, (first_chat - FIRST_CHAT) * 1000)

    async def log_visits(chat: int, visits: int, times: list[float]) -> None:
        reply = Reply(0.0, None, 1)
        for _ in range(visits):
            for place, step in enumerate(steps):
                raw = updates.raw(place, chat, reply.message, "" if step.texts else token(step, reply.markup))
                answer = platform.expect(chat)
                began = time.perf_counter()
                await feed(raw)
                reply = await answer
                times.append(reply.at - began)

    alone: list[float] = []
    crowd: list[float] = []
    async with asyncio.timeout(LIMIT):
        await log_visits(first_chat, 1, [])
        await log_visits(first_chat, load.alone, alone)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as everybody:
            for person in range(load.people):
                everybody.create_task(log_visits(first_chat + person, load.visits, crowd))
        seconds = time.perf_counter() - began
    return Row(name, len(crowd) / seconds, percentile(crowd, 50), percentile(crowd, 99),
               percentile(alone, 50), peak_mb(), len(crowd))


def visits_logged(load: Load) -> int:
    """How many visits `measure` submits in all, to be checked against what was kept."""
    return 1 + load.alone + load.people * load.visits


def percentile(seconds: Sequence[float], percent: int) -> float:
    """In milliseconds."""
    return sorted(seconds)[min(len(seconds) - 1, len(seconds) * percent // 100)] * 1000


def peak_mb(pid: int | str = "self") -> float:
    """The most memory a process has had resident, in MB. Linux's own count: getrusage's would hold the
    parent's peak, which a child takes over when it is started.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def fresh(module: str, load: Load, *arguments: str) -> list[Row]:
    """Runs `python -m module` (which calls `serve`) in a process of its own and gives its rows."""
    command = [sys.executable, "-m", module, "--people", str(load.people), "--visits", str(load.visits),
               "--alone", str(load.alone), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [Row(**row) for row in orjson.loads(done.stdout)]


def serve(run: Callable[[Load], Awaitable[list[Row]]]) -> None:
    """The other side of `fresh`: reads the load, runs, and prints the rows as JSON."""
    parser = argparse.ArgumentParser()
    for option in ("--people", "--visits", "--alone"):
        parser.add_argument(option, type=int, required=True)
    rows = _run(run, Load(**vars(parser.parse_args())))
    sys.stdout.buffer.write(orjson.dumps([asdict(row) for row in rows]))


def _run(run: Callable[[Load], Awaitable[list[Row]]], load: Load) -> list[Row]:
    async def body() -> list[Row]:
        return await run(load)

    try:
        import uvloop
    except ImportError:
        return asyncio.run(body())
    return uvloop.run(body())
