"""What is told of devices: somebody should call, one is nobody's, one alarms too often; and how a reading is said."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from conversations.engine import Part
from conversations.turn import label
from scheduler import devices as devices_told
from scheduler.device_notices import DeviceAsks, DeviceNoisy, DeviceUnknown
from storage import device_events, devices, elders
from storage.database import Tx
from storage.device_events import Event
from storage.scope import Scope

Parts = tuple[Part, ...]
Buttons = list[list[list[object]]]


def said(event: Event) -> dict[str, Any]:
    """What words want of a reading: its kind, and the number that was measured, empty where there is none."""
    number = next((event.reading[name] for name in devices_told.MEASURED if name in event.reading), "")
    return {"kind": event.kind, "number": number}


def wall(at: datetime, zone: ZoneInfo) -> dict[str, str]:
    """Day (ISO) and time on the elders' wall."""
    there = at.astimezone(zone)
    return {"day": there.date().isoformat(), "time": f"{there:%H:%M}"}


def of_alert(tx: Tx, alert_id: str) -> dict[str, Any] | None:
    """What the device said from which an alert came; None where it came from people."""
    event = device_events.of_alert(tx, alert_id)
    return said(event) if event else None


def _asks(tx: Tx, notice: DeviceAsks, scope: Scope) -> Parts | None:
    elder = elders.find(tx, scope, notice.elder)
    event = device_events.find(tx, scope, notice.event)
    if elder is None or event is None:
        return None
    buttons: Buttons = [[["button.device_fine", {}, f"/deviceanswer {event.id}"]],
                        [["button.device_not_reached", {}, f"/devicehelp {event.id}"]],
                        [["button.file", {}, f"/elder {elder.id}"]]]
    return (("devices.asks", {"elder": label(elder), "said": said(event), "buttons": buttons}),)


def _unknown(tx: Tx, notice: DeviceUnknown, scope: Scope) -> Parts | None:
    device = devices.unscoped(tx, notice.device)
    last = device_events.latest(tx, device, 1) if device else []
    if device is None or not last:
        return None
    return (("devices.unknown_one", {"vendor": device.vendor, "serial": device.serial, "said": said(last[0]),
                                     "buttons": [[["button.devices", {}, "/devices"]]]}),)


def _noisy(tx: Tx, notice: DeviceNoisy, scope: Scope) -> Parts | None:
    device = devices.find(tx, scope, notice.device)
    elder = elders.find(tx, scope, device.elder_id or "") if device else None
    if device is None or elder is None:
        return None
    return (("devices.noisy", {"elder": label(elder), "vendor": device.vendor, "serial": device.serial,
                               "count": notice.count,
                               "buttons": [[["button.device", {}, f"/device {device.id}"]]]}),)


TELL: dict[str, Callable[[Tx, Any, Scope], Parts | None]] = {
    DeviceAsks.kind: _asks, DeviceUnknown.kind: _unknown, DeviceNoisy.kind: _noisy}
