"""Form files: what they must hold, and what is refused when one is read."""

from pathlib import Path

import pytest

from conversations import walk
from conversations.book import FormBook, from_folder
from conversations.draft import Answer, Draft
from conversations.form import FORMS, FormError, from_definition, load

VISIT = from_folder().current["visit"]
HEAD = """
title = "x"
[[section]]
id = "s"
title = "s"
"""
QUESTION = """
[[question]]
id = "{id}"
section = "s"
kind = "text"
label = "l"
ask = "a"
"""


def test_the_visit_form_has_every_row_of_annex_3() -> None:
    labels = [question.label for question in VISIT.questions]
    for row in ("探访方式", "家庭人口", "表达能力", "行动能力", "疾病状况", "情绪状态", "燃气安全", "水暖安全", "用电安全",
                "个人卫生", "家庭卫生", "室内环境", "关爱服务情况", "老年人服务需求", "实施关爱服务建议", "探访人员签字",
                "被探访人签字", "老年人服务满意度评价"):
        assert row in labels


@pytest.mark.parametrize(("question", "options"), [
    ("method", ["上门探访", "电话问候", "互联网音（视）频探访", "其他"]),
    ("family_size", ["无变化", "增加", "减少"]),
    ("illness", ["无变化", "严重", "转好"]),
    ("mood", ["无变化", "较好", "较差"]),
    ("gas", ["安全", "较安全", "不安全"]),
    ("indoor", ["无变化", "较好", "较差"]),
])
def test_its_answers_are_in_the_official_words(question: str, options: list[str]) -> None:
    assert sorted(option.label for option in VISIT.by_id[question].options) == sorted(options)


def test_labels_by_which_a_person_names_a_question_mean_one_only() -> None:
    for form in from_folder().current.values():
        names = [name for question in form.questions for name in {question.label, *question.also}]
        assert len(names) == len(set(names))


def test_a_form_reads_back_from_what_is_kept_of_it() -> None:
    again = from_definition(VISIT.definition)
    assert again == VISIT
    assert again.hash == VISIT.hash


def test_the_hash_names_the_content(tmp_path: Path) -> None:
    text = (FORMS / "visit.toml").read_text(encoding="utf-8")
    path = tmp_path / "visit.toml"
    path.write_text(text + "\n# a remark\n", encoding="utf-8")
    assert load(path).hash == VISIT.hash
    path.write_text(text.replace("这次怎么探访的？", "怎么探访的？"), encoding="utf-8")
    changed = load(path)
    assert changed.hash != VISIT.hash
    book = FormBook([changed], [VISIT])
    assert (book.current["visit"], book.form(VISIT.hash)) == (changed, VISIT)


@pytest.mark.parametrize(("body", "named"), [
    (QUESTION.format(id="a") * 2, "a stands twice"),
    (QUESTION.format(id="a").replace('section = "s"', 'section = "t"'), "no known section"),
    (QUESTION.format(id="a").replace('"text"', '"choice"'), "options do not fit"),
    (QUESTION.format(id="a") + 'options = [{ id = "x", label = "x" }]', "options do not fit"),
    (QUESTION.format(id="a") + 'alone = "x"', "names an option"),
    (QUESTION.format(id="a") + 'ask_if = [{ question = "b", is = ["x"] }]', "does not stand before"),
    (QUESTION.format(id="a") + 'ask_if = [{ is = ["x"] }]', "a question or a fact"),
    (QUESTION.format(id="a") + "quiet = true", "is quiet"),
    (QUESTION.format(id="a").replace('"text"', '"person"'), "names a lookup"),
    (QUESTION.format(id="a") + 'colour = "red"', "colour"),
    (QUESTION.format(id="a").replace('"text"', '"colour"'), "kind"),
    ("[[question]", "visit.toml"),
])
def test_a_broken_form_is_refused_and_says_what_is_wrong(tmp_path: Path, body: str, named: str) -> None:
    path = tmp_path / "visit.toml"
    path.write_text(HEAD + body, encoding="utf-8")
    with pytest.raises(FormError, match=named.replace("[", r"\[")):
        load(path)


def test_a_missing_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormError, match=r"gone\.toml"):
        load(tmp_path / "gone.toml")


@pytest.mark.parametrize("fact", [True, False])
def test_the_quick_way_to_what_applies_agrees_with_the_plain_one(fact: bool) -> None:
    form = load(FORMS / "visit.toml")
    for question in form.questions:
        for value in question.option_ids:
            given = [value] if question.kind == "choices" else value
            draft = Draft("", "", form.hash, "", {question.id: Answer(given, 0, "tap")}, {"screening_due": fact})
            plain = {each.id for each in form.conditional if walk.applies(each, draft)}
            assert walk.open_ones(form, draft) == plain
