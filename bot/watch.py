"""What a running process looks after by the wall's clock, outside any turn: a key rotation, and what lies beside the
key file, the heads of the audit chain and the ids of who was erased.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from bot import audit_head, erased_list, rotation
from bot.audit_head import HeadFileBroken
from storage.crypto import SealBroken
from storage.database import StoreUnavailable
from storage.key_file import KeyFileError

if TYPE_CHECKING:
    from bot.app import Foundation

log = structlog.get_logger()

BEAT = 60.0  # seconds


async def look(base: "Foundation", now: Callable[[], datetime]) -> None:
    """One look at each. What goes wrong is logged, and does not keep the others; the next look may go well."""
    for name, work in (("audit head", _keep_head), ("list of erased", _keep_erased),
                       ("key rotation", _go_on_rotating)):
        try:
            await work(base, now)
        except (SealBroken, KeyFileError, HeadFileBroken) as error:  # these name a row, a file or a line, no more
            log.error("upkeep failed", work=name, error=str(error))
        except (OSError, StoreUnavailable) as error:
            log.error("upkeep failed", work=name, error=type(error).__name__)


async def _keep_head(base: "Foundation", now: Callable[[], datetime]) -> None:
    await audit_head.keep_daily(base, now())


async def _keep_erased(base: "Foundation", now: Callable[[], datetime]) -> None:
    await erased_list.keep(base)


async def _go_on_rotating(base: "Foundation", now: Callable[[], datetime]) -> None:
    if rotation.unfinished(base) and await rotation.go_on(base, now) is None:
        log.info("key rotation is done", current=base.keys.current)


async def watch(base: "Foundation", now: Callable[[], datetime], stop: asyncio.Event) -> None:
    """Looks once a minute, from the start on."""
    while not stop.is_set():
        await look(base, now)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), BEAT)
