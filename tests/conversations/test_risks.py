"""A danger that was not gone when the alert was closed stays on the digests of who visits, until it is gone."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest_asyncio

from scheduler import followups, reminders
from storage import tables
from storage.alerts import Alert
from storage.crypto import Keys
from tests.fakes.house import ZONE
from tests.fakes.talk import Talk, talking

ELDER, SEEN = "张桂芳3组", "仇大山6组"
LEFT = "危险还没"


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        yield found


async def closed(talk: Talk, elder: str, risk: str) -> Alert:
    alert = await talk.alarm(elder, "gas")
    await talk.asked("王强", f"/claim {alert.id}", f"/close {alert.id}", "有燃气味", "关了阀门", "3", risk, "提交")
    assert (await talk.now(alert)).state == "closed"
    await talk.told()
    return alert


async def morning(talk: Talk, days: int = 1, *, swept: bool = True) -> str:
    """What the visitor is sent on the morning so many days later, with or without the day's sweep of who is due."""
    running = talk.running
    running.at = (running.at + timedelta(days=days)).replace(hour=8, minute=31)
    while swept and await running.store.run(lambda tx: reminders.sweep(tx, running.now(), running.policies)):
        pass
    return "\n".join((await talk.told()).get("王强", []))


async def test_it_stands_with_the_elder_on_the_digest_the_list_and_his_page_until_it_is_gone(talk: Talk) -> None:
    alert = await closed(talk, ELDER, "还没有")
    said = await morning(talk)
    assert next(line for line in said.splitlines() if "张桂芳" in line and "1号" in line).endswith("上次警报的危险还没排除")
    assert said.count(LEFT) == 1
    assert LEFT in (await talk.asked("王强", "待访")).text
    assert LEFT in (await talk.asked("王强", f"/elder {alert.elder_id}")).text
    await talk.asked("赵敏", f"/follow {alert.id} risk_gone not_yet")
    assert LEFT in await morning(talk, 7)
    await talk.asked("赵敏", f"/follow {alert.id} risk_gone yes")
    said = await morning(talk, 7)
    assert "张桂芳" in said and LEFT not in said
    assert LEFT not in (await talk.asked("王强", "待访")).text


async def test_what_was_gone_at_once_stands_nowhere(talk: Talk) -> None:
    await closed(talk, ELDER, "排除了")
    assert LEFT not in await morning(talk)


async def test_there_is_a_digest_on_the_next_day_and_after_each_asking_whoever_else_is_due(talk: Talk) -> None:
    talk.running.at = datetime(2026, 3, 16, 9, tzinfo=ZONE)
    seen = await closed(talk, SEEN, "还没有")
    await talk.running.store.run(lambda tx: tx.run(  # as one who was seen in this half month
        tables.elders.update().where(tables.elders.c.id == seen.elder_id).values(remind_on=None)))
    assert "请去看一眼：\n仇大山" in await morning(talk, swept=False)
    assert await morning(talk, swept=False) == ""
    running = talk.running
    running.at = (running.at + timedelta(days=5)).replace(hour=9, minute=1)  # the seventh day after the end
    await running.store.run(lambda tx: followups.sweep(tx, running.now(), running.policies))
    await talk.told()
    assert "仇大山" in await morning(talk, swept=False)
