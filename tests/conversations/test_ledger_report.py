"""The copy that goes back to the sender can be put right there and imported again."""

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from conversations.documents.ledger_faults import explain
from conversations.documents.ledger_report import write_faulty_copy
from conversations.documents.ledger_sheet import Fault, Row, read
from tests.fakes.ledger_files import TODAY, id_number, xls, xlsx
from tests.fakes.ledger_people import AREAS, BIRTH, GOOD, HEADER, PERSON, both

RED, YELLOW, NONE = "00FFC7CE", "00FFEB9C", "00000000"


def copied(source: bytes, path: Path) -> Any:
    """The first sheet of the faulty copy written to `path`."""
    write_faulty_copy(source, path, both(source)[1])
    return openpyxl.load_workbook(path).worksheets[0]


def colour(sheet: Any, cell: str) -> str:
    return str(sheet[cell].fill.fgColor.rgb)


def test_faulty_cells_are_coloured_and_the_reasons_stand_in_a_last_column(tmp_path: Path) -> None:
    wrong = ["云外村", "李玉", "123", "空巢"]
    source = xlsx([["台账"], HEADER, PERSON, wrong])
    faults = both(source)[1]
    sheet = copied(source, tmp_path / "copy.xlsx")
    assert [sheet.cell(2, column).value for column in range(1, 7)] == [*HEADER, "需要修改", None]
    assert [[cell.value for cell in row] for row in sheet["A3:E4"]] == [
        [*PERSON, None],
        [*wrong, "\n".join(f"{fault.column}：{explain(fault)}" for fault in faults)],
    ]
    assert {colour(sheet, cell) for cell in ("A4", "C4")} == {RED}
    assert {colour(sheet, cell) for cell in ("A3", "C3", "B4", "D4")} == {NONE}


def test_a_missing_column_is_told_in_words_and_a_warning_is_yellow(tmp_path: Path) -> None:
    number = id_number(BIRTH, area="990101")
    sheet = copied(xlsx([HEADER[:3], [*PERSON[:2], number]]), tmp_path / "copy.xlsx")
    assert colour(sheet, "C2") == YELLOW
    assert "探访对象类型：" in sheet["D2"].value and "提醒" in sheet["D2"].value


def test_long_numbers_stay_text_and_dates_stay_dates(tmp_path: Path) -> None:
    source = xls(
        [
            [*HEADER, "最近探访日期"],
            [*PERSON, date(2026, 11, 3)],
            ["龙井村", "李玉", 5.10502194805e17, "空巢", None],
        ]
    )
    sheet = copied(source, tmp_path / "copy.xlsx")
    assert (sheet["C2"].value, sheet["C2"].number_format) == (GOOD, "@")
    assert (sheet["C3"].value, sheet["C3"].number_format) == ("5.10502E+17", "@")
    assert sheet["E2"].value.date() == date(2026, 11, 3)


def test_no_cell_becomes_a_formula(tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)"]
    source = xls([HEADER, *(["龙井村", name, GOOD, "独居"] for name in names)])
    sheet = copied(source, tmp_path / "copy.xlsx")
    for line, name in enumerate(names, 2):
        cell = sheet.cell(line, 2)
        assert (cell.value, cell.data_type, cell.quotePrefix) == (name, "s", True)


def test_a_corrected_copy_is_read_with_its_merged_cells_and_all_its_sheets(tmp_path: Path) -> None:
    path = tmp_path / "copy.xlsx"
    people: list[list[Any]] = [["龙井村", "甲", GOOD, "独居"], [None, "乙", id_number(BIRTH, turn=1), "孤单"]]
    source = xlsx(
        [HEADER, *people], [HEADER, ["安居村", "丙", id_number(BIRTH, turn=2), "空巢"]], merged=["A2:A3"]
    )
    sheet = copied(source, path)
    sheet["D3"] = "独居"
    sheet.parent.save(path)
    found = list(read(path, TODAY, AREAS))
    assert [(each.sheet, each.line, each.area) for each in found if isinstance(each, Row)] == [
        ("表1", 2, "b2"), ("表1", 3, "b2"), ("表2", 2, "a3"),
    ]  # fmt: skip
    assert read(path, TODAY, AREAS).unread_columns == ()


def test_the_copy_of_a_copy_has_one_column_of_reasons_with_what_is_still_wrong(tmp_path: Path) -> None:
    path = tmp_path / "copy.xlsx"
    sheet = copied(xlsx([HEADER, ["龙井村", "甲", "1", "孤单"]]), path)
    sheet["C2"] = GOOD
    sheet.parent.save(path)
    again = copied(path.read_bytes(), tmp_path / "again.xlsx")
    assert again.max_column == 5
    assert again["E2"].value.startswith("对象类型：") and "身份证" not in again["E2"].value


def test_characters_that_a_spreadsheet_may_not_hold_are_left_out(tmp_path: Path) -> None:
    sheet = copied(xls([[*HEADER, "住址"], [*PERSON, "虚构\x01路"]]), tmp_path / "copy.xlsx")
    assert sheet["E2"].value == "虚构路"


def test_a_fault_needs_no_column_in_the_sheet() -> None:
    (fault,) = (
        found for found in read(xlsx([HEADER[:3], PERSON[:3]]), TODAY, AREAS) if isinstance(found, Fault)
    )
    assert (fault.column, fault.column_number, fault.value) == ("探访对象类型", None, "")
