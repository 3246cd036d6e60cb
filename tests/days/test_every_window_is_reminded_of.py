"""Whatever happens, each window that nobody meets is reminded of, and no reminder is one too many (C8).

Random days: visits, pauses, refusals, crashes with messages in hand, double sweeps, a clock that jumps an hour either
way or stands still for days.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

import pytest
import sqlalchemy
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scheduler import casework, holding, notices, tick, windows
from scheduler.notices import Caseload
from scheduler.reminder_notices import Digest
from storage import courses, elders, outbox
from storage.crypto import Keys
from storage.database import Tx
from storage.ids import uuid7
from storage.outbox import Outgoing
from storage.scope import Scope
from storage.sqlite import SqliteStore
from storage.tables import metadata
from storage.tables import outbox as outbox_table
from tests.days.village import POLICIES, ZONE, Village

SCRIPT = """
甲 | 1950-01-01 | empty_nest | intact | 2027-01-03 | 王强
乙 | 1950-01-01 | childless_alone | intact | 2027-01-03 | 王强
丙 | 1947-02-03 | living_alone | intact | 2027-01-03 | 王强
丁 | 1950-01-01 | care_dependent | severe | 2027-01-03 | 陈静 + 周婷
"""
BEGIN = datetime(2027, 1, 3, 7, tzinfo=ZONE)
RULES = POLICIES.city
WHO = st.sampled_from("甲乙丙丁")
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([5, 25, 60, 300, 720, 1440])),
    st.tuples(st.just("days"), st.integers(1, 16)), st.tuples(st.just("days"), st.integers(1, 16)),
    st.tuples(st.just("wait"), st.sampled_from([2880, 7200])),
    st.tuples(st.just("jump"), st.sampled_from([-60, 60])),
    st.tuples(st.just("twice"), st.none()), st.tuples(st.just("crash"), st.none()),
    st.tuples(st.sampled_from(["nag", "flood"]), st.sampled_from(["王强", "陈静"])),
    st.tuples(st.sampled_from(["visit", "phone", "paused", "active", "unwilling", "willing"]), WHO))


@dataclass
class Life:
    """One random run, and what was seen in it."""

    village: Village
    now: datetime = BEGIN
    told: list[tuple[datetime, Outgoing, list[tuple[str, str]]]] = field(default_factory=list)
    homes: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)  # when, and how much was told before
    daytimes: set[date] = field(default_factory=set)  # on which the clock ran after every digest's hour
    crashes: Counter[date] = field(default_factory=Counter)

    async def beat(self, *, times: int = 1, crash: bool = False) -> None:
        """The clock, and what leaves; on a crash the messages in hand are lost with the process."""
        for _ in range(times):
            assert await tick.tick(self.village.store, self.now, POLICIES) == []
        at = self.now.astimezone(ZONE)
        while rows := await self.village.store.run(lambda tx: holding.take(tx, self.now, RULES)):
            if crash:
                self.crashes[at.date()] += 1
                return
            self.told += await self.village.store.run(lambda tx, rows=rows: list(self._send(tx, rows)))  # type: ignore[misc]
        if time(8, 31) <= at.time() < time(20):
            self.daytimes.add(at.date())

    def _send(self, tx: Tx, rows: list[Outgoing]) -> Iterator[tuple[datetime, Outgoing, list[tuple[str, str]]]]:
        today = self.now.astimezone(ZONE).date()
        for row in rows:
            notice = notices.KINDS[row.kind].model_validate(row.fields)
            if not notice.still_wanted(tx, today):
                outbox.drop(tx, row.id, "not wanted any more", self.now)
                holding.give_back(tx, row, self.now, RULES)
                continue
            outbox.sent(tx, [(row.id, "1")], self.now)
            named = [(each.name, each.due_until) for each in notice.own(tx)] if isinstance(notice, Digest) else []
            yield self.now, row, named

    async def do(self, what: str, whom: str | int | None) -> None:
        match what, whom:
            case "wait" | "jump", int(minutes):
                self.now += timedelta(minutes=minutes)
            case "days", int(days):  # ordinary ones, with a beat in the morning
                for _ in range(days):
                    self.now = datetime.combine(self.now.astimezone(ZONE).date() + timedelta(days=1), time(9), ZONE)
                    await self.beat()
            case "nag" | "flood", str(person):  # one message more, or more than a day may bring
                told = Caseload(person=self.village.people[person], count=1)
                for _ in range(1 if what == "nag" else RULES.messages.most_a_day + 1):
                    await self.village.store.run(lambda tx: notices.tell(tx, told, self.now))
            case "visit" | "phone" | "paused" | "active" | "unwilling" | "willing", str(elder):
                await self.village.store.run(lambda tx: self._happen(tx, what, elder))
        await self.beat(times=2 if what == "twice" else 1, crash=what == "crash")

    def _happen(self, tx: Tx, what: str, elder: str) -> None:
        life = next(each for each in self.village.script if each.name == elder)
        found, today = elders.unscoped(tx, self.village.elders[elder]), self.now.astimezone(ZONE).date()
        assert found is not None
        if what in ("visit", "phone") and found.status == "active":
            method = "home" if what == "visit" else "phone"
            self.village.visit(tx, elder, life.visitor, today, method, self.now)
            if what == "visit":
                self.homes.setdefault(elder, []).append((self.now, len(self.told)))
        elif what == "paused" and found.status == "active":
            casework.stand(tx, self._office, found.id, "paused", "hospital", today.isoformat(), POLICIES, self.now)
        elif what == "active" and found.status == "paused":
            casework.stand(tx, self._office, found.id, "active", "recovered", today.isoformat(), POLICIES, self.now)
        elif what in ("unwilling", "willing"):
            self.village.wish(tx, elder, what, self.now)

    @property
    def _office(self) -> Scope:
        return Scope(self.village.people["赵敏"], self.now.astimezone(ZONE).date())


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("days") / "empty.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return path


@given(steps=st.lists(STEPS, min_size=10, max_size=60), seed=st.integers(0, 2**16))
@example(steps=[("days", 5), ("jump", -60), ("visit", "乙")], seed=0)  # the clock goes back, then comes a visit
@example(steps=[("days", 1), ("flood", "王强"), ("days", 1)], seed=0)  # the cap is met in each run of this test
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_each_window_is_reminded_of_and_no_reminder_is_one_too_many(
        emptied: Path, keys: Keys, steps: list[tuple[str, str | int | None]], seed: int) -> None:
    copy = emptied.with_name("run.db")
    shutil.copy(emptied, copy)
    store = SqliteStore(copy, keys, uuid7(Random(seed).randbytes))
    try:
        asyncio.run(_lived(Village(store, SCRIPT), steps))
    finally:
        store.close()
        for left in copy.parent.glob("run.db*"):
            left.unlink()


async def _lived(village: Village, steps: list[tuple[str, str | int | None]]) -> None:
    life = Life(village)
    await village.settle(BEGIN)
    await village.store.run(lambda tx: village.register_all(tx, BEGIN))
    for what, whom in steps:
        await life.do(what, whom)
    _nothing_too_much(life)
    dropped = await village.store.read(lambda tx: tx.all(sqlalchemy.select(outbox_table.c.id).where(
        outbox_table.c.reason == holding.OVER_CAP)))
    if not dropped:
        await village.store.read(lambda tx: _every_window(tx, life))


def _nothing_too_much(life: Life) -> None:
    ids = Counter(row.id for _, row, _ in life.told)
    digests = Counter((row.chat, row.fields["day"]) for _, row, _ in life.told if row.kind == Digest.kind)
    a_day = Counter((row.chat, at.astimezone(ZONE).date()) for at, row, _ in life.told if row.lane == "reminder")
    assert max(ids.values(), default=0) <= 1
    assert max(digests.values(), default=0) <= 1
    assert max(a_day.values(), default=0) <= RULES.messages.most_a_day
    for told, (at, row, named) in enumerate(life.told):  # in the order that it happened: the clock also goes back
        wall = at.astimezone(ZONE)
        assert row.lane != "reminder" or time(8) <= wall.time() < time(20)
        for elder, due_until in named:
            last = date.fromisoformat(due_until)
            begun = min(last, wall.date()).replace(day=1)
            half = begun if last.day <= 15 or elder == "甲" else begun.replace(day=16)
            assert not [made for made, before in life.homes.get(elder, [])
                        if before <= told and made.astimezone(ZONE).date() >= half], (elder, at)


def _every_window(tx: Tx, life: Life) -> None:
    """A window that ended unmet, and was owed, was spoken of to the visitor in its last seven days."""
    today = life.now.astimezone(ZONE).date()
    for each in life.village.script:
        elder = elders.unscoped(tx, life.village.elders[each.name])
        assert elder is not None
        course = windows.course(courses.of(tx, elder.id), date.fromisoformat(elder.registered_on), elder.care_class)
        homes = [made.astimezone(ZONE).date() for made, _ in life.homes.get(each.name, [])]
        seen = [windows.Seen(day, day) for day in homes]
        for due in windows.windows(course, seen, RULES, today):
            asked = [due.span.last - timedelta(days=n) for n in range(7)]
            asked = [day for day in asked if day >= due.span.first and windows.at(course.standings, day) == "active"
                     and windows.at(course.wishes, day) != "unwilling"]
            if due.state not in ("missed", "overdue") or len(asked) < 7 or not set(asked) <= life.daytimes:
                continue
            assert [at for at, row, named in life.told if row.chat == each.visitor
                    and at.astimezone(ZONE).date() in asked and each.name in dict(named)], (each.name, due)
