"""The contract of a channel: it translates and classifies; delivery decides."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from conversations.message import Inbound, Media, Message
from storage.database import Tx


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can show. Lengths are in characters; 0 rows means that it has no buttons."""

    button_rows: int
    buttons_per_row: int
    label_length: int
    text_length: int
    can_edit: bool
    can_push: bool  # may write first, without being written to
    has_groups: bool
    carries_files: bool
    abroad: bool  # stands outside the country: pseudonyms only, no secret question (PIPL)
    takes_files: bool = True  # somebody can send a file to it
    group_buttons: bool = True  # what is written to a group may have buttons; else a link stands for them


@dataclass(frozen=True, slots=True)
class Receipt:
    """A sent message: `handle` is what `Message.edits` and `Inbound.source` speak of."""

    handle: str


class SendFailure(Exception):
    """Why a message did not leave. The text names no content and no secret."""


@dataclass(eq=False)
class RetryAt(SendFailure):
    """The platform is busy, or did not answer: try again, `seconds` from now at the earliest."""

    seconds: float


class Blocked(SendFailure):
    """The person blocked the bot or left: nothing reaches this account until he writes again."""


@dataclass(eq=False)
class Moved(SendFailure):
    """The chat has a new id (a group that grew): send there from now on."""

    chat: str


class Gone(SendFailure):
    """The chat does not exist any more."""


class Refused(SendFailure):
    """The platform will never take this message: render it plainer, or tell the operator."""


# What a channel calls for each inbound: returns once it is stored, so that only then the platform is acknowledged.
# It raises only when nothing was stored (disk full, database away): then do NOT acknowledge.
Handle = Callable[[Inbound], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A stored answer that its channel carries in the reply to the very request. One of the two is called, once:
    `carried` when all of it left, `send` to have it sent as messages of their own.
    """

    messages: Sequence[Message]
    carried: Callable[[], None]
    send: Callable[[], Awaitable[None]]


Beside = Callable[[Tx], None]  # what a channel writes in the unit of work of a turn
# As `Handle`, where the reply to a request carries the answer; None: nothing is to be said.
TakeAnswer = Callable[[Inbound, Beside], Awaitable[Answer | None]]


class Channel(Protocol):
    """One platform. Its inbound side is HTTP routes or a poller, wired in `bot/app.py`."""

    name: str
    capabilities: Capabilities

    async def send(self, chat: str, message: Message) -> Receipt:
        """Sends, or edits `message.edits` in place (sending anew where that is no longer possible)."""
        ...

    async def fetch(self, media: Media) -> bytes:
        """The bytes of a photo, voice note or file, 20 MB at most. Raises SendFailure."""
        ...

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """Tells the platform that a tap was taken (Telegram's spinner); never raises, never waited for.

        `text` is for him who tapped in a group, and for nobody else: shown where the platform has a way to.
        """
        ...


Now = Callable[[], datetime]
