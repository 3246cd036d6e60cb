"""Group chats and robots of the strict WeCom."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.tencent_api import error
from tests.fakes.wecom_people import Member

TEXT_BYTES = 2048


@dataclass
class Chat:
    """A group chat of the application, or a robot's group: its members, and what was said."""

    name: str = ""
    owner: str = ""
    members: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)  # when it was said


class Groups:
    """The calls of `appchat/` and `webhook/`."""

    people: dict[str, Member]
    chats: dict[str, Chat]
    robots: dict[str, Chat]
    whole: bool
    now: Callable[[], datetime]
    only: Callable[..., None]

    def _chat_create(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("appchat/create", given, "name", "userlist", "chatid", may=("owner",))
        if bad := self._in_part():
            return bad
        if not re.fullmatch("[0-9A-Za-z]{1,32}", given["chatid"]):
            return error(86001, "chatid invalid")
        if given["chatid"] in self.chats:
            return error(86215, "chatid exists")
        if bad := self._bad_members(given["userlist"]):
            return bad
        if len(given["userlist"]) < 2:
            return error(86006, "invalid chat member list size")
        owner = given.get("owner") or given["userlist"][0]
        self.chats[given["chatid"]] = Chat(given["name"], owner, list(given["userlist"]))
        return {**error(0, "ok"), "chatid": given["chatid"]}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("appchat/update", given, "chatid", may=("name", "owner", "add_user_list", "del_user_list"))
        chat = self.chats.get(given["chatid"])
        if bad := self._in_part():
            return bad
        if chat is None:
            return error(86003, "chatid not exist")
        if bad := self._bad_members(given.get("add_user_list", [])):
            return bad
        left = [each for each in chat.members if each not in given.get("del_user_list", [])]
        chat.members = [*left, *given.get("add_user_list", [])]
        chat.owner = given.get("owner", chat.owner)
        return error(0, "ok") if chat.owner in chat.members else error(86207, "owner not in members")

    def _in_part(self) -> dict[str, Any] | None:
        """Only an application whose visible range is the root department has group chats."""
        return None if self.whole else error(60011, "no privilege to access/modify contact/party/agent")

    def _bad_members(self, members: list[str]) -> dict[str, Any] | None:
        gone = [each for each in members if each not in self.people or not self.people[each].visible]
        return error(86216, "invalid member") if gone else None

    def _chat_get(self, given: dict[str, Any]) -> dict[str, Any]:
        chat = self.chats.get(given["chatid"])
        if bad := self._in_part():
            return bad
        if chat is None:
            return error(86003, "chatid not exist")
        return {**error(0, "ok"), "chat_info": {
            "chatid": given["chatid"], "name": chat.name, "owner": chat.owner, "userlist": chat.members}}

    def _chat_send(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("appchat/send", given, "chatid", "msgtype", "text")
        return self._in_part() or self._said(
            self.chats.get(given["chatid"]), given, error(86003, "chatid not exist"))

    def _webhook(self, given: dict[str, Any]) -> dict[str, Any]:
        self.only("webhook/send", given, "key", "msgtype", "text")
        robot = self.robots.get(given["key"])
        if robot and sum(at > self.now() - timedelta(minutes=1) for at in robot.at) >= 20:
            return error(45009, "api freq out of limit")
        return self._said(robot, given, error(93000, "invalid webhook url"))

    def _said(self, chat: Chat | None, given: dict[str, Any], gone: dict[str, Any]) -> dict[str, Any]:
        if chat is None:
            return gone
        if len(given["text"]["content"].encode()) > TEXT_BYTES:
            return error(45002, "content size out of limit")
        chat.said.append(given["text"]["content"])
        chat.at.append(self.now())
        return error(0, "ok")
