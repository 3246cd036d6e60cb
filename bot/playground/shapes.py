"""The shapes that go over the wire: requests as they are accepted, and phones, messages and events as shown."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.channels.playground import TOKEN_BYTES, Phone
from storage.ids import instant
from storage.phones import PhoneMessage

ROOT = "/playground"
API = f"{ROOT}/api"

# what each kind may begin with, and the type it is shown as: never the one that the sender claims
SIGNATURES: dict[str, tuple[tuple[int, bytes, str], ...]] = {
    "photo": ((0, b"\xff\xd8\xff", "image/jpeg"), (0, b"\x89PNG\r\n\x1a\n", "image/png"), (0, b"GIF8", "image/gif"),
              (8, b"WEBP", "image/webp")),
    "file": ((0, b"PK\x03\x04", "application/octet-stream"),  # .xlsx
             (0, bytes.fromhex("d0cf11e0a1b11ae1"), "application/octet-stream")),  # .xls
    "voice": ((0, b"OggS", "audio/ogg"), (0, b"\x1a\x45\xdf\xa3", "audio/webm"), (0, b"ID3", "audio/mpeg"),
              (0, b"\xff\xfb", "audio/mpeg"), (0, b"\xff\xf3", "audio/mpeg"), (4, b"ftyp", "audio/mp4"),
              (8, b"WAVE", "audio/wav"), (0, b"#!AMR", "audio/amr")),
}

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlaceSent(_Request):
    """A point in degrees, WGS-84."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Sent(_Request):
    """One thing that a person does on a phone: exactly one of text, choice, place, media.

    Beside media there may be text, or the `name` of a file.
    """

    key: Key
    text: Annotated[str, Field(min_length=1)] | None = None
    choice: Annotated[str, Field(min_length=1, max_length=TOKEN_BYTES)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    place: PlaceSent | None = None
    media: Annotated[list[str], Field(min_length=1, max_length=10)] | None = None
    name: Annotated[str, Field(max_length=200)] = ""
    speaker: Annotated[str | None, Field(alias="as")] = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.choice is None) != (self.source is None):
            raise ValueError("choice and source come together")
        if self.name and self.media is None:
            raise ValueError("name is of media")
        text = self.text if self.media is None else None
        if sum(thing is not None for thing in (text, self.choice, self.place, self.media)) != 1:
            raise ValueError("exactly one of text, choice, place, media")
        return self


class Joining(_Request):
    """The token of an invitation link."""

    key: Key
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Moving(BaseModel):
    """Where the clock is to go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: datetime


def media_type(kind: str, body: bytes) -> str | None:
    """What the bytes are by their beginning, None where they are no such kind."""
    return next((shown for at, start, shown in SIGNATURES[kind] if body.startswith(start, at)), None)


def iso(at: datetime) -> str:
    """UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def phone(of: Phone) -> dict[str, Any]:
    """A phone as the page gets it."""
    return {"id": of.id, "title": of.title, "subtitle": of.subtitle, "kind": of.kind,
            "members": [{"id": member.id, "name": member.name} for member in of.members]}


def message(of: PhoneMessage) -> dict[str, Any]:
    """A message as the page gets it; the bytes of files stand behind their URLs."""
    body = of.body
    return {
        "id": of.id, "phone": of.chat, "stamp": of.stamp, "at": iso(instant(body.sent_at)), "edited": body.edited,
        "speaker": body.speaker, "key": body.key, "text": body.text,
        "buttons": [[{"label": b.label, "token": b.token} for b in row] for row in body.buttons],
        "pressed": body.pressed,
        "document": {"name": body.document.name, "size": len(body.document.body),
                     "url": f"{API}/documents/{of.id}"} if body.document else None,
        "media": [{"kind": m.kind, "ref": m.ref, "name": m.name, "url": f"{API}/media/{m.ref}"} for m in body.media],
        "place": {"latitude": body.place.latitude, "longitude": body.place.longitude} if body.place else None,
        "asks_place": body.asks_place,
    }


def event(name: bytes, stamp: int, value: dict[str, Any]) -> bytes:
    """One server-sent event; who comes back with its id gets what changed after `stamp`."""
    return b"event: %b\nid: %d\ndata: %b\n\n" % (name, stamp, orjson.dumps(value))
