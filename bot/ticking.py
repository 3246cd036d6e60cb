"""One tick by hand: `python -m bot tick`."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot import clock
from bot.playground.phones import DEMO
from scheduler import tick
from storage import meta

if TYPE_CHECKING:
    from bot.app import Foundation


class TickRefused(Exception):
    """Why the tick does not run; the text says what to do instead."""


async def once(base: "Foundation", at: datetime | None, wall: datetime, *, dry_run: bool) -> list[str]:
    """Runs every sweep as of `at` (on the elders' wall where it names no zone), or of now; a line on each.

    Raises TickRefused where another time would spoil a real ledger, or a sweep failed.
    """
    offset = await base.store.read(clock.kept_offset)
    playground = offset is not None or await base.store.read(lambda tx: meta.get(tx, DEMO)) is not None
    if at and not (dry_run or playground):
        raise TickRefused("--at without --dry-run works only on a playground's database")
    if at and not at.tzinfo:
        at = at.replace(tzinfo=base.policy.zone)
    now = at or wall + (offset or timedelta(0))
    if dry_run:
        found = await tick.dry_run(base.store, now, base.policies)
        return [line for name, lines in found.items() for line in (name, *(f"  {each}" for each in lines or ["-"]))]
    if failed := await tick.tick(base.store, now, base.policies):
        raise TickRefused(f"failed: {', '.join(failed)} (the log says why)")
    return [f"done: {', '.join(tick.SWEEPS)}"]
