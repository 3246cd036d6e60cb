"""Made-up ledgers: small ones cell by cell, and a big one with faults at known places."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import xlwt  # type: ignore[import-untyped]
from openpyxl import Workbook

from conversations.documents.id_number import check_digit
from conversations.documents.ledger_sheet import Areas

TODAY = date(2026, 12, 3)

HEADER = (
    "序号", "乡镇", "村（社区）", "组", "姓名", "性别", "身份证号", "联系电话", "紧急联系人", "紧急联系人电话", "家庭住址",
    "是否居住在户籍地", "探访对象类型", "残疾证号", "残疾等级", "能力等级", "曾患病史", "经济状况", "经济来源",
    "月可支配收入（元）", "最近探访日期", "已探访次数",
)  # fmt: skip
HEADER_LINE = 3

_TOWNSHIPS = ("云溪镇", "白塔镇", "长江街道")
_VILLAGES = ("建设村", "桂圆村", "石桥村", "龙井村", "新民村", "大河社区", "滨江社区")
_COUNTIES = ("510502", "510503", "510504", "510521", "510522", "510524", "510525")
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗曾单仇"
_GIVEN = "国福秀英桂兰明珍淑华玉德贵清芳素云成富才"
_CATEGORIES = (
    "独居",
    "孤寡",
    "空巢",
    "留守",
    "失能",
    "独居、失能",
    "计划生育特殊家庭",
    "空巢，独居",
)
_ABILITIES = ("能力完好", "轻度失能", "中度失能", "重度失能", "完全失能")


@dataclass(frozen=True, slots=True)
class Expected:
    """A fault that was put into the file: where, what the cell shows, and the reason it must be given."""

    sheet: str
    line: int
    column: str
    value: str
    reason: str


def areas() -> Areas:
    """The villages of all made-up ledgers; each village's name stands in each township."""
    return Areas(
        {(township, village): f"{township}/{village}" for township in _TOWNSHIPS for village in _VILLAGES}
    )


def id_number(birth: date, male: bool = True, area: str = "510502", turn: int = 0) -> str:
    """A right ID number; `turn` 0 to 499 tells people of one day, sex and place apart."""
    first_17 = f"{area}{birth:%Y%m%d}{turn * 2 + male:03d}"
    return first_17 + check_digit(first_17)


def xlsx(
    *sheets: Sequence[Sequence[Any]],
    names: Sequence[str] = (),
    merged: Sequence[str] = (),
    hidden: str = "",
) -> bytes:
    """An .xlsx of rows of cells; `merged` ranges are of the first sheet."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for index, rows in enumerate(sheets):
        sheet = book.create_sheet(names[index] if names else f"表{index + 1}")
        for row in rows:
            sheet.append(list(row))
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    if hidden:
        book[hidden].sheet_state = "hidden"
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def xls(
    *sheets: Sequence[Sequence[Any]],
    names: Sequence[str] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """The same as .xls; `merged` are (first row, last row, first column, last column), from 0."""
    book = xlwt.Workbook()
    as_date = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for index, rows in enumerate(sheets):
        sheet = book.add_sheet(names[index] if names else f"表{index + 1}", cell_overwrite_ok=True)
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if cell is not None:
                    sheet.write(
                        line,
                        column,
                        cell,
                        *([as_date] if isinstance(cell, date) else []),
                    )
        for first, last, left, right in merged if index == 0 else ():
            sheet.merge(first, last, left, right)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def big_ledger(path: Path, rows: int = 20_000, faults: int = 50) -> tuple[Expected, ...]:
    """Writes a ledger of made-up people with `faults` faulty lines of 10 kinds in turn; gives them in order.

    The faulty lines are spread evenly and never the first; `rows` must be at least twice `faults`.
    """
    chance = random.Random(20261203)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("特殊困难老年人台账")
    sheet.append(["泸州市特殊困难老年人探访关爱台账"])
    sheet.append(["填报单位：（虚构）", None, None, "2026年12月"])
    sheet.append(list(HEADER))
    step = rows // faults if faults else rows + 1
    expected: list[Expected] = []
    for index in range(rows):
        person = _person(index, chance)
        if faults and index % step == step - 1 and len(expected) < faults:
            column, value, reason = _spoil(person, len(expected))
            expected.append(Expected("特殊困难老年人台账", HEADER_LINE + 1 + index, column, value, reason))
        sheet.append([person[column] for column in HEADER])
    book.save(path)
    return tuple(expected)


def _person(index: int, chance: random.Random) -> dict[str, Any]:
    birth = date(1935, 1, 1) + timedelta(days=index % 10_000)
    male = chance.random() < 0.5
    number = id_number(birth, male, _COUNTIES[index % 7], turn=index // 10_000)
    visited = index % 3 > 0
    disabled = index % 11 == 0
    return {
        "序号": index + 1,
        "乡镇": _TOWNSHIPS[index % 3],
        "村（社区）": _VILLAGES[index // 3 % 7],
        "组": f"{1 + index % 12}组",
        "姓名": chance.choice(_SURNAMES) + "".join(chance.sample(_GIVEN, chance.choice((1, 2)))),
        "性别": "男" if male else "女",
        "身份证号": number,
        "联系电话": f"138{index:08d}",
        "紧急联系人": chance.choice(_SURNAMES) + chance.choice(_GIVEN),
        "紧急联系人电话": 13900000000 + index if index % 2 else f"0830-3{index:06d}",
        "家庭住址": f"虚构路{index % 300 + 1}号",
        "是否居住在户籍地": chance.choice("是否"),
        "探访对象类型": "重残" if disabled else _CATEGORIES[index % 8],
        "残疾证号": number + "42" if disabled else None,
        "残疾等级": "二级" if disabled else None,
        "能力等级": _ABILITIES[index % 5],
        "曾患病史": chance.choice(("高血压", "糖尿病、高血压", "无", None)),
        "经济状况": chance.choice(("低保", "特困人员", "低保边缘", "无", None)),
        "经济来源": chance.choice(("养老金", "子女赡养", "务农")),
        "月可支配收入（元）": chance.randrange(100, 4000),
        "最近探访日期": (date(2026, 11, 1) + timedelta(days=index % 30)) if visited else None,
        "已探访次数": 1 + index % 40 if visited else None,
    }


def _spoil(person: dict[str, Any], turn: int) -> tuple[str, str, str]:
    """Puts the fault of this turn into a person: the column, what it then shows, the reason expected."""
    number = person["身份证号"]
    under = id_number(date(1990, 5, 12), person["性别"] == "男", turn=turn)
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    spoils: tuple[tuple[str, Any, str, str], ...] = (
        ("姓名", None, "", "name_missing"),
        ("村（社区）", "云外村", "云外村", "village_unknown_in_township"),
        ("身份证号", wrong, wrong, "id_number_checksum"),
        ("身份证号", number[:17], number[:17], "id_number_length"),
        (
            "身份证号",
            float(number[:17] + "0"),
            f"{float(number[:17] + '0'):.5E}",
            "id_number_rounded",
        ),
        ("身份证号", under, under, "age_under"),
        ("联系电话", "1380000", "1380000", "phone_wrong"),
        ("探访对象类型", "孤单", "孤单", "category_unknown"),
        ("最近探访日期", date(2027, 1, 5), "2027-01-05", "last_visit_future"),
        ("性别", "女" if person["性别"] == "男" else "男", "", "sex_conflict"),
    )
    column, cell, value, reason = spoils[turn % len(spoils)]
    person[column] = cell
    if reason == "last_visit_future":
        person["已探访次数"] = 3
    return column, value or (cell or ""), reason
