"""紧急查档: what is shown of a file once the reason is given, and what those hear whose elder he is."""

from collections.abc import Callable
from typing import Any

from conversations import alert_telling
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask, label
from scheduler import notices
from scheduler.alert_notices import GlassBroken
from storage import alerts, elders, glass
from storage.database import Tx
from storage.scope import Scope

FORM = "glass"
FACTS = ("address", "illnesses", "emergency_name", "emergency_phone", "emergency2_name", "emergency2_phone")


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Shows the file once, leaves a line, and tells the coordinators of where the elder lives. All is asked again."""
    found = None if ask.abroad else glass.openable(ask.tx, ask.scope, draft.context["number"])
    if found is None:
        return Ended((("glass.abroad" if ask.abroad else "glass.gone", {}),), "cancelled")
    reason, me = str(draft.answers["reason"].value), ask.writer.person_id
    told = {"phone": found.file.phone, **{name: str(found.file.facts.get(name) or "") for name in FACTS}}
    ask.note("elder.glass", found.elder.id, (found.alert.called, reason, *(name for name in told if told[name])))
    at = ask.now.astimezone(ask.house.policy.zone).strftime("%Y-%m-%dT%H:%M")
    for person in notices.confirmers(ask.tx, found.elder.village_id, "village"):
        notice = GlassBroken(person=person, alert=found.alert.id, by=me, reason=reason, at=at)
        notices.tell(ask.tx, notice, ask.now, unique_key=f"glass:{draft.id}:{person}")
    return Ended((("glass.file", {"number": found.alert.called, "elder": label(found.elder), **told}),))


def _broken(tx: Tx, notice: GlassBroken, scope: Scope) -> tuple[Part, ...] | None:
    alert = alerts.find(tx, scope, notice.alert)
    elder = elders.find(tx, scope, alert.elder_id or "") if alert else None
    if alert is None or elder is None:
        return None
    return (("glass.told", {
        "number": alert.called, "elder": label(elder), "who": alert_telling.name(tx, notice.by),
        "reason": notice.reason, **alert_telling.wall(notice.at),
        "buttons": [[["button.audit", {}, f"/audit {elder.id}"]]]}),)


TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {GlassBroken.kind: _broken}
