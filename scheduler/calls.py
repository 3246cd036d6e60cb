"""The weekly reminder to call (三(一)): children who live elsewhere, each at his own time; some share turns."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler import notices
from scheduler.family_notices import CallDue, MonthTold
from scheduler.policy import Policies, Policy
from storage import accounts, call_plans, elders, meta, ties
from storage.call_plans import Plan
from storage.contacts import Contact
from storage.database import Tx
from storage.scope import Scope

CHUNK = 100
PLANNED = "call_plans_made"  # the last child who was given a plan because he was there before plans were; `done`
MONTHLY = "family_month"  # the month that is being told, and the last child who was
NEWS = timedelta(days=9)
LATELY = timedelta(days=1)  # who has called since is not reminded now


def next_slot(weekday: int, at_time: str, after: datetime, policy: Policy) -> datetime:
    """The first time after `after` that is this weekday (0 is Monday) and hour (HH:MM) on the wall.

    The hour is brought within the policy's range, which may be another than when it was chosen.
    """
    wall = after.astimezone(policy.zone)
    day = wall.date() + timedelta(days=(weekday - wall.weekday()) % 7)
    hour = policy.calls.within(at_time)
    found = _at(day, hour, policy.zone)
    return found if found > after else _at(day + timedelta(days=7), hour, policy.zone)


def begin(tx: Tx, person_id: str, elder_id: str, policy: Policy, now: datetime) -> Plan:
    """The child's plan for this elder; where he has none, one by the policy is made."""
    found = call_plans.find(tx, person_id, elder_id)
    if found is None:
        rules = policy.calls
        found = Plan(person_id, elder_id, rules.weekday, rules.at, False, rules.summaries,
                     next_slot(rules.weekday, rules.at, now, policy))
        call_plans.begin(tx, found)
    return found


def choose(tx: Tx, plan: Plan, policy: Policy, now: datetime, *, weekday: int, at_time: str, shares: bool,
           summaries: str) -> Plan:
    """The child's own choices; the hour is brought within the policy's range. Gives the plan as it stands now."""
    chosen = replace(plan, weekday=weekday, at_time=policy.calls.within(at_time), shares=shares, summaries=summaries)
    chosen = replace(chosen, next_at=next_slot(chosen.weekday, chosen.at_time, now, policy))
    call_plans.choose(tx, chosen, now)
    return chosen


def settle(tx: Tx, contact: Contact, policy: Policy) -> None:
    """A call settles what the child was reminded of, wherever and however he says so."""
    plan = begin(tx, contact.person_id, contact.elder_id, policy, contact.at)
    call_plans.answered(tx, plan, next_slot(plan.weekday, plan.at_time, contact.at, policy), contact.at)


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Reminds a chunk of children whose time has come; True where there may be more. Twice reminds nobody twice."""
    due = call_plans.due(tx, now, CHUNK)
    for plan in due:
        _remind(tx, plan, now, policies)
    return len(due) == CHUNK


def plans(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Gives a plan to the children who were entrusted before there were plans, once; True where there is more."""
    kept = meta.get(tx, PLANNED) or ""
    if kept == "done":
        return False
    person, _, elder = kept.partition(" ")
    page = call_plans.families_after(tx, (person, elder), CHUNK)
    for child, parent in page:
        found = elders.unscoped(tx, parent)
        if found is not None:
            begin(tx, child, parent, policies.of(tx, found.village_id), now)
    meta.put(tx, PLANNED, " ".join(page[-1]) if page else "done")
    return bool(page)


def month(tx: Tx, now: datetime, policies: Policies) -> bool:
    """On the first of the month tells a chunk of those who chose that how the month before went; True where there may
    be more. Where the clock stood still that day it is made up for within ten days: later it is no news.
    """
    zone = policies.city.zone
    today = now.astimezone(zone).date()
    first = today.replace(day=1)
    if today - first > NEWS:
        return False
    begun, _, after = (meta.get(tx, MONTHLY) or "").partition(" ")
    if begun == first.isoformat() and after == "done":
        return False
    person, _, elder = (after if begun == first.isoformat() else "").partition(" ")
    page = call_plans.monthly_after(tx, (person, elder), CHUNK)
    told = (first - timedelta(days=1)).isoformat()[:7]
    for plan in page:
        found = elders.find(tx, Scope(plan.person_id, today), plan.elder_id)
        if found is not None and plan.elder_id in ties.parents(tx, plan.person_id, today.isoformat()):
            notices.tell(tx, MonthTold(person=plan.person_id, elder=plan.elder_id, month=told), now,
                         unique_key=f"month_told:{plan.person_id}:{plan.elder_id}:{told}",
                         not_before=max(now, _at(first, policies.of(tx, found.village_id).calls.monthly_at, zone)))
    at = f"{page[-1].person_id} {page[-1].elder_id}" if page else "done"
    meta.put(tx, MONTHLY, f"{first.isoformat()} {at}")
    return bool(page)


def _remind(tx: Tx, plan: Plan, now: datetime, policies: Policies) -> None:
    today = now.astimezone(policies.city.zone).date()
    elder = elders.find(tx, Scope(plan.person_id, today), plan.elder_id)
    if elder is None or "family" not in ties.over(tx, Scope(plan.person_id, today), plan.elder_id):
        call_plans.remove(tx, plan)
        return
    policy = policies.of(tx, elder.village_id)
    following = next_slot(plan.weekday, plan.at_time, now, policy)
    away = plan.person_id in ties.children(tx, plan.elder_id, today.isoformat())
    if not away or elder.status == "closed" or accounts.reached(tx, plan.person_id) is None:
        call_plans.put_off(tx, plan, following)
    elif _is_again(plan, policy):
        if call_plans.put_off(tx, plan, following):
            _tell(tx, plan, plan.stamp, now, again=True)
    elif _called_lately(plan, now) or not _has_the_turn(tx, plan, today, policy.zone):
        call_plans.put_off(tx, plan, following)
    else:
        again = _at(today + timedelta(days=policy.calls.again_days), policy.calls.within(plan.at_time), policy.zone)
        if call_plans.asked(tx, plan, min(again, following), now):
            _tell(tx, plan, replace(plan, asked_at=now).stamp, now, again=False)


def _tell(tx: Tx, plan: Plan, stamp: int, now: datetime, *, again: bool) -> None:
    notices.tell(tx, CallDue(person=plan.person_id, elder=plan.elder_id, stamp=stamp, again=again), now,
                 unique_key=f"call_due:{plan.person_id}:{plan.elder_id}:{stamp}:{int(again)}")


def _is_again(plan: Plan, policy: Policy) -> bool:
    """Whether this is the second word on a reminder that nobody answered."""
    if plan.asked_at is None or plan.answered_at is not None:
        return False
    asked, due = (each.astimezone(policy.zone).date() for each in (plan.asked_at, plan.next_at))
    return (due - asked).days <= policy.calls.again_days


def _called_lately(plan: Plan, now: datetime) -> bool:
    return plan.answered_at is not None and now - plan.answered_at < LATELY


def _has_the_turn(tx: Tx, plan: Plan, today: date, zone: ZoneInfo) -> bool:
    """Of those who share turns, one is reminded in a week: who was not for the longest time, of all who can be."""
    if not plan.shares:
        return True
    there = set(ties.children(tx, plan.elder_id, today.isoformat())) - {plan.person_id}
    others = [each for each in call_plans.of_elder(tx, plan.elder_id)
              if each.shares and each.person_id in there and accounts.reached(tx, each.person_id)]
    this_week = today.isocalendar()[:2]
    if any(each.asked_at and each.asked_at.astimezone(zone).date().isocalendar()[:2] == this_week for each in others):
        return False
    return all((plan.stamp, plan.person_id) < (each.stamp, each.person_id) for each in others)


def _at(day: date, at_time: str, zone: ZoneInfo) -> datetime:
    hour, minute = map(int, at_time.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
