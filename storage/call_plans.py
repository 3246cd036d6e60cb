"""When each child is reminded to call an elder, and how much he wants to hear: his own choices, and where it stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.tables import assignments, call_plans

_ADD = insert(call_plans).on_conflict_do_nothing(index_elements=["person_id", "elder_id"])
_COLUMNS = (call_plans.c.person_id, call_plans.c.elder_id, call_plans.c.weekday, call_plans.c.at_time,
            call_plans.c.shares, call_plans.c.summaries, call_plans.c.next_at, call_plans.c.asked_at,
            call_plans.c.answered_at)
_THIS = and_(call_plans.c.person_id == bindparam("person"), call_plans.c.elder_id == bindparam("elder"))
_ONE = select(*_COLUMNS).where(_THIS)
_OF_ELDER = select(*_COLUMNS).where(call_plans.c.elder_id == bindparam("elder")).order_by(call_plans.c.person_id)
_DUE = select(*_COLUMNS).where(call_plans.c.next_at <= bindparam("at")).order_by(
    call_plans.c.next_at, call_plans.c.person_id, call_plans.c.elder_id).limit(bindparam("count"))
_AFTER = or_(call_plans.c.person_id > bindparam("after_person"), and_(
    call_plans.c.person_id == bindparam("after_person"), call_plans.c.elder_id > bindparam("after_elder")))
_MONTHLY = select(*_COLUMNS).where(call_plans.c.summaries == "monthly", _AFTER).order_by(
    call_plans.c.person_id, call_plans.c.elder_id).limit(bindparam("count"))
_WITHOUT = select(assignments.c.person_id, assignments.c.elder_id).where(
    assignments.c.role == "family",
    or_(assignments.c.person_id > bindparam("after_person"), and_(
        assignments.c.person_id == bindparam("after_person"), assignments.c.elder_id > bindparam("after_elder")))
).order_by(assignments.c.person_id, assignments.c.elder_id).limit(bindparam("count"))
_STANDS = and_(_THIS, call_plans.c.next_at == bindparam("due_at"))
_ASKED = update(call_plans).where(_STANDS).values(
    next_at=bindparam("new_next"), asked_at=bindparam("at"), answered_at=None)
_PUT_OFF = update(call_plans).where(_STANDS).values(next_at=bindparam("new_next"))
_ANSWERED = update(call_plans).where(_THIS).values(answered_at=bindparam("at"), next_at=bindparam("new_next"))
_CHOOSE = update(call_plans).where(_THIS).values(
    weekday=bindparam("new_weekday"), at_time=bindparam("new_time"), shares=bindparam("new_shares"),
    summaries=bindparam("new_summaries"), next_at=bindparam("new_next"))
_REMOVE = delete(call_plans).where(_THIS)


@dataclass(frozen=True, slots=True)
class Plan:
    """One child's plan for one elder. `weekday`: 0 is Monday; `at_time`: HH:MM on the wall where the elders live."""

    person_id: str
    elder_id: str
    weekday: int
    at_time: str
    shares: bool
    summaries: str
    next_at: datetime
    asked_at: datetime | None = None
    answered_at: datetime | None = None

    @property
    def unanswered(self) -> bool:
        """Whether a reminder went out that nobody has answered."""
        return self.asked_at is not None and self.answered_at is None

    @property
    def stamp(self) -> int:
        """What the buttons of the last reminder carry; 0 before the first."""
        return millis(self.asked_at) if self.asked_at else 0


def begin(tx: Tx, plan: Plan) -> bool:
    """Makes a plan; False where the child has one for this elder."""
    return tx.run(_ADD, person_id=plan.person_id, elder_id=plan.elder_id, weekday=plan.weekday, at_time=plan.at_time,
                  shares=int(plan.shares), summaries=plan.summaries, next_at=millis(plan.next_at), asked_at=None,
                  answered_at=None) == 1


def find(tx: Tx, person_id: str, elder_id: str) -> Plan | None:
    """The plan of one child for one elder."""
    row = tx.one(_ONE, person=person_id, elder=elder_id)
    return _plan(row) if row else None


def of_elder(tx: Tx, elder_id: str) -> list[Plan]:
    """The plans of all his children."""
    return [_plan(row) for row in tx.all(_OF_ELDER, elder=elder_id)]


def due(tx: Tx, now: datetime, count: int) -> list[Plan]:
    """The plans whose time has come, the oldest first. For the clock, which is nobody: so no Scope."""
    return [_plan(row) for row in tx.all(_DUE, at=millis(now), count=count)]


def monthly_after(tx: Tx, after: tuple[str, str], count: int) -> list[Plan]:
    """The next plans, by person and elder, of those who want to hear once a month. For the clock."""
    return [_plan(row) for row in tx.all(_MONTHLY, after_person=after[0], after_elder=after[1], count=count)]


def families_after(tx: Tx, after: tuple[str, str], count: int) -> list[tuple[str, str]]:
    """The next pairs of a child and his elder, by id. For the clock, which gives a plan to those who have none."""
    return [(person, elder) for person, elder in tx.all(
        _WITHOUT, after_person=after[0], after_elder=after[1], count=count)]


def asked(tx: Tx, plan: Plan, next_at: datetime, now: datetime) -> bool:
    """The weekly reminder goes out now; False where another sweep was quicker."""
    return tx.run(_ASKED, person=plan.person_id, elder=plan.elder_id, due_at=millis(plan.next_at),
                  new_next=millis(next_at), at=millis(now)) == 1


def put_off(tx: Tx, plan: Plan, next_at: datetime) -> bool:
    """Nothing (more) of this week; False where another sweep was quicker."""
    return tx.run(_PUT_OFF, person=plan.person_id, elder=plan.elder_id, due_at=millis(plan.next_at),
                  new_next=millis(next_at)) == 1


def answered(tx: Tx, plan: Plan, next_at: datetime, now: datetime) -> None:
    """The child called: what he was reminded of is settled, and the next reminder is this one."""
    tx.run(_ANSWERED, person=plan.person_id, elder=plan.elder_id, at=millis(now), new_next=millis(next_at))


def choose(tx: Tx, plan: Plan, now: datetime) -> None:
    """Keeps the child's own choices: day, time, turns, summaries, and the next time that follows from them."""
    tx.run(_CHOOSE, person=plan.person_id, elder=plan.elder_id, new_weekday=plan.weekday, new_time=plan.at_time,
           new_shares=int(plan.shares), new_summaries=plan.summaries, new_next=millis(plan.next_at))
    tx.note(now, plan.person_id, "call_plan.choose", plan.elder_id, ["weekday", "at_time", "shares", "summaries"])


def remove(tx: Tx, plan: Plan) -> None:
    """Ends the plan of who is this elder's family no more."""
    tx.run(_REMOVE, person=plan.person_id, elder=plan.elder_id)


def _plan(row: Row) -> Plan:
    person, elder, weekday, at_time, shares, summaries, next_at, asked_at, answered_at = row
    return Plan(person, elder, weekday, at_time, bool(shares), summaries, instant(next_at),
                instant(asked_at) if asked_at else None, instant(answered_at) if answered_at else None)
