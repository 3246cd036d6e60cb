"""The calls to Telegram's Bot API, and what each of its refusals means.

Importing this imports python-telegram-bot (0.25-0.4 s): `telegram.py` does it when a channel is made, so that
a bot without Telegram never pays for it.
"""

import logging
import re
from datetime import timedelta
from typing import Any

import httpx
import orjson
import structlog
from telegram import Bot, InputFile
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, HTTPXRequest, RequestData
from telegram.request._requestparameter import RequestParameter  # RequestData is public and made of nothing else

from bot.channels.base import Blocked, Gone, Moved, Refused, RetryAt, SendFailure
from bot.channels.telegram_inbound import loads

BUSY_SECONDS = 5.0  # Telegram did not answer, or answered with a fault of its own
TOKEN_SECONDS = 60.0  # an operator must act first: nothing is lost meanwhile
CONNECT, READ = 5.0, 10.0  # seconds
JSON = {"Content-Type": "application/json"}
CONNECTIONS = 512  # hundreds of chats are answered at once; Telegram's own limit is 30 messages a second
KEPT_OPEN = 20  # httpcore asks the socket of each idle connection at each call: 40 of them take 2 ms

_log = structlog.get_logger()

_GONE = ("chat not found", "peer_id_invalid", "user not found")
_NOT_EDITABLE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message identifier is not specified",
    "there is no text in the message to edit",
)


class NotModified(Refused):
    """The message already says that."""


class NotEditable(Refused):
    """The message cannot be edited (any more), or is not there."""


class Rival(RetryAt):
    """Somebody else takes this bot's updates."""


def encode(data: RequestData) -> bytes:
    """The body of a call without files. The library's form encoding costs 160 us for a question in Chinese, this 3."""
    return orjson.dumps(data.parameters)


def _values(params: dict[str, Any]) -> RequestData:
    return RequestData([RequestParameter(name, value, None) for name, value in params.items()])


class _Request(HTTPXRequest):
    """The library's HTTP, but for bodies without files: those go as JSON over a client of the same limits."""

    def __init__(self) -> None:
        super().__init__(connection_pool_size=CONNECTIONS, connect_timeout=CONNECT, read_timeout=READ,
                         write_timeout=READ, pool_timeout=READ, media_write_timeout=60)
        self._json = httpx.AsyncClient(limits=httpx.Limits(max_connections=CONNECTIONS,
                                                           max_keepalive_connections=KEPT_OPEN))

    async def do_request(self, url: str, method: str, request_data: RequestData | None = None,
                         read_timeout: Any = BaseRequest.DEFAULT_NONE, *others: Any, **more: Any) -> tuple[int, bytes]:
        if request_data is None or request_data.contains_files:
            return await super().do_request(url, method, request_data, read_timeout, *others, **more)
        read = READ if read_timeout is BaseRequest.DEFAULT_NONE else read_timeout
        try:
            answer = await self._json.post(url, content=encode(request_data), headers=JSON,
                                           timeout=httpx.Timeout(READ, connect=CONNECT, read=read))
        except httpx.TimeoutException:
            raise TimedOut from None
        except httpx.HTTPError as error:
            raise NetworkError(type(error).__name__) from None
        return answer.status_code, answer.content

    async def shutdown(self) -> None:
        await self._json.aclose()
        await super().shutdown()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        # The library's own is slower, and writes a body that it cannot read into the log.
        try:
            answer: dict[str, Any] = loads(payload)
        except ValueError:
            raise TelegramError("unreadable answer") from None
        return answer


class Calls:
    """One bot's HTTP calls. Whatever goes wrong is raised as a `SendFailure`, without its cause:
    the library's errors may hold an answer's body.
    """

    def __init__(self, token: str, api_url: str, request: BaseRequest | None = None) -> None:
        # httpx logs each URL, the token in it, and the library each message in full.
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if request is None:
            request = _Request()
        self._request = request
        base = api_url.rstrip("/")
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request,
            get_updates_request=request,
        )

    async def call(self, method: str, params: dict[str, Any], read_timeout: float | None = None) -> Any:
        """The result of one method, its name in small letters, as Telegram allows.

        CPU without HTTP, 3 rows of buttons: `Bot.edit_message_text` 418 us, `do_api_request` with the markup
        already a JSON string 18 us, this 5 us: every turn makes two calls.
        """
        timeout = BaseRequest.DEFAULT_NONE if read_timeout is None else read_timeout
        try:
            return await self._request.post(f"{self._bot.base_url}/{method}", _values(params), read_timeout=timeout)
        except TelegramError as error:
            raise failure(error) from None

    async def upload(self, chat: str, name: str, body: bytes, params: dict[str, Any]) -> Any:
        """Sends a file; the result is the sent message."""
        document = InputFile(body, filename=name)
        try:
            return await self._bot.do_api_request("senddocument", {"chat_id": chat, "document": document, **params})
        except TelegramError as error:
            raise failure(error) from None

    async def download(self, ref: str, limit: int) -> bytes:
        """A file's bytes, `limit` at most."""
        try:
            file = await self._bot.get_file(ref)
            if (file.file_size or 0) > limit:  # Telegram's own server refuses it, a self-hosted one does not
                raise Refused("file is too big")
            if not file.file_path:
                raise Refused("file has no path")
            return bytes(await file.download_as_bytearray())
        except TelegramError as error:
            raise failure(error) from None

    async def close(self) -> None:
        await self._request.shutdown()


def failure(error: TelegramError) -> SendFailure:
    """The library's error in the words of the channel contract."""
    text = str(error).lower()
    match error:
        case RetryAfter():
            after = error.retry_after
            return RetryAt(after.total_seconds() if isinstance(after, timedelta) else float(after))
        case ChatMigrated():
            return Moved(str(error.new_chat_id))
        case Forbidden():
            return Blocked("forbidden")
        case Conflict():
            return Rival(BUSY_SECONDS)
        case InvalidToken():
            _log.error("telegram refused the token: set TANFANG_TELEGRAM_TOKEN to the one BotFather shows")
            return RetryAt(TOKEN_SECONDS)
        case BadRequest():
            return _refusal(text)
    if text.startswith("request entity too large"):
        return Refused("file is too big")
    return RetryAt(BUSY_SECONDS)


def _refusal(text: str) -> SendFailure:
    if "message is not modified" in text:
        return NotModified("not modified")
    if any(sign in text for sign in _NOT_EDITABLE):
        return NotEditable("not editable")
    if any(sign in text for sign in _GONE):
        return Gone("chat not found")
    # Telegram quotes what it cannot read: that may be a piece of the message.
    return Refused(re.sub(r'".*"', '"..."', text)[:120])
