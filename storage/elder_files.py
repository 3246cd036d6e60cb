"""A whole file (一人一档): read with all that is sealed, written anew, paused, closed, opened again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import bindparam, insert, not_, or_, select, update

from storage.database import Tx
from storage.elders import NewElder, Standing
from storage.ids import millis
from storage.scope import ELDER_IN_SCOPE, HELD_HERE, Scope
from storage.tables import areas, elders, wishes

Status = Literal["active", "paused", "closed"]

_village, _township = areas.alias("village"), areas.alias("township")
_THIS = elders.c.id == bindparam("elder")
_COLUMNS = (
    elders.c.village_id, elders.c.group_name, elders.c.name, elders.c.initials, elders.c.sex, elders.c.birth,
    elders.c.categories, elders.c.ability, elders.c.registered_on, elders.c.disability_grade, elders.c.id_number,
    elders.c.phone, elders.c.facts, elders.c.visits_made, elders.c.earlier_visit_on, elders.c.number, elders.c.wish)
_WHOLE = select(*_COLUMNS).where(ELDER_IN_SCOPE, _THIS)
_UNSCOPED = select(*_COLUMNS).where(_THIS)
_OF_AREA = (
    select(*_COLUMNS, elders.c.id, _village.c.name, _township.c.name, elders.c.care_class)
    .select_from(elders.join(_village, _village.c.id == elders.c.village_id).outerjoin(
        _township, _township.c.id == _village.c.parent_id))
    .where(HELD_HERE, _village.c.path >= bindparam("path"), _village.c.path < bindparam("path_end"),
           elders.c.status != "closed", elders.c.id > bindparam("after"))
    .order_by(elders.c.id).limit(bindparam("count"))
)
_NOT_ERASED = or_(elders.c.condition.is_(None), elders.c.condition != "erased")  # what is erased stays so
_REWRITE = update(elders).where(_THIS, _NOT_ERASED).values(**{
    name: bindparam(f"new_{name}") for name in (
        "village_id", "group_name", "name", "initials", "sex", "birth", "categories", "ability", "registered_on",
        "disability_grade", "id_number", "id_index", "phone", "facts", "number", "wish", "missing", "class_until",
        "visits_made", "earlier_visit_on")})
_REVIEWED = update(elders).where(_THIS).values(reviewed_on=bindparam("on_day"))
_CONDITION = update(elders).where(_THIS, _NOT_ERASED).values(
    status=bindparam("new_status"), condition=bindparam("why"), condition_since=bindparam("since"),
    condition_until=bindparam("until"))
_PAUSES = select(elders.c.id, elders.c.village_id, elders.c.condition_until).where(
    elders.c.status == "paused", elders.c.condition_until <= bindparam("on_day")).order_by(
    elders.c.condition_until, elders.c.id).limit(bindparam("count"))
_LATER = select(wishes.c.id).where(wishes.c.elder_id == elders.c.id, wishes.c.on_day > bindparam("asked_on")).exists()
_WISH = update(elders).where(_THIS, _NOT_ERASED, not_(_LATER)).values(wish=bindparam("new_wish"))
_STANDS = select(elders.c.id).where(_THIS, _NOT_ERASED)
_KEEP_WISH = insert(wishes)
_WISHES = select(wishes.c.wish, wishes.c.basis, wishes.c.on_day, wishes.c.asked_by).where(
    wishes.c.elder_id == bindparam("elder")).order_by(wishes.c.on_day.desc(), wishes.c.written_at.desc())


@dataclass(frozen=True, slots=True)
class Wish:
    """Once that an elder was asked: willing, unwilling or undecided; the legal basis of his file; ISO day; by whom."""

    wish: str
    basis: str
    on_day: str
    asked_by: str | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A whole file in a list, with the names of where it is."""

    id: str
    village: str
    township: str
    file: NewElder
    care_class: str


def read(tx: Tx, scope: Scope, elder_id: str) -> NewElder | None:
    """The whole file, ID number and phone in clear. The caller notes on the audit chain which fields are shown."""
    row = tx.one(_WHOLE, elder=elder_id, **scope.values)
    return _opened(tx, elder_id, row) if row else None


def unscoped(tx: Tx, elder_id: str) -> NewElder | None:
    """The whole file, for the clock: nobody sees it."""
    row = tx.one(_UNSCOPED, elder=elder_id)
    return _opened(tx, elder_id, row) if row else None


def of_area(tx: Tx, scope: Scope, path: str, after: str, count: int) -> list[Placed]:
    """The next files that are not closed, by id, in a part of the area that the scope's person coordinates.

    `path` is that part's, `after` the id of the last of those before. The caller notes it on the audit chain.
    """
    rows = tx.all(_OF_AREA, path=path, path_end=path + "~", after=after, count=count, scope_person=scope.person_id)
    return [Placed(elder, village, township or "", _opened(tx, elder, columns), care_class)
            for *columns, elder, village, township, care_class in rows]


def _opened(tx: Tx, elder_id: str, row: Sequence[Any]) -> NewElder:
    (village_id, group, name, initials, sex, birth, categories, ability, registered_on, grade, id_number, phone, facts,
     visits_made, earlier, number, wish) = row

    def opened(column: str, sealed: bytes | None) -> bytes:
        return tx.keys.open(sealed, f"elders.{column}", elder_id) if sealed else b""

    return NewElder(
        village_id, group, name, initials, sex, birth, categories.split(), ability, registered_on, grade,
        opened("id_number", id_number).decode(), opened("phone", phone).decode(),
        orjson.loads(opened("facts", facts) or b"{}"), visits_made, earlier, number, wish)


def rewrite(tx: Tx, elder_id: str, new: NewElder, standing: Standing) -> None:
    """Writes a whole file anew; `new.number` must be given. Called by casework only, which derives the rest."""
    def sealed(column: str, value: bytes) -> bytes | None:
        return tx.keys.seal(value, f"elders.{column}", elder_id) if value else None

    tx.run(_REWRITE, elder=elder_id, new_village_id=new.village_id, new_group_name=new.group_name, new_name=new.name,
           new_initials=new.initials, new_sex=new.sex, new_birth=new.birth, new_categories=" ".join(new.categories),
           new_ability=new.ability, new_registered_on=new.registered_on, new_disability_grade=new.disability_grade,
           new_id_number=sealed("id_number", new.id_number.encode()),
           new_id_index=tx.keys.blind(new.id_number, "elders.id_number") if new.id_number else None,
           new_phone=sealed("phone", new.phone.encode()),
           new_facts=sealed("facts", orjson.dumps(new.facts) if new.facts else b""), new_number=new.number,
           new_wish=new.wish, new_missing=" ".join(standing.missing), new_class_until=standing.class_until,
           new_visits_made=new.visits_made, new_earlier_visit_on=new.earlier_visit_on)


def moved(file: NewElder, village_id: str, number: int) -> NewElder:
    """The file as it begins in another village: group and address are not known yet."""
    return replace(file, village_id=village_id, number=number, group_name="",
                   facts={name: value for name, value in file.facts.items() if name != "address"})


def pauses_until(tx: Tx, day: str, count: int) -> list[tuple[str, str, str]]:
    """Elder, village and last day (ISO) of those paused until this day or before."""
    return [(elder, village, until) for elder, village, until in tx.all(_PAUSES, on_day=day, count=count)]


def reviewed(tx: Tx, elder_id: str, day: str) -> None:
    """The file was gone through on this day (half-year refresh, C3)."""
    tx.run(_REVIEWED, elder=elder_id, on_day=day)


def set_condition(tx: Tx, elder_id: str, status: Status, why: str | None, since: str | None,
                  until: str | None = None) -> None:
    """Pauses, closes or opens a file again, with the reason and from when (ISO), and until when where it ends."""
    tx.run(_CONDITION, elder=elder_id, new_status=status, why=why, since=since, until=until)


def keep_wish(tx: Tx, elder_id: str, wish: Wish, now: datetime) -> bool:
    """Keeps what the elder said about being visited; True where it is the newest, which stands in his file.

    Of a later day he may have been asked already. Where all is erased nothing is kept.
    """
    newest = tx.run(_WISH, elder=elder_id, asked_on=wish.on_day, new_wish=wish.wish) == 1
    if not newest and tx.one(_STANDS, elder=elder_id) is None:
        return False
    tx.run(_KEEP_WISH, id=tx.new_id(now), elder_id=elder_id, wish=wish.wish, basis=wish.basis, on_day=wish.on_day,
           asked_by=wish.asked_by, written_at=millis(now))
    return newest


def wishes_of(tx: Tx, elder_id: str) -> Sequence[Wish]:
    """Each time he was asked, the newest first."""
    return [Wish(*row) for row in tx.all(_WISHES, elder=elder_id)]
