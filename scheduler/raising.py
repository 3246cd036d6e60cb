"""紧急: kept with the first tap; then, if there is time for it, who and what; and words as long as it runs (C12)."""

from dataclasses import replace
from datetime import datetime

from scheduler import alerting, village_groups
from scheduler.policy import Policies
from storage import alerts
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import Elder
from storage.scope import SOS, UNSAID

KINDS = ("fall", "illness", "lost", "fire", "gas", "electric", "house", "missing", "epidemic", "abuse", "self_harm",
         "other")


def press(tx: Tx, by: str, elder: Elder | None, area_id: str, words: str, policies: Policies, now: datetime) -> Alert:
    """Keeps it, with whom it is probably about; pressed again before it went out it is the same.

    `area_id` is where it is, where it is about nobody known.
    """
    before = alerts.pressed(tx, by)
    if before and (not words or alerts.say_more(tx, before, words)):
        return before
    area = elder.village_id if elder else area_id
    rules = policies.of(tx, area).alerts
    return alerts.add(tx, elder.id if elder else None, area, UNSAID, "person", by, words, now,
                      now + rules.goes_out_after)


def say_whom(tx: Tx, alert: Alert, elder: Elder | None, area_id: str, policies: Policies, now: datetime) -> bool:
    """The raiser says of whom it is (None: nobody known). False where it went out as somebody's, or it ended.

    Where it went out already, those near that elder, or in that village, are told now.
    """
    if not alerts.of_whom(tx, alert, elder.id if elder else None, elder.village_id if elder else area_id,
                          alert.raised_by or "clock", now):
        return False
    now_is = alerts.unscoped(tx, alert.id)
    if now_is and now_is.area_id != alert.area_id:
        village_groups.elsewhere(tx, alert, policies, now)
    if now_is and now_is.kind != UNSAID and (elder or now_is.area_id != alert.area_id):
        alerting.tell_step(tx, now_is, "whom", alert.raised_by, policies, now)
        alerting.tell_near(tx, now_is, policies, now)
    return True


def say_what(tx: Tx, alert: Alert, kind: str, policies: Policies, now: datetime) -> Alert | None:
    """The raiser says what it is: it goes out, or those told hear it. Gives what it is now; None: that was said."""
    if alert.kind == UNSAID and (out := alerting.go_out(tx, alert, kind, policies, now)):
        return out
    if alert.elder_id and alerts.unscoped(tx, alert.id) is None:  # at this moment it became a further report
        number = alerting.raise_alert(tx, alert.elder_id, kind, "person", alert.raised_by, policies, now)
        return alerts.running_numbered(tx, number)
    was = replace(alert, kind=SOS)  # read before the clock sent it out, it is that now
    return alerts.unscoped(tx, alert.id) if alerting.turn(tx, was, kind, alert.raised_by, policies, now) else None


def add_words(tx: Tx, alert: Alert, by: str, words: str, policies: Policies, now: datetime,
              *, told: bool = False) -> None:
    """Somebody who knows more says it, while it runs. `told`: another message of his brings it."""
    if not alerts.say_more(tx, alert, words):  # at this moment it became a further report
        joined = alerts.running_of(tx, alert.elder_id or "")
        if joined is None:
            return
        alert = joined
        alerts.say_more(tx, alert, words)
    tx.note(now, by, "alert.words", alert.elder_id or alert.id, (alert.called,))
    if alert.kind != UNSAID and not told:
        alerting.tell_step(tx, alert, "words", by, policies, now)
