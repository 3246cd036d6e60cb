"""Emergency contacts without an account: who they are, and to whom their numbers are shown (C12)."""

from dataclasses import dataclass, field
from datetime import date

from storage import accounts, alert_contacts, alerts, elder_files, people, ties
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import NewElder
from storage.scope import SECRET, UNTOLD, Scope

# their places in the file, and what stands there (annex 2)
SLOTS = {"1": ("emergency_name", "emergency_phone"), "2": ("emergency2_name", "emergency2_phone")}


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to be called by telephone; `state` is that of the ledger, empty where nobody called yet."""

    slot: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    state: str = ""


def withheld(alert: Alert) -> bool:
    """Whether the family is told nothing of it: the contact may be the cause, nobody has said yet what it is,
    or it is a drill."""
    return bool(alert.drill) or (alert.kind in UNTOLD and alert.family_by is None)


def caller(tx: Tx, scope: Scope, alert: Alert) -> bool:
    """Whether this person is to call: who raised it or goes, if he is not of the family himself, and coordinators.

    Of what is kept from the family only who goes and coordinators.
    """
    if alert.elder_id is None or not alert.running or withheld(alert):
        return False
    if people.coordinates(tx, scope.person_id, alert.area_id, "village"):
        return True
    raiser = None if alert.kind in SECRET else alert.raised_by
    return scope.person_id in (raiser, alert.claimed_by) and not ties.over(
        tx, scope, alert.elder_id) & {"family", "self"}


def to_call(tx: Tx, scope: Scope, alert: Alert) -> list[Contact]:
    """Those in the elder's file who have a number and no account, in their order; the caller notes what he shows.

    Of what is kept from the family only whom a coordinator chose.
    """
    listed = _listed(tx, scope, alert) if caller(tx, scope, alert) else []
    return [each for each in listed if each.state or alert.kind not in SECRET]


def to_choose(tx: Tx, scope: Scope, alert: Alert) -> list[Contact]:
    """Those of them whom a coordinator may choose to be called, where it is kept from the family."""
    return [each for each in _listed(tx, scope, alert) if not each.state]


def _listed(tx: Tx, scope: Scope, alert: Alert) -> list[Contact]:
    file = elder_files.read(tx, scope, alert.elder_id) if alert.elder_id else None
    return without_account(tx, alert, file, scope.day) if file else []


def without_account(tx: Tx, alert: Alert, file: NewElder, day: date) -> list[Contact]:
    """Those in an elder's file who have a number, and no account under their name, in their order."""
    joined = {person.name for each in alerts.around(tx, alert.elder_id or "", day.isoformat())
              if accounts.reached(tx, each.person_id) and (person := people.find(tx, each.person_id))}
    called = alert_contacts.of(tx, alert.id)
    known = {slot: [str(file.facts.get(fact) or "") for fact in facts] for slot, facts in SLOTS.items()}
    return [Contact(slot, name, phone, called.get(slot, "")) for slot, (name, phone) in known.items()
            if phone and name not in joined]


def names(tx: Tx, scope: Scope, alert: Alert) -> dict[str, str]:
    """What the contacts in the elder's file are called, by their place as the audit chain has it."""
    file = elder_files.read(tx, scope, alert.elder_id) if alert.elder_id else None
    return {f"slot{slot}": str(file.facts.get(name) or "") for slot, (name, _) in SLOTS.items()} if file else {}


def written_to(tx: Tx, alert: Alert, today: date) -> bool:
    """Whether anybody of the family has an account that can be written to."""
    theirs = ties.family(tx, alert.elder_id, today.isoformat()) if alert.elder_id else []
    return any(accounts.reached(tx, person) for person in theirs)


def untold(tx: Tx, scope: Scope, alert: Alert) -> bool:
    """Whether nobody of the family is known to have heard of it, though they are to: 家属未通知."""
    if alert.elder_id is None or not alert.running or alert.drill or alert.kind in UNTOLD:
        return False
    return "family" not in ties.over(tx, scope, alert.elder_id) and not alert_contacts.family_knows(
        tx, alert, scope.day.isoformat())
