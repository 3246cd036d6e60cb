"""A few named values of the whole installation."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.tables import meta

_insert = insert(meta)
_SET = _insert.on_conflict_do_update(index_elements=["name"], set_={"value": _insert.excluded.value})
_GET = select(meta.c.value).where(meta.c.name == bindparam("called"))


def get(tx: Tx, name: str) -> str | None:
    row = tx.one(_GET, called=name)
    return row[0] if row else None


def put(tx: Tx, name: str, value: str) -> None:
    tx.run(_SET, name=name, value=value)
