"""Another body's list is read by its ID numbers; what is not understood of a line keeps no other cell of it out."""

from datetime import date
from typing import Any

import pytest

from conversations.documents import ledger_faults, list_sheet
from conversations.documents.ledger_file import Unreadable
from conversations.documents.ledger_found import Fault
from conversations.documents.list_sheet import Listed
from tests.fakes.ledger_files import TODAY, id_number, xlsx

ONE, TWO = (id_number(date(1948, 5, 12), turn=turn) for turn in range(2))


def read(*rows: list[Any]) -> tuple[list[Listed], list[tuple[int, str]]]:
    found = list(list_sheet.read(xlsx(list(rows)), TODAY))
    assert all(ledger_faults.explain(each) for each in found if isinstance(each, Fault))
    return ([each for each in found if isinstance(each, Listed)],
            [(each.line, each.reason) for each in found if isinstance(each, Fault)])


def test_each_field_is_read_under_the_words_of_the_bodies() -> None:
    (found,), faults = read(
        ["残联持证人员"], ["序号", "姓 名", "公民身份号码", "残疾类型及等级", "残疾人证号", "有效期至", "疾病诊断", "自理能力"],
        [1, "罗 玉兰", ONE.lower(), "肢体二级", ONE + "42", "2031年5月12日", "高血压", "中度失能"])
    assert faults == [] and found.id_number == ONE
    assert found.values == {
        "name": "罗玉兰", "disability_grade": 2, "disability_certificate": ONE + "42",
        "certificate_until": "2031-05-12", "illnesses": "高血压", "ability": "moderate"}


@pytest.mark.parametrize(("head", "cell", "values"), [
    ("状态", "死亡", {"died": ""}), ("减员原因", "户口迁出", {"moved": ""}), ("状态", "正常", {}),
    ("死亡日期", date(2026, 3, 1), {"died": "2026-03-01"}), ("是否死亡", "是", {"died": ""}), ("是否死亡", "否", {}),
    ("迁出日期", "2026.3.1", {"moved": "2026-03-01"}), ("死亡日期", None, {})])
def test_a_death_or_a_move_is_read_as_a_day_a_mark_or_a_word(head: str, cell: Any, values: dict[str, str]) -> None:
    (found,), faults = read(["身份证号", head], [ONE, cell])
    assert (found.values, faults) == (values, [])


@pytest.mark.parametrize(("head", "cell", "reason"), [
    ("残疾等级", "很重", "disability_grade_unknown"), ("死亡日期", "去年", "ended_unreadable"),
    ("死亡日期", "2027-01-01", "ended_future"), ("有效期至", "长期", "certificate_until_unreadable")])
def test_a_cell_that_is_not_understood_is_told_and_the_others_count(head: str, cell: Any, reason: str) -> None:
    (found,), faults = read(["身份证号", "曾患病史", head], [ONE, "高血压", cell])
    assert (found.values, faults) == ({"illnesses": "高血压"}, [(2, reason)])


def test_who_has_no_right_number_or_stands_there_twice_is_told() -> None:
    found, faults = read(["姓名", "身份证号"], ["罗玉兰", ONE], ["何素云", None], ["郭富才", "51050219"], ["罗玉兰", ONE],
                         ["姓名", "身份证号"], [None, TWO], ["填表人：赵敏", None])
    assert [each.id_number for each in found] == [ONE, TWO]
    assert faults == [(3, "list_id_missing"), (4, "id_number_length"), (5, "id_number_twice")]


def test_a_file_without_id_numbers_is_no_list() -> None:
    with pytest.raises(Unreadable):
        read(["姓名", "残疾等级"], ["罗玉兰", "二级"])
