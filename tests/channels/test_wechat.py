"""An Official Account: what comes in, what is answered in the reply itself, and what leaves afterwards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.channels.base import RetryAt
from bot.fetching import Fetching
from conversations.message import Message
from scheduler import alerting
from storage import accounts, alert_told, alerts, invitations, media, outbox, people
from storage.crypto import Keys
from storage.database import StoreUnavailable, Tx
from tests.channels.wechat_stage import TEMPLATES, Stage, remind, staged, state_of
from tests.fakes import tencent
from tests.fakes.house import Originals
from tests.fakes.wechat_people import Person

CUSTOM, TEMPLATE = "/cgi-bin/message/custom/send", "/cgi-bin/message/template/send"


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


@pytest.fixture
async def stage(originals: Originals, tmp_path: Path) -> AsyncIterator[Stage]:
    path = tmp_path / "templates.toml"
    path.write_text(TEMPLATES)
    async with staged(originals, templates=path) as stage:
        yield stage


@pytest.mark.parametrize("aes_key", [tencent.AES_KEY, ""], ids=["safe", "plain"])
async def test_a_message_is_answered_in_the_reply_to_its_own_request(originals: Originals, aes_key: str) -> None:
    async with staged(originals, aes_key=aes_key) as stage:
        wang = stage.who("王强")
        delivery = await wang.says("你好")
        assert delivery.statuses == [200]
        assert "王强" in wang.last.read
        assert [received.via for received in wang.phone] == ["reply"]
        assert not stage.fake.of(CUSTOM)
        assert await state_of(stage) == [("sent", outbox.CARRIED)]


async def test_the_address_is_verified_and_a_strange_one_is_not(stage: Stage) -> None:
    async with httpx.AsyncClient() as http:
        url, query = f"{stage.fake.bot_url}/wechat", tencent.signed(stage.running.now().timestamp())
        good = await http.get(url, params={**query, "echostr": "4242"})
        bad = await http.get(url, params={**query, "echostr": "4242", "signature": "0" * 40})
    assert (good.status_code, good.text) == (200, "4242")
    assert bad.status_code == 403


async def test_in_safe_mode_a_plain_message_is_refused_though_it_is_signed(stage: Stage) -> None:
    body = "<xml><ToUserName>g</ToUserName><FromUserName>7001</FromUserName><MsgType>text</MsgType><MsgId>1</MsgId></xml>"
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{stage.fake.bot_url}/wechat", content=body,
                                 params=tencent.signed(stage.running.now().timestamp()))
    assert answer.status_code == 403
    assert await state_of(stage) == []


async def test_the_same_message_again_brings_the_same_answer_and_changes_nothing(stage: Stage) -> None:
    wang = stage.who("王强")
    delivery = await wang.says("你好")
    await stage.fake.callbacks.again(wang, delivery)  # the fake compares the two answers
    stage.channel._answers._works.clear()  # as after a restart, or in another process
    stage.running.forget()
    await stage.fake.callbacks.again(wang, delivery)
    assert delivery.statuses == [200, 200, 200]
    assert len(wang.phone) == 1
    assert await state_of(stage) == [("sent", outbox.CARRIED)]


async def test_two_events_of_different_times_are_two_and_the_same_one_again_is_one(stage: Stage) -> None:
    await stage.menus.keep()
    wang = stage.who("王强")
    first = await wang.taps_menu("我的老人")
    stage.running.later(5)
    second = await wang.taps_menu("我的老人")
    await stage.fake.callbacks.again(wang, first)
    assert len(await state_of(stage)) == 2
    assert second.reply and len(wang.phone) == 2


# Options and taps


async def test_options_are_numbered_links_and_a_tap_answers_the_question(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("上门探访 单秀英")
    question = wang.last
    label = next(link[0] for link in question.links if link[0].startswith("1 "))
    assert label in question.read.splitlines()
    await wang.taps(label)
    assert wang.last.text != question.text and "没有" not in wang.last.read[:4]


async def test_a_number_and_a_label_without_its_hint_answer_too(originals: Originals) -> None:
    async with staged(originals, hints=False) as stage:  # as on a test account, and some clients
        wang = stage.who("王强")
        await wang.says("上门探访 单秀英")
        first = wang.last
        await wang.taps(next(link[0] for link in first.links if link[0].startswith("1 ")))
        second = wang.last
        await wang.says("1")
        assert len({first.text, second.text, wang.last.text}) == 3


@pytest.mark.parametrize("encoded", [False, True], ids=["decoded by the client", "as it stands"])
async def test_a_tap_on_an_old_question_changes_nothing(stage: Stage, encoded: bool) -> None:
    wang = stage.who("王强")
    await wang.says("上门探访 单秀英")
    old = wang.last
    label = next(link[0] for link in old.links if link[0].startswith("1 "))
    await wang.taps(label, encoded=encoded)
    now = wang.last
    await wang.taps(label, old, encoded=encoded)
    assert now.read.split("\n")[-1] in wang.last.read


async def test_a_hint_that_is_no_token_is_passed_over_and_the_label_counts(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("你好", hint="101")
    assert "王强" in wang.last.read


async def test_names_and_answers_cannot_become_links(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says('上门探访 <a href="https://evil.example">点我</a>')
    assert "<a href=\"https" not in wang.last.text


# Media


async def test_a_photo_and_a_voice_note_are_kept_and_fetched_from_the_platform(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("上门探访 单秀英")
    assert (await wang.sends_photo(b"\xff\xd8 photo")).statuses == [200]
    assert (await wang.sends_voice(b"#!AMR voice")).statuses == [200]
    waiting = await stage.store.read(lambda tx: media.waiting(tx, "wechat"))
    await Fetching(stage.store, {"wechat": stage.channel}, stage.running.now).fetch()
    assert {(await stage.store.read(lambda tx, item=item: media.body(tx, item)) or ("", b""))[1]
            for item, *_ in waiting} <= {b"\xff\xd8 photo", b"#!AMR voice"}
    assert not await stage.store.read(lambda tx: media.waiting(tx, "wechat"))


async def test_a_place_comes_in_the_datum_of_the_platform(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    answer = stage.running.dispatch.answer
    monkeypatch.setattr(stage.running.dispatch, "answer", lambda inbound, beside: (seen.append(inbound), answer(inbound, beside))[1])
    await stage.who("王强").sends_place(28.87, 105.44)
    assert (seen[0].place.latitude, seen[0].place.longitude, seen[0].place.datum) == (28.87, 105.44, "GCJ-02")


async def test_a_video_is_answered_with_one_kind_sentence(stage: Stage) -> None:
    wang = stage.who("王强")
    assert (await wang.sends_video()).reply


# Windows and templates


async def test_a_notice_goes_by_customer_message_in_the_window_and_by_template_beyond_it(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    await remind(stage)
    assert wang.last.via == "message"
    stage.running.at += timedelta(hours=49)
    await remind(stage, elder="曾国富3组")
    assert wang.last.via == "template"
    assert len(stage.fake.refused(CUSTOM)) == 0  # it was known before it was tried
    assert [state for state, _ in await state_of(stage, "visit_due")] == ["sent", "sent"]


async def test_after_five_messages_the_sixth_goes_by_template(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    for n in range(6):
        await stage.channel.send(wang.openid, Message(f"第{n}条"))
    assert [received.via for received in wang.phone[1:]] == ["message"] * 5 + ["template"]
    assert not stage.fake.refused(CUSTOM)


async def test_a_menu_tap_opens_three_messages_in_one_minute(stage: Stage) -> None:
    await stage.menus.keep()
    wang = stage.who("王强")
    await wang.taps_menu("开始")
    for n in range(4):
        await stage.channel.send(wang.openid, Message(f"第{n}条"))
    assert [received.via for received in wang.phone[1:]] == ["message"] * 3 + ["template"]


async def test_a_tapped_link_opens_no_more_than_the_menu_does(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("上门探访 单秀英")
    stage.running.at += timedelta(hours=49)
    await wang.taps(next(link[0] for link in wang.last.links if link[0].startswith("1 ")))
    shown = len(wang.phone)
    for n in range(4):
        await stage.channel.send(wang.openid, Message(f"第{n}条"))
    assert [received.via for received in wang.phone[shown:]] == ["message"] * 3 + ["template"]
    assert not stage.fake.refused(CUSTOM)


async def test_a_refused_message_is_not_counted_as_sent(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    stage.fake.fails(CUSTOM, -1, times=2)
    for _ in range(2):
        with pytest.raises(RetryAt):
            await stage.channel.send(wang.openid, Message("没到"))
    for n in range(6):
        await stage.channel.send(wang.openid, Message(f"第{n}条"))
    assert [received.via for received in wang.phone[1:]] == ["message"] * 5 + ["template"]


async def test_of_a_long_message_no_piece_comes_twice_though_one_of_them_is_tried_again(
        stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    wang, long = stage.who("王强"), Message("。".join(f"第{n}句说的是同样的事" for n in range(120)))
    await wang.says("你好")
    post, posted = stage.channel.calls.post, 0

    async def second_fails(path: str, body: Any) -> Any:
        nonlocal posted
        posted += 1
        if posted == 2:
            raise RetryAt(5)
        return await post(path, body)

    monkeypatch.setattr(stage.channel.calls, "post", second_fails)
    with pytest.raises(RetryAt):
        await stage.channel.send(wang.openid, long)
    await stage.channel.send(wang.openid, long)
    assert "".join(received.text for received in wang.phone[1:]) == long.text


@pytest.mark.parametrize("code", [45015, 45047])
async def test_where_the_platform_counts_otherwise_the_template_goes_and_nothing_more_is_tried(stage: Stage, code: int) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    stage.fake.fails(CUSTOM, code)
    await remind(stage)
    await remind(stage, elder="曾国富3组")
    assert [received.via for received in wang.phone[1:]] == ["template", "template"]
    assert len(stage.fake.refused(CUSTOM)) == 1


@pytest.mark.parametrize(("code", "state", "blocked"), [
    (43004, "dropped", True), (48002, "dropped", True), (48001, "dropped", False),
    (40164, "waiting", False), (89503, "waiting", False), (50002, "waiting", False), (45011, "waiting", False),
    (-1, "waiting", False), (40003, "dropped", True)])
async def test_each_refusal_means_something_to_delivery(stage: Stage, code: int, state: str, blocked: bool) -> None:
    await stage.who("王强").says("你好")
    stage.fake.fails(CUSTOM, code, times=9)
    await remind(stage)
    assert [each for each, _ in await state_of(stage, "visit_due")] == [state]
    reached = await stage.store.read(lambda tx: accounts.reached(tx, stage.village.people["王强"]))
    assert (reached is None) == blocked


@pytest.mark.parametrize(("code", "state"), [
    (43117, "waiting"), (40241, "waiting"), (43116, "dropped"), (40037, "dropped")])
async def test_each_refusal_of_a_template_means_something_to_delivery(stage: Stage, code: int, state: str) -> None:
    stage.fake.fails(TEMPLATE, code)
    await remind(stage)
    assert [each for each, _ in await state_of(stage, "visit_due")] == [state]


async def test_a_template_whose_answer_was_lost_is_not_shown_twice_and_another_is(stage: Stage) -> None:
    stage.fake.lost = 1
    await remind(stage)
    assert [each for each, _ in await state_of(stage, "visit_due")] == ["waiting"]
    stage.running.later(61)
    await stage.running.delivery.sweep()
    assert [each for each, _ in await state_of(stage, "visit_due")] == ["sent"]
    assert [received.via for received in stage.who("王强").phone] == ["template"]
    await remind(stage)
    assert len(stage.who("王强").phone) == 2


async def test_a_day_s_quota_that_is_used_up_sends_by_template_or_waits(stage: Stage, originals: Originals) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    stage.fake.fails(CUSTOM, 45009)
    await remind(stage)
    assert wang.last.via == "template"
    async with staged(originals) as other:
        await other.who("王强").says("你好")
        other.fake.fails(CUSTOM, 45009)
        await remind(other)
        assert [each for each, _ in await state_of(other, "visit_due")] == ["waiting"]


async def test_an_address_that_is_not_on_the_list_is_named_to_the_operator(
        stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    await stage.who("王强").says("你好")
    stage.fake.fails(CUSTOM, 40164)
    await remind(stage)
    assert "10.9.8.7" in capsys.readouterr().out


async def test_a_wrong_template_field_is_explained_to_the_operator_by_its_name(
        stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.fake.fails(TEMPLATE, 47003)
    await remind(stage)
    said = capsys.readouterr().out
    assert "TANFANG_WECHAT_TEMPLATES" in said and "thing1" in said
    assert [each for each, _ in await state_of(stage, "visit_due")] == ["dropped"]


async def test_a_token_that_runs_out_in_the_middle_is_renewed_once_and_nothing_is_lost(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    await remind(stage)
    stage.fake.expire_token()
    await remind(stage, elder="曾国富3组")
    assert [received.via for received in wang.phone[1:]] == ["message", "message"]
    assert stage.fake.issued == 2


async def test_a_message_that_is_dropped_silently_counts_as_sent_here(stage: Stage) -> None:
    wang = stage.who("王强")
    await wang.says("你好")
    stage.fake.drops.add(wang.openid)
    await remind(stage)
    assert len(wang.phone) == 1
    assert [each for each, _ in await state_of(stage, "visit_due")] == ["sent"]  # the alert ladder asks for more


# Coming and going


async def test_a_scan_of_an_invitation_binds_and_an_unfollow_is_a_block(stage: Stage) -> None:
    token = await stage.store.run(lambda tx: invitations.make(
        tx, stage.village.people["钱进"], stage.village.people["赵敏"], stage.running.now()))
    async with httpx.AsyncClient() as http:
        shown = await http.get(f"{stage.fake.bot_url}/wechat/join/{token}")
        assert shown.status_code == 303 and shown.headers["location"].startswith("https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQ%2B")
        over = await http.get(f"{stage.fake.bot_url}/wechat/join/unknown")
        assert over.status_code == 404 and "请让协调员再发一个" in over.text
        stage.fake.fails("/cgi-bin/qrcode/create", 45009)
        later = await http.get(f"{stage.fake.bot_url}/wechat/join/{token}")
        assert later.status_code == 503 and "过一会儿" in later.text
        with pytest.MonkeyPatch.context() as away:
            away.setattr(stage.store, "read", unavailable)
            assert (await http.get(f"{stage.fake.bot_url}/wechat/join/{token}")).status_code == 503
    assert stage.fake.scenes == [token]
    qian = stage.fake.person("o-qian", follows=False)
    await qian.scans(token)
    assert "钱进" in qian.last.read
    await qian.says("你好")
    await qian.unfollows()
    assert await reached(stage, "钱进") is None
    await qian.follows()
    assert await reached(stage, "钱进") == ("wechat", "o-qian")


async def unavailable(work: Any) -> Any:
    raise StoreUnavailable("away")


async def reached(stage: Stage, name: str) -> tuple[str, str] | None:
    def read(tx: Tx) -> tuple[str, str] | None:
        return accounts.reached(tx, stage.village.people[name])
    return await stage.store.read(read)


async def test_a_stranger_who_follows_is_told_how_to_come_in(stage: Stage) -> None:
    stranger = stage.fake.person("o-stranger", follows=False)
    await stranger.follows()
    assert stranger.last.read


async def test_a_template_that_he_blocks_is_a_block(stage: Stage) -> None:
    wang: Person = stage.who("王强")
    await wang._event("TEMPLATESENDJOBFINISH", MsgID="1", Status="failed:user block")
    assert await reached(stage, "王强") is None


async def test_an_alert_s_template_that_did_not_arrive_gives_the_next_channel_its_turn(stage: Stage) -> None:
    def raise_alert(tx: Tx) -> None:
        alerting.raise_alert(tx, stage.village.elders["张桂芳3组"], "fall", "person", stage.village.people["王强"],
                             stage.running.policies, stage.running.now())

    async def due() -> bool:
        """Whether 李娜 is to be told on another channel now."""
        child, at = stage.village.people["李娜"], stage.running.now()
        found = await stage.store.read(lambda tx: alert_told.of(tx, alerts.running_numbered(tx, 1).id))  # type: ignore[union-attr]
        [told] = [each for each in found if each.person_id == child]
        return told.next_at is not None and told.next_at <= at

    await stage.store.run(raise_alert)
    await stage.running.delivery.sweep()
    assert stage.who("李娜").last.via == "template" and not await due()
    await stage.who("李娜").misses_template("failed:freq limit")
    assert await due()


async def test_menus_are_set_by_role_once_and_again_only_where_they_differ(stage: Stage) -> None:
    await stage.menus.keep()
    assert {each["name"] for each in stage.fake.menu_of(stage.who("王强"))} >= {"待访", "上门探访"}
    assert {each["name"] for each in stage.fake.menu_of(stage.who("李娜"))} >= {"报平安"}
    assert {each["name"] for each in stage.fake.menu_of(stage.fake.person("o-x"))} == {"开始", "紧急", "帮助"}
    made = len(stage.fake.of("/cgi-bin/menu/create"))
    await stage.menus.keep()
    assert len(stage.fake.of("/cgi-bin/menu/create")) == made


async def test_who_unfollowed_keeps_nobody_s_menu_back_and_has_his_again_when_he_follows(originals: Originals) -> None:
    async with staged(originals) as stage:
        wang, zhao = stage.who("王强"), stage.who("赵敏")
        await wang.unfollows()
        await stage.menus.keep()
        assert zhao.tags and not wang.tags
        await wang.follows()
        await asyncio.gather(*stage.channel._tasks)
        assert "上门探访" in {each["name"] for each in stage.fake.menu_of(wang)}


async def test_who_left_office_has_the_menu_of_everybody_from_the_next_start(stage: Stage) -> None:
    await stage.menus.keep()
    await stage.store.run(lambda tx: people.suspend(
        tx, stage.village.people["王强"], stage.village.people["赵敏"], stage.running.now(), leaves=True))
    await stage.menus.keep()
    assert {each["name"] for each in stage.fake.menu_of(stage.who("王强"))} == {"开始", "紧急", "帮助"}


async def test_a_menu_that_cannot_be_set_is_only_logged(stage: Stage) -> None:
    stage.fake.fails("/cgi-bin/tags/get", 48001)
    await stage.menus.keep()
    assert (await stage.who("王强").says("你好")).statuses == [200]
