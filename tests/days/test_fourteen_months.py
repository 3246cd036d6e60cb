"""Fourteen months of a village day by day: `fourteen_months.txt` says who is reminded of whom on which day.

A name is followed by the days that are left of its window (-2: two days overdue). `CALENDAR=write` writes the file
anew; read the difference as those would who get the messages.
"""

import os
from datetime import date, datetime, time, timedelta
from pathlib import Path

from storage.database import Store
from tests.days.village import LIVES, ZONE, Village

TABLE = Path(__file__).with_name("fourteen_months.txt")
FIRST, LAST = date(2027, 1, 1), date(2028, 2, 29)
WEEKDAYS = "一二三四五六日"
TIMES = (time(0, 5), time(8, 30), time(15, 1))


async def test_who_is_reminded_of_whom_on_each_day_is_as_written(sqlite_store: Store) -> None:
    told = "\n".join([line async for line in lived(sqlite_store)]) + "\n"
    if os.environ.get("CALENDAR") == "write":
        TABLE.write_text(told, encoding="utf-8")
    assert told == TABLE.read_text(encoding="utf-8")


async def lived(store: Store):  # type: ignore[no-untyped-def]
    """A line for each day on which somebody is told of somebody, or something happens."""
    village = Village(store, LIVES.read_text(encoding="utf-8"))
    begin = FIRST - timedelta(days=31)
    await village.settle(datetime.combine(begin, time(9), ZONE))
    for n in range((LAST - begin).days + 1):
        day = begin + timedelta(days=n)
        told = []
        for at in TIMES[:2]:
            told += [f"{at:%H:%M} {each}" for each in await village.clock(datetime.combine(day, at, ZONE))]
        happened = [*filter(None, await store.run(lambda tx, day=day: list(village.happen(tx, day))))]
        for at in TIMES[2:]:
            told += [f"{at:%H:%M} {each}" for each in await village.clock(datetime.combine(day, at, ZONE))]
        if day >= FIRST and (told or happened):
            told = [each.removeprefix("08:30 ") for each in told]
            about = f" （{'，'.join(happened)}）" if happened else ""
            yield f"{day} {WEEKDAYS[day.weekday()]} {' | '.join(told) or '—'}{about}"
