"""Terms, in which service hours are counted (三(四), C9): by the days of the year on which one begins."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple


class Term(NamedTuple):
    """A term, or another period: its first and its last day."""

    first: date
    last: date


def term(day: date, begins: Sequence[str]) -> Term:
    """The term that the day lies in; `begins` are days of the year as MM-DD."""
    days = sorted(date.fromisoformat(f"{year}-{each}") for year in (day.year - 1, day.year, day.year + 1)
                  for each in begins)
    first = max(each for each in days if each <= day)
    return Term(first, min(each for each in days if each > day) - timedelta(days=1))


def month(day: date) -> Term:
    """The calendar month that the day lies in."""
    first = day.replace(day=1)
    return Term(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def before(this: Term, begins: Sequence[str]) -> Term:
    """The term before this one."""
    return term(this.first - timedelta(days=1), begins)
