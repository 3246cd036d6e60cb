"""What stands on an alert's card beside the alert itself: whom to call by telephone, and what is done about it."""

from typing import Any

from conversations import family_choice
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import family_calls
from scheduler.family_calls import Contact
from storage.alerts import Alert

Rows = list[list[list[object]]]


def of(ask: Ask, alert: Alert) -> tuple[dict[str, Any], Rows]:
    """What the card says, and its buttons, as who asks may see them on this channel."""
    calls, rows = numbers(ask, alert)
    return {"calls": calls}, [*family_choice.rows(ask, alert), *rows]


def at_once(ask: Ask, alert: Alert) -> tuple[tuple[Part, ...], Rows]:
    """Whom to call, for who has just raised it: a part of its own where there is anybody, and the buttons."""
    calls, rows = numbers(ask, alert)
    anybody = calls["to_call"] or calls["elsewhere"]
    return ((("calling.here", {"beside": {"calls": {**calls, "untold": False}}}),) if anybody else (), rows)


def numbers(ask: Ask, alert: Alert) -> tuple[dict[str, Any], Rows]:
    """Contacts without an account, with buttons for what came of each call. No number goes abroad."""
    to_call = family_calls.to_call(ask.tx, ask.scope, alert)
    shown: list[Contact] = [] if ask.abroad else to_call
    if shown and alert.elder_id:
        ask.note("elder.reveal", alert.elder_id, ("emergency_phone",))
    calls = {"to_call": [{"name": each.name, "phone": each.phone, "state": each.state if each.state != "chosen" else ""}
                         for each in shown],
             "elsewhere": ask.abroad and bool(to_call), "untold": family_calls.untold(ask.tx, ask.scope, alert),
             "sent": family_calls.written_to(ask.tx, alert, ask.today),
             "none": not to_call and family_calls.caller(ask.tx, ask.scope, alert)}
    return calls, [[["button.got_through", {"name": each.name}, f"/gotthrough {alert.id} {each.slot}"],
                    ["button.no_answer", {"name": each.name}, f"/noanswer {alert.id} {each.slot}"]]
                   for each in shown if each.state != "reached"]
