"""What another body's list says of an elder (C3): compared field by field, taken over only where that was confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from scheduler import annex2, casework, notices
from scheduler.notices import LifeChanged
from scheduler.policy import Policies
from storage import elder_files, elders, people, ties
from storage.database import Tx
from storage.duplicates import Change
from storage.elders import Elder, NewElder
from storage.initials import initials
from storage.scope import Scope

ENDS = ("died", "moved")  # what a list says of a person himself: its value is an ISO day, "" where that is not told
_COLUMNS = ("name", "ability", "disability_grade")  # others are facts of annex 2

# taken over; as the list says already; changed since it was compared; not (any more) in this person's area, or closed;
# somebody else is to say that it is so
Outcome = Literal["taken", "already", "changed", "gone", "other_says"]


def differences(file: NewElder, said: Mapping[str, Any]) -> list[Change]:
    """What a list says otherwise than the file, which is open."""
    found = [Change(name, _stands(file, name), value) for name, value in said.items()
             if name not in ENDS and _stands(file, name) != value]
    return found + [Change(name, None, said[name]) for name in ENDS if name in said][:1]


def take(tx: Tx, scope: Scope, elder_id: str, confirmed: Sequence[Change], policies: Policies, now: datetime,
         ) -> list[Outcome]:
    """Takes over of one elder what was confirmed, and derives the rest; gives what became of each.

    What the ledger says otherwise by now than it did (`before`) stays. On the audit chain stands that it comes from a
    list, and the names of the fields.
    """
    file = elder_files.read(tx, scope, elder_id) if elders.held(tx, scope, elder_id) else None
    elder = elders.find(tx, scope, elder_id)
    if file is None or elder is None or elder.status == "closed":
        return ["gone"] * len(confirmed)
    outcomes: list[Outcome] = []
    new = file
    for change in confirmed:
        if change.field in ENDS:
            outcomes.append(_end(tx, scope, elder, change, policies, now))
        elif _stands(file, change.field) == change.after:
            outcomes.append("already")
        elif _stands(file, change.field) != change.before:
            outcomes.append("changed")
        else:
            outcomes.append("taken")
            new = _with(new, change.field, change.after)
    if new != file:
        casework.revise(tx, scope, elder_id, new, policies, now)
    fields = [change.field for change, outcome in zip(confirmed, outcomes, strict=True) if outcome == "taken"]
    if fields:
        tx.note(now, scope.person_id, "elder.listed", elder_id, fields)
    return outcomes


def _stands(file: NewElder, name: str) -> Any:
    return getattr(file, name) if name in _COLUMNS else file.facts.get(name)


def _with(file: NewElder, name: str, value: Any) -> NewElder:
    if name == "name":
        facts = {fact: kept for fact, kept in file.facts.items() if fact != annex2.SURNAME_ONLY}
        return replace(file, name=value, initials=initials(value), facts=facts)
    if name in _COLUMNS:
        return replace(file, **{name: value})
    return replace(file, facts={**file.facts, name: value})


def _end(tx: Tx, scope: Scope, elder: Elder, change: Change, policies: Policies, now: datetime) -> Outcome:
    """Closes the file as a confirmed report does: nothing is owed from that day, and who visits him is told."""
    rule = policies.of(tx, elder.village_id)
    if not people.coordinates(tx, scope.person_id, elder.village_id, rule.life_confirmed_by):
        return "other_says"
    today = now.astimezone(rule.zone).date().isoformat()
    visiting = ties.visiting(tx, elder.id, today)
    casework.stand(tx, scope, elder.id, "closed", change.field, change.after or today, policies, now)
    for person in visiting:
        if person != scope.person_id:
            notices.tell(tx, LifeChanged(person=person, elder=elder.id, what=change.field, seen_on=today), now)
    return "taken"
