"""A made-up county of any size, straight into the tables: an INSERT … SELECT each for people, elders and their care."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from storage import accounts, areas, people
from storage.areas import Area
from storage.database import Store, Tx
from storage.ids import millis
from storage.sqlite import connect

CHANNEL = "telegram"
FIRST_CHAT = 7_000_000_001
VILLAGES_EACH = 50  # of a township
ELDERS_EACH = 1000  # of a village


@dataclass(frozen=True, slots=True)
class County:
    """How many elders there are, how many of them each visitor has, and of how many percent somebody is told today."""

    elders: int
    of_each: int
    due_percent: int
    today: date

    @property
    def visitors(self) -> int:
        return -(-self.elders // self.of_each)

    @property
    def villages(self) -> int:
        return -(-self.elders // ELDERS_EACH)


# both databases understand these; ids of one table have one length. `i` counts from 0
_COUNTED = "WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)"
_ID = "'{}' || CAST(100000000000 + {} AS TEXT) || '0000000000000000000'"
_PERSON, _ELDER = _ID.format("p", "i"), _ID.format("e", "i")
_VISITOR = _ID.format("p", "(i / :of_each)")
_VILLAGE = "(SELECT id FROM village_numbers WHERE number = {} / :villagers)"
_DUE = "(i * 7919) % 100 < :due_percent"  # spread evenly, and the same in every run
_LAST = f"""CASE WHEN {_DUE} THEN CASE (i / 100) % 8
    WHEN 0 THEN :late WHEN 1 THEN :just_late WHEN 2 THEN :soon WHEN 3 THEN :soon ELSE :near END ELSE :far END"""
PEOPLE = f"""{_COUNTED} INSERT INTO people (id, area_id, name, status, created_at, organisation, service)
    SELECT {_PERSON}, {_VILLAGE.format('(i * :of_each)')}, 'v' || i, 'active', :at, '', '' FROM n"""
POSTS = f"""{_COUNTED} INSERT INTO posts (person_id, role, area_id)
    SELECT {_PERSON}, 'visitor', {_VILLAGE.format('(i * :of_each)')} FROM n"""
ACCOUNTS = f"""{_COUNTED} INSERT INTO accounts (channel, account, person_id, chat, bound_at, state)
    SELECT '{CHANNEL}', CAST({FIRST_CHAT} + i AS TEXT), {_PERSON}, CAST({FIRST_CHAT} + i AS TEXT), :at, 'active'
    FROM n"""
ELDERS = f"""{_COUNTED} INSERT INTO elders (id, village_id, number, group_name, name, initials, birth, categories,
        ability, registered_on, status, care_class, due_from, due_until, visits_made, created_at, wish, missing,
        remind_on, last_screening_on)
    SELECT {_ELDER}, {_VILLAGE.format('i')}, i % :villagers + 1, CAST(i % 10 + 1 AS TEXT), 'e' || i, 'e', '1940-01-01',
        'living_alone', 'intact', '2025-01-01', 'active', CASE WHEN i % 4 = 0 THEN 'priority' ELSE 'general' END,
        :from_on, {_LAST}, 3, :at, 'willing', '', CASE WHEN {_DUE} THEN :today ELSE :far END, :today FROM n"""
ASSIGNMENTS = f"""{_COUNTED} INSERT INTO assignments (person_id, elder_id, role, from_on)
    SELECT {_VISITOR}, {_ELDER}, 'visitor', '2025-01-01' FROM n"""


async def fill(store: Store, url: str, county: County, now: datetime) -> None:
    """Makes all of it in an empty database."""
    villages = await store.run(lambda tx: _places(tx, county, now))
    values = {
        "of_each": county.of_each, "villagers": ELDERS_EACH, "due_percent": county.due_percent, "at": millis(now),
        "today": county.today.isoformat(),
        "from_on": (county.today - timedelta(days=20)).isoformat(),
        **{name: (county.today + timedelta(days=days)).isoformat() for name, days in (
            ("late", -4), ("just_late", -1), ("soon", 1), ("near", 5), ("far", 25))}}
    counted = [(PEOPLE, county.visitors), (POSTS, county.visitors), (ACCOUNTS, county.visitors),
               (ELDERS, county.elders), (ASSIGNMENTS, county.elders)]
    work = [(sql, {**values, "count": count}) for sql, count in counted]
    await asyncio.to_thread(_insert, url, villages, work)


def _places(tx: Tx, county: County, now: datetime) -> list[str]:
    """Townships, villages, and who coordinates each; gives the villages' ids."""
    root, made = areas.add(tx, None, "county", "county", now), []
    township: Area | None = None
    for number in range(county.villages):
        if township is None or number % VILLAGES_EACH == 0:
            township = areas.add(tx, root, "township", f"t{number}", now)
            _coordinator(tx, township, now)
        village = areas.add(tx, township, "village", f"v{number}", now)
        _coordinator(tx, village, now)
        made.append(village.id)
    return made


def _coordinator(tx: Tx, area: Area, now: datetime) -> None:
    person = people.add(tx, area.id, area.name, (area.level,), now)
    accounts.bind(tx, CHANNEL, f"c{area.name}", f"c{area.name}", person.id, now)


def _insert(url: str, villages: Sequence[str], work: Sequence[tuple[str, dict[str, Any]]]) -> None:
    numbers = "CREATE TEMPORARY TABLE village_numbers (number INTEGER PRIMARY KEY, id TEXT)"
    if url.startswith("sqlite"):
        connection = connect(Path(url.removeprefix("sqlite:///")))
        connection.execute("PRAGMA synchronous=OFF")  # it is filled, not measured
        connection.execute("BEGIN")
        connection.execute(numbers)
        connection.executemany("INSERT INTO village_numbers VALUES (?, ?)", list(enumerate(villages)))
        for sql, values in work:
            connection.execute(sql, values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction():
            cursor = connection.cursor()
            cursor.execute("SET LOCAL session_replication_role = replica")  # keys of other tables are not looked up
            cursor.execute(numbers)
            cursor.executemany("INSERT INTO village_numbers VALUES (%s, %s)", list(enumerate(villages)))
            for sql, values in work:
                cursor.execute(_percent(sql), {name: value for name, value in values.items() if f":{name}" in sql})
        connection.execute("VACUUM ANALYZE")


def _percent(sql: str) -> Any:
    """The parameters as psycopg wants them, with their types, which a bare SELECT leaves open."""
    sql = sql.replace("%", "%%")
    for name, kind in (("count", "bigint"), ("of_each", "bigint"), ("villagers", "bigint"), ("due_percent", "bigint"),
                       ("at", "bigint"), ("today", "text"), ("from_on", "text"), ("late", "text"),
                       ("just_late", "text"), ("soon", "text"), ("near", "text"), ("far", "text")):
        sql = sql.replace(f":{name}", f"%({name})s::{kind}")
    return sql
