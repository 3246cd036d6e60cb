"""What the error codes of an Official Account mean to delivery."""

from bot.channels.base import Blocked, Gone, Refused, RetryAt
from bot.channels.tencent.failures import BUSY, Meaning, busy, classifier, operator, refused

DAY_FULL = 300.0  # seconds until a call is tried again whose quota of the day is used up


class WindowShut(Refused):
    """Nothing may be sent to him now but a template."""


class DayFull(RetryAt):
    """This call may not be made any more today; another one may."""


MEANINGS = {
    -1: BUSY,
    40001: operator("TANFANG_WECHAT_APP_SECRET: the platform refuses its token"),
    40013: operator("TANFANG_WECHAT_APP_ID: the platform does not know it"),
    40014: BUSY,
    42001: BUSY,
    40125: operator("TANFANG_WECHAT_APP_SECRET: it is wrong"),
    40164: operator("the IP list (IP whitelist) in the console: this server's address is not on it"),
    **dict.fromkeys((89501, 89503, 89506, 89507), operator(
        "with the account's administrator, who is asked in WeChat: he must confirm this server's address")),
    48004: operator("the console's notices: the platform has closed this call to the account"),
    50002: operator("the console's notices: the platform has restricted the account"),
    45009: Meaning(lambda: DayFull(DAY_FULL), "the day's quota of this call is used up; the console can clear it"),
    45011: Meaning(busy(60.0)),  # too many calls a minute
    45015: Meaning(lambda: WindowShut("more than 48 hours since he wrote")),
    45047: Meaning(lambda: WindowShut("as many customer messages as are allowed")),
    40003: Meaning(lambda: Gone("no such openid")),
    43004: Meaning(lambda: Blocked("does not follow")),
    43019: Meaning(lambda: Blocked("on the account's black list")),
    48002: Meaning(lambda: Blocked("takes no messages")),
    50005: Meaning(lambda: Blocked("does not follow any more")),
    43101: Meaning(refused("did not subscribe to this notice")),
    45002: Meaning(refused("text is too long")),
    40007: Meaning(refused("media is not there any more")),
    46003: Meaning(refused("no menu yet")),
    48001: Meaning(refused("the account may not make this call"),
                   "this account may not make this call (only a verified service account may)"),
    40241: Meaning(busy(60.0)),  # he got the same within the last minute
    43117: Meaning(busy(60.0)),  # he gets too many templates
    43116: Meaning(refused("a banned template"),
                   "the platform has banned a template of TANFANG_WECHAT_TEMPLATES: choose another in the console"),
    40037: Meaning(refused("no such template"), "a template id of TANFANG_WECHAT_TEMPLATES is not this account's"),
    47003: Meaning(refused("a template's field"),
                   "a value does not fit its field of the template; compare TANFANG_WECHAT_TEMPLATES with the console"),
}
EXPLAINED = "全局返回码 at https://developers.weixin.qq.com"
classify = classifier("wechat", MEANINGS, EXPLAINED)
