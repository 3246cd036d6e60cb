"""受虐待, 轻生: no family hears of it before a coordinator of the place decides whom; then he does, and little more."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from docx import Document

from conversations.documents import alert_record
from conversations.words_book import Words
from storage.crypto import Keys
from storage.scope import Scope
from tests.fakes.house import START
from tests.fakes.talk import Talk, labels, talking, token

ELDER = "张桂芳3组"


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        await found.file_says(ELDER, emergency_name="李涛", emergency_phone="13800000001")
        yield found


@pytest.mark.parametrize("kind", ["abuse", "self_harm"])
async def test_only_whom_the_coordinator_chose_is_told_and_not_by_whom_it_was_reported(talk: Talk, kind: str) -> None:
    alert = await talk.alarm(ELDER, kind, "王强", words="儿子动手")
    assert "李娜" not in await talk.told()
    which = await talk.asked("赵敏", token(await talk.asked("赵敏", f"/alert {alert.id}"), "告诉家属"))
    assert labels(which) == ["告诉李娜", "打给李涛", "看这件警报"]
    assert (await talk.now(alert)).family_by is None  # looking decides nothing
    await talk.asked("赵敏", token(which, "告诉李娜"))
    await talk.asked("赵敏", token(which, "告诉李娜"))
    [said] = (await talk.told())["李娜"]
    assert "赵敏" in said and "张桂芳" in said
    assert "王强" not in said and "动手" not in said and "A-" not in said
    assert "没找到" in (await talk.asked("李娜", f"/alert {alert.id}")).text
    assert (await talk.now(alert)).family_by == talk.running.village.people["赵敏"]
    assert "138" not in (await talk.asked("赵敏", f"/alert {alert.id}")).text  # 李涛 was not chosen
    await talk.asked("赵敏", f"/falsealarm {alert.id}", "没有这回事", "提交")
    [over] = (await talk.told())["李娜"]
    assert "处理完了" in over


async def test_a_contact_without_an_account_is_called_by_who_goes_once_he_is_chosen(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "self_harm", "李军")
    assert "138" not in (await talk.asked("王强", f"/claim {alert.id}")).text
    await talk.asked("赵敏", f"/tellfamily {alert.number} 1")
    card = await talk.asked("王强", f"/alert {alert.id}")
    assert "李涛 13800000001" in card.text
    await talk.asked("王强", token(card, "李涛已打通"))
    running = talk.running
    kept = await running.store.read(lambda tx: alert_record.gather(
        tx, running.house, Scope(running.village.people["赵敏"], START.date()), alert.id, running.now()))
    assert kept
    steps = [row.cells[2].text for row in Document(BytesIO(alert_record.docx(kept, Words())[1])).tables[0].rows]
    assert [step for step in steps if "李涛" in step] == ["决定告诉家属：李涛", "打了紧急联系人的电话（打通了）：李涛"]


@pytest.mark.parametrize(("who", "kind"), [("王强", "abuse"), ("李娜", "abuse"), ("李军", "abuse"), ("赵敏", "fall")])
async def test_nobody_else_decides_and_of_nothing_else(talk: Talk, who: str, kind: str) -> None:
    alert = await talk.alarm(ELDER, kind, "王强")
    await talk.told()
    child = talk.running.village.people["李娜"]
    for rest in ("", f" {child}", " 1"):
        await talk.asked(who, f"/tellfamily {alert.number}{rest}")
    assert (await talk.now(alert)).family_by is None
    assert "李娜" not in await talk.told()


async def test_a_choice_of_somebody_who_is_not_family_or_after_the_end_changes_nothing(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "abuse", "王强")
    await talk.asked("赵敏", f"/tellfamily {alert.number} {talk.running.village.people['李军']}",
                     f"/tellfamily {alert.number} 2", f"/tellfamily {alert.number} x")
    assert (await talk.now(alert)).family_by is None
    await talk.asked("赵敏", f"/falsealarm {alert.id}", "没有这回事", "提交")
    await talk.told()
    await talk.asked("赵敏", f"/tellfamily {alert.number} {talk.running.village.people['李娜']}")
    assert (await talk.now(alert)).family_by is None and "李娜" not in await talk.told()
