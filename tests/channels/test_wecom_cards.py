"""What a message looks like in WeCom: within the platform's sizes, nothing lost, and a tap brings its label back."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import wecom_cards as cards
from conversations.message import Button, Message
from conversations.words_book import Words

WORDS = Words()


def made(message: Message) -> list[cards.Body]:
    numbers = count()
    return cards.bodies(message, WORDS, lambda: f"task{next(numbers)}")


def options(how_many: int, label: str = "选项") -> tuple[tuple[Button, ...], ...]:
    return tuple((Button(f"{n} {label}{n}", f"T.4.{n - 1}"),) for n in range(1, how_many + 1))


STEERING = (Button("上一题", "T.4.=back"), Button("怎么问", "T.4.=words"), Button("稍后继续", "T.4.=pause"), Button("取消", "T.4.=cancel"))


def test_a_question_is_a_card_and_what_has_no_button_is_said_to_be_typed() -> None:
    body, = made(Message("张某 · 安全（3/20）\n\n燃气安全吗？", (*options(3), STEERING)))
    card = body["template_card"]
    assert (card["card_type"], card["main_title"], card["sub_title_text"]) == (
        "button_interaction", {"title": "张某 · 安全（3/20）"}, "燃气安全吗？")
    assert [each["text"] for each in card["button_list"]] == ["1 选项1", "2 选项2", "3 选项3", "上一题", "怎么问", "稍后继续"]
    assert card["source"]["desc"] == "可打字：取消"


def test_many_to_choose_one_from_are_boxes_and_very_many_numbered_lines() -> None:
    body, = made(Message("哪一位？", options(9)))
    assert body["template_card"]["checkbox"]["mode"] == 0 and len(body["template_card"]["checkbox"]["option_list"]) == 9
    body, = made(Message("哪一位？", (*options(21), STEERING)))
    assert body["text"]["content"].startswith("哪一位？\n\n1 选项1\n2 选项2")
    assert body["text"]["content"].endswith("21 选项21\n可打字：上一题、怎么问、稍后继续、取消")


def test_a_long_label_stands_whole_beside_its_button() -> None:
    body, = made(Message("哪一位？", options(2, "建设村三组张桂芳八十六岁")))
    card = body["template_card"]
    assert [each["text"] for each in card["button_list"]] == ["1 建设村三组张桂…", "2 建设村三组张桂…"]
    assert card["horizontal_content_list"][0] == {"keyname": "1", "value": "建设村三组张桂芳八十六岁1"}


def test_a_long_text_stands_before_its_card() -> None:
    text, card = made(Message("这是一段很长的话。" * 40, options(2)))
    assert text["text"]["content"] == "这是一段很长的话。" * 40
    assert card["template_card"]["main_title"] == {"title": "请点选"}


def test_a_result_with_a_link_opens_it_and_one_without_is_a_text() -> None:
    body, = made(Message("警报 A-0001\n能去的点这里认领：https://tanfang.example/a/x-_1"))
    card = body["template_card"]
    assert (card["card_type"], card["card_action"]["url"]) == ("text_notice", "https://tanfang.example/a/x-_1")
    body, = made(Message("好，提交了。"))
    assert body == {"msgtype": "text", "text": {"content": "好，提交了。"}}


def test_what_somebody_wrote_becomes_no_link() -> None:
    body, = made(Message('他说 <a href="http://evil">点我</a>\x00'))
    assert body["text"]["content"] == '他说 ＜a href="http://evil"＞点我＜/a＞'


@pytest.mark.parametrize(("key", "ticked", "meant"), [
    ("T.4.1|2 乙", [], ("T.4.1", "2 乙")),
    ("/due|1 待访", [], ("/due", "1 待访")),
    ("single", ["T.4.8|9 壬"], ("T.4.8", "9 壬")),
    ("single", [], None),
    ("T.4.=done|选好了", ["T.4.0|1 甲", "T.4.2|3 丙"], ("T.4.0,2,", "1 甲、3 丙")),
    ("T.4.=done|选好了", [], ("T.4.=done", "选好了")),
    ("T.4.=done|选好了", ["T.5.0|1 甲"], None),  # boxes of another question
    ("T.4.=done|选好了", ["/due|1 甲"], None),
])
def test_a_card_s_event_means_what_was_shown(key: str, ticked: list[str], meant: tuple[str, str] | None) -> None:
    found = cards.pressed(key, ticked)
    assert (found and (found.token, found.label)) == meant


@given(st.text(max_size=400), st.lists(st.text(min_size=1, max_size=60), max_size=30), st.booleans(), st.booleans())
def test_no_card_is_larger_than_the_platform_takes(text: str, labels: list[str], steers: bool, several: bool) -> None:
    rows = [(Button(f"{n} {label}", f"T.4.{n - 1}"),) for n, label in enumerate(labels, 1)]
    if several and labels:
        rows.append((Button("选好了", "T.4.=done"),))
    if steers:
        rows.append(STEERING)
    for body in made(Message(text, tuple(rows))):
        if body["msgtype"] == "text":
            assert 0 < len(body["text"]["content"].encode()) <= 2048
            continue
        card = body["template_card"]
        title = card.get("main_title", {})
        assert title.get("title") or card.get("sub_title_text")
        assert len(title.get("title", "")) <= 36 and len(title.get("desc", "")) <= 44
        assert len(card.get("sub_title_text", "")) <= 160 and len(card.get("source", {}).get("desc", "")) <= 20
        assert len(card.get("button_list", [])) <= 6
        assert all(len(each["text"]) <= 10 for each in card.get("button_list", []))
        boxes = card.get("checkbox", {}).get("option_list", [])
        assert len(boxes) <= 20 and all(len(each["id"].encode()) <= 128 and len(each["text"]) <= 17 for each in boxes)
        for each in boxes:
            assert cards.pressed(cards.SINGLE, [each["id"]])


def test_a_label_on_an_answered_card_is_short() -> None:
    assert cards.shown_as_pressed("1 安全", WORDS) == "已点：1 安全"
    assert len(cards.shown_as_pressed("很长" * 30, WORDS)) <= 16
