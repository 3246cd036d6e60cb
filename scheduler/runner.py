"""The clock of a running process: APScheduler beats, and every beat is a tick."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from scheduler import tick
from scheduler.policy import Policies
from storage.database import Store, StoreUnavailable

log = structlog.get_logger()

BEAT = 60  # seconds


class Ticker:
    """Ticks from the start on and then each minute. Nothing is remembered here: what is due stands in the database."""

    def __init__(self, store: Store, policies: Policies, now: Callable[[], datetime]) -> None:
        self._store, self._policies, self._now = store, policies, now
        self._one_at_a_time = asyncio.Lock()

    def start(self) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # late: it takes a while to import

        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_job(self.beat, "interval", seconds=BEAT, next_run_time=datetime.now(UTC), coalesce=True,
                                max_instances=1, misfire_grace_time=None)
        self._scheduler.start()

    def stop(self) -> None:
        """Ends the beats. A sweep under way is cut between two units of work, and goes on after the next start."""
        self._scheduler.shutdown(wait=False)

    async def beat(self) -> None:
        """One tick at the time that it is."""
        async with self._one_at_a_time:
            try:
                await tick.tick(self._store, self._now(), self._policies)
            except StoreUnavailable:
                log.warning("the clock waits for the database")
