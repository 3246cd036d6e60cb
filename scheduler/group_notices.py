"""What is told in a village's groups, and to its coordinators about them. Rows hold ids; a group is nobody's person."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from scheduler.notices import KINDS, Notice
from storage import alerts, groups, people
from storage.database import Tx
from storage.groups import Group
from storage.outbox import Lane
from storage.scope import Scope

# why a message is posted anew; the others that are told hear of the same steps in private
Anew = Literal["raised", "again", "late", "support"]


class InGroup(Notice):
    """Something that is said in a group: `person` is nobody."""

    person: str = ""
    group: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = self.bound(tx)
        return found is not None and self.fits(tx, found)

    def bound(self, tx: Tx) -> Group | None:
        """The group, while it is bound."""
        found = groups.unscoped(tx, self.group)
        return found if found and found.state == "bound" else None

    def fits(self, tx: Tx, group: Group) -> bool:
        """Whether what it says is so now."""
        return True


class GroupAlert(InGroup):
    """An alert as it stands when this leaves.

    `changes` is the unique key of the message that it takes the place of (none: it is a new one), `last` whether that
    message is followed by a newer one, and is not spoken of again.
    """

    kind = "group_alert"
    lane: ClassVar[Lane] = "alert"
    alert: str
    at: str  # the wall time of what happened (ISO, to the minute)
    anew: Anew | None = None
    changes: str = ""
    last: bool = False

    def why(self, tx: Tx, today: date) -> str:
        found = alerts.unscoped(tx, self.alert)
        return f"alert {found.called}" if found else ""

    def fits(self, tx: Tx, group: Group) -> bool:
        found = alerts.unscoped(tx, self.alert)
        if found is None:
            return False
        return found.state == "open" if self.anew == "late" else True


class GroupBound(InGroup):
    """One line: what will be written here from now on."""

    kind = "group_bound"
    lane: ClassVar[Lane] = "reply"


class GroupHello(Notice):
    """The bot was put into a group: how it becomes a village's. Not wanted where it is one already."""

    kind = "group_hello"
    lane: ClassVar[Lane] = "reply"
    person: str = ""
    channel: str
    chat: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = groups.at(tx, self.channel, self.chat)
        return found is None or found.state != "bound"


class ForwardAlert(Notice):
    """The coordinator is given a text for the village's ordinary WeChat group. Not wanted once the alert ended."""

    kind = "forward_alert"
    lane: ClassVar[Lane] = "alert"
    alert: str
    group: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found, group = alerts.find(tx, Scope(self.person, today), self.alert), groups.unscoped(tx, self.group)
        return (super().still_wanted(tx, today) and found is not None and found.running
                and group is not None and group.state == "bound")


class AlertCode(Notice):
    """Somebody wrote this person's name on the page behind a forwarded alert: six digits, by which it is he."""

    kind = "alert_code"
    lane: ClassVar[Lane] = "alert"
    alert: str
    code: str = Field(repr=False)

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = alerts.unscoped(tx, self.alert)
        return super().still_wanted(tx, today) and found is not None and found.running


class GroupLost(Notice):
    """The bot was taken out of a village's group. Not wanted where it is bound again."""

    kind = "group_lost"
    group: str
    village: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = groups.unscoped(tx, self.group)
        return super().still_wanted(tx, today) and found is not None and found.state == "left"


class GroupAlone(Notice):
    """Who bound the group is no longer there: somebody else is to say that it still is the village's."""

    kind = "group_alone"
    group: str
    by: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = groups.unscoped(tx, self.group)
        return (super().still_wanted(tx, today) and found is not None and found.state == "bound"
                and found.bound_by == self.by and people.coordinates(
                    tx, self.person, found.area_id or "", "village"))


KINDS.update({each.kind: each for each in (
    GroupAlert, GroupBound, GroupHello, ForwardAlert, AlertCode, GroupLost, GroupAlone)})
