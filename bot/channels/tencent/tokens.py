"""An application's access token, shared by every process through the database: one renews it, the others wait."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.channels.base import Now, Refused, RetryAt
from storage import platform_tokens
from storage.database import Store

LOOK_AGAIN = 0.1  # seconds between looks at whether another process has the new one
PATIENCE = 20.0  # seconds for all of it
BUSY = 5.0

# Fetches a token and gives it with the seconds that it lasts; True: a new one, though the old one has not run out.
Fetch = Callable[[bool], Awaitable[tuple[str, float]]]


def token_in(answer: Mapping[str, Any]) -> tuple[str, float]:
    """The token of an answer, and the seconds that it lasts. Raises Refused."""
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
        raise Refused("no token in the answer")
    return token, float(seconds)


class Tokens:
    """The token called `name`. `fetch` asks the platform (with a time-out of its own) and raises SendFailure."""

    def __init__(self, store: Store, name: str, fetch: Fetch, now: Now) -> None:
        self._store = store
        self._name = name
        self._fetch = fetch
        self._now = now
        self._one = asyncio.Lock()  # of one process one asks
        self._kept, self._until = "", now()

    async def get(self, refused: str = "") -> str:
        """A token; another than `refused`, where the platform took that one no more. Raises SendFailure."""
        if self._kept and self._kept != refused and self._now() < self._until:
            return self._kept
        try:
            async with asyncio.timeout(PATIENCE), self._one:
                if not self._kept or self._kept == refused or self._now() >= self._until:
                    self._kept = await self._shared(refused)
                    self._until = self._now() + platform_tokens.MARGIN / 2
                return self._kept
        except TimeoutError:
            raise RetryAt(BUSY) from None

    async def _shared(self, refused: str) -> str:
        while True:
            found = await self._store.read(
                lambda tx: platform_tokens.find(tx, self._name, self._now(), refused))
            if found:
                return found
            taken = await self._store.run(lambda tx: platform_tokens.take(tx, self._name, self._now(), refused))
            if taken.token:
                return taken.token
            if taken.renew:
                return await self._renew(refused)
            await asyncio.sleep(LOOK_AGAIN)

    async def _renew(self, refused: str) -> str:
        try:
            token, seconds = await self._fetch(False)
            # by the platform's calendar it is good still
            if token == refused and await self._store.run(
                    lambda tx: platform_tokens.may_force(tx, self._name, self._now())):
                token, seconds = await self._fetch(True)
        except BaseException:
            await self._store.run(lambda tx: platform_tokens.let_go(tx, self._name))
            raise
        until = self._now() + timedelta(seconds=seconds)
        await self._store.run(lambda tx: platform_tokens.keep(tx, self._name, token, until))
        return token
