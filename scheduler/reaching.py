"""收到: who has not seen an alert in time is told on his next channel, and then shown as 未送达 (C12).

Only while nobody goes; the family until the alert ends, for it is to know.
"""

from datetime import datetime, timedelta

from scheduler import alerting, apart, notices, sms
from scheduler.alert_notices import AlertRaised, NotReached
from scheduler.policy import Policies
from storage import accounts, alert_told, alerts, people
from storage.alert_told import Told
from storage.alerts import Alert
from storage.database import Tx
from storage.ids import millis
from storage.scope import Scope

CHUNK = 100
MINUTE = timedelta(minutes=1)


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Tells a chunk of those who have not seen it again, elsewhere; True where there may be more.

    The village's coordinators hear of all who were found unreached in one message for each alert.
    """
    due = alert_told.due(tx, now, CHUNK)
    of_one: dict[str, list[Told]] = {}
    for told in due:
        of_one.setdefault(told.alert_id, []).append(told)
    left = apart.each(tx, of_one.items(), lambda each: _reach(tx, *each, policies, now))
    return left or len(due) == CHUNK


def _reach(tx: Tx, alert_id: str, due: list[Told], policies: Policies, now: datetime) -> None:
    alert, missed = alerts.unscoped(tx, alert_id), False
    for told in due:
        if alert is None or not _asked(tx, alert, told, policies, now):
            alert_told.rest(tx, told)
        elif not _elsewhere(tx, alert, told, policies, now) and alert_told.missed(tx, told):
            missed = True
            sms.last(tx, alert, told.person_id, now)
    if alert and missed:
        _tell_missed(tx, alert, policies, now)


def _asked(tx: Tx, alert: Alert, told: Told, policies: Policies, now: datetime) -> bool:
    """Whether he is still to know of it."""
    today = now.astimezone(policies.city.zone).date()
    person = people.find(tx, told.person_id)
    if not alert.running or person is None or person.status != "active" or alerts.find(
            tx, Scope(told.person_id, today), alert.id) is None:
        return False
    return alert.state == "open" or told.person_id in alerting.family(tx, alert, today)


def _elsewhere(tx: Tx, alert: Alert, told: Told, policies: Policies, now: datetime) -> bool:
    """Tells him on the first channel on which he was not told yet; False where there is none."""
    way = next((each for each in accounts.ways(tx, told.person_id) if each[0] not in told.channels), None)
    if way is None:
        return False
    rules, today = policies.of(tx, alert.area_id).alerts, now.astimezone(policies.city.zone).date()
    if alert_told.again(tx, told, way[0], now + rules.seen_after):
        goes = alert.state == "open" and alerting.may_go(tx, told.person_id, alert, policies, today)
        notice = AlertRaised(person=told.person_id, alert=alert.id, at=alerting.wall(alert.raised_at, policies),
                             goes=goes, call="" if goes else rules.phone)
        notices.tell(tx, notice, now, way=way)
    return True


def _tell_missed(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """The village's coordinators are told, or where none of them is reached, those above: at once, and then once a
    minute at most, for it names everybody as it leaves.
    """
    minute = now.replace(second=0, microsecond=0)
    unreached = {each.person_id for each in alert_told.of(tx, alert.id) if each.state == "unreached"}
    village = [person for person in notices.confirmers(tx, alert.area_id, "village") if person not in unreached]
    for person in village or alerting.over(tx, alert, "township"):
        for at in (minute, minute + MINUTE):
            if notices.tell(tx, NotReached(person=person, alert=alert.id), now, not_before=max(at, now),
                            unique_key=f"alert:{alert.id}:unreached{millis(at)}:{person}",
                            way=alerting.way(tx, alert.id, person)):
                break
