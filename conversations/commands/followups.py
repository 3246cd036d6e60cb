"""回访: what became of alerts that were closed; one tap each, until all is answered (C12)."""

from typing import Any

from conversations import alert_telling
from conversations.engine import Part
from conversations.followups import part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask
from storage import alerts, elders, people

Parts = tuple[Part, ...]
ANSWERS = ("yes", "none", alerts.NOT_YET)


def listed(ask: Ask, rest: str) -> Parts:
    """Those in the asker's scope, the oldest first."""
    skip = skipped(rest)
    total, page = alerts.open_after(ask.tx, ask.scope, PAGE, skip)
    if not page:
        return (("followups.none", {}),)
    lines: list[dict[str, Any]] = []
    rows: list[list[list[object]]] = []
    for alert in page:
        elder = elders.find(ask.tx, ask.scope, alert.elder_id) if alert.elder_id else None
        called = {"number": alert.called, "elder": alert_telling.called(elder)}
        day = alert.closed_at.astimezone(ask.house.policy.zone).date().isoformat() if alert.closed_at else ""
        lines.append({**called, "what": alert.kind, "day": day})
        rows.append([["button.alert_of", called, f"/followup {alert.id}"]])
    rows += further("/followups", total, skip)
    return (("followups.list", {"total": total, "lines": lines, "buttons": rows}),)


def card(ask: Ask, rest: str) -> Parts:
    """One of them, with what is still to be said."""
    found = alert_telling.found(ask.tx, ask.scope, rest)
    return (part(*found, ask.house.policy.zone),) if found and found[0].state == "closed" else (("followups.gone", {}),)


def answer(ask: Ask, rest: str) -> Parts:
    """One tap on one of the three; 还没有 leaves it to be asked again."""
    alert_id, _, said = rest.partition(" ")
    name, _, value = said.partition(" ")
    found = alert_telling.found(ask.tx, ask.scope, alert_id)
    if found is None or name not in alerts.ASKED or value not in ANSWERS:
        return (("followups.gone", {}),)
    alert, elder = found
    me = ask.writer.person_id
    if not people.coordinates(ask.tx, me, alert.area_id, "township"):
        return (("followups.township", {}),)
    now = alerts.answer_after(ask.tx, ask.scope, alert.id, {name: value}, me, ask.now)
    if now is None:
        return (("followups.done", {"number": alert.called}),)
    shown = part(now, elder, ask.house.policy.zone)
    return (shown,) if now.asked_after else (shown, ("followups.all", {"number": alert.called}))


COMMANDS = {"followups": listed, "followup": card, "follow": answer}
