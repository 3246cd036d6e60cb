"""A village's group: bound by its coordinator, told of alerts in one message that says little, claimed in by few."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.channels.base import Blocked, Moved, Receipt
from conversations import in_group
from conversations.message import Inbound, Message
from scheduler import alerting, raising, village_groups
from storage import accounts, alerts, areas, elders, groups, people, tables
from storage.crypto import Keys
from storage.database import Tx
from storage.groups import Group
from storage.scope import Scope
from tests.fakes.house import START, Recorder, Shown, find_account
from tests.fakes.talk import Talk, labels, talking, token

GROUP = "-100"
ELDER = "张桂芳3组"


@dataclass
class InGroup:
    """The people of the village, 周梅 who coordinates it, and its group."""

    talk: Talk

    @property
    def recorder(self) -> Recorder:
        assert isinstance(self.talk.running.channel, Recorder)
        return self.talk.running.channel

    @property
    def shown(self) -> list[Shown]:
        """What stands in the group, each message as it is now."""
        return list({each.handle: each for each in self.recorder.sent.get(GROUP, [])}.values())

    async def does(self, who: str, text: str) -> None:
        """Somebody says this in the group, or presses this button there."""
        running = self.talk.running
        running.later()
        account = self.talk.accounts.get(who) or find_account(who)
        given = {"choice": text} if text.startswith("/") and " " in text else {"text": text}
        await running.handle(self.talk.stage._inbound(account, {**given, "chat_kind": "group"}))
        await running.delivery.settle()

    async def sweep(self) -> list[Shown]:
        await self.talk.running.delivery.sweep()
        return self.shown

    async def bound(self) -> Group:
        await self.does("周梅", "绑定本群")
        await self.talk.asked("周梅", token(self.talk.last("周梅"), "确认绑定"))
        found = await self.talk.running.store.read(lambda tx: groups.at(tx, "test", GROUP))
        assert found is not None
        await self.sweep()
        return found

    async def run(self, work: Any) -> Any:
        return await self.talk.running.store.run(work)

    async def add(self, name: str, account: str, area: str, *roles: str) -> str:
        def work(tx: Tx) -> str:
            person = people.add(tx, areas.named(tx, area)[0].id, name, roles, self.talk.running.now()).id
            accounts.bind(tx, "test", account, account, person, self.talk.running.now())
            return person
        self.talk.accounts[name] = account
        self.talk.running.village.people[name] = await self.run(work)
        return self.talk.running.village.people[name]


@pytest_asyncio.fixture
async def village(tmp_path: Path, keys: Keys) -> AsyncIterator[InGroup]:
    async with talking(tmp_path, keys) as talk:
        found = InGroup(talk)
        await found.add("周梅", "7101", "建设村", "village")
        yield found


async def test_a_group_is_bound_in_private_and_says_one_line(village: InGroup) -> None:
    await village.does("周梅", "绑定本群")
    assert village.shown == []
    asked = village.talk.last("周梅")
    assert "建设村" in asked.text and labels(asked) == ["确认绑定", "不绑定"]
    assert "绑定到建设村" in (await village.talk.asked("周梅", token(asked, "确认绑定"))).text
    line, = await village.sweep()
    assert "绑定到建设村" in line.text
    again = await village.talk.asked("周梅", token(asked, "确认绑定"))
    assert "已经绑定到建设村" in again.text and len(await village.sweep()) == 1


async def test_nobody_but_a_coordinator_binds_and_never_a_second_village(village: InGroup) -> None:
    for who in ("王强", "李娜"):
        await village.does(who, "绑定本群")
        assert "不" in village.talk.last(who).text and labels(village.talk.last(who))[:1] != ["确认绑定"]
    await village.does("生人", "绑定本群")  # says nothing to whom we have no chat with
    bound = await village.bound()
    await village.add("何平", "7102", "河坝村", "village")
    await village.does("何平", "/bindgroup")
    assert "另一个村" in village.talk.last("何平").text
    stolen = await village.talk.asked("何平", f"/bindgroup {bound.id} yes")
    assert "已经过了" in stolen.text
    assert "没找到这个群" in (await village.talk.asked("何平", f"/unbindgroup {bound.id} yes")).text


async def test_a_township_s_coordinator_says_which_village_it_is(village: InGroup) -> None:
    await village.does("赵敏", "绑定本群")
    which = village.talk.last("赵敏")
    assert labels(which) == ["建设村", "河坝村"]
    asked = await village.talk.asked("赵敏", token(which, "河坝村"))
    await village.talk.asked("赵敏", token(asked, "确认绑定"))
    found = await village.run(lambda tx: [each.chat for each in groups.of_village(tx, areas.named(tx, "河坝村")[0].id)])
    assert found == [GROUP]


async def test_another_cannot_answer_for_him_who_asked(village: InGroup) -> None:
    await village.does("周梅", "绑定本群")
    taken = await village.talk.asked("赵敏", token(village.talk.last("周梅"), "确认绑定"))
    assert "已经过了" in taken.text


async def test_one_message_shows_the_alert_from_its_raising_to_its_end(village: InGroup) -> None:
    await village.bound()
    alert = await village.talk.alarm(ELDER, "fall", "李娜", words="在厨房")
    _, raised = await village.sweep()
    assert raised.text == f"警报 {alert.called} · 3组 张某 · 人身求助 · 待认领\n能去的请点“我去处理”。"
    assert labels(raised) == ["我去处理"]
    await village.does("王强", token(raised, "我去处理"))
    assert "您去处理" in village.recorder.sent["7001"][-1].text  # in private
    assert "王强 09:01 去处理了" in (await village.sweep())[1].text and village.shown[1].buttons == ()
    await village.talk.asked("王强", f"/arrived {alert.id}")
    assert "王强已到场" in (await village.sweep())[1].text
    village.talk.running.later(3600)
    await village.run(lambda tx: alerting.end(
        tx, alert, village.talk.running.village.people["王强"], {"found": "踝骨扭了", "done": "送医", "told": "family", "risk": "gone"},
        village.talk.running.policies, village.talk.running.now()))
    assert (await village.sweep())[1].text.endswith("处置完毕（王强 10:01）")
    assert len(village.shown) == 2


async def test_who_may_not_go_is_told_so_alone_and_nothing_changes(village: InGroup) -> None:
    await village.bound()
    alert = await village.talk.alarm(ELDER, "fall")
    _, raised = await village.sweep()
    for who in ("李军", "李娜", "生人"):
        await village.does(who, token(raised, "我去处理"))
    assert ["去处理这位" in text or "只有本村" in text or "去看望" in text or "看望这位" in text
            for text in village.recorder.toasts] == [True] * 3
    assert (await village.talk.now(alert)).state == "open"
    assert (await village.sweep())[1:] == [raised]
    assert "7999" not in village.recorder.sent and "看望这位老人" in village.talk.last("李军").text


async def test_of_two_who_press_at_once_one_goes(village: InGroup) -> None:
    await village.bound()
    alert = await village.talk.alarm(ELDER, "fall")
    _, raised = await village.sweep()
    await village.does("周梅", token(raised, "我去处理"))
    await village.does("王强", token(raised, "我去处理"))
    assert (await village.talk.now(alert)).claimed_by == village.talk.running.village.people["周梅"]
    assert "周梅已经去处理了" in village.talk.last("王强").text
    assert "周梅 09:" in (await village.sweep())[1].text


async def test_nobody_goes_and_a_second_report_comes_in_new_messages_that_the_old_ones_point_to(village: InGroup) -> None:
    await village.bound()
    alert = await village.talk.alarm(ELDER, "fall")
    await village.sweep()
    for _ in range(3):
        village.talk.running.later(60)
        await village.talk.alarm(ELDER, "help")
        await village.sweep()
    _, first, second = village.shown
    assert "请看新的那条" in first.text and first.buttons == ()
    assert "又有人报来" in second.text and labels(second) == ["我去处理"]
    village.talk.running.later(3600)
    await village.run(lambda tx: alerting.climb(tx, village.talk.running.now(), village.talk.running.policies))
    *_, second, third = await village.sweep()
    assert "请看新的那条" in second.text and "还没有人去处理" in third.text
    await village.does("王强", token(third, "我去处理"))
    assert "王强" in (await village.sweep())[-1].text and len(village.shown) == 4
    assert (await village.talk.now(alert)).state == "claimed"


@pytest.mark.parametrize(("kind", "said"), [("abuse", "紧急求助"), ("self_harm", "紧急求助"), ("sos", "紧急求助"),
                                            ("lost", "走失"), ("fire", "火情"), ("gas", "燃气"), ("illness", "人身求助")])
async def test_of_the_kind_one_word_is_said(village: InGroup, kind: str, said: str) -> None:
    await village.bound()
    await village.talk.alarm(ELDER, kind)
    assert f"张某 · {said} · 待认领" in (await village.sweep())[-1].text


async def test_what_was_pressed_and_did_not_go_out_is_not_in_the_group(village: InGroup) -> None:
    await village.bound()
    await village.talk.asked("王强", "紧急 张桂芳")
    assert len(await village.sweep()) == 1


async def test_an_alert_of_another_village_than_was_thought_leaves_the_group(village: InGroup) -> None:
    await village.bound()
    running = village.talk.running

    def work(tx: Tx) -> None:
        home = areas.named(tx, "建设村")[0].id
        alert = raising.press(tx, running.village.people["王强"], None, home, "", running.policies, running.now())
        alerting.go_out(tx, alert, "sos", running.policies, running.now())
    await village.run(work)
    assert "名单外的老人 · 紧急求助" in (await village.sweep())[-1].text

    def say(tx: Tx) -> None:
        alert = alerts.running_numbered(tx, 1)
        assert alert is not None
        raising.say_whom(tx, alert, elders.unscoped(tx, running.village.elders["陈国清1组"]), "", running.policies,
                         running.now())
    await village.run(say)
    last = (await village.sweep())[-1]
    assert "不在本村" in last.text and last.buttons == ()


async def test_a_drill_is_marked(village: InGroup) -> None:
    await village.bound()
    alert = await village.talk.alarm(ELDER, "fall")
    await village.run(lambda tx: tx.run(tables.alerts.update().where(tables.alerts.c.id == alert.id).values(drill=1)))
    assert (await village.sweep())[-1].text.startswith("【演练】警报")
    await village.talk.asked("王强", f"/claim {alert.id}", f"/falsealarm {alert.id}", "练完了", "提交")
    assert (await village.sweep())[-1].text.endswith("演练结束")  # no false alarm: that would be said of somebody


async def test_chatter_in_a_group_is_neither_answered_nor_kept(village: InGroup) -> None:
    await village.bound()
    for text in ("你好", "紧急联系人是谁", "仇大山", "/elder 仇大山", "/alerts", "/close 1", "/start abc"):
        await village.does("王强", text)
    assert len(await village.sweep()) == 1 and "7001" not in village.recorder.sent
    kept = await village.run(lambda tx: tx.all(select(tables.inbox.c.dedupe_key)))
    assert len(kept) == 2  # 周梅's two


async def test_a_cry_for_help_in_a_group_is_asked_about_in_private_and_raises_nothing_by_itself(village: InGroup) -> None:
    await village.bound()
    for text in ("紧急", "救命！有人摔了"):
        await village.does("王强", text)
    asked = village.recorder.sent["7001"]
    assert len(asked) == 2 and all("是紧急情况吗" in each.text and "摔" not in each.text for each in asked)
    assert asked[-1].buttons[0][0][1] == "/sos"
    assert len(await village.sweep()) == 1  # only that it is bound


async def test_a_coordinator_sees_and_unbinds_the_groups_of_the_village(village: InGroup) -> None:
    bound = await village.bound()
    listed = await village.talk.asked("周梅", "本村的群")
    assert "建设村" in listed.text and "周梅" in listed.text
    asked = await village.talk.asked("周梅", token(listed, "解除"))
    assert "要解除建设村" in asked.text
    await village.talk.asked("周梅", token(asked, "解除绑定"))
    await village.talk.alarm(ELDER, "fall")
    assert len(await village.sweep()) == 1
    assert "没找到" in (await village.talk.asked("周梅", f"/unbindgroup {bound.id} yes")).text


async def test_a_group_that_moved_is_followed_and_one_that_threw_us_out_is_told_of(village: InGroup,
                                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    await village.bound()
    send = village.recorder.send

    async def moved(chat: str, message: Message) -> Receipt:
        if chat == GROUP:
            raise Moved("-1001")
        return await send(chat, message)
    monkeypatch.setattr(village.recorder, "send", moved)
    await village.talk.alarm(ELDER, "fall")
    await village.sweep()
    assert "人身求助" in village.recorder.sent["-1001"][-1].text

    async def thrown_out(chat: str, message: Message) -> Receipt:
        if chat == "-1001":
            raise Blocked
        return await send(chat, message)
    monkeypatch.setattr(village.recorder, "send", thrown_out)
    village.talk.running.later(3600)
    await village.talk.alarm(ELDER, "gas")
    await village.sweep()
    assert "不在建设村的一个群里了" in village.talk.last("周梅").text
    assert await village.run(lambda tx: groups.held(tx, Scope(
        village.talk.running.village.people["周梅"], village.talk.running.now().date()))) == []


async def test_where_nobody_vouches_for_a_group_another_coordinator_is_asked_once(village: InGroup) -> None:
    group = await village.bound()
    running = village.talk.running
    await village.add("吴芳", "7103", "建设村", "village")
    await village.run(lambda tx: people.suspend(tx, running.village.people["周梅"], "operator", running.now()))
    for _ in range(2):
        await village.run(lambda tx: village_groups.sweep(tx, running.now(), running.policies))
    await village.talk.alarm(ELDER, "fall")
    assert "人身求助" in (await village.sweep())[-1].text  # it stays bound meanwhile
    asked, = [each for each in village.recorder.sent["7103"] if "收警报的群" in each.text]
    assert "周梅" in asked.text
    assert "还是建设村的群" in (await village.talk.asked("吴芳", token(asked, "还是本村的群"))).text
    found = await village.run(lambda tx: groups.unscoped(tx, group.id))
    assert found.bound_by == running.village.people["吴芳"]
    running.later(timedelta(days=1).total_seconds())
    await village.run(lambda tx: village_groups.sweep(tx, running.now(), running.policies))
    assert len([each for each in village.recorder.sent["7103"] if "收警报的群" in each.text]) == 1


@pytest.mark.parametrize(("said", "heard"), [
    ({"choice": "/claim x"}, True), ({"text": "/claim x"}, False), ({"text": "/bindgroup"}, True),
    ({"choice": "/bindgroup"}, False), ({"text": "/alerts"}, False), ({"choice": "/arrived x"}, False)])
def test_in_a_group_a_claim_is_pressed_and_the_word_that_binds_it_is_said(said: dict[str, str], heard: bool) -> None:
    assert in_group.concerns(Inbound("test", "7001", "-100", "1", START, chat_kind="group", **said)) is heard  # type: ignore[arg-type]
