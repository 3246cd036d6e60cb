"""Invitations: single use, 128 bits, expiring; six digits to be spoken as the way where no link gets through.

Only a hash of the token and a blind index of the code are kept. Looking one up by what its bearer holds needs
no scope; a coordinator sees and changes those of people whose every post and elder lies in his area.
"""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, bindparam, insert, or_, select, update

from storage.database import Tx
from storage.ids import instant, millis
from storage.scope import PERSON_HELD, Scope
from storage.tables import accounts, invitations, people

VALID = timedelta(days=7)
CODE_VALID = timedelta(minutes=30)
CODES = 1_000_000
DIRECTORY = "directory"  # who made it: nobody; a member's name in a platform's directory stands for it
CODE = "invitations.code"  # the label of the blind index

State = Literal["open", "used", "expired", "revoked"]

_ADD = insert(invitations)
_UNUSED = and_(invitations.c.used_at.is_(None), invitations.c.revoked_at.is_(None),
               invitations.c.expires_at >= bindparam("at"))
# the account as this invitation bound it: bound anew since, it is another one's business
_BOUND = and_(accounts.c.channel == invitations.c.used_channel, accounts.c.account == invitations.c.used_account,
              accounts.c.person_id == invitations.c.person_id, accounts.c.bound_at == invitations.c.used_at)
_ALL = select(
    invitations.c.id, invitations.c.person_id, people.c.name, people.c.area_id, invitations.c.made_by,
    invitations.c.expires_at, invitations.c.used_at, invitations.c.revoked_at, invitations.c.used_channel,
    invitations.c.used_account, accounts.c.state,
).select_from(invitations.join(people, people.c.id == invitations.c.person_id).outerjoin(accounts, _BOUND))
_BY_TOKEN = _ALL.where(invitations.c.token_hash == bindparam("hash"))
_BY_CODE = _ALL.where(invitations.c.code_index == bindparam("code"), invitations.c.code_until >= bindparam("at"),
                      _UNUSED)
_ONE = _ALL.where(invitations.c.id == bindparam("invitation"))
_HELD = _ONE.where(PERSON_HELD)
_OPEN = _ALL.where(PERSON_HELD, or_(
    and_(invitations.c.revoked_at.is_(None), accounts.c.state == "waiting"), _UNUSED)).order_by(
    invitations.c.used_at.is_(None), invitations.c.id.desc()).limit(bindparam("count")).offset(bindparam("skip"))
_USE = update(invitations).where(invitations.c.id == bindparam("invitation"), _UNUSED).values(
    used_at=bindparam("at"), used_channel=bindparam("on_channel"), used_account=bindparam("by_account"),
    code_index=None, code_until=None)
_REVOKE = update(invitations).where(invitations.c.id == bindparam("invitation"), _UNUSED).values(
    revoked_at=bindparam("at"), code_index=None, code_until=None)
_VOID = update(invitations).where(
    invitations.c.person_id == bindparam("person"), invitations.c.revoked_at.is_(None),
    or_(invitations.c.id == bindparam("invitation"), invitations.c.used_at.is_(None))).values(
    revoked_at=bindparam("at"), code_index=None, code_until=None)
# a code is free again once it is over
_FREE_CODE = update(invitations).where(
    invitations.c.code_index == bindparam("code"), invitations.c.code_until < bindparam("at")).values(
    code_index=None, code_until=None)
_CODE_TAKEN = select(invitations.c.id).where(invitations.c.code_index == bindparam("code"))
_SET_CODE = update(invitations).where(invitations.c.id == bindparam("invitation"), _UNUSED).values(
    code_index=bindparam("code"), code_until=bindparam("until"))
_CODED_AREAS = select(people.c.area_id).select_from(
    invitations.join(people, people.c.id == invitations.c.person_id)).where(
    invitations.c.code_until >= bindparam("at"), _UNUSED).distinct().order_by(people.c.area_id)


@dataclass(frozen=True, slots=True)
class Invitation:
    """One of them, with the name and area of who is invited.

    `account_state` is that of the account which it bound: None before, and where that was bound anew or removed.
    """

    id: str
    person_id: str
    name: str
    area_id: str
    made_by: str  # a person's id, or `operator` for the command line
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    used_channel: str | None
    used_account: str | None
    account_state: str | None

    def state(self, now: datetime) -> State:
        """What it is good for: nothing unless `open`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.used_at is not None:
            return "used"
        return "open" if self.expires_at >= now else "expired"


def make(tx: Tx, person_id: str, made_by: str, now: datetime) -> str:
    """A token to hand over; it is not kept and cannot be shown again."""
    token = urlsafe_b64encode(tx.random_bytes(16)).rstrip(b"=").decode()
    tx.run(_ADD, id=tx.new_id(now), token_hash=_hash(token), person_id=person_id, made_by=made_by,
           expires_at=millis(now + VALID), used_at=None, code_index=None, code_until=None, revoked_at=None,
           used_channel=None, used_account=None)
    tx.note(now, made_by, "invitation.make", person_id)
    return token


def new_code(tx: Tx, invitation: str, by: str, now: datetime) -> str | None:
    """Six digits to be spoken, good for CODE_VALID; an earlier code of it ends. None where it is not open any more."""
    while True:
        code = f"{int.from_bytes(tx.random_bytes(8)) % CODES:06d}"
        index = tx.keys.blind(code, CODE)
        tx.run(_FREE_CODE, code=index, at=millis(now))
        if tx.one(_CODE_TAKEN, code=index) is None:
            break
    if tx.run(_SET_CODE, invitation=invitation, code=index, until=millis(now + CODE_VALID), at=millis(now)) == 0:
        return None
    tx.note(now, by, "invitation.code", invitation)
    return code


def by_token(tx: Tx, token: str) -> Invitation | None:
    """What a link's bearer holds, whatever its state."""
    row = tx.one(_BY_TOKEN, hash=_hash(token))
    return _read(row) if row else None


def by_code(tx: Tx, code: str, now: datetime) -> Invitation | None:
    """What six digits are good for now."""
    row = tx.one(_BY_CODE, code=tx.keys.blind(code, CODE), at=millis(now))
    return _read(row) if row else None


def use(tx: Tx, invitation: str, channel: str, account: str, now: datetime) -> bool:
    """Uses it up for this account; False where somebody was quicker, or it is over."""
    return tx.run(_USE, invitation=invitation, on_channel=channel, by_account=account, at=millis(now)) == 1


def find(tx: Tx, scope: Scope, invitation: str) -> Invitation | None:
    """One of a person whom the scope's person may invite."""
    row = tx.one(_HELD, invitation=invitation, **scope.values)
    return _read(row) if row else None


def pending(tx: Tx, scope: Scope, now: datetime, count: int, skip: int = 0) -> list[Invitation]:
    """Those in the scope that are open, and before them those by whose code an account waits; the newest first."""
    return [_read(row) for row in tx.all(_OPEN, at=millis(now), count=count, skip=skip, **scope.values)]


def revoke(tx: Tx, invitation: Invitation, by: str, now: datetime) -> bool:
    """Takes an open one back; False where it is not open any more. The caller found it in his scope."""
    done = tx.run(_REVOKE, invitation=invitation.id, at=millis(now)) == 1
    if done:
        tx.note(now, by, "invitation.revoke", invitation.person_id)
    return done


def void(tx: Tx, person_id: str, by: str, now: datetime, invitation: str = "") -> None:
    """Ends all open ones of a person, and the used one named: it reached somebody else."""
    if tx.run(_VOID, person=person_id, invitation=invitation, at=millis(now)):
        tx.note(now, by, "invitation.void", person_id)


def coded_areas(tx: Tx, now: datetime) -> list[str]:
    """Where the people are at home for whom a spoken code is good now."""
    return [area for area, in tx.all(_CODED_AREAS, at=millis(now))]


def _read(row: tuple[str, str, str, str, str, int, int | None, int | None, str | None, str | None, str | None],
          ) -> Invitation:
    invitation, person, name, area, made_by, expires, used, revoked, channel, account, state = row
    return Invitation(invitation, person, name, area, made_by, instant(expires), instant(used) if used else None,
                      instant(revoked) if revoked else None, channel, account, state)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
