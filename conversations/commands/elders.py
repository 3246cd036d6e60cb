"""我的老人, 档案: who is cared for, the one due first at the top."""

from conversations import families, followups, lookup
from conversations.commands import checkins, life, print_file, privacy
from conversations.commands.parts import visit_lines
from conversations.engine import Part
from conversations.life import in_question
from conversations.turn import Ask, label
from storage import elders, visits
from storage.elders import Elder

PAGE = 8


def mine(ask: Ask, rest: str) -> tuple[Part, ...]:
    """A page of the elders in scope; `rest` is how many come before it."""
    skip = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 7 else 0
    total = elders.count(ask.tx, ask.scope)
    page = elders.due_first(ask.tx, ask.scope, PAGE, skip)
    if not page:
        return (("menu.mine_none", {}),)
    buttons: list[list[list[object]]] = [
        [["button.person", {"label": label(elder)}, f"/elder {elder.id}"]] for elder in page]
    if skip + PAGE < total:
        buttons.append([["button.next_page", {}, f"/my {skip + PAGE}"]])
    people = [{**label(elder), "due": ask.due(elder), "wish": elder.wish,
               "paused": elder.condition if elder.status == "paused" else ""} for elder in page]
    return (("menu.mine", {"total": total, "people": people, "buttons": buttons}),)


def elder(ask: Ask, rest: str) -> tuple[Part, ...]:
    """One elder: class with reasons, what is due, the last visits."""
    found = lookup.one(ask, rest)
    if not isinstance(found, Elder):
        return found
    return (_shown(ask, found), *life.standing(ask, found), *followups.beside(ask, found),
            *families.beside(ask, found))


def _shown(ask: Ask, found: Elder) -> Part:
    last = visits.last(ask.tx, ask.scope, found.id, 3)
    ask.note("elder.read", found.id, ("name", "class", "visits"))
    buttons: list[list[list[object]]] = []
    if ask.may("visit") and found.status != "closed" and not in_question(found):
        buttons.append([["button.visit", {}, f"/visit {found.id}"]])
    if found.missing and ask.may("complete") and found.status != "closed":
        buttons.append([["button.complete", {"count": len(found.missing.split())}, f"/complete {found.id}"]])
    if ask.may("invite_family") and elders.held(ask.tx, ask.scope, found.id):
        buttons.append([["button.invite_family", {}, f"/invitefamily {found.id}"]])
    buttons += [[["button.read", {"number": visit.number}, f"/record {visit.visit_id}"]] for visit in last
                if families.may_read(ask, visit)]
    buttons += life.buttons(ask, found)
    buttons += [[button for row in (*families.buttons(ask, found), *checkins.button(ask, found)) for button in row]]
    if ask.may("device") and elders.held(ask.tx, ask.scope, found.id):
        buttons.append([["button.devices", {}, f"/devices {found.id}"]])
    buttons += [*privacy.buttons(ask, found), *print_file.button(ask, found)]
    return ("menu.elder", {
        "elder": label(found), "status": found.status, "wish": found.wish, "care_class": found.care_class,
        "reasons": ask.reasons(found), "due": ask.due(found),
        "visits": visit_lines(ask, last), "buttons": [row for row in buttons if row]})


COMMANDS = {"mine": mine, "elder": elder}
