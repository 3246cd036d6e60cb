"""The page behind a forwarded alert, `/a/{token}`: 128 bits that are made of the alert and the group under the blind
key, so that they can be said again each time and are kept nowhere; only their hash is, to find the alert by.
"""

import hashlib
from base64 import urlsafe_b64encode
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import millis
from storage.tables import alert_links

_ADD = insert(alert_links).on_conflict_do_nothing(index_elements=["token_hash"])
_ONE = select(alert_links.c.alert_id).where(alert_links.c.token_hash == bindparam("hash"))


def make(tx: Tx, alert_id: str, group_id: str, now: datetime) -> None:
    """From now on the token leads to the alert, as long as that runs."""
    tx.run(_ADD, token_hash=_hash(token(tx, alert_id, group_id)), alert_id=alert_id, group_id=group_id,
           made_at=millis(now))


def token(tx: Tx, alert_id: str, group_id: str) -> str:
    """The token by which one group is shown one alert."""
    bits = bytes.fromhex(tx.keys.blind(f"{alert_id}|{group_id}", "alert_links.token"))[:16]
    return urlsafe_b64encode(bits).rstrip(b"=").decode()


def find(tx: Tx, given: str) -> str | None:
    """The id of the alert to which a token leads, whatever became of it."""
    row = tx.one(_ONE, hash=_hash(given))
    return row[0] if row else None


def _hash(given: str) -> str:
    return hashlib.sha256(given.encode()).hexdigest()
