"""警报, 我去处理, 已到场, 处置完毕, 误报: what runs, who goes, and how it ended. All is checked at the press."""

from datetime import datetime, timedelta

from conversations import alert_beside, alert_telling, pages, reach_telling, session
from conversations.commands import privacy
from conversations.engine import Part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask
from scheduler import alerting
from storage import alert_told, alert_turns, alerts, elder_files, elders
from storage.alerts import Alert
from storage.elders import Elder

Parts = tuple[Part, ...]
ENDED_SINCE = timedelta(days=7)
SEVERAL_SINCE = timedelta(days=1)
Rows = list[list[list[object]]]


def listed(ask: Ask, rest: str) -> Parts:
    """Those that run in the asker's scope, the longest first."""
    skip = skipped(rest)
    total, page = alerts.running(ask.tx, ask.scope, PAGE, skip)
    ended = _ended(ask) if not skip else ()
    several = _several(ask) if not skip else ()
    if not page:
        return (*several, ("alerts.none", {}), *ended)
    lines, rows = [], Rows()
    for alert in page:
        elder = elders.find(ask.tx, ask.scope, alert.elder_id) if alert.elder_id else None
        called = {"number": alert.called, "elder": alert_telling.called(elder)}
        lines.append({**called, "what": alert.kind, "drill": alert.drill,
                      "who": alert_telling.name(ask.tx, alert.claimed_by),
                      "minutes": max(0, int((ask.now - alert.raised_at).total_seconds() // 60)),
                      "there": alert.state == "arrived", "support": alert.support_at is not None})
        rows.append([["button.alert_of", called, f"/alert {alert.id}"]])
    rows += further("/alerts", total, skip)
    both = [*rows, *(row for _, fields in ended for row in fields["buttons"])]
    return (*several, ("alerts.list", {"total": total, "lines": lines, "buttons": [] if ended else rows}),
            *((kind, {**fields, "buttons": both}) for kind, fields in ended))


def _ended(ask: Ask) -> Parts:
    """To coordinators those that ended in the last days, the newest first."""
    found = alerts.ended(ask.tx, ask.scope, ask.now - ENDED_SINCE, PAGE) if ask.may("alert_file") else []
    lines, rows = [], Rows()
    for alert in found:
        elder = elders.find(ask.tx, ask.scope, alert.elder_id) if alert.elder_id else None
        called = {"number": alert.called, "elder": alert_telling.called(elder)}
        day = wall(ask, alert.closed_at).partition("T")[0] if alert.closed_at else ""
        lines.append({**called, "what": alert.kind, "drill": alert.drill, "state": alert.state, "day": day})
        rows.append([["button.alert_of", called, f"/alert {alert.id}"]])
    return (("alerts.ended_list", {"days": ENDED_SINCE.days, "lines": lines, "buttons": rows}),) if found else ()


def _several(ask: Ask) -> Parts:
    """多起同类警报, to who coordinates the place."""
    found = alert_turns.several(ask.tx, ask.scope, ask.now - SEVERAL_SINCE)
    return (("ladder.several", {"lines": [
        {"village": village, "what": kind, "count": count} for village, kind, count in found]}),) if found else ()


def card(ask: Ask, rest: str) -> Parts:
    """One of them, with the next steps that are this person's to take."""
    found = one(ask, rest)
    return (card_of(ask, *found),) if found else which(ask, rest)


def claim(ask: Ask, rest: str) -> Parts:
    """This person goes. Of several who press, one does; the others are told who."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    me = ask.writer.person_id
    if not alerting.may_go(ask.tx, me, alert, ask.house.policies, ask.today):
        return (("alerts.not_to_go", {}),)
    done = alerting.claim(ask.tx, alert, me, ask.house.policies, ask.now)
    now = alerts.find(ask.tx, ask.scope, (done or alert).id) or alert
    if done or (now.running and now.claimed_by == me):
        return (("alerts.you_go" if done else "alerts.you_went", {}), card_of(ask, now, elder))
    if now.running:
        return (("alerts.taken", {"who": alert_telling.name(ask.tx, now.claimed_by)}),)
    return (("alerts.over", {"number": now.called}),)


def arrived(ask: Ask, rest: str) -> Parts:
    """Who went is there."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    me = ask.writer.person_id
    if alert.running and alert.claimed_by != me:
        return (("alerts.first_go" if alert.state == "open" else "alerts.not_yours", {}), card_of(ask, alert, elder))
    alerting.arrive(ask.tx, alert, me, ask.house.policies, ask.now)
    now = alerts.find(ask.tx, ask.scope, alert.id) or alert
    return (("alerts.you_arrived", {}), card_of(ask, now, elder)) if now.running else (
        ("alerts.over", {"number": now.called}),)


def page(ask: Ask, rest: str) -> Parts:
    """To who may not be shown it on this channel, a page with where it is and whom to call."""
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert = found[0]
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    return pages.offer_alert(ask.tx, ask.house.public, ask.writer.person_id, ask.now, alert.id)


def file(ask: Ask, rest: str) -> Parts:
    """The file of one of them, to be printed, for coordinators of the place."""
    alert = alerts.held(ask.tx, ask.scope, rest)
    if alert is None:
        return (("alerts.gone", {}),)
    if ask.abroad:
        return (("privacy.abroad", {}),)
    ask.note("alert.file", alert.elder_id or alert.id, (alert.called,))
    return (("alerts.record", {"number": alert.called, "document": {
        "kind": "alert_record", "alert": alert.id, "person": ask.writer.person_id}}),)


def close(ask: Ask, rest: str) -> Parts:
    """Asks in short what was found and done."""
    return _ending(ask, rest, "alert_closed")


def false_alarm(ask: Ask, rest: str) -> Parts:
    """Asks in one line why there was no need."""
    return _ending(ask, rest, "alert_false")


def _ending(ask: Ask, rest: str, form: str) -> Parts:
    found = one(ask, rest)
    if found is None:
        return which(ask, rest)
    alert, elder = found
    if not alert.running:
        return (("alerts.over", {"number": alert.called}),)
    may = alerting.may_end(ask.tx, ask.writer.person_id, alert)
    if alert.state == "open" and not (may and form == "alert_false"):
        return (("alerts.first_go", {}), card_of(ask, alert, elder))
    if not may:
        return (("alerts.not_yours", {}),)
    about = {"elder_id": elder.id, "elder_name": elder.name} if elder else {}
    return session.start(ask, form, {"alert_id": alert.id, **about})


def one(ask: Ask, rest: str) -> alert_telling.Found | None:
    """The alert meant: by id, or the only one that runs. Who asks has seen it."""
    if not rest:
        total, page = alerts.running(ask.tx, ask.scope, 1)
        rest = page[0].id if total == 1 else ""
    found = alert_telling.found(ask.tx, ask.scope, rest)
    if found:
        alert_told.answered(ask.tx, found[0].id, ask.writer.person_id, ask.inbound.channel, ask.now)
    return found


def which(ask: Ask, rest: str) -> Parts:
    return (("alerts.gone", {}),) if rest else listed(ask, "")


def card_of(ask: Ask, alert: Alert, elder: Elder | None) -> Part:
    file = None if ask.abroad or elder is None else elder_files.read(ask.tx, ask.scope, elder.id)
    address = str(file.facts.get("address", "")) if file else ""
    if address and elder:
        ask.note("elder.reveal", elder.id, ("address",))
    beside, more = alert_beside.of(ask, alert)
    rows = [*_steps(ask, alert), *_look(ask, alert, elder), *more, *_file(ask, alert)]
    return ("alerts.card", {
        **alert_telling.told(ask.tx, alert, elder, wall(ask, alert.raised_at)), "address": address,
        "asks": elder is None and alert.raised_by != ask.writer.person_id,
        "since": _time(ask, alert.claimed_at), "there": _time(ask, alert.arrived_at),
        "support": _time(ask, alert.support_at), "offered": alert_telling.name(ask.tx, alert.offered_to),
        "reach": reach_telling.of(ask, alert), "beside": beside, "buttons": rows})


def wall(ask: Ask, at: datetime) -> str:
    return at.astimezone(ask.house.policy.zone).strftime("%Y-%m-%dT%H:%M")


def _time(ask: Ask, at: datetime | None) -> str:
    return wall(ask, at).partition("T")[2] if at else ""


def _steps(ask: Ask, alert: Alert) -> Rows:
    """What comes next stands first: who has got there may end it, who is on the way may need help."""
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
    if alert.running and alert.claimed_by == me:
        rows.insert(1, [["button.support", {}, f"/support {alert.id}"],
                        ["button.hand_alert", {}, f"/handalert {alert.id}"]])
    elif alert.running and alert.offered_to == me:
        rows.insert(0, [["button.take_over", {}, f"/takeover {alert.id}"],
                        ["button.decline_alert", {}, f"/nottake {alert.id}"]])
    elif alert.running and alert.claimed_by and ask.may("give_back") and alerting.may_end(ask.tx, me, alert):
        rows.append([["button.give_back", {}, f"/giveback {alert.id}"]])
    return rows


def _look(ask: Ask, alert: Alert, elder: Elder | None) -> Rows:
    rows: Rows = []
    if ask.abroad and elder and alert.running:
        rows.append([["button.alert_page", {}, f"/alertpage {alert.id}"]])
    if elder and privacy.shows(ask, elder, "phone"):
        rows.append([["button.phone", {}, f"/phone {elder.id}"]])
    return rows


def _file(ask: Ask, alert: Alert) -> Rows:
    if ask.may("alert_file") and not ask.abroad and alerts.held(ask.tx, ask.scope, alert.id):
        return [[["button.alert_file", {}, f"/alertfile {alert.id}"]]]
    return []


COMMANDS = {"alerts": listed, "alert": card, "claim": claim, "arrived": arrived, "close": close,
            "false_alarm": false_alarm, "alert_file": file, "alert_page": page}
