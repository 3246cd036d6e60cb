"""The ledger of devices (C11): by vendor and serial number, bound to an elder or to nobody yet.

A device is kept from the first time that it is heard of. Whose it is, a coordinator says; he may damp one for a time.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import HELD_HERE, Scope
from storage.tables import device_vendors, devices, elders

_ADD = insert(devices).on_conflict_do_nothing(index_elements=["vendor_id", "serial"])
_COLUMNS = (devices.c.id, devices.c.vendor_id, device_vendors.c.name, devices.c.serial, devices.c.elder_id,
            devices.c.bound_at, devices.c.damped_until, devices.c.last_seen)
_ALL = select(*_COLUMNS).select_from(devices.join(device_vendors, device_vendors.c.id == devices.c.vendor_id))
_THIS = devices.c.id == bindparam("device")
_ONE = _ALL.where(_THIS)
_BY_SERIAL = _ALL.where(devices.c.vendor_id == bindparam("vendor"), devices.c.serial == bindparam("number"))
_SEEN = update(devices).where(_THIS, or_(devices.c.last_seen.is_(None), devices.c.last_seen < bindparam("at"))).values(
    last_seen=bindparam("at"))
_HELD = select(*_COLUMNS).select_from(devices.join(
    device_vendors, device_vendors.c.id == devices.c.vendor_id).join(elders, elders.c.id == devices.c.elder_id)).where(
    HELD_HERE)
_ONE_HELD = _HELD.where(_THIS)
_OF_ELDER = _HELD.where(devices.c.elder_id == bindparam("elder")).order_by(devices.c.serial, devices.c.id)
_PAGE = _HELD.order_by(elders.c.village_id, elders.c.group_name, elders.c.id, devices.c.serial, devices.c.id).limit(
    bindparam("count")).offset(bindparam("skip"))
_HOW_MANY = select(func.count()).select_from(devices.join(elders, elders.c.id == devices.c.elder_id)).where(HELD_HERE)
_UNBOUND = devices.c.elder_id.is_(None)
_UNKNOWN = _ALL.where(_UNBOUND, devices.c.last_seen.is_not(None)).order_by(
    devices.c.last_seen.desc(), devices.c.id).limit(bindparam("count")).offset(bindparam("skip"))
_HOW_MANY_UNKNOWN = select(func.count()).select_from(devices).where(_UNBOUND, devices.c.last_seen.is_not(None))
_BIND = update(devices).where(_THIS, _UNBOUND).values(
    elder_id=bindparam("elder"), bound_by=bindparam("who"), bound_at=bindparam("at"), damped_until=None)
_UNBIND = update(devices).where(_THIS, devices.c.elder_id == bindparam("elder")).values(
    elder_id=None, bound_by=None, bound_at=None, damped_until=None)
_DAMP = update(devices).where(and_(_THIS, devices.c.elder_id == bindparam("elder"))).values(
    damped_until=bindparam("until"))


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `serial` is in capitals; `vendor` the vendor's name."""

    id: str
    vendor_id: str
    vendor: str
    serial: str
    elder_id: str | None
    bound_at: datetime | None
    damped_until: datetime | None
    last_seen: datetime | None


def known(tx: Tx, vendor_id: str, serial: str, now: datetime) -> Device:
    """The device of this vendor and serial number; a new one, bound to nobody, where it was never heard of."""
    row = tx.one(_BY_SERIAL, vendor=vendor_id, number=serial.upper())
    if row is None:
        tx.run(_ADD, id=tx.new_id(now), vendor_id=vendor_id, serial=serial.upper(), elder_id=None, bound_by=None,
               bound_at=None, damped_until=None, last_seen=None)
        row = tx.one(_BY_SERIAL, vendor=vendor_id, number=serial.upper())
    assert row is not None  # it was added a moment ago
    return _read(row)


def seen(tx: Tx, device: Device, now: datetime) -> None:
    """It was heard of now."""
    tx.run(_SEEN, device=device.id, at=millis(now))


def unscoped(tx: Tx, device_id: str) -> Device | None:
    """One for the program's own work; nobody is shown it."""
    row = tx.one(_ONE, device=device_id)
    return _read(row) if row else None


def find(tx: Tx, scope: Scope, device_id: str) -> Device | None:
    """One that is bound to an elder in the area which the scope's person coordinates."""
    row = tx.one(_ONE_HELD, device=device_id, **scope.values)
    return _read(row) if row else None


def of_elder(tx: Tx, scope: Scope, elder_id: str) -> list[Device]:
    """Those of one elder, as in `find`."""
    return [_read(row) for row in tx.all(_OF_ELDER, elder=elder_id, **scope.values)]


def held(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Device]]:
    """How many are bound in the area of the scope's person, and a page of them by village, group and elder."""
    row = tx.one(_HOW_MANY, **scope.values)
    return int(row[0]) if row else 0, [_read(each) for each in tx.all(_PAGE, count=count, skip=skip, **scope.values)]


def unknown(tx: Tx, count: int, skip: int = 0) -> tuple[int, list[Device]]:
    """How many were heard of that are bound to nobody, and a page, the last heard of first. For operators: no Scope."""
    row = tx.one(_HOW_MANY_UNKNOWN)
    return int(row[0]) if row else 0, [_read(each) for each in tx.all(_UNKNOWN, count=count, skip=skip)]


def bind(tx: Tx, device: Device, elder_id: str, by: str, now: datetime) -> bool:
    """It is this elder's from now on; False where it is somebody's. The caller found the elder in his scope."""
    done = tx.run(_BIND, device=device.id, elder=elder_id, who=by, at=millis(now)) == 1
    if done:
        tx.note(now, by, "device.bind", elder_id, (device.id,))
    return done


def unbind(tx: Tx, device: Device, by: str, now: datetime) -> bool:
    """It is nobody's any more; False where that was so. The caller found the device in his scope."""
    done = tx.run(_UNBIND, device=device.id, elder=device.elder_id) == 1
    if done:
        tx.note(now, by, "device.unbind", device.elder_id or "", (device.id,))
    return done


def damp(tx: Tx, device: Device, until: datetime | None, by: str, now: datetime) -> bool:
    """Until then nobody is told of what may be damped; None: no longer. False where it is nobody's, as in `unbind`."""
    done = tx.run(_DAMP, device=device.id, elder=device.elder_id, until=millis(until) if until else None) == 1
    if done:
        tx.note(now, by, "device.damp" if until else "device.undamp", device.elder_id or "", (device.id,))
    return done


def _read(row: Row) -> Device:
    device, vendor_id, vendor, serial, elder, bound, damped, last = row
    return Device(device, vendor_id, vendor, serial, elder, _at(bound), _at(damped), _at(last))


def _at(stored: int | None) -> datetime | None:
    return instant(stored) if stored is not None else None
