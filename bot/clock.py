"""Now: the wall's, or on the playground the wall's plus an offset that is kept in the database and only grows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from scheduler import tick
from scheduler.policy import Policies
from scheduler.report import Report
from storage import meta, ticks
from storage.database import Store, Tx

OFFSET = "clock_offset_seconds"
SILENT = timedelta(minutes=5)  # without a tick, after which the clock is said to stand still


class ClockGoesForward(Exception):
    """The time wanted is not later than the one it is."""


def wall() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


class PlaygroundClock:
    """A clock that a person can move forward.

    `settle` returns when nothing is under way; `act` does what is due now and sends it. Both at every due instant in
    its turn, at which the clock stands still meanwhile. Killed on the way it goes on from the instant where it was:
    only the time wanted is forgotten.
    """

    def __init__(self, store: Store, policies: Policies, offset: timedelta, settle: Callable[[], Awaitable[None]],
                 act: Callable[[Report | None], Awaitable[None]]) -> None:
        self._store, self._policies = store, policies
        self._offset = offset
        self._still: datetime | None = None
        self._settle, self._act = settle, act
        self._one_at_a_time = asyncio.Lock()

    def now(self) -> datetime:
        return self._still or wall() + self._offset

    async def follow(self) -> None:
        """Goes on to where another process of this playground has moved the clock."""
        kept = await self._store.read(kept_offset)
        if kept is not None:
            self._offset = max(self._offset, kept)

    async def move(self, to: datetime, report: Report | None = None) -> None:
        """Sets the clock to a later time, by way of every due instant. Raises ClockGoesForward."""
        async with self._one_at_a_time:
            await self._settle()
            await self.follow()
            if to <= self.now():
                raise ClockGoesForward
            try:
                while (due := await self._store.read(self._next_due)) < to:
                    await self._stand_at(due, report)
                await self._stand_at(to, report)
            finally:
                self._still = None

    def _next_due(self, tx: Tx) -> datetime:
        return tick.next_due(tx, self.now(), self._policies)

    async def _stand_at(self, at: datetime, report: Report | None) -> None:
        offset = at - wall()
        await self._store.run(lambda tx: _keep(tx, offset))
        self._still, self._offset = at, offset
        await self._act(report)
        await self._settle()


def kept_offset(tx: Tx) -> timedelta | None:
    """How far this database's playground clock is ahead; None where it was never moved."""
    kept = meta.get(tx, OFFSET)
    return timedelta(seconds=float(kept)) if kept else None


def _keep(tx: Tx, offset: timedelta) -> None:
    kept = kept_offset(tx)
    if kept is None or offset > kept:
        meta.put(tx, OFFSET, str(offset.total_seconds()))


def standing(tx: Tx, now: datetime) -> list[str]:
    """For the operator: when the clock last ticked, and which sweep failed and was not done since."""
    done = [each.done_at for each in ticks.last(tx) if each.done_at]
    last = max(done, default=None)
    if last is None:
        found = ["WARNING   the clock has not ticked yet: serve does it each minute"]
    else:
        found = [f"clock     last ticked {last:%Y-%m-%d %H:%M:%S} UTC, {_ago(now - last)}"]
        if now - last > SILENT:
            found.append("WARNING   the clock stands still, no reminder is made: serve does it each minute")
    return found + [f"WARNING   the sweep \"{each.sweep}\" failed {_ago(now - each.at)} ({each.error}): the log says "
                    "more, and it is tried again each minute" for each in tick.failures(tx)]


def _ago(passed: timedelta) -> str:
    minutes = int(passed.total_seconds()) // 60
    if minutes < 1:
        return "just now"
    return f"{minutes} minutes ago" if minutes < 120 else f"{minutes // 60} hours ago"
