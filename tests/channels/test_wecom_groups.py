"""A village's groups on WeCom: a chat whose members are kept in step, a robot that only sends; and all kinds at once."""

from collections.abc import AsyncIterator

import pytest

from bot.channels.base import Gone, RetryAt
from conversations.message import Message
from scheduler import alerting, robots
from storage import accounts, alerts, areas, groups, people
from storage.alerts import Alert
from storage.crypto import Keys
from storage.database import Tx
from storage.groups import Group
from tests.channels.wecom_stage import Stage, staged
from tests.fakes.house import Originals
from tests.fakes.wecom_api import ROBOT

HOOK = "/cgi-bin/webhook/send?key="


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("wecom"), keys)


@pytest.fixture
async def stage(originals: Originals) -> AsyncIterator[Stage]:
    """With 周梅, who coordinates the village."""
    async with staged(originals) as stage:
        await add(stage, "周梅", "7101", "village")
        yield stage


async def add(stage: Stage, name: str, account: str, *roles: str) -> str:
    def work(tx: Tx) -> str:
        person = people.add(tx, areas.named(tx, "建设村")[0].id, name, roles, stage.running.now()).id
        accounts.bind(tx, "wecom", account, account, person, stage.running.now())
        return person
    stage.fake.person(account, name)
    return await stage.store.run(work)


async def says(stage: Stage, who: str, *texts: str) -> str:
    """What somebody is answered to the last of them."""
    for text in texts:
        stage.running.later()
        await stage.after(await stage.who(who).says(text))
    return stage.who(who).last.text


async def presses(stage: Stage, who: str, label: str) -> str:
    await stage.after(await stage.who(who).presses(label))
    return stage.who(who).last.text


async def sweep(stage: Stage) -> None:
    await stage.running.delivery.sweep()


async def alarm(stage: Stage, elder: str = "张桂芳3组") -> Alert:
    def work(tx: Tx) -> Alert:
        number = alerting.raise_alert(tx, stage.village.elders[elder], "fall", "person", stage.village.people["李娜"],
                                      stage.running.policies, stage.running.now())
        found = alerts.running_numbered(tx, number)
        assert found is not None
        return found
    return await stage.store.run(work)


async def village_chat(stage: Stage) -> Group:
    assert "有 2 人" in await says(stage, "7101", "建村群")
    assert "群建好了" in await presses(stage, "7101", "1 建群")
    await sweep(stage)
    found, = await stage.store.read(lambda tx: groups.on(tx, "wecom", "chat"))
    return found


# The chat


async def test_a_coordinator_makes_the_village_s_chat_with_those_who_work_there(stage: Stage) -> None:
    group = await village_chat(stage)
    (chat_id, chat), = stage.fake.chats.items()
    assert group.chat == f"appchat:{chat_id}"
    assert (chat.name, chat.owner, sorted(chat.members)) == ("建设村探访工作群", "7101", ["7001", "7101"])
    assert "绑定到建设村" in chat.said[0]
    assert "已经绑定到建设村" in await says(stage, "7101", "建村群")
    assert len(stage.fake.chats) == 1


async def test_nobody_else_makes_one_and_not_with_fewer_than_two(stage: Stage) -> None:
    assert "用不了" in await says(stage, "王强", "/villagechat 1 yes")
    await stage.store.run(lambda tx: accounts.blocked(tx, "wecom", "7001", stage.running.now()))
    assert "还不到两个人" in await says(stage, "7101", "/villagechat 1 yes")
    assert stage.fake.chats == {}


async def test_a_township_s_coordinator_says_which_village(stage: Stage) -> None:
    assert "哪个村" in await says(stage, "赵敏", "建村群")
    assert "建设村" in await presses(stage, "赵敏", "1 建设村")
    await presses(stage, "赵敏", "1 建群")
    await sweep(stage)
    chat, = stage.fake.chats.values()
    assert sorted(chat.members) == ["7001", "7003", "7101"]


async def test_its_members_are_kept_in_step_with_who_is_in_office(stage: Stage) -> None:
    await village_chat(stage)
    chat, = stage.fake.chats.values()
    await add(stage, "孙丽", "7102", "visitor")
    await stage.store.run(lambda tx: people.suspend(
        tx, stage.village.people["王强"], stage.village.people["赵敏"], stage.running.now(), leaves=True))
    await stage.channel.groups.keep_all()
    assert sorted(chat.members) == ["7101", "7102"]
    count = len(stage.fake.of("/cgi-bin/appchat/update"))
    await stage.channel.groups.keep_all()
    assert len(stage.fake.of("/cgi-bin/appchat/update")) == count  # nothing to change, nothing asked


async def test_who_left_office_is_out_before_the_next_alert_is_said(stage: Stage) -> None:
    await village_chat(stage)
    chat, = stage.fake.chats.values()
    await add(stage, "孙丽", "7102", "visitor")
    owner = await stage.store.read(lambda tx: groups.on(tx, "wecom", "chat")[0].bound_by)
    assert owner
    await stage.store.run(lambda tx: people.suspend(tx, owner, stage.village.people["赵敏"], stage.running.now()))
    await alarm(stage)
    await sweep(stage)
    assert "7101" not in chat.members and chat.owner in chat.members
    assert "张某" in chat.said[-1]


async def test_a_relative_stands_in_no_work_group(stage: Stage) -> None:
    await village_chat(stage)
    chat, = stage.fake.chats.values()
    assert "7004" not in chat.members


async def test_a_chat_that_is_not_bound_any_more_gets_nothing(stage: Stage) -> None:
    group = await village_chat(stage)
    await stage.store.run(lambda tx: groups.leave(tx, group, "clock", stage.running.now()))
    with pytest.raises(Gone):
        await stage.channel.send(group.chat, Message("警报"))


# The robot


async def test_a_pasted_address_becomes_the_village_s_robot_after_a_yes(stage: Stage) -> None:
    asked = await says(stage, "7101", f"{stage.fake.url}{HOOK}{ROBOT}")
    assert "群机器人" in asked and "建设村" in asked
    assert stage.fake.robots[ROBOT].said == []
    assert "绑定到建设村" in await presses(stage, "7101", "1 确认绑定")
    await sweep(stage)
    said, = stage.fake.robots[ROBOT].said
    assert "绑定到建设村" in said
    found = await stage.store.read(lambda tx: groups.at(tx, "wecom", robots.robot(ROBOT)))
    assert found is not None and (found.kind, found.address) == ("robot", ROBOT)
    assert ROBOT not in found.chat and ROBOT not in repr(found)


@pytest.mark.parametrize("address", [
    "https://evil.example/cgi-bin/webhook/send?key=" + ROBOT, "{url}.evil.example" + HOOK + ROBOT, "{url}@evil.example" + HOOK + ROBOT,
    "{url}/cgi-bin/webhook/send/../x?key=" + ROBOT, "{url}" + HOOK + ROBOT + "&debug=1", "{url}" + HOOK + "../../x",
    "{url}" + HOOK, "{url}" + HOOK + ROBOT + "#x"])
async def test_any_other_address_is_refused_and_nothing_is_asked_there(stage: Stage, address: str) -> None:
    assert "不是企业微信群机器人的地址" in await says(stage, "7101", "/robot " + address.format(url=stage.fake.url))
    assert await stage.store.read(lambda tx: groups.on(tx, "wecom", "robot")) == []


async def test_a_robot_is_no_visitor_s_to_bring(stage: Stage) -> None:
    assert "用不了" in await says(stage, "王强", f"{stage.fake.url}{HOOK}{ROBOT}")


async def robot(stage: Stage) -> None:
    await says(stage, "7101", f"{stage.fake.url}{HOOK}{ROBOT}")
    await presses(stage, "7101", "1 确认绑定")
    await sweep(stage)


async def test_a_robot_that_was_taken_out_is_reported_to_the_coordinator(stage: Stage) -> None:
    await robot(stage)
    del stage.fake.robots[ROBOT]
    await alarm(stage)
    await sweep(stage)
    await sweep(stage)
    assert any("我不在建设村的一个群里了" in each.text for each in stage.who("7101").phone)


async def test_a_robot_gets_no_more_in_a_minute_than_it_takes(stage: Stage) -> None:
    await robot(stage)
    for number in range(19):  # one was said when it was bound
        await stage.channel.send(robots.robot(ROBOT), Message(f"警报 {number}"))
    with pytest.raises(RetryAt):
        await stage.channel.send(robots.robot(ROBOT), Message("警报"))


async def test_a_robot_that_others_use_too_takes_the_alert_when_its_minute_is_over(stage: Stage) -> None:
    await robot(stage)
    stage.fake.robots[ROBOT].at = [stage.running.now()] * 20
    await alarm(stage)
    await sweep(stage)
    assert len(stage.fake.robots[ROBOT].said) == 1
    stage.running.later(61)
    await sweep(stage)
    assert "张某" in stage.fake.robots[ROBOT].said[-1]


async def test_members_that_cannot_be_changed_keep_no_alert_back_and_a_chat_that_cannot_be_made_is_gone(
        stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    group = await village_chat(stage)
    chat, = stage.fake.chats.values()
    await add(stage, "孙丽", "7102", "visitor")
    stage.fake.fails("/cgi-bin/appchat/update", 86216)
    await stage.channel.send(group.chat, Message("警报"))
    assert chat.said[-1] == "警报" and "not in the directory" in capsys.readouterr().out
    stage.fake.chats.clear()
    stage.fake.fails("/cgi-bin/appchat/create", 86006)
    with pytest.raises(Gone):
        await stage.channel.send(group.chat, Message("警报"))


async def test_an_application_that_not_everybody_sees_keeps_the_village_s_chat_and_the_operator_hears_of_it(
        stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    group = await village_chat(stage)
    stage.fake.whole = False
    with pytest.raises(RetryAt):
        await stage.channel.send(group.chat, Message("警报"))
    assert "visible range" in capsys.readouterr().out
    await alarm(stage)
    await sweep(stage)
    assert await stage.store.read(lambda tx: groups.on(tx, "wecom", "chat"))
    stage.fake.whole = True
    stage.running.later(61)
    await sweep(stage)
    chat, = stage.fake.chats.values()
    assert "张某" in chat.said[-1]


async def test_a_member_who_is_gone_from_the_directory_keeps_no_alert_back(stage: Stage) -> None:
    group = await village_chat(stage)
    chat, = stage.fake.chats.values()
    await add(stage, "孙丽", "7102", "visitor")
    stage.fake.fails("/cgi-bin/appchat/update", 60111)
    await stage.channel.send(group.chat, Message("警报"))
    assert chat.said[-1] == "警报"


# All at once


async def test_an_alert_is_told_in_chat_robot_and_ordinary_group_and_one_claim_closes_all(stage: Stage) -> None:
    await village_chat(stage)
    await robot(stage)
    await says(stage, "7101", "/wechatgroup")
    alert = await alarm(stage)
    await sweep(stage)
    chat, = stage.fake.chats.values()
    for said in (chat.said, stage.fake.robots[ROBOT].said):
        assert said[-1].startswith(f"警报 {alert.called} · 3组 张某 · 人身求助 · 待认领")
        assert "https://tanfang.example/a/" in said[-1] and "张桂芳" not in said[-1]
    forwarded = [each for each in stage.who("7101").phone if "/a/" in each.text + each.link]
    assert forwarded, [each.text for each in stage.who("7101").phone]
    await presses(stage, "王强", "1 我去处理")
    await sweep(stage)
    card = next(each for each in stage.who("王强").phone if "1 我去处理" in [label for label, _ in each.buttons])
    assert card.pressed == "已点：1 我去处理"
    for said in (chat.said, stage.fake.robots[ROBOT].said):
        assert "王强" in said[-1] and "去处理了" in said[-1] and "/a/" not in said[-1]
    now = await stage.store.read(lambda tx: alerts.unscoped(tx, alert.id))
    assert now is not None and now.claimed_by == stage.village.people["王强"]
    await stage.after(await stage.who("7101").presses("1 我去处理"))
    assert "王强" in stage.who("7101").last.text  # who comes later hears who it is
