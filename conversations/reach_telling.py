"""Who has seen an alert, who has not yet, and whom nothing reached: for the coordinators of its place."""

from collections.abc import Callable
from typing import Any

from conversations.alert_telling import called, found, name
from conversations.engine import Part
from conversations.turn import Ask
from scheduler.alert_notices import NotReached
from storage import alert_told, people
from storage.alerts import Alert
from storage.database import Tx
from storage.scope import Scope


def of(ask: Ask, alert: Alert) -> dict[str, list[str]] | None:
    """The names by how far it got, for the card of an alert that runs; None for who does not coordinate the place."""
    if not alert.running or not people.coordinates(ask.tx, ask.writer.person_id, alert.area_id, "village"):
        return None
    return names(ask.tx, alert)


def names(tx: Tx, alert: Alert) -> dict[str, list[str]]:
    """The names of those who were told, by state: seen, waiting, unreached."""
    reached: dict[str, list[str]] = {"seen": [], "waiting": [], "unreached": []}
    for each in alert_told.of(tx, alert.id):
        reached[each.state].append(name(tx, each.person_id))
    return reached


def _not_reached(tx: Tx, notice: NotReached, scope: Scope) -> tuple[Part, ...] | None:
    one = found(tx, scope, notice.alert)
    if one is None:
        return None
    alert, elder = one
    others = [name(tx, each.person_id) for each in alert_told.of(tx, alert.id)
              if each.state == "unreached" and each.person_id != scope.person_id]
    if not others:
        return None
    return (("reach.missed", {
        "number": alert.called, "elder": called(elder), "names": others,
        "buttons": [[["button.alert", {}, f"/alert {alert.id}"]]]}),)


TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {NotReached.kind: _not_reached}
