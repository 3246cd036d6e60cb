"""告诉家属, of an alert that is kept from the family: `NUMBER` shows who there is, `NUMBER WHOM` tells one of them."""

from conversations import alert_telling, family_choice
from conversations.commands import alerts as cards
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import family_calls, family_decision
from storage import alerts, elders

Parts = tuple[Part, ...]


def tell_family(ask: Ask, rest: str) -> Parts:
    """Asks whom; whom it names is told, or is to be called by who goes. All is checked at the press."""
    number, _, whom = rest.partition(" ")
    usable = number.isascii() and number.isdigit() and len(number) < 12
    known = alerts.running_numbered(ask.tx, int(number)) if usable else None
    alert = alerts.held(ask.tx, ask.scope, known.id) if known else None
    elder = elders.find(ask.tx, ask.scope, alert.elder_id) if alert and alert.elder_id else None
    me = ask.writer.person_id
    if alert is None or elder is None or not family_decision.may(ask.tx, me, alert):
        return (("alerts.gone", {}),)
    if not whom:
        return (family_choice.part(ask, alert, elder),)
    if whom in (person for person, told in family_decision.choices(ask.tx, alert, ask.today) if not told):
        family_decision.tell(ask.tx, alert, whom, me, ask.now)
        said: Part = ("family_choice.done", {"name": alert_telling.name(ask.tx, whom)})
        return (said, family_choice.part(ask, alert, elder))
    for contact in family_calls.to_choose(ask.tx, ask.scope, alert):
        if contact.slot == whom:
            family_decision.call(ask.tx, alert, whom, me, ask.now)
            return (("family_choice.call", {"name": contact.name}), *cards.card(ask, alert.id))
    return (family_choice.part(ask, alert, elder),)


COMMANDS = {"tell_family": tell_family}
