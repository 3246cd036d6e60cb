"""The only door for writes that move a class or a window: ledger write, then recompute."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from scheduler import annex2, cadence, windows
from scheduler.policy import Policies, Policy
from storage import assignments, campaigns, courses, elder_files, elders, people, visits
from storage.database import Tx
from storage.duplicates import Known
from storage.elder_files import Status, Wish
from storage.elders import Elder, NewElder, Standing
from storage.scope import Scope
from storage.visits import Entry, Visit

SCREENING = "screening_low"  # the question that every mood screening answers
HAZARDS = ("gas", "water_heating", "electricity")  # the questions about what may be unsafe at home (C5)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A kept visit: its id, its number for the elder (第 N 次), and the elder as he stands now."""

    visit_id: str
    number: int
    elder: Elder


def register(tx: Tx, new: NewElder, policies: Policies, now: datetime) -> str:
    """Opens a file with its class and first window; gives its id."""
    return register_many(tx, [new], policies, now)[0]


def register_many(tx: Tx, files: Sequence[NewElder], policies: Policies, now: datetime) -> list[str]:
    """Opens files with their classes and first windows; gives their ids."""
    standings = [first_standing(new, policies.of(tx, new.village_id), now) for new in files]
    ids = elders.add_many(tx, list(zip(files, standings, strict=True)), now)
    for elder_id, new, standing in zip(ids, files, standings, strict=True):
        known = [("wish", new.registered_on, new.wish)] if new.wish == windows.UNWILLING else []
        if standing.priority_since and standing.priority_since > new.registered_on:
            known += _grew_old(new.registered_on, standing.priority_since)
        courses.keep(tx, elder_id, known, now)
    return ids


def first_standing(new: NewElder, policy: Policy, now: datetime) -> Standing:
    """Class and window of a file that is being opened; visits before this system count as home visits."""
    found, begin = classified_file(new, policy, now), date.fromisoformat(new.registered_on)
    classes: windows.Values = ((begin, found.care_class),)
    if found.since and found.since > begin:
        classes = ((begin, "general"), (found.since, found.care_class))
    course = windows.Course(begin, classes, ((begin, windows.ACTIVE),), ((begin, new.wish),))
    return _standing(found, course, new.earlier_visit_on, new.earlier_visit_on, policy, now,
                     missing=annex2.missing(new))


def revise(tx: Tx, scope: Scope, elder_id: str, new: NewElder, policies: Policies, now: datetime, *,
           moved_on: str | None = None) -> Elder | None:
    """Writes a file anew and derives the rest; what changed stands on the audit chain by name.

    None where the elder is not in the scope. The caller has looked for another file with the same ID number.
    `moved_on`: the day (ISO) from which he lives in another village, where that is not today.
    """
    before = elder_files.read(tx, scope, elder_id)
    if before is None:
        return None
    _rewrite(tx, elder_id, before, new, policies, now, moved_on)
    tx.note(now, scope.person_id, "elder.revise", elder_id, _changed(before, new))
    revised = elders.unscoped(tx, elder_id)  # it may have gone out of this person's area
    return recompute(tx, scope, revised, policies, now) if revised else None


def take_over(tx: Tx, known: Known, new: NewElder, policies: Policies, actor: str, now: datetime) -> None:
    """Writes what another source says into a file that is there. The caller has asked whose village it is."""
    _rewrite(tx, known.elder_id, known.file, new, policies, now)
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
    assignments.end_all(tx, elder_id, now.astimezone(policies.city.zone).date(), but=("family", people.OWN))
    new = elder_files.moved(file, village_id, elders.next_number(tx, village_id))
    elder_files.set_condition(tx, elder_id, "active", "recovered", since)
    return revise(tx, scope, elder_id, new, policies, now, moved_on=since)


def _rewrite(tx: Tx, elder_id: str, before: NewElder, new: NewElder, policies: Policies, now: datetime,
             moved_on: str | None = None) -> None:
    elder_files.rewrite(tx, elder_id, new, first_standing(new, policies.of(tx, new.village_id), now))
    today, log, changes = now.astimezone(policies.city.zone).date().isoformat(), courses.of(tx, elder_id), []
    for what, was, is_ in (("village", before.village_id, new.village_id),
                           ("registered", before.registered_on, new.registered_on),
                           ("earlier", before.earlier_visit_on or "", new.earlier_visit_on or "")):
        if was != is_:
            changes += [] if any(change.what == what for change in log) else [(what, before.registered_on, was)]
            changes.append((what, moved_on if moved_on and what == "village" else today, is_))
    courses.keep(tx, elder_id, changes, now)


def _changed(before: NewElder, after: NewElder) -> list[str]:
    """The names of the columns and facts that differ."""
    columns = [name for name in NewElder.__slots__ if name != "facts" and getattr(before, name) != getattr(after, name)]
    facts = {name for name in before.facts.keys() | after.facts.keys()
             if before.facts.get(name) != after.facts.get(name)}
    return columns + sorted(facts)


def keep_wish(tx: Tx, elder_id: str, wish: Wish, policies: Policies, now: datetime) -> bool:
    """Keeps what an elder said about being visited; who does not want it is not due. As `elder_files.keep_wish`."""
    newest = elder_files.keep_wish(tx, elder_id, wish, now)
    elder = elders.unscoped(tx, elder_id) if newest else None
    if elder is not None:
        derive(tx, elder, policies, now)
    return newest


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
    remote = campaigns.remote_periods(tx, elder.village_id)  # in which a call counts like a visit (三(六)2)
    home_days = [elder.earlier_visit_on, *(day for method, day in days.items() if method in policy.home_methods),
                 visits.last_day_within(tx, elder.id, policy.campaigns.epidemic, remote)]
    last_home = max(filter(None, home_days), default=None)
    course = _go_on(tx, elder, found, policy, now)
    standing = _standing(found, course, last_visit, last_home, policy, now, missing=elder.missing.split(),
                         told=_told(tx, elder.id))
    if elder.remind_on and standing.remind_on and elder.due_until == standing.due_until:
        standing = replace(standing, remind_on=elder.remind_on)  # he had his turn, or his visitor named a day
    elders.set_standing(tx, elder.id, standing)
    return [name for name in ("care_class", "due_from", "due_until") if getattr(elder, name) != getattr(standing, name)]


def _standing(found: cadence.Classified, course: windows.Course, last_visit: str | None, last_home: str | None,
              policy: Policy, now: datetime, *, missing: Sequence[str], told: tuple[str | None, int] = (None, 0),
              ) -> Standing:
    today = now.astimezone(policy.zone).date()
    due = windows.due(course, date.fromisoformat(last_home) if last_home else None, policy, today)
    waited_for = (windows.at(course.standings, today) == windows.ACTIVE
                  and windows.at(course.wishes, today) != windows.UNWILLING)
    until = found.until
    if waited_for and (due.last - due.first).days + 1 < policy.least_days:  # not owed once it is over
        until = min(filter(None, (until, due.last + timedelta(days=1))))
    remind = max(due.first, due.last - timedelta(days=policy.remind_days), _next_digest(policy, now))
    return Standing(found.care_class, due.first.isoformat(), due.last.isoformat(), last_visit, last_home,
                    told[0], _iso(until), missing, _iso(remind if waited_for else None), told[1], _iso(found.since))


def _next_digest(policy: Policy, now: datetime) -> date:
    """The next day whose digests are still to come: nobody is written to in the afternoon of what was just entered."""
    wall = now.astimezone(policy.zone)
    return wall.date() + timedelta(days=wall.strftime("%H:%M") >= policy.reminders.digest_at)


def _told(tx: Tx, elder_id: str) -> tuple[str | None, int]:
    """The day (ISO) of the last mood screening, and how many things at home the newest look found unsafe."""
    screened, unsafe = None, None
    for day, answers in visits.answers_back(tx, elder_id):
        if screened is None and SCREENING in answers:
            screened = day
        if unsafe is None and any(question in answers for question in HAZARDS):
            unsafe = sum(answers[question][0] == "unsafe" for question in HAZARDS if question in answers)
        if screened is not None and unsafe is not None:
            break
    return screened, unsafe or 0


def _go_on(tx: Tx, elder: Elder, found: cadence.Classified, policy: Policy, now: datetime) -> windows.Course:
    """Adds to the log what is another than it says, and gives the course with it.

    A class holds from today on: nobody is asked for half months in which he was not known to be priority. Only a
    birthday that was foreseen counts from its own day, though the clock may come late.
    """
    log, begin = courses.of(tx, elder.id), date.fromisoformat(elder.registered_on)
    before = windows.course(log, begin, elder.care_class)
    today = now.astimezone(policy.zone).date().isoformat()
    added: list[tuple[str, str, str]] = []
    if found.care_class != before.classes[-1][1]:
        if not any(change.what == "class" for change in log):
            added.append(("class", elder.registered_on, elder.care_class))
        foreseen = found.since is not None and elder.class_until == found.since.isoformat()
        added.append(("class", elder.class_until if foreseen and elder.class_until else today, found.care_class))
    standing = windows.ACTIVE if elder.status == "active" else f"{elder.status} {elder.condition or ''}".strip()
    since = elder.condition_since or today
    if before.standings[-1][1] != standing or (standing != windows.ACTIVE
                                               and before.standings[-1][0].isoformat() != since):
        added.append(("standing", since, standing))
    if (before.wishes[-1][1] == windows.UNWILLING) != (elder.wish == windows.UNWILLING):
        added.append(("wish", today, elder.wish))
    courses.keep(tx, elder.id, added, now)
    return windows.course(courses.of(tx, elder.id), begin, elder.care_class) if added else before


def _grew_old(registered_on: str, since: str) -> list[tuple[str, str, str]]:
    return [("class", registered_on, "general"), ("class", since, "priority")]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
