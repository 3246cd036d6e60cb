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


def read(text: str, today: date) -> date | None:
    """The day meant, or None where it is none; without a year the last such day, or a coming one of this year."""
    text = text.strip()
    if text in DAYS:
        return today - timedelta(days=DAYS[text])
    try:
        if match := FULL.fullmatch(text) or COMPACT.fullmatch(text):
            year, month, day = map(int, match.groups())
            return date(year, month, day)
        if match := SHORT.fullmatch(text):
            month, day = map(int, match.groups())
            return _without_year(month, day, today)
        if match := DAY_ONLY.fullmatch(text):
            return today.replace(day=int(match[1]))
    except ValueError:
        return None
    return None


def _without_year(month: int, day: int, today: date) -> date:
    try:
        this_year = date(today.year, month, day)
    except ValueError:  # 29 February of the year before
        return date(today.year - 1, month, day)
    if this_year > today:
        before = date(today.year - 1, month, day)
        if today - before <= LOOK_BACK:
            return before
    return this_year
