"""人员, 分派, 移交, 暂停: who works here, and who cares for whom (C2, C9). A person decides; the bot only suggests."""

from conversations import lists, lookup, offices, session, staff
from conversations.draft import REVIEW
from conversations.engine import Part
from conversations.lists import PAGE, skipped
from conversations.turn import Ask, label
from conversations.words_book import visitor_kind
from storage import accounts, assignments, elders, people
from storage.assignments import Carer, Held
from storage.elders import Elder
from storage.people import Person

TAIL = 8  # of an id, beside another one on a button: both whole are too long for one
ALL = "all"
SOUGHT = 16  # characters: a button's token holds no longer search, and ids are longer
Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def listed(ask: Ask, rest: str) -> Parts:
    """Who works in the asker's area; one of them, by id or name; or those of a kind, an organisation, a village.

    `+8 志愿者` is the next page of those.
    """
    number, _, text = rest.partition(" ") if rest.startswith("+") else ("", "", rest)
    skip = skipped(number)
    if not number and (len(text) > SOUGHT or people.held_named(ask.tx, ask.scope, text)):
        found = one(ask, text, "people")
        return (staff.card(ask, found),) if isinstance(found, Person) else found
    text = text[:SOUGHT]
    total, page = people.search_held(ask.tx, ask.scope, text, _kinds(ask, text), PAGE, skip) if text else (
        people.all_held(ask.tx, ask.scope, PAGE, skip))
    if not page:
        return (("people.found_none", {"text": text, "buttons": [[["button.people", {}, "/people"]]]}) if text else (
            "people.none", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    lines = [{"name": each.person.name, "load": each.load, "status": each.person.status,
              "offices": offices.of(ask.tx, each.person.id, ask.today)} for each in page]
    buttons: Rows = [[["button.person_card", {"name": each.person.name}, f"/people {each.person.id}"]] for each in page]
    if skip + PAGE < total:
        buttons.append([["button.next_page", {}, f"/people +{skip + PAGE} {text}".strip()]])
    return (("people.list", {"total": total, "text": text, "people": lines, "buttons": buttons}),)


def _kinds(ask: Ask, text: str) -> list[str]:
    """The kinds of visitors that the text means: by the whole word, else by a part of it."""
    known = {name: visitor_kind(name) for name in ask.policy(ask.person.area_id).visitor_kinds}
    return [name for name, word in known.items() if word == text] or [
        *(name for name, word in known.items() if text in word), text]  # a county's own is called by its key


def edit(ask: Ask, rest: str) -> Parts:
    """What is kept of somebody, to be changed: kind, organisation, what he does."""
    found = one(ask, rest, "editperson")
    if not isinstance(found, Person):
        return found
    context, answers = staff.known(ask, found)
    whole = "kind" in answers or not context["visitor"]
    said: Part = ("people.editing", {"name": found.name})
    return (said, *session.start(ask, "person", context, answers, at=REVIEW if whole else ""))


def suspend(ask: Ask, rest: str) -> Parts:
    """Asks why, then this person can do nothing from the next message on."""
    found = one(ask, rest, "suspend")
    if not isinstance(found, Person):
        return found
    if found.id == ask.writer.person_id:
        return (("people.not_yourself", {}),)
    if found.status != "active":
        return (staff.card(ask, found),)
    return session.start(ask, "suspend", {"person_id": found.id, "person_name": found.name})


def activate(ask: Ask, rest: str) -> Parts:
    """The person may work again. Who had left comes back only after a question: `ID left` answers it."""
    who, _, shown = rest.partition(" ")
    found = one(ask, who, "activate")
    if not isinstance(found, Person):
        return found
    card: Rows = [[["button.person_card", {"name": found.name}, f"/people {found.id}"]]]
    if found.status == "left" and not shown:
        return (("people.left_ask", {"name": found.name, "since": found.status_since or "", "buttons": [
            [["button.take_back", {}, f"/activate {found.id} left"]], *card]}),)
    if not people.activate(ask.tx, found.id, ask.writer.person_id, ask.now, shown=shown or "suspended",
                           since=ask.today.isoformat()):
        return (("people.changed_since", {"name": found.name, "buttons": card}),)
    return (("people.activated", {"name": found.name, "buttons": card}),)


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
    buttons += [[["button.end_care", {"name": each.name, "role": each.role}, f"/endcare {found.id} {_tail(each)}"]]
                for each in carers]
    return (("people.carers", {"elder": label(found), "buttons": buttons, "carers": [
        {"role": each.role, "name": each.name, "until": each.until_on or "",
         "waits": each.role == "first_contact" and not accounts.joined(ask.tx, each.person_id)} for each in carers]}),)


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
    """Moves a caseload to another person: says whose elders they are, then asks to whom. Where they live in several
    villages it is asked first of which: `ID` and the end of the village's id, or `all`.
    """
    name, _, part = rest.partition(" ")
    found = one(ask, name, "handover")
    if not isinstance(found, Person):
        return found
    load = [each for each in assignments.caseload(ask.tx, ask.scope, found.id) if each.role in assignments.CARING]
    villages = {each.village_id: each.village for each in load}
    if len(villages) > 1 and not part:
        return (_which_part(found, load, villages),)
    load = [each for each in load if part in ("", ALL, each.village_id[-TAIL:])]
    if not load:
        return (("people.nothing", {"name": found.name, "buttons": [[["button.people", {}, "/people"]]]}),)
    whole = len({each.village_id for each in load}) == len(villages)
    names = list(dict.fromkeys(each.name for each in load))
    said: Part = ("people.handing", {
        "name": found.name, "where": "" if whole else load[0].village, "count": len({each.elder_id for each in load}),
        "elders": names[:staff.NAMED]})
    return (said, *session.start(ask, "handover", {
        "person_id": found.id, "person_name": found.name, "shown": found.status, "village_id": load[0].village_id,
        "part": "" if whole else load[0].village_id, "whole": whole, "not_these": [found.id]}))


def _which_part(giver: Person, load: list[Held], villages: dict[str, str]) -> Part:
    """Asks of which village the elders are to be handed over."""
    counts = [{"village": name, "count": len({each.elder_id for each in load if each.village_id == village})}
              for village, name in villages.items()]
    buttons: Rows = [[["button.handover_part", count, f"/handover {giver.id} {village[-TAIL:]}"]]
                     for village, count in zip(villages, counts, strict=True)]
    buttons.append([["button.handover_all", {}, f"/handover {giver.id} {ALL}"]])
    return ("people.which_part", {"name": giver.name, "parts": counts, "buttons": buttons})


def _without(ask: Ask, skip: int) -> Parts:
    total, ids = assignments.without(ask.tx, ask.scope, "visitor", PAGE, skip)
    found = [elder for each in ids if (elder := elders.find(ask.tx, ask.scope, each))]
    if not found:
        return (("people.without_none", {"buttons": [[["button.people", {}, "/people"]]]}),)
    return (lists.page("people.without", found, "assign", total, skip),)


def _tail(carer: Carer) -> str:
    """What tells a care of one elder apart on a button."""
    return f"{carer.person_id[-TAIL:]}{carer.role[:2]}"


def one(ask: Ask, rest: str, command: str) -> Person | Parts:
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
    "people": listed, "edit_person": edit, "suspend": suspend, "activate": activate, "assign": assign,
    "entrust": entrust, "end_care": end_care, "handover": handover}
