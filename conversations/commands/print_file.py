"""打印档案: a whole file as annex 2, for who fills files in or coordinates where the elder lives."""

from conversations import lookup
from conversations.engine import Part
from conversations.permissions import LOCAL
from conversations.turn import Ask
from storage import ties
from storage.elders import Elder
from storage.ties import AT_HAND

NAME = "printfile"


def button(ask: Ask, elder: Elder) -> list[list[list[object]]]:
    """Where the asker may: the way to the printed file."""
    return [[["button.printfile", {}, f"/{NAME} {elder.id}"]]] if _roles(ask, elder) else []


def print_file(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Annex 2 as Word; the file is made when it is sent."""
    found = lookup.one(ask, rest, NAME)
    if not isinstance(found, Elder):
        return found
    if found.condition == "erased":
        return (("menu.elder_gone", {}),)
    roles = _roles(ask, found)
    if not roles:
        return (("registration_form.not_yours", {}),)
    ask.note("elder.print", found.id, ("file",))
    return (("registration_form.made", {"elder": found.name, "whole": bool(roles & LOCAL), "document": {
        "kind": "registration_form", "elder": found.id, "person": ask.writer.person_id}}),)


def _roles(ask: Ask, elder: Elder) -> frozenset[str]:
    """In which roles towards this elder the asker may have the file printed: the table of permissions knows no elders.

    Who goes to him must be of a kind that fills in files; what one coordinates elsewhere does not count here.
    """
    if elder.condition == "erased" or not ask.may(NAME):
        return frozenset()
    roles = ties.over(ask.tx, ask.scope, elder.id)
    fills_in = ask.kind is None or "file" in ask.kind.tasks
    return roles & (LOCAL | AT_HAND if fills_in else LOCAL)


COMMANDS = {NAME: print_file}
