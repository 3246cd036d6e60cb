"""Campaigns in the chat: nobody decides on, or sees, what lies outside his area, whatever he types or presses."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from conversations import campaigns as shown
from scheduler import campaigning
from storage import accounts, areas, campaigns, people, tables
from storage.campaigns import NewCampaign
from storage.crypto import Keys
from storage.database import Tx
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running

DECISIONS = ("/campaignopen {}", "/campaigndays {}", "/campaignend {} yes", "/campaigncancel {} yes")
VILLAGE, NEIGHBOUR, VISITOR, FAMILY, TOWNSHIP = "80", "81", "7001", "7004", "7003"


@pytest_asyncio.fixture
async def stage(tmp_path: Path, keys: Keys) -> AsyncIterator[InMemory]:
    """A coordinator of 建设村, and one of a township next door; the township runs a cold wave, and one is proposed."""
    store, village = await Originals(tmp_path, keys).store()

    def more(tx: Tx) -> None:
        other = areas.add(tx, None, "township", "白沙镇", START)
        for account, area, role in ((VILLAGE, areas.named(tx, "建设村")[0], "village"), (NEIGHBOUR, other, "township")):
            person = people.add(tx, area.id, f"人{account}", (role,), START)
            accounts.bind(tx, "test", account, account, person.id, START)
        here, today = areas.named(tx, "云溪镇")[0].id, START.date()
        by = village.people["赵敏"]
        for kind, name, state in (("weather", "cold", "open"), ("festival", "spring", "proposed")):
            new = NewCampaign(kind, name, here, today.isoformat(), (today + timedelta(days=5)).isoformat(), name,
                              ("home", "phone"))
            if state == "open":
                campaigning.launch(tx, new, by, Running(store, village, Recorder()).policies, START)
            else:
                campaigns.add(tx, new, None, START, "proposed")

    await store.run(more)
    recorder = Recorder()
    yield InMemory(Running(store, village, recorder), recorder)
    store.close()


async def asked(stage: InMemory, account: str, text: str) -> str:
    await stage.running.handle(stage._inbound(account, {"text": text}))
    await stage.running.delivery.settle()
    return stage._recorder.sent[account][-1].text


async def states(stage: InMemory) -> dict[str, tuple[str, str]]:
    column = tables.campaigns.c
    rows = await stage.running.store.read(lambda tx: tx.all(select(column.id, column.name, column.state)))
    return {name: (campaign, state) for campaign, name, state in rows}


@pytest.mark.parametrize("account", [VILLAGE, NEIGHBOUR, VISITOR, FAMILY])
async def test_only_who_coordinates_the_whole_area_decides_on_a_campaign(stage: InMemory, account: str) -> None:
    before = await states(stage)
    for campaign, _ in before.values():
        for text in DECISIONS:
            said = await asked(stage, account, text.format(campaign))
            assert "没找到这个活动" in said or "用不了" in said
    assert await states(stage) == before


async def test_the_township_opens_prolongs_and_ends_what_it_coordinates(stage: InMemory) -> None:
    found = await states(stage)
    assert "开始了：春节" in await asked(stage, TOWNSHIP, DECISIONS[0].format(found["spring"][0]))
    assert "没找到" in await asked(stage, TOWNSHIP, DECISIONS[0].format(found["spring"][0]))
    assert "没找到" in await asked(stage, TOWNSHIP, "/campaignend nobody yes")
    assert "已经结束" in await asked(stage, TOWNSHIP, DECISIONS[2].format(found["cold"][0]))
    assert "不办了" in await asked(stage, TOWNSHIP, DECISIONS[3].format(found["spring"][0]))
    assert {name: state for name, (_, state) in (await states(stage)).items()} == {"cold": "ended", "spring": "cancelled"}


async def test_a_neighbour_sees_nothing_of_it_and_a_village_its_own_part(stage: InMemory) -> None:
    campaign, _ = (await states(stage))["cold"]
    for text in ("活动", "还没联系", f"/campaign {campaign}", f"/campaignleft {campaign}"):
        said = await asked(stage, NEIGHBOUR, text)
        assert "云溪镇" not in said and "张桂芳" not in said and "寒潮" not in said.replace("遇到寒潮", "")
    assert "寒潮低温 · 云溪镇" in await asked(stage, VILLAGE, "活动")
    assert "0/6" in await asked(stage, VILLAGE, f"/campaign {campaign}")  # the one elder of 河坝村 is not theirs
    assert "0/7" in await asked(stage, TOWNSHIP, f"/campaign {campaign}")
    assert "陈国清" not in await asked(stage, VILLAGE, "还没联系")


@pytest.mark.parametrize("text", ["/phoned {}", "/phoned {} video", "/unphoned {}", "/reach {}"])
async def test_nobody_records_a_call_to_an_elder_who_is_not_his(stage: InMemory, text: str) -> None:
    elder = stage.running.village.elders["陈国清1组"]
    assert "没找到这位老人" in await asked(stage, VISITOR, text.format(elder))
    assert "用不了" in await asked(stage, FAMILY, text.format(stage.running.village.elders["张桂芳3组"]))
    assert await stage.running.store.read(lambda tx: tx.all(select(tables.campaign_reached.c.elder_id))) == []


async def test_a_call_is_kept_once_a_day_and_noted_on_the_elder(stage: InMemory) -> None:
    elder = stage.running.village.elders["张桂芳3组"]
    for _ in range(2):
        assert "记下了" in await asked(stage, VISITOR, f"/phoned {elder}")
    rows = await stage.running.store.read(lambda tx: tx.all(select(
        tables.campaign_reached.c.elder_id, tables.campaign_reached.c.method, tables.campaign_reached.c.times)))
    assert rows == [(elder, "phone", 1)]
    assert "电话、视频联系" in await asked(stage, TOWNSHIP, f"/audit {elder}")


@pytest.mark.parametrize(("days", "said"), [
    (("3月1日", "3月9日"), "这样的日子不行"), (("3月6日", "3月5日"), "这样的日子不行"),
    (("3月6日", "2026-07-09"), "这样的日子不行"), (("3月6日", "3月9日"), "定好了"), (("今天", "3月9日"), "开始了")])
async def test_days_that_cannot_be_are_asked_again(stage: InMemory, days: tuple[str, str], said: str) -> None:
    campaign, _ = (await states(stage))["spring"]
    await asked(stage, TOWNSHIP, f"/campaigndays {campaign}")
    for text in days:
        await asked(stage, TOWNSHIP, text)
    assert said in await asked(stage, TOWNSHIP, "提交")


async def test_days_on_which_one_of_its_name_begins_are_asked_again(stage: InMemory) -> None:
    def work(tx: Tx) -> str:
        here, by = areas.named(tx, "云溪镇")[0].id, stage.running.village.people["赵敏"]
        later = [campaigns.add(tx, NewCampaign("weather", "heat", here, f"2026-03-{day:02}", "2026-03-20", "heat", ("home",)),
                               by, START, "open") for day in (9, 12)]
        assert later[0] and later[1] and campaigns.cancel(tx, later[0], by, START)
        return later[1]
    campaign = await stage.running.store.run(work)
    for text in (f"/campaigndays {campaign}", "3月9日", "3月20日"):
        await asked(stage, TOWNSHIP, text)
    assert "已经有一个“高温”了" in await asked(stage, TOWNSHIP, "提交")
    found = await stage.running.store.read(lambda tx: campaigns.unscoped(tx, campaign))
    assert found is not None and found.first_on == "2026-03-12"


@pytest.mark.parametrize(("iso", "today", "meant"), [
    ("2026-01-30", "2026-12-20", "2027-01-30"), ("2026-12-20", "2026-12-20", "2026-12-20"),
    ("2026-12-01", "2026-12-20", "2026-12-01"), ("2027-02-13", "2026-12-20", "2027-02-13")])
def test_a_day_of_the_year_to_come_is_understood_without_its_year(iso: str, today: str, meant: str) -> None:
    assert shown.coming(iso, date.fromisoformat(today)).isoformat() == meant
