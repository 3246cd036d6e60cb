"""The family's calls and what came of each: every child's own record, beside the visits, never instead (三(三)3)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import ELDER_IN_SCOPE, Scope
from storage.tables import contacts, elders, people

METHODS = ("phone", "wechat", "video")
OUTCOMES = ("fine", "trouble", "unreachable")

_ADD = insert(contacts).on_conflict_do_nothing(index_elements=["id"])
_COLUMNS = (contacts.c.id, contacts.c.elder_id, contacts.c.person_id, contacts.c.on_day, contacts.c.at,
            contacts.c.method, contacts.c.outcome, contacts.c.words)
_OWN = contacts.c.person_id == bindparam("scope_person")
_ONE = select(*_COLUMNS).where(contacts.c.id == bindparam("contact"), _OWN)
_MINE = select(*_COLUMNS).where(contacts.c.elder_id == bindparam("elder"), _OWN).order_by(
    contacts.c.at.desc(), contacts.c.id.desc()).limit(bindparam("count"))
_ALL = select(*_COLUMNS).select_from(contacts.join(elders, elders.c.id == contacts.c.elder_id)).where(
    contacts.c.elder_id == bindparam("elder"), ELDER_IN_SCOPE).order_by(contacts.c.at, contacts.c.id)
_METHOD = update(contacts).where(contacts.c.id == bindparam("contact"), contacts.c.person_id == bindparam("person"),
                                 contacts.c.outcome == "fine").values(method=bindparam("by_method"))
_of_elders = contacts.join(elders, elders.c.id == contacts.c.elder_id)
_COUNT = select(func.count()).select_from(_of_elders).where(
    contacts.c.elder_id == bindparam("elder"), contacts.c.on_day >= bindparam("since"), ELDER_IN_SCOPE)
_LAST = select(contacts.c.on_day, contacts.c.method, contacts.c.outcome, people.c.name).select_from(
    _of_elders.join(people, people.c.id == contacts.c.person_id)).where(
    contacts.c.elder_id == bindparam("elder"), ELDER_IN_SCOPE).order_by(
    contacts.c.at.desc(), contacts.c.id.desc()).limit(1)
_REACHED = select(func.max(contacts.c.at)).where(
    contacts.c.elder_id == bindparam("elder"), contacts.c.at <= bindparam("until"),
    or_(contacts.c.outcome == "fine", contacts.c.outcome == "trouble"))
_IN_VAIN = select(func.count()).where(
    contacts.c.elder_id == bindparam("elder"), contacts.c.outcome == "unreachable", contacts.c.at >= bindparam("since"),
    contacts.c.at <= bindparam("until"))


@dataclass(frozen=True, slots=True)
class Contact:
    """One call of one child: ISO day, method, what came of it (fine, trouble, unreachable), and his words."""

    id: str
    elder_id: str
    person_id: str
    on_day: str
    at: datetime
    method: str
    outcome: str
    words: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the visits: how many calls since a day, and the last one with who made it."""

    count: int
    on_day: str
    method: str
    outcome: str
    name: str


def id_of(person_id: str, elder_id: str, stamp: int) -> str:
    """The id of a child's answer to one asking (`stamp`): however often and wherever it is given, it is one row."""
    return hashlib.sha256(f"{person_id}:{elder_id}:{stamp}".encode()).hexdigest()[:32]


def add(tx: Tx, contact: Contact) -> bool:
    """Keeps a call; False where this asking was answered before."""
    sealed = tx.keys.seal(contact.words.encode(), "contacts.words", contact.id) if contact.words else None
    added = tx.run(_ADD, id=contact.id, elder_id=contact.elder_id, person_id=contact.person_id, on_day=contact.on_day,
                   at=millis(contact.at), method=contact.method, outcome=contact.outcome, words=sealed) == 1
    if added:
        tx.note(contact.at, contact.person_id, "contact.add", contact.elder_id, [contact.outcome])
    return added


def set_method(tx: Tx, person_id: str, contact: str, method: str) -> bool:
    """How the child reached him, said afterwards; False where it is not his call."""
    return tx.run(_METHOD, contact=contact, person=person_id, by_method=method) == 1


def find(tx: Tx, scope: Scope, contact: str) -> Contact | None:
    """A call of the scope's person himself: nobody reads another child's words here."""
    row = tx.one(_ONE, contact=contact, scope_person=scope.person_id)
    return _opened(tx, row) if row else None


def mine(tx: Tx, scope: Scope, elder_id: str, count: int) -> list[Contact]:
    """The last calls of the scope's person himself, newest first."""
    return [_opened(tx, row) for row in tx.all(_MINE, elder=elder_id, count=count, scope_person=scope.person_id)]


def all_of(tx: Tx, scope: Scope, elder_id: str) -> list[Contact]:
    """Every call about an elder of the scope, for himself. The caller notes the read on the audit chain."""
    return [_opened(tx, row) for row in tx.all(_ALL, elder=elder_id, **scope.values)]


def beside(tx: Tx, scope: Scope, elder_id: str, since: str) -> Beside | None:
    """For who visits: how often the children called since a day (ISO), and the last call; None: none ever."""
    last = tx.one(_LAST, elder=elder_id, **scope.values)
    counted = tx.one(_COUNT, elder=elder_id, since=since, **scope.values)
    return Beside(int(counted[0]) if counted else 0, *last) if last else None


def in_vain(tx: Tx, elder_id: str, since: datetime, until: datetime) -> int:
    """How often children of this elder, whichever, did not reach him between two times, and since one last did."""
    reached = tx.one(_REACHED, elder=elder_id, until=millis(until))
    begins = max(millis(since), int(reached[0]) + 1 if reached and reached[0] else 0)
    row = tx.one(_IN_VAIN, elder=elder_id, since=begins, until=millis(until))
    return int(row[0]) if row else 0


def _opened(tx: Tx, row: Row) -> Contact:
    contact, elder_id, person_id, on_day, at, method, outcome, words = row
    return Contact(contact, elder_id, person_id, on_day, instant(at), method, outcome,
                   tx.keys.open(words, "contacts.words", contact).decode() if words else "")
