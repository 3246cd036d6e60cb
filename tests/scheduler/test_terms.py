"""Terms follow each other without a gap, over the new year too."""

from datetime import date, timedelta

import pytest

from scheduler import terms

BEGINS = ("02-15", "09-01")


@pytest.mark.parametrize(("day", "first", "last"), [
    ("2026-02-14", "2025-09-01", "2026-02-14"), ("2026-02-15", "2026-02-15", "2026-08-31"),
    ("2026-08-31", "2026-02-15", "2026-08-31"), ("2026-12-31", "2026-09-01", "2027-02-14"),
])
def test_a_day_lies_in_the_term_that_began_last(day: str, first: str, last: str) -> None:
    found = terms.term(date.fromisoformat(day), BEGINS)
    assert [each.isoformat() for each in found] == [first, last]


@pytest.mark.parametrize(("day", "last"), [("2026-02-01", "2026-02-28"), ("2028-02-29", "2028-02-29"), ("2026-12-31", "2026-12-31")])
def test_a_month_ends_with_its_last_day(day: str, last: str) -> None:
    assert [each.isoformat() for each in terms.month(date.fromisoformat(day))] == [f"{day[:8]}01", last]


@pytest.mark.parametrize("begins", [BEGINS, ("01-01",), ("12-28", "03-01", "07-01")])
def test_terms_follow_each_other_without_a_gap(begins: tuple[str, ...]) -> None:
    this = terms.term(date(2026, 3, 5), begins)
    for _ in range(9):
        earlier = terms.before(this, begins)
        assert earlier.last == this.first - timedelta(days=1) and earlier.first < earlier.last
        this = earlier
