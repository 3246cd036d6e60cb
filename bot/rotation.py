"""`keys rotate`: a new sealing key, every value sealed under it, the old key gone. Killed at any point, it goes on.

What is unfinished shows in the key file itself: it holds more than one key. The order is such that no value is ever
sealed under a key that is not in the file: key first, then values, then a look at all of them, then the old key.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storage import key_file, resealing
from storage.crypto import LOOK_AGAIN
from storage.database import Tx

if TYPE_CHECKING:
    from bot.app import Foundation

ACTOR = "operator"  # who the audit chain says did it
# from the moment a key seals until the older ones may go: every process has looked at the file again, and what it was
# writing under the older key is on disk (a write waits 5 seconds for the database at most)
SETTLED = timedelta(seconds=10 * LOOK_AGAIN)


def unfinished(base: "Foundation") -> bool:
    """Whether the key file holds more keys than the one that seals."""
    return len(base.keys.sealing.by_id) > 1


async def begin(base: "Foundation", now: datetime, after: timedelta = timedelta(0)) -> str:
    """Makes the new key, which seals after so long, unless a rotation is under way. Gives the newest key's id."""
    if not unfinished(base):
        made = key_file.add_key(base.settings.key_file, now, now + after)
        await base.store.run(lambda tx: tx.note(now, ACTOR, "keys.add", made))
    await base.store.run(lambda tx: resealing.begin(tx, now))
    return base.keys.sealing.current


async def go_on(base: "Foundation", clock: Callable[[], datetime]) -> timedelta | None:
    """Goes on with a rotation until it is done, and gives None; else how long it must wait before it can.

    Safe to call at any time, and in several processes at once. `clock` is the wall's, not the playground's.
    """
    if not unfinished(base):
        await base.store.run(lambda tx: _end(tx, base.keys.current, clock()))
        return None
    keys = base.keys.sealing
    if (early := keys.since - clock().timestamp()) > 0:
        return timedelta(seconds=early)
    await base.store.run(lambda tx: resealing.begin(tx, clock()))
    while await base.store.run(lambda tx: resealing.step(tx, clock())):
        pass
    if (early := keys.since + SETTLED.total_seconds() - clock().timestamp()) > 0:
        return timedelta(seconds=early)
    if await base.store.read(resealing.left) is not None:
        await base.store.run(lambda tx: resealing.again(tx, clock()))
        return timedelta(0)
    key_file.remove_keys(base.settings.key_file, frozenset(keys.by_id) - {keys.current})
    await base.store.run(lambda tx: _end(tx, keys.current, clock()))
    return None


def _end(tx: Tx, current: str, now: datetime) -> None:
    if resealing.end(tx, now):
        tx.note(now, ACTOR, "keys.rotated", current)


async def rotate(base: "Foundation", clock: Callable[[], datetime], after: timedelta = timedelta(0)) -> None:
    """A whole rotation, waiting where it must."""
    await begin(base, clock(), after)
    wait = await go_on(base, clock)
    if wait is not None:
        await asyncio.sleep(wait.total_seconds())
        await rotate(base, clock)
