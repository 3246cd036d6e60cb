"""Files that come up again by time: not gone through for long, or whose elder is to be asked again (C3)."""

from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select

from storage import elders
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope, within
from storage.tables import elders as table
from storage.tables import wishes

_OLD = (table.c.status != "closed", or_(table.c.reviewed_on.is_(None), table.c.reviewed_on <= bindparam("since")))
# what a spreadsheet says of the wish has no day: it counts from the filing on
_ASKED = func.coalesce(
    select(func.max(wishes.c.on_day)).where(wishes.c.elder_id == table.c.id).scalar_subquery(), table.c.registered_on)
_AGAIN = (table.c.status != "closed", or_(table.c.wish == "unwilling", table.c.wish == "undecided"),
          bindparam("until") >= _ASKED)


def _listed(*conditions: Any, by: str) -> Select[Any]:
    found = within(elders.BRIEF.where(*conditions)).subquery()  # who was never gone through comes first, everywhere
    return select(found).order_by(func.coalesce(found.c[by], ""), found.c.elder_id).limit(bindparam("count")).offset(
        bindparam("skip"))


_OLD_ONES, _AGAIN_ONES = _listed(*_OLD, by="reviewed_on"), _listed(*_AGAIN, by="due_until")
_OLD_COUNT = select(func.count()).select_from(within(select(table.c.id).where(*_OLD)).subquery())
_AGAIN_COUNT = select(func.count()).select_from(within(select(table.c.id).where(*_AGAIN)).subquery())


def old(tx: Tx, scope: Scope, since: str, count: int, skip: int = 0) -> list[Elder]:
    """Open files last gone through on this day (ISO) or before, the oldest first."""
    return [Elder(*row) for row in tx.all(_OLD_ONES, since=since, count=count, skip=skip, **scope.values)]


def old_count(tx: Tx, scope: Scope, since: str) -> int:
    row = tx.one(_OLD_COUNT, since=since, **scope.values)
    return int(row[0]) if row else 0


def ask_again(tx: Tx, scope: Scope, until: str, count: int, skip: int = 0) -> list[Elder]:
    """Who was last asked on this day (ISO) or before, and did not want visits or was not sure."""
    return [Elder(*row) for row in tx.all(_AGAIN_ONES, until=until, count=count, skip=skip, **scope.values)]


def ask_again_count(tx: Tx, scope: Scope, until: str) -> int:
    row = tx.one(_AGAIN_COUNT, until=until, **scope.values)
    return int(row[0]) if row else 0
