"""What comes in from a chat and what goes out to one, whatever the platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

MediaKind = Literal["photo", "voice", "file"]
ChatKind = Literal["private", "group"]
# what a platform tells of a group: the bot was put into it or taken out, it has another id, somebody left it
GroupEvent = Literal["", "joined", "removed", "moved", "member_left"]


@dataclass(frozen=True, slots=True)
class Media:
    """A photo, a voice note or a file: `ref` is the platform's own handle, by which the channel fetches the bytes."""

    kind: MediaKind
    ref: str
    size: int = 0  # bytes, 0 where the platform does not say
    name: str = ""  # what a file is called by who sent it: to be shown, never to be trusted


@dataclass(frozen=True, slots=True)
class Place:
    """A point in degrees; `datum` says in which system (WGS-84, or GCJ-02 from WeChat)."""

    latitude: float
    longitude: float
    datum: str = "WGS-84"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing a person did in a chat, parsed and verified by a channel.

    `dedupe_key` is the same for each delivery of the same thing, and unique within the channel.
    Exactly what was sent is in `text` (also a photo's caption and a start link's `/start TOKEN`),
    `choice` (a button's opaque token), `media` and `place`; `sticker` and the like leave all four
    empty, which every question answers with one kind sentence.
    """

    channel: str
    account: str
    chat: str
    dedupe_key: str
    at: datetime  # aware, UTC
    text: str = ""
    choice: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    chat_kind: ChatKind = "private"
    source: str = ""  # the channel's handle of the message whose button was tapped: it may be edited in place
    event: GroupEvent = ""  # nobody said anything
    called: str = ""  # what the platform's own directory calls who writes, where he is bound to nobody
    about: str = ""  # of an event: the new id of the chat, or the account of who left


class Button(NamedTuple):
    """A label to read and the opaque token (64 bytes at most) that comes back as `Inbound.choice`."""

    label: str
    token: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file to send, made when it is sent."""

    name: str
    body: bytes


class Told(NamedTuple):
    """Which notice a message is, and what it says, for a platform that takes it through a template only."""

    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message in plain text with rows of buttons; the channel escapes, splits and numbers as it must.

    `edits` is the channel's handle of an earlier message of ours that this one takes the place of:
    a channel that cannot edit sends anew. `asks_place` wants the platform's own way to send a
    location, where it has one.
    """

    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    edits: str = ""
    document: Document | None = None
    asks_place: bool = False
    told: Told | None = None  # None: an answer
