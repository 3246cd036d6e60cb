"""What the error codes of WeCom mean to delivery."""

from bot.channels.base import Blocked, Gone, Refused
from bot.channels.tencent.failures import BUSY, Meaning, busy, classifier, operator, refused

DAY_FULL = 300.0  # seconds until a call is tried again whose quota is used up


class NoChat(Gone):
    """The group chat is not there: not made yet, or dissolved."""


MEANINGS = {
    -1: BUSY,
    40001: operator("TANFANG_WECOM_SECRET: the platform does not take it"),
    40013: operator("TANFANG_WECOM_CORP_ID: the platform does not know it"),
    40091: operator("TANFANG_WECOM_SECRET: it is another corporation's"),
    40014: BUSY,
    42001: BUSY,
    40056: operator("TANFANG_WECOM_AGENT_ID: no such application"),
    301002: operator("TANFANG_WECOM_AGENT_ID: the secret is another application's"),
    60020: operator("the trusted IP list of the application: this server's address is not on it"),
    48002: operator("the application's permissions: it may not make this call"),
    45009: Meaning(busy(60.0), "too many calls; the console shows which limit"),
    45033: Meaning(busy(5.0)),  # too many at the same time
    45029: Meaning(refused("too late to answer")),
    60011: Meaning(lambda: Blocked("outside the application's visible range")),
    40029: Meaning(refused("the sign-in's code was used before")),
    60111: Meaning(lambda: Blocked("no such member")),
    40003: Meaning(lambda: Blocked("no such member")),
    81013: Meaning(lambda: Blocked("nobody who may be written to")),
    82001: Meaning(lambda: Blocked("nobody who may be written to")),
    43004: Meaning(lambda: Blocked("not there yet")),
    86001: Meaning(lambda: NoChat("no such group chat")),
    86003: Meaning(lambda: NoChat("no such group chat")),
    86008: Meaning(lambda: Gone("the group chat is another application's")),
    86004: Meaning(refused("the group's name")),
    86006: Meaning(refused("too few members, or too many"), "a group chat needs 2 members at least"),
    86007: Meaning(refused("a member of the group"), "a member of a group chat is not in the visible range"),
    86216: Meaning(refused("a member of the group"), "a member of a group chat is not in the visible range"),
    86215: Meaning(refused("the group chat is there already")),
    93000: Meaning(lambda: Gone("the robot was taken out")),
    93004: Meaning(lambda: Gone("the robot was switched off")),
    93008: Meaning(lambda: Gone("the robot is in no group")),
    40007: Meaning(refused("media is not there any more")),
    40058: Meaning(refused("a parameter"), "a field of a message is not as WeCom wants it"),
    45002: Meaning(refused("text is too long")),
    42045: Meaning(refused("the card's code was used before")),
}
classify = classifier("wecom", MEANINGS)


class Unlicensed(Refused):
    """The member has no interface licence: only the operator can buy one."""
