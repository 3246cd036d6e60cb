"""Making an invitation: what the coordinator passes on, and what the form about a newcomer becomes.

Who may invite whom: a coordinator invites into his own area and what lies in it, and a coordinator's role is
always that of the area it is for. So nobody hands out more than he has. Operators come in by the command line.
"""

from conversations import firstcontact, offices
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask
from scheduler import calls
from storage import accounts, areas, assignments, elders, invitations, people
from storage.people import Person

Parts = tuple[Part, ...]
Buttons = list[list[list[object]]]


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """The person, with posts (and for one elder the assignment), and the invitation."""
    given = {question: str(answer.value) for question, answer in draft.answers.items()}
    if not ask.may("invite"):
        return Ended((("menu.not_allowed", {}),), "cancelled")
    if draft.context["purpose"] == "elder":
        elder = elders.find(ask.tx, ask.scope, str(draft.context["elder_id"]))
        if elder and "decided" in draft.context and (said := firstcontact.awaited(ask, elder, joined=True)):
            return Ended(said, "cancelled")  # somebody was quicker
        person = _for_elder(ask, given, str(draft.context["elder_id"]))
    else:
        person = _for_area(ask, given, str(draft.context["area_id"]))
    if person is None:
        return Ended((("binding.not_yours", {}),), "cancelled")
    return Ended(made(ask, person), result=person.id)


def _for_area(ask: Ask, given: dict[str, str], area_id: str) -> Person | None:
    area = next((each for each in areas.held(ask.tx, ask.writer.person_id) if each.id == area_id), None)
    if area is None:
        return None
    role = area.level if given["role"] == "coordinator" else "visitor"
    person = people.add(ask.tx, area.id, given["name"], (role,), ask.now, given.get("kind") or None,
                        given.get("organisation", ""), given.get("comes_of_age") or None,
                        given.get("guardian_consent") or None)
    ask.note("person.add", person.id, (role,))
    return person


def _for_elder(ask: Ask, given: dict[str, str], elder_id: str) -> Person | None:
    elder = elders.find(ask.tx, ask.scope, elder_id)
    if elder is None or not elders.held(ask.tx, ask.scope, elder_id):
        return None
    person = people.add(ask.tx, elder.village_id, given["name"], (given["tie"],), ask.now)
    ask.note("person.add", person.id, (given["tie"],))
    assignments.entrust(ask.tx, person.id, elder.id, given["tie"], ask.today.isoformat())
    ask.note("elder.entrust", elder.id, (person.id,))
    if given["tie"] == "family":
        calls.begin(ask.tx, person.id, elder.id, ask.policy(elder.village_id), ask.now)
    return person


def made(ask: Ask, person: Person) -> Parts:
    """A new invitation for somebody in the asker's area: one message to pass on, one for the asker.

    Earlier ones that are still open end with it: a person has one at a time.
    """
    tx, by = ask.tx, ask.writer.person_id
    invitations.void(tx, person.id, by, ask.now)
    token = invitations.make(tx, person.id, by, ask.now)
    found = invitations.by_token(tx, token)
    assert found is not None  # it was made a moment ago
    code = invitations.new_code(tx, found.id, by, ask.now)
    links = [before + token for before in ask.house.links.values()]
    office = offices.of(tx, person.id, ask.today)
    forward = {"name": person.name, "offices": office, "by": ask.writer.name, "links": links, "token": token,
               "days": invitations.VALID.days}
    if links:
        forward["document"] = {"kind": "qr", "link": links[0]}
    bound = [each for each in accounts.of(tx, person.id)
             if each.state == "active" and (each.channel, each.account) != (ask.inbound.channel, ask.inbound.account)]
    buttons: Buttons = [[["button.new_code", {}, f"/newcode {found.id}"], ["button.revoke", {}, f"/revoke {found.id}"]]]
    buttons += [[["button.cut_off", {"channel": each.channel, "tail": each.tail}, f"/cutoff {person.id} {each.ref}"]]
                for each in bound]
    buttons.append([["button.invitations", {}, "/invitations"]])
    same = sum(each.id != person.id for each in people.held_named(tx, ask.scope, person.name))
    return (("binding.forward", forward), ("break", {}), ("binding.made", {
        "name": person.name, "bound": len(bound), "same": same, "minutes": minutes(), "code": code,
        "days": invitations.VALID.days, "buttons": buttons}))


def minutes() -> int:
    """How long a spoken code is good for."""
    return int(invitations.CODE_VALID.total_seconds() // 60)
