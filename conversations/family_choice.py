"""告诉家属: whom of the family a coordinator tells what is kept from it, and what he who is told hears."""

from collections.abc import Callable
from typing import Any

from conversations import alert_telling
from conversations.engine import Part
from conversations.turn import Ask, label
from scheduler import family_calls, family_decision
from scheduler.family_decision import FamilyTold
from storage import alerts, elders
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

Rows = list[list[list[object]]]


def rows(ask: Ask, alert: Alert) -> Rows:
    """The button on the alert's card, for who decides."""
    mine = family_decision.may(ask.tx, ask.writer.person_id, alert)
    return [[["button.tell_family", {}, f"/tellfamily {alert.number}"]]] if mine and ask.may("tell_family") else []


def part(ask: Ask, alert: Alert, elder: Elder) -> Part:
    """Who there is, a button each, and who was told."""
    choices = family_decision.choices(ask.tx, alert, ask.today)
    contacts = family_calls.to_choose(ask.tx, ask.scope, alert)
    buttons: Rows = [[["button.tell_him", {"name": alert_telling.name(ask.tx, person)},
                       f"/tellfamily {alert.number} {person}"]] for person, told in choices if not told]
    buttons += [[["button.call_him", {"name": each.name}, f"/tellfamily {alert.number} {each.slot}"]]
                for each in contacts]
    told = [alert_telling.name(ask.tx, person) for person, known in choices if known]
    return ("family_choice.which", {"number": alert.called, "elder": elder.name, "what": alert.kind, "told": told,
                                    "left": len(buttons),
                                    "buttons": [*buttons, [["button.alert", {}, f"/alert {alert.id}"]]]})


def _told(tx: Tx, notice: FamilyTold, scope: Scope) -> tuple[Part, ...] | None:
    alert = alerts.unscoped(tx, notice.alert)
    elder = elders.find(tx, scope, alert.elder_id) if alert and alert.elder_id else None
    if alert is None or elder is None:
        return None
    fields: dict[str, Any] = {"elder": label(elder), "what": alert.kind, "by": alert_telling.name(tx, alert.family_by),
                              "who": alert_telling.name(tx, alert.claimed_by)}
    return (("family_choice.ended" if notice.ended else "family_choice.told", fields),)


TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {FamilyTold.kind: _told}
