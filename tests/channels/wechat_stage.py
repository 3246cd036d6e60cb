"""The made-up village on an Official Account: the channel over real HTTP and crypto before the strict fake."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from starlette.applications import Starlette

from bot.channels.wechat import Account, WeChat
from bot.channels.wechat_menu import Menus
from bot.channels.wechat_templates import Templates
from conversations.words_book import Words
from scheduler import notices
from scheduler.notices import VisitDue
from storage.database import Store
from storage.tables import outbox
from tests.fakes.house import PEOPLE, START, Originals, Running, Village
from tests.fakes.served import served
from tests.fakes.wechat_api import FakeWeChat
from tests.fakes.wechat_people import Person

TEMPLATES = """
[other]
template = "T-other"
fields = { thing1 = "{{ line }}", time2 = "{{ time }}" }
"""


@dataclass
class Stage:
    """One bot, one platform, and the village's people on it (`stage.who("王强")`)."""

    running: Running
    channel: WeChat
    fake: FakeWeChat
    menus: Menus

    @property
    def store(self) -> Store:
        return self.running.store

    @property
    def village(self) -> Village:
        return self.running.village

    def who(self, name: str) -> Person:
        return self.fake.person(PEOPLE[name][0] if name in PEOPLE else name)


@asynccontextmanager
async def staged(originals: Originals, *, templates: Path | None = None, patience: float = 4.5, next_try: float = 0.0,
                 **fake_settings: Any) -> AsyncIterator[Stage]:
    """`patience` and `next_try` in seconds, as in `Answers`."""
    store, village = await originals.store("wechat")
    now: list[Any] = [lambda: START]
    async with FakeWeChat(lambda: now[0](), **fake_settings) as fake:
        fake.templates["T-other"] = ("thing1", "time2")
        account = Account(fake.app_id, fake.secret, fake.token, fake.aes_key, fake.url)
        channel = WeChat(account, store, Templates(templates, Words().phrase), lambda: now[0](), START.tzinfo,
                         patience=patience, next_try=next_try, pause=0.1)
        running = Running(store, village, channel)
        now[0] = running.now
        menus = Menus(channel.calls, store)
        for openid, *_ in PEOPLE.values():
            fake.person(openid)
        try:
            async with served(Starlette(routes=channel.routes(
                    running.answer, menus.follow, running.delivery.not_through))) as fake.bot_url:
                yield Stage(running, channel, fake, menus)
        finally:
            await channel.close()
            store.close()


async def remind(stage: Stage, name: str = "王强", elder: str = "张桂芳3组") -> None:
    """Queues a reminder that a visit is due, and sends what waits."""
    village, now = stage.village, stage.running.now()
    await stage.store.run(lambda tx: notices.tell(tx, VisitDue(
        person=village.people[name], elder=village.elders[elder], due_until="2026-03-31"), now))
    await stage.running.delivery.sweep()


async def state_of(stage: Stage, wanted: str = "reply") -> list[tuple[str, str | None]]:
    """State and receipt of the outbox rows of one kind."""
    await stage.channel.quiet()
    await stage.running.delivery.flush()
    return [tuple(row) for row in await stage.store.read(lambda tx: tx.all(
        select(outbox.c.state, outbox.c.receipt).where(outbox.c.kind == wanted).order_by(outbox.c.id)))]
