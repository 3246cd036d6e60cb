"""What a running process looks after by the wall's clock, outside any turn: a key rotation, the audit head."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from bot import audit_head, rotation
from bot.audit_head import HeadFileBroken
from storage.crypto import SealBroken
from storage.database import StoreUnavailable
from storage.key_file import KeyFileError

if TYPE_CHECKING:
    from bot.app import Foundation

log = structlog.get_logger()

BEAT = 60.0  # seconds


async def look(base: "Foundation", now: Callable[[], datetime]) -> None:
    """One look. What goes wrong is logged; the next look may go well."""
    try:
        await audit_head.keep_daily(base, now())
        if rotation.unfinished(base) and await rotation.go_on(base, now) is None:
            log.info("key rotation is done", current=base.keys.current)
    except (SealBroken, KeyFileError, HeadFileBroken) as error:  # these name a row, a file or a line, nothing more
        log.error("privacy upkeep failed", error=str(error))
    except (OSError, StoreUnavailable) as error:
        log.error("privacy upkeep failed", error=type(error).__name__)


async def watch(base: "Foundation", now: Callable[[], datetime], stop: asyncio.Event) -> None:
    """Looks once a minute, from the start on."""
    while not stop.is_set():
        await look(base, now)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), BEAT)
