"""What takes longer than a unit of work may: done in chunks by whoever holds the lease, and gone on with after a kill.

A job is `waiting` until it is `done`, `failed` or `cancelled`; `asking` is one that waits for its person's yes.
The cursor says how far it is. It moves in the transaction of the chunk that it counts, and only from where it
stood: of two who work on one job, by whatever mishap, one gets no further.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, bindparam, insert, literal_column, or_, select, update

from storage.database import Row, Tx
from storage.ids import millis
from storage.tables import jobs

LEASE = timedelta(seconds=30)
Ended = Literal["asking", "done", "failed", "cancelled"]

_WAITING: ColumnElement[str] = literal_column("'waiting'")  # written out: the partial index wants no parameter
_ADD = insert(jobs)
_COLUMNS = select(jobs.c.id, jobs.c.kind, jobs.c.person_id, jobs.c.state, jobs.c.fields, jobs.c.cursor)
_READY = _COLUMNS.where(jobs.c.state == _WAITING, jobs.c.leased_until <= bindparam("at")).order_by(
    jobs.c.created_at, jobs.c.id).limit(bindparam("count")).with_for_update(skip_locked=True)
_RENEW = update(jobs).where(jobs.c.id == bindparam("job"), jobs.c.state == _WAITING).values(
    leased_until=bindparam("until"))
_FREE = update(jobs).where(jobs.c.state == _WAITING).values(leased_until=0)
_MOVE = update(jobs).where(
    jobs.c.id == bindparam("job"), jobs.c.state == _WAITING, jobs.c.cursor == bindparam("stood")).values(
    cursor=bindparam("stands"), updated_at=bindparam("at"))
_END = update(jobs).where(
    jobs.c.id == bindparam("job"), jobs.c.state == _WAITING, jobs.c.cursor == bindparam("stood")).values(
    state=bindparam("new_state"), fields=bindparam("new_fields"), leased_until=0, updated_at=bindparam("at"))
_OWN = _COLUMNS.where(jobs.c.id == bindparam("job"), jobs.c.person_id == bindparam("person"))
_UNDER_WAY = _COLUMNS.where(jobs.c.person_id == bindparam("person"), jobs.c.state == "waiting").limit(1)
_ANSWER = update(jobs).where(jobs.c.id == bindparam("job"), jobs.c.state == "asking").values(
    state=bindparam("new_state"), updated_at=bindparam("at"))
_CANCEL = update(jobs).where(jobs.c.id == bindparam("job"), jobs.c.person_id == bindparam("person"),
                             or_(jobs.c.state == "waiting", jobs.c.state == "asking")).values(
    state="cancelled", updated_at=bindparam("at"))
_SUPERSEDE = update(jobs).where(jobs.c.person_id == bindparam("person"), jobs.c.state == "asking").values(
    state="cancelled", updated_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose job it is, and the chat in which he asked for it and is told how it goes."""

    person_id: str
    channel: str
    chat: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job, opened. `asker` is None for what no person asked for; `fields` are ids and choices of its own."""

    id: str
    kind: str
    state: str
    cursor: str
    asker: Asker | None
    fields: dict[str, Any] = field(repr=False)


def add(tx: Tx, kind: str, fields: dict[str, Any], now: datetime, asker: Asker | None = None,
        state: Literal["waiting", "asking"] = "waiting") -> str | None:
    """Keeps a job to be done; gives its id, or None where this person has one under way already.

    One that waits for his yes gives way to the new one.
    """
    if asker is not None:
        if under_way(tx, asker.person_id) is not None:
            return None
        tx.run(_SUPERSEDE, person=asker.person_id, at=millis(now))
    job = tx.new_id(now)
    tx.run(_ADD, id=job, kind=kind, person_id=asker.person_id if asker else None, state=state,
           fields=_seal(tx, job, asker, fields), cursor="", leased_until=0, created_at=millis(now),
           updated_at=millis(now))
    return job


def take(tx: Tx, kinds: frozenset[str], now: datetime) -> Job | None:
    """Leases the job that has waited longest of those that are free and of a kind that the caller knows."""
    for row in tx.all(_READY, at=millis(now), count=50):
        if row[1] in kinds:  # the row is locked: until the end of this work nobody else takes it
            renew(tx, row[0], now)
            return _opened(tx, row)
    return None


def renew(tx: Tx, job: str, now: datetime) -> None:
    """Holds the lease for longer."""
    tx.run(_RENEW, job=job, until=millis(now + LEASE))


def give_back(tx: Tx, job: str, now: datetime) -> None:
    """Lets anybody take the job from `now` on."""
    tx.run(_RENEW, job=job, until=millis(now))


def free(tx: Tx) -> None:
    """Ends every lease: for a process that is alone with its database, before it takes anything."""
    tx.run(_FREE)


def move(tx: Tx, job: str, stood: str, stands: str, now: datetime) -> bool:
    """Moves the cursor; False where the job was cancelled, or somebody else is further: then keep nothing."""
    return tx.run(_MOVE, job=job, stood=stood, stands=stands, at=millis(now)) == 1


def end(tx: Tx, job: Job, stood: str, state: Ended, now: datetime, **more: Any) -> bool:
    """Ends a job, or lets it ask, with `more` in its fields; False as in `move`."""
    sealed = _seal(tx, job.id, job.asker, {**job.fields, **more})
    return tx.run(_END, job=job.id, stood=stood, new_state=state, new_fields=sealed, at=millis(now)) == 1


def find(tx: Tx, person_id: str, job: str) -> Job | None:
    """A job of this person's."""
    row = tx.one(_OWN, job=job, person=person_id)
    return _opened(tx, row) if row else None


def under_way(tx: Tx, person_id: str) -> Job | None:
    """What is being done for this person now."""
    row = tx.one(_UNDER_WAY, person=person_id)
    return _opened(tx, row) if row else None


def answer(tx: Tx, job: Job, state: Literal["done", "cancelled"], now: datetime) -> bool:
    """Ends a job that asks, once; False where it was answered before."""
    return tx.run(_ANSWER, job=job.id, new_state=state, at=millis(now)) == 1


def cancel(tx: Tx, person_id: str, job: str, now: datetime) -> bool:
    """Ends a job of this person's that waits, runs or asks: what its chunks wrote so far stays."""
    return tx.run(_CANCEL, job=job, person=person_id, at=millis(now)) == 1


def _seal(tx: Tx, job: str, asker: Asker | None, fields: dict[str, Any]) -> bytes:
    chat = [asker.channel, asker.chat] if asker else None
    return tx.keys.seal(orjson.dumps({"chat": chat, "fields": fields}), "jobs.fields", job)


def _opened(tx: Tx, row: Row) -> Job:
    job, kind, person_id, state, fields, cursor = row
    kept = orjson.loads(tx.keys.open(fields, "jobs.fields", job))
    return Job(job, kind, state, cursor, Asker(person_id, *kept["chat"]) if kept["chat"] else None, kept["fields"])
