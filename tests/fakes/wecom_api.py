"""A strict WeCom: what a member gets beyond 30 a minute or 1000 an hour it takes and never shows, as the platform does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from tests.fakes.tencent_api import Platform, error
from tests.fakes.wecom_groups import TEXT_BYTES, Chat, Groups
from tests.fakes.wecom_people import Callbacks, Delivery, Member, Received

CORP_ID, AGENT_ID, SECRET = "ww1234567890abcdef", 1000002, "0123456789abcdef0123456789abcdef"
ROBOT = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
TASK = re.compile(r"[0-9A-Za-z_@-]{1,128}")


@dataclass
class FakeWeCom(Platform, Groups):
    """The platform, with one application."""

    corp_id: str = CORP_ID
    agent_id: int = AGENT_ID
    secret: str = SECRET
    people: dict[str, Member] = field(default_factory=dict)  # by user id in small letters
    chats: dict[str, Chat] = field(default_factory=dict)
    robots: dict[str, Chat] = field(default_factory=lambda: {ROBOT: Chat()})
    dropped: list[tuple[str, str]] = field(default_factory=list)  # whom, and what he never saw
    menu: list[dict[str, Any]] | None = None
    whole: bool = True  # the whole enterprise sees the application
    closed: bool = False  # the application is switched off in the console
    change: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._media: dict[str, tuple[str, bytes]] = {}
        self._tasks: set[str] = set()
        self._signed_in: dict[str, Member | None] = {}
        self._codes: dict[str, tuple[Member, Received, datetime]] = {}
        self.callbacks = Callbacks(self)

    # what a test arranges

    def person(self, user_id: str, name: str = "") -> Member:
        return self.people.setdefault(user_id.lower(), Member(self, user_id, name))

    async def delivers(self, member: Member, fields: dict[str, str], more: str = "") -> Delivery:
        return await self.callbacks.deliver(member, fields, more)

    def keeps(self, name: str, body: bytes) -> str:
        media = f"media-{len(self._media)}"
        self._media[media] = (name, body)
        return media

    def new_code(self, member: Member, card: Received) -> str:
        code = f"code-{self.next_number()}"
        self._codes[code] = (member, card, self.now())
        return code

    # the API

    async def _body(self, request: Request, path: str) -> dict[str, Any]:
        if path == "/cgi-bin/media/upload":
            media = (await request.form())["media"]
            assert isinstance(media, UploadFile)
            return {"name": media.filename, "media": await media.read()}
        return await super()._body(request, path)

    def _gettoken(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("gettoken", given, "corpid", "corpsecret")
        if given["corpid"] != self.corp_id:
            return error(40013, "invalid corpid")
        if given["corpsecret"] != self.secret:
            return error(40001, "invalid credential")
        if not self.taken_tokens:
            self.issued += 1
            self.taken_tokens = {f"token-{self.issued}"}
        return {**error(0, "ok"), "access_token": next(iter(self.taken_tokens)), "expires_in": 7200}

    def _send(self, given: dict[str, Any]) -> dict[str, Any]:
        kind = given["msgtype"]
        self.only("message/send", given, "touser", "agentid", "msgtype", kind,
                   may=("enable_duplicate_check", "duplicate_check_interval", "safe"))
        if given["agentid"] != self.agent_id:
            return error(301002, "not allow operate another agent with this accesstoken")
        member = self.people.get(given["touser"].lower())
        if member is None or not member.visible:
            return {**error(81013, "user & party & tag all invalid"), "invaliduser": given["touser"]}
        if not member.licensed:
            return {**error(0, "ok"), "unlicenseduser": member.user_id.lower()}
        card = self._card(given["template_card"]) if kind == "template_card" else self._plain(kind, given[kind])
        if isinstance(card, dict):
            return card
        said = repr({name: value for name, value in given.items() if name != "access_token"})  # the request as it is
        if given.get("enable_duplicate_check"):
            before = member.seen.get(said)
            if before and self.now() - before < timedelta(seconds=given.get("duplicate_check_interval", 1800)):
                return {**error(0, "ok"), "msgid": "again"}
            member.seen[said] = self.now()
        if card.task_id in self._tasks:
            return error(40058, "task_id was used before")
        self._tasks |= {card.task_id} - {""}
        answer = {**error(0, "ok"), "msgid": str(self.next_number())}
        if card.buttons or card.boxes:
            answer["response_code"] = self.new_code(member, card)
        if member.takes():
            member.phone.append(card)
        else:
            self.dropped.append((member.user_id, card.text))
        return answer

    def _plain(self, kind: str, given: dict[str, Any]) -> Received | dict[str, Any]:
        if kind == "text":
            if not given["content"] or len(given["content"].encode()) > TEXT_BYTES:
                return error(45002, "content size out of limit")
            return Received(self._changed(), "text", given["content"])
        if kind in ("file", "image") and given["media_id"] in self._media:
            return Received(self._changed(), kind, "", file=self._media[given["media_id"]])
        return error(40008 if kind not in ("file", "image") else 40007, "invalid message")

    def _card(self, given: dict[str, Any]) -> Received | dict[str, Any]:
        kind = given["card_type"]
        wanted, may = _CARDS[kind]
        self.only(f"template_card {kind}", given, "card_type", *wanted, may=may)
        title, under = given.get("main_title", {}), given.get("sub_title_text", "")
        boxes = given.get("checkbox", {}).get("option_list", [])
        buttons = given.get("button_list", [])
        fits = (
            (title.get("title") or under) and len(title.get("title", "")) <= 36 and len(title.get("desc", "")) <= 44
            and len(under) <= 160 and len(buttons) <= 6 and len(boxes) <= 20
            and all(len(each["text"]) <= 10 and 0 < len(each["key"].encode()) <= 1024 for each in buttons)
            and all(0 < len(each["id"].encode()) <= 128 and len(each["text"]) <= 17 for each in boxes)
            and len({each["id"] for each in boxes}) == len(boxes) and len({each["key"] for each in buttons}) == len(buttons)
            and len(given.get("source", {}).get("desc", "")) <= 20
            and len(given.get("horizontal_content_list", [])) <= 6
            and all(len(each["keyname"]) <= 5 and len(each["value"]) <= 26
                    for each in given.get("horizontal_content_list", []))
            and (kind == "text_notice" or TASK.fullmatch(given["task_id"])))
        if not fits or (kind == "button_interaction" and not buttons) or (kind == "vote_interaction" and not boxes):
            return error(40058, "invalid Request Parameter")
        submit = given.get("submit_button", {"text": "", "key": ""})
        return Received(
            self._changed(), kind, "\n".join(filter(None, (title.get("title"), title.get("desc"), under))),
            tuple((each["text"], each["key"]) for each in buttons), tuple((each["text"], each["id"]) for each in boxes),
            tuple(each["text"] for each in boxes if each.get("is_checked")), (submit["text"], submit["key"]),
            given.get("checkbox", {}).get("mode") == 1,
            tuple((each["keyname"], each["value"]) for each in given.get("horizontal_content_list", [])),
            given.get("source", {}).get("desc", ""), given.get("task_id", ""), given.get("card_action", {}).get("url", ""))

    def _changed(self) -> int:
        self.change += 1
        return self.change

    def _update_card(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("update_template_card", given, "userids", "agentid", "response_code", "button")
        found = self._codes.pop(given["response_code"], None)
        if found is None or self.now() - found[2] > timedelta(hours=72):
            return error(42022, "code has been used")
        member, card, _ = found
        if [each.lower() for each in given["userids"]] != [member.user_id.lower()]:
            return error(60111, "userid not found")
        card.pressed = given["button"]["replace_name"]
        return error(0, "ok")

    def _upload(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["type"] not in ("file", "image") or not 5 <= len(given["media"]) <= 20 * 1024 * 1024:
            return error(40006, "invalid media size")
        return {**error(0, "ok"), "type": given["type"], "media_id": self.keeps(given["name"], given["media"])}

    def _media_get(self, given: dict[str, Any]) -> dict[str, Any] | Response:
        found = self._media.get(given["media_id"])
        return Response(found[1], media_type="application/octet-stream") if found else error(40007, "invalid media_id")

    def _user_get(self, given: dict[str, Any]) -> dict[str, Any]:
        member = self.people.get(given["userid"].lower())
        if member is None or not member.visible:
            return error(60111, "userid not found")
        return {**error(0, "ok"), "userid": member.user_id, "name": member.name}

    def opened_by(self, member: Member | None) -> str:
        """The code with which the sign-in leads back, for a member or for somebody from outside."""
        code = f"oauth-{self.next_number()}"
        self._signed_in[code] = member
        return code

    def _user_info(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("auth/getuserinfo", given, "code")
        if given["code"] not in self._signed_in:
            return error(40029, "invalid code")
        member = self._signed_in.pop(given["code"])
        return {**error(0, "ok"), **({"userid": member.user_id} if member else {"openid": "o-outside"})}

    def _menu(self, given: dict[str, Any]) -> dict[str, Any]:
        self.menu = given["button"]
        under = [each for button in self.menu for each in button.get("sub_button", ())]
        fits = (len(self.menu) <= 3 and all(len(each.get("sub_button", ())) <= 5 for each in self.menu)
                and all(len(each["name"].encode()) <= 16 for each in self.menu)
                and all(len(each["name"].encode()) <= 40 and len(each["key"].encode()) <= 128 for each in under))
        return error(0, "ok") if fits and str(given["agentid"]) == str(self.agent_id) else error(40018, "button name")

    # what doctor asks

    def _callback_ips(self, given: dict[str, Any]) -> dict[str, Any]:
        return {**error(0, "ok"), "ip_list": ["182.254.11.176", "182.254.78.66"]}

    def _agent_get(self, given: dict[str, Any]) -> dict[str, Any]:
        if str(given["agentid"]) != str(self.agent_id):
            return error(301002, "not allow operate another agent with this accesstoken")
        users = [{"userid": member.user_id} for member in self.people.values() if member.visible]
        return {**error(0, "ok"), "agentid": self.agent_id, "name": "探访", "close": int(self.closed),
                "allow_userinfos": {"user": users}, "allow_partys": {"partyid": [1] if self.whole else []}, "allow_tags": {"tagid": []}}

    def _menu_get(self, given: dict[str, Any]) -> dict[str, Any]:
        return {**error(0, "ok"), "button": self.menu} if self.menu else error(46003, "menu no exist")


_CARDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "button_interaction": (("button_list", "task_id"),
                           ("main_title", "sub_title_text", "source", "horizontal_content_list")),
    "vote_interaction": (("checkbox", "submit_button", "task_id", "main_title"), ("source",)),
    "text_notice": (("card_action",), ("main_title", "sub_title_text", "jump_list", "source")),
}
FakeWeCom.without_token = ("/cgi-bin/gettoken", "/cgi-bin/webhook/send")
FakeWeCom.send_path = "/cgi-bin/message/send"
FakeWeCom.handlers = {
    ("GET", "/cgi-bin/gettoken"): FakeWeCom._gettoken,
    ("POST", "/cgi-bin/message/send"): FakeWeCom._send,
    ("POST", "/cgi-bin/message/update_template_card"): FakeWeCom._update_card,
    ("POST", "/cgi-bin/media/upload"): FakeWeCom._upload,
    ("GET", "/cgi-bin/media/get"): FakeWeCom._media_get,
    ("GET", "/cgi-bin/user/get"): FakeWeCom._user_get,
    ("GET", "/cgi-bin/auth/getuserinfo"): FakeWeCom._user_info,
    ("POST", "/cgi-bin/menu/create"): FakeWeCom._menu,
    ("GET", "/cgi-bin/menu/get"): FakeWeCom._menu_get,
    ("GET", "/cgi-bin/getcallbackip"): FakeWeCom._callback_ips,
    ("GET", "/cgi-bin/agent/get"): FakeWeCom._agent_get,
    ("POST", "/cgi-bin/appchat/create"): FakeWeCom._chat_create,
    ("POST", "/cgi-bin/appchat/update"): FakeWeCom._chat_update,
    ("GET", "/cgi-bin/appchat/get"): FakeWeCom._chat_get,
    ("POST", "/cgi-bin/appchat/send"): FakeWeCom._chat_send,
    ("POST", "/cgi-bin/webhook/send"): FakeWeCom._webhook,
}
