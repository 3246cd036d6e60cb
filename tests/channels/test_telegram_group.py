"""A village's group on Telegram, over HTTP with the strict fake: bound, alerted, claimed in, migrated, thrown out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from scheduler import alerting
from storage import accounts, areas, groups, people
from storage.crypto import Keys
from storage.database import Tx
from tests.fakes.house import Originals
from tests.fakes.telegram_api import USERNAME, FakeTelegram
from tests.fakes.telegram_people import Chat, Person
from tests.platforms.stage import PATIENCE, OnPlatform
from tests.platforms.telegram import TelegramPlatform, telegram

ELDER = "张桂芳3组"


class Village:
    """周梅 who coordinates, 王强 who visits, somebody whom nobody knows, and a group that they are in."""

    def __init__(self, stage: OnPlatform) -> None:
        self.stage, self.running = stage, stage.running
        platform = stage._platform
        assert isinstance(platform, TelegramPlatform)
        self.fake: FakeTelegram = platform._fake
        self.mei, self.wang, self.stranger = (self.fake.person(*each) for each in (
            (7101, "周梅"), (7001, "王强"), (7999, "路人")))
        self.group = self.fake.group(-55, "建设村工作群")

    async def meet(self) -> None:
        def work(tx: Tx) -> None:
            now = self.running.now()
            mei = people.add(tx, areas.named(tx, "建设村")[0].id, "周梅", ("village",), now).id
            accounts.bind(tx, "telegram", "7101", "7101", mei, now)
            self.running.village.people["周梅"] = mei
        await self.running.store.run(work)
        for person in (self.mei, self.wang):  # a bot cannot write first
            await person.says("你好")
            await self.handled()

    async def handled(self) -> None:
        """What was done reached the bot, and all that came of it is sent."""
        async with asyncio.timeout(PATIENCE):
            await self.stage._handled.get()
        await self.running.delivery.settle()
        await self.running.delivery.sweep()

    async def says(self, who: Person, text: str, group: Chat | None = None) -> None:
        await who.says(text, group)
        await self.handled()

    async def taps(self, who: Person, label: str, group: Chat | None = None) -> None:
        await who.taps(label, group)
        await self.handled()

    async def membership(self, group: Chat, was: str, became: str) -> None:
        """The bot's standing in a group changes by 周梅's doing."""
        bot: dict[str, Any] = {"id": 110201543, "is_bot": True, "first_name": "bot", "username": USERNAME}
        self.fake.emit(group.id, "my_chat_member", {
            "chat": group.about(), "from": self.mei.about(), "date": self.fake.clock(),
            "old_chat_member": {"status": was, "user": bot}, "new_chat_member": {"status": became, "user": bot}})
        await self.handled()

    async def service(self, group: Chat, **content: Any) -> None:
        """Telegram's own line in the group."""
        self.fake.emit(group.id, "message", {"message_id": 9000, "from": self.mei.about(), "chat": group.about(),
                                             "date": self.fake.clock(), **content})
        await self.handled()

    async def bound(self) -> None:
        await self.says(self.mei, f"/bindgroup@{USERNAME}", self.group)
        await self.taps(self.mei, "确认绑定")

    async def alarm(self, kind: str = "fall") -> None:
        self.running.later(3600)
        await self.running.store.run(lambda tx: alerting.raise_alert(
            tx, self.running.village.elders[ELDER], kind, "person", None, self.running.policies, self.running.now()))
        await self.running.delivery.sweep()

    def lines(self, group: Chat | None = None) -> list[str]:
        return [each.text for each in (group or self.group).messages.values() if each.by_bot]

    def toasts(self) -> list[str]:
        return [call.params["text"] for call in self.fake.called("answerCallbackQuery") if "text" in call.params]


@pytest_asyncio.fixture
async def village(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> AsyncIterator[Village]:
    async with telegram(Originals(tmp_path_factory.mktemp("village"), keys), mode="polling", abroad=True) as stage:
        found = Village(stage)
        await found.meet()
        yield found


async def test_from_the_bot_s_coming_to_a_claim(village: Village) -> None:
    await village.membership(village.group, "left", "member")
    assert "绑定本群" in village.lines()[0]
    await village.bound()
    assert "绑定到建设村" in village.lines()[1]
    await village.alarm()
    assert village.lines()[2].startswith("警报 A-0001 · 3组 张某 · 人身求助 · 待认领")
    await village.taps(village.stranger, "我去处理", village.group)
    assert "只有本村" in village.toasts()[-1] and village.stranger.chat == []
    await village.taps(village.wang, "我去处理", village.group)
    assert "您去处理" in village.toasts()[-1] and "张某" in village.wang.chat[-1].text
    assert "王某" in village.lines()[2] and "去处理了" in village.lines()[2] and len(village.lines()) == 3
    assert not any(each.labels for each in village.group.messages.values() if each.by_bot)


async def test_a_group_that_grew_and_one_that_threw_the_bot_out(village: Village) -> None:
    await village.bound()
    grown = village.fake.migrate(village.group)
    await village.alarm()  # before Telegram's own line of it came
    await village.running.delivery.sweep()
    assert "人身求助" in village.lines(grown)[-1]
    await village.service(village.group, migrate_to_chat_id=grown.id)
    found = await village.running.store.read(lambda tx: groups.at(tx, "telegram", str(grown.id)))
    assert found is not None and found.state == "bound"
    await village.membership(grown, "member", "kicked")
    assert "不在建设村的一个群里了" in village.mei.chat[-1].text
    await village.alarm("gas")
    assert len(village.lines(grown)) == 1


async def test_where_who_bound_it_leaves_the_group_others_are_asked(village: Village) -> None:
    await village.bound()
    await village.says(village.fake.person(7003, "赵敏"), "你好")
    await village.service(village.group, left_chat_member=village.wang.about())
    await village.service(village.group, left_chat_member=village.mei.about())
    asked = village.fake.person(7003, "赵敏").chat[-1]
    assert "周梅" in asked.text and "收警报的群" in asked.text
    await village.alarm()
    assert "人身求助" in village.lines()[-1]


@pytest.mark.parametrize("name", ["<b>粗体", "_*[张]`", "👵🏽王大娘", "\u202e张桂芳", "&amp;某"])
async def test_marks_in_a_name_break_no_message(village: Village, name: str) -> None:
    from storage.tables import elders
    await village.bound()
    await village.running.store.run(lambda tx: tx.run(elders.update().where(
        elders.c.id == village.running.village.elders[ELDER]).values(name=name)))
    await village.alarm()
    assert "某 · 人身求助 · 待认领" in village.lines()[-1] and name not in village.lines()[-1]
    await village.taps(village.wang, "我去处理", village.group)
    assert "去处理了" in village.lines()[-1]
