"""Calls to the APIs of WeChat and WeCom: time-outs on every one, and an error code in an HTTP 200 is an error.

wechatpy's client is not used: it asks for a token without a time-out and at a host written out, renews one endlessly
where the platform goes on refusing it, lets the errors of `requests` out, and blocks the event loop.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import orjson

from bot.channels.base import Refused, RetryAt, SendFailure
from bot.channels.tencent.tokens import Tokens

CONNECT, READ = 3.0, 8.0  # seconds
BUSY_SECONDS = 5.0
ANSWER_LIMIT = 1024 * 1024  # bytes of an answer that is no media
STALE = frozenset({40001, 40014, 42001})  # the token is wrong, or has run out
JSON = {"Content-Type": "application/json"}

Classify = Callable[[int, str], SendFailure]  # error code and message to what delivery understands


class Calls:
    """HTTP to one platform. Whatever goes wrong is raised as a SendFailure without its cause: errors of httpx hold
    the URL, and the token stands in it.
    """

    def __init__(self, api_url: str, classify: Classify, transport: httpx.AsyncBaseTransport | None = None) -> None:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._base = api_url.rstrip("/")
        self._classify = classify
        self._tokens: Tokens | None = None
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(READ, connect=CONNECT), transport=transport, follow_redirects=False,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20))

    def use(self, tokens: Tokens) -> None:
        """Calls from now on carry this token, but those of `bare`."""
        self._tokens = tokens

    async def bare(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None,
                   ) -> dict[str, Any]:
        """One call without a token (it asks for one). Raises SendFailure."""
        code, answer = await self._once(method, path, body, dict(query or {}))
        if code:
            raise self._classify(code, _said(answer))
        return answer

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What a call gives. Raises SendFailure."""
        return await self._call("GET", path, None, query)

    async def post(self, path: str, body: Any, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What a call with a JSON body gives. Raises SendFailure."""
        return await self._call("POST", path, body, query)

    async def upload(self, path: str, name: str, body: bytes, query: Mapping[str, str]) -> dict[str, Any]:
        """What an upload of one file (form field `media`) gives. Raises SendFailure."""
        return await self._call("POST", path, {"media": (name, body)}, query, files=True)

    async def download(self, path: str, query: Mapping[str, str], limit: int) -> bytes:
        """The bytes of a media file, `limit` at most. Raises SendFailure."""
        token = await self._token("")
        for last in (False, True):
            code, found = await self._media(path, {**query, "access_token": token}, limit)
            if isinstance(found, bytes):
                return found
            if code not in STALE or last:
                break
            token = await self._token(token)
        raise self._classify(code, _said(found))

    async def close(self) -> None:
        await self._http.aclose()

    async def _token(self, refused: str) -> str:
        assert self._tokens is not None  # `use` is the first thing that is called
        return await self._tokens.get(refused)

    async def _call(self, method: str, path: str, body: Any, query: Mapping[str, str] | None, *, files: bool = False,
                    ) -> dict[str, Any]:
        token = await self._token("")
        code, answer = await self._once(method, path, body, {**(query or {}), "access_token": token}, files=files)
        if code in STALE:  # renewed once, never again: a permanent 40001 must not become a loop
            token = await self._token(token)
            code, answer = await self._once(method, path, body, {**(query or {}), "access_token": token}, files=files)
        if code:
            raise self._classify(code, _said(answer))
        return answer

    async def _once(self, method: str, path: str, body: Any, query: dict[str, str], *, files: bool = False,
                    ) -> tuple[int, dict[str, Any]]:
        sent: dict[str, Any] = {}
        if files:
            sent["files"] = body
        elif body is not None:  # the platform shows \uXXXX as it stands: plain UTF-8
            sent = {"content": orjson.dumps(body), "headers": JSON}
        try:
            answer = await self._http.request(method, f"{self._base}{path}", params=query, **sent)
        except (httpx.HTTPError, httpx.InvalidURL):
            raise RetryAt(BUSY_SECONDS) from None
        _check_status(answer.status_code)
        return _read(answer.content)

    async def _media(self, path: str, query: dict[str, str], limit: int) -> tuple[int, bytes | dict[str, Any]]:
        try:
            async with self._http.stream("GET", f"{self._base}{path}", params=query) as answer:
                _check_status(answer.status_code)
                kind = answer.headers.get("content-type", "")
                error = "json" in kind or kind.startswith("text/")
                most = ANSWER_LIMIT if error else limit
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > most:
                        raise Refused("file is too big")
        except (httpx.HTTPError, httpx.InvalidURL):
            raise RetryAt(BUSY_SECONDS) from None
        if error:
            code, said = _read(bytes(body))
            return code or -1, said  # a file was asked for, and this is none
        return 0, bytes(body)


def _check_status(status: int) -> None:
    if status != 200:
        raise RetryAt(BUSY_SECONDS) if status >= 500 or status == 429 else Refused(f"HTTP {status}")


def _read(body: bytes) -> tuple[int, dict[str, Any]]:
    """The error code (0: all is well) and the answer. Raises RetryAt where it is no answer of the platform."""
    try:
        answer = orjson.loads(body.decode("utf-8", "replace"))  # a broken character is no reason to lose the rest
        code = int(answer.get("errcode") or 0)
    except (ValueError, AttributeError, TypeError):
        raise RetryAt(BUSY_SECONDS) from None
    return code, answer


def _said(answer: Any) -> str:
    return str(answer.get("errmsg", "")) if isinstance(answer, dict) else ""
