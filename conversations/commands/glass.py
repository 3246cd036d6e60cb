"""紧急查档: while an alert runs, a coordinator of the same county reads one file of another area (C15)."""

import re

from conversations import glass, session
from conversations.engine import Part
from conversations.turn import Ask
from storage import elders
from storage import glass as opening

NUMBER = re.compile(r"(?:[aA][-—]?)?0*(\d{1,9})")


def glass_(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks for the reason; `rest` is the alert's number as people call it: A-0001."""
    if ask.abroad:
        return (("glass.abroad", {}),)
    number = NUMBER.fullmatch(rest)
    if number is None:
        return (("glass.which", {}),)
    found = opening.openable(ask.tx, ask.scope, int(number[1]))
    if found is None:
        return (("glass.gone", {}),)
    if elders.in_scope(ask.tx, ask.scope, found.elder.id):
        return (("glass.yours", {"buttons": [[["button.file", {}, f"/elder {found.elder.id}"]]]}),)
    return session.start(ask, glass.FORM, {"number": found.alert.number})


COMMANDS = {"glass": glass_}
