"""A village's groups: what they are told of an alert, and what becomes of them.

An alert has one message in a group, which is edited as it goes on. Only where nobody goes, more help is wanted, or it
is reported again, there is a new one, and the one before points to it. Messages are numbered by their unique keys.
"""

from datetime import datetime

from scheduler import notices
from scheduler.group_notices import (
    Anew,
    ForwardAlert,
    GroupAlert,
    GroupAlone,
    GroupBound,
    GroupHello,
    GroupLost,
)
from scheduler.notices import Notice
from scheduler.policy import Policies
from storage import alert_links, alerts, groups, outbox, people
from storage.alerts import Alert
from storage.database import Tx
from storage.groups import FORWARDED, Group
from storage.outbox import Outgoing
from storage.scope import UNSAID

CHUNK = 100


def show(tx: Tx, alert: Alert, policies: Policies, now: datetime, *, anew: Anew = "raised") -> None:
    """The groups of the alert's village show it as it stands: called after every change of it, in the same work.

    What they were not shown yet is posted; else the last message is edited, and posted anew where `anew` says why
    (`again` once at most). What was pressed and has not gone out is nobody's business yet.
    """
    current = alerts.unscoped(tx, alert.id)
    if current is None or current.kind == UNSAID:
        return
    happened = current.closed_at or (current.claimed_at if current.state == "claimed" else None) or now
    at = happened.astimezone(policies.city.zone).strftime("%Y-%m-%dT%H:%M")
    for group in groups.of_village(tx, current.area_id):
        _show(tx, current, group, at, anew, now)


def elsewhere(tx: Tx, alert: Alert, policies: Policies, now: datetime) -> None:
    """It turned out to be of another village than this `alert` says: the groups there show no more of it."""
    at = now.astimezone(policies.city.zone).strftime("%Y-%m-%dT%H:%M")
    for group in groups.of_village(tx, alert.area_id):
        if number := _posted(tx, alert.id, group.id):
            _edit(tx, alert, group, number, at, now)


def _show(tx: Tx, alert: Alert, group: Group, at: str, anew: Anew, now: datetime) -> None:
    number = _posted(tx, alert.id, group.id)
    if number == 0 and not alert.running:
        return
    if number and anew == "raised":
        _edit(tx, alert, group, number, at, now)
        return
    if anew == "again" and number > 1:
        return
    key: str | None = _key(alert.id, group.id, number + 1)
    if number == 0:
        alert_links.make(tx, alert.id, group.id, now)
    if group.kind == FORWARDED:
        for person in _keepers(tx, group):
            if notices.tell(tx, ForwardAlert(person=person, alert=alert.id, group=group.id), now, unique_key=key):
                key = None  # one of them counts the messages
        return
    said = GroupAlert(group=group.id, alert=alert.id, at=at, anew=anew)
    if not _say(tx, group, said, now, key):  # somebody else's work posted one at this moment
        _edit(tx, alert, group, number + 1, at, now)
    elif number:
        _edit(tx, alert, group, number, at, now, last=True)


def _edit(tx: Tx, alert: Alert, group: Group, number: int, at: str, now: datetime, *, last: bool = False) -> None:
    if group.kind != FORWARDED:  # the page behind its link shows how it stands
        changes = _key(alert.id, group.id, number)
        _say(tx, group, GroupAlert(group=group.id, alert=alert.id, at=at, changes=changes, last=last), now)


def _posted(tx: Tx, alert_id: str, group_id: str) -> int:
    """How many messages a group was given of an alert."""
    number = 0
    while outbox.receipt(tx, _key(alert_id, group_id, number + 1)) is not None:
        number += 1
    return number


def _key(alert_id: str, group_id: str, number: int) -> str:
    return f"alert:{alert_id}:group:{group_id}:{number}"


def _say(tx: Tx, group: Group, notice: Notice, now: datetime, key: str | None = None) -> bool:
    row = Outgoing(tx.new_id(now), group.channel, group.chat, notice.lane, notice.kind, notice.model_dump())
    return outbox.add(tx, row, now, unique_key=key)


def _keepers(tx: Tx, group: Group) -> list[str]:
    """Who forwards to an ordinary group: who told us of it, while he is in office, else who coordinates there."""
    area = group.area_id or ""
    by = people.find(tx, group.bound_by) if group.bound_by else None
    if by and by.status == "active" and people.coordinates(tx, by.id, area, "village"):
        return [by.id]
    return notices.confirmers(tx, area, "village")


# What becomes of the groups themselves


def bound(tx: Tx, group: Group, now: datetime) -> None:
    """Says in the group what will be written there."""
    if group.kind != FORWARDED:
        _say(tx, group, GroupBound(group=group.id), now)


def joined(tx: Tx, channel: str, chat: str, now: datetime) -> None:
    """The bot was put into a group: it says how the group becomes a village's."""
    hello = GroupHello(channel=channel, chat=chat)
    if hello.still_wanted(tx, now.date()):
        outbox.add(tx, Outgoing(tx.new_id(now), channel, chat, hello.lane, hello.kind, hello.model_dump()), now)


def lost(tx: Tx, channel: str, chat: str, now: datetime) -> None:
    """The bot was taken out of a group, or the group is no more: the village's coordinators are told."""
    group = groups.at(tx, channel, chat)
    if group is None or not groups.leave(tx, group, "clock", now):
        return
    outbox.silence(tx, channel, chat, "group left", now)
    for person in people.nearest_coordinators(tx, group.area_id) if group.area_id else ():
        notices.tell(tx, GroupLost(person=person, group=group.id, village=group.area_id or ""), now)


def moved(tx: Tx, channel: str, chat: str, new_chat: str, now: datetime) -> None:
    """The platform gave a group another id: it, and what waits for it, follow."""
    groups.move(tx, channel, chat, new_chat, now)
    outbox.move(tx, channel, chat, new_chat)


def member_left(tx: Tx, channel: str, chat: str, person_id: str, now: datetime) -> None:
    """Somebody is no more in a group: where he vouched for it, others are asked to."""
    group = groups.at(tx, channel, chat)
    if group and group.state == "bound" and group.bound_by == person_id:
        _ask_others(tx, group, now)


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Asks once of each group for which nobody in office vouches whether it still is the village's.

    It stays bound meanwhile: that nobody hears of an alert is worse. Never more to do.
    """
    for group in groups.alone(tx, CHUNK):
        _ask_others(tx, group, now)
    return False


def _ask_others(tx: Tx, group: Group, now: datetime) -> None:
    by = group.bound_by or ""
    for person in people.nearest_coordinators(tx, group.area_id or "", besides=by):
        notices.tell(tx, GroupAlone(person=person, group=group.id, by=by), now,
                     unique_key=f"group_alone:{group.id}:{by}:{group.bound_at}:{person}")
