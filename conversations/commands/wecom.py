"""建村群, 群机器人: a village's groups on WeCom, made or told of by its coordinator in private."""

import re
from urllib.parse import urlsplit

from conversations.commands.groups import MOST, ask_which, confirm, villages_of
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import robots, village_groups
from storage import group_members, groups
from storage.areas import Area

Parts = tuple[Part, ...]
HOOK = "/cgi-bin/webhook/send"
FEWEST = 2  # members of a chat
_KEY = re.compile(r"key=([0-9A-Za-z-]{16,64})")


def pasted(text: str) -> bool:
    """Whether this is the address of a robot, as the platform shows it to be copied."""
    return text.startswith(("https://", "http://")) and HOOK in text and " " not in text


def robot(ask: Ask, rest: str) -> Parts:
    """A robot's address: asks whose group it writes to. Only the platform's own address is taken."""
    if not ask.house.wecom:
        return (("wecom.not_here", {}),)
    if not rest:
        return (("wecom.robot_how", {}),)
    key = _key(ask.house.wecom, rest)
    if key is None:
        return (("wecom.robot_wrong", {}),)
    villages = villages_of(ask)
    if not villages:
        return (("groups.nowhere", {}),)
    group = groups.ask(ask.tx, robots.PLATFORM, robots.robot(key), ask.writer.person_id, ask.now, "robot", key)
    if group.state == "bound":
        mine = next((each for each in villages if each.id == group.area_id), None)
        return (("groups.bound_before", {"village": mine.name}) if mine else ("groups.bound_elsewhere", {}),)
    return confirm(ask, group, villages[0]) if len(villages) == 1 else ask_which(group, villages)


def village_chat(ask: Ask, rest: str) -> Parts:
    """Nothing: which village; `N`: who would be in it; `N yes`: it is made, and its members are kept in step."""
    if not ask.house.wecom:
        return (("wecom.not_here", {}),)
    villages = villages_of(ask)
    if not villages:
        return (("groups.nowhere", {}),)
    number, _, answer = rest.partition(" ")
    chosen = int(number) if number.isascii() and number.isdigit() else 1 if len(villages) == 1 and not number else 0
    if not 0 < chosen <= len(villages):
        return (("wecom.chat_which", {"buttons": [
            [["button.group_village", {"village": each.name}, f"/villagechat {n}"]]
            for n, each in enumerate(villages[:MOST], 1)]}),)
    village = villages[chosen - 1]
    if any(each.channel == robots.PLATFORM and each.kind == "chat" for each in groups.of_village(ask.tx, village.id)):
        return (("groups.bound_before", {"village": village.name}),)
    members = len(group_members.wanted(
        ask.tx, robots.PLATFORM, village.id, ask.writer.person_id, ask.today.isoformat()))
    if members < FEWEST:
        return (("wecom.chat_few", {"village": village.name}),)
    if answer == "yes":
        return _made(ask, village)
    return (("wecom.chat_ask", {"village": village.name, "members": members, "buttons": [
        [["button.wecom_chat", {}, f"/villagechat {chosen} yes"], ["button.groups", {}, "/unbindgroup"]]]}),)


def _made(ask: Ask, village: Area) -> Parts:
    group = groups.add(ask.tx, robots.PLATFORM, robots.appchat(ask.tx.new_id(ask.now)), "chat", village.id,
                       ask.writer.person_id, ask.now)
    village_groups.bound(ask.tx, group, ask.now)
    return (("wecom.chat_made", {"village": village.name, "buttons": [[["button.groups", {}, "/unbindgroup"]]]}),)


def _key(platform: str, url: str) -> str | None:
    """The robot's key in its address; None where that is any other place than the platform's."""
    try:
        given, own = urlsplit(url.strip()), urlsplit(platform)
    except ValueError:
        return None
    found = _KEY.fullmatch(given.query)
    same = (given.scheme, given.netloc, given.path) == (own.scheme, own.netloc, own.path.rstrip("/") + HOOK)
    return found[1] if found and same and not given.fragment else None


COMMANDS = {"robot": robot, "village_chat": village_chat}
