"""What stands on an alert's card beside the alert itself: whom to call by telephone, and what is done about it."""

from typing import Any

from conversations import adding, family_choice
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import family_calls, sms
from scheduler.family_calls import Contact
from storage import alert_media
from storage.alerts import Alert

Rows = list[list[list[object]]]
FILES, PLACES = 6, 2  # of what was added, the last that the card shows


def of(ask: Ask, alert: Alert) -> tuple[dict[str, Any], Rows]:
    """What the card says, and its buttons, as who asks may see them on this channel."""
    calls, rows = numbers(ask, alert)
    added, see = media(ask, alert)
    return {"calls": calls, "added": added}, [*family_choice.rows(ask, alert), *rows, *see]


def media(ask: Ask, alert: Alert) -> tuple[dict[str, Any], Rows]:
    """What was added: how many photos and voice notes, with a button for each of the last, and the places. Abroad only
    that there is something.
    """
    added = alert_media.of(ask.tx, alert.id)
    files = [each for each in added if each.kind != "place"]
    places = [each.place for each in added if each.kind == "place"][-PLACES:]
    if ask.abroad:
        return {"photos": 0, "voices": 0, "places": [], "elsewhere": bool(added)}, []
    if places and alert.elder_id:
        ask.note("elder.reveal", alert.elder_id, ("place",))
    kinds = [each.kind for each in files]
    said = {"photos": kinds.count("photo"), "voices": kinds.count("voice"),
            "places": [{"where": adding.said(place), "link": adding.map_link(place)} for place in places],
            "elsewhere": False}
    numbered = [*enumerate(files, 1)][-FILES:]
    row: list[list[object]] = [[f"button.see_{each.kind}", {"n": n}, f"/alertmedia {each.id}"] for n, each in numbered]
    return said, [row[at:at + 2] for at in range(0, len(row), 2)]


def at_once(ask: Ask, alert: Alert) -> tuple[tuple[Part, ...], Rows]:
    """Whom to call, for who has just raised it: a part of its own where there is anybody, and the buttons."""
    calls, rows = numbers(ask, alert)
    anybody = calls["to_call"] or calls["elsewhere"]
    return ((("calling.numbers", {"calls": {**calls, "untold": False}}),) if anybody else (), rows)


def numbers(ask: Ask, alert: Alert) -> tuple[dict[str, Any], Rows]:
    """Contacts without an account, with buttons for what came of each call. No number goes abroad."""
    to_call = family_calls.to_call(ask.tx, ask.scope, alert)
    shown: list[Contact] = [] if ask.abroad else to_call
    if shown and alert.elder_id:
        ask.note("elder.reveal", alert.elder_id, ("emergency_phone",))
    calls = {"to_call": [{"name": each.name, "phone": each.phone, "state": each.state if each.state != "chosen" else "",
                          "texted": sms.sent(ask.tx, alert, each.slot)} for each in shown],
             "elsewhere": ask.abroad and bool(to_call), "untold": family_calls.untold(ask.tx, ask.scope, alert),
             "sent": family_calls.written_to(ask.tx, alert, ask.today),
             "none": not to_call and family_calls.caller(ask.tx, ask.scope, alert)}
    return calls, [[["button.got_through", {"name": each.name}, f"/gotthrough {alert.id} {each.slot}"],
                    ["button.no_answer", {"name": each.name}, f"/noanswer {alert.id} {each.slot}"]]
                   for each in shown if each.state != "reached"]
