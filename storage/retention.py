"""What is deleted by its age, a few rows at a time. Visits, the audit chain, waiting messages and forms that are
open or put aside are not among it.

Ids begin with the time they were made (UUIDv7), so the old rows of most tables stand first in their primary key, and
need no index of their own. Each function deletes `count` rows at most that are older than `before`, and gives how
many it deleted: fewer than `count` means that nothing more is to go. Files and pages end by a time of their own.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import BindParameter, ColumnElement, Delete, Select, Table, and_, bindparam, delete, exists, or_, select

from storage.database import Tx
from storage.ids import first_id, millis
from storage.tables import (
    alert_links,
    alert_media,
    alerts,
    device_events,
    drafts,
    guesses,
    inbox,
    jobs,
    media,
    outbox,
    phone_messages,
)

Forget = Callable[[Tx, datetime, int], int]

_BEFORE: BindParameter[object] = bindparam("before")
_COUNT: BindParameter[int] = bindparam("count")
_INBOX = select(inbox.c.channel, inbox.c.dedupe_key).where(inbox.c.at < _BEFORE).order_by(inbox.c.at).limit(_COUNT)
_DELETE_INBOX = delete(inbox).where(inbox.c.channel == bindparam("on_channel"), inbox.c.dedupe_key == bindparam("key"))
_GUESSES = select(guesses.c.channel, guesses.c.account, guesses.c.hour).where(guesses.c.hour < _BEFORE).order_by(
    guesses.c.hour).limit(_COUNT)
_DELETE_GUESS = delete(guesses).where(guesses.c.channel == bindparam("on_channel"), guesses.c.hour == bindparam("hour"),
                                      guesses.c.account == bindparam("of_account"))


def _made_before(table: Table, *conditions: ColumnElement[bool]) -> tuple[Select[tuple[str]], Delete]:
    return _deleting(table, table.c.id < _BEFORE, table.c.id, *conditions)


def _deleting(table: Table, old: ColumnElement[bool], order: ColumnElement[object], *conditions: ColumnElement[bool],
              ) -> tuple[Select[tuple[str]], Delete]:
    return (select(table.c.id).where(and_(old, *conditions)).order_by(order).limit(_COUNT),
            delete(table).where(and_(table.c.id == bindparam("row"), *conditions)))


_OUTBOX = _made_before(outbox, or_(outbox.c.state == "sent", outbox.c.state == "dropped"))
_SUBMITTED = _made_before(drafts, drafts.c.state == "submitted")
_CANCELLED = _made_before(drafts, drafts.c.state == "cancelled")
_NEVER_CAME = _made_before(media, media.c.body.is_(None), ~exists().where(alert_media.c.media_id == media.c.id))
_JOBS = _made_before(jobs, or_(jobs.c.state == "done", jobs.c.state == "failed", jobs.c.state == "cancelled"))
_PHONES = _deleting(phone_messages, phone_messages.c.at < _BEFORE, phone_messages.c.at)
_DEVICE_EVENTS = _made_before(device_events)
_LINKS = select(alert_links.c.token_hash).select_from(
    alert_links.join(alerts, alerts.c.id == alert_links.c.alert_id)).where(alerts.c.closed_at < _BEFORE).order_by(
    alert_links.c.made_at).limit(_COUNT)
_DELETE_LINK = delete(alert_links).where(alert_links.c.token_hash == bindparam("row"))
_BODY = select(drafts.c.body).where(drafts.c.id == bindparam("row"))
_DELETE_MEDIA = delete(media).where(media.c.id == bindparam("row"))


def inbox_rows(tx: Tx, before: datetime, count: int) -> int:
    """What people wrote; a platform does not deliver again what is so old."""
    found = tx.all(_INBOX, before=millis(before), count=count)
    for channel, key in found:
        tx.run(_DELETE_INBOX, on_channel=channel, key=key)
    return len(found)


def outbox_rows(tx: Tx, before: datetime, count: int) -> int:
    """What was sent or dropped."""
    return _forget(tx, _OUTBOX, first_id(before), count)


def submitted_drafts(tx: Tx, before: datetime, count: int) -> int:
    """Forms that became a record: the record has it all."""
    return _forget(tx, _SUBMITTED, first_id(before), count)


def cancelled_drafts(tx: Tx, before: datetime, count: int) -> int:
    """Forms that were cancelled, with the photos and voice notes that came in while they were filled in."""
    select_old, delete_one = _CANCELLED
    found = tx.all(select_old, before=first_id(before), count=count)
    for draft, in found:
        row = tx.one(_BODY, row=draft)
        if row and row[0]:
            for item in _media_of(orjson.loads(tx.keys.open(row[0], "drafts.body", draft)), draft):
                tx.run(_DELETE_MEDIA, row=item)
        tx.run(delete_one, row=draft)
    return len(found)


def media_that_never_came(tx: Tx, before: datetime, count: int) -> int:
    """Handles of photos and voice notes whose bytes could not be fetched."""
    return _forget(tx, _NEVER_CAME, first_id(before), count)


def phone_rows(tx: Tx, before: datetime, count: int) -> int:
    """What stands on the playground's phones."""
    return _forget(tx, _PHONES, millis(before), count)


def alert_link_rows(tx: Tx, before: datetime, count: int) -> int:
    """What leads to the pages of alerts that ended: those who open one read until then that it is over."""
    return _forget(tx, (_LINKS, _DELETE_LINK), millis(before), count)


def device_rows(tx: Tx, before: datetime, count: int) -> int:
    """What devices sent. The alerts that came of it are kept."""
    return _forget(tx, _DEVICE_EVENTS, first_id(before), count)


def ended_jobs(tx: Tx, before: datetime, count: int) -> int:
    """Imports, exports and rotations that are done."""
    return _forget(tx, _JOBS, first_id(before), count)


def guess_rows(tx: Tx, before: datetime, count: int) -> int:
    """Counts of wrong codes, by hour (hours since 1970)."""
    found = tx.all(_GUESSES, before=millis(before) // 3_600_000, count=count)
    for channel, account, hour in found:
        tx.run(_DELETE_GUESS, on_channel=channel, of_account=account, hour=hour)
    return len(found)


def _forget(tx: Tx, statements: tuple[Select[tuple[str]], Delete], before: object, count: int) -> int:
    select_old, delete_one = statements
    found = tx.all(select_old, before=before, count=count)
    for row, in found:
        tx.run(delete_one, row=row)
    return len(found)


def _media_of(body: dict[str, dict[str, Sequence[object]]], draft: str) -> list[str]:
    """The ids of media that came with a draft's answers after it was begun: a correction's older ones stay."""
    answers = body.get("answers", {}).values()
    media_ids = [item for answer in answers if len(answer) > 3 and isinstance(answer[3], list) for item in answer[3]]
    return [item for item in media_ids if item > draft]
