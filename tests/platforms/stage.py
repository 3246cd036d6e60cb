"""What a test needs of a platform, and the stage on which transcripts and cases are played on it."""

import asyncio
from typing import Any, Protocol

from bot.channels.base import Channel
from conversations.message import Inbound
from tests.conversations.transcript import AGAIN
from tests.fakes.house import PEOPLE, PHONES, Running, Shown, find_account, name_of

PATIENCE = 10.0  # seconds
_ORDER = (*PEOPLE, *PHONES)


class Platform(Protocol):
    """One platform: its strict fake on loopback, the channel before it over real HTTP, and people with its phones.

    What they do is named as `Inbound` names it; `blocks` is to stop the bot or to unfollow it, until he writes again.
    """

    channel: Channel

    async def does(self, who: str, fields: dict[str, Any]) -> int:
        """Somebody does this on his phone; gives how many times the bot will hear of it. Need not wait for that."""
        ...

    async def again(self, count: int) -> None:
        """The last so many deliveries come again, as they came."""
        ...

    async def rests(self) -> None:
        """Returns once nothing is on its way: every delivery was acknowledged."""
        ...

    async def news(self) -> list[tuple[str, Shown]]:
        """What came or changed on anybody's phone since this was last asked, oldest first: whose account, and what."""
        ...

    async def file(self, who: str) -> bytes:
        """The file that he was last sent."""
        ...


class OnPlatform:
    """The stage: everything a person does goes over HTTP, and what he sees is what his phone shows."""

    def __init__(self, running: Running, platform: Platform) -> None:
        self.running, self._platform = running, platform
        self._handled: asyncio.Queue[Inbound] = asyncio.Queue()
        self._last = 0

    async def handle(self, inbound: Inbound) -> None:
        """What the channel is given to call."""
        await self.running.handle(inbound)
        self._handled.put_nowait(inbound)

    async def act(self, who: str, inbounds: list[dict[str, Any]]) -> list[Shown]:
        if inbounds == [AGAIN]:
            await self._platform.again(self._last)
        else:
            self._last = sum([await self._platform.does(who, fields) for fields in inbounds])
        async with asyncio.timeout(PATIENCE):
            for _ in range(self._last):
                await self._handled.get()
            await self.running.delivery.settle()
            await self._platform.rests()
        return await self._news(who)

    async def sweep(self) -> list[tuple[str, Shown]]:
        await self.running.delivery.sweep()
        told = [(name_of(account), shown) for account, shown in await self._platform.news()]
        return sorted(told, key=lambda each: _ORDER.index(each[0]))

    async def work(self, who: str) -> list[Shown]:
        await self.running.work()
        return await self._news(who)

    async def file(self, who: str) -> bytes:
        return await self._platform.file(who)

    async def _news(self, who: str) -> list[Shown]:
        return [shown for account, shown in await self._platform.news() if account == find_account(who)]
