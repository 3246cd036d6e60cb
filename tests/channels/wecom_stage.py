"""The made-up village on WeCom: the channel over real HTTP and crypto before the strict fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

from bot.channels.base import Handle
from bot.channels.wecom import Application, WeCom
from bot.channels.wecom_join import Joining
from storage.database import Store
from tests.fakes.house import PEOPLE, PUBLIC, START, ZONE, Originals, Running, Village
from tests.fakes.served import served
from tests.fakes.wecom_api import FakeWeCom
from tests.fakes.wecom_people import Delivery, Member


@dataclass
class Stage:
    """One bot, one platform, and the village's people on it (`stage.who("王强")`)."""

    running: Running
    channel: WeCom
    fake: FakeWeCom

    @property
    def store(self) -> Store:
        return self.running.store

    @property
    def village(self) -> Village:
        return self.running.village

    def who(self, name: str) -> Member:
        return self.fake.person(PEOPLE[name][0] if name in PEOPLE else name)

    async def settle(self) -> None:
        """Returns once everything that was to leave has left."""
        await self.running.delivery.settle()

    async def after(self, delivery: Delivery) -> Delivery:
        """What somebody did, once it is answered."""
        assert delivery.statuses[-1] == 200
        await self.settle()
        return delivery


@asynccontextmanager
async def staged(originals: Originals, *, handle: Handle | None = None, patience: float = 4.5, **fake_settings: Any,
                 ) -> AsyncIterator[Stage]:
    """`patience` in seconds; `handle` stands for what the bot does with an inbound."""
    store, village = await originals.store("wecom")
    now: list[Any] = [lambda: START]
    async with FakeWeCom(lambda: now[0](), **fake_settings) as fake:
        application = Application(fake.corp_id, fake.agent_id, fake.secret, fake.token, fake.aes_key, fake.url)
        channel = WeCom(application, store, lambda: now[0](), ZONE, patience=patience)
        running = Running(store, village, channel)
        running.wecom = fake.url
        running.use(running.book)
        now[0] = running.now
        for name, (account, *_) in PEOPLE.items():
            fake.person(account, name)
        try:
            joining = Joining(channel.calls, store, lambda: now[0](), fake.corp_id, fake.agent_id, PUBLIC)
            heard = handle or running.handle
            async with served(Starlette(routes=[*channel.routes(heard), *joining.routes(heard)])) as fake.bot_url:
                yield Stage(running, channel, fake)
        finally:
            await channel.close()
            store.close()
