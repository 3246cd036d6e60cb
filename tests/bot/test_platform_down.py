"""A platform that is down for ten minutes: alerts go out elsewhere, or when it is back; the coordinator sees who waits."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.channels import telegram_calls
from bot.channels.telegram import Telegram
from bot.delivery import ALERT_WAIT, Delivery
from conversations import book as books
from conversations.turn import House
from scheduler import alerting, policy, tick
from storage import accounts, alert_told
from storage.database import Store, Tx
from tests.fakes.house import Recorder
from tests.fakes.telegram_api import FakeTelegram
from tests.scheduler.test_alerting import Village, only, raised, settle

POLICIES = policy.load()
SWEEPS = {name: sweep for name, sweep in tick.SWEEPS.items() if name.startswith("alerts")}
FIRST_CHAT = 9000
PATIENCE = 0.05  # seconds that the bot waits for an answer


async def _nothing(wanted: Any, words: Any) -> None:
    return None


@dataclass
class Down:
    """A village whose people are all on Telegram, and all but the daughter on a second channel too."""

    store: Store
    village: Village
    fake: FakeTelegram
    telegram: Telegram
    at: datetime
    second: Recorder = field(default_factory=Recorder)

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.store, {"telegram": self.telegram, "test": self.second},
                                 House(books.from_folder(), POLICIES), lambda: self.at, _nothing)

    async def beat(self, **later: float) -> None:
        """What the clock and the outbox do so much later."""
        self.at += timedelta(**later)
        assert not await tick.tick(self.store, self.at, POLICIES, SWEEPS)
        await self.delivery.sweep()

    def on_telegram(self, name: str) -> list[str]:
        chat = self.fake.person(FIRST_CHAT + [*self.village.people].index(name), name).private
        return [message.text for message in chat.messages.values() if message.by_bot]

    def on_second(self, name: str) -> list[str]:
        return [shown.text for shown in self.second.sent.get(str([*self.village.people].index(name)), ())]

    async def states(self) -> dict[str, str]:
        alert = await only(self.store)
        told = await self.store.read(lambda tx: alert_told.of(tx, alert.id))
        return {self.village.names([each.person_id])[0]: each.state for each in told}


@pytest.fixture
async def down(store: Store, now: datetime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Down]:
    monkeypatch.setattr(telegram_calls, "READ", PATIENCE)
    village = await store.run(lambda tx: settle(tx, now - timedelta(days=2)))

    def bind(tx: Tx) -> None:
        for number, (name, person) in enumerate(village.people.items()):
            account = str(FIRST_CHAT + number)
            if name == "child":
                accounts.remove(tx, accounts.of(tx, person)[0], person, now)
            accounts.bind(tx, "telegram", account, account, person, now - timedelta(days=1))
    await store.run(bind)
    async with FakeTelegram() as fake:
        telegram = Telegram(fake.token, fake.url, place_label="-", now=lambda: now)
        for number, name in enumerate(village.people):
            await fake.person(FIRST_CHAT + number, name).says("你好")
        yield Down(store, village, fake, telegram, now)
        await telegram.close()


def alerts_in(texts: list[str]) -> list[str]:
    """The first line of those that say that an alert runs, but for those that nobody goes."""
    return [text for text in texts if text.startswith("警报 A-0001\n")]


async def test_while_a_platform_is_down_everybody_is_told_elsewhere_or_at_once_when_it_is_back(down: Down) -> None:
    store, village = down.store, down.village
    near = ("visitor", "grid", "first", "village")
    down.fake.fall_silent()
    await raised(store, village, down.at)
    await down.beat()
    assert not any(down.on_telegram(name) or down.on_second(name) for name in village.people)
    await down.beat(seconds=ALERT_WAIT)  # a second try that fails is enough
    await down.beat(seconds=1)
    for name in near:
        assert len(alerts_in(down.on_second(name))) == 1, name
    assert (await down.states())["child"] == "unreached"
    missed = [text for text in down.on_second("village") if "未送达" in text]
    assert len(missed) == 1 and "child" in missed[0]
    for minute in range(1, 11):
        if minute == 4:
            down.fake.recover()
            down.fake.refuse(500, "Internal Server Error", times=9999)
        if minute == 7:
            down.fake.recover()
            down.fake.flood(5, times=9999)
        await down.beat(minutes=1)
        assert not any(down.on_telegram(name) for name in village.people)
        assert (await down.states())["child"] == "unreached"
    down.fake.recover()
    await down.beat(seconds=ALERT_WAIT)
    assert len(alerts_in(down.on_telegram("child"))) == 1
    for name in (*near, "township"):  # who was told, and has not answered, is told on each of his channels once
        assert len(alerts_in(down.on_second(name))) == 1, name
    alert = await only(store)
    await store.run(lambda tx: alert_told.answered(tx, alert.id, village.people["child"], "telegram", down.at))
    assert (await down.states())["child"] == "seen"


async def test_what_follows_goes_where_he_answered_and_not_to_what_is_down(down: Down) -> None:
    store, village = down.store, down.village
    down.fake.fall_silent()
    await raised(store, village, down.at)
    alert = await only(store)
    await store.run(lambda tx: alert_told.answered(tx, alert.id, village.people["village"], "test", down.at))
    await store.run(lambda tx: alerting.claim(tx, alert, village.people["grid"], POLICIES, down.at))
    await down.beat()
    assert any("grid去处理了" in text for text in down.on_second("village"))
