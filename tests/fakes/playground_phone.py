"""One phone of the playground over HTTP, for tests: what the page does, without a browser."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import orjson

PATIENCE = 10.0  # seconds
T = TypeVar("T")


class PlaygroundPhone:
    """A phone whose screen is kept by the event stream; open it with `playground_phone`.

    Each wait ends when the screen changes, or fails after PATIENCE with what stands on it.
    """

    def __init__(
        self, client: httpx.AsyncClient, phone: str, speaker: str | None = None
    ) -> None:
        self.id = phone
        self._client = client
        self._speaker = speaker
        self._path = f"/playground/api/phones/{phone}"
        self.messages: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Condition()

    @property
    def screen(self) -> list[str]:
        """The texts on the screen, oldest first."""
        return [message["text"] for message in self._in_order()]

    async def says(self, text: str, key: str | None = None) -> str:
        """Writes a text, and gives its key; the same key again is the same delivery again."""
        return await self.does({"text": text}, key)

    async def taps(self, label: str) -> str:
        """Presses the newest button with this label, once it stands there."""
        message, token = await self._when(
            lambda: self._button(label), f"a button {label}"
        )
        return await self.does({"choice": token, "source": message["id"]})

    async def sends_place(
        self, latitude: float = 28.87, longitude: float = 105.44
    ) -> str:
        """Sends a point in degrees."""
        return await self.does(
            {"place": {"latitude": latitude, "longitude": longitude}}
        )

    async def uploads(self, kind: str, body: bytes) -> str:
        """Uploads a photo or voice note; gives its ref."""
        answer = await self._client.post(
            f"{self._path}/media",
            params={"kind": kind},
            content=body,
            headers={"content-type": "application/octet-stream"},
        )
        answer.raise_for_status()
        return str(answer.json()["ref"])

    async def does(self, what: dict[str, Any], key: str | None = None) -> str:
        """Sends one thing, which is stored when this returns; gives its key."""
        sent = {"key": key or uuid.uuid4().hex, **what}
        if self._speaker:
            sent["as"] = self._speaker
        answer = await self._client.post(f"{self._path}/messages", json=sent)
        assert answer.status_code == 202, (answer.status_code, answer.text)
        return str(sent["key"])

    async def sees(self, text: str) -> dict[str, Any]:
        """The newest message that contains a text, once it stands there."""
        return await self._when(
            lambda: next(
                (m for m in reversed(self._in_order()) if text in m["text"]), None
            ),
            text,
        )

    async def _when(self, find: Callable[[], T | None], wanted: str) -> T:
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                while (found := find()) is None:
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"phone {self.id} never showed {wanted!r}, but {self.screen[-5:]}") from None
        return found

    def _in_order(self) -> list[dict[str, Any]]:
        return sorted(self.messages.values(), key=lambda message: message["id"])

    def _button(self, label: str) -> tuple[dict[str, Any], str] | None:
        for message in reversed(self._in_order()):
            for row in message["buttons"]:
                for button in row:
                    if button["label"] == label:
                        return message, button["token"]
        return None

    async def _follow(self, cursor: int) -> None:
        async with self._client.stream(
            "GET", "/playground/api/events", params={"after": cursor}, timeout=None
        ) as stream:
            name = ""
            async for line in stream.aiter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event":
                    name = value
                elif kind == "data" and name in ("new", "edited"):
                    message = orjson.loads(value)
                    if message["phone"] == self.id:
                        async with self._changed:
                            self.messages[message["id"]] = message
                            self._changed.notify_all()


@asynccontextmanager
async def playground_phone(
    url: str, phone: str, speaker: str | None = None
) -> AsyncIterator[PlaygroundPhone]:
    """A phone of the playground at `url` (`http://127.0.0.1:PORT`); `speaker` is who speaks on a group's phone."""
    async with httpx.AsyncClient(
        base_url=url, timeout=PATIENCE, trust_env=False
    ) as client:
        mine = PlaygroundPhone(client, phone, speaker)
        answer = await client.get(
            f"/playground/api/phones/{phone}/messages", params={"limit": 100}
        )
        answer.raise_for_status()
        mine.messages = {
            message["id"]: message for message in answer.json()["messages"]
        }
        following = asyncio.create_task(mine._follow(answer.json()["cursor"]))
        try:
            yield mine
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
