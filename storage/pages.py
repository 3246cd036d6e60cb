"""Single-use pages in the browser, for channels that carry no files: 128 bits in the link, six digits in the chat.

Only hashes are kept. A page is bound to one person, serves once within VALID, and is void after MOST_TRIES codes.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from storage.database import Tx
from storage.ids import millis
from storage.tables import pages, people

VALID = timedelta(minutes=30)
MOST_TRIES = 5
KEPT = timedelta(days=1)  # so long a page can say that it was used, or is too old

# a file's; or of the alert itself, whose id `file_id` is: a link of one's own, or digits for who is named on another's,
# which no link leads to
Kind = Literal["upload", "download", "alert", "named"]
State = Literal["open", "unknown", "used", "expired", "void"]

_ADD = insert(pages)
_ONE = select(pages.c.kind, pages.c.person_id, pages.c.file_id, pages.c.code_index, pages.c.tries, pages.c.expires_at,
              pages.c.used_at, people.c.status).select_from(
    pages.join(people, people.c.id == pages.c.person_id)).where(pages.c.token_hash == bindparam("hash"))
_TRY = update(pages).where(and_(
    pages.c.token_hash == bindparam("hash"), pages.c.used_at.is_(None), pages.c.expires_at > bindparam("at"),
    pages.c.tries < MOST_TRIES)).values(tries=pages.c.tries + 1)
_USE = update(pages).where(and_(
    pages.c.token_hash == bindparam("hash"), pages.c.used_at.is_(None), pages.c.expires_at > bindparam("at"))).values(
    used_at=bindparam("at"))
_LIVE = select(func.count()).select_from(pages).where(
    pages.c.person_id == bindparam("person"), pages.c.kind == bindparam("of_kind"),
    pages.c.expires_at > bindparam("at"))
_OLD = delete(pages).where(pages.c.expires_at <= bindparam("before"))


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it stands: everything but the state is empty where it is `unknown`. `left` counts the tries."""

    state: State
    kind: Kind = "upload"
    person_id: str = ""
    file_id: str = ""
    left: int = 0
    fresh: bool = False  # its time is not over, though it may be used up


def make(tx: Tx, kind: Kind, person_id: str, now: datetime, file_id: str | None = None) -> tuple[str, str]:
    """The token of a new page and its code; neither is kept, and neither can be shown again."""
    token = urlsafe_b64encode(tx.random_bytes(16)).rstrip(b"=").decode()
    code = f"{int.from_bytes(tx.random_bytes(8)) % 10**6:06d}"
    tx.run(_ADD, token_hash=_hash(token), kind=kind, person_id=person_id, file_id=file_id,
           code_index=_code_index(tx, token, code), tries=0, expires_at=millis(now + VALID), used_at=None)
    tx.note(now, person_id, f"page.{kind}", file_id or "")
    return token, code


def find(tx: Tx, token: str, now: datetime) -> Page:
    """What a link leads to. Looking changes nothing."""
    row = tx.one(_ONE, hash=_hash(token))
    if row is None:
        return Page("unknown")
    kind, person_id, file_id, _, tries, expires_at, used_at, status = row
    state: State = "open"
    if used_at is not None:
        state = "used"
    elif expires_at <= millis(now):
        state = "expired"
    elif status != "active":
        state = "void"
    return Page(state, kind, person_id, file_id or "", MOST_TRIES - tries, expires_at > millis(now))


def live(tx: Tx, kind: Kind, person_id: str, now: datetime) -> int:
    """How many of this kind were made for a person whose time is not over."""
    row = tx.one(_LIVE, of_kind=kind, person=person_id, at=millis(now))
    return int(row[0]) if row else 0


def enter(tx: Tx, token: str, code: str, now: datetime) -> str | None:
    """Tries a code, which counts: for the right one what `entered` wants to see, else None."""
    if tx.run(_TRY, hash=_hash(token), at=millis(now)) == 0:
        return None
    row = tx.one(_ONE, hash=_hash(token))
    if row is None or row[7] != "active" or not hmac.compare_digest(row[3], _code_index(tx, token, code)):
        return None
    return _grant(tx, token)


def entered(tx: Tx, token: str, grant: str) -> bool:
    """Whether whoever shows this has given the right code of this page."""
    return hmac.compare_digest(_grant(tx, token).encode(), grant.encode())


def use(tx: Tx, token: str, now: datetime) -> bool:
    """Uses the page up; True for one caller only, and only in time."""
    return tx.run(_USE, hash=_hash(token), at=millis(now)) == 1


def forget(tx: Tx, now: datetime) -> int:
    """Deletes the pages that are long over; gives how many."""
    return tx.run(_OLD, before=millis(now - KEPT))


def _code_index(tx: Tx, token: str, code: str) -> str:
    return tx.keys.blind(f"{token}|{code}", "pages.code")


def _grant(tx: Tx, token: str) -> str:
    return tx.keys.blind(token, "pages.grant")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
