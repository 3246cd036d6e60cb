"""The only door for writes that move a class or a window: ledger write, then recompute."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from scheduler import annex2, cadence
from scheduler.policy import Policies, Policy
from storage import assignments, elder_files, elders, visits
from storage.database import Tx
from storage.duplicates import Known
from storage.elder_files import Status
from storage.elders import Elder, NewElder, Standing
from storage.scope import Scope
from storage.visits import Entry, Visit

SCREENING = "screening_low"  # the question that every mood screening answers


@dataclass(frozen=True, slots=True)
class Recorded:
    """A kept visit: its id, its number for the elder (第 N 次), and the elder as he stands now."""

    visit_id: str
    number: int
    elder: Elder


def register(tx: Tx, new: NewElder, policies: Policies, now: datetime) -> str:
    """Opens a file with its class and first window."""
    return elders.add(tx, new, first_standing(new, policies.of(tx, new.village_id), now), now)


def first_standing(new: NewElder, policy: Policy, now: datetime) -> Standing:
    """Class and window of a file that is being opened; visits before this system count as home visits."""
    earlier = date.fromisoformat(new.earlier_visit_on) if new.earlier_visit_on else None
    found = classified_file(new, policy, now)
    window = cadence.due(found.care_class, date.fromisoformat(new.registered_on), earlier, policy, since=found.since)
    return Standing(found.care_class, window.first.isoformat(), window.last.isoformat(), new.earlier_visit_on,
                    new.earlier_visit_on, None, _iso(found.until), annex2.missing(new))


def revise(tx: Tx, scope: Scope, elder_id: str, new: NewElder, policies: Policies, now: datetime) -> Elder | None:
    """Writes a file anew and derives the rest; what changed stands on the audit chain by name.

    None where the elder is not in the scope. The caller has looked for another file with the same ID number.
    """
    before = elder_files.read(tx, scope, elder_id)
    elder = elders.find(tx, scope, elder_id)
    if before is None or elder is None:
        return None
    elder_files.rewrite(tx, elder_id, new, first_standing(new, policies.of(tx, new.village_id), now))
    tx.note(now, scope.person_id, "elder.revise", elder_id, _changed(before, new))
    revised = elders.find(tx, scope, elder_id) or replace(
        elder, village_id=new.village_id, missing=" ".join(annex2.missing(new)))  # it went out of this person's area
    return recompute(tx, scope, revised, policies, now)


def take_over(tx: Tx, known: Known, new: NewElder, policies: Policies, actor: str, now: datetime) -> None:
    """Writes what another source says into a file that is there. The caller has asked whose village it is."""
    elder_files.rewrite(tx, known.elder_id, new, first_standing(new, policies.of(tx, new.village_id), now))
    tx.note(now, actor, "elder.revise", known.elder_id, _changed(known.file, new))
    elder = elders.unscoped(tx, known.elder_id)
    if elder is not None:
        derive(tx, elder, policies, now)


def stand(tx: Tx, scope: Scope, elder_id: str, status: Status, why: str | None, since: str, policies: Policies,
          now: datetime, *, until: str | None = None) -> Elder | None:
    """Pauses, closes or opens a file again, from a day on (ISO); the window is derived anew. None: not in the scope."""
    if not elders.in_scope(tx, scope, elder_id):
        return None
    elder_files.set_condition(tx, elder_id, status, why, since, until)
    tx.note(now, scope.person_id, f"elder.{status}", elder_id, ["condition"])
    elder = elders.find(tx, scope, elder_id)
    return recompute(tx, scope, elder, policies, now) if elder else None


def move(tx: Tx, scope: Scope, elder_id: str, village_id: str, since: str, policies: Policies, now: datetime,
         ) -> Elder | None:
    """The file goes to another village, with a new number there, and all its visits; None: not in the scope.

    Who cared for him in the old village does so no more; his family stays. Group and address are asked anew.
    `since` is the day (ISO) from which he lives there.
    """
    file = elder_files.read(tx, scope, elder_id)
    if file is None:
        return None
    assignments.end_all(tx, elder_id, now.astimezone(policies.city.zone).date(), but=("family",))
    new = elder_files.moved(file, village_id, elders.next_number(tx, village_id))
    elder_files.set_condition(tx, elder_id, "active", "recovered", since)
    return revise(tx, scope, elder_id, new, policies, now)


def _changed(before: NewElder, after: NewElder) -> list[str]:
    """The names of the columns and facts that differ."""
    columns = [name for name in NewElder.__slots__ if name != "facts" and getattr(before, name) != getattr(after, name)]
    facts = {name for name in before.facts.keys() | after.facts.keys()
             if before.facts.get(name) != after.facts.get(name)}
    return columns + sorted(facts)


def submit(tx: Tx, scope: Scope, entry: Entry, policies: Policies, now: datetime) -> Recorded | None:
    """Keeps a visit by the scope's person; None where the elder is not (any more) in the scope."""
    elder = elders.find(tx, scope, entry.elder_id)
    if elder is None:
        return None
    visit_id, number = visits.submit(tx, entry, scope.person_id, now)
    return Recorded(visit_id, number, recompute(tx, scope, elder, policies, now))


def correct(tx: Tx, scope: Scope, before: Visit, entry: Entry, reason: str, policies: Policies, now: datetime,
            ) -> Recorded | None:
    """A new version, with another elder where the entry says so; None where he is not in the scope. Raises Outdated."""
    elder = elders.find(tx, scope, entry.elder_id)
    if elder is None:
        return None
    visit_id, number = visits.correct(tx, before, entry, scope.person_id, reason, now)
    if before.elder_id != entry.elder_id and (left := elders.find(tx, scope, before.elder_id)):
        recompute(tx, scope, left, policies, now)
    return Recorded(visit_id, number, recompute(tx, scope, elder, policies, now))


def void(tx: Tx, scope: Scope, before: Visit, reason: str, policies: Policies, now: datetime) -> Elder | None:
    """Takes a visit out of the counts; gives the elder as he stands now. Raises Outdated."""
    visits.void(tx, before, scope.person_id, reason, now)
    elder = elders.find(tx, scope, before.elder_id)
    return recompute(tx, scope, elder, policies, now) if elder else None


def classified_file(new: NewElder, policy: Policy, now: datetime) -> cadence.Classified:
    """The class that a file has today, with its reasons."""
    birth = date.fromisoformat(new.birth) if new.birth else None
    return cadence.classify(new.categories, birth, new.ability, new.disability_grade,
                            now.astimezone(policy.zone).date(), policy)


def classified(elder: Elder, policy: Policy, now: datetime) -> cadence.Classified:
    """The elder's class today, with its reasons."""
    birth = date.fromisoformat(elder.birth) if elder.birth else None
    return cadence.classify(elder.categories.split(), birth, elder.ability, elder.disability_grade,
                            now.astimezone(policy.zone).date(), policy)


def recompute(tx: Tx, scope: Scope, elder: Elder, policies: Policies, now: datetime) -> Elder:
    """Derives class, window and last days anew from the facts and the visits that stand."""
    derive(tx, elder, policies, now)
    return elders.find(tx, scope, elder.id) or elder


def derive(tx: Tx, elder: Elder, policies: Policies, now: datetime) -> list[str]:
    """The same for an elder whom the clock found; gives which of class and due window are others than before."""
    policy = policies.of(tx, elder.village_id)
    found = classified(elder, policy, now)
    days = visits.last_days(tx, elder.id)
    last_visit = max(filter(None, [elder.earlier_visit_on, *days.values()]), default=None)
    home_days = [elder.earlier_visit_on, *(day for method, day in days.items() if method in policy.home_methods)]
    last_home = max(filter(None, home_days), default=None)
    window = cadence.due(found.care_class, date.fromisoformat(elder.registered_on),
                         date.fromisoformat(last_home) if last_home else None, policy, since=found.since,
                         resumed_on=_resumed(elder))
    standing = Standing(
        found.care_class, window.first.isoformat(), window.last.isoformat(), last_visit, last_home,
        visits.last_day_with(tx, elder.id, SCREENING), _iso(found.until), elder.missing.split())
    elders.set_standing(tx, elder.id, standing)
    return [name for name in ("care_class", "due_from", "due_until") if getattr(elder, name) != getattr(standing, name)]


def _resumed(elder: Elder) -> date | None:
    """The day on which an active elder was back: visits of the time before are not owed."""
    back = elder.status == "active" and elder.condition == "recovered" and elder.condition_since
    return date.fromisoformat(back) if back else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
