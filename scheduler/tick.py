"""What the clock does at a given time: every sweep, one unit of work after the other until there is no more."""

import time as clocks
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import structlog

from scheduler import (
    alerting,
    audit_heads,
    calls,
    campaigning,
    checkins,
    device_asking,
    devices,
    drills,
    family,
    followups,
    forgetting,
    freezing,
    gaps,
    pauses,
    reaching,
    reminders,
    upkeep,
    village_groups,
)
from scheduler.policy import Policies
from scheduler.report import Did, Report
from storage import alert_told, alerts, meta, ticks
from storage.database import Store, StoreUnavailable, Tx
from storage.ids import instant, millis
from storage.watched import Watched

log = structlog.get_logger()

Sweep = Callable[[Tx, datetime, Policies], bool]  # does a chunk; True where there is more. Twice does nothing twice


@dataclass(frozen=True, slots=True)
class Daily:
    """A sweep that runs once a day, from an hour on the wall on: after days of standing still for the newest alone."""

    sweep: Sweep
    at: time


# a function runs at each beat: it finds by an index what is due by now. It is seen when the day turns, and at the
# instants of `storage.ticks.INSTANTS`
ALERTS: Mapping[str, Sweep] = {  # for these nobody waits: not for the minute, not for the sweeps behind them
    "alerts that nobody took over": alerting.climb,
    "alerts that somebody has not seen": reaching.sweep,
}
SWEEPS: Mapping[str, Sweep | Daily] = {
    **ALERTS,
    "drills that are over": drills.sweep,
    "alerts that are asked after": followups.sweep,
    "elders who are asked how they are": checkins.sweep,
    "devices' questions that nobody answered": device_asking.climb,
    "devices that often alarm for nothing": devices.sweep,
    "classes": upkeep.classes,
    "pauses that are over": pauses.sweep,
    "elders left without a visitor": Daily(gaps.sweep, time(8)),
    "groups that nobody vouches for": Daily(village_groups.sweep, time(8)),
    "reminders": reminders.sweep,
    "festivals that come": Daily(campaigning.propose, time(8)),
    "campaigns that begin": campaigning.begin,
    "campaigns that are over": campaigning.end,
    "campaigns under way": campaigning.tell,  # after the digests, which speak of them too
    "audit head": Daily(audit_heads.sweep, time(9)),
    "retention": Daily(forgetting.sweep, time(3)),
    "plans for calls": calls.plans,
    "calls": calls.sweep,
    "months told": calls.month,
    "requests that nobody took": family.late,
    "figures": freezing.sweep,  # last: once a month it takes some beats
}
FAILED = "sweep_failed:"  # in `meta`, with a sweep's name: when it failed last (milliseconds), and of what
MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Failure:
    """A sweep that failed and has not been done since."""

    sweep: str
    at: datetime
    error: str  # the name of its type


async def tick(store: Store, now: datetime, policies: Policies, sweeps: Mapping[str, Sweep | Daily] = SWEEPS,
               report: Report | None = None) -> list[str]:
    """Runs all of them as of `now`; gives the names of those that failed. One that fails does not keep the others.

    What another process has in hands is left to it. Raises StoreUnavailable.
    """
    failed = []
    for name, sweep in sweeps.items():
        try:
            await _Run(name, sweep, now, policies, report).all(store)
        except StoreUnavailable:
            raise
        except Exception as error:
            kind = type(error).__name__
            log.error("sweep failed", sweep=name, error=kind)
            failed.append(name)
            await store.run(lambda tx, name=name, kind=kind: meta.put(  # type: ignore[misc]
                tx, FAILED + name, f"{millis(now)} {kind}"))
    if report is not None:
        report.failed.update(failed)
    return failed


def alert_waits(tx: Tx, now: datetime) -> bool:
    """Whether more people are to be told of an alert by now."""
    return bool(alerts.due(tx, now, 1) or alert_told.due(tx, now, 1))


class _Run:
    """One sweep at one time, chunk by chunk, under its lease."""

    def __init__(self, name: str, sweep: Sweep | Daily, now: datetime, policies: Policies, report: Report | None,
                 ) -> None:
        self._name, self._now, self._policies, self._report = name, now, policies, report
        self._sweep = sweep.sweep if isinstance(sweep, Daily) else sweep
        self._due = _newest(sweep.at, now, policies) if isinstance(sweep, Daily) else ticks.EACH_BEAT
        self._began, self._held = clocks.monotonic(), 0

    async def all(self, store: Store) -> None:
        """Every chunk, in units of work of their own; of several processes one at a time."""
        patient = self._name not in ALERTS
        while self._kept(await store.run(self._chunk, key=f"sweep {self._name}", patient=patient)):
            pass

    def all_in(self, tx: Tx) -> None:
        """Every chunk in this one."""
        while self._kept(self._chunk(tx)):
            pass

    def _chunk(self, tx: Tx) -> "_Chunk":
        passed = timedelta(seconds=clocks.monotonic() - self._began)  # a long run keeps its lease, whatever `now` is
        held = ticks.take(tx, self._name, self._due, self._now + passed, self._held)
        if not held:
            return _Chunk(0, None)
        watched = Watched(tx) if self._report else None
        more = self._sweep(watched or tx, self._now, self._policies)
        if not more:
            ticks.done(tx, self._name, self._due, self._now)
        return _Chunk(held if more else 0, self._report.seen(watched, self._now) if self._report and watched else None)

    def _kept(self, chunk: "_Chunk") -> bool:
        """Goes on from a chunk that is written; False where there is no more."""
        self._held = chunk.held
        if self._report and chunk.did:
            self._report.add(self._now, self._name, chunk.did)
        return chunk.held != 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    held: int  # the lease to go on with; 0: there is no more, or somebody else has it
    did: Did | None


def _newest(at: time, now: datetime, policies: Policies) -> str:
    """The last day (ISO) on which this hour was reached."""
    wall = now.astimezone(policies.city.zone)
    return (wall.date() if wall.time() >= at else wall.date() - timedelta(days=1)).isoformat()


def next_due(tx: Tx, after: datetime, policies: Policies, sweeps: Mapping[str, Sweep | Daily] = SWEEPS) -> datetime:
    """The next instant at which something is due: a day begins, a daily sweep, or what waits for its time."""
    wall = after.astimezone(policies.city.zone)
    hours = {MIDNIGHT, *(sweep.at for sweep in sweeps.values() if isinstance(sweep, Daily))}
    days = (datetime.combine(wall.date() + timedelta(days=n), at, wall.tzinfo) for n in (0, 1) for at in hours)
    stored = ticks.next_instant(tx, after)
    return min([each for each in days if each > after] + ([stored] if stored else []))


async def dry_run(store: Store, now: datetime, policies: Policies, sweeps: Mapping[str, Sweep | Daily] = SWEEPS,
                  since: datetime | None = None) -> Report:
    """What a tick at this time would do, and with `since` those at every due instant from then on.

    Nothing is kept, and a process that serves meanwhile waits for none of it. Raises StoreUnavailable.
    """
    report = Report(policies.city.zone)

    def work(tx: Tx) -> None:
        at = since
        while at and (at := next_due(tx, at, policies, sweeps)) < now:
            all_at(tx, at)
        all_at(tx, now)

    def all_at(tx: Tx, at: datetime) -> None:
        for name, sweep in sweeps.items():
            _Run(name, sweep, at, policies, report).all_in(tx)

    await store.rehearse(work)
    return report


def failures(tx: Tx, sweeps: Mapping[str, Sweep | Daily] = SWEEPS) -> list[Failure]:
    """The sweeps that failed and were not done since."""
    ended = {each.sweep: each.done_at for each in ticks.last(tx)}
    found = []
    for name in sweeps:
        at, _, error = (meta.get(tx, FAILED + name) or "").partition(" ")
        done = ended.get(name)
        if at and (done is None or done < instant(int(at))):
            found.append(Failure(name, instant(int(at)), error))
    return found
