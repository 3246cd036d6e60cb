"""A photo, a voice note or a place for an alert that runs, and who hears of it (C12)."""

from datetime import datetime

from scheduler import alerting, raising
from scheduler.policy import Policies
from storage import alert_media
from storage.alert_media import Kind
from storage.alerts import Alert
from storage.database import Tx
from storage.scope import UNSAID

Item = tuple[Kind, str | None, str]  # what it is, the id under which its bytes are kept, the place


def add(tx: Tx, alert: Alert, items: list[Item], words: str, by: str, policies: Policies, now: datetime) -> bool:
    """Adds them, and what was written with them; those told hear of each kind once. False where none could be added."""
    added: list[Kind] = []
    for kind, media_id, place in items:
        if alert_media.add(tx, alert, kind, by, now, media_id, place) and kind not in added:
            added.append(kind)
    if words:
        raising.add_words(tx, alert, by, words, policies, now)
    for kind in added if alert.kind != UNSAID else ():
        alerting.tell_step(tx, alert, kind, by, policies, now)
    return bool(added)
