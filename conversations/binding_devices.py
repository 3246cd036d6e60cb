"""绑定设备: what the form becomes. A serial number is one elder's at most; a coordinator of his area binds it."""

from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask
from scheduler import devices as told
from storage import device_vendors, devices, elders


def vendors(ask: Ask) -> list[device_vendors.Vendor]:
    """Those whose alarms are taken."""
    return [each for each in device_vendors.everyone(ask.tx) if each.revoked_at is None]


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Binds the device, heard of before or not."""
    elder = elders.find(ask.tx, ask.scope, str(draft.answers["elder"].value))
    if elder is None or elder.status == "closed" or not elders.held(ask.tx, ask.scope, elder.id):
        return Ended((("form.not_yours", {}),), "paused")
    chosen = str(draft.answers["vendor"].value) if "vendor" in draft.answers else str(draft.context["vendor_id"])
    vendor = next((each for each in vendors(ask) if each.id == chosen), None)
    if vendor is None:
        return Ended((("devices.no_vendor", {}),), "cancelled")
    device = devices.known(ask.tx, vendor.id, str(draft.answers["serial"].value), ask.now)
    if devices.bind(ask.tx, device, elder.id, ask.writer.person_id, ask.now):
        raised = told.bound(ask.tx, device.id, ask.house.policies, ask.now)
        said = {"raised": raised, "elder": elder.name, "vendor": device.vendor, "serial": device.serial,
                "heard": device.last_seen is not None, "buttons": [[["button.device", {}, f"/device {device.id}"]]]}
        return Ended((("devices.bound", said),), result=device.id)
    return Ended((_taken(ask, device),), "cancelled")


def _taken(ask: Ask, device: devices.Device) -> Part:
    """It is somebody's: whose is told only where he is in the asker's area."""
    theirs = elders.find(ask.tx, ask.scope, device.elder_id or "")
    mine = devices.find(ask.tx, ask.scope, device.id)
    if theirs is None or mine is None:
        return ("devices.bound_elsewhere", {"serial": device.serial})
    return ("devices.bound_already", {"serial": device.serial, "elder": theirs.name,
                                      "buttons": [[["button.device", {}, f"/device {device.id}"]]]})
