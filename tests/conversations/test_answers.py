"""What a typed answer means, and the kind refusals."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import dates
from conversations.answers import Bounds, place, read
from conversations.book import from_folder
from conversations.controls import LABELS, control, kept, plain
from conversations.readers import Refusal

VISIT = from_folder().current["visit"]
TODAY = date(2026, 3, 5)
BOUNDS = Bounds(TODAY, date(2026, 1, 1))


def answer(question: str, text: str, bounds: Bounds = BOUNDS) -> Any:
    value = read(VISIT.by_id[question], text, bounds)
    return value.sentence if isinstance(value, Refusal) else value


@pytest.mark.parametrize(("text", "value"), [
    ("2", "better"), ("较好", "better"), ("好", "better"), ("较好。", "better"), ("2 较好", "better"),
    ("2.较好", "better"), ("2、较好", "better"), ("没变化", "unchanged"), ("无", "unchanged"),
    ("4", "refuse.choice"), ("0", "refuse.choice"), ("00002", "refuse.choice"), ("2 较差", "refuse.choice"),
    ("说不清", "refuse.choice"), ("9" * 6000, "refuse.choice"), ("²", "refuse.choice"),
    ("\N{ARABIC-INDIC DIGIT ONE}" * 3000, "refuse.choice"),
])
def test_a_choice_takes_a_number_a_label_or_a_word_for_it(text: str, value: str) -> None:
    assert answer("expression", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("3", ["medical"]), ("23", ["daily", "medical"]), ("3 2", ["daily", "medical"]), ("2,3", ["daily", "medical"]),
    ("生活照料、看病", ["daily", "medical"]), ("照料和心理", ["daily", "counselling"]), ("没有", ["none"]), ("1", ["none"]),
    ("无。", ["none"]), ("12", "refuse.alone"), ("没有 其他", "refuse.alone"), ("10", "refuse.choices"),
    ("2 12", "refuse.choices"), ("生活照料 聊天", "refuse.choices"), ("、", "refuse.choices"),
])
def test_several_are_taken_together(text: str, value: Any) -> None:
    assert answer("need_kinds", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("2", 2), ("2人", 2), ("2 个人", 2), ("两个", 2), ("三", 3), ("十个", 10), ("20", 20),
    ("0", "refuse.number"), ("21", "refuse.number"), ("999999999999", "refuse.number"), ("-1", "refuse.number"),
    ("½", "refuse.number"), ("几个", "refuse.number"), ("个", "refuse.number"), ("1.5", "refuse.number"),
])
def test_a_number_lies_in_its_range(text: str, value: Any) -> None:
    assert answer("family_more", text) == value


@pytest.mark.parametrize(("text", "value"), [
    ("今天", "2026-03-05"), ("昨天", "2026-03-04"), ("大前天", "2026-03-02"), ("3月1日", "2026-03-01"),
    ("3月1号", "2026-03-01"), ("3-1", "2026-03-01"), ("2026-3-1", "2026-03-01"), ("2026年3月1日", "2026-03-01"),
    ("20260301", "2026-03-01"), ("1号", "2026-03-01"), ("28号", "2026-02-28"),
    ("3月6日", "refuse.future"), ("6号", "refuse.future"), ("2026-12-03", "refuse.future"),
    ("12月31日", "refuse.before_registration"), ("2025-12-31", "refuse.before_registration"),
    ("2月30日", "refuse.date"), ("32号", "refuse.date"), ("明天", "refuse.future"), ("13月1日", "refuse.date"),
])
def test_a_day_is_read_as_people_say_it(text: str, value: str) -> None:
    assert answer("day", text) == value


@pytest.mark.parametrize(("text", "today", "day"), [
    ("12月28日", date(2027, 1, 5), date(2026, 12, 28)),
    ("2月29日", date(2028, 3, 1), date(2028, 2, 29)),
    ("2月29日", date(2028, 1, 10), date(2028, 2, 29)),  # to come: there was none the year before
    ("2月29日", date(2029, 1, 10), date(2028, 2, 29)),
    ("2月29日", date(2027, 3, 1), None),
    ("31号", date(2026, 3, 1), date(2026, 3, 31)),  # February had none
    ("31号", date(2026, 2, 1), date(2026, 1, 31)),
    ("31号", date(2026, 5, 2), date(2026, 5, 31)),
    ("1号", date(2026, 1, 1), date(2026, 1, 1)),
    ("30号", date(2026, 1, 1), date(2025, 12, 30)),
])
def test_a_day_without_a_year_or_month_is_the_one_meant(text: str, today: date, day: date | None) -> None:
    assert dates.read(text, today) == day


@pytest.mark.parametrize(("text", "day"), [
    ("1月3日", date(2027, 1, 3)), ("12月30日", date(2026, 12, 30)), ("12月1日", date(2026, 12, 1)),
    ("明天", date(2026, 12, 29)), ("后天", date(2026, 12, 30)), ("2026年1月3日", date(2026, 1, 3)), ("2月29日", None)])
def test_of_a_day_to_come_the_year_need_not_be_said_at_its_turn(text: str, day: date | None) -> None:
    assert dates.read(text, date(2026, 12, 28), coming=True) == day


@pytest.mark.parametrize(("text", "past", "coming"), [  # said on Saturday 2026-11-28
    ("5号", date(2026, 11, 5), date(2026, 12, 5)), ("27号", date(2026, 11, 27), date(2026, 11, 27)),
    ("31号", date(2026, 10, 31), date(2026, 12, 31)), ("32号", None, None),
    ("周六", date(2026, 11, 28), date(2026, 11, 28)), ("星期天", date(2026, 11, 22), date(2026, 11, 29)),
    ("礼拜一", date(2026, 11, 23), date(2026, 11, 30)), ("下周一", date(2026, 11, 30), date(2026, 11, 30)),
    ("下个星期日", date(2026, 12, 6), date(2026, 12, 6)), ("上周三", date(2026, 11, 18), date(2026, 11, 18)),
    ("这周五", date(2026, 11, 27), date(2026, 11, 27)), ("周八", None, None)])
def test_a_day_of_the_week_or_month_is_the_last_or_the_coming_one(
        text: str, past: date | None, coming: date | None) -> None:
    assert dates.read(text, date(2026, 11, 28)) == past
    assert dates.read(text, date(2026, 11, 28), coming=True) == coming


@pytest.mark.parametrize(("text", "value"), [
    ("送米", "送米"), ("好" * 2000, "好" * 2000), ("好" * 2001, "refuse.long"), ("👍", "refuse.empty"),
    ("……", "refuse.empty"), ("1", "1")])
def test_a_text_says_something_and_has_an_end(text: str, value: str) -> None:
    assert answer("care_given", text) == value


@pytest.mark.parametrize(("question", "sentence"), [
    ("photo", "refuse.photo_wanted"), ("place", "refuse.place_wanted"), ("elder", "refuse.person_unknown")])
def test_other_kinds_take_no_text_here(question: str, sentence: str) -> None:
    assert answer(question, "x") == sentence


@pytest.mark.parametrize(("text", "index"), [
    ("1", 0), ("3", 2), ("0003", 2), ("0", None), ("4", None), ("00003", None), ("９", None), ("x", None), ("", None),
    ("1" * 5000, None)])
def test_a_place_in_a_list_is_a_short_number(text: str, index: int | None) -> None:
    assert place(text, 3) == index


def test_full_width_and_hidden_characters_do_not_matter_where_words_are_compared() -> None:
    assert plain("\u200b１１１２１１\u200f ") == "111211"
    assert control("提交。") == "submit"
    assert kept(" 30㎡，①\x00\n好 ") == "30㎡，①\n好"


def test_no_word_steers_two_ways_or_hides_an_answer() -> None:
    """A label such as 完成 may not be taken for an option's, save yes and no, which mean nothing but in one place."""
    steering = {"yes", "no", "done"}
    for question in VISIT.questions:
        for option in question.options:
            for word in (option.label, *option.also):
                assert control(word) in (None, *steering), (question.id, word)
    assert len(set(LABELS.values())) == len(LABELS)


@settings(max_examples=300, deadline=None)
@given(question=st.sampled_from(VISIT.questions), text=st.one_of(st.text(), st.from_regex(r"[0-9 ,、.月日号-]{1,12}")))
def test_any_text_is_an_answer_or_a_refusal(question: Any, text: str) -> None:
    value = read(question, plain(text), BOUNDS)
    if not isinstance(value, Refusal) and question.options:
        assert set(value if isinstance(value, list) else [value]) <= set(question.option_ids)
