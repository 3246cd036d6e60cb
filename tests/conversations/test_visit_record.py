"""Annex 3 as Word, read back cell by cell."""

import zipfile
from datetime import date
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from docx import Document
from docx.document import Document as Docx
from docx.oxml.ns import qn
from docx.table import Table
from pydantic import ValidationError

from conversations.documents.official_form import official_keepers
from conversations.documents.visit_record import BOXES, VisitRecord, annex3

TITLE = "四川省特殊困难老年人探访关爱服务记录表"
FOOT = "备注：此表一式三份，县级民政部门、乡镇（街道）、帮扶单位（组织）各存档一份。"
KEEPERS = ("县级民政部门存档", "乡镇（街道）存档", "帮扶单位（组织）存档")

# Annex 3 of the plan with nothing filled in: a list of cells for each row.
EMPTY_FORM = [
    ["探访方式", "□ 电话问候 □ 上门探访 □ 互联网音（视）频探访 □ 其他"],
    ["家庭状况", "家庭人口", "□ 无变化 □ 增加 人 □ 减少 人"],
    ["健康状况", "表达能力", "□ 无变化 □ 较好 □ 较差"],
    ["健康状况", "行动能力", "□ 无变化 □ 较好 □ 较差"],
    ["健康状况", "疾病状况", "□ 无变化 □ 严重 疾病名称： □ 转好"],
    ["精神状态", "情绪状态", "□ 无变化 □ 较好 □ 较差"],
    ["安全情况", "燃气安全", "□ 安全 □ 较安全 □ 不安全"],
    ["安全情况", "水暖安全", "□ 安全 □ 较安全 □ 不安全"],
    ["安全情况", "用电安全", "□ 安全 □ 较安全 □ 不安全"],
    ["卫生状况", "个人卫生", "□ 无变化 □ 较好 □ 较差"],
    ["卫生状况", "家庭卫生", "□ 无变化 □ 较好 □ 较差"],
    ["居住环境", "室内环境", "□ 无变化 □ 较好 □ 较差"],
    ["关爱服务情况："],
    ["老年人服务需求："],
    ["实施关爱服务建议："],
    ["探访人员（签字）", "被探访人（签字）"],
    ["老年人服务满意度评价："],
]
CHANGE = {"unchanged": "无变化", "better": "较好", "worse": "较差"}
SAFETY = {"safe": "安全", "mostly_safe": "较安全", "unsafe": "不安全"}
# Question -> its row in the form, and the words of its options.
WORDS: dict[str, tuple[int, dict[str, str]]] = {
    "method": (
        0,
        {"phone": "电话问候", "home": "上门探访", "video": "互联网音（视）频探访", "other": "其他"},
    ),
    "family_size": (1, {"unchanged": "无变化", "more": "增加", "fewer": "减少"}),
    "expression": (2, CHANGE),
    "mobility": (3, CHANGE),
    "illness": (4, {"unchanged": "无变化", "severe": "严重", "better": "转好"}),
    "mood": (5, CHANGE),
    "gas": (6, SAFETY),
    "water_heating": (7, SAFETY),
    "electricity": (8, SAFETY),
    "personal_hygiene": (9, CHANGE),
    "home_hygiene": (10, CHANGE),
    "indoor": (11, CHANGE),
}
MARKUP = "<b>甲&amp;乙</b> {{ 7*7 }} {% if x %} {# c #} {_{ }_} {_% %_} </w:t> “引” \\1 __init__"


def record(**fields: Any) -> VisitRecord:
    return VisitRecord.model_validate({"number": 12, "day": date(2026, 3, 6), "boxes": {}} | fields)


def printed(visit: VisitRecord, keepers: tuple[str, ...] = KEEPERS) -> Docx:
    return Document(BytesIO(annex3(visit, keepers)))


def cells(table: Table) -> list[list[str]]:
    """The words of each row's cells, a merged cell once a row, any white space as one space."""
    rows = []
    for row in table.rows:
        distinct = {cell._tc: cell.text for cell in row.cells}
        rows.append([" ".join(text.split()) for text in distinct.values()])
    return rows


def paragraphs(document: Docx) -> list[str]:
    return [" ".join(paragraph.text.split()) for paragraph in document.paragraphs]


def test_an_empty_record_shows_every_word_of_the_official_form_and_no_tick() -> None:
    document = printed(record())
    assert [cells(table) for table in document.tables] == [EMPTY_FORM] * 3
    head_and_foot = ["附件 3", TITLE, "第 12 次开展探访关爱", "2026 年 3 月 6 日", FOOT]
    assert paragraphs(document) == [line for keeper in KEEPERS for line in (keeper, *head_and_foot)]


def test_the_questions_and_options_are_those_of_the_form() -> None:
    assert {question: set(options) for question, options in BOXES.items()} == {
        question: set(words) for question, (_, words) in WORDS.items()
    }


@pytest.mark.parametrize(
    ("question", "option"), [(question, option) for question, (_, words) in WORDS.items() for option in words]
)
def test_an_answer_ticks_its_own_box_and_no_other(question: str, option: str) -> None:
    place, words = WORDS[question]
    expected = [list(row) for row in EMPTY_FORM]
    box, ticked = f"□ {words[option]}", f"☑ {words[option]}"
    assert expected[place][-1].count(box) == 1
    expected[place][-1] = expected[place][-1].replace(box, ticked)
    document = printed(record(boxes={question: option}))
    assert [cells(table) for table in document.tables] == [expected] * 3


def test_every_written_answer_stands_in_its_own_cell() -> None:
    chosen = {"method": "other", "family_size": "more", "illness": "severe"}
    document = printed(
        record(
            boxes=chosen,
            method_other="路上遇见",
            family_more=2,
            family_fewer=0,
            illness_name="脑梗",
            care_given="量血压",
            needs="助餐",
            suggestions="每周上门",
            visitor_signature="王某 确认",
            elder_signature="李某 按手印",
            satisfaction="满意",
        )
    )
    expected = [list(row) for row in EMPTY_FORM]
    expected[0][1] = "□ 电话问候 □ 上门探访 □ 互联网音（视）频探访 ☑ 其他 路上遇见"
    expected[1][2] = "□ 无变化 ☑ 增加 2 人 □ 减少 0 人"
    expected[4][2] = "□ 无变化 ☑ 严重 疾病名称： 脑梗 □ 转好"
    expected[12:] = [
        ["关爱服务情况： 量血压"],
        ["老年人服务需求： 助餐"],
        ["实施关爱服务建议： 每周上门"],
        ["探访人员（签字） 王某 确认", "被探访人（签字） 李某 按手印"],
        ["老年人服务满意度评价：满意"],
    ]
    assert [cells(table) for table in document.tables] == [expected] * 3


def test_the_official_keepers_are_the_three_of_the_foot() -> None:
    assert official_keepers() == KEEPERS


def test_each_copy_starts_on_its_own_page() -> None:
    document = printed(record())
    starts = [line.text for line in document.paragraphs if line.paragraph_format.page_break_before]
    assert starts == list(KEEPERS)


def test_what_the_form_has_no_row_for_follows_each_copy_on_a_sheet_that_says_where_it_belongs() -> None:
    lines = (("反应能力", "较差"), ("安全隐患", "软管老化\n已告知老人"))
    document = printed(record(additions=lines))
    assert [cells(table) for table in document.tables[1::2]] == [
        [["反应能力", "较差"], ["安全隐患", "软管老化 已告知老人"]]
    ] * 3
    assert [cells(table) for table in document.tables[::2]] == [EMPTY_FORM] * 3
    words = paragraphs(document)
    sheets = [(above, below) for above, below in pairwise(words) if "附记" in below]
    assert sheets == [(keeper, "附记") for keeper in KEEPERS]
    assert words.count("第 12 次开展探访关爱 2026 年 3 月 6 日") == 3
    starts = [line.text for line in document.paragraphs if line.paragraph_format.page_break_before]
    assert starts == [keeper for keeper in KEEPERS for _ in range(2)]


@pytest.mark.parametrize(
    "field",
    [
        "method_other",
        "illness_name",
        "care_given",
        "needs",
        "suggestions",
        "visitor_signature",
        "elder_signature",
        "satisfaction",
    ],
)
def test_markup_in_an_answer_is_printed_as_it_was_written(field: str) -> None:
    document = printed(record(**{field: MARKUP}))
    texts = {cell.text for cell in document.tables[0]._cells}
    assert sum(MARKUP in text for text in texts) == 1


def test_markup_in_an_addition_is_printed_as_it_was_written() -> None:
    table = printed(record(additions=((MARKUP, MARKUP),))).tables[1]
    assert [cell.text for cell in table.rows[0].cells] == [MARKUP, MARKUP]


def test_characters_that_xml_cannot_hold_are_dropped_and_the_rest_stays() -> None:
    document = printed(record(needs="甲\x00乙\x07丙\x0b丁\x0c戊\x1b己\ufffe庚😀"))
    assert cells(document.tables[0])[13] == ["老年人服务需求： 甲乙丙丁戊己庚😀"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_each_line_of_an_answer_is_a_paragraph(line_end: str) -> None:
    document = printed(record(needs=f"送餐{line_end}\t理发"))
    cell = document.tables[0].rows[13].cells[0]
    assert [line.text for line in cell.paragraphs] == ["老年人服务需求：", "送餐", "\t理发"]
    assert (
        cell.paragraphs[1].paragraph_format.first_line_indent
        == cell.paragraphs[2].paragraph_format.first_line_indent
    )


def test_a_text_of_ten_thousand_characters_is_printed_whole_and_may_run_over_the_page() -> None:
    text = "老人说的话。" * 1667
    document = printed(record(care_given=text, needs=text, suggestions=text))
    for table in document.tables:
        rows = cells(table)[12:15]
        assert [row[0].split(" ")[1] for row in rows] == [text] * 3
        assert not table._tbl.findall(f".//{qn('w:cantSplit')}")
        assert {height.get(qn("w:hRule")) for height in table._tbl.iter(qn("w:trHeight"))} == {"atLeast"}


def test_ticked_and_empty_boxes_name_a_font_that_has_both_signs() -> None:
    document = printed(record(boxes={"gas": "safe"}))
    fonts = document.styles["Box"].element.rPr.rFonts
    assert {fonts.get(qn(f"w:{script}")) for script in ("ascii", "hAnsi", "eastAsia")} == {"Segoe UI Symbol"}
    runs = [run for cell in document.tables[0]._cells for line in cell.paragraphs for run in line.runs]
    assert {run.style.name for run in runs if run.text in ("☑", "□")} == {"Box"}


def test_no_template_mark_is_left_in_the_file() -> None:
    with zipfile.ZipFile(BytesIO(annex3(record(additions=(("反应能力", "较好"),)), KEEPERS))) as file:
        parts = {name: file.read(name).decode() for name in file.namelist() if name.endswith(".xml")}
    assert not [name for name, text in parts.items() if "{{" in text or "{%" in text]


@pytest.mark.parametrize("boxes", [{"gas": "脑梗"}, {"脑梗": "safe"}, {"gas": "better"}])
def test_an_answer_that_the_form_does_not_have_is_refused(boxes: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="annex 3 has no"):
        record(boxes=boxes)


@pytest.mark.parametrize("field", ["id_number", "phone"])
def test_an_id_number_or_phone_has_no_place_and_its_refusal_does_not_repeat_it(field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        record(**{field: "13800001111"})
    assert "13800001111" not in str(refused.value)
