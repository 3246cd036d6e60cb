"""Now: the wall's, or on the playground the wall's plus an offset that is kept in the database and only grows."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from storage import meta
from storage.database import Store, Tx

OFFSET = "clock_offset_seconds"


class ClockGoesForward(Exception):
    """The time wanted is not later than the one it is."""


def wall() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


class PlaygroundClock:
    """A clock that a person can move forward.

    `before_moving` runs first, so that nothing is under way; `after_moving` does what is due by the new time.
    """

    def __init__(self, store: Store, offset: timedelta, before_moving: Callable[[], Awaitable[None]],
                 after_moving: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._offset = offset
        self._before_moving, self._after_moving = before_moving, after_moving

    def now(self) -> datetime:
        return wall() + self._offset

    async def move(self, to: datetime) -> None:
        """Sets the clock to a later time. Raises ClockGoesForward."""
        await self._before_moving()
        ahead = to - self.now()
        if ahead <= timedelta(0):
            raise ClockGoesForward
        offset = self._offset + ahead
        await self._store.run(lambda tx: meta.put(tx, OFFSET, str(offset.total_seconds())))
        self._offset = offset
        await self._after_moving()


def kept_offset(tx: Tx) -> timedelta | None:
    """How far this database's playground clock is ahead; None where it was never moved."""
    kept = meta.get(tx, OFFSET)
    return timedelta(seconds=float(kept)) if kept else None
