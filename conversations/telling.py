"""From a notice in the outbox to what is said: names and facts are read when it leaves, as its reader may see them."""

from collections.abc import Callable
from datetime import date
from typing import Any

from conversations import (
    alert_telling,
    campaign_news,
    checkin_telling,
    device_telling,
    drilling,
    family_choice,
    family_telling,
    followups,
    glass,
    group_telling,
    offices,
    reach_telling,
    registration,
    sms_telling,
    telling_reminders,
)
from conversations.engine import Part
from conversations.turn import label
from scheduler import notices
from scheduler.notices import (
    AuditHead,
    Bound,
    BoundElsewhere,
    Caseload,
    ConsentWithdrawn,
    Decided,
    Guessing,
    LeftAlone,
    LifeChanged,
    MovedHere,
    PauseOver,
    ToConfirm,
    ToIdentify,
    VisitDue,
)
from storage import elders, invitations, proposals
from storage.database import Tx
from storage.scope import Scope

Buttons = list[list[list[object]]]


def parts(tx: Tx, kind: str, fields: dict[str, Any], today: date) -> tuple[Part, ...] | None:
    """What a notice says today; None where it is not wanted any more."""
    notice = notices.KINDS[kind].model_validate(fields)
    if not notice.still_wanted(tx, today):
        return None
    said = _TELL[kind](tx, notice, Scope(notice.person, today))
    return drilling.told(tx, fields["alert"], said) if said and fields.get("alert") else said


def _visit_due(tx: Tx, notice: VisitDue, scope: Scope) -> tuple[Part, ...] | None:
    elder = elders.find(tx, scope, notice.elder)
    if elder is None:
        return None
    buttons: Buttons = [[["button.visit", {}, f"/visit {elder.id}"]]]
    return (("notices.visit_due", {"elder": label(elder), "last": elder.due_until, "buttons": buttons}),)


def _to_confirm(tx: Tx, notice: ToConfirm, scope: Scope) -> tuple[Part, ...] | None:
    found = proposals.find(tx, scope, notice.proposal)
    if found is None:
        return None
    buttons: Buttons = [[["button.look", {}, f"/pending {found.id}"]]]
    return (("notices.to_confirm", {"what": found.kind, "maker": found.maker or "", "buttons": buttons}),)


def _decided(tx: Tx, notice: Decided, scope: Scope) -> tuple[Part, ...] | None:
    found = proposals.find(tx, scope, notice.proposal)
    if found is None:
        return None
    name = str(found.body.get("name", ""))
    fields: dict[str, Any] = {"what": found.kind, "state": found.state, "elder": name, "reason": found.reason}
    if found.kind == registration.KIND and found.state == "refused":
        fields["buttons"] = [[["button.amend", {}, f"/amend {found.id}"]]]
    if found.kind == registration.KIND and found.state == "confirmed":
        fields["buttons"] = [[["button.file", {}, f"/elder {found.elder_id}"],
                              ["button.printfile", {}, f"/printfile {found.elder_id}"]]]
    return (("notices.decided", fields),)


def _audit_head(tx: Tx, notice: AuditHead, scope: Scope) -> tuple[Part, ...] | None:
    return (("privacy.audit_head", {"lines": notice.lines, "mac": notice.mac}),)


def _life_changed(tx: Tx, notice: LifeChanged, scope: Scope) -> tuple[Part, ...] | None:
    elder = notice.as_seen(tx)
    if elder is None:
        return None
    return (("notices.life_changed", {"elder": elder.name, "what": notice.what, "until": elder.condition_until or ""}),)


def _of_elder(sentence: str, step: str, slash: str) -> Callable[[Tx, Any, Scope], tuple[Part, ...] | None]:
    """A notice that names one elder and offers one step."""
    def told(tx: Tx, notice: Any, scope: Scope) -> tuple[Part, ...] | None:
        elder = elders.find(tx, scope, notice.elder)
        if elder is None:
            return None
        buttons: Buttons = [[[step, {}, f"{slash} {elder.id}"]]]
        return ((sentence, {"elder": label(elder), "buttons": buttons}),)
    return told


def _identify(tx: Tx, notice: Bound | ToIdentify, scope: Scope) -> tuple[Part, ...] | None:
    found = invitations.find(tx, scope, notice.invitation)
    return (offices.who_bound(tx, found, scope.day),) if found else None


def _elsewhere(tx: Tx, notice: BoundElsewhere, scope: Scope) -> tuple[Part, ...]:
    return (("binding.elsewhere", {"channel": notice.channel, "buttons": [[["button.channels", {}, "/channels"]]]}),)


def _guessing(tx: Tx, notice: Guessing, scope: Scope) -> tuple[Part, ...]:
    return (("binding.guessing", {"buttons": [[["button.invitations", {}, "/invitations"]]]}),)


def _caseload(tx: Tx, notice: Caseload, scope: Scope) -> tuple[Part, ...] | None:
    elder = elders.find(tx, scope, notice.elder) if notice.elder else None
    if notice.elder and elder is None:
        return None  # it went to somebody else meanwhile
    return (("notices.caseload", {"count": notice.count, "elder": label(elder) if elder else None,
                                  "buttons": [[["button.mine", {}, "/my"]]]}),)


_TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {
    **telling_reminders.TELL, **family_telling.TELL, VisitDue.kind: _visit_due, Caseload.kind: _caseload,
    ToConfirm.kind: _to_confirm, Decided.kind: _decided, Bound.kind: _identify,
    ToIdentify.kind: _identify, BoundElsewhere.kind: _elsewhere, Guessing.kind: _guessing,
    **campaign_news.TELL,
    AuditHead.kind: _audit_head, LifeChanged.kind: _life_changed,
    MovedHere.kind: _of_elder("notices.moved_here", "button.file", "/elder"),
    LeftAlone.kind: _of_elder("notices.left_alone", "button.assign", "/assign"),
    PauseOver.kind: _of_elder("notices.pause_over", "button.life", "/change"),
    ConsentWithdrawn.kind: _of_elder("notices.consent_withdrawn", "button.file", "/elder"),
    **alert_telling.TELL, **group_telling.TELL, **reach_telling.TELL, **glass.TELL, **followups.TELL,
    **checkin_telling.TELL, **device_telling.TELL,
    **family_choice.TELL, **sms_telling.TELL}
