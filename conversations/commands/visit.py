"""上门探访, 模板: how a visit begins."""

from conversations import lookup, session
from conversations.draft import Answer
from conversations.engine import Part
from conversations.template import blank
from conversations.turn import Ask
from storage.ids import millis

FORM = "visit"


def visit(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Opens a visit, of the elder named or pressed; with none, or several of the name, that is the first question."""
    found = (lookup.by_id(ask, rest) or lookup.find(ask, rest, [])) if rest else ()
    if len(found) == 1:
        return session.start(ask, FORM, found[0].context, {"elder": Answer(found[0].id, millis(ask.now), "tap")})
    opened = session.start(ask, FORM, {})
    return (("refuse.person_unknown", {}), *opened) if rest and not found else opened


def template(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The text to fill in where there is no signal."""
    from conversations.commands import NAMES  # the word that opens a block is this command's own

    form = ask.house.book.current[FORM]
    return (("menu.template", {"text": blank(form, f"{NAMES['visit'].words[1]} {form.by_id['elder'].also[0]}")}),)


COMMANDS = {"visit": visit, "template": template}
