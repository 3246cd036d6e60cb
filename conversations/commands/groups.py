"""绑定本群, 本村的群: a village's groups are bound, looked over and given up by its coordinators, in private."""

from typing import Any

from conversations.engine import Part
from conversations.turn import Ask
from scheduler import village_groups
from storage import areas, groups, people
from storage.areas import Area
from storage.groups import FORWARDED, Group
from storage.ids import instant

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
MOST = 60  # villages to choose from


def bind(ask: Ask, rest: str) -> Parts:
    """In a group: asks in private whose it is. There `GROUP N` chooses a village, `GROUP yes`, `no` and `still` answer.
    """
    if ask.inbound.chat_kind == "group":
        return _asked(ask)
    which, _, answer = rest.partition(" ")
    if not which:
        return listed(ask, "")
    group = groups.find(ask.tx, ask.scope, which)
    if group is None:
        return (("groups.gone", {}),)
    if group.state == "bound":
        return _still(ask, group) if answer == "still" else (("groups.bound_before", {"village": _named(ask, group)}),)
    if answer == "no":
        groups.leave(ask.tx, group, ask.writer.person_id, ask.now)
        return (("groups.dropped", {}),)
    villages = villages_of(ask)
    if answer == "yes":
        return _bind(ask, group, next((each for each in villages if each.id == group.area_id), None))
    if answer.isascii() and answer.isdigit() and 0 < int(answer) <= len(villages):
        return confirm(ask, group, villages[int(answer) - 1])
    return ask_which(group, villages)


def _asked(ask: Ask) -> Parts:
    villages = villages_of(ask)
    if not villages:
        return (("groups.nowhere", {}),)
    group = groups.ask(ask.tx, ask.inbound.channel, ask.inbound.chat, ask.writer.person_id, ask.now)
    if group.state == "bound":
        mine = next((each for each in villages if each.id == group.area_id), None)
        return (("groups.bound_before", {"village": mine.name}) if mine else ("groups.bound_elsewhere", {}),)
    return confirm(ask, group, villages[0]) if len(villages) == 1 else ask_which(group, villages)


def ask_which(group: Group, villages: list[Area]) -> Parts:
    rows: Rows = [[["button.group_village", {"village": each.name}, f"/bindgroup {group.id} {n}"]]
                  for n, each in enumerate(villages[:MOST], 1)]
    return (("groups.which", {"robot": group.kind == "robot", "buttons": rows}),)


def confirm(ask: Ask, group: Group, village: Area) -> Parts:
    if not groups.choose(ask.tx, group, village.id, ask.writer.person_id):
        return (("groups.gone", {}),)
    buttons: Rows = [[["button.group_bind", {}, f"/bindgroup {group.id} yes"],
                      ["button.group_drop", {}, f"/bindgroup {group.id} no"]]]
    return (("groups.ask", {"robot": group.kind == "robot", "village": village.name, "buttons": buttons}),)


def _bind(ask: Ask, group: Group, village: Area | None) -> Parts:
    if village is None or not groups.bind(ask.tx, group, village.id, ask.writer.person_id, ask.now):
        return (("groups.gone", {}),)
    village_groups.bound(ask.tx, group, ask.now)
    return (("groups.bound", {"village": village.name, "buttons": [[["button.groups", {}, "/unbindgroup"]]]}),)


def _still(ask: Ask, group: Group) -> Parts:
    groups.vouch(ask.tx, group, ask.writer.person_id, ask.now)
    return (("groups.vouched", {"village": _named(ask, group)}),)


def listed(ask: Ask, rest: str) -> Parts:
    """Those of the asker's area, each with a way to give it up; `GROUP` asks about one, `GROUP yes` does it."""
    which, _, answer = rest.partition(" ")
    if not which:
        return (_list(ask),)
    group = groups.find(ask.tx, ask.scope, which)
    if group is None or group.state != "bound":
        return (("groups.no_group", {}),)
    village = _named(ask, group)
    if answer == "yes":
        groups.leave(ask.tx, group, ask.writer.person_id, ask.now)
        return (("groups.unbound", {"village": village}),)
    return (("groups.unbind", {"village": village, "buttons": [
        [["button.group_unbind", {}, f"/unbindgroup {group.id} yes"], ["button.groups", {}, "/unbindgroup"]]]}),)


def _list(ask: Ask) -> Part:
    lines, rows = [], Rows()
    for group in groups.held(ask.tx, ask.scope):
        by = people.find(ask.tx, group.bound_by or "")
        lines.append({"village": _named(ask, group), "kind": group.kind, "channel": group.channel,
                      "by": by.name if by else "", "day": _day(ask, group)})
        rows.append([["button.group_of", {"village": lines[-1]["village"]}, f"/unbindgroup {group.id}"]])
    rows.append([["button.group_wechat", {}, "/wechatgroup"]])
    return ("groups.list", {"lines": lines, "buttons": rows})


def wechat(ask: Ask, rest: str) -> Parts:
    """The village has an ordinary WeChat group, which no platform lets us write to: this coordinator will forward."""
    villages = villages_of(ask)
    if not villages:
        return (("groups.nowhere", {}),)
    chosen = int(rest) if rest.isascii() and rest.isdigit() else 1 if len(villages) == 1 else 0
    if not 0 < chosen <= len(villages):
        rows: Rows = [[["button.group_village", {"village": each.name}, f"/wechatgroup {n}"]]
                      for n, each in enumerate(villages[:MOST], 1)]
        return (("groups.wechat_which", {"buttons": rows}),)
    village = villages[chosen - 1]
    groups.add(ask.tx, FORWARDED, village.id, "forwarded", village.id, ask.writer.person_id, ask.now)
    return (("groups.wechat_added", {"village": village.name, "buttons": [[["button.groups", {}, "/unbindgroup"]]]}),)


def villages_of(ask: Ask) -> list[Area]:
    return [each for each in areas.held(ask.tx, ask.writer.person_id) if each.level == "village"]


def _named(ask: Ask, group: Group) -> str:
    village = areas.find(ask.tx, group.area_id or "")
    return village.name if village else ""


def _day(ask: Ask, group: Group) -> str:
    at: Any = instant(group.bound_at) if group.bound_at else ask.now
    return str(at.astimezone(ask.house.policy.zone).date().isoformat())


COMMANDS = {"bind_group": bind, "unbind_group": listed, "wechat_group": wechat}
