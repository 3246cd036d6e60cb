"""The answer in the reply to the very request, which ends at 4.5 s: with an answer that is on disk, or without one.

Without one the platform delivers the same thing again, three times in all; each further request joins the work that
goes on. Where all of them ended first, the answer follows as a message of its own, once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bot.channels.base import Answer
from bot.channels.wechat_text import pieces

PATIENCE = 4.5  # seconds for one request
TRIES = 3  # deliveries of one thing
NEXT_TRY = 6.0  # seconds in which the platform comes again, if it comes
LEAVES = 2.0  # seconds in which a reply has left
PAUSE = 0.5  # seconds: the reply and a customer message reach the phone by different roads
KEPT = 30.0  # seconds that an answer is remembered for a request that was lost on its way

Take = Callable[[], Awaitable[Answer | None]]
Push = Callable[[str, Sequence[str], Answer], Coroutine[Any, Any, None]]  # to a chat the pieces that no reply can hold


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request is replied with, empty for nothing; `left` is called when it stands in the platform's hands."""

    text: str
    left: Callable[[], Awaitable[None]]


@dataclass
class _Work:
    task: asyncio.Task[Answer | None]
    tries: int = 0
    waiting: int = 0
    carried: bool = False
    gone: bool = False  # it leaves as a message of its own: no request gets it any more
    asked: asyncio.Event = field(default_factory=asyncio.Event)


class Answers:
    """The requests of one process that are under way, by what they deliver."""

    def __init__(self, push: Push, *, patience: float = PATIENCE, next_try: float = NEXT_TRY,
                 pause: float = PAUSE) -> None:
        self._push = push
        self._patience = patience
        self._next_try = next_try
        self._pause = pause
        self._works: dict[str, _Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def reply(self, chat: str, key: str, take: Take, waited: float = 0.0) -> Reply | None:
        """What to reply with; None: nothing is known yet, do not acknowledge. `waited`: seconds since it came in.

        `take` stores what came in and gives its answer; it is called once for all deliveries that come meanwhile. What
        it raises is raised here: then nothing was stored.
        """
        work = self._works.get(key)
        if work is None:
            work = self._works[key] = _Work(asyncio.ensure_future(take()))
            self._go(self._follow(key, work))
        work.tries += 1
        work.waiting += 1
        work.asked.set()
        try:
            done, _ = await asyncio.wait({work.task}, timeout=max(self._patience - waited, 0.0))
        finally:
            work.waiting -= 1
        if not done:
            return None
        answer = work.task.result()
        if answer is None or work.gone:
            return Reply("", _nothing)
        first, *others = pieces(answer.messages) or [""]
        if work.carried:
            return Reply(first, _nothing)
        work.carried = True
        left = asyncio.Event()
        self._go(self._after(left, chat, others, answer))
        return Reply(first, partial(_set, left))

    async def settle(self) -> None:
        """Returns once what is under way is stored and has left, or has been left to delivery."""
        for work in self._works.values():
            work.asked.set()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _after(self, left: asyncio.Event, chat: str, others: Sequence[str], answer: Answer) -> None:
        """When the first piece has left, the others follow: before that, they would stand above it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(left.wait(), LEAVES)
        if others:
            await asyncio.sleep(self._pause)
            await self._push(chat, others, answer)
        else:
            answer.carried()

    async def _follow(self, key: str, work: _Work) -> None:
        """Sees to it that an answer which no request took leaves all the same."""
        try:
            answer = await asyncio.shield(work.task)
        except Exception:
            self._works.pop(key, None)  # nothing was stored: the next delivery begins anew
            return
        if work.waiting == 0 and work.tries < TRIES and not work.carried:
            work.asked.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(work.asked.wait(), self._next_try)
        if answer is not None and not work.carried and work.waiting == 0:
            work.gone = True
            await answer.send()
        asyncio.get_running_loop().call_later(KEPT, self._works.pop, key, None)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _nothing() -> None:
    """What a reply without an answer has to do when it left."""


async def _set(left: asyncio.Event) -> None:  # a plain function would be called in a thread
    left.set()
