"""The festivals of a year against what is known of them, and for every year that the calendar reaches."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler import calendar, policy
from scheduler.calendar import Festival

FESTIVALS = policy.load().city.festivals
KNOWN = {  # published dates; 2023 and 2025 have leap months (2nd, 6th), 2033 the disputed 11th
    "spring": ["2000-02-05", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2033-01-31",
               "2034-02-19"],
    "lantern": ["2023-02-05", "2024-02-24", "2025-02-12", "2026-03-03", "2027-02-20"],
    "qingming": ["2023-04-05", "2024-04-04", "2025-04-04", "2026-04-05", "2027-04-05", "2028-04-04"],
    "dragon_boat": ["2023-06-22", "2024-06-10", "2025-05-31", "2026-06-19", "2027-06-09"],
    "mid_autumn": ["2020-10-01", "2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15"],
    "double_ninth": ["2023-10-23", "2024-10-11", "2025-10-29", "2026-10-18", "2027-10-08"],
}


@pytest.mark.parametrize(("name", "day"), [(name, day) for name, days in KNOWN.items() for day in days])
def test_a_festival_is_on_the_day_that_is_known(name: str, day: str) -> None:
    assert calendar.day_of(FESTIVALS[name], int(day[:4])).isoformat() == day


@given(st.integers(2000, 2099))
def test_every_year_has_each_festival_in_its_season_and_in_order(year: int) -> None:
    days = [calendar.day_of(FESTIVALS[name], year) for name in FESTIVALS]
    assert days == sorted(days)
    seasons = {"spring": ((1, 20), (2, 21)), "lantern": ((2, 3), (3, 7)), "qingming": ((4, 3), (4, 6)),
               "dragon_boat": ((5, 27), (6, 26)), "mid_autumn": ((9, 7), (10, 9)), "double_ninth": ((10, 1), (11, 2))}
    for (name, (first, last)), day in zip(seasons.items(), days, strict=True):
        assert first <= (day.month, day.day) <= last, name
    assert (days[1] - days[0]).days == 14
    for name, festival in FESTIVALS.items():
        found = calendar.period(name, festival, year)
        assert found.first <= found.day <= found.last


@pytest.mark.parametrize("year", range(2008, 2027))
def test_two_libraries_agree_where_both_know_the_year(year: int) -> None:
    assert calendar.official(year)
    for name in ("spring", "qingming", "dragon_boat", "mid_autumn"):
        festival = FESTIVALS[name]
        assert festival.holiday is not None
        day = calendar.day_of(festival, year)
        off = calendar.days_off(festival.holiday, day)
        if off is None:  # it fell on National Day's week, under whose name its days off stand
            assert name == "mid_autumn" and day.month in (9, 10)
        else:
            assert off[0] - timedelta(days=1) <= day <= off[1]  # 2014: New Year's Eve was a working day


def test_days_off_are_counted_in_and_a_year_without_them_falls_back_to_the_lunar_calendar() -> None:
    boats = FESTIVALS["dragon_boat"]
    assert calendar.period("dragon_boat", boats, 2026) == (
        "dragon_boat", date(2026, 6, 19), date(2026, 6, 16), date(2026, 6, 21))
    assert not calendar.official(2040)
    day = calendar.day_of(boats, 2040)
    assert calendar.period("dragon_boat", boats, 2040) == (
        "dragon_boat", day, day - timedelta(days=3), day + timedelta(days=1))


def test_the_days_that_the_policy_sets_hold_for_their_year_only() -> None:
    moved = FESTIVALS["spring"].model_copy(update={"days": {"2027": (date(2027, 1, 28), date(2027, 2, 14))}})
    assert calendar.period("spring", moved, 2027)[2:] == (date(2027, 1, 28), date(2027, 2, 14))
    assert calendar.period("spring", moved, 2026) == calendar.period("spring", FESTIVALS["spring"], 2026)


def test_the_thirtieth_of_a_short_month_is_its_last_day_and_a_late_festival_is_found_over_the_new_year() -> None:
    eve = {"除夕": Festival(lunar="12-30", before=2, after=0)}
    assert calendar.day_of(eve["除夕"], 2024) == date(2025, 1, 28)  # a month of 29 days
    assert calendar.day_of(eve["除夕"], 2023) == date(2024, 2, 9)
    assert [each.day for each in calendar.coming(eve, date(2025, 1, 20), 10)] == [date(2025, 1, 28)]


def test_what_comes_is_told_from_so_many_days_before_until_it_is_over() -> None:
    found = {}
    for days in range(370):
        day = date(2026, 11, 1) + timedelta(days=days)
        for each in calendar.coming(FESTIVALS, day, 10):
            found.setdefault(each.festival, []).append(day)
    assert {name: (days[0].isoformat(), days[-1].isoformat()) for name, days in found.items()} == {
        "spring": ("2027-01-20", "2027-02-13"), "lantern": ("2027-02-08", "2027-02-21"),
        "qingming": ("2027-03-23", "2027-04-06"), "dragon_boat": ("2027-05-27", "2027-06-10"),
        "mid_autumn": ("2027-09-02", "2027-09-16"), "double_ninth": ("2027-09-25", "2027-10-09")}
    assert calendar.coming({"spring": FESTIVALS["spring"].model_copy(update={"off": True})}, date(2027, 2, 1), 10) == []


@pytest.mark.parametrize("wrong", [
    {}, {"lunar": "01-01", "solar": "01-01"}, {"lunar": "13-01"}, {"term": "No such term"}, {"lunar": "1-1"},
    {"solar": "10-01", "holiday": "No such holiday"}, {"solar": "10-01", "before": 31},
    {"solar": "10-01", "days": {"2027": ["2027-10-03", "2027-10-01"]}},
    {"solar": "10-01", "days": {"2027": ["2020-10-01", "2020-10-03"]}}])
def test_a_festival_that_cannot_be_is_refused_when_the_policy_is_read(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Festival.model_validate(wrong)


@pytest.mark.parametrize("year", [1900, 2100])
def test_beyond_the_calendar_it_says_so(year: int) -> None:
    with pytest.raises(ValueError, match="1901 to 2099"):
        calendar.day_of(FESTIVALS["spring"], year)
