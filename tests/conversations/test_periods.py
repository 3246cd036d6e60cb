"""Months and quarters as people type them."""

from datetime import date

import pytest

from conversations import periods

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(("text", "months"), [
    ("2026-10", "2026-10"), ("2026年10月", "2026-10"), ("10月", "2026-10"), ("10月份", "2026-10"), ("10", "2026-10"),
    ("12月", "2025-12"), ("本月", "2026-11"), ("上个月", "2026-10"), ("上月", "2026-10"), ("2025-1", "2025-01"),
    ("2026-Q3", "2026-Q3"), ("2026年第3季度", "2026-Q3"), ("三季度", "2026-Q3"), ("第四季度", "2026-Q4"), ("Q1", "2026-Q1"),
    ("1季度", "2026-Q1"), ("上季度", "2026-Q3"), ("本季度", "2026-Q4"), ("2025年4季度", "2025-Q4"),
])
def test_a_month_or_quarter_is_read_and_without_a_year_it_is_the_last_one(text: str, months: str) -> None:
    found = periods.read(text, TODAY)
    assert found is not None
    assert periods.written(found) == months
    assert periods.read(months, TODAY) == found  # as buttons carry it


@pytest.mark.parametrize("text", ["13月", "0月", "5季度", "建设村", "2026", "一", "第三", "", "2026-13", "10月5日", "月"])
def test_what_is_no_period_is_left_to_be_a_place(text: str) -> None:
    assert periods.read(text, TODAY) is None


def test_a_quarter_before_its_first_month_is_the_year_before_s() -> None:
    assert periods.written(periods.read("4季度", date(2026, 5, 1)) or ()) == "2025-Q4"
