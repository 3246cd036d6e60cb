"""人员: one of those who work here, on a card, and what the form about him becomes (C9)."""

from dataclasses import replace
from typing import Any

from conversations import offices
from conversations.draft import CALLED, Answer, Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.lookups import LOOK_UPS
from conversations.turn import Ask
from conversations.words_book import visitor_kind
from scheduler.visitor_kinds import minor
from storage import accounts, assignments, people
from storage.ids import millis
from storage.people import Person

NAMED = 5  # elders by name on a card
Rows = list[list[list[object]]]


def card(ask: Ask, found: Person) -> Part:
    """Somebody in the asker's area: what he does, for whom, and what can be done about him."""
    load = [each for each in assignments.caseload(ask.tx, ask.scope, found.id) if each.role != "family"]
    names = list(dict.fromkeys(each.name for each in load))
    roles = people.roles(ask.tx, found.id)
    kind = ask.kind_of(found, roles)
    buttons: Rows = []
    if load and ask.may("handover"):
        buttons.append([["button.handover", {}, f"/handover {found.id}"]])
    if found.status == "active" and ask.may("leave_for") and any(each.role == "visitor" for each in load):
        buttons.append([["button.leave_for", {}, f"/leavefor {found.id}"]])
    if kind and kind.hours:
        buttons.append([["button.hours", {}, f"/hours {found.id}"]])
    if found.status == "active":
        buttons += [[["button.edit_person", {}, f"/editperson {found.id}"]],
                    [["button.suspend", {}, f"/suspend {found.id}"],
                     ["button.invite_again", {}, f"/invite {found.id}"]]]
    else:
        buttons.append([["button.activate", {}, f"/activate {found.id}{' suspended' * (found.status != 'left')}"]])
    buttons.append([["button.people", {}, "/people"]])
    return ("people.card", {
        "name": found.name, "offices": offices.of(ask.tx, found.id, ask.today), "status": found.status,
        "since": found.status_since or "", "reason": _why(ask, found), "organisation": found.organisation,
        "service": found.service, "no_kind": "visitor" in roles and found.visitor_kind is None,
        "minor_until": found.minor_until if minor(found.minor_until, ask.today) else "",
        "consent": found.guardian_consent_on or "", "count": len({each.elder_id for each in load}),
        "elders": names[:NAMED], "cut_off": found.status == "active" and accounts.cut_off(ask.tx, found.id),
        "buttons": buttons})


def _why(ask: Ask, found: Person) -> str:
    """Why he is suspended: somebody's own words, which do not go abroad."""
    if found.status != "suspended" or ask.abroad:
        return ""
    if said := people.why_suspended(ask.tx, found.id):
        ask.note("person.read", found.id, ("status_reason",))
    return said


def under_age(ask: Ask, draft: Draft) -> tuple[dict[str, Any], tuple[Part, ...]]:
    """Whether who is spoken of is under age, so that his guardian's consent is asked for."""
    asked = draft.context.get("hours") or draft.context.get("was_under_age")
    day = draft.answers.get("comes_of_age")
    return {"under_age": bool(asked and day and minor(str(day.value) or None, ask.today))}, ()


def known(ask: Ask, person: Person) -> tuple[dict[str, Any], dict[str, Answer]]:
    """Context and answers with which the form about somebody begins: what is kept of him."""
    roles = people.roles(ask.tx, person.id)
    kind, young = ask.kind_of(person, roles), minor(person.minor_until, ask.today)
    hours = kind is not None and kind.hours
    given: dict[str, str] = {"organisation": person.organisation, "service": person.service}
    if person.visitor_kind:
        given["kind"] = person.visitor_kind
    if hours or young:
        given["comes_of_age"] = person.minor_until or ""
    if young:
        given["guardian_consent"] = person.guardian_consent_on or ""
    context = {"person_id": person.id, "area_id": person.area_id, "visitor": "visitor" in roles, "hours": hours,
               "was_under_age": young, "under_age": young, CALLED: {"kind": visitor_kind(person.visitor_kind or "")}}
    return context, {name: Answer(value, millis(ask.now), "kept") for name, value in given.items()}


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Keeps what was changed: his kind bounds him from his next message on."""
    before = people.held(ask.tx, ask.scope, str(draft.context["person_id"]))
    if before is None:
        return Ended((("people.gone", {"buttons": [[["button.people", {}, "/people"]]]}),), "cancelled")
    given = {name: str(answer.value) for name, answer in draft.answers.items()}
    after = replace(before, organisation=given.get("organisation", ""), service=given.get("service", ""))
    kind = given.get("kind", "")
    if LOOK_UPS["visitor_kinds"].by_id(ask, draft.context, kind):
        after = replace(after, visitor_kind=kind)
    if "comes_of_age" in given:
        after = replace(after, minor_until=given["comes_of_age"] or None,
                        guardian_consent_on=given.get("guardian_consent") or None)
    changed = people.revise(ask.tx, before, after, ask.writer.person_id, ask.now)
    return Ended((("people.revised", {"name": before.name, "same": not changed}), card(ask, after)), result=before.id)
