"""The festivals of a year: from the lunar calendar for any year, with the official holidays where they are known.

The lunar calendar and the solar terms come from borax (1900-2100), the days off from chinesecalendar, which knows a
year once the State Council has published it, in the November before. For a year that it does not know, the lunar
calendar alone counts. What a county has otherwise stands in its policy: `days` of a festival, by year.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Annotated, NamedTuple

from borax.calendars.lunardate import LCalendars, LunarDate, TermUtils
from chinese_calendar.constants import Holiday, holidays
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

FIRST_YEAR, LAST_YEAR = 1901, 2099
_NEAR = 15  # days off lie this near to their day
_TERMS = frozenset(TermUtils.get_name_for_index(index) for index in range(24))
_HOLIDAYS = frozenset(each.value for each in Holiday)

DayOfYear = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]  # MM-DD


class Festival(BaseModel):
    """When a festival is, and from how many days before it to how many after it visits belong to it.

    One of `lunar` (month and day; the 30th of a month that has none is its last day), `term` (a solar term) and
    `solar` (a day of the common year). `holiday`: what the library calls its days off. `days`: by year, the first and
    the last day, in place of what is reckoned. `off`: not here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lunar: DayOfYear | None = None
    term: str | None = None
    solar: DayOfYear | None = None
    before: int = Field(default=3, ge=0, le=30)
    after: int = Field(default=1, ge=0, le=30)
    holiday: str | None = None
    days: dict[str, tuple[date, date]] = {}
    off: bool = False

    @field_validator("days")
    @classmethod
    def _in_order(cls, days: dict[str, tuple[date, date]]) -> dict[str, tuple[date, date]]:
        for year, (first, last) in days.items():
            if not year.isdigit() or not first <= last or first.year not in (int(year) - 1, int(year), int(year) + 1):
                raise ValueError(f"days of {year}: the first and the last day of the festival of that year")
        return days

    @model_validator(mode="after")
    def _one_way(self) -> "Festival":
        if sum(each is not None for each in (self.lunar, self.term, self.solar)) != 1:
            raise ValueError("one of lunar, term and solar")
        if self.term is not None and self.term not in _TERMS:
            raise ValueError(f"no such solar term: {self.term}")
        if self.holiday is not None and self.holiday not in _HOLIDAYS:
            raise ValueError(f"no such holiday: {self.holiday}; there are {', '.join(sorted(_HOLIDAYS))}")
        return self


class Period(NamedTuple):
    """The festival's own day, and the first and last day of visits that belong to it."""

    festival: str
    day: date
    first: date
    last: date


def day_of(festival: Festival, year: int) -> date:
    """The day of a festival in a year; of a lunar one the lunar year that begins in it. Raises ValueError."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the calendar reaches from {FIRST_YEAR} to {LAST_YEAR}")
    if festival.term is not None:
        day: date = TermUtils.nth_term_day(year, term_name=festival.term)
        return day
    month, nth = (int(part) for part in (festival.lunar or festival.solar or "").split("-"))
    if festival.solar is not None:
        return date(year, month, nth)
    lunar: date = LunarDate(year, month, min(nth, LCalendars.ndays(year, month))).to_solar_date()
    return lunar


def official(year: int) -> bool:
    """Whether the days off of that year are known."""
    return year in {day.year for day, name in holidays.items() if name == Holiday.spring_festival.value}


def days_off(name: str, day: date) -> tuple[date, date] | None:
    """The first and last of the days off of this name around a day; None where the library has none there."""
    near = [each for each in _days_off(name) if abs((each - day).days) <= _NEAR]
    return (min(near), max(near)) if near else None


def off(first: date, last: date) -> frozenset[date]:
    """The days off between these two, both included, as far as the library knows them; ordinary weekends are none."""
    return frozenset(day for day in holidays if first <= day <= last)


def period(name: str, festival: Festival, year: int) -> Period:
    """The days that belong to a festival of a year: what the policy sets, else those around it and its days off."""
    day = day_of(festival, year)
    if str(year) in festival.days:
        return Period(name, day, *festival.days[str(year)])
    first, last = day - timedelta(days=festival.before), day + timedelta(days=festival.after)
    off = days_off(festival.holiday, day) if festival.holiday else None
    return Period(name, day, min(first, off[0]), max(last, off[1])) if off else Period(name, day, first, last)


def coming(festivals: Mapping[str, Festival], today: date, ahead: int) -> list[Period]:
    """The festivals that begin within so many days, or are under way, the first at the top."""
    found = [period(name, festival, year) for name, festival in festivals.items() if not festival.off
             for year in range(max(today.year - 1, FIRST_YEAR), min(today.year + 1, LAST_YEAR) + 1)]
    return sorted((each for each in found if each.first - timedelta(days=ahead) <= today <= each.last),
                  key=lambda each: (each.first, each.day, each.festival))


@cache
def _days_off(name: str) -> tuple[date, ...]:
    return tuple(day for day, called in holidays.items() if called == name)
