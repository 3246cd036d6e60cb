"""Access tokens of platforms, one for all processes: who renews one holds a lease meanwhile, the others wait for it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import millis
from storage.tables import platform_tokens

LEASE = timedelta(seconds=15)  # longer than a renewal may take; whoever died with it holds up nobody for long
MARGIN = timedelta(minutes=2)  # a token that ends sooner is renewed before it is used
FORCED_REST = timedelta(hours=2)  # a token's life: the platform forces 20 times a day, at least 30 s apart

_LABEL = "platform_tokens.token"
_FIRST = insert(platform_tokens).on_conflict_do_nothing(index_elements=["name"])
_FIND = select(platform_tokens.c.token, platform_tokens.c.expires_at).where(
    platform_tokens.c.name == bindparam("called"))
_LEASE = update(platform_tokens).where(
    platform_tokens.c.name == bindparam("called"), platform_tokens.c.leased_until <= bindparam("at")).values(
    leased_until=bindparam("until"))
_KEEP = update(platform_tokens).where(platform_tokens.c.name == bindparam("called")).values(
    token=bindparam("new_token"), expires_at=bindparam("ends"), leased_until=0)
_LET_GO = update(platform_tokens).where(platform_tokens.c.name == bindparam("called")).values(leased_until=0)


@dataclass(frozen=True, slots=True)
class Found:
    """The token to use; empty where there is none, and then `renew` says whether the caller is to fetch one."""

    token: str = field(default="", repr=False)
    renew: bool = False


def find(tx: Tx, name: str, now: datetime, refused: str = "") -> str:
    """The token that is good now; empty where there is none, or only the one that the platform has just refused."""
    row = tx.one(_FIND, called=name)
    if row is None or row[0] is None or row[1] <= millis(now + MARGIN):
        return ""
    token = tx.keys.open(row[0], _LABEL, name).decode()
    return "" if token == refused else token


def take(tx: Tx, name: str, now: datetime, refused: str = "") -> Found:
    """As `find`; where there is none, one caller gets the lease, and the others are to ask again soon."""
    if token := find(tx, name, now, refused):
        return Found(token)
    if not _leased(tx, name, now, LEASE):
        return Found()
    if token := find(tx, name, now, refused):  # renewed by another one between the two statements
        let_go(tx, name)
        return Found(token)
    return Found(renew=True)


def may_force(tx: Tx, name: str, now: datetime) -> bool:
    """Whether a token that has not run out may be replaced by force; True counts as done, for every process."""
    return _leased(tx, f"{name}:forced", now, FORCED_REST)


def keep(tx: Tx, name: str, token: str, until: datetime) -> None:
    """The renewed token (a secret: sealed) and when it ends; the lease is given back with it."""
    tx.run(_KEEP, called=name, new_token=tx.keys.seal(token.encode(), _LABEL, name), ends=millis(until))


def let_go(tx: Tx, name: str) -> None:
    """It could not be renewed: the next one may try."""
    tx.run(_LET_GO, called=name)


def _leased(tx: Tx, name: str, now: datetime, length: timedelta) -> bool:
    tx.run(_FIRST, name=name, token=None, expires_at=0, leased_until=0)
    return tx.run(_LEASE, called=name, at=millis(now), until=millis(now + length)) == 1
