"""One made-up person on a ledger, with this or that cell changed, and what is read of it."""

from datetime import date
from typing import Any

import pytest

from conversations.documents import ledger_faults
from conversations.documents.ledger_file import Unreadable
from conversations.documents.ledger_sheet import Areas, Fault, Row, read
from tests.fakes.ledger_files import TODAY, id_number, xlsx

BIRTH = date(1948, 5, 12)
GOOD = id_number(BIRTH)
AREAS = Areas(
    {
        ("云溪镇", "建设村"): "a1",
        ("云溪镇", "桂圆社区"): "a2",
        ("云溪镇", "安居村"): "a3",
        ("白塔镇", "建设村"): "b1",
        ("白塔镇", "龙井村"): "b2",
    }
)
HEADER = ["村", "姓名", "身份证号", "对象类型"]
PERSON = ["龙井村", "张国芳", GOOD, "独居"]


def both(source: bytes, areas: Areas = AREAS) -> tuple[list[Row], list[Fault]]:
    rows: list[Row] = []
    faults: list[Fault] = []
    for found in read(source, TODAY, areas):
        if isinstance(found, Row):
            rows.append(found)
        else:
            assert ledger_faults.explain(found)  # each reason has its sentence
            faults.append(found)
    return rows, faults


def only_row(source: bytes) -> Row:
    rows, faults = both(source)
    assert (len(rows), faults) == (1, [])
    return rows[0]


def person_with(**cells: Any) -> bytes:
    """A sheet with one good person, and these columns added or replaced; None takes a cell's value away."""
    columns = dict(zip(HEADER, PERSON, strict=True)) | cells
    return xlsx([list(columns), list(columns.values())])


def reasons(source: bytes) -> list[tuple[str, str]]:
    rows, faults = both(source)
    assert not rows
    return [(fault.column, fault.reason) for fault in faults]


def refusal(source: bytes) -> str:
    with pytest.raises(Unreadable) as raised:
        read(source, TODAY, AREAS)
    assert ledger_faults.explain_unreadable(raised.value)
    return raised.value.reason
