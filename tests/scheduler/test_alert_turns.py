"""Whatever is pressed in whatever order, through crashes and clocks that jump: one goes at most, no alert ends without
a word of what was found, and none runs of which nobody is told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from scheduler import alerting, handing, policy, raising
from storage import alert_told, alerts, assignments, elders, outbox
from storage import tables as kept
from storage.alerts import Alert
from storage.database import Store, Tx
from storage.elders import Elder
from storage.scope import SOS, UNSAID
from tests.scheduler.test_alerting import Village, settle
from tests.storage.ground import STANDING, new_elder

POLICIES = policy.load()
EVERYBODY = ("visitor", "grid", "first", "village", "township", "child", "young")  # the last two may not go
NOTE = {"found": "滑倒", "done": "扶起来了", "told": "family", "risk": "none"}
PRESSES = st.tuples(
    st.sampled_from(("claim", "claim", "claim", "offer", "offer", "accept", "accept", "arrive", "arrive", "support",
                     "decline", "back", "close", "close_bare", "false_alarm", "press", "report", "what", "sweep")),
    st.sampled_from(("grid", "grid", "village", *EVERYBODY)), st.sampled_from(("grid", "village", "village", *EVERYBODY)))
STEPS = st.lists(st.tuples(PRESSES, st.integers(-3600, 3600), st.integers(0, 4).map(lambda n: n == 0)), min_size=6,
                 max_size=30)
Step = tuple[tuple[str, str, str], int, bool]


class Crash(Exception):
    """The process ends in the middle of a unit of work."""


@dataclass
class Run:
    """One sequence, on an elder of its own."""

    store: Store
    village: Village
    elder: str
    at: datetime

    async def all(self) -> list[Alert]:
        ids = select(kept.alerts.c.id).order_by(kept.alerts.c.number)
        return await self.store.read(lambda tx: [each for alert_id, in tx.all(ids) if (
            each := alerts.unscoped(tx, alert_id)) and each.elder_id == self.elder])

    async def step(self, press: tuple[str, str, str], seconds: int, crash: bool) -> None:
        self.at += timedelta(seconds=seconds)
        what, who, whom = press
        running = [each for each in await self.all() if each.running]
        work = self._work(what, self.village.people.get(who, ""), self.village.people.get(whom, ""),
                          running[-1] if running else None)
        if work is None:
            return
        if crash:  # done, but the process was killed before it was kept; then it is not pressed again
            before = await self.all()

            def killed(tx: Tx) -> None:
                work(tx)
                raise Crash
            with pytest.raises(Crash):
                await self.store.run(killed)
            assert await self.all() == before
        else:
            await self.store.run(work)

    def _work(self, what: str, who: str, whom: str, alert: Alert | None) -> Callable[[Tx], object] | None:
        at = self.at
        if what == "press":
            return lambda tx: raising.press(tx, who, self._elder(tx), self.village.ground.village.id, "", POLICIES, at)
        if what == "report":
            return lambda tx: alerting.raise_alert(tx, self.elder, "fall", "person", who, POLICIES, at)
        if what == "sweep":
            return lambda tx: alerting.climb(tx, at, POLICIES)
        if alert is None:
            return None
        works: dict[str, Callable[[Tx, Alert], object]] = {
            "what": lambda tx, now: raising.say_what(tx, now, "fire", POLICIES, at) if now.kind in (
                UNSAID, SOS) else None,
            "claim": lambda tx, now: alerting.may_go(tx, who, now, POLICIES, at.date()) and alerting.claim(
                tx, now, who, POLICIES, at),
            "arrive": lambda tx, now: alerting.arrive(tx, now, who, POLICIES, at),
            "support": lambda tx, now: handing.support(tx, now, who, POLICIES, at),
            "offer": lambda tx, now: handing.offer(tx, now, who, whom, POLICIES, at),
            "accept": lambda tx, now: handing.take_over(tx, now, who, POLICIES, at),
            "decline": lambda tx, now: handing.decline(tx, now, who, at),
            "back": lambda tx, now: handing.give_back(tx, now, who, POLICIES, at),
            "close": lambda tx, now: alerting.may_end(tx, who, now) and alerting.end(tx, now, who, NOTE, POLICIES, at),
            "false_alarm": lambda tx, now: alerting.may_end(tx, who, now) and alerting.end(
                tx, now, who, {"reason": "没事"}, POLICIES, at),
            "close_bare": lambda tx, now: _refused(tx, now, who, at),
        }

        def work(tx: Tx) -> object:
            now = alerts.unscoped(tx, alert.id)
            if now is None:
                return None
            done = works[what](tx, now)
            after = alerts.unscoped(tx, alert.id)
            if after:
                _goes_on(what, who, whom, bool(done), now, after)
            return done
        return work

    def _elder(self, tx: Tx) -> Elder:
        found = elders.unscoped(tx, self.elder)
        assert found
        return found

    async def holds(self) -> None:
        """What is so after every step."""
        for each in await self.all():
            goes = each.state in ("claimed", "arrived")
            assert goes == (each.claimed_by is not None) or not each.running
            assert (each.offered_to is None) or each.claimed_by is not None
            if each.running:
                assert each.closed_by is None and not each.outcome
                await self._told(each)
            else:
                wanted = ("found", "done") if each.state == "closed" else ("reason",)
                assert each.closed_by and each.closed_at and all(each.outcome[name].strip() for name in wanted)

    async def _told(self, alert: Alert) -> None:
        """Somebody who may go was told, or the clock sees to it."""
        def look(tx: Tx) -> tuple[bool, bool, int | None]:
            told = [each.person_id for each in alert_told.of(tx, alert.id)]
            keys = [outbox.receipt(tx, f"alert:{alert.id}:{what}{person}") for person in told for what in ("", "late:")]
            may = any(alerting.may_go(tx, person, alert, POLICIES, self.at.date()) for person in told)
            row = tx.one(select(kept.alerts.c.next_at).where(kept.alerts.c.id == alert.id))
            assert row
            return may and any(key is not None for key in keys), bool(told), row[0]
        may, _, next_at = await self.store.read(look)
        if alert.kind == UNSAID:
            assert next_at is not None
        else:
            assert may
            rungs = await self.store.read(lambda tx: alerting.rungs(tx, alert, POLICIES))
            assert (next_at is not None) == (alert.rung < len(rungs))


def _goes_on(what: str, who: str, whom: str, done: bool, before: Alert, after: Alert) -> None:
    """Who goes changes by his own press alone: from nobody, to whom the one who went had asked, or to nobody."""
    if after.claimed_by == before.claimed_by:
        return
    if before.claimed_by is None:
        assert what == "claim" and done and after.claimed_by == who
    elif after.claimed_by is None:
        assert what == "back" and done and who != "" and after.state == "open"
    else:
        assert what == "accept" and done and before.offered_to == who == after.claimed_by


def _refused(tx: Tx, alert: Alert, who: str, at: datetime) -> None:
    for bare in ({}, {"found": "滑倒", "done": " "}, {"reason": ""}):
        try:
            alerting.end(tx, alert, who, bare, POLICIES, at)
        except ValueError:
            continue
        raise AssertionError(f"it ended with {bare}")  # what pytest raises itself would end the store's thread


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: settle(tx, now))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[(("claim", "grid", ""), 60, False), (("claim", "visitor", ""), 0, False),
                (("offer", "grid", "village"), 9, False), (("accept", "visitor", ""), 9, False),
                (("accept", "village", ""), 9, True), (("accept", "village", ""), 9, False),
                (("accept", "village", ""), 9, False), (("arrive", "grid", ""), 9, False),
                (("back", "village", ""), 9, False), (("claim", "first", ""), 9, False),
                (("close_bare", "first", ""), 9, False), (("close", "first", ""), 9, False)])
async def test_one_goes_at_most_and_nothing_ends_unsaid_or_runs_untold(
    store: Store, village: Village, now: datetime, steps: list[Step]
) -> None:
    def begin(tx: Tx) -> str:
        elder = elders.add(tx, new_elder(village.ground.village), STANDING, now)
        for name, role in (("visitor", "visitor"), ("grid", "visitor"), ("young", "visitor"),
                           ("first", "first_contact"), ("child", "family")):
            assignments.entrust(tx, village.people[name], elder, role, "2026-01-01")
        return elder

    run = Run(store, village, await store.run(begin), now)
    for press, seconds, crash in [(("report", "child", ""), 0, False), *steps]:
        await run.step(press, seconds, crash)
        await run.holds()
    run.at += timedelta(days=2)
    for _ in range(2):
        while await store.run(lambda tx: alerting.climb(tx, run.at, POLICIES)):
            pass
    await run.holds()
    for each in await run.all():  # long after, whatever waits for somebody has told all that its ladder names
        assert not each.running or each.kind != UNSAID
