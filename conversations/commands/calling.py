"""已打通, 未打通: what came of a call to an emergency contact who has no account. Checked at the press (C12)."""

from conversations import alert_telling
from conversations.commands import alerts as cards
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import family_calls
from storage import alert_contacts
from storage.alert_contacts import State

Parts = tuple[Part, ...]


def got_through(ask: Ask, rest: str) -> Parts:
    """Somebody of the family knows now."""
    return _called(ask, rest, "reached")


def no_answer(ask: Ask, rest: str) -> Parts:
    """Nobody answered, and it is to be tried again."""
    return _called(ask, rest, "not_reached")


def _called(ask: Ask, rest: str, state: State) -> Parts:
    alert_id, _, slot = rest.partition(" ")
    found = alert_telling.found(ask.tx, ask.scope, alert_id)
    if found is None:
        return (("alerts.gone", {}),)
    alert = found[0]
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    contact = next((each for each in family_calls.to_call(ask.tx, ask.scope, alert) if each.slot == slot), None)
    if contact is None:
        return (("calling.not_yours", {}),)
    alert_contacts.mark(ask.tx, alert, slot, state, ask.writer.person_id, ask.now)
    return ((f"calling.{state}", {"name": contact.name}), *cards.card(ask, alert.id))


COMMANDS = {"got_through": got_through, "no_answer": no_answer}
