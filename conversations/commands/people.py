"""人员, 分派, 移交, 暂停: who works here, and who cares for whom (C2, C9). A person decides; the bot only suggests."""

from conversations import lists, lookup, offices, session
from conversations.engine import Part
from conversations.lists import PAGE, skipped
from conversations.turn import Ask, label
from storage import assignments, elders, people
from storage.assignments import Carer
from storage.elders import Elder
from storage.people import Person

NAMED = 5  # elders by name on a card
TAIL = 8  # of a person's id, beside an elder's on a button: both whole are too long for one
Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def listed(ask: Ask, rest: str) -> Parts:
    """Who works in the asker's area; or one of them, by id or name."""
    if rest and not rest.startswith("+"):
        found = _one(ask, rest, "people")
        return _card(ask, found) if isinstance(found, Person) else found
    skip = skipped(rest)
    total, page = people.all_held(ask.tx, ask.scope, PAGE, skip)
    if not page:
        return (("people.none", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    lines = [{"name": each.person.name, "load": each.load, "status": each.person.status,
              "offices": offices.of(ask.tx, each.person.id, ask.today)} for each in page]
    buttons: Rows = [[["button.person_card", {"name": each.person.name}, f"/people {each.person.id}"]] for each in page]
    if skip + PAGE < total:
        buttons.append([["button.next_page", {}, f"/people +{skip + PAGE}"]])
    return (("people.list", {"total": total, "people": lines, "buttons": buttons}),)


def suspend(ask: Ask, rest: str) -> Parts:
    """Asks why, then this person can do nothing from the next message on."""
    found = _one(ask, rest, "suspend")
    if not isinstance(found, Person):
        return found
    if found.id == ask.writer.person_id:
        return (("people.not_yourself", {}),)
    return session.start(ask, "suspend", {"person_id": found.id, "person_name": found.name})


def activate(ask: Ask, rest: str) -> Parts:
    """The person may work again."""
    found = _one(ask, rest, "activate")
    if not isinstance(found, Person):
        return found
    people.activate(ask.tx, found.id, ask.writer.person_id, ask.now)
    return (("people.activated", {"name": found.name, "buttons": [
        [["button.person_card", {"name": found.name}, f"/people {found.id}"]]]}),)


def assign(ask: Ask, rest: str) -> Parts:
    """Gives an elder into somebody's care; with no name, the elders whom nobody visits."""
    if not rest or rest.startswith("+"):
        return _without(ask, skipped(rest))
    found = lookup.one(ask, rest, "assign")
    if not isinstance(found, Elder):
        return found
    if not elders.held(ask.tx, ask.scope, found.id):
        return (("menu.not_allowed", {}),)
    carers = assignments.carers(ask.tx, ask.scope, found.id)
    ask.note("elder.carers", found.id, ("assignments",))
    if all(each.role == "family" for each in carers):
        return entrust(ask, found.id)
    buttons: Rows = [[["button.assign_more", {}, f"/entrust {found.id}"]]]
    buttons += [[["button.end_care", {"name": each.name}, f"/endcare {found.id} {_tail(each)}"]]
                for each in carers]
    return (("people.carers", {"elder": label(found), "buttons": buttons, "carers": [
        {"role": each.role, "name": each.name, "until": each.until_on or ""} for each in carers]}),)


def entrust(ask: Ask, rest: str) -> Parts:
    """Asks to whom the elder is given."""
    found = elders.find(ask.tx, ask.scope, rest)
    if found is None or not elders.held(ask.tx, ask.scope, found.id):
        return (("menu.elder_gone", {}),)
    carers = assignments.carers(ask.tx, ask.scope, found.id)
    return session.start(ask, "assign", {
        "elder_id": found.id, "elder_name": found.name, "village_id": found.village_id,
        "not_these": [each.person_id for each in carers if each.role == "visitor"]})


def end_care(ask: Ask, rest: str) -> Parts:
    """From today on this person does not care for the elder any more."""
    elder_id, _, tail = rest.partition(" ")
    found = elders.find(ask.tx, ask.scope, elder_id)
    if found is None or not elders.held(ask.tx, ask.scope, found.id):
        return (("menu.elder_gone", {}),)
    carer = next((each for each in assignments.carers(ask.tx, ask.scope, found.id)
                  if _tail(each) == tail), None)
    if carer is None:
        return (("people.ended_before", {}),)
    assignments.end(ask.tx, carer.person_id, found.id, ask.today, carer.role)
    ask.note("elder.release", found.id, (carer.person_id,))
    return (("people.ended", {"name": carer.name, "elder": found.name, "buttons": [
        [["button.assign", {}, f"/assign {found.id}"], ["button.file", {}, f"/elder {found.id}"]]]}),)


def handover(ask: Ask, rest: str) -> Parts:
    """Moves the whole caseload of one person to another: says whose elders they are, then asks to whom."""
    name, _, _ = rest.partition(" ")
    found = _one(ask, name, "handover")
    if not isinstance(found, Person):
        return found
    load = assignments.caseload(ask.tx, ask.scope, found.id)
    if not load:
        return (("people.nothing", {"name": found.name, "buttons": [[["button.people", {}, "/people"]]]}),)
    names = list(dict.fromkeys(each.name for each in load))
    said: Part = ("people.handing", {"name": found.name, "count": len({each.elder_id for each in load}),
                                     "elders": names[:NAMED]})
    return (said, *session.start(ask, "handover", {
        "person_id": found.id, "person_name": found.name, "village_id": load[0].village_id, "not_these": [found.id]}))


def _card(ask: Ask, found: Person) -> Parts:
    load = [each for each in assignments.caseload(ask.tx, ask.scope, found.id) if each.role != "family"]
    names = list(dict.fromkeys(each.name for each in load))
    buttons: Rows = []
    if load and ask.may("handover"):
        buttons.append([["button.handover", {}, f"/handover {found.id}"]])
    if (kind := ask.kind_of(found, people.roles(ask.tx, found.id))) and kind.hours:
        buttons.append([["button.hours", {}, f"/hours {found.id}"]])
    if found.status == "active":
        buttons.append([["button.suspend", {}, f"/suspend {found.id}"],
                        ["button.invite_again", {}, f"/invite {found.id}"]])
    else:
        buttons.append([["button.activate", {}, f"/activate {found.id}"]])
    buttons.append([["button.people", {}, "/people"]])
    return (("people.card", {
        "name": found.name, "offices": offices.of(ask.tx, found.id, ask.today), "status": found.status,
        "organisation": found.organisation, "count": len({each.elder_id for each in load}), "elders": names[:NAMED],
        "buttons": buttons}),)


def _without(ask: Ask, skip: int) -> Parts:
    total, ids = assignments.without(ask.tx, ask.scope, "visitor", PAGE, skip)
    found = [elder for each in ids if (elder := elders.find(ask.tx, ask.scope, each))]
    if not found:
        return (("people.without_none", {"buttons": [[["button.people", {}, "/people"]]]}),)
    return (lists.page("people.without", found, "assign", total, skip),)


def _tail(carer: Carer) -> str:
    """What tells a care of one elder apart on a button."""
    return f"{carer.person_id[-TAIL:]}{carer.role[:2]}"


def _one(ask: Ask, rest: str, command: str) -> Person | Parts:
    """The one person meant, where all that he may do lies in the asker's area; else what is said instead."""
    if by_id := people.held(ask.tx, ask.scope, rest):
        return by_id
    found = people.held_named(ask.tx, ask.scope, rest) if rest else []
    if len(found) == 1:
        return found[0]
    if found:
        buttons: Rows = [[["button.person_card", {"name": each.name}, f"/{command} {each.id}"]] for each in found]
        return (("people.several", {"count": len(found), "buttons": buttons}),)
    return (("people.gone", {"buttons": [[["button.people", {}, "/people"]]]}),)


COMMANDS = {
    "people": listed, "suspend": suspend, "activate": activate, "assign": assign, "entrust": entrust,
    "end_care": end_care, "handover": handover}
