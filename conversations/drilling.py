"""演练: that it is one stands on top of everything that is said of a drill."""

from conversations import commands, session
from conversations.engine import Part
from conversations.turn import Ask
from storage import alerts
from storage.alerts import Alert
from storage.database import Tx

MARK: Part = ("drill.mark", {})
# commands about one alert; typed without saying which they are about the only one that runs
OF_ONE = ("alert", "claim", "arrived", "close", "false_alarm", "support", "hand_alert", "hand_to", "take_over",
          "not_take", "give_back", "alert_file")


def told(tx: Tx, alert_id: str, said: tuple[Part, ...]) -> tuple[Part, ...]:
    """What a notice says, marked where its alert is a drill and it does not say so itself."""
    alert = alerts.unscoped(tx, alert_id)
    own = any("drill" in fields for _, fields in said)
    return (MARK, *said) if alert and alert.drill and not own else said


def meant(ask: Ask) -> Alert | None:
    """The drill that this message is about: its button or command names it, or the open form does."""
    call = commands.called(ask.inbound.choice or ask.inbound.text)
    if call and call[0] in OF_ONE:
        which = call[1].partition(" ")[0]
        alert = _running(ask) if not which else _numbered(ask, which) or alerts.find(ask.tx, ask.scope, which)
    else:
        alert = alerts.find(ask.tx, ask.scope, session.alert_of(ask)) if call is None else None
    return alert if alert and alert.drill else None


def _running(ask: Ask) -> Alert | None:
    total, page = alerts.running(ask.tx, ask.scope, 1)
    return page[0] if total == 1 else None


def _numbered(ask: Ask, number: str) -> Alert | None:
    usable = number.isascii() and number.isdigit() and len(number) < 12
    found = alerts.running_numbered(ask.tx, int(number)) if usable else None
    return alerts.find(ask.tx, ask.scope, found.id) if found else None
