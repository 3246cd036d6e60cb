"""From an alert to the people who are told of it, until somebody goes and says how it ended (C11, C12).

The row and its notices are one unit of work. Who is told more is decided by stored times, so that a restart, a second
sweep or a clock that jumps changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Literal

from scheduler import alike, apart, family_decision, ladders, notices, risks, sms, village_groups, visitor_kinds
from scheduler.alert_notices import AlertEnded, AlertRaised, AlertStep, OfAlert, Step
from scheduler.group_notices import Anew
from scheduler.ladders import Rank, Rungs
from scheduler.policy import Policies
from scheduler.visitor_kinds import VisitorKind, may_answer_alerts
from storage import accounts, alert_media, alert_told, alerts, elders, on_duty, people
from storage.alerts import Alert, Around, Source
from storage.database import Tx
from storage.scope import SECRET, SOS, UNSAID, UNTOLD

VISITING = frozenset({"visitor", "stand_in"})
GOING = VISITING | {"first_contact", "cadre"}  # who may be asked to go and see
CHUNK = 100
ABOVE: tuple[Rank, ...] = ("township", "county", "city")
GRAVER = frozenset({"fire", "gas"})  # reported of what runs, it is that from then on: whoever comes must know
ASKING = ("support", "back")  # steps with which somebody is asked to go
ANEW: Mapping[str, Anew] = {"support": "support", "back": "late"}  # steps of which a group is told in a message anew
# without which no alert ends, by how it does
NOTED = {"closed": ("found", "done"), "false_alarm": ("reason",)}


def raise_alert(tx: Tx, elder_id: str, kind: str, source: Source, by: str | None, policies: Policies, now: datetime,
                words: str = "") -> int:
    """Opens an alert and tells everybody who is there for the elder; gives its number.

    A second report within the policy's minutes joins the one that runs, and those told hear of it; never one that has
    ended. `kind` is a word of `[alert_kind]` in words/alerts.toml, `by` the person who reports (None: nobody did).
    """
    elder = elders.unscoped(tx, elder_id)
    if elder is None:
        raise LookupError(f"no elder {elder_id}")
    alerts.hold(tx, elder_id)
    if before := alerts.alike(tx, elder_id, kind, now - policies.of(tx, elder.village_id).alerts.joins_within):
        tx.note(now, by or "clock", "alert.again", elder_id, (before.called,))
        _join(tx, before, kind, words, by, policies, now)
        return before.number
    alert = alerts.add(tx, elder_id, elder.village_id, kind, source, by, words, now, now)
    went_out(tx, alert, policies, now)
    return alert.number


def go_out(tx: Tx, alert: Alert, kind: str, policies: Policies, now: datetime) -> Alert | None:
    """Tells everybody of what was pressed a moment ago, as of this kind; gives what it is now.

    Like any second report it joins an alert that runs. None where it went out before.
    """
    if alert.elder_id:
        alerts.hold(tx, alert.elder_id)
    pressed = alerts.lock_pressed(tx, alert.id)  # as it was read it may have gone out, or be another's, since
    if pressed is None:
        return None
    alert = pressed
    if alert.elder_id:
        alerts.hold(tx, alert.elder_id)
        rules = policies.of(tx, alert.area_id).alerts
        before = alerts.alike(tx, alert.elder_id, kind, alert.raised_at - rules.joins_within)
        if before:
            alert_media.move(tx, alert, before)
            alerts.fold(tx, alert, before, now)
            _join(tx, before, kind, alert.words, alert.raised_by, policies, now)
            return alerts.unscoped(tx, before.id)
    alerts.go_out(tx, alert, kind, now)
    went_out(tx, replace(alert, kind=kind), policies, now)
    return alerts.unscoped(tx, alert.id)


def turn(tx: Tx, was: Alert, kind: str, by: str | None, policies: Policies, now: datetime) -> bool:
    """It is said what it is, after it went out without, or that it is graver: those told hear it. False: it is not so
    any more.

    Its ladder is now that of this kind: whom the rungs that are overtaken would have told, and nobody has yet, is told
    at once.
    """
    if not alerts.turn(tx, was, kind, by, now, was.kind):
        return False
    tell_step(tx, was, "what", by, policies, now)
    alert = alerts.lock(tx, was.id)
    climbed = rungs(tx, replace(alert, kind=was.kind), policies)[:alert.rung]
    told = tell_near(tx, alert, policies, now)
    _climb(tx, alert, policies, now, told, frozenset(rank for rung in climbed for rank in rung.tell))
    alike.look(tx, alert, policies, now)
    return True


def tell_near(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> frozenset[str]:
    """Tells those near who were not told yet: who may go, the village, the family; of what is secret no family.

    Gives whom it told.
    """
    today, at = now.astimezone(policies.city.zone).date(), wall(alert.raised_at, policies)
    going, call = _near(tx, alert, policies, now), policies.of(tx, alert.area_id).alerts.phone
    told = {person for person in going
            if _raise_to(tx, AlertRaised(person=person, alert=alert.id, at=at, goes=True), alert, policies, now)}
    told |= {person for person in (() if alert.kind in UNTOLD else family(tx, alert, today))
             if person != alert.raised_by
             and _raise_to(tx, AlertRaised(person=person, alert=alert.id, at=at, call=call), alert, policies, now)}
    sms.tell(tx, alert, today, now)
    if not any(accounts.reached(tx, person) for person in going):  # nobody who could go is reached: no time is lost
        told |= _tell_again(tx, alert, over(tx, alert, "township"), policies, now, late=True)
    village_groups.show(tx, alert, policies, now)
    return frozenset(told)


def went_out(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """Tells those near of an alert that is out from now on, and above them whom its ladder names at once."""
    told = tell_near(tx, alert, policies, now)
    _climb(tx, alert, policies, now, told)  # at night those above are told at once
    alike.look(tx, alert, policies, now)


def _join(tx: Tx, before: Alert, kind: str, words: str, by: str | None, policies: Policies, now: datetime) -> None:
    """A further report on an alert that runs: its words are added, and those told hear of it."""
    if words:
        alerts.say_more(tx, before, words)
    tell_step(tx, before, "again", by, policies, now)
    village_groups.show(tx, before, policies, now, anew="again")
    if kind not in UNTOLD and (before.kind == SOS or (kind in GRAVER and before.kind not in GRAVER | set(SECRET))):
        turn(tx, before, kind, by, policies, now)


def helpers(tx: Tx, alert: Alert, policies: Policies, today: date) -> list[str]:
    """Who may be asked to go: visitors, stand-ins, first contact; of age, and of a kind that answers alerts.

    To who is on no list, the visitors of the village; of what is secret none of them.
    """
    around = _around(tx, alert, today)
    theirs = {each.person_id for each in around if each.role == "family"} if alert.drill or (
        alert.kind in UNTOLD) else set()
    return [each.person_id for each in around
            if each.role in (VISITING if alert.kind in SECRET else GOING) and each.person_id not in theirs
            and may_answer_alerts(_kind(tx, each, policies), each.minor_until, today)]


def family(tx: Tx, alert: Alert, today: date) -> list[str]:
    """The children who are told, whether or not they can go; none of a drill."""
    return [] if alert.drill else [each.person_id for each in _around(tx, alert, today) if each.role == "family"]


def may_go(tx: Tx, person_id: str, alert: Alert, policies: Policies, today: date) -> bool:
    """Whether this person may take the alert over: asked at the press, whatever button was shown."""
    return people.coordinates(tx, person_id, alert.area_id, "village") or person_id in helpers(
        tx, alert, policies, today)


def may_end(tx: Tx, person_id: str, alert: Alert) -> bool:
    """Whether this person may say how it ended: who took it over, or a coordinator of the place."""
    return alert.claimed_by == person_id or people.coordinates(tx, person_id, alert.area_id, "village")


def claim(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> Alert | None:
    """This person goes, and the others are told; None where somebody was quicker, or it ended.

    Gives the alert to which he goes: another, where what was pressed is a further report of one that runs.
    """
    if alert.kind == UNSAID:  # who goes before it went out keeps nobody from hearing of it
        alert = go_out(tx, alert, SOS, policies, now) or alert
    done = alerts.claim(tx, alert, by, now) and changed(tx, alert, "claimed", by, policies, now)
    return alert if done else None


def arrive(tx: Tx, alert: Alert, by: str, policies: Policies, now: datetime) -> bool:
    """Who went is there, and the others are told; False where it is not his to say, or he said so before."""
    return alerts.arrive(tx, alert, by, now) and changed(tx, alert, "arrived", by, policies, now)


def end(tx: Tx, alert: Alert, by: str, outcome: dict[str, str], policies: Policies, now: datetime) -> bool:
    """Ends it, as a false alarm where the outcome gives only a `reason`; those told are told. False: it had ended.

    Raises ValueError where the outcome does not say what was found and done, or why it was none.
    """
    state: Literal["closed", "false_alarm"] = "false_alarm" if "reason" in outcome else "closed"
    if not all(outcome.get(each, "").strip() for each in NOTED[state]):
        raise ValueError(f"an alert is not {state} without {' and '.join(NOTED[state])}")
    rules = policies.of(tx, alert.area_id).alerts
    ask_at = rules.ask_after(now, now, policies.city.zone) if state == "closed" and not alert.drill else None
    if not alerts.end(tx, alert, state, by, outcome, now, ask_at):
        return False
    risks.remind(tx, alert, policies, now)
    family_decision.ended(tx, replace(alert, state=state), now.astimezone(policies.city.zone).date(), now)
    return changed(tx, alert, "ended", by, policies, now)


def changed(tx: Tx, alert: Alert, what: Step | Literal["ended"], by: str, policies: Policies, now: datetime, *,
            also: Iterable[str] = ()) -> Literal[True]:
    """What follows, in the same work, once somebody changed how an alert stands: who was told of it before, and `also`
    these, are told, but for him who did it; and it waits for its next rung.
    """
    alert_told.seen(tx, alert.id, by, now)
    told, asked = dict.fromkeys((*_told(tx, alert), *also)), list[str]()
    if what == "ended":
        for person in told:
            if person != by:
                _tell(tx, AlertEnded(person=person, alert=alert.id, at=wall(now, policies)), "ended:", now)
    else:
        today = now.astimezone(policies.city.zone).date()
        for person in told:
            goes = what in ASKING and may_go(tx, person, alert, policies, today)
            if person != by and (goes or what != "support"):  # who cannot go there has no use for that
                _tell(tx, AlertStep(person=person, alert=alert.id, step=what, by=by, goes=goes), None, now)
                asked += [person] if goes else []
    village_groups.show(tx, alert, policies, now, anew=ANEW.get(what, "raised"))
    if what != "ended":
        _climb(tx, alerts.lock(tx, alert.id), policies, now, asked)  # at night its first rung is due at once
    return True


def tell_step(tx: Tx, alert: Alert, step: Step, by: str | None, policies: Policies, now: datetime) -> None:
    """Tells those who know of the alert that it goes on, but for him who did it. Each hears of a step once; of words
    that are added, and of what it is, each time.
    """
    if by:
        alert_told.seen(tx, alert.id, by, now)
    for person in _told(tx, alert):
        if person != by:
            _tell(tx, AlertStep(person=person, alert=alert.id, step=step, by=by or ""),
                  None if step in ("words", "what") else f"{step}:", now)


def climb(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Lets a chunk of alerts climb that nobody took over, or to which nobody came, in time; True: there may be more.

    What was pressed, and of which nothing more was said in time, goes out as it is.
    """
    due = alerts.due(tx, now, CHUNK)

    def climb_one(alert: Alert) -> None:
        if alert.kind == UNSAID:
            go_out(tx, alert, SOS, policies, now)
        else:
            _climb(tx, alert, policies, now)

    return apart.each(tx, (*due, *alerts.ahead(tx, now, CHUNK)), climb_one) or len(due) == CHUNK


def rungs(tx: Tx, alert: Alert, policies: Policies) -> Rungs:
    """The rungs of an alert as it stands: while nobody goes those of the day or night on which it began to wait; while
    nobody is there; while it does not end.
    """
    rules = policies.of(tx, alert.area_id)
    ladder = ladders.of_kind(rules.ladders, alert.kind)
    if alert.state == "open":
        return ladder.night if rules.alerts.night(alert.rungs_from, policies.city.zone) else ladder.day
    return ladder.not_there if alert.state == "claimed" else ladder.not_ended


def _climb(tx: Tx, alert: Alert, policies: Policies, now: datetime, told: Iterable[str] = (),
           heard: frozenset[Rank] | None = None) -> None:
    """Climbs all rungs that are due, as one: after a time of standing still nobody is told twice. Never those `told` a
    moment ago. With `heard` it climbs from the bottom once more, and tells none of these ranks.
    """
    steps = rungs(tx, alert, policies)
    since = alert.rungs_from if alert.rungs_from <= now + alerts.AHEAD else now
    first = alert.rung if heard is None else 0
    to = max(first, ladders.passed(steps, since, now))
    if not alerts.climbed(tx, alert, to, since, ladders.next_at(steps, to, since), now):
        return
    due = steps[first:to]
    ranks = {rank for rung in due for rank in rung.tell} - (heard or frozenset())
    persons = dict.fromkeys(_near(tx, alert, policies, now) if "near" in ranks else ())
    for rank in (each for each in ABOVE if each in ranks):
        persons |= dict.fromkeys(over(tx, alert, rank))
    kin = frozenset(family(tx, alert, now.astimezone(policies.city.zone).date())
                    if "family" in ranks and alert.kind not in UNTOLD else ()) - persons.keys()
    persons |= dict.fromkeys(sorted(kin))
    if "goer" in ranks and alert.claimed_by:
        persons[alert.claimed_by] = None
    late = any(rung.after for rung in due)
    _tell_again(tx, alert, [each for each in persons if each not in set(told)], policies, now, late=late, kin=kin)
    if late and alert.state == "open" and "near" in ranks:  # a village's group is those near
        village_groups.show(tx, alert, policies, now, anew="late")


def _tell_again(tx: Tx, alert: Alert, persons: Iterable[str], policies: Policies, now: datetime, *, late: bool,
                kin: frozenset[str] = frozenset()) -> set[str]:
    """Tells these that nobody goes (`late`: after a time), or that who went has not said that he is there, or how it
    ended. `kin` among them are told, and not asked to go.
    """
    at, not_asked = wall(alert.raised_at, policies), kin | {*people.operators(tx)}
    call = policies.of(tx, alert.area_id).alerts.phone if kin else ""
    found = set()
    for person in persons:
        notice: OfAlert
        if alert.state == "open":
            notice = AlertRaised(person=person, alert=alert.id, at=at, goes=person not in not_asked, late=late,
                                 call=call if person in kin else "")
        else:
            notice = AlertStep(
                person=person, alert=alert.id, step="not_there" if alert.state == "claimed" else "not_ended",
                by=alert.claimed_by or "", at=wall(alert.arrived_at or alert.claimed_at or alert.rungs_from, policies))
        if _raise_to(tx, notice, alert, policies, now) or _tell(tx, notice, None, now):
            found.add(person)
    return found


def near(tx: Tx, alert: Alert, policies: Policies, today: date) -> list[str]:
    """Who near may be asked to go: who cares for the elder, and the village's coordinators."""
    return [*dict.fromkeys((*helpers(tx, alert, policies, today), *_village(tx, alert)))]


def _near(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> list[str]:
    """Them, but for him who raised it."""
    today = now.astimezone(policies.city.zone).date()
    return [person for person in near(tx, alert, policies, today) if person != alert.raised_by]


def over(tx: Tx, alert: Alert, rank: Rank) -> list[str]:
    """The coordinators of this rank, or of the next one above of which somebody is reached; else the operators."""
    if alert.drill:  # the township, where that was chosen, and nobody else
        return people.coordinators(tx, alert.area_id, rank) if alert.drill > 1 and rank == "township" else []
    for role in ABOVE[ABOVE.index(rank):]:
        persons = people.coordinators(tx, alert.area_id, role)
        if any(accounts.reached(tx, person) for person in persons):
            return persons
    return people.operators(tx)


def _told(tx: Tx, alert: Alert) -> list[str]:
    """Who was told of the alert, who raised it, and who goes; whether he may still know of it is asked as it leaves."""
    told = [each.person_id for each in alert_told.of(tx, alert.id)]
    return [*dict.fromkeys((*told, *filter(None, (alert.raised_by, alert.claimed_by))))]


def _raise_to(tx: Tx, notice: OfAlert, alert: Alert, policies: Policies, now: datetime) -> bool:
    """Tells him once that it runs, and once that nobody goes; until he has seen it he is asked after (`reaching`).

    False where he was told that, or is not reached.
    """
    way = accounts.reached(tx, notice.person)
    alert_told.add(tx, alert.id, notice.person, way[0] if way else None, now,
                   now + policies.of(tx, alert.area_id).alerts.seen_after)
    return _tell(tx, notice, "" if isinstance(notice, AlertRaised) and not notice.late else "late:", now)


def _tell(tx: Tx, notice: OfAlert, what: str | None, now: datetime) -> bool:
    """With `what` once to each person; False where he was told that, or is not reached."""
    key = None if what is None else _key(notice.alert, what, notice.person)
    return notices.tell(tx, notice, now, unique_key=key, way=way(tx, notice.alert, notice.person))


def way(tx: Tx, alert_id: str, person: str) -> tuple[str, str] | None:
    """Channel and chat where he was told last of this alert, or answered; None: where he prefers."""
    last = alert_told.last_channel(tx, alert_id, person)
    return next((each for each in accounts.ways(tx, person) if each[0] == last), None) if last else None


def wall(at: datetime, policies: Policies) -> str:
    """A time as notices have it: on the wall of the elders (ISO, to the minute)."""
    return at.astimezone(policies.city.zone).strftime("%Y-%m-%dT%H:%M")


def _key(alert_id: str, what: str, person: str) -> str:
    return f"alert:{alert_id}:{what}{person}"


def _village(tx: Tx, alert: Alert) -> list[str]:
    return notices.confirmers(tx, alert.area_id, "village")


def _around(tx: Tx, alert: Alert, today: date) -> list[Around]:
    if alert.elder_id is None:
        there = on_duty.going(tx, alert.area_id, today.isoformat()) if alert.kind not in SECRET else ()
        return [each for each in there if each.role in VISITING]
    return alerts.around(tx, alert.elder_id, today.isoformat())


def _kind(tx: Tx, each: Around, policies: Policies) -> VisitorKind | None:
    return visitor_kinds.of(policies.of(tx, each.area_id).visitor_kinds, each.kind, visitor=each.role in VISITING)
