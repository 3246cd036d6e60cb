"""WeCom: what comes in is stored before it is acknowledged; questions are cards; limits are kept by ourselves."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from bot.channels.base import Blocked, Gone, Refused, RetryAt, SendFailure
from bot.channels.wecom_wiring import menu
from conversations.message import Document, Inbound, Media, Message, Told
from storage import accounts, invitations, media
from storage.crypto import Keys
from storage.database import StoreUnavailable
from tests.channels.wecom_stage import Stage, staged
from tests.fakes.house import Originals
from tests.fakes.wecom_people import Member


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("wecom"), keys)


@pytest.fixture
async def stage(originals: Originals) -> AsyncIterator[Stage]:
    async with staged(originals) as stage:
        yield stage


SEND = "/cgi-bin/message/send"


# In


async def test_the_console_gets_its_echo_back_in_plain(stage: Stage) -> None:
    answer = await stage.fake.callbacks.verify("4971234567")
    assert (answer.status_code, answer.text) == (200, "4971234567")
    assert (await stage.fake.callbacks.verify(msg_signature="0" * 40)).status_code == 403


async def test_what_somebody_writes_is_answered_with_a_card(stage: Stage) -> None:
    await stage.after(await stage.who("王强").says("你好"))
    card = stage.who("王强").last
    assert card.kind == "button_interaction"
    assert card.text == "您好，王强。今天要做什么？"
    assert [label for label, _ in card.buttons][:2] == ["1 上门探访", "2 我的老人"]


@pytest.mark.parametrize("changed", [
    {"msg_signature": "0" * 40}, {"timestamp": "1"}, {"nonce": "other"}, {"timestamp": "x"}, {"msg_signature": "é"}])
async def test_what_is_not_signed_is_refused_and_changes_nothing(stage: Stage, changed: dict[str, str]) -> None:
    message = "<xml><FromUserName>7001</FromUserName><MsgType>text</MsgType><Content>你好</Content><MsgId>1</MsgId></xml>"
    assert await stage.fake.callbacks.post(message, **changed) == 403
    await stage.settle()
    assert stage.who("王强").phone == []


async def test_another_corporations_message_is_refused(stage: Stage) -> None:
    message = "<xml><FromUserName>7001</FromUserName><MsgType>text</MsgType><Content>你好</Content><MsgId>1</MsgId></xml>"
    assert await stage.fake.callbacks.post(message, receive_id="wwother") == 403
    await stage.settle()
    assert stage.who("王强").phone == []


async def test_the_same_message_again_is_answered_once(stage: Stage) -> None:
    delivery = await stage.after(await stage.who("王强").says("你好"))
    await stage.after(await stage.fake.callbacks.again(delivery))
    assert len(stage.who("王强").phone) == 1


async def test_a_user_id_in_capitals_is_the_same_member(stage: Stage) -> None:
    await stage.store.run(lambda tx: accounts.bind(
        tx, "wecom", "wangqiang", "wangqiang", stage.village.people["王强"], stage.running.now()))
    capital = stage.fake.person("WangQiang", "王强")
    await stage.after(await capital.says("你好"))
    assert capital.last.text.startswith("您好，王强")


async def test_nothing_is_acknowledged_that_is_not_stored(originals: Originals) -> None:
    async def fails(inbound: Inbound) -> None:
        raise StoreUnavailable("disk full")

    async with staged(originals, handle=fails) as stage:
        assert (await stage.who("王强").says("你好")).statuses == [503, 503, 503]


async def test_a_store_that_is_held_up_ends_the_request_and_the_repeat_is_answered_once(originals: Originals) -> None:
    go_on, came, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(inbound: Inbound) -> None:
        came.set()
        await go_on.wait()
        await stage.running.handle(inbound)
        done.set()

    async with staged(originals, handle=slow, patience=0.05) as stage:
        first = await stage.who("王强").says("你好")
        assert first.statuses == [503, 503, 503]
        assert came.is_set() and stage.who("王强").phone == []
        go_on.set()
        async with asyncio.timeout(10):
            await done.wait()  # nothing came again: the work that was begun went on
        await stage.settle()
        assert len(stage.who("王强").phone) == 1
        async with asyncio.timeout(10):
            while (await stage.fake.callbacks.again(first)).statuses[-1] != 200:
                pass
        await stage.settle()
        assert len(stage.who("王强").phone) == 1


async def test_photo_voice_and_place_come_as_they_are(originals: Originals) -> None:
    taken: list[Inbound] = []

    async def handle(inbound: Inbound) -> None:
        taken.append(inbound)

    async with staged(originals, handle=handle) as stage:
        wang = stage.who("王强")
        await wang.sends_photo(b"\xff\xd8 a house")
        await wang.sends_voice(b"#!AMR hello")
        await wang.sends_place(28.8717, 105.4423)
        await wang.sends_video()
        await wang.opens()  # says nothing
        await wang.taps_menu("/due")
        photo, voice, place, video, tapped = taken
        assert [each.media[0].kind for each in (photo, voice)] == ["photo", "voice"]
        assert await stage.channel.fetch(photo.media[0]) == b"\xff\xd8 a house"
        assert place.place and (place.place.latitude, place.place.longitude, place.place.datum) == (
            28.8717, 105.4423, "GCJ-02")
        assert not (video.text or video.choice or video.media)
        assert tapped.choice == "/due"
        with pytest.raises(Refused):
            await stage.channel.fetch(Media("photo", "media-99"))


async def test_a_photo_sent_in_a_form_is_fetched_and_kept(stage: Stage) -> None:
    wang = stage.who("王强")
    await stage.after(await wang.says("探访 仇大山"))
    await stage.after(await wang.says("稍后继续"))
    found = await stage.store.read(lambda tx: media.waiting(tx, "wecom"))
    assert found == []


async def test_who_leaves_the_range_is_not_reachable_until_he_writes_again(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.leaves()
    assert await stage.store.read(lambda tx: accounts.reached(tx, stage.village.people["王强"])) is None
    wang.visible = True
    await stage.after(await wang.says("你好"))
    assert await stage.store.read(lambda tx: accounts.reached(tx, stage.village.people["王强"])) == ("wecom", "7001")


# Cards


async def test_an_answered_card_shows_the_answer_and_the_next_question_is_a_new_one(stage: Stage) -> None:
    wang = stage.who("王强")
    await stage.after(await wang.says("探访 仇大山"))
    first = wang.last
    await stage.after(await wang.presses("1 上门探访"))
    assert first.pressed == "已点：1 上门探访"
    assert wang.last is not first and "家里人口" in wang.last.text
    assert len(stage.fake.of("/cgi-bin/message/update_template_card")) == 1


async def test_a_card_whose_code_was_used_stays_and_the_answer_comes_all_the_same(stage: Stage) -> None:
    wang = stage.who("王强")
    await stage.after(await wang.says("探访 仇大山"))
    stage.fake.fails("/cgi-bin/message/update_template_card", 42022)
    await stage.after(await wang.presses("1 上门探访"))
    assert "家里人口" in wang.last.text


async def test_an_old_card_changes_nothing(stage: Stage) -> None:
    wang = stage.who("王强")
    await stage.after(await wang.says("探访 仇大山"))
    old = wang.last
    await stage.after(await wang.says("1"))  # typed: the card is not marked
    await stage.after(await wang.presses("2 电话问候", old))
    assert "家里人口" in wang.last.text


async def test_a_menu_card_can_be_pressed_again(stage: Stage) -> None:
    wang = stage.who("王强")
    await stage.after(await wang.says("你好"))
    await stage.after(await wang.presses("2 我的老人"))
    assert wang.phone[0].pressed == ""
    await stage.after(await wang.presses("2 我的老人", wang.phone[0]))


async def test_several_are_ticked_at_once_on_one_card(stage: Stage) -> None:
    wang = stage.who("王强")
    for text in ("探访 仇大山", "1", "111111", "2", "2", "2"):
        await stage.after(await wang.says(text))
        if wang.last.several:
            break
    for _ in range(20):
        if wang.last.boxes and wang.last.several:
            break
        await stage.after(await wang.says("跳过" if "可以跳过" in wang.last.text else "1"))
    card = wang.last
    assert card.several and len(card.boxes) > 2
    texts = [text for text, _ in card.boxes][1:3]
    await stage.after(await wang.ticks(*texts))
    assert card.pressed.startswith("已点：")
    assert wang.last is not card
    await stage.after(await wang.says("上一题"))
    assert all(text.partition(" ")[2] in _words(wang) for text in texts)


def _words(member: Member) -> str:
    """All that his last two messages say."""
    return "\n".join(each.text for each in member.phone[-2:])


# Out


async def _sent(stage: Stage, message: Message, chat: str = "7001") -> None:
    await stage.channel.send(chat, message)


async def test_beyond_the_limit_nothing_is_sent_that_would_vanish(stage: Stage) -> None:
    for number in range(25):
        await _sent(stage, Message(f"第 {number} 条"))
    with pytest.raises(RetryAt) as busy:
        await _sent(stage, Message("再来一条"))
    assert 0 < busy.value.seconds <= 70
    for number in range(5):  # alerts have the rest
        await _sent(stage, Message(f"警报 {number}", told=Told("alert_raised", {})))
    with pytest.raises(RetryAt):
        await _sent(stage, Message("警报 6", told=Told("alert_raised", {})))
    stage.running.later(busy.value.seconds)
    await _sent(stage, Message("再来一条"))
    assert stage.fake.dropped == []
    assert len(stage.who("王强").phone) == 31
    await _sent(stage, Message("别人的"), "7003")  # each has his own


async def test_no_minute_of_the_platforms_holds_more_than_it_shows(stage: Stage) -> None:
    sent = 0
    for _ in range(400):  # every second or so somebody wants to send as fast as may be
        try:
            await _sent(stage, Message(f"第 {sent} 条", told=Told("alert_raised", {})))
            sent += 1
        except RetryAt:
            stage.running.later(1.3)
    assert stage.fake.dropped == [] and sent > 60


async def test_a_message_whose_answer_was_lost_is_not_shown_twice(stage: Stage) -> None:
    await stage.after(await stage.who("王强").says("你好"))
    stage.fake.lost = 1
    await stage.who("王强").says("探访 仇大山")
    await stage.settle()
    count = len(stage.who("王强").phone)
    stage.running.later(10)
    await stage.running.delivery.sweep()
    assert len(stage.who("王强").phone) == count
    assert len(stage.fake.of(SEND)) == 3  # two answers, the second of them twice


async def test_the_same_answer_twice_is_shown_twice(stage: Stage) -> None:
    for _ in range(2):
        await _sent(stage, Message("没听懂，请再说一遍。"))
    assert len(stage.who("王强").phone) == 2


async def test_an_expired_token_is_renewed_once(stage: Stage) -> None:
    await _sent(stage, Message("一"))
    stage.fake.expire_token()
    await _sent(stage, Message("二"))
    assert stage.fake.issued == 2
    stage.fake.fails(SEND, 42001, 5)
    with pytest.raises(RetryAt):
        await _sent(stage, Message("三"))


@pytest.mark.parametrize(("code", "failure"), [
    (45009, RetryAt), (45033, RetryAt), (-1, RetryAt), (60020, RetryAt), (40056, RetryAt), (43012, RetryAt),
    (50003, RetryAt), (6000, RetryAt), (60011, Blocked), (60021, Blocked),
    (81013, Blocked), (60111, Blocked), (40058, Refused), (86001, Gone), (99999, Refused)])
async def test_an_error_within_a_good_answer_means_something(stage: Stage, code: int, failure: type[SendFailure]) -> None:
    stage.fake.fails(SEND, code)
    with pytest.raises(failure):
        await _sent(stage, Message("好"))


async def test_who_is_outside_the_range_or_has_no_licence_is_no_success(stage: Stage) -> None:
    stage.who("王强").visible = False
    with pytest.raises(Blocked):
        await _sent(stage, Message("好"))
    stage.who("赵敏").licensed = False
    with pytest.raises(Refused):
        await _sent(stage, Message("好"), "7003")


async def test_a_long_text_comes_whole_in_parts(stage: Stage) -> None:
    text = "。".join(f"第{number}句话说的是同样的事" for number in range(200))
    await _sent(stage, Message(text))
    assert len(stage.who("王强").phone) > 2
    assert "".join(each.text for each in stage.who("王强").phone) == text


async def test_a_file_and_a_picture_are_sent_as_such(stage: Stage) -> None:
    await _sent(stage, Message("请查收", document=Document("附件3.docx", b"PK document")))
    await _sent(stage, Message("请扫", document=Document("code.png", b"\x89PNG picture")))
    shown = [(each.kind, each.file and each.file[0]) for each in stage.who("王强").phone]
    assert shown == [("text", None), ("file", "附件3.docx"), ("text", None), ("image", "code.png")]


async def test_of_a_message_with_a_file_nothing_comes_twice_though_the_file_is_tried_again(
        stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    post, posted = stage.channel.calls.post, 0

    async def second_fails(path: str, body: Any) -> Any:
        nonlocal posted
        posted += 1
        if posted == 2:
            raise RetryAt(5)
        return await post(path, body)

    monkeypatch.setattr(stage.channel.calls, "post", second_fails)
    message = Message("请查收", document=Document("附件3.docx", b"PK document"))
    with pytest.raises(RetryAt):
        await _sent(stage, message)
    await _sent(stage, message)
    assert [each.kind for each in stage.who("王强").phone] == ["text", "file"]
    await _sent(stage, Message("请查收", document=Document("附件3.docx", b"PK another")))  # is another message
    assert [each.kind for each in stage.who("王强").phone] == ["text", "file", "text", "file"]


async def test_the_menu_is_as_the_platform_takes_it(stage: Stage) -> None:
    await stage.channel.set_menu(menu())
    assert stage.fake.menu is not None and len(stage.fake.menu) == 3


async def test_no_secret_stands_in_what_a_failure_says(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fake.fails(SEND, 60020)
    with pytest.raises(RetryAt) as busy:
        await _sent(stage, Message("张桂芳"))
    said = capsys.readouterr().out + repr(busy.value)
    assert stage.fake.secret not in said and "张桂芳" not in said and "token-" not in said
    assert "10.9.8.7" in said  # the address that the operator has to put on the list


# Members


async def test_a_member_whose_name_is_one_of_ours_waits_for_the_coordinators_yes(stage: Stage) -> None:
    qian = stage.fake.person("QianJin", "钱进")
    await stage.after(await qian.says("你好"))
    assert qian.last.text.startswith("收到了")
    await stage.running.delivery.sweep()
    zhao = stage.who("赵敏")
    assert "钱进" in zhao.last.text and "通讯录" in zhao.last.text
    await stage.after(await qian.says("待访"))
    assert "还在等协调员" in qian.last.text
    await stage.after(await zhao.presses("1 是他本人"))
    await stage.running.delivery.sweep()
    await stage.after(await qian.says("你好"))
    assert qian.last.text.startswith("您好，钱进")


async def test_a_member_whom_nobody_knows_or_who_is_here_already_is_only_asked_for_a_code(stage: Stage) -> None:
    for user_id, name in (("new1", "不认识"), ("new2", "王强"), ("new3", "")):
        somebody = stage.fake.person(user_id, name)
        await stage.after(await somebody.says("你好"))
        assert "邀请链接" in somebody.last.text


async def test_a_directory_that_does_not_answer_holds_up_nobody_and_is_asked_again(stage: Stage) -> None:
    stage.fake.fails("/cgi-bin/user/get", -1)
    qian = stage.fake.person("qianjin", "钱进")
    await stage.after(await qian.says("你好"))
    assert "邀请链接" in qian.last.text
    await stage.after(await qian.says("你好"))
    assert qian.last.text.startswith("收到了")


async def unavailable(work: Any) -> Any:
    raise StoreUnavailable("away")


async def test_an_invitation_opened_in_wecom_binds_the_member_who_opened_it(stage: Stage) -> None:
    token = await stage.store.run(
        lambda tx: invitations.make(tx, stage.village.people["钱进"], "operator", stage.running.now()))
    qian = stage.fake.person("QianJin")
    http, join = stage.fake.callbacks.http, f"{stage.fake.bot_url}/wecom/join/{token}"
    for _ in range(2):  # a preview of the link uses nothing up
        leads = await http.get(join)
        assert leads.status_code == 303
        assert leads.headers["location"].startswith("https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww")
        assert quote(f"https://tanfang.example/wecom/joined/{token}", safe="") in leads.headers["location"]
    back = f"{stage.fake.bot_url}/wecom/joined/{token}"
    outside = await http.get(back, params={"code": stage.fake.opened_by(None)})
    assert outside.status_code == 403 and "通讯录" in outside.text
    assert (await http.get(back, params={"code": "made-up"})).status_code == 503
    assert (await http.get(back)).status_code == 404
    with pytest.MonkeyPatch.context() as away:
        away.setattr(stage.store, "read", unavailable)
        for link in (join, f"{back}?code=x"):
            said = await http.get(link)
            assert said.status_code == 503 and "过一会儿" in said.text
    assert (await http.get(back, params={"code": stage.fake.opened_by(qian)})).status_code == 200
    await stage.settle()
    assert "绑定好了" in qian.phone[0].text
    assert (await http.get(join)).status_code == 404
    assert await stage.store.read(lambda tx: accounts.reached(tx, stage.village.people["钱进"])) == ("wecom", "qianjin")
