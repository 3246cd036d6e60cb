"""A number that is typed answers one thing: the open form, or what 紧急 asks; an alert beside it is answered in words."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.alerts import Alert
from storage.crypto import Keys
from tests.conversations.test_sos_in_form import answers, raised
from tests.fakes.house import Recorder, Shown, find_account
from tests.fakes.talk import Talk, talking


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        yield found


def shown(talk: Talk, text: str) -> Shown:
    """The last message to 王强 in which this stands."""
    assert isinstance(talk.running.channel, Recorder)
    return next(each for each in reversed(talk.running.channel.sent[find_account("王强")]) if text in each.text)


def numbered(message: Shown) -> bool:
    found = {bool(re.match(r"\d+ ", label)) for row in message.buttons for label, _ in row}
    assert len(found) == 1
    return found.pop()


async def state(talk: Talk, alert: Alert) -> str:
    return (await talk.now(alert)).state


async def test_above_an_open_form_an_alert_carries_no_numbers_and_its_label_means_it(talk: Talk) -> None:
    first, second = await talk.alarm("张桂芳3组", "fall"), await talk.alarm("曾国富3组", "fall")
    await talk.asked("王强", "探访 仇大山", "1")
    before = await answers(talk)
    await talk.asked("王强", f"/alert {second.id}")
    assert not numbered(shown(talk, second.called)) and "家里人口" in talk.last("王强").text
    await talk.asked("王强", "1")
    assert await answers(talk) == [*before, "family_size"] and await state(talk, second) == "open"
    await talk.asked("王强", "我去处理")
    assert (await state(talk, first), await state(talk, second)) == ("open", "claimed")
    assert await answers(talk) == [*before, "family_size"]


@pytest.mark.parametrize("form", [True, False])
async def test_what_comes_in_while_a_form_is_open_carries_no_numbers_then_or_later(talk: Talk, form: bool) -> None:
    await talk.asked("王强", "探访 仇大山", "1")
    before = await answers(talk)
    alert = await talk.alarm("张桂芳3组", "fall")
    await talk.told()
    assert not numbered(shown(talk, alert.called))
    if form:
        await talk.asked("王强", "1")
        assert await answers(talk) == [*before, "family_size"]
    else:
        await talk.asked("王强", "取消", "确定取消", "1")
    assert await state(talk, alert) == "open"
    await talk.asked("王强", "收到", "我去处理")
    assert await state(talk, alert) == "claimed"


async def test_where_nothing_else_asks_a_number_is_the_last_alert_s_and_so_is_a_label(talk: Talk) -> None:
    await talk.asked("王强", "你好")
    first = await talk.alarm("张桂芳3组", "fall")
    await talk.told()
    second = await talk.alarm("曾国富3组", "fall")
    await talk.told()
    assert numbered(shown(talk, second.called))
    await talk.asked("王强", "我去处理")
    assert (await state(talk, first), await state(talk, second)) == ("open", "claimed")
    third = await talk.alarm("单秀英5组", "fall")
    await talk.told()
    await talk.asked("王强", "1")
    assert await state(talk, third) == "claimed"


async def test_while_sos_asks_an_alert_that_comes_in_takes_no_number_from_it(talk: Talk) -> None:
    await talk.asked("王强", "紧急")
    other = await talk.alarm("曾国富3组", "gas")
    await talk.told()
    assert not numbered(shown(talk, other.called))
    assert "是什么事" in (await talk.asked("王强", "1")).text
    await talk.told()
    await talk.asked("王强", "1")
    assert await state(talk, other) == "open" and (await raised(talk)).kind == "fall"
