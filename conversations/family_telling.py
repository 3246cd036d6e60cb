"""Notices between family and village, in words: what the family is told unasked, and what of it the village hears."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from conversations import families
from conversations.engine import Part
from conversations.turn import label
from scheduler.family_notices import (
    CallDue,
    MonthTold,
    NeedMoved,
    NeedRaised,
    NeedYours,
    RequestDone,
    RequestMade,
    RequestMoved,
    RequestNow,
    VisitTold,
    VisitUntold,
    allowed,
)
from storage import contacts, elders, needs, requests, visits
from storage.database import Tx
from storage.scope import Scope

Rows = list[list[list[object]]]
Told = tuple[Part, ...] | None
MOST_OF_A_MONTH = 40  # visits of one elder


def _call_due(tx: Tx, notice: CallDue, scope: Scope) -> Told:
    elder = elders.find(tx, scope, notice.elder)
    if elder is None:
        return None
    return (("family.call_due", {"elder": elder.name, "again": notice.again,
                                 "buttons": families.answers(elder.id, notice.stamp)}),)


def _request_made(tx: Tx, notice: RequestMade, scope: Scope) -> Told:
    found = requests.find(tx, scope, notice.request)
    elder = elders.find(tx, scope, found.elder_id) if found else None
    if found is None or elder is None:
        return None
    take: list[object] = [f"button.take_{found.kind}", {}, f"/take {found.id}"]
    buttons: Rows = [[take, ["button.look", {}, f"/requests {found.id}"]]]
    return (("requests.made", {**families.of_request(found), "elder": label(elder), "asker": found.asker,
                               "late": notice.late, "buttons": buttons}),)


def _request_moved(tx: Tx, notice: RequestMoved, scope: Scope) -> Told:
    found = requests.find(tx, scope, notice.request)
    elder = elders.find(tx, scope, found.elder_id) if found else None
    if found is None or elder is None:
        return None
    mine = found.asked_by == notice.person
    return (("requests.moved", {
        **families.of_request(found), "elder": elder.name, "asker": found.asker, "mine": mine, "answer": found.answer,
        "buttons": families.back(elder.id) if mine else [[["button.file", {}, f"/elder {elder.id}"]]]}),)


def _request_done(tx: Tx, notice: RequestDone, scope: Scope) -> Told:
    visit = visits.find(tx, scope, notice.visit)
    if visit is None or visit.state != "current":
        return None
    yes = allowed(tx, scope, visit.elder_id)
    fields = families.summary(tx, visit, yes.withheld if yes else frozenset())
    if yes is None or not fields["all"]:  # he keeps it to himself: that somebody was there, and no more
        fields = {**fields, "areas": {}, "all": False}
    return (("family.went", {**fields, "buttons": families.back(visit.elder_id)}),)


def _need_raised(tx: Tx, notice: NeedRaised, scope: Scope) -> Told:
    found = needs.find(tx, scope, notice.need)
    elder = elders.find(tx, scope, found.elder_id) if found else None
    if found is None or elder is None:
        return None
    return (("needs.raised", {"elder": label(elder), "maker": found.maker, "buttons": [
        [["button.look", {}, f"/needs {found.id}"], ["button.arrange", {}, f"/arrange {found.id}"]]]}),)


def _need_yours(tx: Tx, notice: NeedYours, scope: Scope) -> Told:
    found = needs.find(tx, scope, notice.need)
    elder = elders.find(tx, scope, found.elder_id) if found else None
    if found is None or elder is None:
        return None
    return (("needs.yours", {"elder": label(elder), "due_on": found.due_on, "buttons": [
        [["button.look", {}, f"/needs {found.id}"], ["button.settle", {}, f"/settle {found.id}"]]]}),)


def _need_moved(tx: Tx, notice: NeedMoved, scope: Scope) -> Told:
    found = needs.find(tx, scope, notice.need)
    elder = elders.find(tx, scope, found.elder_id) if found else None
    if found is None or elder is None:
        return None
    return (("needs.moved", {"elder": elder.name, "state": found.state, "what": found.what, "measure": found.measure,
                             "answers": found.answers, "due_on": found.due_on, "outcome": found.outcome,
                             "buttons": families.back(elder.id)}),)


def _visit_told(tx: Tx, notice: VisitTold, scope: Scope) -> Told:
    visit, yes = visits.find(tx, scope, notice.visit), allowed(tx, scope, notice.elder)
    if visit is None or yes is None:
        return None
    fields = families.summary(tx, visit, yes.withheld)
    if not fields["all"]:
        return None  # he asked to keep that day to himself
    return (("family.visited", {**fields, "again": notice.version > 1, "buttons": families.back(notice.elder)}),)


def _visit_untold(tx: Tx, notice: VisitUntold, scope: Scope) -> Told:
    elder = elders.find(tx, scope, notice.elder)
    return (("family.untold", {"elder": elder.name, "day": notice.on_day}),) if elder else None


def _month_told(tx: Tx, notice: MonthTold, scope: Scope) -> Told:
    elder, yes = elders.find(tx, scope, notice.elder), allowed(tx, scope, notice.elder)
    if elder is None or yes is None:
        return None
    first = date.fromisoformat(f"{notice.month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    told = [(visit, fields) for visit in visits.last(tx, scope, elder.id, MOST_OF_A_MONTH)
            if first.isoformat() <= visit.on_day <= last.isoformat()
            and (fields := families.summary(tx, visit, yes.withheld))["all"]]  # what he kept to himself is not counted
    calls = sum(first.isoformat() <= call.on_day <= last.isoformat()
                for call in contacts.mine(tx, scope, elder.id, MOST_OF_A_MONTH))
    newest = told[0][1] if told else {"areas": {}, "day": "", "all": False}
    return (("family.month", {**newest, "elder": elder.name, "month": first.month, "calls": calls,
                              "visits": sum(visit.method == "home" for visit, _ in told),
                              "buttons": families.back(elder.id)}),)


TELL: dict[str, Callable[[Tx, Any, Scope], Told]] = {
    CallDue.kind: _call_due, RequestMade.kind: _request_made, RequestNow.kind: _request_made,
    RequestMoved.kind: _request_moved, RequestDone.kind: _request_done, NeedRaised.kind: _need_raised,
    NeedYours.kind: _need_yours, NeedMoved.kind: _need_moved, VisitTold.kind: _visit_told,
    VisitUntold.kind: _visit_untold, MonthTold.kind: _month_told}
