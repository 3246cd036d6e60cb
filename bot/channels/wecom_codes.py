"""What the error codes of WeCom mean to delivery."""

from bot.channels.base import Blocked, Gone, Refused
from bot.channels.tencent.failures import BUSY, Meaning, busy, classifier, operator, refused

DAY_FULL = 300.0  # seconds until a call is tried again whose quota is used up


class NoChat(Gone):
    """The group chat is not there: not made yet, or dissolved."""


class OutOfRange(Blocked):
    """The application is not allowed to see him; of a group chat: it does not see the whole enterprise."""


MEANINGS = {
    -1: BUSY,
    6000: BUSY,  # somebody else changes the same
    40001: operator("TANFANG_WECOM_SECRET: the platform does not take it"),
    **dict.fromkeys((40013, 2000002), operator("TANFANG_WECOM_CORP_ID: the platform does not know it")),
    40091: operator("TANFANG_WECOM_SECRET: it is another corporation's"),
    40014: BUSY,
    42001: BUSY,
    40056: operator("TANFANG_WECOM_AGENT_ID: no such application"),
    301002: operator("TANFANG_WECOM_AGENT_ID: the secret is another application's"),
    60020: operator("the trusted IP list of the application: this server's address is not on it"),
    **dict.fromkeys((48002, 48006), operator("the application's permissions: it may not make this call")),
    43012: operator("the application's address for messages (API): without one it may send no cards"),
    50003: operator("the application: it is switched off in the console"),
    45009: Meaning(busy(60.0), "too many calls; the console shows which limit"),
    45033: Meaning(busy(5.0)),  # too many at the same time
    **dict.fromkeys((60011, 60021, 50002), Meaning(lambda: OutOfRange("outside the application's visible range"))),
    40029: Meaning(refused("the sign-in's code was used before")),
    **dict.fromkeys((40003, 46004, 60111), Meaning(lambda: Blocked("no such member"))),
    **dict.fromkeys((81013, 82001), Meaning(lambda: Blocked("nobody who may be written to"))),
    43004: Meaning(lambda: Blocked("not there yet")),
    **dict.fromkeys((40050, 49008, 86001, 86003), Meaning(lambda: NoChat("no such group chat"))),
    86008: Meaning(lambda: Gone("the group chat is another application's")),
    86004: Meaning(refused("the group's name")),
    **dict.fromkeys((86005, 86207), Meaning(refused("the group's owner"))),
    86006: Meaning(refused("too few members, or too many"),
                   "a group chat needs 2 members at least: invite more of the village to WeCom"),
    **dict.fromkeys((40031, 86007, 86216), Meaning(
        refused("a member of the group"),
        "somebody who belongs into a village's chat is not in the directory any more: put him back there, or let his "
        "coordinator suspend him here")),
    86215: Meaning(refused("the group chat is there already")),
    93000: Meaning(lambda: Gone("the robot was taken out")),
    93004: Meaning(lambda: Gone("the robot was switched off")),
    93008: Meaning(lambda: Gone("the robot is in no group")),
    40007: Meaning(refused("media is not there any more")),
    40058: Meaning(refused("a parameter"), "a field of a message is not as WeCom wants it"),
    45002: Meaning(refused("text is too long")),
    44004: Meaning(refused("text is empty")),
    **dict.fromkeys((40006, 40009, 45001), Meaning(refused("file is too big, or too small"))),
    42022: Meaning(refused("the code was used before")),
}
EXPLAINED = "https://open.work.weixin.qq.com/devtool/query"
classify = classifier("wecom", MEANINGS, EXPLAINED)


class Unlicensed(Refused):
    """The member has no interface licence: only the operator can buy one."""
