"""How many reminders a person was sent on a day: counted in the unit of work that leases the message."""

from datetime import date

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.tables import quotas

_insert = insert(quotas)
_COUNT = _insert.on_conflict_do_update(
    index_elements=["person_id", "day"], set_={"count": quotas.c.count + 1}, where=quotas.c.count < bindparam("most"))
_THIS = (quotas.c.person_id == bindparam("person"), quotas.c.day == bindparam("on_day"))
_GIVE_BACK = update(quotas).where(*_THIS, quotas.c.count > 0).values(count=quotas.c.count - 1)
_USED = select(quotas.c.count).where(*_THIS)


def count(tx: Tx, person_id: str, day: date, most: int) -> bool:
    """Counts one more; False, and nothing counted, where the person has had the most of that day (one or more)."""
    return tx.run(_COUNT, person_id=person_id, day=day.isoformat(), count=1, most=most) == 1


def give_back(tx: Tx, person_id: str, day: date) -> None:
    """What was counted did not leave."""
    tx.run(_GIVE_BACK, person=person_id, on_day=day.isoformat())


def used(tx: Tx, person_id: str, day: date) -> int:
    """How many reminders the person was sent on that day."""
    row = tx.one(_USED, person=person_id, on_day=day.isoformat())
    return int(row[0]) if row else 0
