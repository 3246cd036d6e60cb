"""Invitations: single use, 128 bits, expiring. Only a hash of the token is kept."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, insert, select, update

from storage.database import Tx
from storage.ids import millis
from storage.tables import invitations

VALID = timedelta(days=7)

_ADD = insert(invitations)
_BY_TOKEN = select(invitations.c.id, invitations.c.person_id, invitations.c.expires_at, invitations.c.used_at).where(
    invitations.c.token_hash == bindparam("hash"))
_USE = update(invitations).where(invitations.c.id == bindparam("invitation"), invitations.c.used_at.is_(None)).values(
    used_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What became of a token: `person_id` only when it is `ok`."""

    state: Literal["ok", "unknown", "used", "expired"]
    person_id: str = ""


def make(tx: Tx, person_id: str, made_by: str, now: datetime) -> str:
    """A token to hand over; it is not kept and cannot be shown again."""
    token = urlsafe_b64encode(tx.random_bytes(16)).rstrip(b"=").decode()
    tx.run(_ADD, id=tx.new_id(now), token_hash=_hash(token), person_id=person_id, made_by=made_by,
           expires_at=millis(now + VALID), used_at=None, code_index=None, code_until=None, revoked_at=None,
           used_channel=None, used_account=None)
    tx.note(now, made_by, "invitation.make", person_id)
    return token


def redeem(tx: Tx, token: str, now: datetime) -> Redeemed:
    """Uses a token up; only `ok` binds anybody."""
    row = tx.one(_BY_TOKEN, hash=_hash(token))
    if row is None:
        return Redeemed("unknown")
    invitation, person_id, expires_at, used_at = row
    if used_at is not None:
        return Redeemed("used")
    if expires_at < millis(now):
        return Redeemed("expired")
    if tx.run(_USE, invitation=invitation, at=millis(now)) == 0:
        return Redeemed("used")
    return Redeemed("ok", person_id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
