"""上门探访, 模板: how a visit begins."""

from conversations import lookup, session
from conversations.draft import Answer
from conversations.engine import Part
from conversations.template import blank
from conversations.turn import Ask
from storage import elders
from storage.ids import millis

FORM = "visit"


def visit(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Opens a visit, of the elder named or pressed; with none, or several of the name, that is the first question."""
    pressed = lookup.by_id(ask, rest) if rest else ()
    if pressed:
        return session.start(ask, FORM, pressed[0].context, {"elder": Answer(pressed[0].id, millis(ask.now), "tap")})
    if rest and (gone := elders.find(ask.tx, ask.scope, rest)):
        return (("life.closed_no_visit", {"elder": gone.name, "why": gone.condition}),)
    return session.start(ask, FORM, {}, typed=rest)


def template(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The text to fill in where there is no signal."""
    from conversations.commands import NAMES  # the word that opens a block is this command's own

    form = ask.house.book.current[FORM]
    return (("menu.template", {"text": blank(form, f"{NAMES['visit'].words[1]} {form.by_id['elder'].also[0]}")}),)


COMMANDS = {"visit": visit, "template": template}
