"""What a submitted form becomes in the ledgers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import cast

from conversations import (
    alerts,
    binding_devices,
    campaigns,
    caring,
    checkins,
    confirming,
    family_forms,
    firstcontact,
    glass,
    inviting,
    leaving,
    life,
    registration,
    staff,
    surveying,
    wishing,
)
from conversations.draft import Draft, dump_answers
from conversations.ended import Ended
from conversations.form import Form
from conversations.turn import Ask
from scheduler import casework, family
from storage import elders, visits
from storage.visits import Entry, Outdated

CORRECTION = "correction"  # the visit form's question that a correction asks


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Writes the submitted form; the draft that could not be written is put aside, never lost."""
    return _BY_FORM[form.name](ask, form, draft)


def part_done(ask: Ask, form: Form, draft: Draft) -> None:
    """Keeps what was answered so far, where a part of a long form is done."""
    _PARTS[form.name](ask, form, draft)


def _visit(ask: Ask, form: Form, draft: Draft) -> Ended:
    answers = {question: answer for question, answer in draft.answers.items() if question != CORRECTION}
    day = str(answers["day"].value)
    minutes = cast(int, answers["minutes"].value) if "minutes" in answers else None
    entry = Entry(str(answers["elder"].value), form.hash, day, str(answers["method"].value),
                  date.fromisoformat(day) < ask.today, dump_answers(answers), draft.id, minutes)
    corrects = draft.context.get("corrects")
    if corrects is not None:
        return _correction(ask, draft, corrects, entry)
    elder = elders.find(ask.tx, ask.scope, entry.elder_id)
    if elder and elder.status == "closed" and day > (elder.condition_since or ""):  # one made before is still kept
        return Ended((("life.closed_no_visit", {"elder": elder.name, "why": elder.condition}),), "paused")
    kept = casework.submit(ask.tx, ask.scope, entry, ask.house.policies, ask.now)
    if kept is None:
        return Ended((("form.not_yours", {}),), "paused")
    if made := visits.find(ask.tx, ask.scope, kept.visit_id):
        family.visited(ask.tx, made, kept.elder, ask.house.policies, ask.now)
    said = {"elder": kept.elder.name, "number": kept.number, "day": day, "late": entry.late,
            "method": form.by_id["method"].option(entry.method).label, "due": ask.due(kept.elder),
            "buttons": after(kept.visit_id, kept.elder.id)}
    return Ended((("form.submitted", said),), result=kept.visit_id)


def _correction(ask: Ask, draft: Draft, visit_id: str, entry: Entry) -> Ended:
    before = visits.find(ask.tx, ask.scope, visit_id)
    if before is None or not ask.may_correct(before):
        return Ended((("form.not_yours", {}),), "paused")
    if before.version != draft.context["corrects_version"]:
        return Ended((("form.outdated", {}),), "cancelled")
    if entry.on_day == before.on_day:  # written in time stays so, however late it is corrected
        entry = replace(entry, late=before.late)
    reason = str(draft.answers[CORRECTION].value)
    try:
        kept = casework.correct(ask.tx, ask.scope, before, entry, reason, ask.house.policies, ask.now)
    except Outdated:
        return Ended((("form.outdated", {}),), "cancelled")
    if kept is None:
        return Ended((("form.not_yours", {}),), "paused")
    if after_it := visits.find(ask.tx, ask.scope, kept.visit_id):
        family.corrected(ask.tx, before, after_it, kept.elder, ask.house.policies, ask.now)
    word = "form.corrected" if kept.visit_id == visit_id else "form.moved"
    said = {"elder": kept.elder.name, "number": kept.number, "buttons": after(kept.visit_id, kept.elder.id)}
    return Ended(((word, said),), result=kept.visit_id)


def _refuse(ask: Ask, form: Form, draft: Draft) -> Ended:
    return confirming.refused(ask, draft)


def _void(ask: Ask, form: Form, draft: Draft) -> Ended:
    before = visits.find(ask.tx, ask.scope, draft.context["voids"])
    if before is None or not ask.may_correct(before):
        return Ended((("form.not_yours", {}),), "paused")
    try:
        reason = str(draft.answers["reason"].value)
        elder = casework.void(ask.tx, ask.scope, before, reason, ask.house.policies, ask.now)
    except Outdated:
        return Ended((("form.outdated", {}),), "cancelled")
    if elder is None:
        return Ended((("menu.record_gone", {}),))
    family.unsaid(ask.tx, before, ask.house.policies, ask.now)
    said = {"elder": elder.name, "number": before.number, "due": ask.due(elder),
            "buttons": [[["button.mine", {}, "/my"]]]}
    return Ended((("form.voided", said),), result=before.visit_id)


def after(visit_id: str, elder_id: str) -> list[list[list[object]]]:
    """The buttons under a kept visit: the next steps."""
    return [
        [["button.print", {}, f"/printvisit {visit_id}"], ["button.correct", {}, f"/correct {visit_id}"]],
        [["button.mine", {}, "/my"], ["button.visit", {}, "/visit"]],
        [["button.life", {}, f"/change {elder_id}"]],
    ]


_BY_FORM: dict[str, Callable[[Ask, Form, Draft], Ended]] = {
    campaigns.FORM: campaigns.submit, campaigns.DAYS_FORM: campaigns.submit_days,
    **family_forms.SUBMIT, "alert_closed": alerts.closed, "alert_false": alerts.called_off, "assign": caring.assign,
    "checkin": checkins.submit, "device": binding_devices.submit,
    "elder": registration.submit, "firstcontact": firstcontact.submit,
    glass.FORM: glass.submit, "handover": caring.handover, "invite": inviting.submit, "leave": leaving.submit,
    "leavefor": leaving.submit,
    "life": life.submit,
    "person": staff.submit, "refuse": _refuse, "standin": leaving.stand_in, "survey": surveying.submit,
    "suspend": caring.suspend, "visit": _visit, "void": _void, "wish": wishing.submit}
_PARTS: dict[str, Callable[[Ask, Form, Draft], None]] = {"elder": registration.part_done}
