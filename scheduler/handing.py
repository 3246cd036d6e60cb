"""需要支援, 移交, and giving an alert back: what who went to it may do when he cannot end it alone (C12)."""

from datetime import date, datetime
from typing import Literal

from scheduler import alerting, notices
from scheduler.alert_notices import AlertOffered, AlertStep
from scheduler.policy import Policies
from storage import accounts, alert_told, alert_turns, alerts
from storage.alerts import Alert
from storage.database import Tx

Offered = Literal["offered", "not_yours", "may_not", "unreached"]


def support(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> bool:
    """Who went wants more people: all near who may go and the township are told, whether or not they were before.

    Pressed again within the policy's minutes it tells nobody again: False, as where it is not his.
    """
    rules = policies.of(tx, alert.area_id).alerts
    today = now.astimezone(policies.city.zone).date()
    more = (*alerting.near(tx, alert, policies, today), *alerting.over(tx, alert, "township"))
    return alert_turns.support(tx, alert, by, now - rules.support_again_after, now) and alerting.changed(
        tx, alert, "support", by, policies, now, also=more)


def may_take(tx: Tx, alert: Alert, policies: Policies, today: date) -> list[str]:
    """Whom who went may ask to go in his place: who may go, is reached, and is not he."""
    return [person for person in alerting.near(tx, alert, policies, today)
            if person != alert.claimed_by and accounts.reached(tx, person)]


def offer(tx: Tx, alert: Alert, by: str, to: str, policies: Policies, now: datetime) -> Offered:
    """Who went asks another to go in his place. Until that one says yes nothing changes; a later offer replaces it."""
    if alert.claimed_by != by:
        return "not_yours"
    today = now.astimezone(policies.city.zone).date()
    if to == by or not alerting.may_go(tx, to, alert, policies, today):
        return "may_not"
    if not accounts.reached(tx, to):
        return "unreached"
    if alert_turns.offer(tx, alert, by, to, now):
        notices.tell(tx, AlertOffered(person=to, alert=alert.id, by=by), now, way=alerting.way(tx, alert.id, to))
        return "offered"
    found = alerts.lock(tx, alert.id)
    return "offered" if found.claimed_by == by and found.offered_to == to else "not_yours"


def take_over(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> bool:
    """He who was asked goes from now on; the others are told. False where he is not asked any more, or may not go."""
    may = alerting.may_go(tx, by, alert, policies, now.astimezone(policies.city.zone).date())
    return may and alert_turns.take_over(tx, alert, by, now) and alerting.changed(
        tx, alert, "handed", by, policies, now, also=_owner(alert))


def decline(tx: Tx, alert: Alert, by: str, now: datetime) -> bool:
    """He who was asked cannot go; who went hears it, and goes on. False where he is not asked any more."""
    if alert.offered_to != by or alert.claimed_by is None or not alert_turns.unoffer(tx, alert, by, now):
        return False
    notices.tell(tx, AlertStep(person=alert.claimed_by, alert=alert.id, step="declined", by=by), now,
                 way=alerting.way(tx, alert.id, alert.claimed_by))
    return True


def give_back(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> bool:
    """Who went goes no more, by his own word or a coordinator's: all are asked again, from the first rung on."""
    if not alerting.may_end(tx, by, alert) or not alert_turns.give_back(tx, alert, by, now):
        return False
    near = alerting.near(tx, alert, policies, now.astimezone(policies.city.zone).date())
    alert_told.wake(tx, alert.id, now + policies.of(tx, alert.area_id).alerts.seen_after)
    return alerting.changed(tx, alert, "back", by, policies, now, also=(*_owner(alert), *near))


def _owner(alert: Alert) -> tuple[str, ...]:
    return (alert.claimed_by,) if alert.claimed_by else ()
