"""From what a child says to those who do something about it, and back: requests, needs, and how a visit went (C2)."""

from datetime import date, datetime, timedelta

from scheduler import alerting, calls, checkins, notices, summaries
from scheduler.family_notices import (
    NeedMoved,
    NeedRaised,
    NeedYours,
    RequestDone,
    RequestMade,
    RequestMoved,
    RequestNow,
    VisitTold,
    VisitUntold,
    allowed,
)
from scheduler.policy import Policies
from scheduler.visitor_kinds import minor
from storage import alerts, call_plans, contacts, needs, outbox, people, requests, ties
from storage.contacts import Contact
from storage.database import Tx
from storage.elders import Elder
from storage.needs import Need
from storage.requests import Request
from storage.scope import Scope
from storage.visits import Visit

NEWS = timedelta(days=7)  # a visit entered later than that is no news for a child
LOOKED_BACK = timedelta(days=7)  # a day on which the clock stood still is made up for


def report(tx: Tx, contact: Contact, elder: Elder, policies: Policies) -> bool:
    """Keeps a call, and settles what reminded of it; False where this asking was answered before.

    Who reached the elder answers with it what was asked of him when no 报平安 came, and those of an alert that runs
    hear it: a person ends the alert.
    """
    if not contacts.add(tx, contact):
        return False
    calls.settle(tx, contact, policies.of(tx, elder.village_id))
    if contact.outcome == "fine":
        stood = checkins.reached(tx, elder.id, contact.person_id, policies, contact.at)
        if stood != "alert" and (alert := alerts.running_of(tx, elder.id)):
            alerting.tell_step(tx, alert, "reached", contact.person_id, policies, contact.at)
    return True


def trouble(tx: Tx, contact: Contact, elder: Elder, policies: Policies) -> str | None:
    """A call that found something difficult: exactly one need of the village; gives its id. None as in `report`."""
    if not report(tx, contact, elder, policies):
        return None
    need = needs.add(tx, elder.id, "contact", contact.id, contact.words, contact.person_id, contact.at)
    if need:
        for person in notices.confirmers(tx, elder.village_id, "village"):
            notices.tell(tx, NeedRaised(person=person, need=need), contact.at)
    return need


def unreachable(tx: Tx, contact: Contact, elder: Elder, policies: Policies) -> tuple[bool, str]:
    """Nobody answered. Gives whether this is new, and how the alert is called that it opened or joined: the second call
    in vain within the policy's hours, whoever of the children called first, or one after a 报平安 that did not come.
    """
    if not report(tx, contact, elder, policies):
        return False, ""
    within = timedelta(hours=policies.of(tx, elder.village_id).calls.alert_within_hours)
    waited = checkins.not_reached(tx, elder.id, contact.person_id, policies, contact.at) == "contact"
    if not waited and contacts.in_vain(tx, elder.id, contact.at - within, contact.at) < 2:
        return True, ""
    running = alerts.running_of(tx, elder.id)
    if running is None:
        alerting.raise_alert(tx, elder.id, "unreachable", "contact", contact.person_id, policies, contact.at)
        running = alerts.running_of(tx, elder.id)
    elif not waited:
        alerting.tell_step(tx, running, "again", contact.person_id, policies, contact.at)
    return True, running.called if running else ""


def ask_now(tx: Tx, elder: Elder, by: str, policies: Policies, now: datetime) -> tuple[Request, int | None]:
    """现在请人去看: gives the request and how many were told; None where the child asked before, and still waits."""
    today = now.astimezone(policies.city.zone).date()
    scope = Scope(by, today)
    for each in requests.mine(tx, scope, elder.id):
        if each.urgent and each.kind == "visit":
            return each, None
    within = timedelta(hours=policies.of(tx, elder.village_id).calls.taken_within_hours)
    request = requests.add(tx, elder.id, "visit", today.isoformat(), by, now, late_at=now + within)
    told = sum(notices.tell(tx, RequestNow(person=person, request=request), now)
               for person in _near(tx, elder, today) if person != by)
    if not told:
        told = _tell_township(tx, request, elder.village_id, now)
    found = requests.find(tx, scope, request)
    assert found is not None  # it was made a moment ago, by who has the elder in his scope
    return found, told


def ask(tx: Tx, elder: Elder, kind: str, due_on: str, words: str, by: str, policies: Policies, now: datetime) -> int:
    """A visit on a day, or a call back; gives how many were told."""
    request = requests.add(tx, elder.id, kind, due_on, by, now, words=words)
    today = now.astimezone(policies.city.zone).date()
    return sum(notices.tell(tx, RequestMade(person=person, request=request), now)
               for person in _near(tx, elder, today) if person != by)


def take(tx: Tx, request: Request, elder: Elder, by: str, policies: Policies, now: datetime) -> bool:
    """Somebody says that he does it: one wins. Who asked is told; of an urgent one so are the others who were."""
    taken = requests.take(tx, request, by, now)
    asked = {asker: row for row, asker in taken if asker}
    others = _near(tx, elder, now.astimezone(policies.city.zone).date()) if taken and request.urgent else []
    for person, row in {**dict.fromkeys(others, request.id), **asked}.items():
        _tell_moved(tx, person, row, "taken", by, now)
    return bool(taken)


def let_go(tx: Tx, request: Request, elder: Elder, by: str, policies: Policies, now: datetime) -> bool:
    """Who took it cannot after all: the others are asked again, and who wants it is told. False: not his (any more)."""
    if not requests.let_go(tx, request, by, now):
        return False
    kind = RequestNow if request.urgent else RequestMade
    for person in _near(tx, elder, now.astimezone(policies.city.zone).date()):
        if person not in (by, request.asked_by):
            notices.tell(tx, kind(person=person, request=request.id), now)
    if request.asked_by:
        _tell_moved(tx, request.asked_by, request.id, "open", by, now)
    return True


def withdraw(tx: Tx, request: Request, elder: Elder, policies: Policies, now: datetime) -> bool:
    """The child does not want it any more; who took it, or of an urgent one all who were told, hear so."""
    by = request.asked_by or ""
    if not requests.withdraw(tx, request, by, now):
        return False
    others = _near(tx, elder, now.astimezone(policies.city.zone).date()) if request.urgent else []
    for person in dict.fromkeys(filter(None, (request.taken_by, *others))):
        _tell_moved(tx, person, request.id, "withdrawn", by, now)
    return True


def decline(tx: Tx, request: Request, by: str, why: str, now: datetime) -> bool:
    """The village cannot do it: the child hears why."""
    if not requests.decline(tx, request, by, why, now):
        return False
    if request.asked_by:
        _tell_moved(tx, request.asked_by, request.id, "declined", by, now)
    return True


def called_back(tx: Tx, request: Request, by: str, now: datetime) -> bool:
    """Somebody called the child back. He knows: nobody is told."""
    return requests.done(tx, request, by, now)


def late(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Tells the township once of each request that nobody took in time; never more to do."""
    today = now.astimezone(policies.city.zone).date()
    for request, village, urgent in requests.not_taken(tx, now, today, LOOKED_BACK):
        _tell_township(tx, request, village, now, RequestNow if urgent else RequestMade)
    return False


def arrange(tx: Tx, need: Need, measure: str, answerable: str, due_on: str, by: str, now: datetime) -> bool:
    """What is done, by whom, until when: he is told, and so is the child who reported it."""
    if not needs.arrange(tx, need, measure, answerable, due_on, by, now):
        return False
    if answerable != by:
        notices.tell(tx, NeedYours(person=answerable, need=need.id), now)
    _tell_reporter(tx, need, "arranged", by, now)
    return True


def close(tx: Tx, need: Need, outcome: str, by: str, now: datetime) -> bool:
    """How it ended: the child who reported it is told."""
    if not needs.close(tx, need, outcome, by, now):
        return False
    _tell_reporter(tx, need, "closed", by, now)
    return True


def visited(tx: Tx, visit: Visit, elder: Elder, policies: Policies, now: datetime) -> None:
    """A visit is kept: what was asked for is done, and the children who may know hear how it went."""
    today = now.astimezone(policies.city.zone).date()
    by = visit.visitor_id or ""
    answered = set()
    if visit.method in policies.of(tx, elder.village_id).home_methods:
        for request, asker in requests.seen_to(tx, elder.id, visit.on_day, by, now):
            if asker and asker != by:
                notices.tell(tx, RequestDone(person=asker, request=request, visit=visit.visit_id), now,
                             unique_key=_told_key(visit.visit_id, asker))
                answered.add(asker)
    if date.fromisoformat(visit.on_day) < today - NEWS:
        return
    for child in ties.family(tx, elder.id, today.isoformat()):
        if child != by and child not in answered and _wants_each(tx, child, elder.id, today):
            notices.tell(tx, VisitTold(person=child, elder=elder.id, visit=visit.visit_id), now,
                         unique_key=_told_key(visit.visit_id, child))


def corrected(tx: Tx, before: Visit, after: Visit, elder: Elder, policies: Policies, now: datetime) -> None:
    """What was told and is otherwise now is told again; what was not told yet will be read as it stands."""
    today = now.astimezone(policies.city.zone).date()
    if before.elder_id != after.elder_id:
        unsaid(tx, before, policies, now)
        visited(tx, after, elder, policies, now)
        return
    for child in _heard(tx, before, today):
        withheld = _withheld(tx, child, before.elder_id, today)
        if withheld is not None and _is_otherwise(before, after, withheld):
            notices.tell(tx, VisitTold(person=child, elder=after.elder_id, visit=after.visit_id, version=after.version),
                         now, unique_key=f"{_told_key(after.visit_id, child)}:{after.version}")


def unsaid(tx: Tx, visit: Visit, policies: Policies, now: datetime) -> None:
    """A visit is void, or was another elder's: who heard of it hears that."""
    for child in _heard(tx, visit, now.astimezone(policies.city.zone).date()):
        notices.tell(tx, VisitUntold(person=child, elder=visit.elder_id, on_day=visit.on_day), now,
                     unique_key=f"{_told_key(visit.visit_id, child)}:not")


def _near(tx: Tx, elder: Elder, today: date) -> list[str]:
    """Who is asked to do something about an elder: who visits him and is of age, and the village's coordinators."""
    visiting = [person for person in ties.visiting(tx, elder.id, today.isoformat())
                if (found := people.find(tx, person)) and not minor(found.minor_until, today)]
    return list(dict.fromkeys((*visiting, *notices.confirmers(tx, elder.village_id, "village"))))


def _tell_township(tx: Tx, request: str, village_id: str, now: datetime, kind: type[RequestMade] = RequestNow) -> int:
    return sum(notices.tell(tx, kind(person=person, request=request, late=True), now,
                            unique_key=f"request_late:{request}:{person}")
               for person in notices.confirmers(tx, village_id, "township"))


def _tell_moved(tx: Tx, person: str, request: str, state: str, by: str, now: datetime) -> None:
    if person != by:
        notices.tell(tx, RequestMoved(person=person, request=request, state=state), now)


def _tell_reporter(tx: Tx, need: Need, state: str, by: str, now: datetime) -> None:
    if need.made_by and need.made_by != by:
        notices.tell(tx, NeedMoved(person=need.made_by, need=need.id, state=state), now)


def _wants_each(tx: Tx, child: str, elder_id: str, today: date) -> bool:
    plan = call_plans.find(tx, child, elder_id)
    return plan is not None and plan.summaries == "each" and _withheld(tx, child, elder_id, today) is not None


def _withheld(tx: Tx, child: str, elder_id: str, today: date) -> frozenset[str] | None:
    """The areas that the elder keeps from this child; None where he said no, or was not asked."""
    found = allowed(tx, Scope(child, today), elder_id)
    return found.withheld if found else None


def _heard(tx: Tx, visit: Visit, today: date) -> list[str]:
    """The children to whom the summary of this visit went out."""
    return [child for child in ties.family(tx, visit.elder_id, today.isoformat())
            if outbox.was_sent(tx, _told_key(visit.visit_id, child))]


def _is_otherwise(before: Visit, after: Visit, withheld: frozenset[str]) -> bool:
    """Whether a child who heard of the visit before would hear something else now."""
    return (before.on_day, before.method) != (after.on_day, after.method) or summaries.changed(
        _values(before), _values(after), withheld)


def _told_key(visit_id: str, child: str) -> str:
    return f"visit_told:{visit_id}:{child}"


def _values(visit: Visit) -> dict[str, object]:
    return {question: answer[0] for question, answer in visit.answers.items()}
