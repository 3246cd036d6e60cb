"""Does the jobs that wait: under a lease, in chunks, telling their asker how it goes. Killed anywhere, it goes on.

A handler is a coroutine of a `Task`, named in `bot/kinds.py`. It reads `task.cursor` to see where it is, writes by
`task.step`, and closes with `task.end`; everything it has not written by these two it may have to do again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from bot.channels.base import Now, RetryAt
from bot.logs import where
from conversations import menus
from conversations.engine import Part
from storage import accounts, files, jobs, outbox, pages
from storage.database import Store, StoreUnavailable, Tx
from storage.ids import instant
from storage.jobs import Asker, Ended, Job
from storage.outbox import Outgoing

log = structlog.get_logger()
T = TypeVar("T")

BEAT = 1.0  # seconds between looks at what waits
MOST = 2  # jobs at once in one process
QUIET = timedelta(seconds=3)  # between two words about how far a job is
CLEANING = timedelta(hours=1)
PATIENCE = timedelta(hours=1)  # for a platform that gives no file


class Stopped(Exception):
    """The job was cancelled, or another process is further: nothing of this step was kept."""


class Task:
    """One job in the hands of a handler."""

    def __init__(self, store: Store, job: Job, now: Now, edits: bool) -> None:
        self.store = store
        self.job = job
        self.now = now
        self.cursor = job.cursor
        self._edits = edits
        self._told = now()

    @property
    def person(self) -> str:
        """Who asked; empty where nobody did."""
        return self.job.asker.person_id if self.job.asker else ""

    async def step(self, work: Callable[[Tx], T], cursor: Callable[[T], str], key: str = "") -> T:
        """Does a unit of work and moves the cursor to what `cursor` makes of its result, both or neither.

        Raises Stopped, StoreUnavailable, and what the work raises.
        """
        now = self.now()

        def both(tx: Tx) -> tuple[T, str]:
            done = work(tx)
            stands = cursor(done)
            if not jobs.move(tx, self.job.id, self.cursor, stands, now):
                raise Stopped
            return done, stands

        done, self.cursor = await self.store.run(both, key, patient=True)
        return done

    async def tell(self, *parts: Part) -> None:
        """Says how far it is: seldom, in one message that is edited; where a channel cannot edit, not at all."""
        now, asker = self.now(), self.job.asker
        if asker is None or not self._edits or now - self._told < QUIET:
            return
        self._told = now

        def work(tx: Tx) -> None:
            shown = outbox.receipt(tx, self._shown)
            if shown is None or shown:  # nothing was said yet, or what was said can be edited by now
                row = Outgoing(tx.new_id(now), asker.channel, asker.chat, "reply", "reply",
                               {"parts": parts, "edits": shown or ""})
                outbox.add(tx, row, now, unique_key=None if shown else self._shown)

        await self.store.run(work)

    async def end(self, state: Ended, say: Callable[[Tx], Sequence[Part]], work: Callable[[Tx], Any] | None = None,
                  **more: Any) -> None:
        """Ends the job, or lets it ask, and says so in its asker's chat, with `work`: all or nothing.

        `more` is kept in the job's fields. Raises Stopped, StoreUnavailable.
        """
        now, job = self.now(), self.job

        def all_of_it(tx: Tx) -> None:
            if not jobs.end(tx, job, self.cursor, state, now, **more):
                raise Stopped
            if work is not None:
                work(tx)
            parts = tuple(say(tx))
            if job.asker is not None and parts:
                say_to(tx, job.asker, parts, now)

        await self.store.run(all_of_it)

    async def fail(self, *parts: Part) -> None:
        """Ends the job with these words: nothing more can be done with it."""
        await self.end("failed", lambda tx: parts)

    @property
    def _shown(self) -> str:
        return f"job:{self.job.id}"


def say_to(tx: Tx, asker: Asker, parts: tuple[Part, ...], now: datetime) -> None:
    """Says something in the chat of whoever asked, if it is still his; the numbers of its buttons can be typed."""
    bound = accounts.in_chat(tx, asker.channel, asker.chat)
    if bound is None or bound[1] != asker.person_id:
        return
    row = Outgoing(tx.new_id(now), asker.channel, asker.chat, "reply", "reply", {"parts": parts, "edits": ""})
    outbox.add(tx, row, now)
    menus.keep(tx, asker.channel, bound[0], parts)


Handler = Callable[[Task], Awaitable[None]]


class Runner:
    """The one place of a process where jobs are done. `edits` are the channels that can edit a message."""

    def __init__(self, store: Store, kinds: Mapping[str, Handler], edits: frozenset[str], now: Now) -> None:
        self._store = store
        self._kinds = kinds
        self._edits = edits
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self._clean_at = now()

    async def run(self, stop: asyncio.Event) -> None:
        """Looks once a beat for what waits; what runs when it is stopped goes on after the next start."""
        freed = self._store.dialect != "sqlite"  # no other process works on such a file: its leases are a dead one's
        while not stop.is_set():
            try:
                if not freed:
                    await self._store.run(jobs.free)
                    freed = True
                await self.beat()
            except StoreUnavailable:
                log.warning("the jobs cannot be read")
            except Exception as error:  # the next look may go well
                log.error("the jobs were left", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def beat(self) -> None:
        """Begins what waits and is free, as far as there are hands for it."""
        await self._clean()
        kinds = frozenset(self._kinds)
        while len(self._tasks) < MOST:
            job = await self._store.run(lambda tx: jobs.take(tx, kinds, self._now()))
            if job is None:
                return
            task = asyncio.get_running_loop().create_task(self._do(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Returns once nothing that could be begun is left, and nothing runs."""
        await self.beat()
        while self._tasks:
            await asyncio.gather(*self._tasks)
            await self.beat()

    async def _do(self, job: Job) -> None:
        task = Task(self._store, job, self._now, job.asker is not None and job.asker.channel in self._edits)
        holding = asyncio.get_running_loop().create_task(self._hold(job))
        try:
            await self._kinds[job.kind](task)
        except Stopped:
            log.info("job stopped", kind=job.kind)
        except RetryAt as busy:
            await self._again(task, busy.seconds)
        except StoreUnavailable:
            log.warning("job waits for the database", kind=job.kind)
        except Exception as error:
            log.error("job failed", kind=job.kind, error=type(error).__name__, where=where(error))
            await self._failed(task, ("files.trouble", {}))
        finally:
            holding.cancel()

    async def _again(self, task: Task, seconds: float) -> None:
        now = self._now()
        begun = instant(int(task.job.id[:12], 16))  # a UUIDv7 begins with its time
        if now - begun > PATIENCE:
            await self._failed(task, ("files.trouble", {}))
            return
        with suppress(StoreUnavailable):
            await self._store.run(lambda tx: jobs.give_back(tx, task.job.id, now + timedelta(seconds=seconds)))

    async def _failed(self, task: Task, part: Part) -> None:
        with suppress(Stopped, StoreUnavailable):
            await task.fail(part)

    async def _hold(self, job: Job) -> None:
        """Keeps the lease as long as this process lives."""
        while True:
            await asyncio.sleep(jobs.LEASE.total_seconds() / 3)
            with suppress(StoreUnavailable):
                await self._store.run(lambda tx: jobs.renew(tx, job.id, self._now()))

    async def _clean(self) -> None:
        """Deletes files and pages whose time is over."""
        now = self._now()
        if now < self._clean_at:
            return

        def work(tx: Tx) -> None:
            files.forget(tx, now)
            pages.forget(tx, now)

        await self._store.run(work)
        self._clean_at = now + CLEANING
