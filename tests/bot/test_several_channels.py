"""One person on two channels: what he answers on one is settled on both, and an alert is the same alert on each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conversations.message import Inbound
from scheduler import alerting, reaching
from storage.crypto import Keys
from storage.database import Tx
from tests.fakes.house import Originals, Recorder, Running, Shown, find_account

ELDER = "张桂芳3组"


class Phones:
    """The house over two channels; everybody has an account on both, of the same number."""

    def __init__(self, running: Running, first: Recorder, second: Recorder) -> None:
        self.running, self.first, self.second = running, first, second
        self._inbounds = 0

    def seen(self, on: Recorder, who: str = "王强") -> list[Shown]:
        return on.sent.get(find_account(who), [])

    async def does(self, on: Recorder, who: str = "王强", **fields: str) -> list[Shown]:
        """Types or taps; gives what this channel then shows him."""
        before, account = len(self.seen(on, who)), find_account(who)
        self.running.later()
        self._inbounds += 1
        await self.running.handle(Inbound(on.name, account, account, str(self._inbounds), self.running.now(), **fields))
        await self.running.delivery.settle()
        return self.seen(on, who)[before:]

    async def taps(self, on: Recorder, shown: Shown, label: str, who: str = "王强") -> list[Shown]:
        token = next(token for row in shown.buttons for text, token in row if label in text)
        return await self.does(on, who, choice=token, source=shown.handle)

    async def alert(self) -> None:
        def work(tx: Tx) -> None:
            alerting.raise_alert(tx, self.running.village.elders[ELDER], "fall", "person", None, self.running.policies,
                                 self.running.now(), "")
        await self.running.store.run(work)
        await self.running.delivery.sweep()

    async def unseen(self) -> None:
        """So much time goes by that who has not answered is told elsewhere."""
        self.running.at += self.running.policies.city.alerts.seen_after
        await self.running.store.run(lambda tx: reaching.sweep(tx, self.running.now(), self.running.policies))
        await self.running.delivery.sweep()

    def alerted(self, on: Recorder, who: str = "王强") -> list[Shown]:
        return [shown for shown in self.seen(on, who) if shown.text.startswith("警报 A-")]


@pytest.fixture
async def phones(tmp_path: Path, keys: Keys) -> AsyncIterator[Phones]:
    first, second = Recorder("first"), Recorder("second")
    store, village = await Originals(tmp_path, keys).store("first", "second")
    running = Running(store, village, first, others=(second,))
    phones = Phones(running, first, second)
    for who in ("王强", "赵敏", "李娜"):
        await phones.does(first, who, text="/channels prefer first")
    yield phones
    store.close()


async def test_an_alert_says_the_same_on_both_and_is_seen_by_a_press_on_either(phones: Phones) -> None:
    await phones.alert()
    assert phones.alerted(phones.second) == []
    await phones.unseen()
    one, = phones.alerted(phones.first)
    other, = phones.alerted(phones.second)
    assert one.text == other.text and one.buttons == other.buttons
    thanks, *card = await phones.taps(phones.second, other, "收到")
    again, *the_same = await phones.taps(phones.first, one, "收到")  # told kindly, and nothing is wrong
    assert thanks.text.startswith("好，知道您看到了。") and again.text == thanks.text
    assert [shown.text for shown in card] == [shown.text for shown in the_same]
    await phones.unseen()
    await phones.unseen()
    assert len(phones.alerted(phones.first)) == len(phones.alerted(phones.second)) == 1


async def test_who_presses_that_he_goes_on_both_goes_once(phones: Phones) -> None:
    await phones.alert()
    await phones.unseen()
    one, other = phones.alerted(phones.first)[0], phones.alerted(phones.second)[0]
    assert "好，您去处理。" in (await phones.taps(phones.second, other, "我去处理"))[0].text
    assert "您已经" in (await phones.taps(phones.first, one, "我去处理"))[0].text
    await phones.running.delivery.sweep()
    for on in (phones.first, phones.second):  # 赵敏 hears of it once, where she was told last, and sees it on both
        assert "王强" in (await phones.taps(on, phones.alerted(on, "赵敏")[0], "看这件警报", "赵敏"))[0].text
    told = [shown for on in (phones.first, phones.second) for shown in phones.seen(on, "赵敏")
            if "王强去处理了，到了再告诉您" in shown.text]
    assert len(told) == 1


async def test_who_presses_on_the_other_channel_after_somebody_else_goes_is_told_who(phones: Phones) -> None:
    await phones.alert()
    await phones.unseen()
    await phones.taps(phones.first, phones.alerted(phones.first, "赵敏")[0], "我去处理", "赵敏")
    for on in (phones.second, phones.first):
        assert "赵敏已经去处理了，谢谢您。" in (await phones.taps(on, phones.alerted(on)[0], "我去处理"))[-1].text


async def test_an_alert_goes_to_the_channel_that_he_prefers(phones: Phones) -> None:
    await phones.does(phones.first, text="/channels prefer second")
    await phones.alert()
    assert len(phones.alerted(phones.second)) == 1 and phones.alerted(phones.first) == []
    await phones.unseen()
    assert len(phones.alerted(phones.first)) == 1


async def test_a_question_answered_on_one_channel_is_settled_on_the_other(phones: Phones) -> None:
    *_, asked = await phones.does(phones.first, text=f"/visit {phones.running.village.elders[ELDER]}")
    label = asked.buttons[0][0][0].split(" ", 1)[-1]
    *_, following = await phones.does(phones.second, text=label)
    assert following.text != asked.text
    *_, told = await phones.taps(phones.first, asked, label)
    assert following.text.splitlines()[-1] in told.text  # the question that is open now, not the old one answered again
    *_, third = await phones.taps(phones.first, told, told.buttons[0][0][0])
    assert third.text != told.text
