"""What the strict WeChat and the strict WeCom have in common: a real HTTP server on loopback, so that the bot under test
may be another process.

Every call is answered with HTTP 200 and an error code; tokens are taken no more when a test says so; calls can be refused,
answered slowly, or their answers lost. What a bot must never send (unknown paths and fields) fails the test at the end of
the `async with`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Self

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes import tencent
from tests.fakes.served import served

Given = dict[str, Any]


@dataclass
class Call:
    """One request of the bot, and the code that it heard."""

    path: str
    body: Given
    code: int = 0


@dataclass
class Platform:
    """`handlers` by method and path; those of `without_token` need none."""

    handlers: ClassVar[Mapping[tuple[str, str], Callable[[Any, Given], Given | Response]]]
    without_token: ClassVar[tuple[str, ...]]
    send_path: ClassVar[str]  # of messages whose answer may be lost

    now: Callable[[], datetime]
    aes_key: str = tencent.AES_KEY
    token: str = tencent.TOKEN
    patience: float = 5.0  # seconds that a delivery waits for the bot
    bot_url: str = ""
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lost: int = 0  # so many messages are taken, and the answer is lost on its way
    issued: int = 0
    taken_tokens: set[str] = field(default_factory=set)  # those that are good now

    def __post_init__(self) -> None:
        self.http = httpx.AsyncClient(trust_env=False)
        self._number = 24_000_000_000_000_000
        self._faults: list[list[Any]] = []
        self._slow: dict[str, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        self._serving = served(Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])]))
        self.url = await self._serving.__aenter__()
        return self

    async def __aexit__(self, *exc: Any) -> None:
        for event in self._slow.values():
            event.set()
        await self.http.aclose()
        await self._serving.__aexit__(*exc)
        if exc[0] is None:
            assert not self.wrong, self.wrong

    # what a test arranges

    def fails(self, path: str, code: int, times: int = 1) -> None:
        """The next calls of this path are answered with this error code."""
        self._faults.append([path, code, times])

    def slow(self, path: str) -> asyncio.Event:
        """Calls of this path are answered only when the event is set."""
        return self._slow.setdefault(path, asyncio.Event())

    def expire_token(self) -> None:
        """Tokens given until now are taken no more, though by the calendar they would be."""
        self.taken_tokens.clear()

    def of(self, path: str) -> list[Call]:
        """The calls of one path that were taken."""
        return [call for call in self.calls if call.path == path and call.code == 0]

    def refused(self, path: str) -> list[Call]:
        """The calls of one path that heard an error."""
        return [call for call in self.calls if call.path == path and call.code != 0]

    # the API

    async def _answer(self, request: Request) -> Response:
        path = "/" + request.path_params["path"]
        handler = self.handlers.get((request.method, path))
        if handler is None:
            self.wrong.append(f"{request.method} {path}")
            return Response(status_code=404)
        call = Call(path, await self._body(request, path))
        self.calls.append(call)
        if path in self._slow:
            await self._slow[path].wait()
        answer: Given | Response | None = self._fault(path)
        if answer is None and path not in self.without_token and (
                request.query_params.get("access_token", "") not in self.taken_tokens):
            answer = error(42001, "access_token expired")
        if answer is None:
            answer = handler(self, {**request.query_params, **call.body})
        if isinstance(answer, Response):
            return answer
        call.code = answer.get("errcode", 0)
        if path == self.send_path and self.lost > 0:
            self.lost -= 1
            return Response(status_code=502)
        return JSONResponse(answer)

    async def _body(self, request: Request, path: str) -> Given:
        raw = await request.body()
        if b"\\u" in raw:
            self.wrong.append(f"{path}: escaped, would be shown as it stands")
        body: Given = orjson.loads(raw) if raw else {}
        return body

    def _fault(self, path: str) -> Given | None:
        fault = next((each for each in self._faults if each[0] == path and each[2] > 0), None)
        if fault is None:
            return None
        fault[2] -= 1
        return error(fault[1], "arranged by the test, from ip: 10.9.8.7, data.thing1.value")

    def only(self, path: str, given: Given, *wanted: str, may: tuple[str, ...] = ()) -> None:
        """Notes what stands there that must not, or is missing."""
        names = given.keys() - {"access_token"}
        if names - {*wanted, *may} or {*wanted} - names:
            self.wrong.append(f"{path}: {sorted(names)}")

    def next_number(self) -> int:
        self._number += 1
        return self._number


def error(code: int, said: str) -> Given:
    return {"errcode": code, "errmsg": said}
