"""A few named values of the whole installation."""

from sqlalchemy import BigInteger, Text, bindparam, cast, select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.tables import meta

_insert = insert(meta)
_SET = _insert.on_conflict_do_update(index_elements=["name"], set_={"value": _insert.excluded.value})
_COUNT = insert(meta).values(name=bindparam("called"), value="1").on_conflict_do_update(index_elements=["name"], set_={
    "value": cast(cast(meta.c.value, BigInteger) + 1, Text)}).returning(meta.c.value)
_GET = select(meta.c.value).where(meta.c.name == bindparam("called"))


def get(tx: Tx, name: str) -> str | None:
    row = tx.one(_GET, called=name)
    return row[0] if row else None


def put(tx: Tx, name: str, value: str) -> None:
    tx.run(_SET, name=name, value=value)


def count_up(tx: Tx, name: str) -> int:
    """The next number of a count that begins with 1, which until the end of this work nobody else gets."""
    row = tx.one(_COUNT, called=name)
    assert row is not None  # it is made, or counted up
    return int(row[0])
