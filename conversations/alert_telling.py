"""What notices of alerts say, as each reader may see it: the elder himself, his family, who may go, a coordinator."""

from collections.abc import Callable
from typing import Any

from conversations import device_telling
from conversations.engine import Part
from conversations.turn import label
from scheduler import drills
from scheduler.alert_notices import AlertEnded, AlertOffered, AlertRaised, AlertsAlike, AlertStep
from storage import alerts, areas, elders, people, ties
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

Parts = tuple[Part, ...]
SAID = {"claimed": "alerts.claimed_by", "arrived": "alerts.arrived_by", "again": "alerts.again", "well": "alerts.well",
        "reached": "alerts.reached", "whom": "alerts.whom", "what": "alerts.what", "words": "alerts.words",
        "support": "ladder.support", "handed": "ladder.handed", "back": "ladder.back", "declined": "ladder.declined",
        "not_there": "ladder.not_there", "not_ended": "ladder.not_ended",
        **dict.fromkeys(("photo", "voice", "place"), "added.told")}
# what of it the one who goes is told instead, and what he may press
TO_GOER = {
    "not_there": ("ladder.goer_not_there", (("button.arrived", "/arrived"), ("button.hand_alert", "/handalert"))),
    "not_ended": ("ladder.goer_not_ended", (("button.close_alert", "/close"), ("button.support", "/support")))}


def called(elder: Elder | None) -> str:
    """An elder's name; empty where the alert is of nobody who is on the ledger."""
    return elder.name if elder else ""


def told(tx: Tx, alert: Alert, elder: Elder | None, at: str) -> dict[str, Any]:
    """What a sentence on an alert may say: who raised it and who goes by name, empty where nobody; `at` as kept."""
    return {"number": alert.called, "elder": label(elder) if elder else {"name": ""}, "what": alert.kind,
            "by": raiser(tx, alert),
            "who": name(tx, alert.claimed_by), "words": alert.words, "state": alert.state,
            "device": device_telling.of_alert(tx, alert.id) if alert.source == "device" else None, **wall(at)}


def wall(at: str) -> dict[str, str]:
    """Day (ISO) and time of a notice's `at`."""
    day, _, time = at.partition("T")
    return {"day": day, "time": time}


def raiser(tx: Tx, alert: Alert) -> str:
    """Who raised it, by name; empty where nobody did, or the elder himself."""
    own = alert.raised_by is not None and people.roles(tx, alert.raised_by) == {"self"}
    return "" if own else name(tx, alert.raised_by)


def name(tx: Tx, person_id: str | None) -> str:
    """Somebody's name."""
    person = people.find(tx, person_id) if person_id else None
    return person.name if person else ""


Found = tuple[Alert, Elder | None]


def found(tx: Tx, scope: Scope, alert_id: str) -> Found | None:
    """An alert and its elder, who is None where it is of nobody who is on the ledger."""
    alert = alerts.find(tx, scope, alert_id)
    if alert is None or alert.elder_id is None:
        return (alert, None) if alert else None
    elder = elders.find(tx, scope, alert.elder_id)
    return (alert, elder) if elder else None


def afar(tx: Tx, scope: Scope, alert: Alert) -> bool:
    """Whether he is of the elder's family and nothing else to him: a child who lives elsewhere, as far as is known."""
    return alert.elder_id is not None and ties.over(tx, scope, alert.elder_id) == {"family"}


def _own(tx: Tx, scope: Scope, elder: Elder | None) -> bool:
    return elder is not None and "self" in ties.over(tx, scope, elder.id)


def _raised(tx: Tx, notice: AlertRaised, scope: Scope) -> Parts | None:
    one = found(tx, scope, notice.alert)
    if one is None:
        return None
    alert, elder = one
    rows = [[["button.claim", {}, f"/claim {alert.id}"]]] if notice.goes and alert.state == "open" else []
    return (("alerts.raised", {
        **told(tx, alert, elder, notice.at), "goes": notice.goes, "late": notice.late, "call": notice.call,
        "afar": not notice.goes and afar(tx, scope, alert), "buttons": [
            *rows, [["button.seen", {}, f"/seen {alert.id}"], ["button.alert", {}, f"/alert {alert.id}"]]]}),)


def _step(tx: Tx, notice: AlertStep, scope: Scope) -> Parts | None:
    one = found(tx, scope, notice.alert)
    if one is None:
        return None
    alert, elder = one
    who = name(tx, notice.by)
    if _own(tx, scope, elder):
        return (("alerts.own_claimed", {"who": who}),) if notice.step in ("claimed", "handed") else None
    said = SAID[notice.step]
    rows: list[list[list[object]]] = [[["button.alert", {}, f"/alert {alert.id}"]]]
    if notice.step == "back" and notice.goes:
        rows.insert(0, [["button.claim", {}, f"/claim {alert.id}"]])
    if notice.step in TO_GOER and notice.by == scope.person_id:
        said, buttons = TO_GOER[notice.step]
        rows.insert(0, [[label, {}, f"{command} {alert.id}"] for label, command in buttons])
    return ((said, {"number": alert.called, "elder": called(elder), "who": who, "what": alert.kind,
                    "words": alert.words, "step": notice.step, "goes": notice.goes, **wall(notice.at),
                    "buttons": rows}),)


def _offered(tx: Tx, notice: AlertOffered, scope: Scope) -> Parts | None:
    one = found(tx, scope, notice.alert)
    if one is None:
        return None
    alert, elder = one
    return (("ladder.offered", {
        "number": alert.called, "elder": called(elder), "what": alert.kind, "who": name(tx, notice.by), "buttons": [
            [["button.take_over", {}, f"/takeover {alert.id}"], ["button.decline_alert", {}, f"/nottake {alert.id}"]],
            [["button.alert", {}, f"/alert {alert.id}"]]]}),)


def _alike(tx: Tx, notice: AlertsAlike, scope: Scope) -> Parts | None:
    alert = alerts.find(tx, scope, notice.alert)
    village = areas.find(tx, alert.area_id) if alert else None
    if alert is None or village is None:
        return None
    return (("ladder.alike", {
        "number": alert.called, "village": village.name, "what": alert.kind, "count": notice.count,
        "minutes": notice.minutes, "buttons": [[["button.alerts", {}, "/alerts"]]]}),)


def _ended(tx: Tx, notice: AlertEnded, scope: Scope) -> Parts | None:
    one = found(tx, scope, notice.alert)
    if one is None:
        return None
    alert, elder = one
    if _own(tx, scope, elder):
        return (("alerts.own_ended", {}),)
    outcome = {key: alert.outcome.get(key, "") for key in ("found", "done", "reason", "risk")}
    if alert.drill and outcome["reason"] == drills.OVER:
        return (("drill.over", {"number": alert.called}),)
    return (("alerts.ended", {"number": alert.called, "elder": called(elder), "state": alert.state, **outcome,
                              "family": afar(tx, scope, alert), "who": name(tx, alert.closed_by), **wall(notice.at)}),)


TELL: dict[str, Callable[[Tx, Any, Scope], Parts | None]] = {
    AlertRaised.kind: _raised, AlertStep.kind: _step, AlertEnded.kind: _ended, AlertOffered.kind: _offered,
    AlertsAlike.kind: _alike}
