"""Sealing every value under the newest key: a durable job, done in chunks, gone on with after a kill.

The job's cursor is the number of the table in `SEALED` and the key of the last row done; it moves in the
transaction of the chunk that it counts, and only from where it stood. So two who work on it do nothing twice, and
no lease is needed. A value that somebody changes meanwhile is left: it is sealed anew anyway, and `left` looks.
"""

from datetime import datetime

import orjson
from sqlalchemy import bindparam, insert, select, update

from storage.database import Row, Tx
from storage.ids import millis
from storage.sealed import SEALED
from storage.tables import jobs

KIND = "keys_rotate"

_ADD = insert(jobs)
_OPEN = select(jobs.c.id, jobs.c.cursor, jobs.c.created_at).where(
    jobs.c.kind == KIND, jobs.c.state == "waiting").order_by(jobs.c.created_at).limit(1)
_MOVE = update(jobs).where(
    jobs.c.id == bindparam("job"), jobs.c.state == "waiting", jobs.c.cursor == bindparam("stood")).values(
    cursor=bindparam("stands"), updated_at=bindparam("at"))
_DONE = update(jobs).where(jobs.c.id == bindparam("job"), jobs.c.state == "waiting").values(
    state="done", updated_at=bindparam("at"))
_PAGES = [each.page() for each in SEALED]
_REPLACE = [[(column, each.label(column), each.replacing(column)) for column in each.columns] for each in SEALED]
_NOT_UNDER = [each.not_under() for each in SEALED]


def begin(tx: Tx, now: datetime) -> str:
    """The job that is under way, or a new one; gives its id."""
    if row := tx.one(_OPEN):
        return str(row[0])
    job = tx.new_id(now)
    tx.run(_ADD, id=job, kind=KIND, person_id=None, state="waiting", fields=None, cursor="", leased_until=0,
           created_at=millis(now), updated_at=millis(now))
    return job


def under_way(tx: Tx) -> int | None:
    """Since when (milliseconds) a rotation is under way; None where none is."""
    row = tx.one(_OPEN)
    return int(row[2]) if row else None


def step(tx: Tx, now: datetime) -> bool:
    """Does one chunk of the job under way; False where there is none, or all tables were gone through."""
    row = tx.one(_OPEN)
    if row is None:
        return False
    job, cursor, _ = row
    number, after = orjson.loads(cursor) if cursor else (0, [])
    if number == len(SEALED):
        return False
    sealed = SEALED[number]
    width = len(sealed.key)
    rows = tx.all(_PAGES[number], count=sealed.chunk,
                  **{f"after_{n}": value for n, value in enumerate(after or [""] * width)})
    current = tx.keys.current.encode() + b":"
    for found in rows:
        _reseal(tx, number, found[:width], found[width:], current)
    stands = [number, list(rows[-1][:width])] if len(rows) == sealed.chunk else [number + 1, []]
    tx.run(_MOVE, job=job, stood=cursor, stands=orjson.dumps(stands).decode(), at=millis(now))
    return True


def _reseal(tx: Tx, number: int, key: Row, values: Row, current: bytes) -> None:
    row_id = ":".join(key)
    this = {f"this_{n}": value for n, value in enumerate(key)}
    for (_, label, replacing), old in zip(_REPLACE[number], values, strict=True):
        if old is not None and not bytes(old).startswith(current):
            new = tx.keys.seal(tx.keys.open(old, label, row_id), label, row_id)
            tx.run(replacing, old=old, new=new, **this)


def left(tx: Tx) -> str | None:
    """The name of a table in which a value is sealed under another key than the newest; None where none is."""
    prefix = tx.keys.current.encode() + b":"
    for sealed, statement in zip(SEALED, _NOT_UNDER, strict=True):
        if tx.one(statement, prefix=prefix, length=len(prefix)) is not None:
            return sealed.table.name
    return None


def again(tx: Tx, now: datetime) -> None:
    """Begins with the first table once more: something was sealed under an older key meanwhile."""
    if row := tx.one(_OPEN):
        tx.run(_MOVE, job=row[0], stood=row[1], stands="", at=millis(now))


def end(tx: Tx, now: datetime) -> bool:
    """The job under way is done: nothing is sealed under an older key any more, and the file has no older one."""
    row = tx.one(_OPEN)
    return row is not None and tx.run(_DONE, job=row[0], at=millis(now)) == 1
