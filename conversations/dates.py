"""Days as people type them."""

import re
from datetime import date, timedelta

from conversations.controls import DAYS

# a day and month without a year may lie this far back in the year before: 12月28日 said in January
LOOK_BACK = timedelta(days=90)
FULL = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
SHORT = re.compile(r"(\d{1,2})[-/.月](\d{1,2})[日号]?")
DAY_ONLY = re.compile(r"(\d{1,2})[日号]")


def read(text: str, today: date, *, coming: bool = False) -> date | None:
    """The day meant, or None where it is none; without a year the last such day, or a coming one of this year.

    `coming`: what lies further back than `LOOK_BACK` means next year's, as 1月3日 said in December.
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
            return _nearest(int(match[1]), today)
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
