"""What both doors do with a body: read it, keep each alarm in a unit of work of its own, answer once all is on disk."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.channels.base import Now
from bot.devices import shapes
from bot.devices.shapes import Answer, Result, Unreadable
from bot.logs import where
from bot.metrics import alarms
from scheduler import devices
from scheduler.devices import Sent
from scheduler.policy import Policies
from storage.database import Store, StoreUnavailable
from storage.device_vendors import Vendor

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Intake:
    """Where alarms are kept."""

    store: Store
    policies: Policies
    now: Now

    async def take(self, vendor: Vendor, body: bytes, door: str) -> tuple[int, Answer]:
        """What a vendor is told, and the HTTP status of it; 503 where not all was kept and it should come again."""
        try:
            found = shapes.read(body)
        except Unreadable as unreadable:
            alarms(door, "unreadable").inc()
            return unreadable.status, Answer(errors=unreadable.errors)
        # one unit of work each: they share their commits, and an alarm does not wait for a long batch
        told = await asyncio.gather(*(self._keep(vendor, each) if isinstance(each, Sent) else _given(each)
                                      for each in found))
        results = tuple(each for each in told if each is not None)
        for each in told:
            alarms(door, each.result if each else "unavailable").inc()
        if len(results) < len(told):
            return 503, Answer(errors=(shapes.Wrong(where="server", what="not all was kept; send it again"),))
        refused = sum(each.result == "refused" for each in results)
        return (200 if not refused else 422 if refused == len(results) else 207), Answer(results=results)

    async def _keep(self, vendor: Vendor, sent: Sent) -> Result | None:
        """None where it was not kept: the vendor has not been told that it was, and sends it again."""
        now = self.now()
        try:
            kept = await self.store.run(lambda tx: devices.keep(tx, vendor, sent, self.policies, now),
                                        key=f"device:{vendor.id}:{sent.serial.upper()}")
        except StoreUnavailable:
            return None
        except Exception as error:  # a fault of ours; the vendor's next try may meet a mended program
            log.error("an alarm was not kept", vendor=vendor.name, kind=sent.kind, error=type(error).__name__,
                      where=where(error))
            return None
        number = f"A-{kept.alert:04d}" if kept.alert is not None else None
        return Result.model_construct(event_id=sent.event_id, result=kept.state, number=number, errors=())


async def _given(result: Result) -> Result:
    return result
