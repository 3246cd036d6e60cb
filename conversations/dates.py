"""Days as people type them."""

import re
from datetime import date, timedelta

from conversations.controls import DAYS, SUNDAY, WEEKDAY_BEGINS, WEEKDAYS, WEEKS

# a day and month without a year may lie this far back in the year before: 12月28日 said in January
LOOK_BACK = timedelta(days=90)
FULL = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
SHORT = re.compile(r"(\d{1,2})[-/.月](\d{1,2})[日号]?")
DAY_ONLY = re.compile(r"(\d{1,2})[日号]")
WEEKDAY = re.compile(f"({'|'.join(WEEKS)})?(?:{'|'.join(WEEKDAY_BEGINS)})([{WEEKDAYS}{SUNDAY}])")
JUST_PAST = timedelta(days=3)  # 5号 said on the 7th of what is to come may still mean that 5th


def read(text: str, today: date, *, coming: bool = False) -> date | None:
    """The day meant, or None where it is none; without a year the last such day, or a coming one of this year.

    `coming`: what lies further back than `LOOK_BACK` means next year's, as 1月3日 said in December; 5号 and 周六 are
    the next such day.
    """
    text = text.strip()
    if text in DAYS:
        return today - timedelta(days=DAYS[text])
    try:
        if match := FULL.fullmatch(text) or COMPACT.fullmatch(text):
            year, month, day = map(int, match.groups())
            return date(year, month, day)
        if match := SHORT.fullmatch(text):
            month, day = map(int, match.groups())
            meant = _without_year(month, day, today)
            return meant if not coming or today - meant <= LOOK_BACK else meant.replace(year=today.year + 1)
        if match := DAY_ONLY.fullmatch(text):
            return _next(int(match[1]), today - JUST_PAST) if coming else _nearest(int(match[1]), today)
        if match := WEEKDAY.fullmatch(text):
            return _of_week(match[1], WEEKDAYS.index(match[2].replace(SUNDAY, WEEKDAYS[-1])), today, coming)
    except ValueError:
        return None
    return None


def is_spelled_out(text: str) -> bool:
    """Whether the text is a day and nothing else: 2.3 may be two numbers."""
    return not (text.isascii() and len(text) < 8)


def _without_year(month: int, day: int, today: date) -> date:
    this_year, before = _real(today.year, month, day), _real(today.year - 1, month, day)
    if this_year is None or (this_year > today and before and today - before <= LOOK_BACK):
        this_year = before
    if this_year is None:
        raise ValueError
    return this_year


def _of_week(which: str | None, weekday: int, today: date, coming: bool) -> date:
    """周六: the last one, today included, or the coming one; 下周六: that of the week after this, from Monday on."""
    day = today + timedelta(days=weekday - today.weekday())
    if which:
        return day + timedelta(weeks=WEEKS[which])
    if coming:
        return day if day >= today else day + timedelta(weeks=1)
    return day if day <= today else day - timedelta(weeks=1)


def _next(day: int, since: date) -> date:
    """The first such day of a month from `since` on: 5号 said on the 28th is next month's."""
    months = [(since.year + (since.month + ahead - 1) // 12, (since.month + ahead - 1) % 12 + 1) for ahead in range(3)]
    found = [each for year, month in months if (each := _real(year, month, day)) and each >= since]
    if not found:
        raise ValueError
    return found[0]


def _nearest(day: int, today: date) -> date:
    """A day of this month, or of the one before where that is nearer: 28号 said on the 1st."""
    end_before = today.replace(day=1) - timedelta(days=1)
    this, before = _real(today.year, today.month, day), _real(end_before.year, end_before.month, day)
    days = [each for each in (this, before) if each]
    if not days:
        raise ValueError
    return this if this and this <= today else min(days, key=lambda each: abs(each - today))


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
