"""What stands on the playground's phones: messages in the order they came, each with its last change.

Every write takes a `stamp` greater than all before (milliseconds, kept in `at`), so that a listener who
knows one stamp can ask for all that changed since. For this the writes must not overlap: run them with
`key=LOCK`. A message's id is made from its first stamp, so that ids sort as the messages came.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, func, insert, select, update

from storage.database import Tx
from storage.ids import instant, millis
from storage.tables import media, meta, phone_messages

LOCK = "phones"
CHANNEL = "playground"
END = "g"  # sorts after every id, in any collation

_SEALED = "phone_messages.body"
_COLUMNS = select(phone_messages.c.id, phone_messages.c.chat, phone_messages.c.at, phone_messages.c.body)
LAST = select(func.max(phone_messages.c.at))
ADD = insert(phone_messages)
CHANGE = update(phone_messages).where(phone_messages.c.id == bindparam("message")).values(
    body=bindparam("new_body"), at=bindparam("new_at"))
ONE = _COLUMNS.where(phone_messages.c.id == bindparam("message"))
OLDER = _COLUMNS.where(
    phone_messages.c.chat == bindparam("in_chat"), phone_messages.c.id < bindparam("before"),
).order_by(phone_messages.c.id.desc()).limit(bindparam("count"))
CHANGED = _COLUMNS.where(phone_messages.c.at > bindparam("after")).order_by(
    phone_messages.c.at).limit(bindparam("count"))

NOTED = select(meta.c.value).where(meta.c.name == bindparam("wanted"))
NOTE = insert(meta)
NEWCOMERS = select(meta.c.name).where(meta.c.name.like("phone/%")).order_by(meta.c.value)

ADD_MEDIA = insert(media)
MEDIA = select(media.c.kind, media.c.body).where(
    media.c.id == bindparam("ref"), media.c.channel == CHANNEL, media.c.body.is_not(None))


MediaKind = Literal["photo", "voice", "file"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class PhoneButton(_Frozen):
    """A button under a message."""

    label: str
    token: str


class PhoneDocument(_Frozen):
    """A file that came with a message."""

    name: str
    body: bytes


class PhoneMedia(_Frozen):
    """A photo, voice note or file that a person sent: `ref` is the row in `media`, `name` what a file is called."""

    kind: str
    ref: str
    name: str = ""


class PhonePlace(_Frozen):
    """A point in degrees, WGS-84."""

    latitude: float
    longitude: float


class Body(_Frozen):
    """What a message shows. `speaker` is the account that wrote it, empty for the bot; `sent_at` in milliseconds.

    `key` is the one that a person's own message was sent with; `pressed` the token of the button last tapped.
    """

    sent_at: int
    edited: bool = False
    speaker: str = ""
    key: str = ""
    text: str = ""
    buttons: tuple[tuple[PhoneButton, ...], ...] = ()
    pressed: str = ""
    document: PhoneDocument | None = None
    media: tuple[PhoneMedia, ...] = ()
    place: PhonePlace | None = None
    asks_place: bool = False


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """A message as it stands now; `stamp` is of its last change."""

    id: str
    chat: str
    stamp: int
    body: Body


def last_stamp(tx: Tx) -> int:
    """The newest change's stamp, 0 where there is none."""
    row = tx.one(LAST)
    return row[0] or 0 if row else 0


def add(tx: Tx, chat: str, body: Body) -> str:
    """Puts a message at the end of a chat; gives its id."""
    stamp = _next_stamp(tx, body.sent_at)
    message = tx.new_id(instant(stamp))
    tx.run(ADD, id=message, chat=chat, body=_seal(tx, message, body), at=stamp)
    return message


def replace(tx: Tx, chat: str, message: str, body: Body) -> bool:
    """Puts new content in a message's place, which keeps its time; False where this chat has no such message."""
    found = get(tx, message)
    if found is None or found.chat != chat:
        return False
    _change(tx, found, body.model_copy(update={"sent_at": found.body.sent_at}), body.sent_at)
    return True


def press(tx: Tx, chat: str, message: str, token: str, now: datetime) -> bool:
    """Shows a button as tapped, where the message still has it; False where this chat has no such message."""
    found = get(tx, message)
    if found is None or found.chat != chat:
        return False
    if any(button.token == token for row in found.body.buttons for button in row):
        _change(tx, found, found.body.model_copy(update={"pressed": token}), millis(now))
    return True


def get(tx: Tx, message: str) -> PhoneMessage | None:
    """One message."""
    row = tx.one(ONE, message=message)
    return _read(tx, *row) if row else None


def older(tx: Tx, chat: str, before: str, count: int) -> list[PhoneMessage]:
    """The `count` messages of a chat before a message (END: the newest), oldest first."""
    rows = tx.all(OLDER, in_chat=chat, before=before, count=count)
    return [_read(tx, *row) for row in reversed(rows)]


def changed(tx: Tx, after: int, count: int) -> list[PhoneMessage]:
    """The first `count` messages of all chats that came or changed after a stamp, in that order."""
    return [_read(tx, *row) for row in tx.all(CHANGED, after=after, count=count)]


def once(tx: Tx, chat: str, key: str, value: str = "") -> str | None:
    """Keeps a value under a key that a client made; the value kept before where the key was there already."""
    name = f"phone-key/{chat}/{key}"
    row = tx.one(NOTED, wanted=name)
    if row is not None:
        return str(row[0])
    tx.run(NOTE, name=name, value=value)
    return None


def add_newcomer(tx: Tx, phone: str, now: datetime) -> None:
    """Keeps a phone that nobody has joined with yet."""
    tx.run(NOTE, name=f"phone/{phone}", value=str(millis(now)))


def newcomers(tx: Tx) -> list[str]:
    """The ids of the phones opened by an invitation link, first come first."""
    return [name.removeprefix("phone/") for name, in tx.all(NEWCOMERS)]


def add_media(tx: Tx, kind: str, body: bytes, now: datetime) -> str:
    """Keeps an uploaded photo, voice note or file; gives its ref."""
    ref = tx.new_id(now)
    tx.run(ADD_MEDIA, id=ref, channel=CHANNEL, kind=kind, ref=tx.keys.seal(ref.encode(), "media.ref", ref),
           body=tx.keys.seal(body, "media.body", ref), attempts=0, created_at=millis(now))
    return ref


def get_media(tx: Tx, ref: str) -> tuple[MediaKind, bytes] | None:
    """The kind and bytes of an upload."""
    row = tx.one(MEDIA, ref=ref)
    return (row[0], tx.keys.open(row[1], "media.body", ref)) if row else None


def _next_stamp(tx: Tx, wanted: int) -> int:
    return max(wanted, last_stamp(tx) + 1)


def _change(tx: Tx, found: PhoneMessage, body: Body, at: int) -> None:
    sealed = _seal(tx, found.id, body.model_copy(update={"edited": True}))
    tx.run(CHANGE, message=found.id, new_body=sealed, new_at=_next_stamp(tx, at))


def _seal(tx: Tx, message: str, body: Body) -> bytes:
    return tx.keys.seal(body.model_dump_json(exclude_defaults=True).encode(), _SEALED, message)


def _read(tx: Tx, message: str, chat: str, stamp: int, sealed: bytes) -> PhoneMessage:
    return PhoneMessage(message, chat, stamp, Body.model_validate_json(tx.keys.open(sealed, _SEALED, message)))
