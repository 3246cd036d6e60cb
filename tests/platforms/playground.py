"""The playground, by the requests and the event stream that its page uses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette

from bot.channels.playground import Member, Phone, Playground
from bot.playground.routes import build_routes
from tests.fakes.chat_ledgers import FILES
from tests.fakes.house import PEOPLE, PHONES, STRANGER, Originals, Running, Shown, find_account
from tests.fakes.served import served
from tests.platforms.stage import OnPlatform

API = "/playground/api"
GROUP = "village"
ACCOUNTS = [*(account for account, *_ in PEOPLE.values()), *PHONES.values(), STRANGER]
BYTES = {"photo": b"\x89PNG\r\n\x1a\n made up", "voice": b"OggS made up"}


class PlaygroundPlatform:
    """The page's side of the playground: one phone for each person, and the group's."""

    def __init__(self, channel: Playground, http: httpx.AsyncClient) -> None:
        self.channel, self._http = channel, http
        self._keys = count(1)
        self._cursor = 0
        self._said: list[tuple[str, dict[str, Any]]] = []
        self._files: dict[str, str] = {}  # phone -> where the last file lies
        self._blocked: set[str] = set()

    async def does(self, who: str, fields: dict[str, Any]) -> int:
        phone = find_account(who)
        said: dict[str, Any]
        match fields:
            case {"choice": choice, "source": source}:
                said = {"choice": choice, "source": source}
            case {"chat_kind": "group", "text": text}:
                phone, said = GROUP, {"text": text, "as": phone}
            case {"media": (media,)}:
                said = {"media": [await self._upload(phone, media.kind, BYTES.get(media.kind) or FILES[media.name])]}
                said |= {"name": media.name} if media.kind == "file" else {}
                said |= {"text": fields["text"]} if fields.get("text") else {}
            case {"place": place}:
                said = {"place": {"latitude": place.latitude, "longitude": place.longitude}}
            case {"text": text}:
                said = {"text": text}
            case _:
                raise NotImplementedError(fields)  # nobody blocks the page, and it has no stickers
        said["key"] = f"key-{next(self._keys):08d}"
        await self._post(f"{API}/phones/{phone}/messages", said)
        self._said.append((phone, said))
        return 1

    async def again(self, count: int) -> None:
        for phone, said in self._said[-count:]:
            await self._post(f"{API}/phones/{phone}/messages", said)

    async def rests(self) -> None:
        """A post was handled when it is answered."""

    async def news(self) -> list[tuple[str, Shown]]:
        found: list[tuple[str, Shown]] = []
        async with self._http.stream("GET", f"{API}/events", params={"after": self._cursor}) as stream:
            name = ""
            async for line in stream.aiter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event" and value == "clock":  # all that there was is told
                    break
                if kind == "event":
                    name = value
                elif kind == "data" and name in ("new", "edited"):
                    message = orjson.loads(value)
                    self._cursor = message["stamp"]
                    if not message["speaker"] and not message["pressed"]:
                        found.append((message["phone"], self._shown(message)))
        return found

    async def file(self, who: str) -> bytes:
        return (await self._http.get(self._files[find_account(who)])).content

    def _shown(self, message: dict[str, Any]) -> Shown:
        if document := message["document"]:
            self._files[message["phone"]] = document["url"]
        rows = tuple(tuple((button["label"], button["token"]) for button in row) for row in message["buttons"])
        return Shown(message["id"], message["text"], rows, document["name"] if document else "")

    async def _upload(self, phone: str, kind: str, body: bytes) -> str:
        answer = await self._http.post(f"{API}/phones/{phone}/media", params={"kind": kind}, content=body,
                                       headers={"content-type": "application/octet-stream"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ref"])

    async def _post(self, path: str, said: dict[str, Any]) -> None:
        answer = await self._http.post(path, json=said)
        assert answer.status_code == 202, answer.text


class _Clock:
    """The test's clock, shown on the page."""

    def __init__(self, running: Running) -> None:
        self.now = running.now

    async def move(self, to: datetime) -> None:
        raise AssertionError("nobody moves it here")


@asynccontextmanager
async def playground(originals: Originals, *, abroad: bool = False) -> AsyncIterator[OnPlatform]:
    assert not abroad, "the page stands at home"
    store, village = await originals.store("playground")
    now: list[Any] = []
    channel = Playground(store, lambda: now[0]())
    running = Running(store, village, channel)
    now.append(running.now)
    members = tuple(Member(account, account) for account in ACCOUNTS)
    phones = [*(Phone(account, account) for account in ACCOUNTS), Phone(GROUP, GROUP, "", "group", members)]

    async def all_phones() -> list[Phone]:
        return phones

    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            stage = OnPlatform(running, PlaygroundPlatform(channel, http))
            routes = build_routes(channel, all_phones, stage.handle, _Clock(running))
            async with served(Starlette(routes=routes)) as url:
                http.base_url = httpx.URL(url)
                yield stage
                channel.close()
    finally:
        store.close()
