"""警报, 我去处理, 已到场, 处置完毕, 误报: what runs, who goes, and how it ended. All is checked at the press."""

from datetime import datetime

from conversations import alert_telling, session
from conversations.commands import privacy
from conversations.engine import Part
from conversations.lists import PAGE, skipped
from conversations.turn import Ask
from scheduler import alerting
from storage import alerts, elder_files, elders
from storage.alerts import Alert
from storage.elders import Elder

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def listed(ask: Ask, rest: str) -> Parts:
    """Those that run in the asker's scope, the longest first."""
    skip = skipped(rest)
    total, page = alerts.running(ask.tx, ask.scope, PAGE, skip)
    if not page:
        return (("alerts.none", {}),)
    lines, rows = [], Rows()
    for alert in page:
        elder = elders.find(ask.tx, ask.scope, alert.elder_id or "")
        called = {"number": alert.called, "elder": elder.name if elder else ""}
        lines.append({**called, "what": alert.kind, "who": alert_telling.name(ask.tx, alert.claimed_by),
                      "minutes": max(0, int((ask.now - alert.raised_at).total_seconds() // 60))})
        rows.append([["button.alert_of", called, f"/alert {alert.id}"]])
    if skip + PAGE < total:
        rows.append([["button.next_page", {}, f"/alerts +{skip + PAGE}"]])
    return (("alerts.list", {"total": total, "lines": lines, "buttons": rows}),)


def card(ask: Ask, rest: str) -> Parts:
    """One of them, with the next steps that are this person's to take."""
    found = _one(ask, rest)
    return (_card(ask, *found),) if found else _which(ask, rest)


def claim(ask: Ask, rest: str) -> Parts:
    """This person goes. Of several who press, one does; the others are told who."""
    found = _one(ask, rest)
    if found is None:
        return _which(ask, rest)
    alert, elder = found
    me = ask.writer.person_id
    if not alerting.may_go(ask.tx, me, alert, ask.house.policies, ask.today):
        return (("alerts.not_to_go", {}),)
    done = alerting.claim(ask.tx, alert, me, ask.house.policies, ask.now)
    now = alerts.find(ask.tx, ask.scope, alert.id) or alert
    if done or (now.running and now.claimed_by == me):
        return (("alerts.you_go" if done else "alerts.you_went", {}), _card(ask, now, elder))
    if now.running:
        return (("alerts.taken", {"who": alert_telling.name(ask.tx, now.claimed_by)}),)
    return (("alerts.over", {"number": now.called}),)


def arrived(ask: Ask, rest: str) -> Parts:
    """Who went is there."""
    found = _one(ask, rest)
    if found is None:
        return _which(ask, rest)
    alert, elder = found
    me = ask.writer.person_id
    if alert.running and alert.claimed_by != me:
        return (("alerts.first_go" if alert.state == "open" else "alerts.not_yours", {}), _card(ask, alert, elder))
    alerting.arrive(ask.tx, alert, me, ask.house.policies, ask.now)
    now = alerts.find(ask.tx, ask.scope, alert.id) or alert
    return (("alerts.you_arrived", {}), _card(ask, now, elder)) if now.running else (
        ("alerts.over", {"number": now.called}),)


def close(ask: Ask, rest: str) -> Parts:
    """Asks in short what was found and done."""
    return _ending(ask, rest, "alert_closed")


def false_alarm(ask: Ask, rest: str) -> Parts:
    """Asks in one line why there was no need."""
    return _ending(ask, rest, "alert_false")


def _ending(ask: Ask, rest: str, form: str) -> Parts:
    found = _one(ask, rest)
    if found is None:
        return _which(ask, rest)
    alert, elder = found
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    may = alerting.may_end(ask.tx, ask.writer.person_id, alert)
    if alert.state == "open" and not (may and form == "alert_false"):
        return (("alerts.first_go", {}), _card(ask, alert, elder))
    if not may:
        return (("alerts.not_yours", {}),)
    return session.start(ask, form, {"alert_id": alert.id, "elder_id": elder.id, "elder_name": elder.name})


def _one(ask: Ask, rest: str) -> tuple[Alert, Elder] | None:
    """The alert meant: by id, or the only one that runs."""
    if rest:
        alert = alerts.find(ask.tx, ask.scope, rest)
    else:
        total, page = alerts.running(ask.tx, ask.scope, 1)
        alert = page[0] if total == 1 else None
    elder = elders.find(ask.tx, ask.scope, alert.elder_id or "") if alert else None
    return (alert, elder) if alert and elder else None


def _which(ask: Ask, rest: str) -> Parts:
    return (("alerts.gone", {}),) if rest else listed(ask, "")


def _card(ask: Ask, alert: Alert, elder: Elder) -> Part:
    file = None if ask.abroad else elder_files.read(ask.tx, ask.scope, elder.id)
    address = str(file.facts.get("address", "")) if file else ""
    if address:
        ask.note("elder.reveal", elder.id, ("address",))
    return ("alerts.card", {
        **alert_telling.told(ask.tx, alert, elder, _wall(ask, alert.raised_at)), "address": address,
        "since": _wall(ask, alert.claimed_at).partition("T")[2] if alert.claimed_at else "",
        "buttons": _steps(ask, alert, elder)})


def _wall(ask: Ask, at: datetime) -> str:
    return at.astimezone(ask.house.policy.zone).strftime("%Y-%m-%dT%H:%M")


def _steps(ask: Ask, alert: Alert, elder: Elder) -> Rows:
    me = ask.writer.person_id
    rows: Rows = []
    if alert.state == "open" and ask.may("claim") and alerting.may_go(
            ask.tx, me, alert, ask.house.policies, ask.today):
        rows.append([["button.claim", {}, f"/claim {alert.id}"]])
    if alert.state == "claimed" and alert.claimed_by == me:
        rows.append([["button.arrived", {}, f"/arrived {alert.id}"]])
    if alert.running and ask.may("close") and alerting.may_end(ask.tx, me, alert):
        ends: list[list[object]] = [["button.false_alarm", {}, f"/falsealarm {alert.id}"]]
        if alert.state != "open":
            ends.insert(0, ["button.close_alert", {}, f"/close {alert.id}"])
        rows.append(ends)
    if privacy.shows(ask, elder, "phone"):
        rows.append([["button.phone", {}, f"/phone {elder.id}"]])
    return rows


COMMANDS = {"alerts": listed, "alert": card, "claim": claim, "arrived": arrived, "close": close,
            "false_alarm": false_alarm}
