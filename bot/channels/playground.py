"""The playground's side of the contract: a small chat platform of its own, kept in the store.

The rows are the truth; listeners are only woken, and read from the rows what they have not seen. A listener
in another process is not woken: it looks again every POLL seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from bot.channels.base import Capabilities, Gone, Now, Receipt, Refused, RetryAt
from conversations.message import Inbound, Media, Message
from storage import phones
from storage.database import Store, StoreUnavailable, Tx
from storage.ids import millis

TEXT_LENGTH = 4096
TOKEN_BYTES = 64
BUSY_SECONDS = 1.0
POLL = 2.0  # seconds
BATCH = 50  # messages that a listener takes at once

_CAPABILITIES = Capabilities(
    button_rows=100, buttons_per_row=4, label_length=60, text_length=TEXT_LENGTH, can_edit=True, can_push=True,
    has_groups=True, carries_files=True, abroad=False,
)


@dataclass(frozen=True, slots=True)
class Member:
    """Who can speak on a group's phone: an account of the channel, and the name to show."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone on the page: its id is the chat's, and for a person also the account's."""

    id: str
    title: str
    subtitle: str = ""
    kind: Literal["person", "group"] = "person"
    members: tuple[Member, ...] = ()


Phones = Callable[[], Awaitable[list[Phone]]]


class Playground:
    """The channel."""

    name = phones.CHANNEL
    capabilities = _CAPABILITIES

    def __init__(self, store: Store, now: Now) -> None:
        self.store = store
        self.now = now
        self._bells: set[asyncio.Event] = set()
        self._closed = False

    async def send(self, chat: str, message: Message) -> Receipt:
        """Keeps the message and shows it. Raises Refused where it goes beyond the capabilities, else RetryAt."""
        _check(message)
        body = phones.Body(
            sent_at=millis(self.now()), text=message.text, asks_place=message.asks_place,
            buttons=tuple(tuple(phones.PhoneButton(label=b.label, token=b.token) for b in row)
                          for row in message.buttons),
            document=phones.PhoneDocument(name=message.document.name, body=message.document.body)
            if message.document else None,
        )

        def work(tx: Tx) -> str:
            if message.edits and phones.replace(tx, chat, message.edits, body):
                return message.edits
            return phones.add(tx, chat, body)

        try:
            handle = await self.store.run(work, key=phones.LOCK)
        except StoreUnavailable as error:
            raise RetryAt(BUSY_SECONDS) from error
        self.wake()
        return Receipt(handle)

    async def fetch(self, media: Media) -> bytes:
        """The bytes of an upload. Raises Gone, or RetryAt where the store is away."""
        try:
            found = await self.store.read(lambda tx: phones.get_media(tx, media.ref))
        except StoreUnavailable as error:
            raise RetryAt(BUSY_SECONDS) from error
        if found is None:
            raise Gone
        return found[1]

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """Nothing to tell: the page shows by itself that a button was pressed, and everybody has a phone."""

    async def hear(self, inbound: Inbound, key: str) -> None:
        """Puts what a person did on his phone, once for each key. Raises StoreUnavailable."""
        body = phones.Body(
            sent_at=millis(inbound.at), speaker=inbound.account, key=key,
            text=inbound.text.split()[0] if inbound.text.startswith("/start ") else inbound.text,  # not the token
            media=tuple(phones.PhoneMedia(kind=m.kind, ref=m.ref, name=m.name) for m in inbound.media),
            place=phones.PhonePlace(latitude=inbound.place.latitude, longitude=inbound.place.longitude)
            if inbound.place else None,
        )

        def work(tx: Tx) -> None:
            if phones.once(tx, inbound.chat, key) is not None:
                return
            if inbound.choice:
                phones.press(tx, inbound.chat, inbound.source, inbound.choice, inbound.at)
            else:
                phones.add(tx, inbound.chat, body)

        await self.store.run(work, key=phones.LOCK)
        self.wake()

    async def open_phone(self, key: str, random_id: str) -> str:
        """A new phone for a newcomer; the same one again for the same key. Raises StoreUnavailable."""
        def work(tx: Tx) -> str:
            known = phones.once(tx, "", key, random_id)
            if known is not None:
                return known
            phones.add_newcomer(tx, random_id, self.now())
            return random_id

        return await self.store.run(work, key=phones.LOCK)

    async def changes(self, after: int) -> AsyncIterator[list[phones.PhoneMessage]]:
        """What came or changed after a stamp, as it happens, oldest first; an empty list every POLL seconds
        and at each `wake` that brought nothing. Ends at `close`. Raises StoreUnavailable.
        """
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            while not self._closed:
                bell.clear()
                found = await self.store.read(partial(phones.changed, after=after, count=BATCH))
                if found:
                    after = found[-1].stamp
                yield found
                if len(found) < BATCH:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(bell.wait(), POLL)
        finally:
            self._bells.discard(bell)

    def wake(self) -> None:
        """Lets every listener of this process look again."""
        for bell in self._bells:
            bell.set()

    def close(self) -> None:
        """Ends every listener: call it before the HTTP server stops, which waits for open requests."""
        self._closed = True
        self.wake()


def _check(message: Message) -> None:
    limits = _CAPABILITIES
    buttons = [button for row in message.buttons for button in row]
    wrong = {
        "no text and no file": not message.text and message.document is None,
        "text too long": len(message.text) > limits.text_length,
        "too many rows of buttons": len(message.buttons) > limits.button_rows,
        "a row of no or too many buttons": any(not 0 < len(row) <= limits.buttons_per_row for row in message.buttons),
        "a label empty or too long": any(not 0 < len(b.label) <= limits.label_length for b in buttons),
        "a token empty or too long": any(not 0 < len(b.token.encode()) <= TOKEN_BYTES for b in buttons),
    }
    for reason, is_wrong in wrong.items():
        if is_wrong:
            raise Refused(reason)
