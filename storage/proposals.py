"""What one person reports and another confirms: a registration, a first contact, a change of a life.

States go one way: growing (parts of it are kept) -> proposed -> confirmed, refused or withdrawn.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import VILLAGES_HELD, Scope
from storage.tables import people, proposals

_ADD = insert(proposals)
_VISIBLE = select(
    proposals.c.id, proposals.c.kind, proposals.c.area_id, proposals.c.elder_id, proposals.c.state, proposals.c.body,
    proposals.c.made_by, people.c.name, proposals.c.made_at, proposals.c.decided_by, proposals.c.reason,
    proposals.c.draft_id).select_from(proposals.outerjoin(people, people.c.id == proposals.c.made_by))
_HELD_HERE = proposals.c.area_id.in_(VILLAGES_HELD)
_SEEN = or_(_HELD_HERE, proposals.c.made_by == bindparam("scope_person"))
_ONE = _VISIBLE.where(proposals.c.id == bindparam("proposal"), _SEEN)
_WAITING = _VISIBLE.where(proposals.c.state == "proposed", _HELD_HERE).order_by(
    proposals.c.made_at, proposals.c.id).limit(bindparam("count")).offset(bindparam("skip"))
_MINE = _VISIBLE.where(proposals.c.state == "proposed", proposals.c.made_by == bindparam("scope_person")).order_by(
    proposals.c.made_at, proposals.c.id).limit(bindparam("count"))
_WAIT_COUNT = select(proposals.c.kind, func.count()).where(proposals.c.state == "proposed", _HELD_HERE).group_by(
    proposals.c.kind)
_OPEN_OF = select(proposals.c.id).where(
    proposals.c.elder_id == bindparam("elder"), proposals.c.kind == bindparam("of_kind"),
    proposals.c.state == "proposed").limit(1)
_BY_DRAFT = select(proposals.c.id, proposals.c.state).where(proposals.c.draft_id == bindparam("draft"))
_GROW = update(proposals).where(
    proposals.c.id == bindparam("proposal"), proposals.c.state == "growing").values(
    body=bindparam("new_body"), area_id=bindparam("new_area"), state=bindparam("new_state"), made_at=bindparam("at"))
_AGREE = update(proposals).where(proposals.c.id == bindparam("proposal"), proposals.c.state == "proposed").values(
    body=bindparam("new_body"))
_DECIDE = update(proposals).where(and_(
    proposals.c.id == bindparam("proposal"), or_(
        proposals.c.state == "growing", proposals.c.state == "proposed"))).values(
    state=bindparam("new_state"), decided_by=bindparam("by"), decided_at=bindparam("at"), reason=bindparam("why"),
    elder_id=func.coalesce(bindparam("new_elder"), proposals.c.elder_id))


@dataclass(frozen=True, slots=True)
class Proposal:
    """One of them, opened. `maker` is the name of `made_by`; `reason` is why it was refused."""

    id: str
    kind: str
    area_id: str
    elder_id: str | None
    state: str
    body: dict[str, Any]
    made_by: str | None
    maker: str | None
    made_at: datetime
    decided_by: str | None
    reason: str
    draft_id: str | None


def add(tx: Tx, kind: str, area_id: str, body: dict[str, Any], by: str | None, now: datetime, *,
        elder_id: str | None = None, state: str = "proposed", draft_id: str | None = None) -> str:
    """Keeps what is reported about a village (or an elder there); gives its id."""
    proposal = tx.new_id(now)
    tx.run(_ADD, id=proposal, kind=kind, area_id=area_id, elder_id=elder_id, state=state, made_by=by,
           body=_seal(tx, proposal, body), made_at=millis(now), decided_by=None, decided_at=None, reason=None,
           draft_id=draft_id)
    tx.note(now, by or "", f"proposal.{kind}", elder_id or proposal, [state])
    return proposal


def grow(tx: Tx, proposal: str, area_id: str, body: dict[str, Any], now: datetime, state: str = "growing",
         ) -> bool:
    """Keeps more of what is still growing; with `proposed` it is whole. False where it is not growing any more."""
    return tx.run(_GROW, proposal=proposal, new_body=_seal(tx, proposal, body), new_area=area_id,
                  new_state=state, at=millis(now)) == 1


def of_draft(tx: Tx, draft_id: str) -> tuple[str, str] | None:
    """Id and state of what a form became."""
    row = tx.one(_BY_DRAFT, draft=draft_id)
    return (row[0], row[1]) if row else None


def find(tx: Tx, scope: Scope, proposal: str) -> Proposal | None:
    """One that the scope's person made, or that lies in the area he coordinates."""
    row = tx.one(_ONE, proposal=proposal, scope_person=scope.person_id)
    return _opened(tx, row) if row else None


def waiting(tx: Tx, scope: Scope, count: int, skip: int = 0) -> list[Proposal]:
    """What waits for a yes or no in the area that the scope's person coordinates, oldest first."""
    return [_opened(tx, row) for row in tx.all(_WAITING, scope_person=scope.person_id, count=count, skip=skip)]


def mine(tx: Tx, scope: Scope, count: int) -> list[Proposal]:
    """What the scope's person reported and nobody decided yet, oldest first."""
    return [_opened(tx, row) for row in tx.all(_MINE, scope_person=scope.person_id, count=count)]


def waiting_counts(tx: Tx, scope: Scope) -> dict[str, int]:
    """How many wait there, by kind."""
    return dict(tx.all(_WAIT_COUNT, scope_person=scope.person_id))


def is_open(tx: Tx, elder_id: str, kind: str) -> bool:
    """Whether one of this kind waits for a decision on this elder."""
    return tx.one(_OPEN_OF, elder=elder_id, of_kind=kind) is not None


def agree(tx: Tx, proposal: Proposal, body: dict[str, Any]) -> bool:
    """Keeps the yes of one of several; False where it does not wait any more."""
    return tx.run(_AGREE, proposal=proposal.id, new_body=_seal(tx, proposal.id, body)) == 1


def decide(tx: Tx, proposal: Proposal, state: str, by: str, now: datetime, *, reason: str = "",
           elder_id: str | None = None) -> bool:
    """Ends it as `confirmed`, `refused` or `withdrawn`, once; False where somebody was quicker."""
    sealed = tx.keys.seal(reason.encode(), "proposals.reason", proposal.id) if reason else None
    ended = tx.run(_DECIDE, proposal=proposal.id, new_state=state, by=by, at=millis(now), why=sealed,
                   new_elder=elder_id) == 1
    if ended:
        tx.note(now, by, f"proposal.{state}", elder_id or proposal.elder_id or proposal.id, [proposal.kind])
    return ended


def _seal(tx: Tx, proposal: str, body: dict[str, Any]) -> bytes:
    return tx.keys.seal(orjson.dumps(body), "proposals.body", proposal)


def _opened(tx: Tx, row: Row) -> Proposal:
    (proposal, kind, area_id, elder_id, state, body, made_by, maker, made_at, decided_by, reason, draft_id) = row
    return Proposal(
        proposal, kind, area_id, elder_id, state, orjson.loads(tx.keys.open(body, "proposals.body", proposal)), made_by,
        maker, instant(made_at), decided_by,
        tx.keys.open(reason, "proposals.reason", proposal).decode() if reason else "", draft_id)
