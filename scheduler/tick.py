"""What the clock does at a given time: every sweep, one unit of work after the other until there is no more."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

import structlog

from scheduler import alerting, audit_heads, checkins, devices, forgetting, gaps, pauses, reminders, upkeep
from scheduler.policy import Policies
from storage.database import Store, StoreUnavailable, Tx
from storage.watched import Watched

log = structlog.get_logger()

Sweep = Callable[[Tx, datetime, Policies], bool]  # does a chunk; True where there is more. Twice does nothing twice

SWEEPS: Mapping[str, Sweep] = {
    "alerts that nobody took over": alerting.climb,
    "elders who are asked how they are": checkins.sweep,
    "devices that often alarm for nothing": devices.sweep,
    "classes": upkeep.classes,
    "pauses that are over": pauses.sweep,
    "elders left without a visitor": gaps.sweep,
    "reminders": reminders.sweep,
    "audit head": audit_heads.sweep,
    "retention": forgetting.sweep,
}


async def tick(store: Store, now: datetime, policies: Policies, sweeps: Mapping[str, Sweep] = SWEEPS) -> list[str]:
    """Runs all of them as of `now`; gives the names of those that failed. One that fails does not keep the others."""
    failed = []
    for name, sweep in sweeps.items():
        try:
            while await store.run(lambda tx, sweep=sweep: sweep(tx, now, policies),  # type: ignore[misc]
                                  key=f"sweep {name}"):  # of several processes one at a time
                pass
        except StoreUnavailable:
            raise
        except Exception as error:
            log.error("sweep failed", sweep=name, error=type(error).__name__)
            failed.append(name)
    return failed


class _Undone(Exception):
    """Takes back what a dry run did."""


async def dry_run(store: Store, now: datetime, policies: Policies, sweeps: Mapping[str, Sweep] = SWEEPS,
                  ) -> dict[str, list[str]]:
    """What each sweep would do, by table and on the audit chain, a line each; nothing of it is kept."""
    found: dict[str, list[str]] = {}

    def work(tx: Tx) -> None:
        for name, sweep in sweeps.items():
            watched = Watched(tx)
            while sweep(watched, now, policies):
                pass
            found[name] = [f"{count} {what}" for what, count in watched.touched.items()]
            found[name] += [" ".join((line.action, line.subject, *line.fields)) for line in watched.audited]
        raise _Undone

    with suppress(_Undone):
        await store.run(work)
    return found
