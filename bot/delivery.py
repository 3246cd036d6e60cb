"""From the outbox to the channels: order per chat, retries by stored times, and nothing dropped in silence."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from bot.channels.base import Blocked, Channel, Gone, Moved, Now, Receipt, Refused, RetryAt, SendFailure
from bot.metrics import SENDS, WAITING
from bot.render import fit
from conversations.book import FormBook
from conversations.message import Document, Inbound, Media, Message
from conversations.say import messages
from conversations.words_book import Words
from storage import accounts, media, outbox
from storage.database import Store, StoreUnavailable
from storage.outbox import Outgoing

log = structlog.get_logger()

BEAT = 1.0  # seconds between looks at what waits
LONGEST_WAIT = 300.0  # seconds between two tries of one message
MOST_TRIES = 100
Chat = tuple[str, str]
MakeDocument = Callable[[dict[str, Any], Words], Awaitable[Document | None]]


class Delivery:
    """Sends what is in the outbox. `send_soon` is the quick way for rows just born leased to this process."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], book: FormBook, now: Now,
                 make_document: MakeDocument) -> None:
        self._store = store
        self._channels = channels
        self._book = book
        self._now = now
        self._make_document = make_document
        self._words = {name: Words(abroad=channel.capabilities.abroad) for name, channel in channels.items()}
        self._queues: dict[Chat, deque[Outgoing]] = {}
        self._held: set[Chat] = set()  # chats where something older waits in the outbox
        self._sent: list[tuple[str, str]] = []
        self._marking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def send_soon(self, row: Outgoing) -> None:
        """Sends the row after what is before it in its chat; never waits."""
        chat = (row.channel, row.chat)
        queue = self._queues.get(chat)
        if queue is not None:
            queue.append(row)
            return
        self._queues[chat] = deque((row,))
        self._go(self._drain(chat))

    def settle_soon(self, inbound: Inbound) -> None:
        """Tells the platform that a tap was taken; never waits."""
        channel = self._channels.get(inbound.channel)
        if channel is not None:
            self._go(channel.settle(inbound))

    async def run(self, stop: asyncio.Event) -> None:
        """Looks once a beat for rows and media that wait: left by a crash, held back, or due now."""
        while not stop.is_set():
            with suppress(StoreUnavailable):
                await self.sweep()
                await self._fetch_media()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT)

    async def sweep(self) -> int:
        """Takes what is due and free, and sends it; gives how many rows it took."""
        taken = 0
        while True:
            rows = await self._store.run(lambda tx: outbox.take(tx, self._now()))
            if not rows:
                break
            taken += len(rows)
            await asyncio.gather(*(self._send_taken(row) for row in rows))
            await self.flush()
        for chat in list(self._held):
            if not await self._store.read(lambda tx, chat=chat: outbox.waits(tx, *chat)):  # type: ignore[misc]
                self._held.discard(chat)
        for lane, count in (await self._store.read(outbox.depth)).items():
            WAITING.labels(lane).set(count)
        return taken

    async def flush(self) -> None:
        """Returns once every mark of what was sent is on disk."""
        while self._marking is not None:
            await asyncio.shield(self._marking)

    async def settle(self) -> None:
        """Returns once everything that was sent soon has left and is marked."""
        while self._tasks:
            await asyncio.gather(*self._tasks)
        await self.flush()

    # Sending

    async def _send_taken(self, row: Outgoing) -> None:
        if (row.channel, row.chat) in self._queues:  # the quick way is busy there: leave it for the next look
            await self._store.run(lambda tx: outbox.retry(tx, row.id, self._now()))
            return
        await self._send(row)

    async def _drain(self, chat: Chat) -> None:
        queue = self._queues[chat]
        try:
            while queue:
                row = queue.popleft()
                if chat in self._held or not await self._send(row):
                    await self._hold(chat, row)
        finally:
            del self._queues[chat]

    async def _hold(self, chat: Chat, row: Outgoing) -> None:
        """Something older waits there: this row stands in line behind it."""
        if chat in self._held:
            with suppress(StoreUnavailable):
                await self._store.run(lambda tx: outbox.retry(tx, row.id, self._now()))
        self._held.add(chat)

    async def _send(self, row: Outgoing) -> bool:
        """True where the row is done with, one way or the other; False where it waits to be tried again."""
        channel = self._channels.get(row.channel)
        if channel is None:
            await self._drop(row, "no such channel")
            return True
        try:
            receipt = Receipt("")
            for message in await self._compose(row, channel):
                receipt = await channel.send(row.chat, fit(message, channel.capabilities))
        except SendFailure as failure:
            return await self._failed(row, failure)
        SENDS.labels(row.channel, "sent").inc()
        self._mark(row.id, receipt.handle)
        return True

    async def _compose(self, row: Outgoing, channel: Channel) -> list[Message]:
        words = self._words[row.channel]
        parts, edits = row.fields["parts"], row.fields["edits"]
        try:
            composed = messages(parts, words, self._book, edits)
            wanted = next((fields["document"] for _, fields in parts if "document" in fields), None)
            if wanted is not None and (document := await self._make_document(wanted, words)):
                composed[0] = Message(composed[0].text, composed[0].buttons, document=document)
            return composed
        except Exception as error:  # a plain sentence goes out, and the operator is told
            log.error("message could not be rendered", kind=row.kind, parts=[part[0] for part in parts],
                      error=type(error).__name__)
            SENDS.labels(row.channel, "unrendered").inc()
            return [Message(words.say("menu.fallback"))]

    async def _failed(self, row: Outgoing, failure: SendFailure) -> bool:
        SENDS.labels(row.channel, type(failure).__name__.lower()).inc()
        now = self._now()
        if isinstance(failure, RetryAt):
            if row.attempts >= MOST_TRIES:
                await self._drop(row, "gave up")
                return True
            wait = timedelta(seconds=min(max(failure.seconds, 2.0 ** min(row.attempts, 8)), LONGEST_WAIT))
            await self._store.run(lambda tx: outbox.retry(tx, row.id, now + wait))
            return False
        if isinstance(failure, Moved):
            moved = failure.chat
            await self._store.run(lambda tx: outbox.move(tx, row.channel, row.chat, moved))
            return False
        if isinstance(failure, Blocked | Gone):
            await self._store.run(lambda tx: accounts.blocked(tx, row.channel, row.chat, now))
        elif isinstance(failure, Refused):
            log.error("message refused by the platform", channel=row.channel, kind=row.kind)
        await self._drop(row, type(failure).__name__.lower())
        return True

    async def _drop(self, row: Outgoing, why: str) -> None:
        await self._store.run(lambda tx: outbox.drop(tx, row.id, why, self._now()))

    # Marks, written together with the next batch: losing one may repeat a message, never drop one

    def _mark(self, row_id: str, handle: str) -> None:
        self._sent.append((row_id, handle))
        if self._marking is None:
            self._marking = asyncio.get_running_loop().create_task(self._write_marks())

    async def _write_marks(self) -> None:
        try:
            while self._sent:
                marks, self._sent = self._sent, []
                try:
                    await self._store.run(lambda tx, marks=marks: outbox.sent(tx, marks, self._now()))  # type: ignore[misc]
                except StoreUnavailable:  # the lease runs out, and the message may come twice
                    log.warning("sent marks were lost", count=len(marks))
        finally:
            self._marking = None

    # Media

    async def _fetch_media(self) -> None:
        for name, channel in self._channels.items():
            for item, kind, ref in await self._store.read(lambda tx, name=name: media.waiting(tx, name)):  # type: ignore[misc]
                try:
                    body = await channel.fetch(Media(kind, ref))
                    await self._store.run(lambda tx, item=item, body=body: media.fill(tx, item, body))  # type: ignore[misc]
                except SendFailure:
                    await self._store.run(lambda tx, item=item: media.failed(tx, item))  # type: ignore[misc]

    def _go(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
