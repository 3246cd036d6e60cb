"""Who makes or runs devices and sends us their alarms, each with a token of his own (C11).

A token is the vendor's name, a dot, and 256 random bits. Only a hash of it is kept, which is compared in constant time.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.tables import device_vendors

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")  # stands in a token, and in a topic of MQTT
NOBODY = hashlib.sha256(b"").hexdigest()  # compared with where there is no vendor: no token has this hash

_insert = insert(device_vendors)
_SET = _insert.on_conflict_do_update(index_elements=["name"], set_={
    "token_hash": _insert.excluded.token_hash, "revoked_at": None})
_NAMED = select(device_vendors.c.id, device_vendors.c.name, device_vendors.c.created_at, device_vendors.c.revoked_at,
                device_vendors.c.token_hash).where(device_vendors.c.name == bindparam("called"))
_REVOKE = update(device_vendors).where(device_vendors.c.name == bindparam("called"),
                                       device_vendors.c.revoked_at.is_(None)).values(revoked_at=bindparam("at"))
_ALL = select(device_vendors.c.id, device_vendors.c.name, device_vendors.c.created_at,
              device_vendors.c.revoked_at).order_by(device_vendors.c.name)


@dataclass(frozen=True, slots=True)
class Vendor:
    """One of them; nothing is taken from one that was revoked."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


def invite(tx: Tx, name: str, by: str, now: datetime) -> str:
    """A new token for the vendor of this name (see NAME), there or new; the one before ends with it."""
    token = f"{name}.{urlsafe_b64encode(tx.random_bytes(32)).decode().rstrip('=')}"
    tx.run(_SET, id=tx.new_id(now), name=name, token_hash=_hash(token), created_at=millis(now), revoked_at=None)
    tx.note(now, by, "device_vendor.token", name)
    return token


def revoke(tx: Tx, name: str, by: str, now: datetime) -> bool:
    """Nothing more is taken from this vendor; False where that was so, or there is none."""
    done = tx.run(_REVOKE, called=name, at=millis(now)) == 1
    if done:
        tx.note(now, by, "device_vendor.revoke", name)
    return done


def by_token(tx: Tx, token: str) -> Vendor | None:
    """Whose token it is, where it holds."""
    row = tx.one(_NAMED, called=token.partition(".")[0])
    same = hmac.compare_digest(_hash(token), row[4] if row else NOBODY)
    return _valid(row) if same else None


def named(tx: Tx, name: str) -> Vendor | None:
    """The vendor of this name, where he was not revoked: for what a broker has let through under it."""
    return _valid(tx.one(_NAMED, called=name))


def everyone(tx: Tx) -> list[Vendor]:
    """All of them, by name; for operators."""
    return [_read(row) for row in tx.all(_ALL)]


def _valid(row: Row | None) -> Vendor | None:
    vendor = _read(row) if row else None
    return vendor if vendor and vendor.revoked_at is None else None


def _read(row: Row) -> Vendor:
    return Vendor(row[0], row[1], instant(row[2]), instant(row[3]) if row[3] is not None else None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
