"""A strict Official Account: it keeps windows and quotas as the platform does, and can drop messages silently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from tests.fakes.tencent_api import Platform, error
from tests.fakes.wechat_people import TEXT_BYTES, Callbacks, Delivery, Person

APP_ID = "wx1234567890abcdef"
SECRET = "0123456789abcdef0123456789abcdef"
ORIGINAL_ID = "gh_1234567890ab"
TOKEN_SECONDS = 7200
# what a value of each type may be; the length in characters
TYPES = {"thing": r".{1,20}", "short_thing": r".{1,5}", "phrase": r"[一-鿿]{1,5}", "character_string": r"[\x20-\x7e]{1,32}",
         "time": r"\d{4}年\d{1,2}月\d{1,2}日( \d{1,2}:\d{2}(:\d{2})?)?|\d{1,2}:\d{2}(:\d{2})?", "number": r"\d{1,32}(\.\d+)?",
         "const": r".{1,20}"}


@dataclass
class FakeWeChat(Platform):
    """The platform. `aes_key` empty: plain mode. `hints`: tapped links carry their token (a test account's do not)."""

    app_id: str = APP_ID
    secret: str = SECRET
    original_id: str = ORIGINAL_ID
    hints: bool = True
    templates: dict[str, tuple[str, ...]] = field(default_factory=dict)  # id -> its fields
    people: dict[str, Person] = field(default_factory=dict)
    drops: set[str] = field(default_factory=set)  # openids whose messages are taken and never shown
    tags: dict[int, str] = field(default_factory=lambda: {2: "星标组"})
    menu: list[dict[str, Any]] | None = None
    conditional: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    scenes: list[str] = field(default_factory=list)
    seen_at: list[str] | None = None  # where it finds the name in the console's address; None: there is no address

    def __post_init__(self) -> None:
        super().__post_init__()
        self._forced_at = datetime.min.replace(tzinfo=UTC)
        self._media: dict[str, tuple[bytes, str]] = {}
        self.callbacks = Callbacks(self)

    # what a test arranges

    def person(self, openid: str, *, follows: bool = True) -> Person:
        return self.people.setdefault(openid, Person(self, openid, follows))

    async def delivers(self, person: Person, fields: dict[str, str]) -> Delivery:
        return await self.callbacks.deliver(person, fields)

    def keeps(self, body: bytes, kind: str) -> str:
        name = f"media-{len(self._media)}"
        self._media[name] = (body, kind)
        return name

    def menu_of(self, person: Person) -> list[dict[str, Any]]:
        """Every button that he sees, flat."""
        shown = next((menu for tag, menu in reversed(self.conditional.items()) if tag in person.tags), self.menu or [])
        return [each for button in shown for each in button.get("sub_button") or [button]]

    # the API

    def _stable_token(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("stable_token", given, "grant_type", "appid", "secret", "force_refresh")
        if given["appid"] != self.app_id:
            return error(40013, "invalid appid")
        if given["secret"] != self.secret:
            return error(40125, "invalid appsecret")
        forces = given["force_refresh"] and self.now() - self._forced_at >= timedelta(seconds=30)
        if forces or not self.taken_tokens:
            self.issued += 1
            self._forced_at = self.now() if forces else self._forced_at
            self.taken_tokens = {f"token-{self.issued}"}
        return {"access_token": next(iter(self.taken_tokens)), "expires_in": TOKEN_SECONDS}

    def _custom(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("custom", given, "touser", "msgtype", "text")
        content = given["text"]["content"]
        person = self.people.get(given["touser"])
        if person is None:
            return error(40003, "invalid openid")
        if not content or len(content.encode()) > TEXT_BYTES:
            return error(45002, "content size out of limit")
        if code := person.may_get():
            return error(code, "response out of time limit or count limit")
        if person.openid not in self.drops:
            person.gets("message", content)
        return error(0, "ok")

    def _template(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("template", given, "touser", "template_id", "data", may=("url", "client_msg_id"))
        return self._by_template(given, subscribed=True)

    def _subscription(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("bizsend", given, "touser", "template_id", "data", may=("page",))
        return self._by_template(given, subscribed=False)

    def _by_template(self, given: dict[str, Any], *, subscribed: bool) -> dict[str, Any]:
        person, fields = self.people.get(given["touser"]), self.templates.get(given["template_id"])
        if person is None:
            return error(40003, "invalid openid")
        if fields is None:
            return error(40037, "invalid template_id")
        if not person.follows_now:
            return error(43004, "require subscribe")
        if not subscribed and given["template_id"] not in person.subscribed:
            return error(43101, "user refuse to accept the msg")
        if given["data"].keys() != set(fields):
            return error(47003, "argument invalid!")
        for name, each in given["data"].items():
            kind = re.fullmatch(r"([a-z_]+?)\d+", name)
            if kind is None or not re.fullmatch(TYPES[kind[1]], each["value"]):
                return error(47003, f"argument invalid! data.{name}.value invalid")
        once, before = given.get("client_msg_id"), person.client_ids.get(given.get("client_msg_id", ""))
        if before is not None and self.now() - before < timedelta(minutes=10):
            return {**error(0, "ok"), "msgid": self.next_number()}
        if once:
            person.client_ids[once] = self.now()
        if person.openid not in self.drops:
            person.gets("template", "\n".join(f"{name}: {each['value']}" for name, each in given["data"].items()))
        number = self.next_number()
        person.template = str(number)
        return {**error(0, "ok"), "msgid": number}

    def _media_get(self, given: dict[str, Any]) -> dict[str, Any] | Response:
        found = self._media.get(given["media_id"])
        return Response(found[0], media_type=found[1]) if found else error(40007, "invalid media_id")

    def _menu_get(self, given: dict[str, Any]) -> dict[str, Any]:
        if self.menu is None:
            return error(46003, "menu no exist")
        shown: dict[str, Any] = {"menu": {"button": _filled(self.menu)}}
        if self.conditional:
            shown["conditionalmenu"] = [{"button": _filled(menu), "matchrule": {"tag_id": str(tag)}, "menuid": tag}
                                        for tag, menu in self.conditional.items()]
        return shown

    def _menu_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        self.menu, self.conditional = None, {}
        return error(0, "ok")

    def _menu_create(self, given: dict[str, Any]) -> dict[str, Any]:
        self.menu = given["button"]
        return error(0, "ok") if _fits(given["button"]) else error(40018, "invalid button name size")

    def _menu_conditional(self, given: dict[str, Any]) -> dict[str, Any]:
        if self.menu is None:
            return error(65303, "no default menu")
        tag = int(given["matchrule"]["tag_id"])
        if tag not in self.tags or not _fits(given["button"]):
            return error(65305, "some matchrule is invalid")
        self.conditional[tag] = given["button"]
        return {"menuid": str(tag)}

    def _tags_get(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"tags": [{"id": tag, "name": name, "count": 0} for tag, name in self.tags.items()]}

    def _tags_create(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given["tag"]["name"]
        if name in self.tags.values():
            return error(45157, "invalid tag name")
        tag = 100 + len(self.tags)
        self.tags[tag] = name
        return {"tag": {"id": tag, "name": name}}

    def _tagging(self, given: dict[str, Any], *, on: bool = True) -> dict[str, Any]:
        if len(given["openid_list"]) > 50:
            return error(40032, "invalid openid list size")
        for openid in given["openid_list"]:
            person = self.people.get(openid)
            if person is None or not person.follows_now:
                return error(40003, "invalid openid")
            (person.tags.add if on else person.tags.discard)(given["tagid"])
        return error(0, "ok")

    def _qrcode(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("qrcode", given, "expire_seconds", "action_name", "action_info")
        scene = given["action_info"]["scene"]["scene_str"]
        if not 1 <= len(scene) <= 64 or given["expire_seconds"] > 2592000 or given["action_name"] != "QR_STR_SCENE":
            return error(40053, "invalid action info")
        self.scenes.append(scene)
        return {"ticket": f"gQ+{len(self.scenes)}/==", "expire_seconds": given["expire_seconds"],
                "url": f"http://weixin.qq.com/q/{len(self.scenes)}"}


    # what doctor asks

    def _callback_ips(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"ip_list": ["101.226.62.77", "101.226.62.0/24"]}

    def _callback_check(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("callback/check", given, "action", "check_operator")
        return {"dns": [{"ip": ip, "real_operator": "UNICOM"} for ip in self.seen_at]} if self.seen_at is not None else (
            error(40201, "url not set"))

    def _templates_of(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"template_list": [{"template_id": name, "title": "提醒", "primary_industry": "", "deputy_industry": "",
                                   "content": _content(fields), "example": ""} for name, fields in self.templates.items()]}

    def _subscriptions_of(self, given: dict[str, Any]) -> dict[str, Any]:
        return {**error(0, "ok"), "data": [{"priTmplId": name, "title": "提醒", "content": _content(fields), "type": 2}
                                            for name, fields in self.templates.items()]}


def _content(fields: tuple[str, ...]) -> str:
    return "\n".join(f"内容:{{{{{name}.DATA}}}}" for name in fields)


def _fits(buttons: list[dict[str, Any]]) -> bool:
    under = [each for button in buttons for each in button.get("sub_button", ())]
    return (len(buttons) <= 3 and all(len(button.get("sub_button", ())) <= 5 for button in buttons)
            and all(len(button["name"].encode()) <= 16 for button in buttons)
            and all(len(each["name"].encode()) <= 60 for each in under)
            and all(len(each.get("key", "").encode()) <= 128 for each in [*buttons, *under]))


def _filled(buttons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**button, "sub_button": _filled(button.get("sub_button", []))} for button in buttons]


FakeWeChat.without_token = ("/cgi-bin/stable_token",)
FakeWeChat.send_path = "/cgi-bin/message/template/send"
FakeWeChat.handlers = {
    ("POST", "/cgi-bin/stable_token"): FakeWeChat._stable_token,
    ("POST", "/cgi-bin/message/custom/send"): FakeWeChat._custom,
    ("POST", "/cgi-bin/message/template/send"): FakeWeChat._template,
    ("POST", "/cgi-bin/message/subscribe/bizsend"): FakeWeChat._subscription,
    ("GET", "/cgi-bin/media/get"): FakeWeChat._media_get,
    ("GET", "/cgi-bin/menu/get"): FakeWeChat._menu_get,
    ("GET", "/cgi-bin/menu/delete"): FakeWeChat._menu_delete,
    ("POST", "/cgi-bin/menu/create"): FakeWeChat._menu_create,
    ("POST", "/cgi-bin/menu/addconditional"): FakeWeChat._menu_conditional,
    ("GET", "/cgi-bin/tags/get"): FakeWeChat._tags_get,
    ("POST", "/cgi-bin/tags/create"): FakeWeChat._tags_create,
    ("POST", "/cgi-bin/tags/members/batchtagging"): FakeWeChat._tagging,
    ("POST", "/cgi-bin/tags/members/batchuntagging"): lambda fake, given: fake._tagging(given, on=False),
    ("POST", "/cgi-bin/qrcode/create"): FakeWeChat._qrcode,
    ("GET", "/cgi-bin/getcallbackip"): FakeWeChat._callback_ips,
    ("POST", "/cgi-bin/callback/check"): FakeWeChat._callback_check,
    ("GET", "/cgi-bin/template/get_all_private_template"): FakeWeChat._templates_of,
    ("GET", "/wxaapi/newtmpl/gettemplate"): FakeWeChat._subscriptions_of,
}
