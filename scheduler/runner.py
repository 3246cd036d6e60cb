"""The clock of a running process: APScheduler beats, and every beat is a tick; that of alerts beats by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from scheduler import tick
from scheduler.policy import Policies
from scheduler.report import Report
from storage.database import Store, StoreUnavailable

log = structlog.get_logger()

BEAT = 60  # seconds
ALERT_BEAT = 5  # seconds


class Ticker:
    """Ticks from the start on and then each minute, and looks after alerts each few seconds.

    Nothing is remembered here: what is due stands in the database.
    """

    def __init__(self, store: Store, policies: Policies, now: Callable[[], datetime],
                 before: Callable[[], Awaitable[None]]) -> None:
        """`before` is done before each beat."""
        self._store, self._policies, self._now, self._before = store, policies, now, before
        self._one_at_a_time = asyncio.Lock()

    def start(self) -> None:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # late: it takes a while to import

        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_job(self.beat, "interval", seconds=BEAT, next_run_time=datetime.now(UTC), coalesce=True,
                                max_instances=1, misfire_grace_time=None)
        self._scheduler.add_job(self.alert_beat, "interval", seconds=ALERT_BEAT, coalesce=True, max_instances=1,
                                misfire_grace_time=None)
        self._scheduler.start()

    def stop(self) -> None:
        """Ends the beats. A sweep under way is cut between two units of work, and goes on after the next start."""
        self._scheduler.shutdown(wait=False)

    async def beat(self, report: Report | None = None) -> None:
        """One tick at the time that it is; `report` is given what it does."""
        async with self._one_at_a_time:
            try:
                await self._before()
                await tick.tick(self._store, self._now(), self._policies, report=report)
            except StoreUnavailable:
                log.warning("the clock waits for the database")

    async def alert_beat(self) -> None:
        """The sweeps of alerts alone, where one waits: by a single look, so that it may be often (C11)."""
        now = self._now()
        try:
            if await self._store.read(lambda tx: tick.alert_waits(tx, now)):
                await tick.tick(self._store, now, self._policies, tick.ALERTS)
        except StoreUnavailable:
            log.warning("alerts wait for the database")
