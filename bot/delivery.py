"""From the outbox to the channels: order per chat, retries by stored times, and nothing dropped in silence."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bot.channels.base import Answer, Blocked, Channel, Gone, Moved, Now, Receipt, Refused, RetryAt, SendFailure
from bot.marks import Marks
from bot.metrics import WAITING, sends
from bot.render import fit, reachable
from conversations import menus, pages
from conversations.engine import Part
from conversations.message import Document, Inbound, Message, Told
from conversations.say import messages
from conversations.telling import parts as parts_of
from conversations.turn import House
from conversations.words_book import Words
from scheduler import holding, village_groups
from scheduler.alert_notices import AlertRaised
from storage import accounts, alert_told, files, outbox
from storage.database import Store, StoreUnavailable, Tx
from storage.outbox import Outgoing

log = structlog.get_logger()

BEAT = 1.0  # seconds between looks at what waits
ALERT_BEAT = 0.2  # and at alerts
SLOW = 0.5  # seconds after which what has left is marked, while other messages of its round still leave
LONGEST_WAIT = 300.0  # seconds between two tries of one message
ALERT_WAIT = 10.0  # and of an alert, which is to leave as soon as its platform is back, for so many tries
QUICK_TRIES = 400
MOST_TRIES = 100  # and after those of an alert
LATE = timedelta(hours=1)  # so late a platform may say that something did not arrive
PRINTED = "visit_record"
OPEN_ABROAD = frozenset({PRINTED, "qr", "plan"})  # what gives no full name abroad; others wait behind a page there
Chat = tuple[str, str]
MakeDocument = Callable[[dict[str, Any], Words], Awaitable[Document | None]]


class Delivery:
    """Sends what is in the outbox. `send_soon` is the quick way for rows just born leased to this process."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], house: House, now: Now,
                 make_document: MakeDocument) -> None:
        self._store = store
        self._channels = channels
        self._house = house
        self._now = now
        self._make_document = make_document
        self._words = {name: Words(abroad=channel.capabilities.abroad) for name, channel in channels.items()}
        self._queues: dict[Chat, deque[Outgoing]] = {}
        self._own: set[str] = set()  # rows in those queues or leaving from them
        self._held: set[Chat] = set()  # chats where something older waits in the outbox
        self.marks = Marks()
        self._tasks: set[asyncio.Task[None]] = set()

    def send_soon(self, row: Outgoing) -> None:
        """Sends the row after what is before it in its chat; never waits."""
        chat = (row.channel, row.chat)
        self._own.add(row.id)
        queue = self._queues.get(chat)
        if queue is not None:
            queue.append(row)
            return
        self._queues[chat] = deque((row,))
        self._go(self._drain(chat))

    async def carry(self, row: Outgoing, *, own: bool) -> Answer:
        """An answer for a channel that carries it in the reply to its request. `own`: it was just born leased to this
        process; another one is sent, where it is not carried, by whoever holds its lease.
        """
        if own:
            self._own.add(row.id)
        can = self._channels[row.channel].capabilities
        composed = await self._compose(row, row.fields["parts"], self._channels[row.channel])

        def carried() -> None:
            self._own.discard(row.id)
            sends(row.channel, "carried").inc()
            self.marks.left(row, outbox.CARRIED)

        async def send() -> None:
            with suppress(StoreUnavailable):  # then its lease runs out
                if own and await self._store.read(partial(outbox.is_waiting, row_id=row.id)):
                    self.send_soon(row)
                    return
            self._own.discard(row.id)

        return Answer([fit(message, can) for message in composed], carried, send)

    def settle_soon(self, inbound: Inbound, said: Sequence[Part] = ()) -> None:
        """Tells the platform that a tap was taken, in a group with the first of what is said; never waits."""
        channel = self._channels.get(inbound.channel)
        if channel is not None:
            text = self._words[inbound.channel].say(*said[0]) if said and inbound.chat_kind == "group" else ""
            self._go(channel.settle(inbound, text))

    async def take_over(self) -> None:
        """What a process before this one left unsent goes first in its chat; called before anything comes in."""
        alone = self._store.dialect == "sqlite"
        left = await self._store.run(lambda tx: outbox.take_over(tx, self._now(), alone=alone))
        self._held.update(left.chats)
        for row in left.due:
            self.send_soon(row)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks once a beat for rows that wait: left by a crash, held back, or due now."""
        while not stop.is_set():
            try:
                await self.sweep()
            except StoreUnavailable:
                log.warning("the outbox cannot be read")
            except Exception as error:  # the next look may go well; without any, nothing waiting is ever sent
                log.error("the outbox was left", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT)

    async def run_alerts(self, stop: asyncio.Event) -> None:
        """Looks for alerts by itself, and waits for none to arrive: no reminder and no slow platform holds one up."""
        while not stop.is_set():
            taken = 0
            try:
                if await self._store.read(lambda tx: outbox.alerts_wait(tx, self._now())):
                    rows = await self._store.run(lambda tx: outbox.take(tx, self._now(), lanes=("alert",)))
                    taken = len(rows)
                    for row in rows:
                        self._own.add(row.id)
                        self._go(self._send_alert(row))
            except StoreUnavailable:
                log.warning("the outbox cannot be read")
            except Exception as error:
                log.error("the outbox was left", error=type(error).__name__)
            if not taken:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), ALERT_BEAT)

    async def _send_alert(self, row: Outgoing) -> None:
        """Sends it, and marks it, so that what comes after it in its chat is free."""
        await self._sent_or_told(row)
        self._own.discard(row.id)
        await self.flush()

    async def sweep(self) -> int:
        """Takes what is due and free, and sends it; gives how many rows it took."""
        taken = 0
        while rows := await self._next_round():
            taken += len(rows)
            chats = {(row.channel, row.chat) for row in rows if row.lane != "reminder"}
            self._held |= chats  # what is newer there waits its turn, save behind a reminder
            await self._send_round([row for row in rows if row.id not in self._own])
            if chats:
                await self.flush()
                await self._let_go(chats)
        await self._let_go(self._held.copy())
        for lane, count in (await self._store.read(outbox.depth)).items():
            WAITING.labels(lane).set(count)
        return taken

    async def not_through(self, channel: str, chat: str, handle: str) -> None:
        """The platform took a message, and says later that it did not arrive. Raises StoreUnavailable."""
        def work(tx: Tx) -> None:
            if row := outbox.of_receipt(tx, channel, chat, handle, self._now() - LATE):
                _not_through(tx, row, self._now())

        await self.flush()
        await self._store.run(work)

    async def _next_round(self) -> list[Outgoing]:
        """Takes what leaves next; with the same commit what left in the round before is marked."""
        now = self._now()
        return await self.marks.written(
            self._store, now, lambda tx: holding.take(tx, now, self._house.policy), patient=True)

    async def _send_round(self, rows: Sequence[Outgoing]) -> None:
        """Sends them all at once; where a platform is slow, what has left is marked meanwhile."""
        sending = {asyncio.create_task(self._send(row)) for row in rows}
        left: set[asyncio.Task[bool]] = set()
        try:
            while sending:
                done, sending = await asyncio.wait(sending, timeout=SLOW)
                left |= done
                if sending:
                    await self.flush()
        finally:
            for each in sending:
                each.cancel()
        for each in left:
            each.result()

    async def settle(self) -> None:
        """Returns once everything that was sent soon has left and is marked."""
        while self._tasks:
            await asyncio.gather(*self._tasks)
        await self.flush()

    # Sending

    async def _let_go(self, chats: set[Chat]) -> None:
        """Chats where nothing waits any more take the quick way again."""
        for chat in chats:
            if not await self._store.read(partial(outbox.waits, channel=chat[0], chat=chat[1])):
                self._held.discard(chat)

    async def _drain(self, chat: Chat) -> None:
        queue = self._queues[chat]
        try:
            while queue:
                row = queue.popleft()
                if chat in self._held or not await self._sent_or_told(row):
                    await self._hold(chat, row)
                self._own.discard(row.id)
                if row.kind != "reply":  # its buttons are kept at once
                    await self.flush()
        finally:
            del self._queues[chat]

    async def _sent_or_told(self, row: Outgoing) -> bool:
        """As `_send`; a row about which nothing could be written stays leased, and is taken when that runs out."""
        try:
            return await self._send(row)
        except StoreUnavailable:
            return False

    async def _hold(self, chat: Chat, row: Outgoing) -> None:
        """Something older waits there: this row stands in line behind it."""
        self._own.discard(row.id)
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
            parts = await self._parts(row, channel)
            if parts is None:
                await self._drop(row, "not wanted any more")
                return True
            for message in await self._compose(row, parts, channel):
                receipt = await channel.send(row.chat, fit(message, channel.capabilities))
        except SendFailure as failure:
            return await self._failed(row, failure)
        except Exception as error:  # a fault of ours: the chat must not stop for ever, nor the message be lost at once
            log.error("sending failed", channel=row.channel, kind=row.kind, error=type(error).__name__)
            return await self._failed(row, RetryAt(BEAT))
        sends(row.channel, "sent").inc()
        self.marks.left(row, receipt.handle, () if row.kind == "reply" else parts)
        return True

    async def _parts(self, row: Outgoing, channel: Channel) -> Sequence[Part] | None:
        """What a row says: an answer as it was given, a notice as it stands now; None: not wanted any more."""
        if row.kind == "reply":
            answered: Sequence[Part] = row.fields["parts"]
            return answered
        today = self._now().astimezone(self._house.policy.zone).date()

        def told(tx: Tx) -> Sequence[Part] | None:
            parts = parts_of(tx, row.kind, row.fields, today)
            return menus.notice(tx, row.channel, row.chat, tuple(parts)) if parts and row.lane == "alert" else parts

        notice = await self._store.read(told, patient=row.lane == "reminder")
        return reachable(notice, channel.capabilities, self._house.public) if notice else None

    async def _compose(self, row: Outgoing, parts: Sequence[Part], channel: Channel) -> list[Message]:
        words = self._words[row.channel]
        try:
            edits = next((fields["edits"] for _, fields in parts if "edits" in fields), row.fields.get("edits", ""))
            composed = messages(parts, words, self._house.book, edits)
            if row.kind != "reply":
                told = Told(row.kind, {name: value for _, fields in parts for name, value in fields.items()})
                composed = [replace(message, told=told) for message in composed]
            wanted = next((fields["document"] for _, fields in parts if "document" in fields), None)
            return await self._with_document(row, wanted, composed, channel) if wanted else composed
        except Exception as error:  # a plain sentence goes out, and the operator is told
            log.error("message could not be rendered", kind=row.kind, parts=[part[0] for part in parts],
                      error=type(error).__name__)
            sends(row.channel, "unrendered").inc()
            return [Message(words.say("menu.fallback"))]

    async def _with_document(self, row: Outgoing, wanted: dict[str, Any], composed: list[Message], channel: Channel,
                             ) -> list[Message]:
        """The first message with its file; behind a single-use page where a channel carries none, or may not."""
        words, (first, *others), can = self._words[row.channel], composed, channel.capabilities
        document = await self._make_document({**wanted, "chat": (row.channel, row.chat)}, words)
        if document is None:
            return [replace(first, text=f"{first.text}\n\n{words.say('files.gone')}"), *others]
        if can.carries_files and (not can.abroad or wanted.get("kind", PRINTED) in OPEN_ABROAD):
            return [replace(first, document=document), *others]

        def offered(tx: Tx) -> Sequence[Part]:
            bound, now = accounts.in_chat(tx, row.channel, row.chat), self._now()
            if bound is None:
                return ()
            file = wanted.get("file") or files.add(tx, "document", bound[1], document.name, document.body, now)
            return pages.offer(tx, self._house.public, "download", bound[1], now, file)

        link = messages(await self._store.run(offered), words, self._house.book)
        return [*link, first, *others]

    async def _failed(self, row: Outgoing, failure: SendFailure) -> bool:
        sends(row.channel, type(failure).__name__.lower()).inc()
        now = self._now()
        if isinstance(failure, RetryAt):
            quick = QUICK_TRIES if row.lane == "alert" else 0
            if row.attempts >= quick + MOST_TRIES:
                await self._drop(row, "gave up")
                return True
            growing = min(2.0 ** min(row.attempts, 9), ALERT_WAIT if row.attempts < quick else LONGEST_WAIT)
            wait = timedelta(seconds=min(max(failure.seconds, growing), LONGEST_WAIT))

            def again(tx: Tx) -> None:
                outbox.retry(tx, row.id, now + wait)
                if row.attempts:
                    _not_through(tx, row, now)
                holding.give_back(tx, row, now, self._house.policy)

            await self._store.run(again)
            return False
        if isinstance(failure, Moved):
            moved = failure.chat

            def there(tx: Tx) -> None:
                village_groups.moved(tx, row.channel, row.chat, moved, now)
                holding.give_back(tx, row, now, self._house.policy)

            await self._store.run(there)
            return False
        if isinstance(failure, Blocked | Gone):
            def away(tx: Tx) -> None:
                accounts.blocked(tx, row.channel, row.chat, now)
                village_groups.lost(tx, row.channel, row.chat, now)

            await self._store.run(away)
        elif isinstance(failure, Refused):
            log.error("message refused by the platform", channel=row.channel, kind=row.kind)
        await self._drop(row, type(failure).__name__.lower())
        return True

    async def _drop(self, row: Outgoing, why: str) -> None:
        now = self._now()

        def work(tx: Tx) -> None:
            outbox.drop(tx, row.id, why, now)
            _not_through(tx, row, now)
            holding.give_back(tx, row, now, self._house.policy)

        await self._store.run(work)

    async def flush(self) -> None:
        """Writes the marks that wait; where the store takes nothing, they go on waiting."""
        if self.marks:
            try:
                await self.marks.written(self._store, self._now(), lambda tx: None, patient=False)
            except StoreUnavailable:
                log.warning("sent marks could not be written")

    def _go(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _not_through(tx: Tx, row: Outgoing, now: datetime) -> None:
    """An alert that a second try did not get through goes out on the next channel, while this one is tried on."""
    if row.kind == AlertRaised.kind:
        alert_told.failed(tx, row.fields["alert"], row.fields["person"], row.channel, now)
