"""Freezes the figures of each month at its cut-off (C14), village by village; and counts them again to compare.

What is entered before the cut-off counts, whenever it is counted: the rows that figures come from are only added to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import orjson

from scheduler.figures import Counted, Month, Numbers, Rules, count
from scheduler.policy import Policies
from storage import figures, meta
from storage.database import Tx
from storage.figures import Frozen
from storage.ids import instant, millis

PORTION = 200  # files in one unit of work
ACTOR = "clock"  # who the audit chain says did it
AFTER = timedelta(hours=2)  # the cut-off: what was begun before it is in by then, and clocks that were set are right
FROZEN = "figures_frozen"  # the last month of which all is frozen
FREEZING = "figures_freezing"  # how far the next one is: a killed sweep goes on there


@dataclass(frozen=True, slots=True)
class Portion:
    """What was counted of a village in one go; `last` is the last file of it, None where there are no more."""

    counted: tuple[Counted, ...]
    last: str | None


def portion(tx: Tx, village_id: str, months: Sequence[Month], before: datetime, after: str, policies: Policies,
            size: int = PORTION) -> Portion:
    """Counts the next files of a village in these months, by all that was entered before an instant.

    Those who lived elsewhere at the end of a month are left out of it.
    """
    files = figures.files(tx, village_id, millis(before), after, size)
    if not files:
        return Portion((), None)
    last = files[-1].elder_id
    log = figures.courses_of(tx, village_id, after, last)
    stood = figures.stood(tx, village_id, after, last, (str(months[0].first), str(months[-1].last)), millis(before))

    @cache
    def rules(village: str) -> Rules:
        return Rules(policies.of(tx, village), figures.remote_days(tx, village, millis(before)))

    counted = tuple(
        each for file in files
        for each in count(file, log.get(file.elder_id, ()), stood.get(file.elder_id, ()), months, before, rules)
        if each.village_id == village_id)
    return Portion(counted, last if len(files) == size else None)


def first_month(tx: Tx, policies: Policies) -> Month | None:
    """The month in which the first file was opened; None where there is no file."""
    first = figures.first_file(tx)
    return Month.of(instant(first).astimezone(policies.city.zone).date()) if first is not None else None


def frozen_months(tx: Tx, policies: Policies) -> list[Month]:
    """Every month of which all is frozen, oldest first."""
    last, first = meta.get(tx, FROZEN), first_month(tx, policies)
    found = [first] if last and first else []
    while found and found[-1] < Month.read(last or ""):
        found.append(found[-1].plus(1))
    return found


def to_freeze(tx: Tx, now: datetime, policies: Policies) -> Month | None:
    """The month that is to be frozen now: the one after the last, or the first that has any file."""
    last = meta.get(tx, FROZEN)
    month = Month.read(last).plus(1) if last else first_month(tx, policies)
    return month if month and now >= cut_off(month, policies) + AFTER else None


def cut_off(month: Month, policies: Policies) -> datetime:
    """The instant at which a month's figures are frozen."""
    return month.cut_off(policies.city.figures_cut_off_days, policies.city.zone)


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Freezes a portion of what is to be frozen; True where there is more."""
    month = to_freeze(tx, now, policies)
    if month is None:
        return False
    until = cut_off(month, policies)
    village, after, so_far = _place(tx, month)
    if not village:
        meta.put(tx, FROZEN, str(month))
        tx.note(now, ACTOR, "month.freeze", str(month))
        return True
    found = portion(tx, village, (month,), until, after, policies)
    for each in found.counted:
        so_far[each.care_class] = so_far.get(each.care_class, Numbers()) + each.numbers
    if found.last:
        _keep_place(tx, month, village, found.last, so_far)
        return True
    for care_class, numbers in so_far.items():
        if numbers.counts:
            figures.freeze(tx, str(month), Frozen(village, care_class, numbers.counts, millis(until)), now)
    _keep_place(tx, month, figures.village_after(tx, village) or "", "", {})
    return True


def _place(tx: Tx, month: Month) -> tuple[str, str, dict[str, Numbers]]:
    """Which village is on turn and after which file, with what was counted of it; no village: none is left."""
    kept = orjson.loads(meta.get(tx, FREEZING) or "{}")
    if kept.get("month") != str(month):
        return figures.village_after(tx, "") or "", "", {}
    return kept["village"], kept["after"], {name: Numbers(**counts) for name, counts in kept["so_far"].items()}


def _keep_place(tx: Tx, month: Month, village: str, after: str, so_far: dict[str, Numbers]) -> None:
    meta.put(tx, FREEZING, orjson.dumps({
        "month": str(month), "village": village, "after": after,
        "so_far": {name: numbers.counts for name, numbers in so_far.items()}}).decode())
