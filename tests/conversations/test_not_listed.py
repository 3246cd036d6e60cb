"""不在名单: an alert of nobody on the ledger goes to the village that the raiser is of, or chooses."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from storage import alert_media, areas, assignments
from storage.alerts import Alert
from storage.crypto import Keys
from storage.database import Tx
from tests.fakes.talk import Talk, labels, talking


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        yield found


async def raised(talk: Talk, who: str) -> tuple[Alert, str]:
    """The alert, and the name of its village."""
    def read(tx: Tx) -> tuple[Alert, str]:
        alert = alert_media.own(tx, talk.running.village.people[who])
        area = areas.find(tx, alert.area_id) if alert else None
        assert alert and area
        return alert, area.name
    return await talk.running.store.read(read)


async def test_who_is_of_one_village_is_not_asked_and_who_goes_there_hears_of_it(talk: Talk) -> None:
    await talk.running.store.run(lambda tx: assignments.entrust(
        tx, talk.running.village.people["李军"], talk.running.village.elders["曾国富3组"], "visitor", "2026-01-01"))
    await talk.asked("王强", "紧急", "不在名单", "摔倒")
    assert (await raised(talk, "王强"))[1] == "建设村"
    got = (await talk.told())["李军"]
    assert any("名单外的老人" in text and "请打电话问王强" in text for text in got)
    assert "您去处理" in (await talk.asked("李军", "我去处理")).text


async def test_who_is_of_several_chooses_and_what_he_does_not_choose_goes_out_all_the_same(talk: Talk) -> None:
    await talk.running.store.run(lambda tx: assignments.entrust(
        tx, talk.running.village.people["王强"], talk.running.village.elders["陈国清1组"], "visitor", "2026-01-01"))
    asked = await talk.asked("王强", "紧急", "不在名单")
    assert "哪个村" in asked.text and labels(asked)[:1] == ["建设村"]
    other = labels(asked)[1]
    assert "哪个村" in (await talk.asked("王强", "门口有人喊救命")).text
    assert "是什么事" in (await talk.asked("王强", "2")).text
    alert, village = await raised(talk, "王强")
    assert village == other and alert.kind == "unsaid"


async def test_words_go_to_what_he_raised_himself_however_many_run_that_he_sees(talk: Talk) -> None:
    for kind in ("fall", "abuse"):
        for elder in ("张桂芳3组", "曾国富3组", "张桂芳5组", "单秀英5组", "仇大山6组"):
            await talk.alarm(elder, kind)
    await talk.asked("赵敏", "紧急", "欧阳明", "摔倒")
    alert, _ = await raised(talk, "赵敏")
    assert alert.called in (await talk.asked("赵敏", "补充 在三楼")).text
    assert "三楼" in (await talk.now(alert)).words
