"""What is said of visits that are due: digests, nudges, and what a visitor's leave or his 今天去不了 makes known."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from scheduler import campaigning
from scheduler.notices import KINDS, Notice
from storage import alert_risks, due, elders, leaves, people, reminding
from storage.database import Tx
from storage.due import Waiting
from storage.elders import Elder
from storage.leaves import Leave
from storage.scope import Scope

MOST = 60  # elders of whom one message speaks
NAMED = 5  # elders by name in a coordinator's line on a village
EVER = "9999-12-31"
URGENT = "urgent"  # who wants to hear only of what is overdue or in its last days


@dataclass(frozen=True, slots=True)
class Line:
    """What a coordinator is told of one village: how many are overdue, to how many more nobody goes, the first ones."""

    village: str
    overdue: int
    alone: int
    first: tuple[Waiting, ...]


class Digest(Notice):
    """The day's one message on who is due; whom it names is read when it leaves. Not wanted when nobody is left.

    It holds the day, and for each rung the latest last day (ISO) of the windows that it speaks of.
    """

    kind = "digest"
    day: str
    visitor: str
    first_contact: str
    village: str
    township: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return (self.day == today.isoformat() and super().still_wanted(tx, today)
                and not leaves.is_away(tx, self.person, today)
                and bool(self.own(tx) or self.lines(tx) or campaigning.section(tx, self._scope, today, 0)
                         or alert_risks.elders(tx, self._scope)))

    def why(self, tx: Tx, today: date) -> str:
        own, places = self.own(tx), self.lines(tx)
        said = [f"{len(own)} to be seen, {sum(each.left(today) < 0 for each in own)} overdue"] if own else []
        said += [f"file {each.number} of {each.village}" for each in own[:NAMED]]
        said += [f"{each.village}: {each.overdue} overdue, {each.alone} with nobody to go" for each in places]
        return "; ".join(said)

    def own(self, tx: Tx) -> list[Waiting]:
        """The elders whom the person is to see, or for whom he answers."""
        return due.own(tx, self._scope, self._soonest(tx), self.first_contact, MOST)

    def lines(self, tx: Tx) -> list[Line]:
        """What the person is told as coordinator, village by village."""
        if not people.roles(tx, self.person).intersection(people.COORDINATING):  # most are visitors
            return []
        villages = {each.id: each for each in due.by_village(tx, self._scope, self.village, self.township)}
        alone: dict[str, list[Waiting]] = {}
        for each in due.alone(tx, self._scope, self.village, self._soonest(tx), MOST):
            alone.setdefault(each.village_id, []).append(each)
        found = []
        for village_id in dict.fromkeys((*villages, *alone)):
            village, ranks = villages.get(village_id), reminding.ranks(tx, village_id, self._scope.day)
            if self.person in reminding.told(ranks, "village"):
                count, limit, nobody = village.overdue if village else 0, self.village, alone.get(village_id, [])
            elif self.person in reminding.told(ranks, "township"):
                count, limit, nobody = village.late if village else 0, self.township, []
            else:
                continue
            first = due.of_village(tx, self._scope, village_id, limit, NAMED) if count else []
            if first or nobody:
                name = village.name if village else nobody[0].village
                found.append(Line(name, count, len(nobody), (*first, *nobody)[:NAMED]))
        return found

    @property
    def _scope(self) -> Scope:
        return Scope(self.person, date.fromisoformat(self.day))

    def _soonest(self, tx: Tx) -> str:
        return self.first_contact if people.choices(tx, self.person).how_much == URGENT else self.visitor


class Nudge(Notice):
    """A coordinator asks a visitor to see an elder, or whoever of his is due in a village. Not wanted once they were
    seen, or he said when he goes.
    """

    kind = "nudge"
    by: str
    elder: str = ""
    village: str = ""

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return super().still_wanted(tx, today) and bool(self.of(tx, today))

    def of(self, tx: Tx, today: date) -> list[Waiting]:
        """The elders that are meant, and still due."""
        found = due.own(tx, Scope(self.person, today), EVER, EVER, MOST, self.village)
        return [each for each in found if not self.elder or each.id == self.elder]


class _OfLeave(Notice):
    leave: str
    state: ClassVar[str] = "standing"

    def found(self, tx: Tx, today: date) -> Leave | None:
        """The leave, where the message still holds."""
        found = leaves.find(tx, self.leave)
        return found if found and found.state == self.state and found.until_on >= today.isoformat() else None

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return super().still_wanted(tx, today) and self.found(tx, today) is not None


class OnLeave(_OfLeave):
    """A visitor will be away: for the coordinator, who may name somebody else to stand in."""

    kind = "on_leave"


class LeaveNoted(_OfLeave):
    """For who is away, where a coordinator entered it for him."""

    kind = "leave_noted"
    by: str


class StandsIn(_OfLeave):
    """For who is to stand in while a visitor is away. Not wanted once somebody else does."""

    kind = "stands_in"

    def found(self, tx: Tx, today: date) -> Leave | None:
        found = super().found(tx, today)
        return found if found and found.stand_in == self.person else None


class LeaveOver(_OfLeave):
    """A leave was taken back: for the coordinator, and for who was to stand in."""

    kind = "leave_over"
    state = "withdrawn"


class _OfElder(Notice):
    """Something that a visitor said of an elder on a day (ISO): for the coordinator. Not wanted once he was seen."""

    elder: str
    visitor: str
    day: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = self.found(tx, today)
        return super().still_wanted(tx, today) and found is not None and found.status == "active" and (
            found.last_visit_on or "") < self.day

    def found(self, tx: Tx, today: date) -> Elder | None:
        return elders.find(tx, Scope(self.person, today), self.elder)


class NobodyHome(_OfElder):
    """Twice in a row nobody was at home."""

    kind = "nobody_home"


class OtherWanted(_OfElder):
    """The visitor cannot go, and asks that somebody else does."""

    kind = "other_wanted"
    reason: str


KINDS.update({each.kind: each for each in (
    Digest, Nudge, OnLeave, LeaveNoted, StandsIn, LeaveOver, NobodyHome, OtherWanted)})
