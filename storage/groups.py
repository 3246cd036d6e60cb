"""Groups in which a village is told of alerts (C12): of a platform, a robot that only sends, or ordinary WeChat groups.

A group is `asking` until a coordinator says in private whose it is, `bound` to one village, `left` when it is no more.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, bindparam, insert, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from storage.database import Row, Tx
from storage.ids import millis
from storage.scope import VILLAGES_HELD, Scope
from storage.tables import areas, groups, people, posts

Kind = Literal["chat", "robot", "forwarded"]
FORWARDED = "forwarded"  # also the channel of groups that no platform lets us write to

_add = insert_or(groups)
_ASK = _add.on_conflict_do_update(
    index_elements=["channel", "chat"], where=groups.c.state != "bound",
    set_={"state": "asking", "area_id": None, "bound_by": _add.excluded.bound_by, "kind": _add.excluded.kind,
          "made_at": _add.excluded.made_at})
_BOUND = {"state": "bound", "area_id": bindparam("area"), "bound_by": bindparam("who"), "bound_at": bindparam("at")}
_ADD = insert(groups)
_THIS = groups.c.id == bindparam("the_group")
_AT = and_(groups.c.channel == bindparam("on_channel"), groups.c.chat == bindparam("in_chat"))
_RENEW = update(groups).where(_AT, groups.c.state != "bound").values(
    **_BOUND, kind=bindparam("of_kind"), address=bindparam("sealed"))
_CHOOSE = update(groups).where(_THIS, groups.c.state == "asking", groups.c.bound_by == bindparam("who")).values(
    area_id=bindparam("area"))
_BIND = update(groups).where(_THIS, groups.c.state == "asking", groups.c.bound_by == bindparam("who")).values(_BOUND)
_ADDRESS = update(groups).where(_THIS).values(address=bindparam("sealed"))
_VOUCH = update(groups).where(_THIS, groups.c.state == "bound").values(
    bound_by=bindparam("who"), bound_at=bindparam("at"))
_LEAVE = update(groups).where(_THIS, groups.c.state != "left").values(state="left")
_MOVE = update(groups).where(_THIS).values(chat=bindparam("new_chat"))
_ALL = select(groups.c.id, groups.c.channel, groups.c.chat, groups.c.area_id, groups.c.kind, groups.c.state,
              groups.c.bound_by, groups.c.bound_at, groups.c.address)
_ONE, _HERE = _ALL.where(_THIS), _ALL.where(_AT)
_OF_VILLAGE = _ALL.where(groups.c.area_id == bindparam("area"), groups.c.state == "bound").order_by(
    groups.c.made_at, groups.c.id)
_ON = _ALL.where(groups.c.channel == bindparam("on_channel"), groups.c.kind == bindparam("of_kind"),
                 groups.c.state == "bound").order_by(groups.c.id)
_held = groups.c.area_id.in_(VILLAGES_HELD)
_SEEN = _ALL.where(_THIS, or_(and_(groups.c.state == "bound", _held), and_(
    groups.c.state == "asking", groups.c.bound_by == bindparam("scope_person"))))
_HELD = select(*_ALL.selected_columns).select_from(groups.join(areas, areas.c.id == groups.c.area_id)).where(
    groups.c.state == "bound", _held).order_by(areas.c.path, groups.c.made_at, groups.c.id)
_office, _place = areas.alias("office"), areas.alias("place")
_in_office = select(people.c.id).select_from(
    people.join(posts, posts.c.person_id == people.c.id).join(_office, _office.c.id == posts.c.area_id).join(
        _place, and_(_place.c.path >= _office.c.path, _place.c.path < _office.c.path + "~"))).where(
    people.c.id == groups.c.bound_by, people.c.status == "active", _place.c.id == groups.c.area_id,
    or_(*(posts.c.role == role for role in ("village", "township", "county", "city")))).exists()
_ALONE = _ALL.where(groups.c.state == "bound", not_(_in_office)).order_by(groups.c.id).limit(bindparam("count"))


@dataclass(frozen=True, slots=True)
class Group:
    """One of them. `bound_by` vouches that it is the village's; `address` is what a robot is sent to."""

    id: str
    channel: str
    chat: str
    area_id: str | None
    kind: str
    state: str
    bound_by: str | None
    bound_at: int | None  # milliseconds
    address: str = field(repr=False)


def ask(tx: Tx, channel: str, chat: str, by: str, now: datetime, kind: Kind = "chat", address: str = "") -> Group:
    """A coordinator says in the group that it is to be bound: it asks whose it is, unless it is bound.

    A robot's address is kept with it.
    """
    tx.run(_ASK, **_row(tx.new_id(now), channel, chat, kind, "asking", None, by, None, now))
    found = at(tx, channel, chat)
    assert found is not None  # it was there, or was added a moment ago
    if address:
        tx.run(_ADDRESS, the_group=found.id, sealed=tx.keys.seal(address.encode(), "groups.address", found.id))
    return found


def add(tx: Tx, channel: str, chat: str, kind: Kind, area_id: str, by: str, now: datetime, address: str = "") -> Group:
    """A group that is bound at once: by a coordinator who is asked nothing more. One that is bound stays as it is."""
    before = at(tx, channel, chat)
    group_id = before.id if before else tx.new_id(now)
    sealed = tx.keys.seal(address.encode(), "groups.address", group_id) if address else None
    if before is None:
        tx.run(_ADD, **_row(group_id, channel, chat, kind, "bound", area_id, by, sealed, now))
    elif tx.run(_RENEW, on_channel=channel, in_chat=chat, of_kind=kind, sealed=sealed, area=area_id, who=by,
                at=millis(now)) != 1:
        return before
    tx.note(now, by, "group.bind", area_id, (channel,))
    return Group(group_id, channel, chat, area_id, kind, "bound", by, millis(now), address)


def at(tx: Tx, channel: str, chat: str) -> Group | None:
    """The group of this chat, in any state."""
    row = tx.one(_HERE, on_channel=channel, in_chat=chat)
    return _read(tx, row) if row else None


def unscoped(tx: Tx, group_id: str) -> Group | None:
    """One of them for the program's own work."""
    row = tx.one(_ONE, the_group=group_id)
    return _read(tx, row) if row else None


def find(tx: Tx, scope: Scope, group_id: str) -> Group | None:
    """One that is bound in the area of the scope's person, or that he is to say whose it is."""
    row = tx.one(_SEEN, the_group=group_id, scope_person=scope.person_id)
    return _read(tx, row) if row else None


def held(tx: Tx, scope: Scope) -> list[Group]:
    """Those bound in the area that the scope's person coordinates, village by village."""
    return [_read(tx, row) for row in tx.all(_HELD, scope_person=scope.person_id)]


def of_village(tx: Tx, area_id: str) -> list[Group]:
    """Those that are told of a village's alerts."""
    return [_read(tx, row) for row in tx.all(_OF_VILLAGE, area=area_id)]


def on(tx: Tx, channel: str, kind: Kind) -> list[Group]:
    """All of a kind that are bound on a channel, for the program's own work."""
    return [_read(tx, row) for row in tx.all(_ON, on_channel=channel, of_kind=kind)]


def alone(tx: Tx, count: int) -> list[Group]:
    """Those bound for which nobody in office vouches any more. For the clock."""
    return [_read(tx, row) for row in tx.all(_ALONE, count=count)]


def choose(tx: Tx, group: Group, area_id: str, by: str) -> bool:
    """Of several villages this one is meant, and is to be said yes to; False where he is not asked any more."""
    return tx.run(_CHOOSE, the_group=group.id, area=area_id, who=by) == 1


def bind(tx: Tx, group: Group, area_id: str, by: str, now: datetime) -> bool:
    """It is this village's from now on; False where he is not asked any more."""
    done = tx.run(_BIND, the_group=group.id, area=area_id, who=by, at=millis(now)) == 1
    if done:
        tx.note(now, by, "group.bind", area_id, (group.channel,))
    return done


def vouch(tx: Tx, group: Group, by: str, now: datetime) -> bool:
    """Another coordinator says that it still is the village's; False where it is bound no more."""
    done = tx.run(_VOUCH, the_group=group.id, who=by, at=millis(now)) == 1
    if done:
        tx.note(now, by, "group.vouch", group.area_id or group.id, (group.channel,))
    return done


def leave(tx: Tx, group: Group, by: str, now: datetime) -> bool:
    """Nothing is written there any more; False where that was so."""
    done = tx.run(_LEAVE, the_group=group.id) == 1
    if done and group.area_id:
        tx.note(now, by, "group.leave", group.area_id, (group.channel,))
    return done


def move(tx: Tx, channel: str, old_chat: str, new_chat: str, now: datetime) -> None:
    """The platform gave the group another id; where something is known under that one too, the bound one counts."""
    group, there = at(tx, channel, old_chat), at(tx, channel, new_chat)
    if group is None or group.state == "left":
        return
    if there is None:
        tx.run(_MOVE, the_group=group.id, new_chat=new_chat)
        return
    tx.run(_LEAVE, the_group=group.id)
    if group.state == "bound" and group.area_id and group.bound_by:
        tx.run(_RENEW, on_channel=channel, in_chat=new_chat, of_kind=group.kind, sealed=None, area=group.area_id,
               who=group.bound_by, at=millis(now))


def _row(group_id: str, channel: str, chat: str, kind: str, state: str, area_id: str | None, by: str,
         address: bytes | None, now: datetime) -> dict[str, object]:
    return {"id": group_id, "channel": channel, "chat": chat, "area_id": area_id, "kind": kind, "state": state,
            "address": address, "bound_by": by, "bound_at": millis(now) if state == "bound" else None,
            "made_at": millis(now)}


def _read(tx: Tx, row: Row) -> Group:
    group_id, channel, chat, area_id, kind, state, by, bound_at, address = row
    return Group(group_id, channel, chat, area_id, kind, state, by, bound_at,
                 tx.keys.open(address, "groups.address", group_id).decode() if address else "")
