"""What somebody gets unasked: each kind with its fields, its lane, and whether it is still wanted when it leaves.

A row in the outbox holds ids only; names are read, and the last check is made, when it is sent.
"""

from datetime import date, datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from scheduler.visitor_kinds import minor
from storage import accounts, assignments, elders, invitations, people, proposals, ties
from storage import outbox as rows
from storage.database import Tx
from storage.elders import Elder
from storage.outbox import Lane, Outgoing
from storage.scope import Scope


class Notice(BaseModel):
    """One kind of message. `person` is who gets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    lane: ClassVar[Lane] = "reminder"

    person: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        """Asked once more when the message leaves: the person is in office, and the matter still stands."""
        found = people.find(tx, self.person)
        return found is not None and found.status == "active"

    def why(self, tx: Tx, today: date) -> str:
        """For the operator, in English words and numbers: why it goes out. An elder is a file's number there."""
        about = elders.unscoped(tx, getattr(self, "elder", ""))
        return f"file {about.number} of {about.village}" if about else ""


class VisitDue(Notice):
    """An elder's home visit is due. Not wanted once he was seen, is paused, or is not theirs any more."""

    kind = "visit_due"
    elder: str
    due_until: str  # ISO: the last day of the window that it speaks of

    def why(self, tx: Tx, today: date) -> str:
        return f"{super().why(tx, today)}, due until {self.due_until}"

    def still_wanted(self, tx: Tx, today: date) -> bool:
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return (super().still_wanted(tx, today) and elder is not None and elder.status == "active"
                and elder.wish != "unwilling" and elder.due_until <= self.due_until)


class ToConfirm(Notice):
    """Something waits for this coordinator's yes or no. Not wanted once it is decided."""

    kind = "to_confirm"
    proposal: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = proposals.find(tx, Scope(self.person, today), self.proposal)
        return super().still_wanted(tx, today) and found is not None and found.state == "proposed"


class Decided(Notice):
    """What the person proposed was confirmed or refused."""

    kind = "decided"
    proposal: str


class LifeChanged(Notice):
    """An elder is not to be visited now, or is again: for who visits him. Not wanted where it was taken back.

    Why is told only of hospital, where a visit may be made there, and of a death. `seen_on` is the day (ISO) on which
    he was theirs: one who moved is so no more.
    """

    kind = "life_changed"
    elder: str
    what: str
    seen_on: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        now = elders.find(tx, Scope(self.person, today), self.elder)
        if not super().still_wanted(tx, today) or self.as_seen(tx) is None:
            return False
        if now is None:
            return self.what == "moved"
        return (now.status == "active") == (self.what in ("back", "restored"))

    def as_seen(self, tx: Tx) -> Elder | None:
        """The elder for who cared for him until he moved."""
        day = date.fromisoformat(self.seen_on)
        return elders.find(tx, Scope(self.person, day), self.elder) or elders.find(
            tx, Scope(self.person, day - timedelta(days=1)), self.elder)


class MovedHere(Notice):
    """An elder moved into this coordinator's village: somebody must be found who visits him."""

    kind = "moved_here"
    elder: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return (super().still_wanted(tx, today) and elder is not None and elder.status != "closed"
                and not ties.visiting(tx, self.elder, today.isoformat()))


class PauseOver(Notice):
    """The day came until which an elder was to be away: visits are due again, unless somebody knows better."""

    kind = "pause_over"
    elder: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return super().still_wanted(tx, today) and elder is not None and elder.status == "active"


class ConsentWithdrawn(Notice):
    """An elder took back his consent: the coordinator decides whether his data is erased."""

    kind = "consent_withdrawn"
    elder: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return super().still_wanted(tx, today) and elder is not None and elder.condition == "refused"


class AuditHead(Notice):
    """The last line of the audit chain, for an operator to keep elsewhere: whoever shortens the chain does not have it.
    """

    kind = "audit_head"
    lines: int
    mac: str


class Bound(Notice):
    """Somebody opened the link of an invitation. Not wanted once that account is cut off, or bound anew."""

    kind = "bound"
    lane = "reply"  # who invites waits for it
    invitation: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = invitations.find(tx, Scope(self.person, today), self.invitation)
        return super().still_wanted(tx, today) and found is not None and found.account_state == "active"


class ToIdentify(Notice):
    """Somebody typed a spoken code, and waits until the coordinator says that it is he."""

    kind = "to_identify"
    lane = "reply"
    invitation: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = invitations.find(tx, Scope(self.person, today), self.invitation)
        return super().still_wanted(tx, today) and found is not None and found.account_state == "waiting"


class BoundElsewhere(Notice):
    """Told to the person himself, where he was before: another account opened an invitation of his."""

    kind = "bound_elsewhere"
    lane = "reply"
    channel: str


class Guessing(Notice):
    """Codes or tokens were tried until no more are looked at in this hour."""

    kind = "guessing"
    lane = "reply"


class Caseload(Notice):
    """Elders came into this person's care: one of them by name, or how many."""

    kind = "caseload"
    count: int
    elder: str = ""


class LeftAlone(Notice):
    """An elder has no visitor of age any more. Not wanted once he has one, or none is to come."""

    kind = "left_alone"
    elder: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        scope = Scope(self.person, today)
        elder = elders.find(tx, scope, self.elder)
        return (super().still_wanted(tx, today) and elder is not None and elder.status == "active"
                and all(each.role not in assignments.VISITING or minor(each.minor_until, today)
                        for each in assignments.carers(tx, scope, self.elder)))


KINDS: dict[str, type[Notice]] = {each.kind: each for each in (
    VisitDue, ToConfirm, Decided, Caseload, LeftAlone, LifeChanged, MovedHere, PauseOver, ConsentWithdrawn, Bound,
    ToIdentify, BoundElsewhere, Guessing, AuditHead)}


def confirmers(tx: Tx, area_id: str, role: str) -> list[str]:
    """Who says yes or no there: those who hold this post, or where nobody does, the next one above it."""
    ranks = people.COORDINATING[people.COORDINATING.index(role):]
    return next((found for each in ranks if (found := people.coordinators(tx, area_id, each))), [])


def tell(tx: Tx, notice: Notice, now: datetime, *, unique_key: str | None = None,
         not_before: datetime | None = None, way: tuple[str, str] | None = None) -> bool:
    """Puts the notice in the outbox, for the channel that the person prefers, or this `way` (channel and chat).

    False where he has no account that can be written to, or the unique key was used before.
    """
    where = way or accounts.reached(tx, notice.person)
    if where is None:
        return False
    row = Outgoing(tx.new_id(now), *where, notice.lane, notice.kind, notice.model_dump())
    return rows.add(tx, row, now, unique_key=unique_key, not_before=not_before)
