"""People who care, what they may do and where: visitors, first contacts, families, coordinators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Text, and_, bindparam, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from storage.database import Tx, escaped
from storage.ids import millis
from storage.scope import PERSON_HELD, VILLAGES_HELD, Scope
from storage.tables import areas, assignments, people, posts

OWN = "self"  # an elder's own, for himself: his check-in, and who comes to see him
ROLES = (OWN, "visitor", "first_contact", "family", "village", "township", "county", "city", "operator")

_ADD = insert(people)
_POST = insert_or(posts).on_conflict_do_nothing(index_elements=["person_id", "role", "area_id"])
_ROLES = select(posts.c.role).where(posts.c.person_id == bindparam("person")).distinct()
_POSTS = select(posts.c.role, areas.c.id, areas.c.name).select_from(
    posts.join(areas, areas.c.id == posts.c.area_id)).where(posts.c.person_id == bindparam("person")).order_by(
    posts.c.role, areas.c.path)
_OPERATORS = select(people.c.id).where(people.c.status == "active", people.c.id.in_(
    select(posts.c.person_id).where(posts.c.role == "operator"))).order_by(people.c.id)
COORDINATING = ("village", "township", "county", "city")  # the lowest first
_place = areas.alias("place")
_OVER = posts.join(areas, areas.c.id == posts.c.area_id).join(
    _place, and_(_place.c.path >= areas.c.path, _place.c.path < areas.c.path + "~"))
_COORDINATORS = select(people.c.id).select_from(_OVER.join(people, people.c.id == posts.c.person_id)).where(
    _place.c.id == bindparam("area"), posts.c.role == bindparam("of_role"), people.c.status == "active").distinct()
_HELD_OVER = select(posts.c.role).select_from(_OVER).where(
    _place.c.id == bindparam("area"), posts.c.person_id == bindparam("person"))
_STATUS = update(people).where(people.c.id == bindparam("person"), people.c.status == bindparam("shown")).values(
    status=bindparam("new_status"), status_reason=bindparam("why"), status_since=bindparam("since"))
_REASON = select(people.c.status_reason).where(people.c.id == bindparam("person"))
_REVISED = ("visitor_kind", "minor_until", "guardian_consent_on", "organisation", "service")
_REVISE = update(people).where(people.c.id == bindparam("person")).values(
    {name: bindparam(f"new_{name}") for name in _REVISED})
_BY_ID = select(people.c.id, people.c.area_id, people.c.name, people.c.visitor_kind, people.c.status,
                people.c.minor_until, people.c.organisation, people.c.service, people.c.guardian_consent_on,
                people.c.status_since).where(people.c.id == bindparam("person"))
_HELD = _BY_ID.where(PERSON_HELD)
_HELD_NAMED = select(*_BY_ID.selected_columns).where(people.c.name == bindparam("called"), PERSON_HELD).order_by(
    people.c.id).limit(9)
_load = select(func.count()).select_from(assignments).where(
    assignments.c.person_id == people.c.id, assignments.c.role == "visitor",
    assignments.c.from_on <= bindparam("scope_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("scope_day"))).scalar_subquery()
_WORKS = select(posts.c.role).where(posts.c.person_id == people.c.id, posts.c.role != "family",
                                      posts.c.role != OWN).exists()
_HERE = (people.c.area_id.in_(VILLAGES_HELD), people.c.status != "left", _WORKS)
_ALL_HELD = select(*_BY_ID.selected_columns, areas.c.name.label("area"), _load.label("load")).select_from(
    people.join(areas, areas.c.id == people.c.area_id)).where(*_HERE).order_by(
    areas.c.path, people.c.name, people.c.id).limit(bindparam("count")).offset(bindparam("skip"))
_HOW_MANY = select(func.count()).select_from(people).where(*_HERE)
_their_area = areas.alias("their_area")
_WORKS_AT = select(posts.c.role).select_from(posts.join(_their_area, _their_area.c.id == posts.c.area_id)).where(
    posts.c.person_id == people.c.id, _their_area.c.name == bindparam("called")).exists()
_FOUND = or_(
    people.c.name.like(bindparam("part"), escape="\\"), people.c.organisation.like(bindparam("part"), escape="\\"),
    bindparam("kinds", type_=Text).like(literal("% ") + people.c.visitor_kind + literal(" %")), _WORKS_AT)
_SOME_HELD, _HOW_MANY_FOUND = _ALL_HELD.where(_FOUND), _HOW_MANY.where(_FOUND)
_NAMED = select(people.c.id).where(people.c.name == bindparam("called"), people.c.status == "active")
_PREFER = update(people).where(people.c.id == bindparam("person")).values(preferred=bindparam("channel"))
_PREFERRED = select(people.c.preferred).where(people.c.id == bindparam("person"))
_CHOICES = select(people.c.digest_at, people.c.how_much).where(people.c.id == bindparam("person"))
_CHOOSE = {name: update(people).where(people.c.id == bindparam("person")).values({name: bindparam("chosen")})
           for name in ("digest_at", "how_much")}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose of his digest: its hour (HH:MM), and `all` or `urgent`; None: as the policy has it, all."""

    digest_at: str | None = None
    how_much: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the bot works with; `status` is `active`, `suspended` or `left`, since an ISO day where that is kept."""

    id: str
    area_id: str
    name: str
    visitor_kind: str | None
    status: str
    minor_until: str | None = None  # the day (ISO) on which he comes of age
    organisation: str = ""
    service: str = ""  # what he does for elders, in words
    guardian_consent_on: str | None = None  # the day (ISO) on which the guardian of somebody under age agreed
    status_since: str | None = None


@dataclass(frozen=True, slots=True)
class Working:
    """Somebody at work, the name of his area, and how many elders are in his care."""

    person: Person
    area: str
    load: int


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody may do, and where: a role, and the area's id and name."""

    role: str
    area_id: str
    area: str


def add(tx: Tx, area_id: str, name: str, roles: tuple[str, ...], now: datetime, visitor_kind: str | None = None,
        organisation: str = "", minor_until: str | None = None, guardian_consent_on: str | None = None) -> Person:
    """A new person with these roles in this area."""
    person = Person(tx.new_id(now), area_id, name, visitor_kind, "active", minor_until, organisation,
                    guardian_consent_on=guardian_consent_on)
    tx.run(_ADD, id=person.id, area_id=area_id, name=name, visitor_kind=visitor_kind, status="active",
           created_at=millis(now), organisation=organisation, service="", minor_until=minor_until, preferred=None,
           guardian_consent_on=guardian_consent_on, status_reason=None, status_since=None, digest_at=None,
           how_much=None)
    for role in roles:
        tx.run(_POST, person_id=person.id, role=role, area_id=area_id)
    return person


def find(tx: Tx, person_id: str) -> Person | None:
    row = tx.one(_BY_ID, person=person_id)
    return Person(*row) if row else None


def held(tx: Tx, scope: Scope, person_id: str) -> Person | None:
    """Somebody all of whose posts and elders lie in the area that the scope's person coordinates."""
    row = tx.one(_HELD, person=person_id, **scope.values)
    return Person(*row) if row else None


def held_named(tx: Tx, scope: Scope, name: str) -> list[Person]:
    """Those of exactly this name, nine at most."""
    return [Person(*row) for row in tx.all(_HELD_NAMED, called=name, **scope.values)]


def all_held(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Working]]:
    """How many people work in the area that the scope's person coordinates, and a page of them by place and name."""
    row = tx.one(_HOW_MANY, scope_person=scope.person_id)
    page = tx.all(_ALL_HELD, count=count, skip=skip, **scope.values)
    return int(row[0]) if row else 0, [Working(Person(*person), area, load) for *person, area, load in page]


def search_held(tx: Tx, scope: Scope, text: str, kinds: Sequence[str], count: int, skip: int = 0,
                ) -> tuple[int, list[Working]]:
    """The same of those with the text in their name or organisation, of one of these kinds, or who work in the area of
    this name.
    """
    wanted = {"part": f"%{escaped(text)}%", "called": text, "kinds": f" {' '.join(kinds)} "}
    row = tx.one(_HOW_MANY_FOUND, scope_person=scope.person_id, **wanted)
    page = tx.all(_SOME_HELD, count=count, skip=skip, **scope.values, **wanted)
    return int(row[0]) if row else 0, [Working(Person(*person), area, load) for *person, area, load in page]


def named(tx: Tx, name: str) -> list[str]:
    """The ids of everybody of exactly this name who is in office, for an operator."""
    return [person for person, in tx.all(_NAMED, called=name)]


def prefer(tx: Tx, person_id: str, channel: str | None, now: datetime) -> None:
    """The channel on which a person wants to be written to: his own choice."""
    tx.run(_PREFER, person=person_id, channel=channel)
    tx.note(now, person_id, "person.prefer", person_id, ["preferred"])


def preferred(tx: Tx, person_id: str) -> str | None:
    """The channel he chose."""
    row = tx.one(_PREFERRED, person=person_id)
    return row[0] if row else None


def choices(tx: Tx, person_id: str) -> Choices:
    """What he chose of his digest."""
    row = tx.one(_CHOICES, person=person_id)
    return Choices(*row) if row else Choices()


def choose(tx: Tx, person_id: str, what: Literal["digest_at", "how_much"], chosen: str, now: datetime) -> None:
    """Keeps a choice of his own. The caller has looked that it may be chosen."""
    tx.run(_CHOOSE[what], person=person_id, chosen=chosen)
    tx.note(now, person_id, "person.choose", person_id, [what])


def roles(tx: Tx, person_id: str) -> frozenset[str]:
    """What the person may be, anywhere."""
    return frozenset(role for role, in tx.all(_ROLES, person=person_id))


def posts_of(tx: Tx, person_id: str) -> list[Post]:
    """Every role of the person with its area."""
    return [Post(*row) for row in tx.all(_POSTS, person=person_id)]


def operators(tx: Tx) -> list[str]:
    """The ids of those who run the installation, and are in office."""
    return [person for person, in tx.all(_OPERATORS)]


def coordinators(tx: Tx, area_id: str, role: str) -> list[str]:
    """The ids of those active who hold this post over an area: for the area itself, or one that it lies in."""
    return [person for person, in tx.all(_COORDINATORS, area=area_id, of_role=role)]


def nearest_coordinators(tx: Tx, area_id: str, besides: str = "") -> list[str]:
    """Those over an area of the lowest rank that has any besides this person."""
    for role in COORDINATING:
        if found := sorted(person for person in coordinators(tx, area_id, role) if person != besides):
            return found
    return []


def coordinates(tx: Tx, person_id: str, area_id: str, role: str) -> bool:
    """Whether the person holds this post over the area, or a higher one (a county for a township)."""
    ranks = COORDINATING[COORDINATING.index(role):]
    return any(held in ranks for held, in tx.all(_HELD_OVER, person=person_id, area=area_id))


def suspend(tx: Tx, person_id: str, by: str, now: datetime, *, leaves: bool = False, shown: str = "active",
            reason: str = "", since: str | None = None) -> bool:
    """From the next message on this person can do nothing; who leaves is not to come back.

    `since` is the day (ISO). False where his status is not any more the one that was `shown`.
    """
    done = _stands(tx, person_id, shown, "left" if leaves else "suspended", reason, since)
    if done:
        tx.note(now, by, "person.leave" if leaves else "person.suspend", person_id)
    return done


def activate(tx: Tx, person_id: str, by: str, now: datetime, *, shown: str, since: str) -> bool:
    """The person may work again, from this day (ISO); False where his status is not any more the one `shown`."""
    done = _stands(tx, person_id, shown, "active", "", since)
    if done:
        tx.note(now, by, "person.activate", person_id)
    return done


def _stands(tx: Tx, person_id: str, shown: str, status: str, reason: str, since: str | None) -> bool:
    why = tx.keys.seal(reason.encode(), "people.status_reason", person_id) if reason else None
    return tx.run(_STATUS, person=person_id, shown=shown, new_status=status, why=why, since=since) == 1


def why_suspended(tx: Tx, person_id: str) -> str:
    """What was said when he was suspended; empty where nothing was. The caller notes it on the audit chain."""
    row = tx.one(_REASON, person=person_id)
    return tx.keys.open(row[0], "people.status_reason", person_id).decode() if row and row[0] else ""


def revise(tx: Tx, before: Person, after: Person, by: str, now: datetime) -> list[str]:
    """Writes kind, organisation, service, and the days of somebody under age anew; gives the names of what changed."""
    changed = [name for name in _REVISED if getattr(before, name) != getattr(after, name)]
    if changed:
        tx.run(_REVISE, person=before.id, **{f"new_{name}": getattr(after, name) for name in _REVISED})
        tx.note(now, by, "person.revise", before.id, changed)
    return changed
