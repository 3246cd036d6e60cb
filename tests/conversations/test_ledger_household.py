"""All of annex 2 is read of a ledger, and the households beside it go to the elders they name."""

from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from conversations.documents import ledger_report
from conversations.documents.ledger_sheet import read
from scheduler import annex2
from tests.fakes.ledger_files import TODAY, id_number, xlsx
from tests.fakes.ledger_people import AREAS, GOOD, HEADER, PERSON, both, only_row, person_with, reasons

HEAD = ["老人身份证号", "村", "老人姓名", "老人出生日期", "姓名", "性别", "身份证号", "与户主关系", "健康状况", "是否低保特困",
        "是否经常探访"]
CHILD = id_number(date(1975, 3, 1))


NAMES = ("台账", "家庭成员")


def household(*lines: list[Any]) -> bytes:
    """A ledger of one person with a sheet of households."""
    return xlsx([HEADER, PERSON], [HEAD, *lines], names=NAMES)


def member(**cells: Any) -> list[Any]:
    return [({"老人身份证号": GOOD, "姓名": "张敏", "与户主关系": "女儿"} | cells).get(head) for head in HEAD]


def test_every_fact_of_annex_2_is_read() -> None:
    row = only_row(person_with(
        第二紧急联系人="李强", 联系电话="0830-3123456", 残疾证有效期至="2031-05-12", 饮水是否安全="安全", 用电是否安全="不安全",
        住房是否安全="√", 家庭月收入="2,000元", 每月养老金="无", 享受的社会救助和福利="低保金", 每月救助金额=300, 帮扶单位="社工",
        帮扶责任人="王强", 帮扶措施="每周送餐", 曾患病史="无", 经济状况="一般", 探访意愿="需再沟通", 建档日期="2026年1月5日",
        有无家庭成员="无"))
    assert row.annex == {
        "emergency2_name": "李强", "emergency2_phone": "08303123456", "certificate_until": "2031-05-12", "alone": True,
        "water_safe": True, "electricity_safe": False, "house_safe": True, "household_income": 2000, "pension": 0,
        "assistance": "低保金", "assistance_amount": 300, "help_unit": "social_worker", "help_person": "王强",
        "help_measures": "每周送餐"}
    assert (row.illnesses, row.economic, row.wish, row.registered_on) == ("无", "ordinary", "undecided", date(2026, 1, 5))


@pytest.mark.parametrize(("column", "cell", "reason"), [
    ("探访意愿", "随便", "wish_unknown"), ("帮扶单位", "某公司", "help_unit_unknown"), ("饮水安全", "还行", "safe_unknown"),
    ("建档日期", "2026-12", "registered_on_unreadable"), ("建档日期", "2027-01-01", "registered_on_future"),
    ("残疾证有效期", "长期", "certificate_until_unreadable"), ("养老金", "有", "income_unreadable"),
    ("有无家庭成员", "三人", "alone_unknown")])
def test_what_is_not_understood_is_told_at_its_cell(column: str, cell: str, reason: str) -> None:
    assert reasons(person_with(**{column: cell})) == [(column, reason)]


def test_a_household_goes_to_the_elder_with_the_id_number() -> None:
    row = only_row(household(
        member(性别="女", 身份证号=CHILD, 健康状况="一般", 是否低保特困="否", 是否经常探访="是"),
        member(姓名="张国芳", 与户主关系="户主")))
    assert row.annex[annex2.HOUSEHOLD] == [
        {"name": "张敏", "sex": "female", "id_number": CHILD, "relation": "child", "health": "fair", "on_relief": False,
         "visits_often": True},
        {"name": "张国芳", "relation": "head"}]


def test_an_elder_without_an_id_number_is_found_by_village_and_name() -> None:
    people = [["龙井村", "张国芳", None, "独居", "1948-05-12", "无"], ["龙井村", "李大山", None, "独居", "1940-01-01", "无"]]
    source = xlsx([[*HEADER, "出生日期", "有无家庭成员"], *people],
                  [HEAD, member(老人身份证号=None, 村="龙井村", 老人姓名="李大山")], names=NAMES)
    rows, faults = both(source)
    assert faults == []
    assert rows[0].annex == {annex2.ALONE: True}
    assert rows[1].annex == {annex2.HOUSEHOLD: [{"name": "张敏", "relation": "child"}]}  # who has one is not alone


def test_one_name_of_two_elders_needs_the_birth_date() -> None:
    head = [*HEADER, "出生日期"]
    people = [["龙井村", "张国芳", None, "独居", "1948-05-12"], ["龙井村", "张国芳", None, "独居", "1940-01-01"]]
    line = {"老人身份证号": None, "村": "龙井村", "老人姓名": "张国芳"}
    rows, faults = both(xlsx(
        [head, *people], [HEAD, member(**line), member(**line, 老人出生日期="1940-01-01")], names=NAMES))
    assert [(fault.sheet, fault.line, fault.reason) for fault in faults] == [("家庭成员", 2, "elder_ambiguous")]
    assert [len(row.annex) for row in rows] == [0, 1]


@pytest.mark.parametrize(("cells", "column", "reason"), [
    ({"与户主关系": "邻居"}, "与户主关系", "relation_unknown"), ({"健康状况": "很好呀"}, "健康状况", "health_unknown"),
    ({"身份证号": "51050219"}, "身份证号", "id_number_length"), ({"姓名": None}, "姓名", "member_name_missing"),
    ({"老人身份证号": None}, "老人身份证号", "elder_missing"), ({"老人身份证号": CHILD}, "老人身份证号", "elder_not_here"),
    ({"老人身份证号": None, "村": "无此村", "老人姓名": "张国芳"}, "村", "village_unknown")])
def test_a_faulty_line_is_marked_and_its_elder_comes_in(cells: dict[str, Any], column: str, reason: str) -> None:
    source = household(member(**cells))
    rows, faults = both(source)
    assert [row.annex for row in rows] == [{}]
    assert [(fault.sheet, fault.line, fault.column, fault.reason) for fault in faults] == [("家庭成员", 2, column, reason)]
    copy = BytesIO()
    ledger_report.write_faulty_copy(source, copy, faults)
    line = [cell.value for cell in openpyxl.load_workbook(copy)["家庭成员"][2]]
    assert str(line[-1]).startswith(column)


def test_a_ledger_with_the_relation_of_a_contact_is_no_sheet_of_households() -> None:
    assert only_row(xlsx([["村", "老人姓名", "老人身份证号", "对象类型", "与老人关系"], [*PERSON, "女儿"]])).name == "张国芳"


def test_a_ledger_is_read_twice_with_the_same_households() -> None:
    reading = read(household(member(), member(老人身份证号=CHILD)), TODAY, AREAS)
    assert list(reading) == list(reading)


def test_one_faulty_line_keeps_the_whole_household_out_and_that_is_said_beside_each_of_it() -> None:
    other = id_number(date(1940, 1, 1))
    source = xlsx([[*HEADER, "有无家庭成员"], [*PERSON, "无"], ["龙井村", "李大山", other, "独居", None]],
                  [HEAD, member(), member(姓名="张强", 与户主关系="邻居"), member(老人身份证号=other, 姓名="李敏")],
                  names=NAMES)
    rows, faults = both(source)
    assert [row.annex for row in rows] == [{}, {annex2.HOUSEHOLD: [{"name": "李敏", "relation": "child"}]}]
    assert [(fault.line, fault.reason) for fault in faults] == [(3, "relation_unknown"), (2, "household_spoilt")]


def test_a_household_is_told_by_the_number_of_the_file_where_nothing_else_tells() -> None:
    head, line = [*HEADER, "档案编号"], {"老人身份证号": None, "村": "龙井村", "老人姓名": "张某"}
    people = [["龙井村", "张某", None, "独居", number] for number in (4, 7)]
    rows, faults = both(xlsx([head, *people], [[*HEAD, "老人档案编号"], [*member(**line), 7]], names=NAMES))
    assert faults == []
    assert [(row.number, bool(row.annex)) for row in rows] == [(4, False), (7, True)]


def test_a_number_of_their_own_is_no_files_number() -> None:
    assert only_row(xlsx([["编号", *HEADER], [12, *PERSON]])).number is None
    assert only_row(xlsx([["档案编号", *HEADER], [12, *PERSON]])).number is None  # his ID number tells who he is
    assert reasons(xlsx([["档案编号", *HEADER], ["LZ-001", *PERSON[:2], None, "独居"]])) == [("身份证号", "birth_missing")]
