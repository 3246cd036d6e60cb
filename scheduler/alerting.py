"""From an alert to the people who are told of it, until somebody goes and says how it ended (C11, C12).

The row and its notices are one unit of work. Who is told more is decided by stored times, so that a restart, a second
sweep or a clock that jumps changes nothing.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Literal

from scheduler import family_decision, notices, village_groups, visitor_kinds
from scheduler.alert_notices import AlertEnded, AlertRaised, AlertStep, OfAlert, Step
from scheduler.policy import Policies
from scheduler.visitor_kinds import VisitorKind, may_answer_alerts
from storage import accounts, alert_media, alerts, elders, outbox, people
from storage.alerts import Alert, Around, Source
from storage.database import Tx
from storage.ids import millis
from storage.scope import SECRET, SOS, UNSAID

VISITING = frozenset({"visitor", "stand_in"})
GOING = VISITING | {"first_contact", "cadre"}  # who may be asked to go and see
UNTOLD = frozenset({*SECRET, UNSAID, SOS})  # kinds of which no family is told
CHUNK = 100
ABOVE = ("township", "county", "city")


def raise_alert(tx: Tx, elder_id: str, kind: str, source: Source, by: str | None, policies: Policies, now: datetime,
                words: str = "") -> int:
    """Opens an alert and tells everybody who is there for the elder; gives its number.

    A second report within the policy's minutes joins the one that runs, and those told hear of it; never one that has
    ended. `kind` is a word of `[alert_kind]` in words/alerts.toml, `by` the person who reports (None: nobody did).
    """
    elder = elders.unscoped(tx, elder_id)
    if elder is None:
        raise LookupError(f"no elder {elder_id}")
    rules = policies.of(tx, elder.village_id).alerts
    alerts.hold(tx, elder_id)
    if before := alerts.alike(tx, elder_id, kind, now - rules.joins_within):
        tx.note(now, by or "clock", "alert.again", elder_id, (before.called,))
        _join(tx, before, kind, words, by, policies, now)
        return before.number
    alert = alerts.add(tx, elder_id, elder.village_id, kind, source, by, words, now, now + rules.township_after)
    tell_near(tx, alert, policies, now)
    return alert.number


def go_out(tx: Tx, alert: Alert, kind: str, policies: Policies, now: datetime) -> Alert | None:
    """Tells everybody of what was pressed a moment ago, as of this kind; gives what it is now.

    Like any second report it joins an alert that runs. None where it went out before.
    """
    rules = policies.of(tx, alert.area_id).alerts
    if alert.elder_id:
        alerts.hold(tx, alert.elder_id)
        before = alerts.alike(tx, alert.elder_id, kind, alert.raised_at - rules.joins_within)
        if before:
            alert_media.move(tx, alert, before)
        if before and alerts.fold(tx, alert, before, now):
            _join(tx, before, kind, alert.words, alert.raised_by, policies, now)
            return alerts.unscoped(tx, before.id)
    if not alerts.go_out(tx, alert, kind, alert.raised_at + rules.township_after, now):
        return None
    gone = replace(alert, kind=kind)
    tell_near(tx, gone, policies, now)
    return gone


def tell_near(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """Tells those near who were not told yet: who may go, the village, the family; of what is secret no family."""
    today, at = now.astimezone(policies.city.zone).date(), _wall(alert.raised_at, policies)
    going = [*dict.fromkeys((*helpers(tx, alert, policies, today), *_village(tx, alert)))]
    for person in going:
        _tell(tx, AlertRaised(person=person, alert=alert.id, at=at, goes=True), "", now, but=alert.raised_by)
    for person in () if alert.kind in UNTOLD else family(tx, alert, today):
        _tell(tx, AlertRaised(person=person, alert=alert.id, at=at), "", now, but=alert.raised_by)
    if not any(accounts.reached(tx, person) for person in going if person != alert.raised_by):
        _tell_above(tx, alert, policies, now)  # nobody who could go is reached: no time is lost
    village_groups.show(tx, alert, policies, now)


def _join(tx: Tx, before: Alert, kind: str, words: str, by: str | None, policies: Policies, now: datetime) -> None:
    """A further report on an alert that runs: its words are added, and those told hear of it."""
    if words:
        alerts.say_more(tx, before, words)
    tell_step(tx, before, "again", by, policies, now)
    village_groups.show(tx, before, policies, now, anew="again")
    if kind not in UNTOLD and alerts.turn(tx, before, kind, by, now):
        tell_near(tx, replace(before, kind=kind), policies, now)


def helpers(tx: Tx, alert: Alert, policies: Policies, today: date) -> list[str]:
    """Who may be asked to go: visitors, stand-ins, first contact; of age, and of a kind that answers alerts."""
    around = _around(tx, alert, today)
    theirs = {each.person_id for each in around if each.role == "family"} if alert.kind in UNTOLD else set()
    return [each.person_id for each in around
            if each.role in (VISITING if alert.kind in SECRET else GOING) and each.person_id not in theirs
            and may_answer_alerts(_kind(tx, each, policies), each.minor_until, today)]


def family(tx: Tx, alert: Alert, today: date) -> list[str]:
    """The children who are told, whether or not they can go."""
    return [each.person_id for each in _around(tx, alert, today) if each.role == "family"]


def may_go(tx: Tx, person_id: str, alert: Alert, policies: Policies, today: date) -> bool:
    """Whether this person may take the alert over: asked at the press, whatever button was shown."""
    return people.coordinates(tx, person_id, alert.area_id, "village") or person_id in helpers(
        tx, alert, policies, today)


def may_end(tx: Tx, person_id: str, alert: Alert) -> bool:
    """Whether this person may say how it ended: who took it over, or a coordinator of the place."""
    return alert.claimed_by == person_id or people.coordinates(tx, person_id, alert.area_id, "village")


def claim(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> bool:
    """This person goes, and the others are told; False where somebody was quicker, or it ended."""
    if alert.kind == UNSAID:
        go_out(tx, alert, SOS, policies, now)  # who goes before it went out keeps nobody from hearing of it
    if not alerts.claim(tx, alert, by, now):
        return False
    tell_step(tx, alert, "claimed", by, policies, now)
    village_groups.show(tx, alert, policies, now)
    return True


def arrive(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> bool:
    """Who went is there, and the others are told; False where it is not his to say, or he said so before."""
    if not alerts.arrive(tx, alert, by, now):
        return False
    tell_step(tx, alert, "arrived", by, policies, now)
    village_groups.show(tx, alert, policies, now)
    return True


def end(tx: Tx, alert: Alert, by: str, outcome: dict[str, str], policies: Policies, now: datetime) -> bool:
    """Ends it, as a false alarm where the outcome gives only a `reason`; those told are told. False: it had ended."""
    state: Literal["closed", "false_alarm"] = "false_alarm" if "reason" in outcome else "closed"
    rules = policies.of(tx, alert.area_id).alerts
    ask_at = rules.ask_after(now, now, policies.city.zone) if state == "closed" else None
    if not alerts.end(tx, alert, state, by, outcome, now, ask_at):
        return False
    family_decision.ended(tx, replace(alert, state=state), now.astimezone(policies.city.zone).date(), now)
    for person in _told(tx, alert, policies, now):
        _tell(tx, AlertEnded(person=person, alert=alert.id, at=_wall(now, policies)), "ended:", now, but=by)
    village_groups.show(tx, alert, policies, now)
    return True


def tell_step(tx: Tx, alert: Alert, step: Step, by: str | None, policies: Policies, now: datetime) -> None:
    """Tells those who know of the alert that it goes on, but for him who did it. Each hears of a step once; of words
    that are added, each time.
    """
    what = f"{step}{millis(now)}:" if step == "words" else f"{step}:"
    for person in _told(tx, alert, policies, now):
        _tell(tx, AlertStep(person=person, alert=alert.id, step=step, by=by or ""), what, now, but=by)


def climb(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Tells the township of a chunk of alerts that nobody took over in time; True where there may be more.

    What was pressed, and of which nothing more was said in time, goes out as it is.
    """
    due = alerts.due(tx, now, CHUNK)
    for alert in due:
        if alert.kind == UNSAID:
            go_out(tx, alert, SOS, policies, now)
        elif alerts.climbed(tx, alert, now):
            _tell_above(tx, alert, policies, now)
            village_groups.show(tx, alert, policies, now, anew="late")
    return len(due) == CHUNK


def _tell_above(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """Tells the lowest rank above the village of which somebody is reached; where nobody is, the operators."""
    at = _wall(alert.raised_at, policies)
    ranks = {role: people.coordinators(tx, alert.area_id, role) for role in ABOVE} | {"operator": people.operators(tx)}
    for role, persons in ranks.items():
        if any(accounts.reached(tx, person) for person in persons):
            for person in persons:
                notice = AlertRaised(person=person, alert=alert.id, at=at, goes=role in ABOVE, late=True)
                _tell(tx, notice, "late:", now)
            return


def _told(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> list[str]:
    """Who was told of the alert and may still know of it, and who raised it."""
    today = now.astimezone(policies.city.zone).date()
    above = [person for role in ABOVE for person in people.coordinators(tx, alert.area_id, role)]
    asked = (*helpers(tx, alert, policies, today), *family(tx, alert, today), *_village(tx, alert), *above,
             *people.operators(tx))
    told = [person for person in dict.fromkeys(asked)
            if any(outbox.receipt(tx, _key(alert.id, rung, person)) is not None for rung in ("", "late:"))]
    return [*dict.fromkeys((*told, *filter(None, (alert.raised_by, alert.claimed_by))))]


def _tell(tx: Tx, notice: OfAlert, what: str, now: datetime, *, but: str | None = None) -> None:
    if notice.person != but:
        notices.tell(tx, notice, now, unique_key=_key(notice.alert, what, notice.person))


def _wall(at: datetime, policies: Policies) -> str:
    return at.astimezone(policies.city.zone).strftime("%Y-%m-%dT%H:%M")


def _key(alert_id: str, what: str, person: str) -> str:
    return f"alert:{alert_id}:{what}{person}"


def _village(tx: Tx, alert: Alert) -> list[str]:
    return notices.confirmers(tx, alert.area_id, "village")


def _around(tx: Tx, alert: Alert, today: date) -> list[Around]:
    return alerts.around(tx, alert.elder_id, today.isoformat()) if alert.elder_id else []


def _kind(tx: Tx, each: Around, policies: Policies) -> VisitorKind | None:
    return visitor_kinds.of(policies.of(tx, each.area_id).visitor_kinds, each.kind, visitor=each.role in VISITING)
