"""The ledger of alerts (C12): opened, taken over by one person, ended by a person who says what he found.

An alert runs while it is `open`, `claimed` or `arrived`; it ends as `closed` or `false_alarm`, never by itself.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from sqlalchemy import ColumnElement, bindparam, delete, func, insert, literal_column, not_, or_, select, update

from storage import meta
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import ALERT_IN_SCOPE, SECRET, SOS, UNSAID, VILLAGES_HELD, Scope
from storage.tables import alerts, assignments, elders, people

State = Literal["open", "claimed", "arrived", "closed", "false_alarm"]
Source = Literal["person", "check_in", "contact", "device"]
NOT_YET = "not_yet"  # what is said of a thing that is still to be done, after an alert was closed
ASKED = ("risk_gone", "relieved", "referred")  # what is asked of a closed alert, as it stands in the outcome
AHEAD = timedelta(minutes=2)  # so far may the clocks of two machines be apart
COUNT = "alerts"  # the name under which they are counted

# written out as the partial index has it: a parameter would keep it from being used
_RUNNING: ColumnElement[bool] = literal_column("alerts.state IN ('open', 'claimed', 'arrived')")
_THIS = alerts.c.id == bindparam("alert")
_ADD = insert(alerts)
_ALL = select(alerts.c.id, alerts.c.number, alerts.c.elder_id, alerts.c.area_id, alerts.c.kind, alerts.c.state,
              alerts.c.source, alerts.c.raised_by, alerts.c.raised_at, alerts.c.claimed_by, alerts.c.claimed_at,
              alerts.c.closed_by, alerts.c.closed_at, alerts.c.words, alerts.c.outcome, alerts.c.rung,
              alerts.c.rungs_from, alerts.c.arrived_at, alerts.c.support_at, alerts.c.offered_to, alerts.c.alike,
              alerts.c.drill, alerts.c.family_by)
_UNSCOPED = _ALL.where(_THIS)
_SEEN = _ALL.where(_THIS, ALERT_IN_SCOPE)
_NUMBERED = _ALL.where(_RUNNING, alerts.c.number == bindparam("called"))
_RUN_HERE = _ALL.where(_RUNNING, ALERT_IN_SCOPE).order_by(alerts.c.raised_at, alerts.c.id)
_HOW_MANY = select(func.count()).select_from(alerts).where(_RUNNING, ALERT_IN_SCOPE)
_PAGE = _RUN_HERE.limit(bindparam("count")).offset(bindparam("skip"))
_DUE = _ALL.where(_RUNNING, alerts.c.next_at.is_not(None), alerts.c.next_at <= bindparam("at")).order_by(
    alerts.c.next_at, alerts.c.id).limit(bindparam("count"))
# what waits by a clock that was put back since: it would wait that long
_AHEAD = _ALL.where(_RUNNING, alerts.c.rungs_from > bindparam("too_far")).limit(bindparam("count"))
# as it was read: whatever happened to it meanwhile, its rungs count from there
_AS_READ = (_THIS, alerts.c.state == bindparam("shown"), alerts.c.rung == bindparam("climbed"),
            func.coalesce(alerts.c.rungs_from, alerts.c.raised_at) == bindparam("counted_from"))
_CLIMBED = update(alerts).where(*_AS_READ).values(
    rung=bindparam("new_rung"), rungs_from=bindparam("since"), next_at=bindparam("then"))
_HOLD = select(elders.c.id).where(elders.c.id == bindparam("elder")).with_for_update(key_share=True)
_NEWEST = (alerts.c.raised_at.desc(), alerts.c.id.desc())
_of_elder = _ALL.where(_RUNNING, alerts.c.elder_id == bindparam("elder"), alerts.c.raised_at >= bindparam(
    "since"), alerts.c.kind != UNSAID, alerts.c.drill == 0).order_by(*_NEWEST).limit(1)
_secret = or_(*(alerts.c.kind == kind for kind in SECRET))
_OF_ELDER = {True: _of_elder.where(_secret), False: _of_elder.where(not_(_secret))}
_PRESSED = _ALL.where(_RUNNING, alerts.c.raised_by == bindparam("who"), alerts.c.kind == UNSAID).order_by(
    *_NEWEST).limit(1)
_OUT = update(alerts).where(_THIS, alerts.c.state == "open", alerts.c.kind == UNSAID).values(
    kind=bindparam("what"))
_TURN = update(alerts).where(_THIS, _RUNNING, alerts.c.kind == bindparam("was")).values(kind=bindparam("what"))
_LOCK = _UNSCOPED.with_for_update(of=alerts)
_LOCK_PRESSED = _ALL.where(_THIS, _RUNNING, alerts.c.kind == UNSAID).with_for_update(of=alerts)
_OF = update(alerts).where(_THIS, _RUNNING, or_(alerts.c.kind == UNSAID, alerts.c.elder_id.is_(None))).values(
    elder_id=bindparam("elder"), area_id=bindparam("area"))
_FOLD = delete(alerts).where(_THIS, alerts.c.kind == UNSAID)
_CLAIM = update(alerts).where(_THIS, alerts.c.state == "open").values(  # to open ones nobody goes
    state="claimed", claimed_by=bindparam("who"), claimed_at=bindparam("at"), rung=0, rungs_from=bindparam("at"),
    next_at=bindparam("at"))
_ARRIVE = update(alerts).where(_THIS, alerts.c.state == "claimed", alerts.c.claimed_by == bindparam("who")).values(
    state="arrived", arrived_at=bindparam("at"), rung=0, rungs_from=bindparam("at"), next_at=bindparam("at"))
TAKEN: ColumnElement[bool] = or_(alerts.c.state == "claimed", alerts.c.state == "arrived")
_ended: dict[str, Any] = {"state": bindparam("new_state"), "closed_by": bindparam("who"), "closed_at": bindparam("at"),
          "outcome": bindparam("found"), "next_at": bindparam("then")}
_CLOSE = update(alerts).where(_THIS, TAKEN).values(_ended)
_CALL_OFF = update(alerts).where(_THIS, or_(TAKEN, alerts.c.state == "open")).values(_ended)
# closed, and still asked after: `next_at` is when the next time
_FOLLOWED = (alerts.c.state == "closed", alerts.c.next_at.is_not(None))
_TO_ASK = _ALL.where(*_FOLLOWED, alerts.c.next_at <= bindparam("at")).order_by(
    alerts.c.next_at, alerts.c.id).limit(bindparam("count"))
_ASKED = update(alerts).where(_THIS, *_FOLLOWED, alerts.c.next_at <= bindparam("at")).values(next_at=bindparam("then"))
_AFTER = _ALL.where(*_FOLLOWED, ALERT_IN_SCOPE).order_by(alerts.c.closed_at, alerts.c.id).limit(
    bindparam("count")).offset(bindparam("skip"))
_HOW_MANY_AFTER = select(func.count()).select_from(alerts).where(*_FOLLOWED, ALERT_IN_SCOPE)
_AFTER_OF = _ALL.where(*_FOLLOWED, ALERT_IN_SCOPE, alerts.c.elder_id == bindparam("elder")).order_by(
    *_NEWEST).limit(3)
_LOCKED = _ALL.where(_THIS, *_FOLLOWED, ALERT_IN_SCOPE).with_for_update(of=alerts)
_ANSWER = update(alerts).where(_THIS, *_FOLLOWED).values(outcome=bindparam("found"))
_NO_MORE = update(alerts).where(_THIS, *_FOLLOWED).values(next_at=None)
_ENDED = _ALL.where(  # what was pressed by mistake, and told nobody, stays between him and the bot
    alerts.c.closed_at >= bindparam("since"), alerts.c.kind != UNSAID, alerts.c.area_id.in_(VILLAGES_HELD)).order_by(
    alerts.c.closed_at.desc(), alerts.c.id.desc()).limit(bindparam("count"))
_HELD = _ALL.where(_THIS, alerts.c.area_id.in_(VILLAGES_HELD))
_WORDS = update(alerts).where(_THIS).values(words=bindparam("said"))
_AROUND = select(people.c.id, people.c.visitor_kind, people.c.minor_until, people.c.area_id, assignments.c.role
                 ).select_from(assignments.join(people, people.c.id == assignments.c.person_id)).where(
    assignments.c.elder_id == bindparam("elder"), assignments.c.from_on <= bindparam("on_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("on_day")),
    people.c.status == "active").order_by(people.c.id, assignments.c.role)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, opened. `words` is what was said with it; `outcome` what came of it, by question, once it ended.

    `rung` rungs were climbed of those that count from `rungs_from`; `offered_to` is asked to go instead; `alike`: it is
    one of several of its kind.
    """

    id: str
    number: int
    elder_id: str | None
    area_id: str
    kind: str
    state: str
    source: str
    raised_by: str | None
    raised_at: datetime
    claimed_by: str | None
    claimed_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    words: str = field(repr=False)
    outcome: dict[str, str] = field(repr=False)
    rung: int
    rungs_from: datetime
    arrived_at: datetime | None
    support_at: datetime | None
    offered_to: str | None
    alike: bool
    drill: int = 0  # 1: 演练; 2: one of which the township hears too
    family_by: str | None = None  # who decided that the family is told of what is kept from it

    @property
    def running(self) -> bool:
        return self.state in ("open", "claimed", "arrived")

    @property
    def asked_after(self) -> bool:
        """Whether something that is asked after its end is still to be said, or to be done."""
        return self.state == "closed" and any(self.outcome.get(name, NOT_YET) == NOT_YET for name in ASKED)

    @property
    def risk_left(self) -> bool:
        """Whether the danger was there when it was closed, or later, and nobody has said since that it is gone."""
        left = NOT_YET if self.outcome.get("risk") == "left" else ""
        return self.asked_after and self.outcome.get("risk_gone", left) == NOT_YET

    @property
    def called(self) -> str:
        """How people call it: A-0001."""
        return f"A-{self.number:04d}"


@dataclass(frozen=True, slots=True)
class Around:
    """Somebody who is there for an elder, and as what."""

    person_id: str
    kind: str | None
    minor_until: str | None
    area_id: str
    role: str


def add(tx: Tx, elder_id: str | None, area_id: str, kind: str, source: Source, by: str | None, words: str,
        now: datetime, next_at: datetime, drill: int = 0) -> Alert:
    """A new alert with the next number; `by` is None for what no person raised. At `next_at` more people are told."""
    alert = Alert(tx.new_id(now), meta.count_up(tx, COUNT), elder_id, area_id, kind, "open", source, by, now,
                  None, None, None, None, words, {}, 0, now, None, None, None, alike=False, drill=drill)
    tx.run(_ADD, id=alert.id, number=alert.number, elder_id=elder_id, area_id=area_id, kind=kind, state="open",
           source=source, raised_by=by, raised_at=millis(now), words=_sealed(tx, alert.id, words), claimed_by=None,
           claimed_at=None, closed_by=None, closed_at=None, outcome=None,
           next_at=millis(next_at), rung=0, rungs_from=millis(now), arrived_at=None,
           support_at=None, offered_to=None, alike=0, drill=drill, family_by=None)
    tx.note(now, by or "clock", "alert.drill" if drill else "alert.raise", elder_id or alert.id, (alert.called,))
    return alert


def hold(tx: Tx, elder_id: str) -> None:
    """Until the end of this work nobody else raises an alert for this elder: two reports are not two alerts."""
    tx.one(_HOLD, elder=elder_id)


def running_of(tx: Tx, elder_id: str, since: datetime | None = None) -> Alert | None:
    """The newest alert that runs for an elder, where it was raised since then, but for what is secret from family.

    For the program's own work.
    """
    row = tx.one(_OF_ELDER[False], elder=elder_id, since=millis(since) if since else 0)
    return _read(tx, row) if row else None


def alike(tx: Tx, elder_id: str, kind: str, since: datetime) -> Alert | None:
    """The newest that runs for an elder and that a report of this kind may join: of what is secret none else hears."""
    row = tx.one(_OF_ELDER[kind in SECRET], elder=elder_id, since=millis(since))
    return _read(tx, row) if row else None


def pressed(tx: Tx, person_id: str) -> Alert | None:
    """What this person raised a moment ago, of which nobody is told yet."""
    row = tx.one(_PRESSED, who=person_id)
    return _read(tx, row) if row else None


def lock(tx: Tx, alert_id: str) -> Alert:
    """The alert as it is now; until the end of this work nobody else changes it. Raises LookupError: there is none."""
    row = tx.one(_LOCK, alert=alert_id)
    if row is None:
        raise LookupError(f"no alert {alert_id}")
    return _read(tx, row)


def lock_pressed(tx: Tx, alert_id: str) -> Alert | None:
    """As `lock`, of what was pressed and of which nobody is told yet; None where it went out, was folded, or ended."""
    row = tx.one(_LOCK_PRESSED, alert=alert_id)
    return _read(tx, row) if row else None


def go_out(tx: Tx, alert: Alert, kind: str, now: datetime) -> None:
    """Others are told of it in this work, as of this kind. The caller has it by `lock_pressed`."""
    tx.run(_OUT, alert=alert.id, what=kind)
    tx.note(now, "clock" if kind == SOS else alert.raised_by or "clock", "alert.out", alert.elder_id or alert.id,
            (alert.called, kind))


def turn(tx: Tx, alert: Alert, kind: str, by: str | None, now: datetime, was: str = SOS) -> bool:
    """It is said what it is, after it went out as `was`; False where it is not that any more, or it ended."""
    done = tx.run(_TURN, alert=alert.id, was=was, what=kind) == 1
    if done:
        tx.note(now, by or "clock", "alert.what", alert.elder_id or alert.id, (alert.called, kind))
    return done


def of_whom(tx: Tx, alert: Alert, elder_id: str | None, area_id: str, by: str, now: datetime) -> bool:
    """It is said of whom it is; False where it went out as somebody's, or it ended."""
    done = tx.run(_OF, alert=alert.id, elder=elder_id, area=area_id) == 1
    if done:
        tx.note(now, by, "alert.whom", elder_id or alert.id, (alert.called,))
    return done


def fold(tx: Tx, alert: Alert, into: Alert, now: datetime) -> None:
    """What nobody was told of becomes a further report of the one that runs. The caller has it by `lock_pressed`."""
    tx.run(_FOLD, alert=alert.id)
    tx.note(now, alert.raised_by or "clock", "alert.again", into.elder_id or into.id, (into.called, alert.called))


def say_more(tx: Tx, alert: Alert, words: str) -> bool:
    """Adds what a second report, or somebody who knows more, says: what was said meanwhile stays. False: it is gone."""
    row = tx.one(_LOCK, alert=alert.id)
    if row is not None:
        said = _read(tx, row).words
        tx.run(_WORDS, alert=alert.id, said=_sealed(tx, alert.id, "\n".join(filter(None, (said, words)))))
    return row is not None


def find(tx: Tx, scope: Scope, alert_id: str) -> Alert | None:
    """One of an elder in the scope, or of an area that the scope's person coordinates."""
    row = tx.one(_SEEN, alert=alert_id, **scope.values)
    return _read(tx, row) if row else None


def unscoped(tx: Tx, alert_id: str) -> Alert | None:
    """One alert for the program's own work; nobody is shown it."""
    row = tx.one(_UNSCOPED, alert=alert_id)
    return _read(tx, row) if row else None


def running_numbered(tx: Tx, number: int) -> Alert | None:
    """The one of this number, while it runs, whoever asks: for `glass` and the program's own work."""
    row = tx.one(_NUMBERED, called=number)
    return _read(tx, row) if row else None


def running(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Alert]]:
    """How many run in the scope, and a page of them, the one that has run longest first."""
    row = tx.one(_HOW_MANY, **scope.values)
    return int(row[0]) if row else 0, [_read(tx, each) for each in tx.all(
        _PAGE, count=count, skip=skip, **scope.values)]


def due(tx: Tx, now: datetime, count: int) -> list[Alert]:
    """Those of which more people are to be told by now. For the clock, which is nobody: so no Scope."""
    return [_read(tx, row) for row in tx.all(_DUE, at=millis(now), count=count)]


def ahead(tx: Tx, now: datetime, count: int) -> list[Alert]:
    """Those that wait since a time that has not come: the clock was put back. For the clock."""
    return [_read(tx, row) for row in tx.all(_AHEAD, too_far=millis(now + AHEAD), count=count)]


def climbed(tx: Tx, alert: Alert, rung: int, since: datetime, next_at: datetime | None, now: datetime) -> bool:
    """So many rungs are climbed with this work, counted from `since`; False where it is not any more as it was read."""
    done = tx.run(_CLIMBED, alert=alert.id, shown=alert.state, climbed=alert.rung, new_rung=rung, since=millis(since),
                  counted_from=millis(alert.rungs_from), then=millis(next_at) if next_at else None) == 1
    if done and rung > alert.rung:
        tx.note(now, "clock", "alert.climb", alert.elder_id or alert.id, (alert.called,))
    return done


def claim(tx: Tx, alert: Alert, by: str, now: datetime) -> bool:
    """This person goes; False where somebody was quicker, or it has ended. It is `climbed` in the same work."""
    done = tx.run(_CLAIM, alert=alert.id, who=by, at=millis(now)) == 1
    if done:
        tx.note(now, by, "alert.claim", alert.elder_id or alert.id, (alert.called,))
    return done


def arrive(tx: Tx, alert: Alert, by: str, now: datetime) -> bool:
    """Who went is there; False where it is not his, or he was there before."""
    done = tx.run(_ARRIVE, alert=alert.id, who=by, at=millis(now)) == 1
    if done:
        tx.note(now, by, "alert.arrive", alert.elder_id or alert.id, (alert.called,))
    return done


def end(tx: Tx, alert: Alert, state: Literal["closed", "false_alarm"], by: str, outcome: dict[str, str], now: datetime,
        ask_at: datetime | None = None) -> bool:
    """Ends it with what was found; `closed` only what somebody took over. False where it has ended.

    At `ask_at` it is asked after for the first time (None: never).
    """
    statement = _CLOSE if state == "closed" else _CALL_OFF
    found = tx.keys.seal(orjson.dumps(outcome), "alerts.outcome", alert.id)
    done = tx.run(statement, alert=alert.id, new_state=state, who=by, at=millis(now), found=found,
                  then=millis(ask_at) if ask_at else None) == 1
    if done:
        tx.note(now, by, f"alert.{state}", alert.elder_id or alert.id, (alert.called,))
    return done


def ended(tx: Tx, scope: Scope, since: datetime, count: int) -> list[Alert]:
    """The newest that ended since then in the area that the scope's person coordinates."""
    return [_read(tx, row) for row in tx.all(_ENDED, since=millis(since), count=count, scope_person=scope.person_id)]


def held(tx: Tx, scope: Scope, alert_id: str) -> Alert | None:
    """One of the area that the scope's person coordinates."""
    row = tx.one(_HELD, alert=alert_id, scope_person=scope.person_id)
    return _read(tx, row) if row else None


def to_ask_after(tx: Tx, now: datetime, count: int) -> list[Alert]:
    """Those closed that are to be asked after by now. For the clock."""
    return [_read(tx, row) for row in tx.all(_TO_ASK, at=millis(now), count=count)]


def asked_after(tx: Tx, alert: Alert, now: datetime, next_at: datetime) -> bool:
    """It is asked after in this work; False where that was done."""
    return tx.run(_ASKED, alert=alert.id, at=millis(now), then=millis(next_at)) == 1


def open_after(tx: Tx, scope: Scope, count: int, skip: int = 0) -> tuple[int, list[Alert]]:
    """How many closed ones in the scope are still asked after, and a page of them, the oldest first."""
    row = tx.one(_HOW_MANY_AFTER, **scope.values)
    return int(row[0]) if row else 0, [_read(tx, each) for each in tx.all(
        _AFTER, count=count, skip=skip, **scope.values)]


def open_after_of(tx: Tx, scope: Scope, elder_id: str) -> list[Alert]:
    """The newest three of one elder that are still asked after."""
    return [_read(tx, row) for row in tx.all(_AFTER_OF, elder=elder_id, **scope.values)]


def answer_after(tx: Tx, scope: Scope, alert_id: str, given: dict[str, str], by: str, now: datetime,
                 ) -> Alert | None:
    """Adds what is said of it later to the outcome; once all is done it is asked after no more. None: it is not."""
    row = tx.one(_LOCKED, alert=alert_id, **scope.values)
    if row is None:
        return None
    alert = _read(tx, row)
    after = replace(alert, outcome={**alert.outcome, **given})
    tx.run(_ANSWER, alert=alert.id, found=tx.keys.seal(orjson.dumps(after.outcome), "alerts.outcome", alert.id))
    if not after.asked_after:
        tx.run(_NO_MORE, alert=alert.id)
    tx.note(now, by, "alert.followup", alert.elder_id or alert.id, (alert.called, *given))
    return after


def around(tx: Tx, elder_id: str, day: str) -> list[Around]:
    """Everybody active who is there for the elder on that day (ISO), once for each role."""
    return [Around(*row) for row in tx.all(_AROUND, elder=elder_id, on_day=day)]


def _sealed(tx: Tx, alert_id: str, words: str) -> bytes | None:
    return tx.keys.seal(words.encode(), "alerts.words", alert_id) if words else None


def _read(tx: Tx, row: Row) -> Alert:
    (alert_id, number, elder, area, kind, state, source, raised_by, raised, claimed_by, claimed, closed_by, closed,
     words, outcome, rung, rungs_from, arrived, support, offered, alike, drill, family_by) = row
    said = tx.keys.open(words, "alerts.words", alert_id).decode() if words else ""
    found: dict[str, Any] = orjson.loads(tx.keys.open(outcome, "alerts.outcome", alert_id)) if outcome else {}
    return Alert(alert_id, number, elder, area, kind, state, source, raised_by, instant(raised), claimed_by,
                 instant(claimed) if claimed else None, closed_by, instant(closed) if closed else None, said, found,
                 rung, instant(rungs_from or raised), instant(arrived) if arrived else None,
                 instant(support) if support else None, offered, alike == 1, drill, family_by)
