"""Township ledgers are read as they come: whatever their header, their sheets and their places."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conversations.documents.ledger_sheet import Fault, Row, read
from tests.fakes import ledger_files
from tests.fakes.ledger_files import TODAY, id_number, xls, xlsx
from tests.fakes.ledger_people import (
    AREAS,
    BIRTH,
    GOOD,
    HEADER,
    PERSON,
    both,
    only_row,
    person_with,
    reasons,
    refusal,
)


def test_a_row_holds_every_field_of_the_ledger() -> None:
    cells: dict[str, Any] = {
        "镇": "白塔镇", "村": "龙井村", "组": "3组", "姓名": "张国芳", "性别": "男", "出生日期": "1948-05-12",
        "身份证号": GOOD, "联系电话": "13812345678", "紧急联系人": "张敏", "紧急联系电话": "0830-3123456",
        "住址": "虚构路1号", "是否居住在户籍地": "是", "对象类型": "独居、重残", "残疾证号": GOOD + "42",
        "残疾等级": "二级", "能力等级": "轻度", "曾患病史": "高血压", "经济状况": "低保", "经济来源": "养老金",
        "月可支配收入": 1200, "最近探访日期": "2026-11-20", "已探访次数": 7,
    }  # fmt: skip
    assert only_row(xlsx([list(cells), list(cells.values())])) == Row(
        sheet="表1", line=2, area="b2", township="白塔镇", village="龙井村", group="3组", name="张国芳",
        sex="male", birth=BIRTH, id_number=GOOD, phone="13812345678", emergency_name="张敏",
        emergency_phone="08303123456", address="虚构路1号", at_registered_residence=True,
        categories=("living_alone", "severely_disabled"), disability_certificate=GOOD + "42",
        disability_grade=2, ability="mild", illnesses="高血压", economic="minimum_living",
        income_source="养老金", income=1200, last_visit=date(2026, 11, 20), visits_before=7,
    )  # fmt: skip


def test_both_file_formats_are_read_from_bytes_and_from_a_path(tmp_path: Path) -> None:
    for name, content in (("a.xlsx", xlsx([HEADER, PERSON])), ("a.xls", xls([HEADER, PERSON]))):
        (tmp_path / name).write_bytes(content)
        assert only_row(content).name == "张国芳"
        assert [found.line for found in read(tmp_path / name, TODAY, AREAS)] == [2]


def test_a_row_and_a_fault_show_nothing_personal_when_they_are_logged() -> None:
    row = only_row(person_with(电话="13812345678"))
    (fault,) = both(person_with(电话="1381234"))[1]
    assert not re.search("张国芳|1381|1948", repr(row) + repr(fault))


@pytest.mark.parametrize("word", ["姓 名", "姓　名（必填）", "*姓名：", "姓\n名", "被探访人姓名", "老人姓名"])
def test_a_header_word_may_vary(word: str) -> None:
    assert only_row(xlsx([["村", word, "身份证号", "对象类型"], PERSON])).name == "张国芳"


@pytest.mark.parametrize("word", ["身份证号码", "公民身份号码", "身份证 号码", "居民身份证号", "证件号码"])
def test_the_id_number_has_many_names(word: str) -> None:
    assert only_row(xlsx([["村", "姓名", word, "对象类型"], PERSON])).id_number == GOOD


@pytest.mark.parametrize("word", ["联系电话", "电话", "手机号", "手机号码", "联系方式"])
def test_the_phone_has_many_names(word: str) -> None:
    assert only_row(person_with(**{word: 13812345678.0})).phone == "13812345678"


def test_columns_stand_in_any_order_below_title_rows_and_beside_an_empty_column() -> None:
    rows: list[list[Any]] = [
        ["某镇台账"],
        ["填报单位：某镇", None, None, None, "2026年"],
        [None, *HEADER[::-1]],
        [None, *PERSON[::-1]],
    ]
    row = only_row(xlsx(rows))
    assert (row.line, row.name, row.area) == (4, "张国芳", "b2")


def test_a_sheet_may_start_below_and_right_of_its_corner() -> None:
    empty: list[Any] = [None] * 6
    rows: list[list[Any]] = [
        empty,
        empty,
        [None, None, *HEADER],
        [None, None, *PERSON],
        [None, None, *PERSON[:2], "1", "独居"],
    ]
    found, faults = both(xlsx(rows))
    assert [row.line for row in found] == [4]
    assert [(fault.line, fault.column_number) for fault in faults] == [(5, 5)]


@pytest.mark.parametrize("merged", [True, False])
def test_a_header_of_two_lines_groups_its_columns(merged: bool) -> None:
    rows: list[list[Any]] = [
        ["村", "基本信息", None, "联系电话", "紧急联系人", None, "对象类型", None],
        [None, "姓名", "身份证号", None, "电话", "姓名", "独居", "失能"],
        ["龙井村", "张国芳", GOOD, "13812345678", "13912345678", "张敏", None, "√"],
    ]
    wide = ["A1:A2", "B1:C1", "D1:D2", "E1:F1", "G1:H1"] if merged else []
    row = only_row(xlsx(rows, merged=wide))
    assert (row.name, row.emergency_name, row.phone) == ("张国芳", "张敏", "13812345678")
    assert (row.emergency_phone, row.categories) == ("13912345678", ("care_dependent",))


def test_a_first_row_that_names_a_category_is_no_second_header_line() -> None:
    assert both(xlsx([HEADER, PERSON, ["龙井村", "李玉", id_number(BIRTH, turn=1), "空巢"]]))[0][0].line == 2


def test_a_phone_right_after_the_emergency_contact_is_the_contacts() -> None:
    header = ["姓名", "村", "身份证号", "联系电话", "对象类型", "紧急联系人", "与老人关系", "联系电话"]
    row = only_row(
        xlsx([header, ["张国芳", "龙井村", GOOD, "13812345678", "独居", "张敏", "女儿", "13912345678"]])
    )
    assert (row.phone, row.emergency_phone) == ("13812345678", "13912345678")


def test_two_columns_that_say_the_same_are_refused_by_name() -> None:
    assert refusal(xlsx([[*HEADER, "姓 名"], [*PERSON, "李玉"]])) == "column_twice"


@pytest.mark.parametrize("make", ["xlsx", "xls"])
def test_a_merged_place_stands_for_the_rows_it_covers_and_for_no_others(make: str) -> None:
    people = [[None, None, f"张{x}", id_number(BIRTH, turn=n), "独居"] for n, x in enumerate("甲乙丙丁")]
    rows: list[list[Any]] = [["镇", *HEADER], *people]
    rows[1][:2] = ["白塔镇", "龙井村"]
    content = (
        xlsx(rows, merged=["A2:A4", "B2:B4"])
        if make == "xlsx"
        else xls(rows, merged=[(1, 3, 0, 0), (1, 3, 1, 1)])
    )
    found, faults = both(content)
    assert [(row.line, row.area) for row in found] == [(2, "b2"), (3, "b2"), (4, "b2")]
    assert [(fault.line, fault.reason) for fault in faults] == [(5, "village_missing")]


def test_each_sheet_may_be_a_village_and_has_its_own_header() -> None:
    second = [["身份证号码", "类型", "姓名"], [id_number(BIRTH, turn=1), "空巢", "李玉"]]
    found, _ = both(xlsx([HEADER[1:], PERSON[1:]], second, names=["龙井村", "桂圆"]))
    assert [(row.sheet, row.area) for row in found] == [("龙井村", "b2"), ("桂圆", "a2")]


def test_a_sheet_may_be_named_for_its_township() -> None:
    assert both(xlsx([HEADER, ["建设村", *PERSON[1:]]], names=["白塔镇"]))[0][0].area == "b1"


def test_a_hidden_sheet_and_one_without_header_are_passed_over_with_a_warning() -> None:
    content = xlsx([HEADER, PERSON], [HEADER, PERSON], [["填表说明"]], names=["一", "二", "三"], hidden="二")
    found, notes = both(content)
    assert [row.sheet for row in found] == ["一"]
    assert [(note.sheet, note.reason, note.warning) for note in notes] == [
        ("二", "sheet_hidden", True),
        ("三", "sheet_without_header", True),
    ]


def test_blank_numbered_repeated_and_foot_lines_are_no_elders() -> None:
    rows: list[list[Any]] = [
        ["序号", *HEADER],
        [1, *PERSON],
        [2],
        [None, "龙井村"],
        ["序号", *HEADER],
        ["合计", None, 1],
        [" 填 表 人：甲"],
    ]
    assert only_row(xlsx(rows)).line == 2


def test_columns_that_mean_nothing_to_us_are_listed() -> None:
    assert read(person_with(血型="A", 备注="x"), TODAY, AREAS).unread_columns == (("表1", "血型"),)


def test_the_number_of_rows_is_known_before_reading() -> None:
    assert read(xlsx([["台账"], HEADER, PERSON, PERSON]), TODAY, AREAS).rows == 2


@pytest.mark.parametrize(
    ("township", "village", "area"),
    [
        ("白塔镇", "建设村", "b1"), ("白塔", "建设", "b1"), ("某县云溪镇", "建设社区", "a1"), (None, "龙井村委会", "b2"),
        (None, "白塔镇建设村", "b1"), (None, "安居", "a3"), ("云溪镇", "云溪镇 安居村", "a3"),
    ],
)  # fmt: skip
def test_a_village_is_found_by_small_variations_of_its_name(
    township: str | None, village: str, area: str
) -> None:
    assert only_row(person_with(镇=township, 村=village)).area == area


def test_a_group_may_stand_in_the_villages_cell() -> None:
    row = only_row(person_with(村="龙井村3组"))
    assert (row.village, row.group) == ("龙井村", "3组")


@pytest.mark.parametrize(
    ("township", "village", "expected"),
    [
        (None, "建设村", [("村", "village_ambiguous")]),
        (None, "云外村", [("村", "village_unknown")]),
        ("云溪镇", "龙井村", [("村", "village_unknown_in_township")]),
        ("云外镇", "建设村", [("镇", "township_unknown")]),
        ("云外镇", "云外村", [("镇", "township_unknown"), ("村", "village_unknown")]),
        ("云溪镇", None, [("村", "village_missing")]),
    ],
)
def test_a_place_that_is_not_sure_is_a_fault(
    township: str | None, village: str | None, expected: list[tuple[str, str]]
) -> None:
    assert reasons(person_with(镇=township, 村=village)) == expected


def test_a_village_that_stands_nowhere_is_a_fault() -> None:
    assert reasons(xlsx([HEADER[1:], PERSON[1:]])) == [("村（社区）", "village_missing")]


def test_all_faults_of_a_line_are_named() -> None:
    cells = {"姓名": None, "身份证号": "1", "电话": "2", "对象类型": "孤单", "能力等级": "好", "月收入": "少"}
    assert [column for column, _ in reasons(person_with(**cells))] == [
        "姓名",
        "身份证号",
        "对象类型",
        "电话",
        "能力等级",
        "月收入",
    ]


def test_the_second_of_two_equal_id_numbers_is_a_fault_that_names_the_first_across_sheets() -> None:
    source = xlsx([HEADER, PERSON], [HEADER, ["安居村", "李玉", GOOD, "空巢"]])
    reading = read(source, TODAY, AREAS)
    for _ in range(2):  # a second reading starts anew
        row, fault = reading
        assert isinstance(row, Row) and isinstance(fault, Fault)
        assert (fault.sheet, fault.reason, fault.details) == (
            "表2",
            "id_number_twice",
            {"sheet": "表1", "line": 2},
        )


def test_fifty_faults_of_ten_kinds_are_each_named_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "big.xlsx"
    expected = ledger_files.big_ledger(path, rows=600, faults=50)
    reading = list(read(path, TODAY, ledger_files.areas()))
    faults = [found for found in reading if isinstance(found, Fault)]
    assert len({each.reason for each in expected}) == 10
    assert [(f.sheet, f.line, f.column, f.reason) for f in faults] == [
        (e.sheet, e.line, e.column, e.reason) for e in expected
    ]
    assert [fault.value for fault in faults] == [each.value for each in expected]
    assert len(reading) - len(faults) == 550
