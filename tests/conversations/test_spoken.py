"""What people say in their own words is understood where it is clear, and asked about where it may be danger."""

import tomllib
from datetime import date

import pytest

from conversations import answers, spoken
from conversations.answers import Bounds
from conversations.book import from_folder
from conversations.form import Form
from conversations.readers import Refusal
from conversations.words_book import FOLDER


@pytest.fixture(scope="module")
def visit() -> Form:
    return from_folder().current["visit"]


@pytest.mark.parametrize("text", ["陈大贵摔倒了", "他爬不起来", "门打不开，没人应", "屋里有煤气味", "救人啊", "老人不见了"])
def test_what_sounds_like_danger_is_asked_about(text: str) -> None:
    assert spoken.danger(text)


@pytest.mark.parametrize("text", ["今天去不了", "上次摔了，好了", "他没摔", "打不开", "张桂芳", "怎么用"])
def test_what_does_not_sound_like_danger_is_not(text: str) -> None:
    assert not spoken.danger(text)


@pytest.mark.parametrize(("text", "name"), [
    ("去看张国发", "张国发"), ("看望 张国发", "张国发"), ("陈大贵家里", "陈大贵"), ("我要去看陈大贵。", "陈大贵"),
    ("张国发", ""), ("去看", ""), ("去" * 50, "")])
def test_a_name_is_found_in_a_short_sentence(text: str, name: str) -> None:
    assert spoken.name(text) == name


@pytest.mark.parametrize(("text", "called"), [
    ("张大爷", ("张", "male")), ("欧阳婆婆", ("欧阳", "female")), ("老张", ("张", "any")), ("李老师", ("李", "any")),
    ("大爷", None), ("张桂芳", None), ("隔壁的张大爷", None), ("老", None)])
def test_an_elder_is_called_by_surname(text: str, called: tuple[str, str] | None) -> None:
    assert spoken.title(text) == called


@pytest.mark.parametrize(("text", "button"), [
    ("打不通！", "call_in_vain"), ("没人接", "call_in_vain"), ("联系上了。", "call_fine"), ("没事", ""), ("今天打不通", "")])
def test_a_child_answers_in_other_words(text: str, button: str) -> None:
    assert spoken.call(text) == button


@pytest.mark.parametrize(("question", "text", "option"), [
    ("mood", "好点了", "better"), ("mood", "差不多。", "unchanged"), ("gas", "没得问题", "safe"), ("gas", "有问题", "unsafe"),
    ("gas", "好点了", ""), ("illness", "加重了", "severe")])
def test_an_option_is_chosen_by_another_word_for_it(visit: Form, question: str, text: str, option: str) -> None:
    found = answers.read(visit.by_id[question], text, Bounds(date(2026, 3, 5), None))
    assert found == option or (not option and isinstance(found, Refusal))


def test_other_words_are_for_options_that_are_there_and_never_for_two_of_one_question() -> None:
    raw = tomllib.loads((FOLDER / "spoken.toml").read_text(encoding="utf-8"))["answers"]
    every = [question for form in from_folder().current.values() for question in form.questions]
    assert not [label for label in raw if all(label != each.label for asked in every for each in asked.options)]
    for asked in every:
        words = [word for option in asked.options for word in {
            option.label, *option.also, *raw.get(option.label, ())}]
        assert len(words) == len(set(words)), asked.id
