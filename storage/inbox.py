"""What came in, once: every further delivery of the same thing finds its row."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import millis
from storage.tables import inbox

_ADD = insert(inbox).on_conflict_do_nothing(index_elements=["channel", "dedupe_key"])


def take(tx: Tx, channel: str, dedupe_key: str, body: bytes, answer_id: str, now: datetime) -> bool:
    """Keeps an inbound thing with the id of its answer; False where it was taken before."""
    sealed = tx.keys.seal(body, "inbox.body", f"{channel}:{dedupe_key}")
    return tx.run(_ADD, channel=channel, dedupe_key=dedupe_key, answer_id=answer_id, body=sealed, at=millis(now)) == 1
