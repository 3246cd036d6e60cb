"""For the sweep of reminders: who is to be told of the elders whose day has come. The clock is nobody: so no Scope.

`remind_on` is the next day on which somebody is to be told of an elder; none where nothing is due.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from storage.database import Tx
from storage.leaves import away
from storage.people import COORDINATING
from storage.postponements import said
from storage.tables import accounts, areas, assignments, elders, people, posts

CARING = ("visitor", "stand_in", "first_contact")

_due = select(elders.c.id, elders.c.village_id, elders.c.due_until, elders.c.remind_on).where(
    elders.c.remind_on <= bindparam("today")).order_by(elders.c.remind_on, elders.c.id).limit(
    bindparam("count")).subquery("due")
_care = assignments.alias("care")
_IN_OFFICE = and_(people.c.status == "active", ~away(people.c.id, "today"))
_WRITABLE = and_(accounts.c.person_id == people.c.id, accounts.c.state == "active", accounts.c.blocked_at.is_(None))
_WHO = (people.c.id, people.c.digest_at, people.c.how_much, people.c.preferred, accounts.c.channel, accounts.c.chat,
        accounts.c.bound_at)
_CHUNK = select(
    _due.c.id, _due.c.remind_on, _due.c.due_until, _due.c.village_id, _care.c.role,
    said(people.c.id, _due.c.id).label("said"), *_WHO,
).select_from(_due.outerjoin(_care, and_(
    _care.c.elder_id == _due.c.id, or_(*[_care.c.role == role for role in CARING]),
    _care.c.from_on <= bindparam("today"), or_(_care.c.until_on.is_(None), _care.c.until_on >= bindparam("today")),
)).outerjoin(people, and_(people.c.id == _care.c.person_id, _IN_OFFICE)).outerjoin(accounts, _WRITABLE)).order_by(
    _due.c.remind_on, _due.c.id, _care.c.person_id)  # to the last, or two runs would tell people in another order

_village, _township, _county = areas.alias("village"), areas.alias("township"), areas.alias("county")


SLOTS = 25  # villages or people of one statement


def _one_of(column: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*[column == bindparam(f"id_{n}") for n in range(SLOTS)])


# posts at whatever rank over some villages; who of those people is there. Not with one statement: for it PostgreSQL
# takes the posts for many, and reads all people
_POSTS = select(_village.c.id, posts.c.role, posts.c.person_id).select_from(
    _village.outerjoin(_township, _township.c.id == _village.c.parent_id)
    .outerjoin(_county, _county.c.id == _township.c.parent_id)
    .join(posts, and_(
        or_(posts.c.area_id == _village.c.id, posts.c.area_id == _township.c.id, posts.c.area_id == _county.c.id,
            posts.c.area_id == _county.c.parent_id), or_(*[posts.c.role == role for role in COORDINATING]))),
).where(_one_of(_village.c.id))
_PEOPLE = select(*_WHO).select_from(people.outerjoin(accounts, _WRITABLE)).where(_IN_OFFICE, _one_of(people.c.id))
_MOVE = update(elders).where(  # as a pair, which is one range of the index
    elders.c.remind_on.is_not(None),
    tuple_(elders.c.remind_on, elders.c.id) <= tuple_(bindparam("last_on"), bindparam("last"))).values(
    remind_on=case((elders.c.due_until < bindparam("long_ago"), bindparam("in_a_week")), else_=bindparam("next_day")))
_SOONER = update(elders).where(elders.c.id == bindparam("elder"), elders.c.remind_on > bindparam("day")).values(
    remind_on=bindparam("day"))


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who may be told: his choices, and channel and chat where he can be written to."""

    person_id: str
    digest_at: str | None
    how_much: str | None
    where: tuple[str, str] | None


@dataclass(slots=True)
class Due:
    """An elder whose day has come: ISO days, and who is there for him (role, the day he said that he goes, who)."""

    elder_id: str
    remind_on: str
    due_until: str
    village_id: str
    carers: list[tuple[str, str, str]]


Ranks = dict[str, list[str]]  # post: the ids of those who hold it over a village


def chunk(tx: Tx, today: date, count: int) -> tuple[list[Due], dict[str, Addressee]]:
    """The next elders of whom somebody is to be told by today, and their carers by id: in office and not on leave."""
    found: dict[str, Due] = {}
    who = _Addressees()
    for elder, remind_on, due_until, village, role, on_day, *person in tx.all(
            _CHUNK, today=today.isoformat(), count=count):
        due = found.get(elder)
        if due is None:
            due = found[elder] = Due(elder, remind_on, due_until, village, [])
        if person[0] is not None:
            who.take(person)
            carer = (role, on_day, person[0])
            if carer not in due.carers:  # once for each of his accounts
                due.carers.append(carer)
    return list(found.values()), who.known()


def coordinators(tx: Tx, today: date, villages: Collection[str]) -> tuple[dict[str, Ranks], dict[str, Addressee]]:
    """For each of these villages who coordinates it, post by post, and they by id."""
    held = [row for ids in _portions(villages) for row in tx.all(_POSTS, **ids)]
    who = _Addressees()
    for ids in _portions({person for _, _, person in held}):
        for row in tx.all(_PEOPLE, today=today.isoformat(), **ids):
            who.take(row)
    known = who.known()
    found: dict[str, Ranks] = {village: {} for village in villages}
    for village, role, person in held:
        if person in known:
            found[village].setdefault(role, []).append(person)
    return found, known


def ranks(tx: Tx, village_id: str, today: date) -> Ranks:
    """Who coordinates one village, post by post, of those in office and not on leave."""
    return coordinators(tx, today, [village_id])[0][village_id]


def told(ranks: Ranks, role: str) -> Sequence[str]:
    """Who is told there of what concerns this post: those who hold it, or where nobody does, the next one above."""
    return next((ranks[each] for each in COORDINATING[COORDINATING.index(role):] if ranks.get(each)), ())


def move(tx: Tx, last: Due, today: date, daily: int) -> None:
    """All of the chunk up to its last one are told of again on the next day, in a week who is longer overdue than
    `daily` days.

    Not who was seen meanwhile: his day is another. Who came in meanwhile has his turn then.
    """
    tx.run(_MOVE, last_on=last.remind_on, last=last.elder_id, next_day=(today + timedelta(days=1)).isoformat(),
           in_a_week=(today + timedelta(days=7)).isoformat(), long_ago=(today - timedelta(days=daily)).isoformat())


def sooner(tx: Tx, elder_id: str, day: str) -> None:
    """Somebody is to be told of an elder on this day (ISO) already, where a later one stands."""
    tx.run(_SOONER, elder=elder_id, day=day)


def _portions(ids: Iterable[str]) -> Iterator[dict[str, str]]:
    """Values for statements on SLOTS ids each; the last ones are filled up."""
    left = sorted(ids)
    for at in range(0, len(left), SLOTS):
        here = left[at:at + SLOTS]
        yield {f"id_{n}": here[min(n, len(here) - 1)] for n in range(SLOTS)}


class _Addressees:
    """People from rows that come once for each account: the channel he prefers, else the one bound last."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[tuple[bool, int], Sequence[Any]]] = {}

    def take(self, row: Sequence[Any]) -> None:
        """Keeps the better of this row and what was known."""
        person, _, _, preferred, channel, _, bound_at = row
        rank = (channel is not None and channel == preferred, bound_at or 0)
        known = self._best.get(person)
        if known is None or rank > known[0]:
            self._best[person] = (rank, row)

    def known(self) -> dict[str, Addressee]:
        return {person: Addressee(person, digest_at, how_much, (channel, chat) if channel else None)
                for person, (_, (_, digest_at, how_much, _, channel, chat, _)) in self._best.items()}
