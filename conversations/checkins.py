"""报平安 as it is set up: with the elder's yes, at his hour, on an account of his own; and his own first page."""

from collections.abc import Sequence

from conversations import offices
from conversations.checkin_telling import ANSWERS
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask
from scheduler import checkins
from storage import accounts, assignments, check_ins, elder_files, elders, invitations
from storage.elders import Elder

Parts = tuple[Part, ...]
VISITING = ("visitor", "stand_in", "first_contact")


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """What the elder said: asked from the next time on, with an invitation where he has no account; or not at all."""
    elder = elders.find(ask.tx, ask.scope, draft.context["elder_id"])
    if elder is None or elder.status == "closed":
        return Ended((("form.not_yours", {}),), "paused")
    if draft.answers["agreed"].value == "no":
        was_on = check_ins.turn_off(ask.tx, elder.id, ask.writer.person_id, ask.now)
        return Ended((("checkins.off" if was_on else "checkins.refused", {"elder": elder.name}),))
    at_time = str(draft.answers["at_time"].value)
    person = checkins.set_up(ask.tx, elder, at_time, ask.writer.person_id, ask.house.policies, ask.now)
    kept = check_ins.find(ask.tx, ask.scope, elder.id)
    assert kept is not None  # it was set up a moment ago
    bound = is_bound(ask, person)
    said: Part = ("checkins.set", {"elder": elder.name, "at": at_time, "day": kept.day, "bound": bound, "buttons": [
        [["button.checkin", {}, f"/checkin {elder.id}"]]]})
    return Ended((said,) if bound else (*invited(ask, elder, person), ("break", {}), said), result=elder.id)


def invited(ask: Ask, elder: Elder, person: str) -> Parts:
    """A new invitation for the elder's own account, to be opened on his own phone; an earlier one ends with it."""
    tx, by = ask.tx, ask.writer.person_id
    invitations.void(tx, person, by, ask.now)
    token = invitations.make(tx, person, by, ask.now)
    links = [before + token for before in ask.house.links.values()]
    forward = {"name": elder.name, "offices": offices.of(tx, person, ask.today), "by": ask.writer.name, "links": links,
               "token": token, "days": invitations.VALID.days}
    if links:
        forward["document"] = {"kind": "qr", "link": links[0]}
    return (("binding.forward", forward),)


def is_bound(ask: Ask, person: str) -> bool:
    """Whether the elder has an account of his own that can be written to."""
    return accounts.reached(ask.tx, person) is not None


def home(ask: Ask, more: Sequence[list[list[object]]] = ()) -> Parts:
    """All that is an elder's own: when he is asked, when somebody comes and who, and whom to call."""
    found = check_ins.own(ask.tx, ask.writer.person_id)
    elder = elders.find(ask.tx, ask.scope, found.elder_id) if found else None
    if found is None or elder is None:
        return (("checkins.not_asked", {}),)
    due = ask.due(elder) if elder.status == "active" and elder.wish != "unwilling" else None
    visitors = [each.name for each in assignments.carers(ask.tx, ask.scope, elder.id) if each.role in VISITING]
    return (("checkins.home", {
        "name": elder.name, "at": found.at_time if found.state == "on" else "", "due": due,
        "visitors": list(dict.fromkeys(visitors)), "call": _to_call(ask, elder), "buttons": [*ANSWERS, *more]}),)


def _to_call(ask: Ask, elder: Elder) -> str:
    """His emergency contact with the phone, from his own file; nothing of it abroad."""
    file = None if ask.abroad else elder_files.read(ask.tx, ask.scope, elder.id)
    known = [str(file.facts.get(key) or "") for key in ("emergency_name", "emergency_phone")] if file else []
    return " ".join(filter(None, known))
