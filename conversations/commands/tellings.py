"""告诉家属: who visits asks the elder whom of his family he lets know how he is, and what not."""

from conversations import families, lookup, session
from conversations.draft import CALLED, Answer
from conversations.engine import Part
from conversations.turn import Ask
from storage import elders, people, ties
from storage.elders import Elder
from storage.ids import millis


def telling(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks of whom, where there are several; of the only one at once."""
    found = lookup.one(ask, rest, "telling")
    if not isinstance(found, Elder):
        return found
    if found.condition == "erased":
        return (("menu.elder_gone", {}),)
    if families.relative(ask, found.id):  # nobody writes down for himself what he is to be told
        return (("tellings.not_yourself", {"elder": found.name}),)
    family = [person for each in ties.family(ask.tx, found.id, ask.today.isoformat())
              if (person := people.find(ask.tx, each))]
    if not family:
        invites = ask.may("invite_family") and elders.held(ask.tx, ask.scope, found.id)
        step: list[object] = ["button.invite_family", {}, f"/invitefamily {found.id}"] if invites else [
            "button.file", {}, f"/elder {found.id}"]
        return (("tellings.no_family", {"elder": found.name, "buttons": [[step]]}),)
    context = {"elder_id": found.id, "elder_name": found.name, "registered_on": found.registered_on}
    if len(family) > 1:
        return session.start(ask, "telling", context)
    child = family[0]
    return session.start(ask, "telling", {**context, CALLED: {"child": child.name}},
                         {"child": Answer(child.id, millis(ask.now), "default")})


COMMANDS = {"telling": telling}
