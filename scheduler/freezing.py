"""Freezes the figures of each month at its cut-off (C14), village by village; and counts them again to compare.

What is entered before the cut-off counts, whenever it is counted: the rows that figures come from are only added to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import orjson

from scheduler.figures import Counted, Month, Numbers, Rules, count
from scheduler.policy import Policies
from storage import campaigns, figures, meta
from storage.database import Tx
from storage.figures import Frozen
from storage.ids import instant, millis

PORTION = 50  # files in one unit of work
SHARE = 200  # units of work in one beat: nobody's alarm waits until the figures of a city are counted
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
        return Rules(policies.of(tx, village), campaigns.remote_periods(tx, village, millis(before)))

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
    """Freezes a portion of what is to be frozen; True where there is more to be done in this beat."""
    month = to_freeze(tx, now, policies)
    if month is None:
        return False
    place = _place(tx, month, now)
    if not place.village:
        meta.put(tx, FROZEN, str(month))
        tx.note(now, ACTOR, "month.freeze", str(month))
        return True
    if place.units == SHARE:
        return False
    until = cut_off(month, policies)
    found = portion(tx, place.village, (month,), until, place.after, policies)
    so_far = dict(place.so_far)
    for each in found.counted:
        so_far[each.care_class] = so_far.get(each.care_class, Numbers()) + each.numbers
    if found.last:
        _keep_place(tx, replace(place, after=found.last, so_far=so_far, units=place.units + 1))
        return True
    for care_class, numbers in so_far.items():
        if numbers.counts:
            figures.freeze(tx, str(month), Frozen(place.village, care_class, numbers.counts, millis(until)), now)
    following = figures.village_after(tx, place.village) or ""
    _keep_place(tx, replace(place, village=following, after="", so_far={}, units=place.units + 1))
    return True


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a month is: which village is on turn and after which file, with what was counted of it.

    No village: none is left. `units` were done in the beat of that time (milliseconds).
    """

    month: str
    beat: int
    units: int
    village: str
    after: str
    so_far: Mapping[str, Numbers]


def _place(tx: Tx, month: Month, now: datetime) -> _Place:
    kept = orjson.loads(meta.get(tx, FREEZING) or "{}")
    units = kept["units"] if kept.get("beat") == millis(now) else 0
    if kept.get("month") != str(month):
        return _Place(str(month), millis(now), units, figures.village_after(tx, "") or "", "", {})
    so_far = {name: Numbers(**counts) for name, counts in kept["so_far"].items()}
    return _Place(str(month), millis(now), units, kept["village"], kept["after"], so_far)


def _keep_place(tx: Tx, place: _Place) -> None:
    so_far = {name: numbers.counts for name, numbers in place.so_far.items()}
    meta.put(tx, FREEZING, orjson.dumps({
        "month": place.month, "beat": place.beat, "units": place.units, "village": place.village,
        "after": place.after, "so_far": so_far}).decode())
