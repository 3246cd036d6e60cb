"""The sweep that deletes what has been kept long enough, a chunk at a time."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from scheduler.policy import Policies
from storage import erasing, reply_windows, retention, send_counts
from storage.database import Tx
from storage.retention import Forget

COUNTED = timedelta(days=2)  # how long it is known how often somebody was sent something
CHUNK = 200  # rows of a class in one unit of work
ACTOR = "retention"  # who the audit chain says did it

CLASSES: Mapping[str, Forget] = {  # by the names of `Retention`
    "inbox": retention.inbox_rows, "outbox": retention.outbox_rows,
    "cancelled_drafts": retention.cancelled_drafts, "submitted_drafts": retention.submitted_drafts,
    "media_never_fetched": retention.media_that_never_came, "playground": retention.phone_rows,
    "jobs": retention.ended_jobs, "guesses": retention.guess_rows,
    "alert_links": retention.alert_link_rows, "device_events": retention.device_rows,
}


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Deletes a chunk of what has had its time, or erases one elder; True where there is more to do."""
    rules = policies.city.retention
    reply_windows.forget(tx, now)
    send_counts.forget(tx, now - COUNTED)
    for name, forget in CLASSES.items():
        if forget(tx, now - timedelta(days=getattr(rules, name)), CHUNK) == CHUNK:
            return True
    today = now.astimezone(policies.city.zone).date()
    closed = erasing.closed_before(tx, (today - timedelta(days=rules.closed_elders)).isoformat(), 1)
    for elder in closed:
        erasing.erase(tx, elder, ACTOR, today, now)
    return bool(closed)
