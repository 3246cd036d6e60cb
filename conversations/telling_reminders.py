"""What digests, nudges and the news of leaves say when they leave."""

from collections.abc import Callable
from datetime import date
from typing import Any

from conversations import campaign_news, due_lists, leaving, permissions
from conversations.engine import Part
from conversations.turn import label
from scheduler import campaigning
from scheduler.reminder_notices import Digest, LeaveNoted, LeaveOver, Line, Nudge, OnLeave, OtherWanted, StandsIn
from storage import alert_risks, elders, people
from storage.database import Tx
from storage.due import Waiting
from storage.scope import Scope

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
RISKS = 4  # elders who are not due but where a danger is left: as many have a button


def digest(tx: Tx, notice: Digest, scope: Scope) -> Parts | None:
    """Whom to see today, what a coordinator is told of his villages, and campaigns; one list of buttons below."""
    own, lines, risks = notice.own(tx), notice.lines(tx), alert_risks.elders(tx, scope)
    roles = people.roles(tx, notice.person)
    parts: list[Part] = []
    buttons: Rows = []
    if own:
        buttons += _visits(own, roles)
        parts.append(("reminders.digest", {
            "count": len(own), "late": sum(each.left(scope.day) < 0 for each in own),
            "pressing": due_lists.pressing(own, scope.day), "groups": due_lists.groups(own, scope.day, risks=risks)}))
    if others := [elder for each in risks if each not in {one.id for one in own} and (
            elder := elders.find(tx, scope, each))]:
        buttons += [[["button.person", {"label": label(each)}, f"/elder {each.id}"]] for each in others[:RISKS]]
        parts.append(("reminders.risks", {"people": [label(each) for each in others]}))
    if lines:
        parts.append(("reminders.digest_over", {
            "late": sum(each.overdue for each in lines), "lines": [_line(each, scope.day) for each in lines]}))
        step: list[list[object]] = [["button.overdue", {}, "/overdue"]]
        if any(each.alone for each in lines) and permissions.may(roles, "assign"):
            step.append(["button.assign", {}, "/assign"])
        buttons.append(step)
    if sections := campaigning.section(tx, scope, scope.day, 0):
        parts.append(campaign_news.brief(sections))
        buttons.append([["button.campaign_left", {}, "/campaignleft"]])
    if not parts:
        return None
    return (*parts, ("reminders.any_time", {"buttons": [*buttons, [["button.due", {}, "/due"]]]}))


def nudge(tx: Tx, notice: Nudge, scope: Scope) -> Parts | None:
    found, by = notice.of(tx, scope.day), people.find(tx, notice.by)
    if not found:
        return None
    return (("reminders.nudge", {
        "by": by.name if by else "", "count": len(found), "groups": due_lists.groups(found, scope.day),
        "buttons": _visits(found, people.roles(tx, notice.person))}),)


def on_leave(tx: Tx, notice: OnLeave, scope: Scope) -> Parts | None:
    found = notice.found(tx, scope.day)
    if found is None:
        return None
    step = "button.stand_in_other" if found.stand_in else "button.stand_in"
    return (("leave.told", {**leaving.shown(found), "buttons": [[[step, {}, f"/standin {found.id}"]]]}),)


def stands_in(tx: Tx, notice: StandsIn, scope: Scope) -> Parts | None:
    found = notice.found(tx, scope.day)
    if found is None:
        return None
    return (("leave.stands_in", {**leaving.shown(found), "buttons": [[["button.mine", {}, "/my"]]]}),)


def leave_noted(tx: Tx, notice: LeaveNoted, scope: Scope) -> Parts | None:
    found, by = notice.found(tx, scope.day), people.find(tx, notice.by)
    if found is None:
        return None
    return (("leave.noted", {**leaving.shown(found), "by": by.name if by else "", "buttons": [
        [["button.leave_withdraw", {"first": found.from_on}, f"/leave withdraw {found.id}"]]]}),)


def leave_over(tx: Tx, notice: LeaveOver, scope: Scope) -> Parts | None:
    found = notice.found(tx, scope.day)
    if found is None:
        return None
    return (("leave.over", {**leaving.shown(found), "yours": found.stand_in == notice.person,
                            "his": found.person_id == notice.person}),)


def of_elder(tx: Tx, notice: Any, scope: Scope) -> Parts | None:
    """Nobody home, or somebody else wanted: the coordinator finds somebody, or looks at the file."""
    elder, visitor = notice.found(tx, scope.day), people.find(tx, notice.visitor)
    if elder is None:
        return None
    buttons: Rows = [[["button.assign", {}, f"/assign {elder.id}"], ["button.file", {}, f"/elder {elder.id}"]]]
    reason = notice.reason if isinstance(notice, OtherWanted) else "nobody_home"
    return ((f"cannot.{notice.kind}", {"elder": label(elder), "visitor": visitor.name if visitor else "",
                                       "reason": reason, "buttons": buttons}),)


def _visits(found: list[Waiting], roles: frozenset[str]) -> Rows:
    return due_lists.visits(found) if permissions.may(roles, "visit") else []


def _line(each: Line, today: date) -> dict[str, Any]:
    return {"village": each.village, "overdue": each.overdue, "alone": each.alone,
            "first": [due_lists.line(one, today) for one in each.first],
            "more": each.overdue + each.alone - len(each.first)}


TELL: dict[str, Callable[[Tx, Any, Scope], Parts | None]] = {
    "digest": digest, "nudge": nudge, "on_leave": on_leave, "stands_in": stands_in, "leave_noted": leave_noted,
    "leave_over": leave_over, "nobody_home": of_elder, "other_wanted": of_elder}
