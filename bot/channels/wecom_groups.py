"""A village's groups on WeCom: group chats that the application made (members kept in step), and robots that only send.

Neither shows cards or changes a message that was sent: what becomes of an alert is a message of its own there, and a
link stands for its button.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog

from bot.channels.base import Blocked, Gone, Now, Refused, RetryAt, SendFailure
from bot.channels.tencent.calls import Calls
from bot.channels.tencent.failures import OPERATOR_SECONDS
from bot.channels.wecom_cards import Body
from bot.channels.wecom_codes import NoChat, OutOfRange
from bot.channels.wecom_inbound import CHANNEL
from scheduler.robots import APPCHAT, ROBOT
from storage import areas, group_members, groups, send_counts
from storage.database import Store
from storage.groups import Group
from storage.send_counts import Limit

NAME = 50  # characters
MINUTE = timedelta(minutes=1)
# what a member gets of a chat beyond this is dropped in silence; a robot is refused
LIMITS = {APPCHAT: (Limit("minute", MINUTE, 200, 0), Limit("day", timedelta(days=1), 10_000, 0)),
          ROBOT: (Limit("minute", MINUTE, 20, 0),)}
_log = structlog.get_logger()


class Groups:
    """`day` is today (ISO), `named` says how a village's chat is called."""

    def __init__(self, calls: Calls, store: Store, now: Now, day: Callable[[], str], named: Callable[[str], str],
                 ) -> None:
        self._calls = calls
        self._store = store
        self._now = now
        self._day = day
        self._named = named

    async def send(self, chat: str, texts: list[Body]) -> None:
        """Sends to a village's chat or robot. Raises SendFailure."""
        group = await self._store.read(lambda tx: groups.at(tx, CHANNEL, chat))
        kind, _, chat_id = chat.partition(":")
        if group is None or group.state != "bound":
            raise Gone
        if kind == APPCHAT:
            try:
                await self.keep(group)
            except Refused as refused:  # that nobody hears of an alert would be worse
                _log.error("wecom: a village's chat is not in step", why=str(refused))
        later = await self._store.run(lambda tx: send_counts.take(
            tx, CHANNEL, chat, LIMITS[kind], self._now(), count=len(texts)), f"{CHANNEL}:{chat}")
        if later is not None:
            raise RetryAt((later - self._now()).total_seconds())
        for body in texts:
            if kind == APPCHAT:
                await _of_chat(self._calls.post("/cgi-bin/appchat/send", {"chatid": chat_id, **body}))
            else:
                await self._calls.bare("POST", "/cgi-bin/webhook/send", body, {"key": group.address})

    async def keep(self, group: Group) -> None:
        """Makes the chat where it is not there, and puts its members in step. Raises SendFailure."""
        chat_id = group.chat.partition(":")[2]
        wanted, village = await self._store.read(lambda tx: (
            group_members.wanted(tx, CHANNEL, group.area_id or "", group.bound_by or "", self._day()),
            areas.find(tx, group.area_id or "")))
        try:
            there = await _of_chat(self._calls.get("/cgi-bin/appchat/get", {"chatid": chat_id}))
        except NoChat:
            owner = next((account for account, person in wanted.items() if person == group.bound_by), None)
            await _of_chat(self._calls.post("/cgi-bin/appchat/create", {
                "chatid": chat_id, "name": self._named(village.name if village else "")[:NAME], "userlist": [*wanted],
                **({"owner": owner} if owner else {})}))
            return
        members = {str(each).lower() for each in there.get("chat_info", {}).get("userlist", ())}
        more, less = sorted(wanted.keys() - members), sorted(members - wanted.keys())
        change: dict[str, Any] = {"add_user_list": more} if more else {}
        if less:
            change["del_user_list"] = less
            if str(there["chat_info"].get("owner", "")).lower() in less and wanted:
                change["owner"] = next(iter(wanted))
        if change:
            await _of_chat(self._calls.post("/cgi-bin/appchat/update", {"chatid": chat_id, **change}))

    async def keep_all(self) -> None:
        """Every village's chat; one that fails holds up no other."""
        for group in await self._store.read(lambda tx: groups.on(tx, CHANNEL, "chat")):
            try:
                await self.keep(group)
            except SendFailure as failure:
                _log.warning("wecom: a village's chat is not in step", why=type(failure).__name__)


async def _of_chat(call: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """What a call about a chat gives. What would mean a person elsewhere is no reason to give up the village's chat."""
    try:
        return await call
    except OutOfRange:
        _log.error("wecom: only an application that the whole enterprise sees may have group chats: set its visible "
                   "range (docs/wecom.md)")
        raise RetryAt(OPERATOR_SECONDS) from None
    except Blocked:
        raise Refused("a member of the group") from None
