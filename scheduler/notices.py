"""What somebody gets unasked: each kind with its fields, its lane, and whether it is still wanted when it leaves.

A row in the outbox holds ids only; names are read, and the last check is made, when it is sent.
"""

from datetime import date, datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from storage import accounts, elders, invitations, people, proposals
from storage import outbox as rows
from storage.database import Tx
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


class VisitDue(Notice):
    """An elder's home visit is due. Not wanted once he was seen, is paused, or is not theirs any more."""

    kind = "visit_due"
    elder: str
    due_until: str  # ISO: the last day of the window that it speaks of

    def still_wanted(self, tx: Tx, today: date) -> bool:
        elder = elders.find(tx, Scope(self.person, today), self.elder)
        return (super().still_wanted(tx, today) and elder is not None and elder.status == "active"
                and elder.due_until <= self.due_until)


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


KINDS: dict[str, type[Notice]] = {each.kind: each for each in (
    VisitDue, ToConfirm, Decided, Bound, ToIdentify, BoundElsewhere, Guessing, AuditHead)}


def tell(tx: Tx, notice: Notice, now: datetime, *, unique_key: str | None = None,
         not_before: datetime | None = None) -> bool:
    """Puts the notice in the outbox, for the channel that the person prefers.

    False where he has no account that can be written to, or the unique key was used before.
    """
    where = accounts.reached(tx, notice.person)
    if where is None:
        return False
    row = Outgoing(tx.new_id(now), *where, notice.lane, notice.kind, notice.model_dump())
    return rows.add(tx, row, now, unique_key=unique_key, not_before=not_before)
