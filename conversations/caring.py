"""What assigning, handing over and suspending become when their forms are submitted."""

from conversations import staff
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.lookups import LOOK_UPS
from conversations.turn import Ask
from scheduler import notices
from scheduler.notices import Caseload
from scheduler.visitor_kinds import minor
from storage import assignments, elders, people

Buttons = list[list[list[object]]]
FOR_GOOD = "9999-12-31"  # later than any day on which care ends


def assign(ask: Ask, form: Form, draft: Draft) -> Ended:
    """An elder goes into somebody's care, from today on, until the day that was said."""
    elder_id, person = str(draft.context["elder_id"]), _chosen(ask, draft)
    elder = elders.find(ask.tx, ask.scope, elder_id)
    if elder is None or not elders.held(ask.tx, ask.scope, elder_id):
        return Ended((("form.not_yours", {}),), "paused")
    if person is None:
        return Ended((("people.not_near", {"buttons": [[["button.assign", {}, f"/assign {elder_id}"]]]}),), "cancelled")
    if _without_consent(ask, person):
        return Ended((("people.no_consent", {"name": _name(ask, person), "buttons": [
            [["button.edit_person", {}, f"/editperson {person}"]],
            [["button.assign", {}, f"/assign {elder_id}"]]]}),), "cancelled")
    if _left_alone(ask, person, elder_id):
        return Ended((("people.minor_alone", {"name": _name(ask, person), "buttons": [
            [["button.assign", {}, f"/assign {elder_id}"]]]}),), "cancelled")
    role, until = str(draft.answers["role"].value), str(draft.answers["until"].value) or None
    assignments.entrust(ask.tx, person, elder_id, role, ask.today.isoformat(), until)
    ask.note("elder.entrust", elder_id, (person, role))
    told = notices.tell(ask.tx, Caseload(person=person, count=1, elder=elder_id), ask.now)
    buttons: Buttons = [[["button.file", {}, f"/elder {elder_id}"], ["button.people", {}, "/people"]]]
    return Ended((("people.assigned", {"elder": elder.name, "name": _name(ask, person), "role": role,
                                       "until": until or "", "told": told, "buttons": buttons}),), result=elder_id)


def handover(ask: Ask, form: Form, draft: Draft) -> Ended:
    """The caseload, or what of it lies in one village, as far as that is the asker's area, in one unit of work.

    Open forms end by themselves.
    """
    giver, to = str(draft.context["person_id"]), _chosen(ask, draft)
    if people.held(ask.tx, ask.scope, giver) is None:
        return Ended((("people.gone", {"buttons": [[["button.people", {}, "/people"]]]}),), "cancelled")
    part = draft.context.get("part")
    again: Buttons = [[["button.handover", {}, f"/handover {giver}"]]]
    if to is None:
        return Ended((("people.not_near", {"buttons": again}),), "cancelled")
    if _under_age(ask, to):
        return Ended((("people.minor_alone", {"name": _name(ask, to), "buttons": again}),), "cancelled")
    theirs = {(each.elder_id, each.role): each.until_on or FOR_GOOD
              for each in assignments.caseload(ask.tx, ask.scope, to)}
    moved: set[str] = set()
    for held in assignments.caseload(ask.tx, ask.scope, giver):
        if held.role not in assignments.CARING or (part and held.village_id != part):
            continue
        if theirs.get((held.elder_id, held.role), "") < (held.until_on or FOR_GOOD):  # else he keeps his own
            assignments.entrust(ask.tx, to, held.elder_id, held.role, ask.today.isoformat(), held.until_on)
        assignments.end(ask.tx, giver, held.elder_id, ask.today, held.role)
        ask.note("elder.handover", held.elder_id, (giver, to))
        moved.add(held.elder_id)
    leaves = "leaves" in draft.answers and draft.answers["leaves"].value == "leaves" and people.suspend(
        ask.tx, giver, ask.writer.person_id, ask.now, leaves=True, shown=draft.context.get("shown", "active"),
        since=ask.today.isoformat())
    told = notices.tell(ask.tx, Caseload(person=to, count=len(moved)), ask.now)
    return Ended((("people.handed", {
        "count": len(moved), "name": str(draft.context["person_name"]), "to": _name(ask, to), "left": leaves,
        "told": told,
        "buttons": [[["button.person_card", {"name": _name(ask, to)}, f"/people {to}"]]]}),), result=to)


def suspend(ask: Ask, form: Form, draft: Draft) -> Ended:
    """From the next message on this person can do nothing; why stands with him."""
    person_id = str(draft.context["person_id"])
    person = people.held(ask.tx, ask.scope, person_id)
    if person is None or person_id == ask.writer.person_id:
        return Ended((("people.gone", {"buttons": [[["button.people", {}, "/people"]]]}),), "cancelled")
    if not people.suspend(ask.tx, person_id, ask.writer.person_id, ask.now, since=ask.today.isoformat(),
                          reason=str(draft.answers["reason"].value)):
        return Ended((("people.changed_since", {"name": person.name}), staff.card(ask, person)), "cancelled")
    said: Part = ("people.suspended", {"name": person.name, "buttons": [
        [["button.handover", {}, f"/handover {person_id}"]],
        [["button.activate", {}, f"/activate {person_id} suspended"]]]})
    return Ended((said,), result=person_id)


def _chosen(ask: Ask, draft: Draft) -> str | None:
    """The person who was chosen, where he may still be."""
    wanted = str(draft.answers["person"].value)
    return wanted if LOOK_UPS["visitors"].by_id(ask, draft.context, wanted) else None


def _under_age(ask: Ask, person_id: str) -> bool:
    found = people.find(ask.tx, person_id)
    return found is not None and minor(found.minor_until, ask.today)


def _without_consent(ask: Ask, person_id: str) -> bool:
    """Whether it is not known that the guardian of somebody under age agreed."""
    found = people.find(ask.tx, person_id)
    return found is not None and minor(found.minor_until, ask.today) and not found.guardian_consent_on


def _left_alone(ask: Ask, person_id: str, elder_id: str) -> bool:
    """Whether somebody under age would be with this elder without a grown-up visitor beside him (C9)."""
    return _under_age(ask, person_id) and all(
        each.role not in assignments.VISITING or each.person_id == person_id or minor(each.minor_until, ask.today)
        for each in assignments.carers(ask.tx, ask.scope, elder_id))


def _name(ask: Ask, person_id: str) -> str:
    found = people.find(ask.tx, person_id)
    return found.name if found else ""
