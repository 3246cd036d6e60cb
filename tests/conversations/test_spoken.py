"""What people say in their own words is understood where it is clear, and asked about where it may be danger."""

import pytest

from conversations import spoken


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
