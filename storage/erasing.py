"""Erasing an elder: consent withdrawn, wrongly registered, or the time of keeping is over.

Every personal value goes; the row stays with its number, and his visits with their days and methods, for the
figures. What people wrote in chats (inbox, sent messages) is sealed and goes by its age (`retention`).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    LargeBinary,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)

from storage import courses, held
from storage.database import Tx
from storage.ids import millis
from storage.tables import (
    accounts,
    alert_media,
    alerts,
    assignments,
    call_plans,
    check_ins,
    contacts,
    device_events,
    devices,
    drafts,
    elders,
    media,
    needs,
    outbox,
    people,
    postponements,
    proposals,
    requests,
    tellings,
    visits,
    wishes,
)

_OF: BindParameter[str] = bindparam("elder")
# written out: a parameter would keep the partial indexes from being used
_CLOSED: ColumnElement[str] = literal_column("'closed'")
_STILL: ColumnElement[str] = literal_column("'waiting'")
_WHOLE = select(elders.c.condition).where(elders.c.id == _OF)
_BLANK = update(elders).where(elders.c.id == _OF, or_(
    elders.c.condition.is_(None), elders.c.condition != "erased")).values(
    name="", initials="", group_name="", sex=None, birth=None, id_number=None, id_index=None, phone=None, facts=None,
    categories="", ability="", disability_grade=None, missing="", wish="", class_until=None, status="closed",
    condition="erased", condition_since=bindparam("on_day"), condition_until=None, remind_on=None)
_VISITS = select(visits.c.id, visits.c.answers, visits.c.draft_id).where(visits.c.elder_id == _OF)
_BLANK_VISIT = update(visits).where(visits.c.id == bindparam("row")).values(answers=bindparam("nothing"), reason=None)
_PROPOSALS = select(proposals.c.id, proposals.c.draft_id).where(proposals.c.elder_id == _OF)
_BLANK_PROPOSAL = update(proposals).where(proposals.c.id == bindparam("row")).values(
    body=bindparam("nothing"), reason=None, state=case(
        (or_(proposals.c.state == "growing", proposals.c.state == "proposed"), "withdrawn"), else_=proposals.c.state))
_DRAFTS = select(drafts.c.id, drafts.c.body).where(drafts.c.state != "submitted")
_WAITING = select(outbox.c.id, outbox.c.fields).where(outbox.c.state == _STILL)
_HELD = select(outbox.c.id, outbox.c.fields).where(outbox.c.state == "held")  # by a restore: no index knows them
_DROP = update(outbox).where(outbox.c.id == bindparam("row"), or_(
    outbox.c.state == "waiting", outbox.c.state == "held")).values(
    state="dropped", reason="erased", fields=bindparam("nothing"), done_at=bindparam("at"))
_DELETE_DRAFT = delete(drafts).where(drafts.c.id == bindparam("row"))
_IS_DRAFT = select(drafts.c.id).where(drafts.c.id == bindparam("row"))
_OF_THEIRS = alert_media.c.alert_id.in_(select(alerts.c.id).where(alerts.c.elder_id == _OF))
_ADDED = select(alert_media.c.media_id).where(_OF_THEIRS)
_DELETE_ADDED = delete(alert_media).where(_OF_THEIRS)
_DELETE_MEDIA = delete(media).where(media.c.id == bindparam("row"))
_IS_MEDIA = select(media.c.id).where(media.c.id == bindparam("row"))
# what stands in figures, and in the course of alerts, stays without its words; the rest goes
_BLANK_WORDS = [update(table).where(table.c.elder_id == _OF).values({
    column.name: None for column in table.c if isinstance(column.type, LargeBinary)}) for table in (
    contacts, requests, needs, alerts, device_events)]
_DELETED = (wishes, tellings, call_plans, check_ins, postponements)
_DELETE = [delete(table).where(table.c.elder_id == _OF) for table in _DELETED]
_COUNTED = {table.name: select(func.count()).select_from(table).where(table.c.elder_id == _OF) for table in (
    *_DELETED, contacts, requests, needs, alerts, device_events, devices)}
_RELEASE = delete(assignments).where(assignments.c.elder_id == _OF)
_UNBIND_DEVICES = update(devices).where(devices.c.elder_id == _OF).values(
    elder_id=None, bound_by=None, bound_at=None, damped_until=None)
_CARERS = select(assignments.c.person_id).where(assignments.c.elder_id == _OF)
# the elder as a person of his own, with the accounts on which he was asked how he is
_OWN = select(assignments.c.person_id).where(assignments.c.elder_id == _OF, assignments.c.role == "self")
_BLANK_OWN = update(people).where(people.c.id == bindparam("row")).values(name="", status="left")
_UNBIND = delete(accounts).where(accounts.c.person_id == bindparam("row"))
_CLOSED_BEFORE = select(elders.c.id).where(and_(
    elders.c.status == _CLOSED, elders.c.condition_since < bindparam("before"),
    elders.c.condition != "erased")).order_by(elders.c.condition_since).limit(bindparam("count"))

_ERASED = select(elders.c.id).where(elders.c.status == _CLOSED, elders.c.condition == "erased")


class _Found:
    """The ids of the rows of each table that speak of the elder."""

    def __init__(self, tx: Tx, elder_id: str) -> None:
        written = tx.all(_VISITS, elder=elder_id)
        proposed = tx.all(_PROPOSALS, elder=elder_id)
        self.visits = [row for row, _, _ in written]
        self.proposals = [row for row, _ in proposed]
        kept = [orjson.loads(tx.keys.open(answers, "visits.answers", row)) for row, answers, _ in written if answers]
        self.drafts = [draft for *_, draft in (*written, *proposed) if draft and tx.one(_IS_DRAFT, row=draft)]
        for row, body in tx.all(_DRAFTS):  # sealed whole: opened one by one
            opened = tx.keys.open(body, "drafts.body", row) if body else b""
            if elder_id.encode() in opened and row not in self.drafts:
                self.drafts.append(row)
                kept.append(orjson.loads(opened))
        self.outbox = [row for row, fields in (*tx.all(_WAITING), *(tx.all(_HELD) if held.any_held(tx) else ()))
                       if fields and elder_id.encode() in tx.keys.open(fields, "outbox.fields", row)]
        added = tx.all(_ADDED, elder=elder_id)
        ids = dict.fromkeys([*(item for item, in added if item), *(each for value in kept for each in _ids(value))])
        self.media = [each for each in ids if tx.one(_IS_MEDIA, row=each)]
        counted = {name: tx.one(each, elder=elder_id) or (0,) for name, each in _COUNTED.items()}
        counted["alert_media"] = (len(added),)
        self.more = {name: int(count) for name, (count,) in counted.items() if count}
        self.assignments = tx.all(_CARERS, elder=elder_id)
        self.people = [person for person, in tx.all(_OWN, elder=elder_id)]

    def counts(self) -> Counter[str]:
        return Counter({name: len(rows) for name, rows in vars(self).items() if name != "more"} | self.more)


def counts(tx: Tx, elder_id: str) -> dict[str, int] | None:
    """How many rows of each table would be blanked or deleted; None where there is no such elder, or he is erased."""
    row = tx.one(_WHOLE, elder=elder_id)
    if row is None or row[0] == "erased":
        return None
    return {"elders": 1, **_Found(tx, elder_id).counts()}


def erase(tx: Tx, elder_id: str, by: str, today: date, now: datetime) -> dict[str, int] | None:
    """Blanks all that is personal, for ever; gives how many rows of each table. None as in `counts`.

    The caller has looked whether `by` may do this.
    """
    if tx.run(_BLANK, elder=elder_id, on_day=today.isoformat()) == 0:
        return None
    found = _Found(tx, elder_id)
    for row in found.visits:
        tx.run(_BLANK_VISIT, row=row, nothing=tx.keys.seal(b"{}", "visits.answers", row))
    for row in found.proposals:
        tx.run(_BLANK_PROPOSAL, row=row, nothing=tx.keys.seal(b"{}", "proposals.body", row))
    for row in found.outbox:
        tx.run(_DROP, row=row, nothing=tx.keys.seal(b"{}", "outbox.fields", row), at=millis(now))
    for row in found.drafts:
        tx.run(_DELETE_DRAFT, row=row)
    tx.run(_DELETE_ADDED, elder=elder_id)
    for row in found.media:
        tx.run(_DELETE_MEDIA, row=row)
    for row in found.people:
        tx.run(_UNBIND, row=row)
        tx.run(_BLANK_OWN, row=row)
    for each in (*_BLANK_WORDS, *_DELETE):
        tx.run(each, elder=elder_id)
    tx.run(_UNBIND_DEVICES, elder=elder_id)
    tx.run(_RELEASE, elder=elder_id)
    courses.keep(tx, elder_id, [("standing", today.isoformat(), "closed erased")], now)
    told = {"elders": 1, **found.counts()}
    tx.note(now, by, "elder.erase", elder_id, sorted(name for name, count in told.items() if count))
    return told


def erased(tx: Tx) -> list[str]:
    """The ids of all who were erased, for a list that outlives the database."""
    return [elder for elder, in tx.all(_ERASED)]


def closed_before(tx: Tx, day: str, count: int) -> list[str]:
    """Elders whose file was closed before this day (ISO) and still says who they were, the longest closed first."""
    return [elder for elder, in tx.all(_CLOSED_BEFORE, before=day, count=count)]


def _ids(value: Any) -> Iterator[str]:
    """Every string in there that may be an id (32 hex digits)."""
    if isinstance(value, str):
        if len(value) == 32:
            yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _ids(each)
    elif isinstance(value, list):
        for each in value:
            yield from _ids(each)
