"""One tick by hand: `python -m bot tick`."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot import clock
from bot.clock import ClockGoesForward
from bot.playground.phones import DEMO
from scheduler import tick
from scheduler.report import WALL, Report
from storage import meta
from storage.database import StoreUnavailable

if TYPE_CHECKING:
    from bot.app import Foundation


class TickRefused(Exception):
    """Why the tick does not run; the text says what to do instead."""


async def once(base: "Foundation", at: datetime | None, wall: datetime, *, dry_run: bool) -> list[str]:
    """Runs every sweep as of `at` (on the elders' wall where it names no zone), or of now; lines on who gets what.

    On a playground `at` is where its clock is moved to, by way of every due instant. A dry run gives the same lines,
    and does nothing. Raises TickRefused where another time would spoil a real ledger, or go back, or a sweep failed.
    """
    offset = await base.store.read(clock.kept_offset)
    playground = offset is not None or await base.store.read(lambda tx: meta.get(tx, DEMO)) is not None
    if at and not (dry_run or playground):
        raise TickRefused("--at without --dry-run works only on a playground's database")
    if at and not at.tzinfo:
        at = at.replace(tzinfo=base.policy.zone)
    now = wall + (offset or timedelta(0))
    if at and playground and at <= now:
        shown = now.astimezone(base.policy.zone).strftime(WALL)
        raise TickRefused(f"the playground's clock only goes forward: it is {shown} already")
    if dry_run:
        try:
            report = await tick.dry_run(base.store, at or now, base.policies, since=now if at and playground else None)
        except StoreUnavailable as error:
            raise TickRefused(f"{error}: a dry run works on a copy of the database, and needs as much room") from error
    else:
        report = await _tick(base, at, now)
    if report.failed:
        raise TickRefused(f"failed: {', '.join(sorted(report.failed))} (the log says why)")
    return report.lines()


async def _tick(base: "Foundation", at: datetime | None, now: datetime) -> Report:
    from bot.app import App

    report = Report(base.policy.zone)
    if at is None:
        await tick.tick(base.store, now, base.policies, report=report)
    elif not base.settings.playground_on:
        raise TickRefused("a real channel is set up: a playground's clock is moved where there is none")
    else:
        try:
            await App(base).move_clock(at, report)
        except ClockGoesForward:
            raise TickRefused("the playground's clock was moved beyond that time meanwhile") from None
    return report
