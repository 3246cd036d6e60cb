"""A cell of a ledger is read in all its usual forms; a wrong one is named, with what to do."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest

from conversations.documents import ledger_faults
from tests.fakes.ledger_files import id_number, xls, xlsx
from tests.fakes.ledger_people import BIRTH, GOOD, HEADER, PERSON, both, only_row, person_with, reasons


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("独居老人", ("living_alone",)),
        ("独居、失能", ("living_alone", "care_dependent")),
        ("独居,空巢；留守/孤寡", ("living_alone", "empty_nest", "left_behind", "childless_alone")),
        ("独居　失能\n独居", ("living_alone", "care_dependent")),
        ("独 居", ("living_alone",)),
        ("失能老年人（包括中、重）、重残", ("care_dependent", "severely_disabled")),
        ("☑独居 □孤寡 ☑计划生育特殊家庭老年人", ("living_alone", "special_family_planning")),
    ],
)
def test_several_categories_stand_in_one_cell(cell: str, expected: tuple[str, ...]) -> None:
    assert only_row(person_with(对象类型=cell)).categories == expected


@pytest.mark.parametrize("tick", ["√", "是", 1, True, "独居"])
def test_a_category_may_be_a_column_that_is_ticked(tick: Any) -> None:
    header = ["村", "姓名", "身份证号", "是否独居", "失能老年人（包括中、重）", "空巢"]
    row = only_row(xlsx([header, [*PERSON[:3], tick, "否", None]]))
    assert row.categories == ("living_alone",)


def test_the_economic_state_may_be_ticked_but_only_once() -> None:
    assert only_row(person_with(特困人员="√", 低保="")).economic == "extreme_poverty"
    assert reasons(person_with(是否低保="√", 低保边缘="√")) == [("是否低保", "economic_several")]


@pytest.mark.parametrize(
    ("cell", "ability"),
    [
        ("能力完好", "intact"),
        ("轻度", "mild"),
        ("中度失能", "moderate"),
        ("重 度", "severe"),
        ("完全失能", "total"),
    ],
)
def test_ability_has_five_grades(cell: str, ability: str) -> None:
    assert only_row(person_with(能力等级=cell)).ability == ability


@pytest.mark.parametrize(("cell", "grade"), [("一级", 1), (2, 2), ("Ⅲ级", 3), ("肢体四级", 4), ("无", None)])
def test_the_disability_grade_is_read(cell: Any, grade: int | None) -> None:
    assert only_row(person_with(残疾等级=cell)).disability_grade == grade


DATES = [
    "2026-11-03", "2026/11/3", "2026.11.3", "2026年11月3日", "２０２６－１１－３", "20261103", 20261103, 46329, 46329.0,
    "46329", date(2026, 11, 3), datetime(2026, 11, 3, 9, 30), "2026-11-03 09:30:00",
]  # fmt: skip


@pytest.mark.parametrize("cell", DATES, ids=str)
def test_a_date_comes_in_many_forms(cell: Any) -> None:
    cells = dict(zip(HEADER, PERSON, strict=True)) | {"上次探访时间": cell, "探访次数": "第5次"}
    for make in (xlsx, xls):
        row = only_row(make([list(cells), list(cells.values())]))
        assert (row.last_visit, row.visits_before) == (date(2026, 11, 3), 5)


@pytest.mark.parametrize("cell", ["1948年5月", 1948.05, "1948", 1948, "194805", "1948-05-12", 17665])
def test_a_birth_that_agrees_with_the_id_number_is_taken_from_the_number(cell: Any) -> None:
    row = only_row(person_with(出生年月=cell))
    assert (row.birth, row.sex) == (BIRTH, "male")


@pytest.mark.parametrize("month", [1, 10])
def test_a_birth_typed_as_1948_point_1_may_be_january_or_october(month: int) -> None:
    number = id_number(date(1948, month, 12))
    assert only_row(person_with(身份证号=number, 出生年月=1948.1)).birth == date(1948, month, 12)


def test_birth_alone_is_enough_without_an_id_number() -> None:
    row = only_row(person_with(身份证号=None, 出生日期="1948-05-12", 性别="女"))
    assert (row.birth, row.sex, row.id_number) == (BIRTH, "female", None)


def test_an_id_number_is_taken_with_spaces_and_a_small_x() -> None:
    number = next(found for turn in range(50) if (found := id_number(BIRTH, turn=turn)).endswith("X"))
    spaced = f" {number[:6]} {number[6:14]} {number[14:].lower()}"
    assert only_row(person_with(身份证号=spaced)).id_number == number


def test_an_unusual_area_code_warns_and_lets_the_row_in() -> None:
    rows, notes = both(person_with(身份证号=id_number(BIRTH, area="990101")))
    assert [(note.reason, note.warning) for note in notes] == [("id_number_area", True)]
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("cell", "phone"),
    [("138 1234 5678", "13812345678"), ("+86-13812345678", "13812345678"), ("(0830)3123456", "08303123456"),
     (3123456, "3123456"), ("无", None), ("/", None)],
)  # fmt: skip
def test_a_phone_is_kept_as_digits(cell: Any, phone: str | None) -> None:
    assert only_row(person_with(电话=cell)).phone == phone


@pytest.mark.parametrize(
    ("cell", "yuan"), [("1,200元", 1200), ("约800", 800), (99.5, 100), ("无", 0), ("/", None)]
)
def test_income_is_whole_yuan(cell: Any, yuan: int | None) -> None:
    assert only_row(person_with(月收入=cell)).income == yuan


@pytest.mark.parametrize(("birth", "taken"), [(date(1966, 12, 3), True), (date(1966, 12, 4), False)])
def test_an_elder_is_sixty_on_the_birthday(birth: date, taken: bool) -> None:
    rows, faults = both(person_with(身份证号=id_number(birth)))
    assert (bool(rows), [fault.reason for fault in faults]) == (taken, [] if taken else ["age_under"])


FAULTS: Sequence[tuple[dict[str, Any], str, str]] = [
    ({"姓名": None}, "姓名", "name_missing"),
    ({"姓名": "13800000000"}, "姓名", "name_wrong"),
    ({"身份证号": float(GOOD[:15] + "000")}, "身份证号", "id_number_rounded"),
    ({"身份证号": "5.10502E+17"}, "身份证号", "id_number_rounded"),
    ({"身份证号": "510502480512001"}, "身份证号", "id_number_old"),
    ({"身份证号": GOOD[:-1]}, "身份证号", "id_number_length"),
    ({"身份证号": "5105021948O5120019"}, "身份证号", "id_number_characters"),
    ({"身份证号": "510502194813120019"}, "身份证号", "id_number_date"),
    ({"身份证号": GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10)}, "身份证号", "id_number_checksum"),
    ({"身份证号": None}, "身份证号", "birth_missing"),
    ({"身份证号": id_number(date(1890, 1, 1))}, "身份证号", "age_over"),
    ({"性别": "女"}, "性别", "sex_conflict"),
    ({"性别": "未知"}, "性别", "sex_unknown"),
    ({"出生日期": "1948-05-13"}, "出生日期", "birth_conflict"),
    ({"出生日期": "1949年"}, "出生日期", "birth_conflict"),
    ({"出生日期": "去年"}, "出生日期", "birth_unreadable"),
    ({"出生日期": "1948年5月", "身份证号": None}, "出生日期", "birth_incomplete"),
    ({"出生日期": "1980-05-12", "身份证号": None}, "出生日期", "age_under"),
    ({"电话": "1381234567"}, "电话", "phone_wrong"),
    ({"电话": "13812345678、13912345678"}, "电话", "phone_wrong"),
    ({"紧急联系电话": "12345"}, "紧急联系电话", "phone_wrong"),
    ({"对象类型": "孤单"}, "对象类型", "category_unknown"),
    ({"对象类型": None}, "对象类型", "categories_missing"),
    ({"独居": "也许"}, "独居", "yes_no_unknown"),
    ({"是否居住在户籍地": "有时"}, "是否居住在户籍地", "yes_no_unknown"),
    ({"残疾证号": 5.1050219480512e19}, "残疾证号", "certificate_rounded"),
    ({"残疾等级": "五级"}, "残疾等级", "disability_grade_unknown"),
    ({"能力等级": "失能"}, "能力等级", "ability_unknown"),
    ({"经济状况": "低保、低保边缘"}, "经济状况", "economic_unknown"),
    ({"月收入": "很少"}, "月收入", "income_unreadable"),
    ({"月收入": -5}, "月收入", "income_unreadable"),
    ({"探访次数": 2.5}, "探访次数", "visits_before_wrong"),
    ({"探访次数": -1}, "探访次数", "visits_before_wrong"),
    ({"最近探访日期": "2026-12-04", "探访次数": 3}, "最近探访日期", "last_visit_future"),
    ({"最近探访日期": "2026-13-04", "探访次数": 3}, "最近探访日期", "last_visit_unreadable"),
    ({"最近探访日期": "2026年11月", "探访次数": 3}, "最近探访日期", "last_visit_unreadable"),
    ({"最近探访日期": "2026-11-04"}, "已探访次数", "last_visit_without_count"),
    ({"最近探访日期": "2026-11-04", "探访次数": 0}, "探访次数", "last_visit_without_count"),
]


@pytest.mark.parametrize(
    ("cells", "column", "reason"), FAULTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_wrong_cell_is_one_fault_with_a_sentence(cells: dict[str, Any], column: str, reason: str) -> None:
    rows, (fault,) = both(person_with(**cells))
    assert not rows
    assert (fault.line, fault.column, fault.reason) == (2, column, reason)
    assert ledger_faults.explain(fault).endswith(("。", "）"))


def test_a_fault_names_its_cell_and_what_it_shows() -> None:
    (fault,) = both(person_with(身份证号=5.10502194805120e17))[1]
    assert (fault.sheet, fault.line, fault.column_number, fault.value) == ("表1", 2, 3, "5.10502E+17")
