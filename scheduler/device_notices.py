"""What is told of devices beside alerts: somebody should call; a serial number is nobody's; one alarms too often."""

from datetime import date
from typing import ClassVar

from scheduler.notices import KINDS, Notice
from storage import device_events, devices
from storage.database import Tx
from storage.outbox import Lane
from storage.scope import Scope


class DeviceAsks(Notice):
    """A reading that somebody should look into: who is near is asked to call. Not wanted once anybody answered."""

    kind = "device_asks"
    lane: ClassVar[Lane] = "alert"  # the elder may need help: neither quiet hours nor the cap hold it
    elder: str
    event: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = device_events.find(tx, Scope(self.person, today), self.event)
        return super().still_wanted(tx, today) and found is not None and found.answer is None


class DeviceUnknown(Notice):
    """For an operator: something came from a device that is bound to nobody. Not wanted once it is somebody's."""

    kind = "device_unknown"
    lane: ClassVar[Lane] = "alert"  # somebody may have pressed a button, and nobody else can tell who
    device: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = devices.unscoped(tx, self.device)
        return super().still_wanted(tx, today) and found is not None and found.elder_id is None


class DeviceNoisy(Notice):
    """For a coordinator: a device gave many false alarms on one day. Not wanted where it is damped or not bound."""

    kind = "device_noisy"
    device: str
    count: int

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = devices.find(tx, Scope(self.person, today), self.device)
        return super().still_wanted(tx, today) and found is not None and found.damped_until is None


KINDS.update({each.kind: each for each in (DeviceAsks, DeviceUnknown, DeviceNoisy)})
