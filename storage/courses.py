"""The course of an elder's file: what was the case from which day on. Only added to: due windows and figures of any
time are derived from it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from storage.database import Tx
from storage.ids import millis
from storage.tables import courses

_ADD = insert(courses)
_COLUMNS = (courses.c.id, courses.c.what, courses.c.from_on, courses.c.value, courses.c.entered_at)
_OF = select(*_COLUMNS).where(courses.c.elder_id == bindparam("elder"))


@dataclass(frozen=True, slots=True)
class Change:
    """From `from_on` (ISO) on it was so; entered at (milliseconds).

    `what`: class (priority, general), standing (active, `paused hospital`, `closed died` …), wish, village (its id).
    """

    id: str
    what: str
    from_on: str
    value: str
    entered_at: int

    @property
    def entered(self) -> tuple[int, str]:
        """What orders changes by when they were entered; ids grow."""
        return self.entered_at, self.id


def of(tx: Tx, elder_id: str) -> list[Change]:
    """Everything that is known of one elder. For the program's own work: so no Scope."""
    return [Change(*row) for row in tx.all(_OF, elder=elder_id)]


def keep(tx: Tx, elder_id: str, changes: Sequence[tuple[str, str, str]], now: datetime) -> None:
    """Adds what is so from a day on: (what, day in ISO, value) each, in order."""
    if changes:
        tx.many(_ADD, [{"id": tx.new_id(now), "elder_id": elder_id, "what": what, "from_on": from_on, "value": value,
                        "entered_at": millis(now)} for what, from_on, value in changes])
