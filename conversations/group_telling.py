"""What is said in a village's groups: of an alert its number, the elder's group, his surname, and of its kind one word.

Nothing else is put into the fields, so that no sentence can say it: a group is read by many.
"""

import re
from collections.abc import Callable
from typing import Any

from conversations.alert_telling import wall
from conversations.engine import Part
from conversations.pages import ALERTS
from conversations.words_book import pseudonym
from scheduler.group_notices import (
    AlertCode,
    ForwardAlert,
    GroupAlert,
    GroupAlone,
    GroupBound,
    GroupHello,
    GroupLost,
)
from storage import alert_links, alerts, areas, elders, groups, outbox, people
from storage.alerts import Alert
from storage.database import Tx
from storage.people import COORDINATING
from storage.scope import Scope

Parts = tuple[Part, ...]
SHOWN = {"lost": "lost", "fire": "fire", "gas": "gas", "abuse": "sos", "self_harm": "sos", "sos": "sos",
         "unsaid": "sos"}  # all others are `help`
WORKS = frozenset({"visitor", *COORDINATING})
GROUP = re.compile(r"\D{0,6}\d{0,2}\D{0,4}")  # what was typed as a villagers' group or an estate, and is no address


def brief(tx: Tx, alert: Alert) -> dict[str, Any]:
    """All that a group, or whoever opens a forwarded link, is told of an alert."""
    elder = elders.unscoped(tx, alert.elder_id) if alert.elder_id else None
    group = elder.group_name if elder and GROUP.fullmatch(elder.group_name) and (
        elder.name[-2:] not in elder.group_name) else ""  # nor is it somebody's house: 张桂芳家
    return {"number": alert.called, "what": SHOWN.get(alert.kind, "help"), "state": alert.state, "drill": alert.drill,
            "group": group, "name": pseudonym(elder.name) if elder else ""}


def goes(tx: Tx, person_id: str | None) -> str:
    """Who goes, as a village's work group calls him: a worker by name, anybody else by surname. Empty: nobody."""
    person = people.find(tx, person_id) if person_id else None
    if person is None:
        return ""
    return person.name if people.roles(tx, person.id) & WORKS else pseudonym(person.name)


def page(tx: Tx, alert_id: str, group_id: str) -> str:
    """Where the alert is claimed by those who have no button, below the bot's public address."""
    return f"{ALERTS}/{alert_links.token(tx, alert_id, group_id)}"


def _alert(tx: Tx, notice: GroupAlert, scope: Scope) -> Parts | None:
    alert, group = alerts.unscoped(tx, notice.alert), groups.unscoped(tx, notice.group)
    if alert is None or group is None:
        return None
    edits = {"edits": outbox.receipt(tx, notice.changes) or ""} if notice.changes else {}
    if notice.last or alert.area_id != group.area_id:
        if not edits.get("edits"):
            return None
        key = "groups.see_below" if notice.last else "groups.elsewhere"
        return ((key, {"number": alert.called, "only_edits": True, **edits}),)
    button = {"buttons": [[["button.claim", {}, f"/claim {alert.id}"]]]} if alert.state == "open" else {}
    who = alert.claimed_by if alert.running else alert.closed_by
    # it may leave late: nobody is asked to hurry to what is over, nor to help where nobody goes
    anew = "" if not alert.running or (notice.anew == "support" and alert.state == "open") else notice.anew or ""
    return (("groups.alert", {**brief(tx, alert), "who": goes(tx, who), "anew": anew, "link": "",
                              "page": page(tx, alert.id, group.id) if button else "", **wall(notice.at), **button,
                              **edits}),)


def _bound(tx: Tx, notice: GroupBound, scope: Scope) -> Parts | None:
    group = notice.bound(tx)
    village = areas.find(tx, group.area_id or "") if group else None
    return (("groups.bound_here", {"village": village.name}),) if village else None


def _hello(tx: Tx, notice: GroupHello, scope: Scope) -> Parts:
    return (("groups.hello", {}),)


def _forward(tx: Tx, notice: ForwardAlert, scope: Scope) -> Parts | None:
    alert = alerts.find(tx, scope, notice.alert)
    if alert is None:
        return None
    return (("groups.forward", {"number": alert.called}), ("break", {}),
            ("groups.to_forward", {**brief(tx, alert), "link": "", "page": page(tx, alert.id, notice.group)}))


def _code(tx: Tx, notice: AlertCode, scope: Scope) -> Parts | None:
    alert = alerts.unscoped(tx, notice.alert)
    if alert is None:
        return None
    claim = [[["button.claim", {}, f"/claim {alert.id}"]]]
    return (("groups.code", {"number": alert.called, "code": notice.code,
                             **({"buttons": claim} if alert.state == "open" else {})}),)


def _lost(tx: Tx, notice: GroupLost, scope: Scope) -> Parts | None:
    village = areas.find(tx, notice.village)
    return (("groups.lost", {"village": village.name}),) if village else None


def _alone(tx: Tx, notice: GroupAlone, scope: Scope) -> Parts | None:
    group = groups.unscoped(tx, notice.group)
    village = areas.find(tx, group.area_id or "") if group else None
    by = people.find(tx, notice.by)
    if group is None or village is None:
        return None
    return (("groups.alone", {"village": village.name, "by": by.name if by else "", "buttons": [
        [["button.group_vouch", {}, f"/bindgroup {group.id} still"]],
        [["button.group_unbind", {}, f"/unbindgroup {group.id}"]]]}),)


TELL: dict[str, Callable[[Tx, Any, Scope], Parts | None]] = {
    GroupAlert.kind: _alert, GroupBound.kind: _bound, GroupHello.kind: _hello, ForwardAlert.kind: _forward,
    AlertCode.kind: _code, GroupLost.kind: _lost, GroupAlone.kind: _alone}
