"""From what a device sent to who is told of it (C11): one unit of work keeps it, judges it, and raises the alert.

Vendors send a thing again until they are answered, and in any order: each is kept and judged once.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from scheduler import alerting, notices, visitor_kinds
from scheduler.device_notices import DeviceAsks, DeviceNoisy, DeviceUnknown
from scheduler.device_rules import NEVER_DAMPED, DeviceRules, Kind, Outcome
from scheduler.policy import Policies
from storage import accounts, alerts, device_events, devices, elders, people
from storage.alerts import Around
from storage.database import Tx
from storage.device_events import Event, Kept
from storage.device_vendors import Vendor
from storage.devices import Device
from storage.elders import Elder

# what an alert is called that comes of a device: a word of `[alert_kind]`
ALERT_KINDS: dict[str, str] = {"call_button": "help", "smoke": "fire"}
DAY = timedelta(days=1)
MEASURED = ("hours", "per_minute", "percent")  # the names of what a reading measures


@dataclass(frozen=True, slots=True)
class Sent:
    """What a vendor sent of one device. `number` is what its kind measures (hours, beats a minute, per cent)."""

    event_id: str
    serial: str
    kind: Kind
    at: datetime
    number: int | None = None
    reading: dict[str, Any] = field(default_factory=dict, repr=False)


def keep(tx: Tx, vendor: Vendor, sent: Sent, policies: Policies, now: datetime) -> Kept:
    """Keeps it, tells whom it concerns, and gives what became of it; the same again for what is kept already."""
    if before := device_events.kept(tx, vendor.id, sent.event_id):
        return before
    device = devices.known(tx, vendor.id, sent.serial, now)
    event = device_events.add(tx, device, sent.event_id, sent.kind, sent.at, sent.reading, now)
    if event is None:  # another process was quicker by a moment
        found = device_events.kept(tx, vendor.id, sent.event_id)
        assert found is not None  # it was in the way
        return found
    devices.seen(tx, device, now)
    elder = elders.unscoped(tx, device.elder_id) if device.elder_id else None
    if elder is None:
        device_events.became(tx, event, "unknown_device")
        _tell_operators(tx, device, sent, policies, now)
        return Kept("unknown_device", None)
    return _judged(tx, device, elder, event, sent, policies, now)


def bound(tx: Tx, device_id: str, policies: Policies, now: datetime) -> int:
    """After it was bound: of what it sent while it was nobody's the newest of each kind is judged now, if it is not
    late. Gives how many alerts came of it.
    """
    device = devices.unscoped(tx, device_id)
    elder = elders.unscoped(tx, device.elder_id) if device and device.elder_id else None
    if device is None or elder is None:
        return 0
    rules, raised, seen = policies.of(tx, elder.village_id).devices, 0, set[str]()
    for event in device_events.nobodys(tx, device, now - rules.late):
        number = next((event.reading[name] for name in MEASURED if name in event.reading), None)
        sent = Sent("", device.serial, cast(Kind, event.kind), event.at, number)
        if device_events.adopt(tx, event, elder.id) and event.kind not in seen:
            seen.add(event.kind)
            raised += _judged(tx, device, elder, event.id, sent, policies, now).state == "alert"
    return raised


def _judged(tx: Tx, device: Device, elder: Elder, event: str, sent: Sent, policies: Policies, now: datetime) -> Kept:
    """What it becomes, and whom it is told."""
    outcome = _outcome(tx, device, elder, sent, policies.of(tx, elder.village_id).devices, now)
    if outcome == "alert":
        kind = ALERT_KINDS.get(sent.kind, sent.kind)
        number = alerting.raise_alert(tx, elder.id, kind, "device", None, policies, now)
        alert = alerts.running_of(tx, elder.id)
        device_events.became(tx, event, "alert", alert.id if alert else None)
        return Kept("alert", number)
    if outcome == "check_in":
        device_events.became(tx, event, "check_in")
        _ask(tx, elder, event, policies, now)
    return Kept(outcome, None)


def _outcome(tx: Tx, device: Device, elder: Elder, sent: Sent, rules: DeviceRules, now: datetime) -> Outcome:
    """What it becomes here and now. Less than by the rules alone where people know already, or it may be damped."""
    outcome = rules.outcome(sent.kind, sent.number)
    if elder.status == "closed" or outcome == "note":
        return "note"
    if now - sent.at > rules.late:
        outcome = "check_in" if outcome == "alert" else "note"
    if sent.kind in NEVER_DAMPED:
        return outcome
    if elder.status != "active" or (device.damped_until is not None and now < device.damped_until):
        return "note"
    told = device_events.told(tx, device, sent.kind, now - rules.again)
    return "note" if outcome in told or "alert" in told else outcome


def not_reached(tx: Tx, event: Event, by: str, policies: Policies, now: datetime) -> int:
    """Who was asked to call reaches nobody: an alert; gives its number. The caller kept that as the event's answer."""
    assert event.elder_id is not None  # nobody is asked about a device that is nobody's
    number = alerting.raise_alert(tx, event.elder_id, "unreachable", "device", by, policies, now)
    if alert := alerts.running_of(tx, event.elder_id):
        device_events.raised(tx, event, alert.id)
    return number


def false_alarms(tx: Tx, device: Device, policies: Policies, now: datetime) -> int:
    """How many of a device were ended as false today, on the wall of the elders."""
    since = _day_begins(policies, now)
    return device_events.false_alarms(tx, device, since, since - DAY)


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Tells the coordinators of devices with many false alarms today, each once a day. All are looked at at once."""
    since = _day_begins(policies, now)
    for device_id, count in device_events.noisy(tx, since, since - DAY):
        device = devices.unscoped(tx, device_id)
        elder = elders.unscoped(tx, device.elder_id) if device and device.elder_id else None
        if elder is None or count < policies.of(tx, elder.village_id).devices.false_alarms:
            continue
        for person in notices.confirmers(tx, elder.village_id, "village"):
            notice = DeviceNoisy(person=person, device=device_id, count=count)
            notices.tell(tx, notice, now, unique_key=f"device:{device_id}:noisy:{_today(policies, now)}:{person}")
    return False


def _ask(tx: Tx, elder: Elder, event: str, policies: Policies, now: datetime) -> None:
    """Who visits the elder and the first contact are asked to call; where nobody is reached, the coordinators are."""
    today = _today(policies, now)
    near = [each.person_id for each in alerts.around(tx, elder.id, today.isoformat())
            if each.role in alerting.GOING and _answers(tx, each, policies, today)]
    reached = [person for person in dict.fromkeys(near) if accounts.reached(tx, person)]
    for person in reached or notices.confirmers(tx, elder.village_id, "village"):
        notices.tell(tx, DeviceAsks(person=person, elder=elder.id, event=event), now,
                     unique_key=f"device:{event}:ask:{person}")


def _answers(tx: Tx, each: Around, policies: Policies, today: date) -> bool:
    kinds = policies.of(tx, each.area_id).visitor_kinds
    kind = visitor_kinds.of(kinds, each.kind, visitor=each.role in alerting.VISITING)
    return visitor_kinds.may_answer_alerts(kind, each.minor_until, today)


def _tell_operators(tx: Tx, device: Device, sent: Sent, policies: Policies, now: datetime) -> None:
    """Operators are told of a device once a day; of a call for help from it once an hour, until it is somebody's."""
    hour = f":{now.astimezone(UTC):%H}" if sent.kind in NEVER_DAMPED else ""
    for person in people.operators(tx):
        notices.tell(tx, DeviceUnknown(person=person, device=device.id), now,
                     unique_key=f"device:{device.id}:unknown:{_today(policies, now)}{hour}:{person}")


def _today(policies: Policies, now: datetime) -> date:
    return now.astimezone(policies.city.zone).date()


def _day_begins(policies: Policies, now: datetime) -> datetime:
    return datetime.combine(_today(policies, now), time(), policies.city.zone)
