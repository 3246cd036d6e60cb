"""Alarms as vendors send them: thousands, again and again, in any order, some of them wrong; and what must come of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import orjson
from sqlalchemy import func, select

from storage import accounts, assignments, device_vendors, devices, elders, people
from storage import tables as kept
from storage.database import Store, Tx
from tests.storage.ground import STANDING, lay, new_elder

URGENT = ("call_button", "fall", "smoke", "gas")
VENDOR = "anxin"
WRONG = (  # what is wrong with an alarm, and where that is said to be
    ({"per_minute": "fast"}, "per_minute"), ({"at": "yesterday"}, "at"), ({"at": "2026-03-02T09:00:00"}, "at"),
    ({"colour": "red"}, "colour"), ({"kind": "flood"}, "alarm"), ({"serial": ""}, "serial"), ({"event_id": None}, "event_id"))
BROKEN = (b"", b"{", b"[]", b'"fall"', b"\xff\xfe", b'{"alarms": []}', b'{"alarms": 3}', b'{"alarms": [1], "more": 2}')


@dataclass
class Field:
    """A vendor with his token; serial numbers that are bound, each to an elder, and some that are nobody's."""

    vendor_id: str
    token: str
    bound: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = tuple(f"X-{n}" for n in range(10))
    people: dict[str, str] = field(default_factory=dict)


def settle(tx: Tx, now: datetime, count: int = 20) -> Field:
    """So many elders, each with three devices, one visitor for all, and an operator; all can be written to."""
    ground = lay(now)(tx)
    token = device_vendors.invite(tx, VENDOR, "operator", now)
    vendor = device_vendors.by_token(tx, token)
    assert vendor is not None
    found = Field(vendor.id, token)
    found.people = {"visitor": people.add(tx, ground.village.id, "王强", ("visitor",), now, "grid_worker").id,
                    "operator": people.add(tx, ground.township.id, "周工", ("operator",), now).id,
                    "coordinator": ground.coordinator}
    for n, person in enumerate(found.people.values()):
        accounts.bind(tx, "test", f"{n}", f"{n}", person, now)
    for n in range(count):
        elder = elders.add(tx, new_elder(ground.village, f"老人{n}"), STANDING, now)
        assignments.entrust(tx, found.people["visitor"], elder, "visitor", "2026-01-01")
        for m in range(3):
            serial = f"S-{n}-{m}"
            devices.bind(tx, devices.known(tx, vendor.id, serial, now), elder, ground.coordinator, now)
            found.bound[serial] = elder
    return found


def alarm(at: datetime, event_id: str, serial: str, kind: str = "fall", **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "serial": serial, "kind": kind, "at": at.isoformat(), **more}


def made(village: Field, count: int, now: datetime, chance: Random) -> list[dict[str, Any]]:
    """So many alarms that are right, each of an event of its own."""
    measured = {"water_unused": ("hours", 60), "power_unused": ("hours", 60), "heart_rate": ("per_minute", 180),
                "offline": ("hours", 40), "battery_low": ("percent", 30), "left_home": (), **dict.fromkeys(URGENT, ())}
    serials = [*village.bound, *village.unknown]
    found = []
    for n in range(count):
        kind = chance.choice(list(measured))
        more = {name: chance.randrange(most) for name, most in [measured[kind]]} if measured[kind] else {}
        found.append(alarm(now - timedelta(minutes=chance.randrange(600)), f"e{n}", chance.choice(serials), kind, **more))
    return found


def wrong(n: int, now: datetime) -> tuple[dict[str, Any], str]:
    """An alarm that is refused, and where it is wrong."""
    more, where = WRONG[n % len(WRONG)]
    return alarm(now, f"wrong{n}", "S-0-0", "heart_rate", per_minute=70) | more, where


def batches(alarms: list[Any], chance: Random) -> Iterator[list[Any]]:
    """The alarms in pieces of 1 to 12."""
    left = list(alarms)
    while left:
        size = chance.randint(1, 12)
        yield left[:size]
        left = left[size:]


async def check(store: Store, village: Field, sent: list[dict[str, Any]], told: dict[str, set[tuple[str, str | None]]],
                ) -> dict[str, int]:
    """Each event that was sent is kept once, was told the same each time, and nobody hears of an alert twice.

    Gives how many became what.
    """
    def look(tx: Tx) -> tuple[list[Any], int, list[Any]]:
        events = tx.all(select(kept.device_events.c.event_id, kept.device_events.c.state, kept.device_events.c.elder_id,
                               kept.device_events.c.kind, kept.device_events.c.alert_id, kept.alerts.c.number).select_from(
            kept.device_events.outerjoin(kept.alerts, kept.alerts.c.id == kept.device_events.c.alert_id)))
        raised = tx.one(select(func.count()).select_from(kept.alerts))
        rows = tx.all(select(kept.outbox.c.kind, kept.outbox.c.id, kept.outbox.c.fields))
        fields = [(kind, orjson.loads(tx.keys.open(sealed, "outbox.fields", row))) for kind, row, sealed in rows]
        return events, int(raised[0]) if raised else 0, fields

    events, alerts_raised, notices = await store.read(look)
    by_id = {event[0]: event for event in events}
    assert len(events) == len(by_id) == len(sent)
    assert by_id.keys() == {each["event_id"] for each in sent} == told.keys()
    numbers = set()
    for each in sent:
        _, state, elder, kind, alert, number = by_id[each["event_id"]]
        called = f"A-{number:04d}" if number else None
        assert told[each["event_id"]] == {(state, called)}, each
        assert elder == village.bound.get(each["serial"]) and kind == each["kind"]
        assert (state == "unknown_device") == (elder is None)
        assert (state == "alert") == (alert is not None)
        assert elder is None or kind not in URGENT or state == "alert"
        numbers |= {number} if number else set()
    assert len(numbers) == alerts_raised  # none without an event, none that no event speaks of
    heard = [(fields["alert"], fields["person"]) for kind, fields in notices if kind == "alert_raised"]
    assert len(heard) == len(set(heard)) and len({alert for alert, _ in heard}) == alerts_raised
    asked = [(fields["event"], fields["person"]) for kind, fields in notices if kind == "device_asks"]
    assert len(asked) == len(set(asked))
    assert {event for event, _ in asked} == await store.read(lambda tx: {row for row, in tx.all(
        select(kept.device_events.c.id).where(kept.device_events.c.state == "check_in"))})
    count: dict[str, int] = {}
    for event in events:
        count[event[1]] = count.get(event[1], 0) + 1
    return count
