"""The parts of the WeChat channel that need no platform: texts and links, templates, what comes in, the menu's file."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Refused
from bot.channels.wechat_inbound import EVENT, MESSAGE, parse
from bot.channels.wechat_menu import groups
from bot.channels.wechat_templates import Templates, TemplatesError
from bot.channels.wechat_text import LIMIT, pieces, token_of
from conversations import commands, permissions
from conversations.message import Button, Message, Told
from conversations.words_book import Words
from tests.fakes.house import ZONE
from tests.fakes.wechat_people import LINK

AT = datetime(2026, 3, 2, 9, 5, tzinfo=ZONE)
TAG = "ABCDEFGHIJKLMNOP"


def question(count: int, label: str = "无变化") -> Message:
    rows = tuple((Button(f"{n} {label}", f"{TAG}.3.{n - 1}"),) for n in range(1, count + 1))
    return Message("和上次比，怎么样？", (*rows, (Button("上一题", f"{TAG}.3.=back"), Button("取消", f"{TAG}.3.=cancel"))))


# Texts


def test_numbered_labels_stand_a_line_each_and_those_that_steer_share_one() -> None:
    [text] = pieces([question(2)])
    assert LINK.sub(r"\3", text).splitlines() == ["和上次比，怎么样？", "", "1 无变化", "2 无变化", "上一题　取消"]
    assert [(says, token_of(token)) for says, token, _ in LINK.findall(text)] == [
        ("无变化", f"{TAG}.3.0"), ("无变化", f"{TAG}.3.1"), ("上一题", f"{TAG}.3.=back"), ("取消", f"{TAG}.3.=cancel")]


def test_links_go_before_a_second_piece_comes_those_that_steer_first() -> None:
    [text] = pieces([question(18)])
    assert [label for _, _, label in LINK.findall(text)] == [f"{n} 无变化" for n in range(1, 19)]
    [text] = pieces([question(40)])
    assert not LINK.findall(text) and "40 无变化" in text


def test_what_stands_above_an_open_question_keeps_its_links_for_a_typed_number_answers_the_question() -> None:
    def above(count: int) -> Message:
        return Message("出了什么事？", tuple((Button(f"{n} 摔倒了起不来", f"/soswhat {n}"),) for n in range(1, count + 1)))

    [text] = pieces([above(13), question(8)])
    assert [token_of(token) for _, token, _ in LINK.findall(text)] == [f"/soswhat {n}" for n in range(1, 14)]
    first, second = pieces([above(17), question(12)])
    assert len(LINK.findall(first)) == 17 and LINK.findall(second)


@given(st.lists(st.text(max_size=1500), min_size=1, max_size=4), st.lists(st.text(max_size=30), max_size=30))
def test_no_piece_is_longer_than_the_platform_takes_and_nothing_is_lost(texts: list[str], labels: list[str]) -> None:
    buttons = tuple((Button(f"{n} {label}", f"/elder {n}"),) for n, label in enumerate(labels, 1))
    found = pieces([*(Message(text) for text in texts[:-1]), Message(texts[-1], buttons)])
    assert all(0 < len(piece.encode()) <= LIMIT for piece in found)
    assert all(f"{n} " in "".join(found) for n in range(1, len(labels) + 1))


@pytest.mark.parametrize("wrote", ["<a href=\"https://evil\">x</a>", "</a>", "<", "\x00\x1b"])
def test_what_somebody_wrote_is_no_link_and_no_control_character(wrote: str) -> None:
    [text] = pieces([Message(f"说：{wrote}。", ((Button(f"1 {wrote}甲", "/elder 1"),),))])
    assert "<a href=\"https" not in text and text.count("</a>") == 1 and "\x1b" not in text


@pytest.mark.parametrize(("hint", "token"), [
    ("/visit%2001", "/visit 01"), ("/visit 01", "/visit 01"), (f"{TAG}.3.%3Dback", f"{TAG}.3.=back"), ("101", ""), ("", ""),
    ("../..", ""), ("满意", ""), ("%00", ""), (f"{TAG}.r.=submit", f"{TAG}.r.=submit")])
def test_a_hint_is_taken_only_where_it_is_a_token_of_ours(hint: str, token: str) -> None:
    assert token_of(hint) == token


# Templates


def made(tmp_path: Path, text: str) -> Templates:
    path = tmp_path / "templates.toml"
    path.write_text(text)
    return Templates(path, Words().phrase)


def value(tmp_path: Path, name: str, source: str, **fields: Any) -> str:
    templates = made(tmp_path, f"[other]\ntemplate = 'T'\nfields = {{ {name} = '''{source}''' }}")
    ready = templates.ready("o1", Message("警报来了\n第二行", told=Told("alert_raised", fields)), AT)
    return str(ready.body["data"][name]["value"])


@pytest.mark.parametrize(("name", "source", "said"), [
    ("thing1", "{{ line }}", "警报来了"), ("thing1", "长" * 30, "长" * 19 + "…"), ("thing2", "一行\n又一行", "一行 又一行"),
    ("thing2", "{{ tabs }}", "一 又 一"),
    ("short_thing1", "长" * 6, "长" * 4 + "…"), ("phrase3", "{{ words }}", "待认领"), ("phrase3", "已经处理完毕了", "已经处理完"), ("time4", "{{ time }}", "2026年3月2日 09:05"),
    ("date5", "{{ date }}", "2026年3月2日"), ("character_string6", "{{ number }}", "A-0231"), ("number7", "3", "3")])
def test_a_value_fits_the_type_of_its_field(tmp_path: Path, name: str, source: str, said: str) -> None:
    assert value(tmp_path, name, source, words="待认领 A1", number="A-0231", tabs="一\t又\x00\u2028一") == said


@pytest.mark.parametrize(("name", "source"), [
    ("phrase1", "ABC"), ("character_string1", "警报"), ("number1", "三"), ("time1", "明天"), ("thing1", "  "),
    ("thing1", "{{ missing }}"), ("thing1", "{{ line | nothing }}")])
def test_a_value_that_does_not_fit_is_not_sent_and_the_operator_hears_of_the_field(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, source: str) -> None:
    with pytest.raises(Refused):
        value(tmp_path, name, source)
    said = capsys.readouterr().out
    assert name in said and "警报" not in said


def test_a_kind_has_its_own_template_and_subscription_notices_their_own_call(tmp_path: Path) -> None:
    templates = made(tmp_path, """
        [call_due]
        template = "T-call"
        api = "subscription"
        url = "pages/x"
        fields = { thing1 = "{{ elder }}" }
        [other]
        template = "T-other"
        url = "https://a"
        fields = { thing1 = "{{ line }}" }""")
    own = templates.ready("o1", Message("该打电话了", told=Told("call_due", {"elder": "张桂芳"})), AT)
    assert (own.path, own.body) == ("/cgi-bin/message/subscribe/bizsend", {
        "touser": "o1", "template_id": "T-call", "page": "pages/x", "data": {"thing1": {"value": "张桂芳"}}})
    assert templates.ready("o1", Message("好"), AT).body["template_id"] == "T-other"
    assert {entry.template for entry in templates.fields().values()} == {"T-call", "T-other"}


def test_without_a_template_the_message_is_refused() -> None:
    with pytest.raises(Refused, match="no template"):
        Templates(None, Words().phrase).ready("o1", Message("好"), AT)


@pytest.mark.parametrize("text", ["[other]", "other = 1", "[", "[other]\ntemplate='T'\nfields={strange1='x'}",
                                  "[other]\ntemplate='T'\nfields={thing='x'}"])
def test_a_file_with_a_fault_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TemplatesError, match="TANFANG_WECHAT_TEMPLATES"):
        made(tmp_path, text)


# What comes in


def event(**fields: str) -> str:
    given = {"FromUserName": "o1", "ToUserName": "gh", "CreateTime": "1772413800", "MsgType": "event", **fields}
    return "<xml>" + "".join(f"<{name}><![CDATA[{said}]]></{name}>" for name, said in given.items()) + "</xml>"


@pytest.mark.parametrize(("fields", "what", "text", "choice", "window"), [
    ({"Event": "subscribe", "EventKey": ""}, "turn", "/start", "", EVENT),
    ({"Event": "subscribe", "EventKey": "qrscene_tok-en_1", "Ticket": "t"}, "turn", "/start tok-en_1", "", EVENT),
    ({"Event": "SCAN", "EventKey": "tok-en_1", "Ticket": "t"}, "turn", "/start tok-en_1", "", EVENT),
    ({"Event": "CLICK", "EventKey": "/due"}, "turn", "", "/due", EVENT),
    ({"Event": "CLICK", "EventKey": "old key"}, "nothing", None, None, None),
    ({"Event": "VIEW", "EventKey": "https://a"}, "nothing", None, None, None),
    ({"Event": "LOCATION", "Latitude": "1"}, "nothing", None, None, None),
    ({"Event": "unsubscribe"}, "left", None, None, None),
    ({"Event": "TEMPLATESENDJOBFINISH", "Status": "success"}, "nothing", None, None, None),
    ({"Event": "TEMPLATESENDJOBFINISH", "Status": "failed:user block"}, "template_failed", None, None, None),
    ({"MsgType": "text", "Content": "你好", "MsgId": "7"}, "turn", "你好", "", MESSAGE),
    ({"MsgType": "text", "Content": "无变化", "bizmsgmenuid": f"{TAG}.3.0", "MsgId": "7"}, "turn", "", f"{TAG}.3.0", EVENT),
    ({"MsgType": "text", "Content": "无变化", "bizmsgmenuid": "101", "MsgId": "7"}, "turn", "无变化", "", EVENT)])
def test_what_somebody_did_and_the_window_that_it_opens(
        fields: dict[str, str], what: str, text: str | None, choice: str | None, window: Any) -> None:
    came = parse(event(**fields), AT)
    assert (came.what, came.window) == (what, window)
    assert (came.inbound and came.inbound.text, came.inbound and came.inbound.choice) == (text, choice)


# The menu


def test_every_button_of_the_menu_is_a_command_that_its_group_may_use() -> None:
    for group in groups():
        for button in group.buttons:
            for each in button.get("sub_button", [button]):
                called = commands.called(each["key"])
                assert called is not None, each
                assert permissions.may(group.roles or permissions.EVERYONE, called[0]), each


def test_labels_are_short_enough_for_the_platform() -> None:
    for group in groups():
        assert len(group.buttons) <= 3
        for button in group.buttons:
            assert len(button["name"]) <= 4
            assert all(len(each["name"]) <= 8 for each in button.get("sub_button", ()))
            assert len(button.get("sub_button", ())) <= 5
        assert not re.search(r"\s", group.tag)
