"""The fake Telegram's updates on their way to the bot: by getUpdates, or posted to its webhook."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes.telegram_rules import Refusal


@dataclass
class _Webhook:
    url: str
    secret: str
    allowed: list[str] | None
    busy: set[int] = field(default_factory=set)  # chats with a post on its way


class Queue:
    """Unconfirmed updates, oldest first. `retry_seconds` lie between two posts of one that was not taken."""

    def __init__(self, retry_seconds: float) -> None:
        self.updates: list[dict[str, Any]] = []
        self.pending: list[tuple[int, dict[str, Any]]] = []  # (chat, update)
        self.deliveries: list[tuple[int, int]] = []
        self._retry_seconds = retry_seconds
        self._again: set[int] = set()  # ids that come once more although they were confirmed
        self._arrived = asyncio.Event()
        self._poll: asyncio.Future[None] | None = None  # the newest getUpdates; done: it has to give way
        self._webhook: _Webhook | None = None
        self._client = httpx.AsyncClient(timeout=30, trust_env=False, verify=False)  # loopback only
        self._posting: set[asyncio.Task[None]] = set()

    @property
    def webhook_url(self) -> str:
        return self._webhook.url if self._webhook else ""

    def put(self, chat: int, kind: str, body: dict[str, Any]) -> int:
        update_id = 700_000_001 + len(self.updates)
        update = {"update_id": update_id, kind: body}
        self.updates.append(update)
        self.pending.append((chat, update))
        self._arrived.set()
        self._post()
        return update_id

    def repeat(self, count: int) -> None:
        """The last so many updates come once more, as where Telegram did not hear that they were taken."""
        for update in self.updates[-count:]:
            chat = (update.get("message") or update["callback_query"]["message"])["chat"]["id"]
            self._again.add(update["update_id"])
            self.pending.append((chat, update))
        self._arrived.set()
        self._post()

    async def take(
        self, offset: int, limit: int, seconds: float, allowed: list[str] | None
    ) -> list[dict[str, Any]]:
        """What getUpdates answers: `offset` confirms all before it; waits up to `seconds` for the first."""
        if self._webhook is not None:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete"
                " the webhook first",
            )
        loop = asyncio.get_running_loop()
        self._end_poll()
        mine = self._poll = loop.create_future()
        ends = loop.time() + seconds
        while True:
            self.pending = [entry for entry in self.pending
                            if entry[1]["update_id"] >= offset or entry[1]["update_id"] in self._again]
            self._drop_others(allowed)
            left = ends - loop.time()
            if self.pending or left <= 0:
                given = [update for _, update in self.pending[:limit]]
                self._again.difference_update(update["update_id"] for update in given)
                return given
            self._arrived.clear()
            arrived = asyncio.ensure_future(self._arrived.wait())
            await asyncio.wait({arrived, mine}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()
            if mine.done():
                raise Refusal(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance"
                    " is running",
                )

    def set_webhook(self, url: str, secret: str, allowed: list[str] | None) -> None:
        """Posts from now on to `url`; "" goes back to getUpdates."""
        self._webhook = _Webhook(url, secret, allowed) if url else None
        if url:
            self._end_poll()
        self._post()

    async def close(self) -> None:
        self._webhook = None
        self._end_poll()
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)
        await self._client.aclose()

    def _end_poll(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def _drop_others(self, allowed: list[str] | None) -> None:
        if allowed:
            self.pending = [entry for entry in self.pending if not entry[1].keys().isdisjoint(allowed)]

    def _post(self) -> None:
        if self._webhook is None:
            return
        self._drop_others(self._webhook.allowed)
        for chat, _ in self.pending:
            if chat not in self._webhook.busy:
                self._webhook.busy.add(chat)
                task = asyncio.create_task(self._post_in_order(self._webhook, chat))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)

    async def _post_in_order(self, hook: _Webhook, chat: int) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
        while self._webhook is hook:
            entry = next((waiting for waiting in self.pending if waiting[0] == chat), None)
            if entry is None:
                break
            try:
                status = (await self._client.post(hook.url, json=entry[1], headers=headers)).status_code
            except httpx.HTTPError:
                status = 0
            self.deliveries.append((entry[1]["update_id"], status))
            if 200 <= status <= 299:
                if entry in self.pending:
                    self.pending.remove(entry)
            else:
                await asyncio.sleep(self._retry_seconds)
        hook.busy.discard(chat)
