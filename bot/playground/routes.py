"""The playground's HTTP side: its page, JSON requests and a stream of events (docs/playground.md)."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.channels.base import Handle
from bot.channels.playground import Phone, Phones, Playground
from bot.playground import shapes
from bot.playground.guard import OWN_HOSTS, Guard, read_body
from bot.playground.shapes import Joining, Moving, Sent
from conversations.message import Inbound, Media, Place
from storage import phones as ledger
from storage.database import StoreUnavailable
from storage.files import MOST_BYTES

API = shapes.API
PAGE_FILES = {"": "index.html", "/style.css": "style.css", "/page.js": "page.js", "/phone.js": "phone.js",
              "/wire.js": "wire.js", "/icon.svg": "icon.svg"}
JSON_LIMIT = 64 * 1024  # bytes
MEDIA_LIMIT = 10 * 1024 * 1024  # bytes
MEDIA_TYPES = ("image/", "audio/", "video/webm", "application/octet-stream")
FILE_TYPES = ("application/octet-stream", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.")
LONGEST_MOVE = timedelta(days=366)  # the clock never goes back: a mistyped year would spoil the data
RETRY = 1000  # milliseconds until a browser connects again
UNSEEN = 100  # messages at once

T = TypeVar("T", bound=BaseModel)


class Clock(Protocol):
    """The playground's clock, which only goes forward."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    async def move(self, to: datetime) -> None:
        """Sets the clock to a later time, and does what is due by then."""
        ...


class _Desk:
    """The handlers of one playground."""

    def __init__(self, playground: Playground, phones: Phones, handle: Handle, clock: Clock) -> None:
        self._playground = playground
        self._store = playground.store
        self._phones = phones
        self._handle = handle
        self._clock = clock

    async def phones(self, request: Request) -> Response:
        return JSONResponse({"phones": [shapes.phone(phone) for phone in await self._all()]})

    async def join(self, request: Request) -> Response:
        joining = await _parse(request, Joining)
        phone = await self._playground.open_phone(joining.key, secrets.token_hex(8))
        await self._take(Inbound(self._playground.name, phone, phone, f"{phone}/{joining.key}",
                                 self._clock.now(), text=f"/start {joining.token}"), joining.key)
        return JSONResponse({"phone": phone}, status_code=202)

    async def messages(self, request: Request) -> Response:
        phone = await self._find(request)
        before = request.query_params.get("before", ledger.END)
        count = _number(request, "limit", 50, 1, UNSEEN)
        found, cursor = await self._store.read(
            lambda tx: (ledger.older(tx, phone.id, before, count + 1), ledger.last_stamp(tx)))
        shown = found[-count:]
        return JSONResponse({"messages": [shapes.message(m) for m in shown], "earlier": len(found) > count,
                             "cursor": cursor})

    async def say(self, request: Request) -> Response:
        phone = await self._find(request)
        sent = await _parse(request, Sent)
        account = _speaker(phone, sent.speaker)
        media = tuple([await self._media(ref, sent.name) for ref in sent.media or ()])
        if len(media) > 1 and any(each.kind == "file" for each in media):
            raise HTTPException(422, "a file comes alone")
        if sent.source is not None:
            source, chat = sent.source, phone.id
            of_message = await self._store.read(lambda tx: ledger.get(tx, source))
            if of_message is None or of_message.chat != chat:
                raise HTTPException(404, "there is no such message on this phone")
        await self._take(Inbound(
            self._playground.name, account, phone.id, f"{phone.id}/{sent.key}", self._clock.now(),
            text=sent.text or "", choice=sent.choice or "", source=sent.source or "", media=media,
            place=Place(sent.place.latitude, sent.place.longitude) if sent.place else None,
            chat_kind="group" if phone.kind == "group" else "private",
        ), sent.key)
        return JSONResponse({}, status_code=202)

    async def upload(self, request: Request) -> Response:
        await self._find(request)
        kind = request.query_params.get("kind", "")
        if kind not in shapes.SIGNATURES:
            raise HTTPException(422, "kind must be photo, voice or file")
        file = kind == "file"
        body = await read_body(request, MOST_BYTES if file else MEDIA_LIMIT, FILE_TYPES if file else MEDIA_TYPES)
        if shapes.media_type(kind, body) is None:
            wanted = "spreadsheet" if file else f"{kind} that a browser can show"
            raise HTTPException(415, f"these bytes are no {wanted}")
        ref = await self._store.run(lambda tx: ledger.add_media(tx, kind, body, self._clock.now()))
        return JSONResponse({"ref": ref, "kind": kind, "size": len(body)}, status_code=201)

    async def media(self, request: Request) -> Response:
        ref = request.path_params["ref"]
        found = await self._store.read(lambda tx: ledger.get_media(tx, ref))
        if found is None:
            raise HTTPException(404, "there is no such photo, voice note or file")
        headers = {"content-disposition": "attachment"} if found[0] == "file" else None
        return Response(found[1], media_type=shapes.media_type(*found) or "application/octet-stream", headers=headers)

    async def document(self, request: Request) -> Response:
        message = request.path_params["message"]
        found = await self._store.read(lambda tx: ledger.get(tx, message))
        if found is None or found.body.document is None:
            raise HTTPException(404, "there is no such document")
        return Response(found.body.document.body, media_type="application/octet-stream", headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(found.body.document.name, safe='')}"})

    async def events(self, request: Request) -> Response:
        last = request.headers.get("last-event-id") or request.query_params.get("after")
        if last is not None and not (last.isascii() and last.isdigit() and len(last) < 16):
            raise HTTPException(422, "Last-Event-ID or after must be a number")
        after = int(last) if last else await self._store.read(ledger.last_stamp)
        return StreamingResponse(self._stream(after), media_type="text/event-stream")

    async def clock(self, request: Request) -> Response:
        return JSONResponse(self._time())

    async def move(self, request: Request) -> Response:
        to = (await _parse(request, Moving)).to
        now = self._clock.now()
        if to.tzinfo is None:
            raise HTTPException(422, "to must name its offset, as in 2026-03-05T08:30:00+08:00")
        if to < now:
            raise HTTPException(409, f"the clock only goes forward: it is {shapes.iso(now)} already")
        if to - now > LONGEST_MOVE:
            raise HTTPException(422, f"the clock goes {LONGEST_MOVE.days} days forward at most")
        await self._clock.move(to.astimezone(UTC))
        self._playground.wake()
        return JSONResponse(self._time())

    async def _all(self) -> list[Phone]:
        known = await self._phones()
        ids = {phone.id for phone in known}
        joining = await self._store.read(ledger.newcomers)
        return known + [Phone(phone, "") for phone in joining if phone not in ids]

    async def _find(self, request: Request) -> Phone:
        wanted = request.path_params["phone"]
        for phone in await self._all():
            if phone.id == wanted:
                return phone
        raise HTTPException(404, "there is no such phone")

    async def _media(self, ref: str, name: str) -> Media:
        found = await self._store.read(lambda tx: ledger.get_media(tx, ref))
        if found is None:
            raise HTTPException(422, "media names an upload that is not there")
        return Media(found[0], ref, len(found[1]), name)

    async def _take(self, inbound: Inbound, key: str) -> None:
        await self._playground.hear(inbound, key)
        try:
            await self._handle(inbound)
        except Exception as error:  # the contract of Handle: nothing was stored
            raise HTTPException(503, "not stored: send it again with the same key") from error

    async def _stream(self, after: int) -> AsyncIterator[bytes]:
        yield b"retry: %d\n\n" % RETRY
        try:
            async for messages in self._playground.changes(after):
                for message in messages:
                    after = message.stamp
                    yield shapes.event(b"edited" if message.body.edited else b"new", after, shapes.message(message))
                yield shapes.event(b"clock", after, self._time())
        except StoreUnavailable:
            return  # the browser comes again, with the last id that it saw

    def _time(self) -> dict[str, str]:
        return {"now": shapes.iso(self._clock.now())}


def build_routes(playground: Playground, phones: Phones, handle: Handle, clock: Clock,
                 hosts: frozenset[str] = OWN_HOSTS) -> list[Route]:
    """The routes under `/playground`. `hosts`: the names (without port) under which the page may be asked for."""
    desk = _Desk(playground, phones, handle, clock)
    guard = [Middleware(Guard, hosts=hosts)]
    served: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/phones", desk.phones), ("POST", "/phones", desk.join),
        ("GET", "/phones/{phone}/messages", desk.messages), ("POST", "/phones/{phone}/messages", desk.say),
        ("POST", "/phones/{phone}/media", desk.upload), ("GET", "/media/{ref}", desk.media),
        ("GET", "/documents/{message}", desk.document), ("GET", "/events", desk.events),
        ("GET", "/clock", desk.clock), ("POST", "/clock", desk.move),
    ]
    pages = [Route(shapes.ROOT + path, _file(name), middleware=guard) for path, name in PAGE_FILES.items()]
    pages.append(Route("/", _to_page, middleware=guard))
    return pages + [Route(API + path, _answering(handler), methods=[method], middleware=guard)
                    for method, path, handler in served]


def _answering(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Gives errors as JSON."""
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except HTTPException as error:
            return JSONResponse({"error": error.detail}, status_code=error.status_code)
        except StoreUnavailable:
            return JSONResponse({"error": "the database is away: try again"}, status_code=503)

    return answer


async def _to_page(request: Request) -> Response:
    return RedirectResponse(shapes.ROOT)


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return FileResponse(Path(__file__).parent / name, headers={"cache-control": "no-cache"})

    return answer


async def _parse(request: Request, model: type[T]) -> T:
    body = await read_body(request, JSON_LIMIT, ("application/json",))
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors(
            include_url=False, include_input=False, include_context=False)]
        raise HTTPException(422, "; ".join(problems)) from None


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise HTTPException(422, f"{name} must be a number from {least} to {most}")
    return int(text)


def _speaker(phone: Phone, speaker: str | None) -> str:
    if phone.kind == "person":
        if speaker is not None:
            raise HTTPException(422, "as is for groups only")
        return phone.id
    if speaker not in {member.id for member in phone.members}:
        raise HTTPException(422, "as must name a member of the group")
    return speaker or ""
