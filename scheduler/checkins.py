"""报平安: an elder is asked each day at his hour; no answer is followed up step by step to an alert, at any hour.

Each step has a stored time, and moves the day from where it stood, so that a restart, a second sweep or a clock that
jumps by an hour changes nothing. What came of a machine that stood still is told apart from an elder who does not
answer (docs/decisions/check-ins-after-standing-still.md).
"""

from datetime import date, datetime, time, timedelta

from scheduler import alerting, apart, notices
from scheduler.checkin_notices import (
    CheckInAsk,
    CheckInContact,
    CheckInSilent,
    CheckInSkipped,
    CheckInUnanswered,
    CheckInUnwell,
    CheckInWell,
    OfDay,
)
from scheduler.policy import Policies
from storage import accounts, alerts, assignments, check_ins, elders, needs, outbox, people, ties
from storage.check_ins import CheckIn
from storage.database import Tx
from storage.elders import Elder

CHUNK = 50
SETTLING = timedelta(minutes=10)  # answers given while the machine stood still come in within these
TO_SAY_MORE = timedelta(minutes=2)  # who is not well may say of what before others are told
EARLY = timedelta(hours=4)  # so long before his hour an answer counts for it


def set_up(tx: Tx, elder: Elder, at_time: str, by: str, policies: Policies, now: datetime) -> str:
    """The elder is asked daily at this hour (HH:MM) from its next time on; gives his own person's id."""
    person = _own_person(tx, elder, by, policies, now)
    day, at = _next(at_time, None, policies, now)
    check_ins.set_up(tx, elder.id, person, at_time, day, at, by, now)
    return person


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Takes a chunk of days one step further; True where there may be more."""
    due = check_ins.due(tx, now, CHUNK)
    return apart.each(tx, due, lambda each: _step(tx, each, policies, now)) or len(due) == CHUNK


def _step(tx: Tx, each: CheckIn, policies: Policies, now: datetime) -> None:
    elder = elders.unscoped(tx, each.elder_id)
    assert elder is not None  # files are never deleted
    rules, late = policies.of(tx, elder.village_id).check_ins, now - each.next_at
    begins = not each.asking
    day = _day(each.next_at, policies) if begins else each.day
    if elder.status != "active":
        check_ins.move(tx, each, "waiting", *_next(each.at_time, day, policies, now))
    elif late > timedelta(minutes=rules.late_minutes):
        _skip(tx, each, elder, day, policies, now)
    elif begins and accounts.reached(tx, each.person_id) is None:
        _unreachable(tx, each, elder, day, policies, now)
    elif begins:
        _ask(tx, each, day, now + timedelta(minutes=rules.answer_minutes), now, again=False)
    elif each.stage == "asked":
        _ask(tx, each, day, now + timedelta(minutes=rules.again_minutes), now, again=True)
    elif each.stage == "contact" and late > SETTLING:
        check_ins.move(tx, each, "settling", day, now + SETTLING)
    elif each.stage == "again" and (near := _near(tx, each, policies, now)):
        if check_ins.move(tx, each, "contact", day, now + timedelta(minutes=rules.contact_minutes)):
            for person in near:
                _tell(tx, each, CheckInContact(person=person, elder=elder.id, day=day,
                                               minutes=rules.contact_minutes), "contact", now)
    else:
        _alert(tx, each, policies, now, None)


def well(tx: Tx, person_id: str, policies: Policies, now: datetime) -> CheckIn | None:
    """The elder himself says that he is well; gives what his day was before. None: he is never asked.

    However late, that ends the day; those asked to call are told, and those of an alert that runs: a person still
    ends it.
    """
    each = _answered(tx, person_id, "fine", policies, now)
    if each is None:
        return None
    if each.stage in ("contact", "settling"):
        _tell_near(tx, each, "", policies, now)
    if alert := alerts.running_of(tx, each.elder_id):
        alerting.tell_step(tx, alert, "well", person_id, policies, now)
    return each


def unwell(tx: Tx, person_id: str, policies: Policies, now: datetime) -> int | None:
    """He is not well: who visits him and the coordinators are told, in a moment, with what he says of it meanwhile.

    Gives the moment to come back with in `unwell_of`; None as in `well`.
    """
    each = _answered(tx, person_id, "unwell", policies, now)
    if each is None:
        return None
    moment = int(now.timestamp()) // 60
    _tell_unwell(tx, each, moment, "", policies, now, after=TO_SAY_MORE)
    return moment


def unwell_of(tx: Tx, person_id: str, moment: int, what: str, said: str, policies: Policies, now: datetime) -> bool:
    """What is the matter, a word of `[unwell]` in words/checkins.toml, and how that is said: they are told at once.

    It is a need (帮扶需求) of the village, one for each press. False: he is never asked.
    """
    each = check_ins.own(tx, person_id)
    if each:
        needs.add(tx, each.elder_id, "check_in", f"{each.elder_id}:{moment}", said, person_id, now)
        _tell_unwell(tx, each, moment, what, policies, now)
    return each is not None


def call_help(tx: Tx, person_id: str, policies: Policies, now: datetime, words: str = "") -> int | None:
    """The elder himself asks for help; gives the alert's number. His day goes no further by itself."""
    mine = check_ins.own(tx, person_id)
    each = check_ins.hold(tx, mine.elder_id) if mine else None
    if each is None:
        return None
    if each.asking:
        _end(tx, each, "alert", each.day, policies, now)
    return alerting.raise_alert(tx, each.elder_id, "help", "person", person_id, policies, now, words)


def reached(tx: Tx, elder_id: str, by: str, policies: Policies, now: datetime) -> str:
    """Somebody near reached the elder, and he is well. Gives how the day stood: `contact` where this ended it."""
    each = check_ins.hold(tx, elder_id)
    if each is None:
        return "waiting"
    if each.stage in ("contact", "settling") and _end(tx, each, "fine", each.day, policies, now):
        _tell_near(tx, each, by, policies, now)
        return "contact"
    if alert := alerts.running_of(tx, elder_id):
        alerting.tell_step(tx, alert, "reached", by, policies, now)
        return "alert"
    return each.stage


def not_reached(tx: Tx, elder_id: str, by: str, policies: Policies, now: datetime) -> str:
    """Somebody near cannot reach the elder: an alert, at once. Gives how the day stood: `contact` where this did it."""
    each = check_ins.hold(tx, elder_id)
    if each is None:
        return "waiting"
    if each.stage in ("contact", "settling"):
        _alert(tx, each, policies, now, by)
        return "contact"
    return "alert" if alerts.running_of(tx, elder_id) else each.stage


def _answered(tx: Tx, person_id: str, stage: str, policies: Policies, now: datetime) -> CheckIn | None:
    """Ends the elder's day with his answer, and gives what it was before.

    Where nobody waits for one it counts for the day whose hour is near; else it is good to know, and no more.
    """
    mine = check_ins.own(tx, person_id)
    each = check_ins.hold(tx, mine.elder_id) if mine else None
    if each is None:
        return None
    if each.asking or each.stage == "alert":
        _end(tx, each, stage, each.day, policies, now)
    elif each.next_at - now <= EARLY:
        _end(tx, each, stage, _day(each.next_at, policies), policies, now)
    return each


def _ask(tx: Tx, each: CheckIn, day: str, until: datetime, now: datetime, *, again: bool) -> None:
    stage = "again" if again else "asked"
    if check_ins.move(tx, each, stage, day, until):
        _tell(tx, each, CheckInAsk(person=each.person_id, elder=each.elder_id, day=day, again=again), stage, now)


def _alert(tx: Tx, each: CheckIn, policies: Policies, now: datetime, by: str | None) -> None:
    if _end(tx, each, "alert", each.day, policies, now):
        alerting.raise_alert(tx, each.elder_id, "no_check_in", "check_in", by, policies, now)


def _skip(tx: Tx, each: CheckIn, elder: Elder, day: str, policies: Policies, now: datetime) -> None:
    """The machine stood still for too long: no alert comes of that. The coordinators are told what is not known."""
    next_day, at = _next(each.at_time, day, policies, now)
    if not check_ins.move(tx, each, "waiting", next_day, at):
        return
    until = (date.fromisoformat(next_day) - timedelta(days=1)).isoformat()
    for person in notices.confirmers(tx, elder.village_id, "village"):
        if each.asking:
            _tell(tx, each, CheckInUnanswered(person=person, elder=elder.id, day=day), "unanswered", now)
        else:
            _tell(tx, each, CheckInSkipped(person=person, elder=elder.id, day=day, until=until), "skipped", now)


def _unreachable(tx: Tx, each: CheckIn, elder: Elder, day: str, policies: Policies, now: datetime) -> None:
    """No account of his can be written to: he is not asked, and of one that could the coordinators are told, once."""
    if check_ins.move(tx, each, "waiting", *_next(each.at_time, day, policies, now)) and accounts.of(
            tx, each.person_id):
        for person in notices.confirmers(tx, elder.village_id, "village"):
            notices.tell(tx, CheckInSilent(person=person, elder=elder.id, day=day), now,
                         unique_key=f"check_in:{elder.id}:silent:{person}")


def _end(tx: Tx, each: CheckIn, stage: str, day: str, policies: Policies, now: datetime) -> bool:
    _, at = _next(each.at_time, day, policies, now)
    return check_ins.move(tx, each, stage, day, at)


def _near(tx: Tx, each: CheckIn, policies: Policies, now: datetime) -> list[str]:
    """First contact and family that can be written to."""
    around = alerts.around(tx, each.elder_id, _day(now, policies))
    return [person for person in dict.fromkeys(
        one.person_id for one in around if one.role in ("first_contact", "family")) if accounts.reached(tx, person)]


def _tell_unwell(tx: Tx, each: CheckIn, moment: int, what: str, policies: Policies, now: datetime,
                 after: timedelta = timedelta(0)) -> None:
    elder, day = elders.unscoped(tx, each.elder_id), _day(now, policies)
    assert elder is not None  # files are never deleted
    near = _near(tx, each, policies, now) if each.stage in ("contact", "settling") else []
    for person in dict.fromkeys((*ties.visiting(tx, elder.id, day), *near,
                                 *notices.confirmers(tx, elder.village_id, "village"))):
        notice = CheckInUnwell(person=person, elder=elder.id, day=day, moment=moment, what=what)
        notices.tell(tx, notice, now, not_before=now + after, unique_key=notice.key)


def _tell_near(tx: Tx, each: CheckIn, by: str, policies: Policies, now: datetime) -> None:
    """Tells those who were asked to call that they need not."""
    for person in _near(tx, each, policies, now):
        asked = outbox.receipt(tx, _key(each, each.day, "contact", person)) is not None
        if asked and person != by:
            _tell(tx, each, CheckInWell(person=person, elder=each.elder_id, day=each.day, by=by), "well", now)


def _tell(tx: Tx, each: CheckIn, notice: OfDay, what: str, now: datetime) -> None:
    notices.tell(tx, notice, now, unique_key=_key(each, notice.day, what, notice.person))


def _key(each: CheckIn, day: str, what: str, person: str) -> str:
    """Once a day and hour: who is given a later hour after he was asked is asked at that one too."""
    return f"check_in:{each.elder_id}:{day}:{each.at_time}:{what}:{person}"


def _next(at_time: str, after: str | None, policies: Policies, now: datetime) -> tuple[str, datetime]:
    """The next day (ISO) after one on which this hour is still to come, and when."""
    zone = policies.city.zone
    day = now.astimezone(zone).date()
    if after is not None:
        day = max(day, date.fromisoformat(after) + timedelta(days=1))
    at = datetime.combine(day, time.fromisoformat(at_time), zone)
    if at <= now:
        at = datetime.combine(day + timedelta(days=1), time.fromisoformat(at_time), zone)
    return at.date().isoformat(), at


def _day(at: datetime, policies: Policies) -> str:
    return at.astimezone(policies.city.zone).date().isoformat()


def _own_person(tx: Tx, elder: Elder, by: str, policies: Policies, now: datetime) -> str:
    """The elder as a person of his own; a new one where he has none, or moved here from another village."""
    today = now.astimezone(policies.city.zone).date()
    for each in alerts.around(tx, elder.id, today.isoformat()):
        if each.role == people.OWN and each.area_id == elder.village_id:
            return each.person_id
        if each.role == people.OWN:
            assignments.end(tx, each.person_id, elder.id, today, people.OWN)
            people.suspend(tx, each.person_id, by, now, leaves=True)
    person = people.add(tx, elder.village_id, elder.name, (people.OWN,), now)
    tx.note(now, by, "person.add", person.id, (people.OWN,))
    assignments.entrust(tx, person.id, elder.id, people.OWN, today.isoformat())
    tx.note(now, by, "elder.entrust", elder.id, (person.id,))
    return person.id
