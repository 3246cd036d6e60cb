"""Photos and voice notes from the channels: beside the messages, so that a slow platform holds up none of them."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.channels.base import Channel, Now, RetryAt, SendFailure
from bot.channels.kept import Kept
from conversations.message import Media
from storage import media
from storage.database import Store, StoreUnavailable

BEAT = 1.0  # seconds between looks
LONGEST_WAIT = 300.0  # seconds between two tries of one
log = structlog.get_logger()


class Fetching:
    """Fetches what waits. What the platform refuses is given up after some tries; while it is away none is counted:
    platforms keep media for days.
    """

    def __init__(self, store: Store, channels: Mapping[str, Channel], now: Now) -> None:
        self._store = store
        self._channels = channels
        self._now = now
        self._later: Kept[tuple[datetime, float]] = Kept()  # what was tried in vain: until when, after how many seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Looks once a beat."""
        while not stop.is_set():
            try:
                await self.fetch()
            except StoreUnavailable:
                log.warning("no media could be kept")
            except Exception as error:  # the next look may go well
                log.error("media were left", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT)

    async def fetch(self) -> None:
        """Fetches what waits now. Raises StoreUnavailable."""
        for name, channel in self._channels.items():
            for item, kind, ref in await self._store.read(partial(media.waiting, channel=name)):
                until, waited = self._later.get(item, (self._now(), 0.0))
                if until <= self._now():
                    await self._one(channel, item, Media(kind, ref), waited)

    async def _one(self, channel: Channel, item: str, wanted: Media, waited: float) -> None:
        try:
            body = await channel.fetch(wanted)
        except RetryAt as busy:
            wait = min(max(busy.seconds, 2 * waited), LONGEST_WAIT)
            self._later.put(item, (self._now() + timedelta(seconds=wait), wait))
        except SendFailure:
            await self._store.run(partial(media.failed, item=item))
        else:
            await self._store.run(partial(media.fill, item=item, body=body))
