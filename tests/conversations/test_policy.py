"""政策: each rule in words, with who set it, and only of a coordinator's own area."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from conversations.words_book import Words
from scheduler import policy
from scheduler.policy import Policies, Policy
from storage import accounts, areas, people
from storage.crypto import Keys
from storage.database import Tx
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running

LAYERS = """
township_may_set = ["due_soon_days"]
screening_days = 60
[areas."江阳区"]
old_age = 75
first_contact_confirmed_by = ["township"]
[areas."江阳区/蓝田镇"]
due_soon_days = 5
"""
OTHERS = """
old_age = 81
second_half_from = 15
home_methods = ["home", "phone", "video", "other"]
priority_categories = ["childless_alone", "special_family_planning"]
priority_abilities = []
same_place_level = "group"
"""


@pytest.fixture
def layered(tmp_path: Path) -> Policies:
    path = tmp_path / "luzhou.toml"
    path.write_text(LAYERS, encoding="utf-8")
    return policy.load(path)


@pytest_asyncio.fixture
async def stage(tmp_path: Path, keys: Keys, layered: Policies) -> AsyncIterator[InMemory]:
    store, village = await Originals(tmp_path, keys).store()

    def more(tx: Tx) -> None:
        county = areas.add(tx, areas.add(tx, None, "city", "泸州市", START), "county", "江阳区", START)
        town = areas.add(tx, county, "township", "蓝田镇", START)
        for n, (name, area, role) in enumerate((("区里", county, "county"), ("镇里", town, "township"))):
            person = people.add(tx, area.id, name, (role,), START)
            accounts.bind(tx, "test", f"8{n}", f"8{n}", person.id, START)

    await store.run(more)
    recorder = Recorder()
    house = Running(store, village, recorder)
    house.policies = layered
    house.use(house.book)
    yield InMemory(house, recorder)
    store.close()


async def asked(stage: InMemory, account: str, text: str) -> str:
    await stage.running.handle(stage._inbound(account, {"text": text}))
    await stage.running.delivery.settle()
    return stage._recorder.sent[account][-1].text


async def test_each_rule_is_told_with_who_set_it(stage: InMemory) -> None:
    county, town = await asked(stage, "80", "政策"), await asked(stage, "81", "/policy")
    assert county.startswith("江阳区")
    assert town.startswith("蓝田镇")
    for said in (county, town):
        assert "高龄从 75 岁算起（三（五）1，江阳区定的）" in said
        assert "隔 60 天再问一次心情（三（三）4，市里定的）" in said
        assert "档案每 180 天核对一遍（三（二），原定）" in said
        assert "第一探访联系人由乡镇（街道）协调员确认（三（一），江阳区定的）" in said
    assert "到期前 3 天标上“快到了”（原定）" in county
    assert "到期前 5 天标上“快到了”（蓝田镇定的）" in town
    assert await asked(stage, "80", "政策 蓝田镇") == town


async def test_only_areas_of_the_own_subtree_are_told(stage: InMemory) -> None:
    for name in ("江阳区", "云溪镇", "泸州市"):
        assert "没找到这个地方" in await asked(stage, "81", f"政策 {name}")


@pytest.mark.parametrize("text", ["", OTHERS])
def test_every_rule_can_be_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    rules = policy.load(path).rules()
    words = Words()
    for rule in rules:
        if rule.key != "timezone":
            value = getattr(rule.value, "__dict__", rule.value)
            said = words._rule(
                {"key": rule.key, "value": value, "origin": rule.origin, "place": rule.place})
            assert not re.search(r"[a-z{}]", said), said
    told = {key.partition(".")[2] for key in words.keys() if key.startswith("rule.")}  # noqa: SIM118
    assert told == Policy.model_fields.keys() - {"timezone"}


@pytest.mark.parametrize(("level", "said"), [("township", "同一个乡镇（街道）的"), ("village", "同一个村（社区）的"), ("group", "同一个组的")])
async def test_where_a_child_lives_is_asked_by_the_level_that_counts_there(
        stage: InMemory, tmp_path: Path, level: str, said: str) -> None:
    path = tmp_path / "level.toml"
    path.write_text(f'same_place_level = "{level}"', encoding="utf-8")
    stage.running.policies = policy.load(path)
    stage.running.use(stage.running.book)
    for text in ("第一联系人 仇大山", "有", "仇小军"):
        last = await asked(stage, "7001", text)
    assert f"第 1 个子女住在哪里？和老人在{said}，就算同一处。" in last
    assert "照应不了老人" in await asked(stage, "7001", "同一组")
