"""Who may report a change, and whom the list of those to be asked again shows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scheduler import casework
from scheduler import policy as policies
from storage import accounts, areas, assignments, people
from storage.crypto import Keys
from storage.database import Tx
from storage.elders import NewElder
from tests.conversations.transcript import InMemory
from tests.fakes.house import FILED, START, Originals, Recorder, Running


@pytest.fixture
async def stage(tmp_path: Path, keys: Keys) -> AsyncIterator[InMemory]:
    store, village = await Originals(tmp_path, keys).store()
    recorder = Recorder()
    yield InMemory(Running(store, village, recorder), recorder)
    store.close()


async def test_a_cadre_reports_a_change_of_his_elder_while_he_is_paired_with_him(stage: InMemory) -> None:
    house = stage.running
    elder, cadre = house.village.elders["仇大山6组"], house.village.people["李军"]
    assert "没找到这位老人" in (await stage.act("李军", [{"text": f"/change {elder}"}]))[-1].text
    await house.store.run(lambda tx: assignments.entrust(tx, cadre, elder, "cadre", FILED))
    assert "老人现在怎么样了" in (await stage.act("李军", [{"text": f"/change {elder}"}]))[-1].text


async def test_a_refusal_from_a_spreadsheet_is_listed_with_the_day_of_its_filing(stage: InMemory) -> None:
    house = stage.running

    def register(tx: Tx) -> str:
        place = next(area for area in areas.everything(tx) if area.name == "建设村")
        return casework.register(tx, NewElder(place.id, "4组", "罗玉兰", "lyl", "female", "1946-03-20", ["living_alone"],
                                              "intact", FILED, wish="unwilling"), house.policies, START)

    await house.store.run(register)
    listed = (await stage.act("赵敏", [{"text": "意愿"}]))[-1].text
    assert "罗玉兰 · 建设村4组" in listed
    assert "不愿意（1月1日 周四）" in listed


async def test_a_county_says_after_how_many_days_a_file_and_a_wish_come_up_again(
    stage: InMemory, tmp_path: Path
) -> None:
    path = tmp_path / "luzhou.toml"
    path.write_text('[areas."江阳区"]\nrefresh_days = 30\nwish_again_days = 70\n', encoding="utf-8")
    house = stage.running
    house.policies = policies.load(path)
    house.use(house.book)

    def settle(tx: Tx) -> None:
        county = areas.add(tx, areas.add(tx, None, "city", "泸州市", START), "county", "江阳区", START)
        village = areas.add(tx, areas.add(tx, county, "township", "蓝田镇", START), "village", "田坝村", START)
        person = people.add(tx, village.id, "村里", ("village",), START)
        accounts.bind(tx, "test", "7991", "7991", person.id, START)
        casework.register(tx, NewElder(village.id, "4组", "罗玉兰", "lyl", "female", "1946-03-20", ["living_alone"],
                                       "intact", FILED, wish="unwilling"), house.policies, START)

    await house.store.run(settle)

    async def said(text: str) -> str:
        return (await stage.act("生人", [{"text": text}]))[-1].text

    assert "半年没有更新的档案，共 1 份" in await said("更新")
    assert "半年没更新的档案：1 份" in await said("台账")
    assert "没有要再问意愿的" in await said("意愿")  # 63 days ago
