"""The menu below the chat: one for everybody, and one by role, which WeChat chooses by the tag that a follower carries.

Nothing waits for it: typed words do the same. So a failure is only logged.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.channels.base import SendFailure
from bot.channels.tencent.calls import Calls
from bot.channels.wechat_inbound import CHANNEL
from conversations.words_book import FOLDER
from storage import accounts, people
from storage.database import Store, Tx

AT_ONCE = 50  # followers tagged by one call
_log = structlog.get_logger()
Buttons = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Group:
    """Who sees one menu: those with one of these roles, by a tag; without a tag everybody."""

    tag: str
    roles: frozenset[str]
    buttons: Buttons


def _button(label: str, does: "str | Sequence[Sequence[str]]") -> dict[str, Any]:
    if isinstance(does, str):
        return {"type": "click", "name": label, "key": does}
    return {"name": label, "sub_button": [_button(name, key) for name, key in does]}


def groups() -> list[Group]:
    """As they stand in `words/wechat_menu.toml`, the last the most powerful: who is in several sees its menu."""
    raw = tomllib.loads((FOLDER / "wechat_menu.toml").read_text(encoding="utf-8"))
    return [Group(given.get("tag", ""), frozenset(given["roles"]), [_button(*line) for line in given["menu"]])
            for given in raw.values()]


class Menus:
    """Keeps menus and tags as they should be."""

    def __init__(self, calls: Calls, store: Store) -> None:
        self._calls = calls
        self._store = store
        self._groups = groups()
        self._tags: dict[str, int] = {}

    async def keep(self) -> None:
        """At start: tags made, menus set where they are others, and everybody tagged. Never raises."""
        try:
            self._tags = await self._known_tags()
            if await self._shown() != self._wanted():
                await self._set()
            everybody = await self._store.read(lambda tx: [account for account, _, _ in accounts.on(tx, CHANNEL)])
            await self._tag(everybody)
        except Exception as error:
            _log.warning("wechat: the menu was not set", error=type(error).__name__)

    async def follow(self, account: str) -> None:
        """Somebody was bound: his menu. Never raises."""
        try:
            if self._tags:
                await self._tag([account])
        except Exception as error:
            _log.warning("wechat: a follower was not tagged", error=type(error).__name__)

    def _wanted(self) -> tuple[Buttons, dict[int, Buttons]]:
        first, *others = self._groups
        return first.buttons, {self._tags[group.tag]: group.buttons for group in others}

    async def _shown(self) -> tuple[Buttons, dict[int, Buttons]] | None:
        try:
            found = await self._calls.get("/cgi-bin/menu/get")
        except SendFailure:  # also where there is none yet
            return None
        return _plain(found["menu"]["button"]), {
            int(each["matchrule"]["tag_id"]): _plain(each["button"]) for each in found.get("conditionalmenu", ())}

    async def _set(self) -> None:
        await self._calls.get("/cgi-bin/menu/delete")  # the conditional ones with it
        first, *others = self._groups
        await self._calls.post("/cgi-bin/menu/create", {"button": first.buttons})
        for group in others:
            await self._calls.post("/cgi-bin/menu/addconditional", {
                "button": group.buttons, "matchrule": {"tag_id": str(self._tags[group.tag])}})

    async def _known_tags(self) -> dict[str, int]:
        found = {tag["name"]: int(tag["id"]) for tag in (await self._calls.get("/cgi-bin/tags/get"))["tags"]}
        for name in (group.tag for group in self._groups if group.tag and group.tag not in found):
            made = await self._calls.post("/cgi-bin/tags/create", {"tag": {"name": name}})
            found[name] = int(made["tag"]["id"])
        return {group.tag: found[group.tag] for group in self._groups if group.tag}

    async def _tag(self, wanted: Sequence[str]) -> None:
        def read(tx: Tx) -> dict[str, list[str]]:
            by_tag: dict[str, list[str]] = {}
            for account, person, _ in accounts.on(tx, CHANNEL):
                if account in these:
                    by_tag.setdefault(self._tag_of(tx, person), []).append(account)
            return by_tag

        these = set(wanted)
        for tag, members in (await self._store.read(read)).items():
            for start in range(0, len(members), AT_ONCE):
                some = members[start:start + AT_ONCE]
                for other in self._tags:  # he may have had another office before
                    if other != tag:
                        await self._members("batchuntagging", other, some)
                if tag:
                    await self._members("batchtagging", tag, some)

    async def _members(self, call: str, tag: str, members: Iterable[str]) -> None:
        await self._calls.post(f"/cgi-bin/tags/members/{call}", {"openid_list": members, "tagid": self._tags[tag]})

    def _tag_of(self, tx: Tx, person: str) -> str:
        found = people.find(tx, person)
        roles = people.roles(tx, person) if found and found.status == "active" else frozenset()
        return next((group.tag for group in reversed(self._groups) if group.roles & roles), "")


def _plain(buttons: Iterable[Mapping[str, Any]]) -> Buttons:
    """Buttons as they were sent: the platform adds empty lists."""
    found: Buttons = []
    for button in buttons:
        if under := button.get("sub_button"):
            found.append({"name": button["name"], "sub_button": _plain(under.get("list", under)
                                                                       if isinstance(under, Mapping) else under)})
        else:
            found.append({"type": button.get("type"), "name": button["name"], "key": button.get("key")})
    return found
