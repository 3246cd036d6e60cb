"""第一联系人: the rule proposes with its reason, village and township confirm (三(一), C2)."""

from dataclasses import replace
from itertools import takewhile
from typing import Any

from conversations import lists, proposing
from conversations.draft import Answer, Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.form_rows import answered
from conversations.lookups import LOOK_UPS
from conversations.turn import Ask
from scheduler import annex2, casework, contacts, notices
from scheduler.contacts import Child, Choice
from scheduler.visitor_kinds import minor
from storage import accounts, assignments, elder_files, elders, people, proposals
from storage.elders import Elder
from storage.proposals import Proposal

KIND = "first_contact"
FORM = "firstcontact"
CHILDREN = 6  # rows that the form has
AGAIN = "again"  # after an elder's id: another one is to be chosen
Parts = tuple[Part, ...]


def children_of(answers: dict[str, Answer]) -> list[Child]:
    """The children that the form was told of."""
    given = {name: str(answer.value) for name, answer in answers.items()}
    if given.get("children_any") != "yes":
        return []
    return [Child(given[f"child_name.{row}"], "same" if given.get(f"child_place.{row}") == "same" else "elsewhere",
                  given.get(f"child_unable.{row}") == "yes")
            for row in answered(given, "child_more", CHILDREN) if f"child_name.{row}" in given]


def check(ask: Ask, draft: Draft) -> tuple[dict[str, Any], Parts]:
    """Once the children are known: whether one of them is first contact, or somebody is to be designated."""
    last = [name for name, answer in draft.answers.items() if name.startswith("child_more.") and answer.value == "no"]
    whole = bool(last) or f"child_unable.{CHILDREN}" in draft.answers or (
        "children_any" in draft.answers and draft.answers["children_any"].value == "no")
    if not whole:
        return {"designated": False}, ()
    choice = contacts.choose(children_of(draft.answers))
    return {"designated": choice.child is None}, (_because(choice),)


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Keeps what was said of the children, and the proposal."""
    elder = elders.find(ask.tx, ask.scope, str(draft.context["elder_id"]))
    file = elder_files.read(ask.tx, ask.scope, elder.id) if elder else None
    if elder is None or file is None:
        return Ended((("form.not_yours", {}),), "paused")
    children = children_of(draft.answers)
    choice = contacts.choose(children)
    person = str(draft.answers["person"].value) if choice.child is None and "person" in draft.answers else ""
    if choice.child is None and not LOOK_UPS["visitors"].by_id(ask, draft.context, person):
        return Ended((("people.not_near", {"buttons": [[["button.firstcontact", {}, f"/firstcontact {elder.id}"]]]}),),
                     "cancelled")
    found = people.find(ask.tx, person) if person else None
    if found and minor(found.minor_until, ask.today):
        return Ended((("people.minor_alone", {"name": found.name, "buttons": [
            [["button.firstcontact", {}, f"/firstcontact {elder.id}"]]]}),), "cancelled")
    facts = {**file.facts, annex2.CHILDREN: [
        {"name": child.name, "place": child.place, "unable": child.unable} for child in children]}
    casework.revise(ask.tx, ask.scope, elder.id, replace(file, facts=facts), ask.house.policies, ask.now)
    body = {"name": elder.name, "contact": choice.child.name if choice.child else found.name if found else "",
            "person": person, "why": choice.why, "by": []}
    proposal_id = proposals.add(ask.tx, KIND, elder.village_id, body, ask.writer.person_id, ask.now,
                                elder_id=elder.id, draft_id=draft.id)
    proposal = proposals.find(ask.tx, ask.scope, proposal_id)
    assert proposal is not None  # it is this person's own
    if may_decide(ask, proposal):
        return Ended(decide(ask, proposal, yes=True), result=proposal_id)
    _ask_next(ask, proposal)
    return Ended((("firstcontact.proposed", {
        "elder": elder.name, "contact": body["contact"], "by": _wanted(ask, proposal)[:1],
        "buttons": [[["button.mine", {}, "/my"]]]}),), result=proposal_id)


# What those who confirm see and do


def _wanted(ask: Ask, proposal: Proposal) -> list[str]:
    """The posts whose yes is still wanted, in turn."""
    return [role for role in ask.policy(proposal.area_id).first_contact_confirmed_by if role not in proposal.body["by"]]


def may_decide(ask: Ask, proposal: Proposal) -> bool:
    """Whether the next yes is this person's."""
    return bool(_his(ask, proposal))


def _his(ask: Ask, proposal: Proposal) -> list[str]:
    """The posts for which this person says yes now: his own, and a lower one whose turn it is and that nobody holds.

    The village's committees say for themselves what the township cannot say for them (三(一)).
    """
    return list(takewhile(lambda role: ask.writer.person_id in notices.confirmers(ask.tx, proposal.area_id, role),
                          _wanted(ask, proposal)))


def card(ask: Ask, proposal: Proposal) -> Part:
    """Who is proposed for whom, and why."""
    day = proposal.made_at.astimezone(ask.house.policy.zone).date().isoformat()
    return ("firstcontact.card", {
        "elder": proposal.body["name"], "contact": proposal.body["contact"], "why": proposal.body["why"],
        "maker": proposal.maker or "", "day": day, "by": proposal.body["by"], "wanted": _wanted(ask, proposal),
        "yours": may_decide(ask, proposal)})


def decide(ask: Ask, proposal: Proposal, *, yes: bool, reason: str = "") -> Parts:
    """A yes of one post, after the last of which the contact stands; or back with the reason."""
    name, contact = str(proposal.body["name"]), str(proposal.body["contact"])
    back = [[["button.pending", {}, "/pending"]]]
    if not yes:
        if not proposals.decide(ask.tx, proposal, "refused", ask.writer.person_id, ask.now, reason=reason):
            return (("pending.decided_before", {"buttons": back}),)
        proposing.tell_maker(ask, proposal)
        return (("firstcontact.refused", {"elder": name, "buttons": back}),)
    body = {**proposal.body, "by": [*proposal.body["by"], *_his(ask, proposal)]}
    if not proposals.agree(ask.tx, proposal, body):
        return (("pending.decided_before", {"buttons": back}),)
    proposal = replace(proposal, body=body)
    if wanted := _wanted(ask, proposal):
        _ask_next(ask, proposal)
        return (("firstcontact.agreed", {"elder": name, "by": wanted[:1], "buttons": back}),)
    return _appoint(ask, proposal, contact)


def _appoint(ask: Ask, proposal: Proposal, contact: str) -> Parts:
    """The last yes: who is on the system becomes first contact, a child who is not is to be invited."""
    assert proposal.elder_id is not None
    proposals.decide(ask.tx, proposal, "confirmed", ask.writer.person_id, ask.now)
    assignments.end_role(ask.tx, proposal.elder_id, KIND, ask.today)
    if person := str(proposal.body["person"]):
        assignments.entrust(ask.tx, person, proposal.elder_id, KIND, ask.today.isoformat())
    ask.note("elder.first_contact", proposal.elder_id, (person,) if person else ())
    proposing.tell_maker(ask, proposal)
    buttons: list[list[list[object]]] = [[["button.file", {}, f"/elder {proposal.elder_id}"]],
                                         [["button.pending", {}, "/pending"]]]
    if not person and ask.may("invite_family"):
        buttons.insert(0, [["button.invite_contact", {"name": contact}, f"/invitefamily {proposal.id}"]])
    return (("firstcontact.confirmed", {
        "elder": proposal.body["name"], "contact": contact, "bound": bool(person), "buttons": buttons}),)


def _ask_next(ask: Ask, proposal: Proposal) -> None:
    proposing.ask_for_yes(ask, proposal.id, proposal.area_id, _wanted(ask, proposal)[0])


def _because(choice: Choice) -> Part:
    return ("firstcontact.because", {"contact": choice.child.name if choice.child else "", "why": choice.why})


# A child who is not on the system yet


def to_invite(ask: Ask, proposal: str) -> Proposal | None:
    """A first contact who was decided on and is nobody here yet: his invitation is made from what is known of him."""
    found = proposals.find(ask.tx, ask.scope, proposal)
    named = found is not None and found.kind == KIND and found.state == "confirmed" and not found.body["person"]
    return found if named else None


def awaited(ask: Ask, elder: Elder, *, joined: bool = False) -> Parts:
    """What is said of an elder whose first contact was chosen and has not come in yet; with `joined`, of any.

    Empty where he has none.
    """
    chosen = next((each for each in assignments.carers(ask.tx, ask.scope, elder.id)
                   if each.role == KIND and (joined or not accounts.joined(ask.tx, each.person_id))), None)
    if chosen is None:
        return ()
    buttons: list[list[list[object]]] = [[["button.choose_other", {}, f"/firstcontact {elder.id} {AGAIN}"]]]
    if ask.may("invite") and people.held(ask.tx, ask.scope, chosen.person_id):
        buttons.insert(0, [["button.invite_again", {"name": chosen.name}, f"/invite {chosen.person_id}"]])
    return (("firstcontact.awaited", {"elder": elder.name, "name": chosen.name, "buttons": buttons}),)


def without(ask: Ask, skip: int) -> Parts:
    """The elders who have no first contact yet, in the area that this person coordinates."""
    total, ids = assignments.without(ask.tx, ask.scope, KIND, lists.PAGE, skip)
    found = [elder for each in ids if (elder := elders.find(ask.tx, ask.scope, each))]
    if not found:
        return (("firstcontact.none", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    return (lists.page("firstcontact.without", found, "firstcontact", total, skip),)
