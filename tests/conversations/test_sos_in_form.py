"""紧急 in the middle of a form: what is typed right after it is for its own questions; then the form goes on."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import pytest_asyncio

from conversations.message import Place
from storage import accounts, alert_media, drafts
from storage.alerts import Alert
from storage.crypto import Keys
from storage.database import Tx
from tests.fakes.house import find_account
from tests.fakes.talk import Talk, talking, token


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        await found.asked("王强", "探访 仇大山", "1")
        yield found


async def answers(talk: Talk) -> list[str]:
    """The questions that the open form has answers to."""
    def read(tx: Tx) -> list[str]:
        writer = accounts.writer(tx, "test", find_account("王强"))
        assert writer and writer.draft
        return list(orjson.loads(drafts.open_body(tx, writer.draft.id, writer.draft.body))["answers"])
    return await talk.running.store.read(read)


async def raised(talk: Talk) -> Alert:
    person = talk.running.village.people["王强"]
    found = await talk.running.store.read(lambda tx: alert_media.own(tx, person))
    assert found
    return found


async def test_numbers_typed_after_it_are_for_its_menus_and_the_next_one_for_the_form(talk: Talk) -> None:
    before = await answers(talk)
    asked = await talk.asked("王强", "紧急")
    assert "是哪位老人" in asked.text and "家里人口" not in asked.text
    assert "是什么事" in (await talk.asked("王强", "1")).text
    sent = await talk.asked("王强", "1")
    assert (await raised(talk)).kind == "fall" and await answers(talk) == before
    assert "家里人口" in sent.text  # the form stands where it stood
    await talk.asked("王强", "1")
    assert await answers(talk) == [*before, "family_size"] and (await raised(talk)).kind == "fall"


async def test_labels_and_words_typed_after_it_are_for_it_too(talk: Talk) -> None:
    before = await answers(talk)
    await talk.asked("王强", "紧急", "1", "摔倒")
    assert (await raised(talk)).kind == "fall"
    await talk.asked("王强", "紧急", "1")
    for wrong in ("99", "120", "门锁着，在三楼"):
        assert "是什么事" in (await talk.asked("王强", wrong)).text  # it asks on, with the buttons under it
    assert "三楼" in (await raised(talk)).words and await answers(talk) == before


@pytest.mark.parametrize("form", [True, False])
async def test_words_and_a_name_typed_while_it_asks_are_for_the_alert_wherever_it_was_raised(
        talk: Talk, form: bool) -> None:
    if not form:
        await talk.asked("王强", "稍后继续")
    kept = await talk.asked("王强", "紧急", "在厕所摔倒了")
    assert "是哪位老人" in kept.text and "厕所" in (await raised(talk)).words and "已经告诉" not in kept.text
    assert "是哪位老人" in (await talk.asked("王强", place=Place(28.871, 105.442))).text  # nor does it end the question
    assert "是什么事" in (await talk.asked("王强", "欧阳明")).text
    assert (await raised(talk)).elder_id == talk.running.village.elders["欧阳明6组"]
    assert "拨号键打 120" in (await talk.asked("王强", "120")).text
    await talk.asked("王强", "摔倒")
    assert (await raised(talk)).kind == "fall"


async def test_once_the_alert_is_over_what_is_typed_is_no_more_said_to_it(talk: Talk) -> None:
    await talk.asked("王强", "稍后继续", "紧急", "不在名单", "点错了")
    assert "欧阳明 · 建设村6组" in (await talk.asked("王强", "欧阳明")).text


async def test_a_number_that_should_be_dialled_is_never_taken_for_anything_else(talk: Talk) -> None:
    before = await answers(talk)
    await talk.asked("王强", "120")
    first, then = talk.stage._recorder.sent[find_account("王强")][-2:]
    assert "拨号键打 120" in first.text and "家里人口" in then.text and await answers(talk) == before
    await talk.asked("王强", "稍后继续")
    said = await talk.asked("王强", "119")
    assert "拨号键打 119" in said.text
    assert "是哪位老人" in (await talk.asked("王强", token(said, "紧急"))).text


@pytest.mark.parametrize("how", ["taps the form", "goes back", "takes it back"])
async def test_once_the_form_stands_last_again_numbers_are_for_the_form(talk: Talk, how: str) -> None:
    shown = talk.last("王强")
    before = await answers(talk)
    asked = await talk.asked("王强", "紧急")
    if how == "taps the form":
        await talk.asked("王强", choice=token(shown, "1 无变化"))
        before = [*before, "family_size"]
    elif how == "goes back":
        await talk.asked("王强", "上一题", "1")
    else:
        await talk.asked("王强", token(asked, "点错了"))
    await talk.asked("王强", "1")
    assert len(await answers(talk)) == len(before) + 1
    kinds = {(await raised(talk)).kind} if how != "takes it back" else {"unsaid"}
    assert kinds == {"unsaid"}


async def test_once_an_alert_is_closed_the_form_that_it_pushed_aside_is_one_tap_away(talk: Talk) -> None:
    shown, before = talk.last("王强").text, await answers(talk)
    alert = await talk.alarm("张桂芳3组", "fall")
    closed = await talk.asked("王强", f"/claim {alert.id}", f"/falsealarm {alert.id}", "人没事", "提交")
    assert (await talk.asked("王强", token(closed, "接着填 仇大山"))).text == shown
    assert await answers(talk) == before


async def test_who_is_not_known_and_taps_it_is_told_whom_to_dial(talk: Talk) -> None:
    talk.accounts["生人"] = "9999"
    assert "120 急病" in (await talk.asked("生人", "/sos")).text
