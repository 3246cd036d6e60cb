"""Contacts without an account: who calls them sees their numbers, and until one is reached the alert says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.crypto import Keys
from tests.fakes.talk import Talk, labels, talking, token

ELDER = "张桂芳3组"
UNTOLD = "家属还没有通知到"
CONTACTS = {"emergency_name": "李涛", "emergency_phone": "13800000001", "emergency2_name": "李娜",
            "emergency2_phone": "13800000002"}


@pytest_asyncio.fixture(params=[False, True], ids=["at home", "abroad"])
async def talk(request: pytest.FixtureRequest, tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys, abroad=request.param) as found:
        await found.file_says(ELDER, **CONTACTS)
        yield found


def is_abroad(talk: Talk) -> bool:
    return talk.running.channel.capabilities.abroad


async def test_who_goes_sees_the_number_of_who_has_no_account_and_says_whether_he_got_through(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall")
    before = await talk.asked("王强", f"/alert {alert.id}")
    assert "138" not in before.text and UNTOLD in before.text
    card = await talk.asked("王强", f"/claim {alert.id}")
    if is_abroad(talk):
        assert "138" not in card.text and "国内" in card.text and not any("打通" in label for label in labels(card))
        return
    assert "李涛 13800000001" in card.text and UNTOLD in card.text
    assert "13800000002" not in card.text  # she has an account, and was told there
    tried = await talk.asked("王强", token(card, "李涛未打通"))
    assert "李涛 13800000001 · 没打通" in tried.text and UNTOLD in tried.text
    done = await talk.asked("王强", token(tried, "李涛已打通"))
    assert "李涛 13800000001 · 打通了" in done.text and UNTOLD not in done.text
    assert not any("打通" in label for label in labels(done))


async def test_who_raised_it_is_shown_whom_to_call_at_once(talk: Talk) -> None:
    await talk.asked("王强", "紧急 张桂芳")
    asked = await talk.asked("王强", token(talk.last("王强"), "建设村3组 1号"))
    sent = await talk.asked("王强", token(asked, "摔倒"))
    assert ("13800000001" in sent.text) != is_abroad(talk)
    assert UNTOLD not in sent.text  # it went out this very moment


@pytest.mark.parametrize("kind", ["abuse", "self_harm", "sos"])
async def test_of_what_is_kept_from_the_family_nobody_is_to_be_called(talk: Talk, kind: str) -> None:
    alert = await talk.alarm(ELDER, kind, "王强")
    for who in ("王强", "赵敏"):
        card = await talk.asked(who, f"/alert {alert.id}")
        assert "138" not in card.text and UNTOLD not in card.text
        forged = await talk.asked(who, f"/gotthrough {alert.id} 1")
        assert "打来" not in forged.text and "打通了" not in forged.text


async def test_nobody_else_sees_a_number_or_says_that_he_called(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall", "赵敏")
    for who, press in (("李娜", "card"), ("王强", "card"), ("李娜", "call"), ("王强", "call"), ("李军", "call")):
        said = await talk.asked(who, f"/alert {alert.id}" if press == "card" else f"/gotthrough {alert.id} 1")
        assert "138" not in said.text
        assert "记下了" not in said.text


async def test_a_daughter_who_reads_it_does_not_read_that_no_family_knows(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall")
    assert UNTOLD not in (await talk.asked("李娜", f"/alert {alert.id}")).text


async def test_where_nobody_is_in_the_file_the_one_who_goes_is_told_to_ask(talk: Talk) -> None:
    alert = await talk.alarm("仇大山6组", "fall")
    assert "档案里也没有" in (await talk.asked("王强", f"/claim {alert.id}")).text


async def test_after_the_end_no_number_is_shown_and_no_call_is_kept(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall", "赵敏")
    await talk.asked("赵敏", f"/falsealarm {alert.id}", "点错了", "提交")
    assert "138" not in (await talk.asked("赵敏", f"/alert {alert.id}")).text
    assert "处理完了" in (await talk.asked("赵敏", f"/gotthrough {alert.id} 1")).text
