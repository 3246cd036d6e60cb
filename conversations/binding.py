"""Who opens an invitation or types a spoken code: the only door by which an account becomes somebody's.

A link binds at once: it holds 128 bits, and was sent to him. A code has six digits and was said aloud: who typed
it waits until the coordinator who invited says that it is he. What was wrong about a code is never told.
"""

import re
import unicodedata
from datetime import date, datetime

from conversations import offices
from conversations.engine import Part
from conversations.message import Inbound
from scheduler import notices
from scheduler.notices import Bound, BoundElsewhere, Guessing, Notice, ToIdentify
from storage import accounts, guesses, invitations, people
from storage.accounts import Writer
from storage.database import Tx
from storage.invitations import Invitation
from storage.scope import Scope

Parts = tuple[Part, ...]
CODE = re.compile(r"\d{6}")
LONGEST_TOKEN = 200
TOO_MANY: Parts = (("binding.too_many", {}),)


def opened(tx: Tx, inbound: Inbound, writer: Writer | None, token: str, today: date, now: datetime,
           ) -> tuple[Parts, bool]:
    """What the bearer of a link is told, and whether this account is bound and active now."""
    here = _owner(tx, writer)
    if here is not None and here.status == "suspended":
        return (("menu.suspended", {}),), False
    if guesses.spent(tx, inbound.channel, inbound.account, now):
        return TOO_MANY, False
    found = invitations.by_token(tx, token[:LONGEST_TOKEN])
    state = found.state(now) if found else "unknown"
    if here is not None and writer is not None and writer.active:
        if found is not None and found.person_id == here.id and state in ("open", "used"):
            return (("binding.already", {}),), True
        if found is not None and state == "open":  # his drafts and his elders stay his: nobody takes over his account
            _wrong(tx, inbound, now)
            return (("binding.somebody_elses", {"name": here.name, "invited": found.name}),), False
    if found is not None and state == "open":
        state = "revoked" if not _may_come(tx, found) else "open" if _taken(tx, found, inbound, today, now) else "used"
    if found is None or state != "open":
        _wrong(tx, inbound, now)
        return ((f"binding.invitation_{state}", {}),), False
    return (("binding.welcome", {
        "name": found.name, "offices": offices.of(tx, found.person_id, today), "by": _maker(tx, found)}),), True


def said(tx: Tx, inbound: Inbound, today: date, now: datetime) -> Parts:
    """What somebody unknown is told: six digits are taken for a spoken code."""
    code = "".join(unicodedata.normalize("NFKC", inbound.text).split())
    if not CODE.fullmatch(code) and inbound.called and _listed(tx, inbound, today, now):
        return (("binding.wait", {}),)
    if not CODE.fullmatch(code) or not code.isascii():
        return (("binding.stranger", {}),)
    if guesses.spent(tx, inbound.channel, inbound.account, now) or guesses.all_spent(tx, now):
        return TOO_MANY
    found = invitations.by_code(tx, code, now)
    if found is None or not _may_come(tx, found) or not _taken(tx, found, inbound, today, now, waiting=True):
        _wrong(tx, inbound, now)
        return (("binding.code_wrong", {}),)
    return (("binding.wait", {}),)


def _listed(tx: Tx, inbound: Inbound, today: date, now: datetime) -> bool:
    """Whether the directory's name means one of our people alone, who is not on this channel yet: then he waits."""
    named = people.named(tx, inbound.called)
    if len(named) != 1 or any(each.channel == inbound.channel for each in accounts.of(tx, named[0])):
        return False
    found = invitations.by_token(tx, invitations.make(tx, named[0], invitations.DIRECTORY, now))
    return found is not None and _taken(tx, found, inbound, today, now, waiting=True)


def stopped(writer: Writer) -> Parts:
    """One kind sentence for who is known and may do nothing."""
    return (({"waiting": "binding.waiting", "refused": "binding.refused"}.get(writer.state, "menu.suspended"), {}),)


def deciders(tx: Tx, person_id: str, area_id: str, made_by: str, day: date) -> list[str]:
    """Who is asked whether it is he: who made the invitation, where he may still, else the nearest coordinators."""
    maker = people.find(tx, made_by)
    if maker is not None and maker.status == "active" and people.held(tx, Scope(made_by, day), person_id):
        return [made_by]
    return people.nearest_coordinators(tx, area_id, besides=person_id)


def _owner(tx: Tx, writer: Writer | None) -> people.Person | None:
    """Whose the account is now: nobody's where he has left, or a coordinator has not said yes."""
    owner = people.find(tx, writer.person_id) if writer is not None and writer.state == "active" else None
    return owner if owner is not None and owner.status != "left" else None


def _may_come(tx: Tx, found: Invitation) -> bool:
    person = people.find(tx, found.person_id)
    return person is not None and person.status == "active"


def _maker(tx: Tx, found: Invitation) -> str:
    maker = people.find(tx, found.made_by)
    return maker.name if maker else ""


def _taken(tx: Tx, found: Invitation, inbound: Inbound, today: date, now: datetime, *, waiting: bool = False) -> bool:
    """Uses the invitation up, binds the account, and tells who should know."""
    if not invitations.use(tx, found.id, inbound.channel, inbound.account, now):
        return False
    if not waiting:  # told where he was before, so that he knows of a second one that is not his
        notices.tell(tx, BoundElsewhere(person=found.person_id, channel=inbound.channel), now)
    accounts.bind(tx, inbound.channel, inbound.account, inbound.chat, found.person_id, now,
                  "waiting" if waiting else "active")
    kind: type[Bound | ToIdentify] = ToIdentify if waiting else Bound
    for person in deciders(tx, found.person_id, found.area_id, found.made_by, today):
        if waiting or person != found.person_id:  # of a link of his own he is told where he was before
            _tell_once(tx, kind(person=person, invitation=found.id), f"{kind.kind}:{found.id}:{person}", now)
    return True


def _wrong(tx: Tx, inbound: Inbound, now: datetime) -> None:
    """Counts a try; at the limit, who has a code out there is told, once an hour, else the operators."""
    if not guesses.count(tx, inbound.channel, inbound.account, now):
        return
    told = {person for area in invitations.coded_areas(tx, now) for person in people.nearest_coordinators(tx, area)}
    for person in sorted(told or people.operators(tx)):
        _tell_once(tx, Guessing(person=person), f"guessing:{guesses.hour(now)}:{person}", now)


def _tell_once(tx: Tx, notice: Notice, key: str, now: datetime) -> None:
    notices.tell(tx, notice, now, unique_key=key)
