"""设备: those of the elders in a coordinator's area, whose they are, what is done about one; answers of who called."""

from datetime import timedelta
from typing import Any

from conversations import binding_devices, lookup, session
from conversations.device_telling import said, wall
from conversations.draft import Answer
from conversations.engine import Part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask, label
from scheduler import devices as told
from storage import device_events, devices, elders
from storage.devices import Device
from storage.elders import Elder
from storage.ids import millis

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
LAST = 5  # things that a device sent, on its page


def listed(ask: Ask, rest: str) -> Parts:
    """A page of those in the area, or those of one elder; an operator sees those that are nobody's, and no elder."""
    if not ask.may("device"):
        return _unknown(ask) or (("devices.all_known", {}),)
    if rest and not rest.startswith("+"):
        return _of_elder(ask, rest)
    skip = skipped(rest)
    total, page = devices.held(ask.tx, ask.scope, PAGE, skip)
    parts = _unknown(ask) if "operator" in ask.roles and not skip else ()
    if page or not parts:
        parts += (_list(ask, page, total, skip),)
    return parts


def card(ask: Ask, rest: str) -> Parts:
    """One of them, with what it sent last and what can be done about it."""
    found = _one(ask, rest)
    return (_card(ask, *found),) if found else _gone()


def bind(ask: Ask, rest: str) -> Parts:
    """Asks whose it is, and for its serial number."""
    known = binding_devices.vendors(ask)
    if not known:
        return (("devices.no_vendor", {}),)
    context = {"vendor_id": known[0].id} if len(known) == 1 else {}
    pressed = lookup.by_id(ask, rest) if rest else ()
    if pressed:
        return session.start(ask, "device", {**pressed[0].context, **context},
                             {"elder": Answer(pressed[0].id, millis(ask.now), "tap")})
    return session.start(ask, "device", context, typed=rest)


def unbind(ask: Ask, rest: str) -> Parts:
    """It is nobody's from now on."""
    found = _one(ask, rest)
    if found is None or not devices.unbind(ask.tx, found[0], ask.writer.person_id, ask.now):
        return _gone()
    return (("devices.unbound", {"serial": found[0].serial, "elder": found[1].name, "buttons": _back()}),)


def damp(ask: Ask, rest: str) -> Parts:
    """`DEVICE DAYS`: for so long nobody is told of it, the four urgent kinds excepted. `DEVICE off`: as before."""
    which, _, days = rest.partition(" ")
    found = _one(ask, which)
    if found is None:
        return _gone()
    device, elder = found
    allowed = {str(each): each for each in ask.policy(elder.village_id).devices.damp_days}
    if days != "off" and days not in allowed:
        return (_card(ask, device, elder),)
    until = None if days == "off" else ask.now + timedelta(days=allowed[days])
    if not devices.damp(ask.tx, device, until, ask.writer.person_id, ask.now):
        return _gone()
    changed = devices.find(ask.tx, ask.scope, device.id)
    assert changed is not None  # it was damped a moment ago
    return (("devices.damped" if until else "devices.undamped", {"elder": elder.name}), _card(ask, changed, elder))


def fine(ask: Ask, rest: str) -> Parts:
    """Who was asked to call reached the elder, who is well."""
    return _answer(ask, rest, fine=True)


def not_reached(ask: Ask, rest: str) -> Parts:
    """Who was asked to call reaches nobody: an alert, at once."""
    return _answer(ask, rest, fine=False)


def _answer(ask: Ask, rest: str, *, fine: bool) -> Parts:
    event = device_events.find(ask.tx, ask.scope, rest)
    elder = elders.find(ask.tx, ask.scope, event.elder_id or "") if event else None
    if event is None or elder is None or event.state != "check_in":
        return _gone()
    if not device_events.answer(ask.tx, event, "fine" if fine else "unreachable", ask.writer.person_id, ask.now):
        now = device_events.find(ask.tx, ask.scope, event.id) or event
        return (("devices.answered", {"elder": elder.name, "answer": now.answer}),)
    if fine:
        return (("devices.fine", {"elder": elder.name}),)
    number = told.not_reached(ask.tx, event, ask.writer.person_id, ask.house.policies, ask.now)
    return (("devices.sending", {"elder": elder.name, "number": f"A-{number:04d}"}),)


def _of_elder(ask: Ask, rest: str) -> Parts:
    elder = lookup.one(ask, rest, "devices")
    if not isinstance(elder, Elder):
        return elder
    found = devices.of_elder(ask.tx, ask.scope, elder.id)
    if len(found) == 1:
        return (_card(ask, found[0], elder),)
    rows: Rows = [[["button.device_of", {"serial": each.serial, "elder": elder.name}, f"/device {each.id}"]]
                  for each in found]
    rows += _bind_button(ask, elder.id)
    return (("devices.of_elder", {"elder": elder.name, "lines": [_line(ask, each, elder) for each in found],
                                  "buttons": rows}),)


def _list(ask: Ask, page: list[Device], total: int, skip: int) -> Part:
    theirs = [(each, elder) for each in page if (elder := elders.find(ask.tx, ask.scope, each.elder_id or ""))]
    rows: Rows = [[["button.device_of", {"serial": each.serial, "elder": elder.name}, f"/device {each.id}"]]
                  for each, elder in theirs]
    rows += further("/devices", total, skip)
    rows += _bind_button(ask, "")
    return ("devices.list", {"total": total, "lines": [_line(ask, *each) for each in theirs], "buttons": rows})


def _unknown(ask: Ask) -> Parts:
    """For an operator: what was heard of that is nobody's; of more than a page the latest, and how many there are."""
    total, page = devices.unknown(ask.tx, PAGE)
    if not total:
        return ()
    lines = [{"vendor": each.vendor, "serial": each.serial, "said": said(last[0]), **_at(ask, last[0].received_at)}
             for each in page if (last := device_events.latest(ask.tx, each, 1))]
    return (("devices.unknown", {"total": total, "lines": lines}),)


def _line(ask: Ask, device: Device, elder: Elder) -> dict[str, Any]:
    return {"elder": label(elder), "vendor": device.vendor, "serial": device.serial, "damped": _damped(ask, device),
            "mistaken": told.false_alarms(ask.tx, device, ask.house.policies, ask.now),
            **(_at(ask, device.last_seen) if device.last_seen else {"day": "", "time": ""})}


def _card(ask: Ask, device: Device, elder: Elder) -> Part:
    sent = [{"said": said(each), "state": each.state, **_at(ask, each.at)}
            for each in device_events.latest(ask.tx, device, LAST)]
    ask.note("elder.read", elder.id, ("device",))
    rows: Rows = []
    if _damped(ask, device):
        rows.append([["button.device_undamp", {}, f"/devicedamp {device.id} off"]])
    else:
        rows.append([["button.device_damp", {"days": days}, f"/devicedamp {device.id} {days}"]
                     for days in ask.policy(elder.village_id).devices.damp_days])
    rows.append([["button.device_unbind", {}, f"/deviceunbind {device.id}"]])
    return ("devices.card", {**_line(ask, device, elder), "sent": sent, "buttons": [*rows, *_back()]})


def _one(ask: Ask, device_id: str) -> tuple[Device, Elder] | None:
    device = devices.find(ask.tx, ask.scope, device_id)
    elder = elders.find(ask.tx, ask.scope, device.elder_id or "") if device else None
    return (device, elder) if device and elder else None


def _damped(ask: Ask, device: Device) -> str:
    """Until which day (ISO) nobody is told of it; empty where people are."""
    if device.damped_until is None or device.damped_until <= ask.now:
        return ""
    return _at(ask, device.damped_until)["day"]


def _bind_button(ask: Ask, elder_id: str) -> Rows:
    return [[["button.device_bind", {}, f"/devicebind {elder_id}".strip()]]] if ask.may("device_bind") else []


def _at(ask: Ask, at: Any) -> dict[str, str]:
    return wall(at, ask.house.policy.zone)


def _gone() -> Parts:
    return (("devices.gone", {"buttons": _back()}),)


def _back() -> Rows:
    return [[["button.devices", {}, "/devices"]]]


COMMANDS = {"devices": listed, "device": card, "device_bind": bind, "device_unbind": unbind, "device_damp": damp,
            "device_fine": fine, "device_help": not_reached}
