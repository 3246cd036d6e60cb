"""第一联系人: who is answerable for one elder's visits; and the elders who have nobody yet (C2)."""

from conversations import firstcontact, lookup, session
from conversations.engine import Part
from conversations.lists import skipped
from conversations.turn import Ask
from storage import proposals
from storage.elders import Elder


def contact(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks about the children, then proposes by the rule; with no name, the coordinator's list."""
    if (not rest or rest.startswith("+")) and ask.may("confirm"):
        return firstcontact.without(ask, skipped(rest))
    found = lookup.one(ask, rest.removesuffix(firstcontact.AGAIN).strip(), "firstcontact")
    if not isinstance(found, Elder):
        return found
    if ask.abroad:  # children are named in it
        return (("firstcontact.not_abroad", {}),)
    if proposals.is_open(ask.tx, found.id, firstcontact.KIND):
        return (("firstcontact.waits", {"elder": found.name, "buttons": [[["button.mine", {}, "/my"]]]}),)
    if not rest.endswith(firstcontact.AGAIN) and (said := firstcontact.awaited(ask, found)):
        return said
    return session.start(ask, firstcontact.FORM, {
        "elder_id": found.id, "elder_name": found.name, "village_id": found.village_id,
        "level": ask.policy(found.village_id).same_place_level})


COMMANDS = {"firstcontact": contact}
