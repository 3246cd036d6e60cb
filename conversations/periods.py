"""Months and quarters as people type them."""

import re
from collections.abc import Callable
from datetime import date

from conversations.controls import MONTHS, QUARTERS
from scheduler.figures import Month, quarter

Months = tuple[Month, ...]
MONTH = re.compile(r"(?:(20\d\d)[-/.年])?(\d{1,2})(?:月份?)?")
QUARTER = re.compile(r"(?:(20\d\d)[-/.年]?)?(?:[Qq]|第(?=.季)|(?=.季))([1-4一二三四])(?:季度?)?")
_DIGITS = dict(zip("一二三四", range(1, 5), strict=True))


def read(text: str, today: date) -> Months | None:
    """The one month, or the three of a quarter; None where it is neither. Without a year the last one that began."""
    this = Month.of(today)
    if text in MONTHS:
        return (this.plus(-MONTHS[text]),)
    if text in QUARTERS:
        return quarter(this.plus(-3 * QUARTERS[text]))
    if match := QUARTER.fullmatch(text):
        number = _DIGITS.get(match[2]) or int(match[2])
        return _of_year(match[1], lambda year: quarter(Month(year, number * 3)), today)
    if (match := MONTH.fullmatch(text)) and 1 <= int(match[2]) <= 12:
        return _of_year(match[1], lambda year: (Month(year, int(match[2])),), today)
    return None


def written(months: Months) -> str:
    """As `read` reads it: 2026-11, 2026-Q4."""
    return str(months[0]) if len(months) == 1 else f"{months[0].year}-Q{(months[0].month + 2) // 3}"


def _of_year(year: str | None, make: Callable[[int], Months], today: date) -> Months:
    if year:
        return make(int(year))
    found = make(today.year)
    return found if found[0].first <= today else make(today.year - 1)
