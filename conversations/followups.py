"""What is shown of a closed alert that is asked after: to the township, and on the elder's page."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from conversations import alert_telling
from conversations.engine import Part
from conversations.turn import Ask, label
from scheduler.alert_notices import FollowUp
from storage import alerts
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

Buttons = list[list[list[object]]]


def part(alert: Alert, elder: Elder | None, zone: tzinfo) -> Part:
    """The alert, how it ended, what was answered, and a button for each answer that is wanted."""
    said = {name: alert.outcome.get(name, "") for name in alerts.ASKED}
    rows: Buttons = [[[f"button.follow_{name}_{value}", {}, f"/follow {alert.id} {name} {value}"]
                      for value in ("yes", "none", alerts.NOT_YET)]
                     for name in alerts.ASKED if alert.state == "closed" and said[name] in ("", alerts.NOT_YET)]
    return ("followups.card", {
        "number": alert.called, "elder": label(elder) if elder else {"name": ""}, "what": alert.kind,
        "day": alert.closed_at.astimezone(zone).date().isoformat() if alert.closed_at else "",
        **{name: alert.outcome.get(name, "") for name in ("found", "done", "risk")}, "said": said, "buttons": rows})


def beside(ask: Ask, elder: Elder) -> tuple[Part, ...]:
    """What stands on an elder's page: a risk of which nobody has said yet that it is gone."""
    left = [alert.called for alert in alerts.open_after_of(ask.tx, ask.scope, elder.id) if alert.risk_left]
    return (("followups.risk", {"numbers": left}),) if left else ()


def _follow_up(tx: Tx, notice: FollowUp, scope: Scope) -> tuple[Part, ...] | None:
    found = alert_telling.found(tx, scope, notice.alert)
    if found is None:
        return None
    alert, elder = found
    again = alert.outcome.get("risk_gone", "") == alerts.NOT_YET
    return (("followups.told", {
        "number": alert.called, "elder": alert_telling.called(elder), "again": again,
        "buttons": [[["button.follow", {}, f"/followup {alert.id}"]]]}),)


TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {FollowUp.kind: _follow_up}
