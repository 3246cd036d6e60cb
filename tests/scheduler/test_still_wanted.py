"""A message is asked once more when it leaves: each stands while the matter does, and not a moment longer."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from scheduler.alert_notices import AlertOffered, AlertRaised, AlertStep, FollowUp, GlassBroken, NotReached
from scheduler.checkin_notices import CheckInAsk, CheckInContact, CheckInSilent
from scheduler.family_notices import CallDue, MonthTold, NeedYours, VisitTold, VisitUntold
from scheduler.group_notices import AlertCode, ForwardAlert, GroupAlert, GroupLost
from scheduler.notices import (
    Bound,
    ConsentWithdrawn,
    Decided,
    LeftAlone,
    Notice,
    PauseOver,
    ToConfirm,
    ToIdentify,
    VisitDue,
)
from scheduler.reminder_notices import LeaveNoted, NobodyHome, OnLeave, StandsIn
from storage import (
    accounts,
    alert_told,
    alert_turns,
    alerts,
    assignments,
    call_plans,
    check_ins,
    elder_files,
    elders,
    groups,
    invitations,
    leaves,
    needs,
    people,
    proposals,
    tellings,
    visits,
)
from storage.alerts import Alert
from storage.call_plans import Plan
from storage.database import Store, Tx
from storage.elder_files import Wish
from tests.storage.ground import DAY, STANDING, entry, lay

TODAY, TOMORROW = DAY.isoformat(), "2026-03-03"


class Case:
    """A village in one unit of work: `wanted` says which notices would leave now."""

    def __init__(self, tx: Tx, now: datetime) -> None:
        self.tx, self.now, self.ground = tx, now, lay(now)(tx)
        self.visitor, self.boss, self.elder = self.ground.visitor, self.ground.coordinator, self.ground.elder

    def wanted(self, *notices: Notice) -> list[bool]:
        return [notice.still_wanted(self.tx, DAY) for notice in notices]

    def alert(self) -> Alert:
        return alerts.add(self.tx, self.elder, self.ground.village.id, "fall", "person", self.visitor, "", self.now,
                          self.now)


def told_of_a_proposal(case: Case) -> None:
    made = proposals.add(case.tx, "life", case.ground.village.id, {}, case.visitor, case.now)
    asks = ToConfirm(person=case.boss, proposal=made)
    assert case.wanted(asks, ToConfirm(person=case.ground.other_visitor, proposal=made)) == [True, False]
    found = proposals.find(case.tx, case.ground.scope, made)
    assert found and proposals.decide(case.tx, found, "refused", case.boss, case.now)
    assert case.wanted(asks, Decided(person=case.visitor, proposal=made)) == [False, True]


def told_who_is_not_in_office(case: Case) -> None:
    alert = case.alert()
    mine = [Decided(person=case.visitor, proposal="p"), AlertRaised(person=case.visitor, alert=alert.id, at="")]
    assert case.wanted(*mine) == [True, True]
    people.suspend(case.tx, case.visitor, case.boss, case.now)
    assert case.wanted(*mine) == [False, False]


def told_of_a_consent_taken_back(case: Case) -> None:
    notice = ConsentWithdrawn(person=case.boss, elder=case.elder)
    assert case.wanted(notice) == [False]
    elder_files.set_condition(case.tx, case.elder, "closed", "refused", TODAY)
    assert case.wanted(notice) == [True]
    elder_files.set_condition(case.tx, case.elder, "active", "recovered", TODAY)
    assert case.wanted(notice) == [False]


def told_of_an_account(case: Case) -> None:
    token = invitations.make(case.tx, case.visitor, case.boss, case.now)
    made = invitations.by_token(case.tx, token)
    assert made and invitations.use(case.tx, made.id, "telegram", "11", case.now)
    accounts.bind(case.tx, "telegram", "11", "11", case.visitor, case.now, state="waiting")
    asks, came = ToIdentify(person=case.boss, invitation=made.id), Bound(person=case.boss, invitation=made.id)
    assert case.wanted(asks, came) == [True, False]
    [account] = accounts.of(case.tx, case.visitor)
    assert accounts.decide(case.tx, account, case.visitor, "active", case.boss, case.now)
    assert case.wanted(asks, came) == [False, True]


def told_of_a_leave(case: Case) -> None:
    other = case.ground.other_visitor
    leave = leaves.add(case.tx, case.visitor, TODAY, TOMORROW, other, case.visitor, case.now)
    stands = StandsIn(person=other, leave=leave)
    all_three = [OnLeave(person=case.boss, leave=leave), LeaveNoted(person=case.visitor, leave=leave, by=case.boss), stands]
    assert case.wanted(*all_three) == [True, True, True]
    assert [each.still_wanted(case.tx, DAY + timedelta(days=2)) for each in all_three] == [False, False, False]
    assert leaves.set_stand_in(case.tx, leave, case.boss)
    assert case.wanted(stands) == [False]


def told_of_a_check_in(case: Case) -> None:
    check_ins.set_up(case.tx, case.elder, case.visitor, "08:00", TODAY, case.now, case.visitor, case.now)
    silent, asks = CheckInSilent(person=case.boss, elder=case.elder, day=TODAY), CheckInAsk(
        person=case.visitor, elder=case.elder, day=TODAY)
    assert case.wanted(silent, asks) == [True, False]
    before = check_ins.hold(case.tx, case.elder)
    assert before and check_ins.move(case.tx, before, "asked", TODAY, case.now)
    assert case.wanted(silent, asks) == [True, True]
    check_ins.turn_off(case.tx, case.elder, case.visitor, case.now)
    assert case.wanted(silent, asks) == [False, False]


def told_how_an_alert_goes(case: Case) -> None:
    alert = case.alert()
    late = AlertRaised(person=case.boss, alert=alert.id, at="", late=True)
    goes, is_there = (AlertStep(person=case.boss, alert=alert.id, step=step, by=case.visitor)
                      for step in ("claimed", "arrived"))
    assert case.wanted(late, goes, is_there) == [True, False, False]
    assert alerts.claim(case.tx, alert, case.visitor, case.now)
    assert case.wanted(late, goes, is_there) == [False, True, False]
    assert case.wanted(goes.model_copy(update={"by": case.boss})) == [False]
    assert alerts.arrive(case.tx, alert, case.visitor, case.now)
    assert case.wanted(late, goes, is_there) == [False, False, True]


def told_whom_an_alert_did_not_reach(case: Case) -> None:
    alert = case.alert()
    notice = NotReached(person=case.boss, alert=alert.id)
    alert_told.add(case.tx, alert.id, case.visitor, "telegram", case.now, case.now)
    assert case.wanted(notice) == [False]
    [told] = alert_told.of(case.tx, alert.id)
    assert alert_told.missed(case.tx, told)
    assert case.wanted(notice) == [True]
    assert alert_told.seen(case.tx, alert.id, case.visitor, case.now)
    assert case.wanted(notice) == [False]


def told_who_read_a_file(case: Case) -> None:
    alert = case.alert()
    given = {"alert": alert.id, "by": case.visitor, "reason": "r", "at": ""}
    his, others = (GlassBroken(person=who, **given) for who in (case.boss, case.ground.other_visitor))
    assert case.wanted(his, others) == [True, False]


def told_of_a_group(case: Case) -> None:
    alert = case.alert()
    group = groups.add(case.tx, "telegram", "-100", "chat", case.ground.village.id, case.boss, case.now)
    lost = GroupLost(person=case.boss, group=group.id, village="v")
    forward = ForwardAlert(person=case.boss, alert=alert.id, group=group.id)
    assert case.wanted(lost, forward) == [False, True]
    assert groups.leave(case.tx, group, case.boss, case.now)
    assert case.wanted(lost, forward) == [True, False]
    groups.add(case.tx, "telegram", "-100", "chat", case.ground.village.id, case.boss, case.now)
    assert case.wanted(lost, forward) == [False, True]
    assert alerts.end(case.tx, alert, "false_alarm", case.visitor, {"reason": "x"}, case.now)
    assert case.wanted(forward) == [False]


def told_how_an_elder_is(case: Case) -> None:
    child = people.add(case.tx, case.ground.village.id, "李娜", ("family",), case.now).id
    assignments.entrust(case.tx, child, case.elder, "family", "2026-01-01")
    plan = Plan(child, case.elder, 6, "19:00", True, "each", case.now)
    call_plans.begin(case.tx, plan)
    each = VisitUntold(person=child, elder=case.elder, on_day=TODAY)
    month = MonthTold(person=child, elder=case.elder, month="2026-02")
    assert case.wanted(each, month) == [False, False], "he was never asked"
    says = partial(tellings.add, case.tx, case.elder, child, withheld=(), by=case.visitor, now=case.now)
    says(allowed=True, on_day="2026-02-01")
    assert case.wanted(each, month) == [True, False]
    call_plans.choose(case.tx, replace(plan, summaries="monthly"), case.now)
    assert case.wanted(each, month) == [False, True]
    says(allowed=False, on_day=TODAY)
    assert case.wanted(month) == [False], "he took his yes back"
    says(allowed=True, on_day=TODAY)
    assignments.entrust(case.tx, child, case.elder, "visitor", TODAY)
    assignments.end(case.tx, child, case.elder, DAY, "family")
    assert case.wanted(month) == [False], "what he said of his child is no yes to a visitor"


def told_of_a_window(case: Case) -> None:
    due = VisitDue(person=case.visitor, elder=case.elder, due_until="2026-03-31")
    over = PauseOver(person=case.boss, elder=case.elder)
    assert case.wanted(due, over) == [True, True]
    elders.set_standing(case.tx, case.elder, replace(STANDING, due_until="2026-04-30"))
    assert case.wanted(due) == [False], "he was seen, and the next window runs"
    elders.set_standing(case.tx, case.elder, STANDING)
    elder_files.keep_wish(case.tx, case.elder, Wish("unwilling", "asked", TODAY, case.visitor), case.now)
    assert case.wanted(due) == [False], "he does not want to be visited"
    elder_files.set_condition(case.tx, case.elder, "paused", "hospital", TODAY)
    assert case.wanted(due, over) == [False, False]


def told_who_is_left_alone(case: Case) -> None:
    notice = LeftAlone(person=case.boss, elder=case.elder)
    assert case.wanted(notice) == [False]
    found = people.find(case.tx, case.visitor)
    assert found
    people.revise(case.tx, found, replace(found, minor_until="2027-01-01", guardian_consent_on=TODAY), case.boss, case.now)
    assert case.wanted(notice) == [True], "who visits him is under age"
    assignments.entrust(case.tx, case.ground.other_visitor, case.elder, "first_contact", TODAY)
    assert case.wanted(notice) == [True]
    assignments.entrust(case.tx, case.ground.other_visitor, case.elder, "stand_in", TODAY)
    assert case.wanted(notice) == [False]


def told_that_nobody_was_at_home(case: Case) -> None:
    notice = NobodyHome(person=case.boss, elder=case.elder, visitor=case.visitor, day=TODAY)
    assert case.wanted(notice) == [True]
    elders.set_standing(case.tx, case.elder, replace(STANDING, last_visit_on="2026-03-01"))
    assert case.wanted(notice) == [True]
    elders.set_standing(case.tx, case.elder, replace(STANDING, last_visit_on=TODAY))
    assert case.wanted(notice) == [False], "he was seen"


def told_that_the_elder_did_not_answer(case: Case) -> None:
    check_ins.set_up(case.tx, case.elder, case.visitor, "08:00", TODAY, case.now, case.visitor, case.now)
    notice = CheckInContact(person=case.boss, elder=case.elder, day=TODAY, minutes=30)
    for stage, stands in (("asked", False), ("contact", True), ("alert", False), ("settling", True), ("fine", False)):
        before = check_ins.hold(case.tx, case.elder)
        assert before and check_ins.move(case.tx, before, stage, TODAY, case.now)
        assert case.wanted(notice) == [stands], stage


def told_to_go_instead(case: Case) -> None:
    alert = case.alert()
    assert alerts.claim(case.tx, alert, case.visitor, case.now)
    asked = AlertOffered(person=case.boss, alert=alert.id, by=case.visitor)
    assert case.wanted(asked) == [False]
    his = alerts.lock(case.tx, alert.id)
    assert alert_turns.offer(case.tx, his, case.visitor, case.boss, case.now)
    assert case.wanted(asked, AlertOffered(person=case.visitor, alert=alert.id, by=case.visitor)) == [True, False]
    assert alert_turns.unoffer(case.tx, his, case.boss, case.now)
    assert case.wanted(asked) == [False]


def told_what_is_still_to_be_said_of_an_alert(case: Case) -> None:
    alert = case.alert()
    code, asks = AlertCode(person=case.visitor, alert=alert.id, code="123456"), FollowUp(person=case.boss, alert=alert.id)
    group = groups.add(case.tx, "telegram", "-100", "chat", case.ground.village.id, case.boss, case.now)
    late = GroupAlert(group=group.id, alert=alert.id, at="", anew="late")
    assert case.wanted(code, asks, late) == [True, False, True]
    assert alerts.claim(case.tx, alert, case.visitor, case.now)
    assert case.wanted(code, late, late.model_copy(update={"anew": "raised"})) == [True, False, True]
    done = dict.fromkeys(alerts.ASKED, "yes")
    assert alerts.end(case.tx, alert, "closed", case.visitor, {"risk_gone": "yes"}, case.now, case.now)
    assert case.wanted(code, asks) == [False, True]
    assert alerts.answer_after(case.tx, case.ground.scope, alert.id, done, case.boss, case.now)
    assert case.wanted(asks) == [False]


def told_it_is_time_to_call(case: Case) -> None:
    child = people.add(case.tx, case.ground.village.id, "李娜", ("family",), case.now).id
    assignments.entrust(case.tx, child, case.elder, "family", "2026-01-01")
    plan = Plan(child, case.elder, 6, "19:00", True, "each", case.now)
    call_plans.begin(case.tx, plan)
    assert call_plans.asked(case.tx, plan, case.now + timedelta(days=7), case.now)
    kept = call_plans.find(case.tx, child, case.elder)
    assert kept
    calls = CallDue(person=child, elder=case.elder, stamp=kept.stamp)
    assert case.wanted(calls, calls.model_copy(update={"stamp": kept.stamp - 1})) == [True, False]
    call_plans.answered(case.tx, kept, kept.next_at, case.now)
    assert case.wanted(calls) == [False]


def told_who_answers_for_a_need(case: Case) -> None:
    made = needs.add(case.tx, case.elder, "contact", "c", "膝盖疼", case.visitor, case.now)
    assert made
    his, others = (NeedYours(person=who, need=made) for who in (case.visitor, case.boss))
    assert case.wanted(his, others) == [False, False]
    need = needs.find(case.tx, case.ground.scope, made)
    assert need and needs.arrange(case.tx, need, "请村医看看", case.visitor, TOMORROW, case.boss, case.now)
    assert case.wanted(his, others) == [True, False]
    assert needs.close(case.tx, need, "好了", case.boss, case.now)
    assert case.wanted(his) == [False]


def told_how_a_visit_went(case: Case) -> None:
    child = people.add(case.tx, case.ground.village.id, "李娜", ("family",), case.now).id
    assignments.entrust(case.tx, child, case.elder, "family", "2026-01-01")
    call_plans.begin(case.tx, Plan(child, case.elder, 6, "19:00", True, "each", case.now))
    tellings.add(case.tx, case.elder, child, allowed=True, withheld=(), on_day=TODAY, by=case.visitor, now=case.now)
    made, _ = visits.submit(case.tx, entry(case.elder, "d"), case.visitor, case.now)
    notice = VisitTold(person=child, elder=case.elder, visit=made)
    assert case.wanted(notice) == [True]
    found = visits.find(case.tx, case.ground.scope, made)
    assert found
    visits.void(case.tx, found, case.visitor, "写错", case.now)
    assert case.wanted(notice) == [False]


CASES = (told_of_a_proposal, told_who_is_not_in_office, told_of_a_consent_taken_back, told_of_an_account, told_of_a_leave,
         told_of_a_check_in, told_how_an_alert_goes, told_whom_an_alert_did_not_reach, told_who_read_a_file,
         told_of_a_group, told_how_an_elder_is, told_of_a_window, told_who_is_left_alone, told_that_nobody_was_at_home,
         told_that_the_elder_did_not_answer, told_to_go_instead, told_what_is_still_to_be_said_of_an_alert,
         told_it_is_time_to_call, told_who_answers_for_a_need, told_how_a_visit_went)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_it_is_wanted_while_it_is_so(sqlite_store: Store, now: datetime, case: Callable[[Case], None]) -> None:
    await sqlite_store.run(lambda tx: case(Case(tx, now)))
