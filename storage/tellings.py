"""What an elder said of whom of his family is told how he is, and of what not (哪些不告诉家属); the newest counts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from storage.database import Tx
from storage.ids import millis
from storage.scope import ELDER_IN_SCOPE, Scope
from storage.tables import elders, people, tellings

AREAS = ("health", "mood", "home", "economy", "needs")  # what may be kept from the family

_ADD = insert(tellings)
_asker = people.alias("asker")
_NEWEST = select(
    tellings.c.person_id, tellings.c.allowed, tellings.c.withheld, tellings.c.on_day, _asker.c.name).select_from(
    tellings.join(elders, elders.c.id == tellings.c.elder_id).outerjoin(
        _asker, _asker.c.id == tellings.c.asked_by)).where(
    tellings.c.elder_id == bindparam("elder"), tellings.c.person_id == bindparam("person"), ELDER_IN_SCOPE).order_by(
    tellings.c.on_day.desc(), tellings.c.written_at.desc(), tellings.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Telling:
    """The elder's word on one of his family: yes or no, the areas that he keeps to himself, when and who asked."""

    person_id: str
    allowed: bool
    withheld: frozenset[str]
    on_day: str
    asker: str


def add(tx: Tx, elder_id: str, person_id: str, *, allowed: bool, withheld: tuple[str, ...], on_day: str, by: str,
        now: datetime) -> None:
    """Keeps what the elder said on a day (ISO); earlier answers stay."""
    tx.run(_ADD, id=tx.new_id(now), elder_id=elder_id, person_id=person_id, allowed=int(allowed),
           withheld=" ".join(withheld), on_day=on_day, asked_by=by, written_at=millis(now))
    tx.note(now, by, "elder.telling", elder_id, [person_id])


def newest(tx: Tx, scope: Scope, elder_id: str, person_id: str) -> Telling | None:
    """What counts of one of the family; None where the elder was never asked."""
    row = tx.one(_NEWEST, elder=elder_id, person=person_id, **scope.values)
    if row is None:
        return None
    person, allowed, withheld, on_day, asker = row
    return Telling(person, bool(allowed), frozenset(withheld.split()), on_day, asker or "")
