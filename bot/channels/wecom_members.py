"""Who an unknown member is: the directory's own name of his user id goes with what he writes, for a coordinator to
confirm. The platform has signed the id; that the name means one of our people is what somebody must still say.
"""

import asyncio
from dataclasses import replace

from bot.channels.base import SendFailure
from bot.channels.kept import Kept
from bot.channels.tencent.calls import Calls
from bot.channels.wecom_inbound import CHANNEL
from conversations.message import Inbound
from storage import accounts
from storage.database import Store

PATIENCE = 2.0  # seconds; he can be asked for a code, where the directory does not answer
NAME = 64  # characters


class Members:
    """Asks the directory for each member whom nobody knows, until it says a name."""

    def __init__(self, calls: Calls, store: Store) -> None:
        self._calls = calls
        self._store = store
        self._names: Kept[str] = Kept()

    async def known(self, inbound: Inbound) -> Inbound:
        """The same, with the directory's name of a member who is bound to nobody."""
        if await self._store.read(lambda tx: accounts.chat_of(tx, CHANNEL, inbound.account)) is not None:
            return inbound
        name = self._names.get(inbound.account) or await self._name(inbound.account)
        if name:
            self._names.put(inbound.account, name)
        return replace(inbound, called=name)

    async def _name(self, account: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                found = await self._calls.get("/cgi-bin/user/get", {"userid": account})
        except (SendFailure, TimeoutError):
            return ""
        name = found.get("name")
        return name.strip()[:NAME] if isinstance(name, str) else ""
