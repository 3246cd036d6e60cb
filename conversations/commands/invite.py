"""邀请, 邀请名单: how somebody comes in, and what is still open."""

from conversations import firstcontact, inviting, offices, session
from conversations.draft import REVIEW, Answer
from conversations.engine import Part
from conversations.inviting import Buttons
from conversations.lists import further
from conversations.turn import Ask
from storage import areas, elders, invitations, people
from storage.areas import Area
from storage.ids import millis
from storage.people import Person

Parts = tuple[Part, ...]
PAGE = 8
FORM = "invite"


def invite(ask: Ask, rest: str) -> Parts:
    """Into which area, then who: by button, name or id; or a new invitation for somebody who is there already."""
    held = areas.held(ask.tx, ask.writer.person_id)
    if not rest and len(held) == 1:
        return _ask_who(ask, held[0])
    if not rest or rest.startswith("+"):
        return _ask_where(held, int(rest[1:]) if rest[1:].isascii() and rest[1:].isdigit() and len(rest) < 7 else 0)
    if by_id := next((area for area in held if area.id == rest), None):
        return _ask_who(ask, by_id)
    if person := people.held(ask.tx, ask.scope, rest):
        return _again(ask, person)
    named = [area for area in held if area.name == rest] or [area for area in held if rest in area.name][:PAGE]
    persons = people.held_named(ask.tx, ask.scope, rest)
    if len(named) == 1 and not persons:
        return _ask_who(ask, named[0])
    if len(persons) == 1 and not named:
        return _again(ask, persons[0])
    if not named and not persons:
        return (("binding.nobody", {"text": rest[:20], "buttons": [[["button.invite", {}, "/invite"]]]}),)
    buttons = _rows(named)
    for each in persons:
        label = {"name": each.name, "offices": offices.of(ask.tx, each.id, ask.today)}
        buttons.append([["button.known", label, f"/invite {each.id}"]])
    return (("form.which", {"count": len(buttons), "buttons": buttons}),)


def invite_family(ask: Ask, rest: str) -> Parts:
    """Somebody who is to look after one elder: from his file, or a first contact from what was decided (`rest` is that
    proposal's id): he is invited once, with what is known of him filled in.
    """
    decided = firstcontact.to_invite(ask, rest)
    elder = elders.find(ask.tx, ask.scope, (decided.elder_id or "") if decided else rest)
    if elder is None:
        return (("menu.elder_gone", {}),)
    if not elders.held(ask.tx, ask.scope, elder.id):
        return (("menu.not_allowed", {}),)
    context = {"purpose": "elder", "elder_id": elder.id, "elder_name": elder.name}
    if decided is None:
        return session.start(ask, FORM, context)
    if said := firstcontact.awaited(ask, elder, joined=True):
        return said
    known = {"name": str(decided.body["contact"]), "tie": firstcontact.KIND}
    return session.start(ask, FORM, {**context, "decided": decided.id}, {
        question: Answer(value, millis(ask.now), "kept") for question, value in known.items()}, at=REVIEW)


def pending(ask: Ask, rest: str) -> Parts:
    """What is still open, and who waits for a yes; `rest` is how many come before."""
    skip = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 7 else 0
    found = invitations.pending(ask.tx, ask.scope, ask.now, PAGE + 1, skip)
    if not found:
        return (("binding.none_open", {"buttons": [[["button.invite", {}, "/invite"]]]}),)
    lines = []
    buttons: Buttons = []
    for each in found[:PAGE]:
        waits = each.account_state == "waiting"
        until = each.expires_at.astimezone(ask.house.policy.zone).date().isoformat()
        lines.append({"name": each.name, "offices": offices.of(ask.tx, each.person_id, ask.today), "waits": waits,
                      "until": until})
        name = {"name": each.name}
        buttons.append([["button.look_who", name, f"/identify {each.id}"]] if waits else [
            ["button.revoke_of", name, f"/revoke {each.id}"], ["button.new_code_of", name, f"/newcode {each.id}"]])
    if len(found) > PAGE:
        buttons.append([["button.next_page", {}, f"/invitations {skip + PAGE}"]])
    return (("binding.pending", {"invitations": lines, "skip": skip, "buttons": buttons}),)


def revoke(ask: Ask, rest: str) -> Parts:
    """Takes an open invitation back."""
    found = invitations.find(ask.tx, ask.scope, rest)
    if found is None or not invitations.revoke(ask.tx, found, ask.writer.person_id, ask.now):
        return _gone()
    return (("binding.revoked", {"name": found.name, "buttons": [[["button.invitations", {}, "/invitations"]]]}),)


def new_code(ask: Ask, rest: str) -> Parts:
    """Six digits anew: the earlier ones end."""
    found = invitations.find(ask.tx, ask.scope, rest)
    code = invitations.new_code(ask.tx, found.id, ask.writer.person_id, ask.now) if found else None
    if found is None or code is None:
        return _gone()
    return (("binding.code", {"name": found.name, "minutes": inviting.minutes(), "code": code}),)


def _gone() -> Parts:
    return (("binding.gone", {"buttons": [[["button.invitations", {}, "/invitations"]]]}),)


def _ask_where(held: list[Area], skip: int) -> Parts:
    if not held:
        return (("menu.not_allowed", {}),)
    buttons = _rows(held[skip:skip + PAGE])
    buttons += further("/invite", len(held), skip, PAGE)
    return (("binding.where", {"buttons": buttons}),)


def _rows(held: list[Area]) -> Buttons:
    return [[["button.area", {"area": area.name}, f"/invite {area.id}"]] for area in held]


def _ask_who(ask: Ask, area: Area) -> Parts:
    return (("binding.into", {"area": area.name}), *session.start(
        ask, FORM, {"purpose": "area", "area_id": area.id}))


def _again(ask: Ask, person: Person) -> Parts:
    if person.status != "active":
        return (("binding.not_active", {"name": person.name}),)
    return inviting.made(ask, person)


COMMANDS = {"invite": invite, "invite_family": invite_family, "invitations": pending, "revoke": revoke,
            "new_code": new_code}
