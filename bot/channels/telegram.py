"""Telegram: by polling or by webhook, acknowledged only after an update is stored.

`telegram.Bot` alone is used: the library's own polling and webhook acknowledge before anything is stored.
Text goes out without a parse mode: what names and answers contain can then neither be taken for markup nor
be refused as broken markup.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.base import Capabilities, Handle, Now, Receipt, RetryAt, SendFailure
from bot.channels.kept import Kept
from bot.channels.requests import body_of
from bot.channels.telegram_inbound import CHANNEL, loads, parse
from conversations.message import Document, Inbound, Media, Message

if TYPE_CHECKING:
    from telegram.request import BaseRequest

API_URL = "https://api.telegram.org"
WEBHOOK_PATH = "/telegram/webhook"
FILE_LIMIT = 20 * 1024 * 1024  # bytes that a bot may download
TEXT_LIMIT = 4096  # UTF-16 code units, as is the next
CAPTION_LIMIT = 1024
TOAST_LIMIT = 200  # characters of what is shown over a chat
BODY_LIMIT = 256 * 1024  # bytes of one update; real ones stay under 20 KB
LONG_POLL = 25  # seconds
LONGEST_PAUSE = 30.0  # seconds

_ALLOWED = orjson.dumps(["message", "callback_query", "my_chat_member"]).decode()
_NO_PREVIEW = '{"is_disabled":true}'  # a preview would fetch one-time links on behalf of nobody
_SENTENCE_ENDS = "。！？；\n"
_log = structlog.get_logger()
T = TypeVar("T")


class Telegram:
    """The channel. `place_label` stands on the button that sends a location; `abroad` is False only where an
    operator has declared it; `wait(seconds)` and `request` (what carries HTTP) are replaced in tests.
    """

    name = CHANNEL

    def __init__(
        self,
        token: str,
        api_url: str = API_URL,
        *,
        place_label: str,
        now: Now,
        abroad: bool = True,
        request: BaseRequest | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        from bot.channels import telegram_calls  # late: it imports python-telegram-bot, 0.25-0.4 s

        self.capabilities = Capabilities(
            button_rows=25,  # 100 buttons a message
            buttons_per_row=4,
            label_length=40,
            text_length=TEXT_LIMIT,
            can_edit=True,
            can_push=True,
            has_groups=True,
            carries_files=True,
            abroad=abroad,
        )
        self._calls = telegram_calls.Calls(token, api_url, request)
        self._call = self._calls.call
        self._not_modified = telegram_calls.NotModified
        self._not_editable = telegram_calls.NotEditable
        self._rival = telegram_calls.Rival
        self._place_label = place_label
        self._now = now
        self._wait = wait
        self._username = ""
        self._taps: Kept[str] = Kept()  # dedupe_key -> Telegram's id of the tap

    # --- out ---

    async def send(self, chat: str, message: Message) -> Receipt:
        """Sends or edits, in parts where the text is too long. Buttons and handle are the last part's."""
        markup, inline = self._markup(chat, message)
        if message.document is not None:
            return await self._send_document(chat, message.text, message.document, markup)
        edits = message.edits if inline else ""
        *first, last = split(message.text, TEXT_LIMIT)
        for part in first:
            await self._put(chat, part, "", edits)
            edits = ""
        return Receipt(await self._put(chat, last, markup, edits))

    async def _put(self, chat: str, text: str, markup: str, edits: str) -> str:
        params = {"chat_id": chat, "text": text, "link_preview_options": _NO_PREVIEW}
        if markup:
            params["reply_markup"] = markup
        if edits:
            try:
                await self._call("editmessagetext", {**params, "message_id": edits})
                return edits
            except self._not_modified:
                return edits
            except self._not_editable:
                pass
        sent = await self._call("sendmessage", params)
        return str(sent["message_id"])

    async def _send_document(self, chat: str, text: str, document: Document, markup: str) -> Receipt:
        params = {"reply_markup": markup} if markup else {}
        if _units(text) > CAPTION_LIMIT:
            for part in split(text, TEXT_LIMIT):
                await self._put(chat, part, "", "")
        elif text:
            params["caption"] = text
        sent = await self._calls.upload(chat, document.name, document.body, params)
        return Receipt(str(sent["message_id"]))

    def _markup(self, chat: str, message: Message) -> tuple[str, bool]:
        """The keyboard as JSON ("" for none), and whether it may stand on an edited message."""
        in_group = chat.startswith("-")  # there nobody can be asked for a location
        if message.asks_place and not in_group:
            # A message has one keyboard: the buttons join the location button, and come back as typed labels.
            rows = [[{"text": button.label} for button in row] for row in message.buttons if row]
            place = [{"text": self._place_label, "request_location": True}]
            keyboard = {"keyboard": [place, *rows], "resize_keyboard": True, "one_time_keyboard": True}
            return orjson.dumps(keyboard).decode(), False
        rows = [
            [{"text": button.label, "callback_data": button.token} for button in row]
            for row in message.buttons
            if row
        ]
        return (orjson.dumps({"inline_keyboard": rows}).decode() if rows else ""), True

    async def fetch(self, media: Media) -> bytes:
        """The bytes of a photo, voice note or file, 20 MB at most. Raises SendFailure."""
        return await self._calls.download(media.ref, FILE_LIMIT)

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """Stops the spinner on a tapped button, with words that he alone sees; never raises."""
        tap = self._taps.pop(inbound.dedupe_key, None)
        if tap is None:
            return
        with contextlib.suppress(SendFailure):  # too late, or Telegram is busy: the spinner ends by itself
            shown = {"text": text[:TOAST_LIMIT], "show_alert": True} if text else {}
            await self._call("answercallbackquery", {"callback_query_id": tap, **shown})

    # --- the bot itself ---

    async def me(self) -> str:
        """The bot's username, for links `https://t.me/NAME?start=TOKEN`. Raises SendFailure."""
        self._username = (await self._call("getme", {}))["username"]
        return self._username

    async def set_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Shows (command without slash, description) in the chat's menu. Raises SendFailure."""
        menu = [{"command": command, "description": description} for command, description in commands]
        await self._call("setmycommands", {"commands": orjson.dumps(menu).decode()})

    async def set_webhook(self, url: str, secret: str) -> None:
        """Lets Telegram post updates to `url` (public address + WEBHOOK_PATH). Raises SendFailure."""
        await self._call("setwebhook", {"url": url, "secret_token": secret, "allowed_updates": _ALLOWED})

    async def webhook(self) -> dict[str, Any]:
        """Where Telegram posts updates to, how many wait, and its last error there. Raises SendFailure."""
        about: dict[str, Any] = await self._call("getwebhookinfo", {})
        return about

    async def keep_webhook(self, url: str, secret: str, stop: asyncio.Event) -> None:
        """As `set_webhook`, again and again until Telegram takes it or `stop`: without it no update comes."""
        failures = 0
        while not stop.is_set():
            try:
                await _unless(stop, self.set_webhook(url, secret))
                return
            except SendFailure as failure:
                _log.error("telegram did not take the webhook", reason=type(failure).__name__)
                seconds = failure.seconds if isinstance(failure, RetryAt) else LONGEST_PAUSE
            failures += 1
            await _unless(stop, self._wait(max(seconds, min(2.0 ** (failures - 1), LONGEST_PAUSE))))

    async def close(self) -> None:
        await self._calls.close()

    # --- in ---

    def parse(self, update: object) -> Inbound | None:
        """The inbound of a raw update, or None where there is nothing to do."""
        inbound = parse(update, self._now(), self._username)
        if inbound is not None and inbound.choice:
            self._taps.put(inbound.dedupe_key, cast(dict[str, Any], update)["callback_query"]["id"])
        return inbound

    async def poll(self, handle: Handle, stop: asyncio.Event) -> None:
        """Takes updates until `stop`. One is confirmed only after it and all before it were stored; one that
        `handle` raised on comes again.
        """
        offset = confirmed = failures = 0
        webhook_gone = False
        while not stop.is_set():
            seconds = 0.0
            try:
                if not webhook_gone:
                    await _unless(stop, self._call("deletewebhook", {}))
                    webhook_gone = True
                updates = await _unless(stop, self._updates(offset, LONG_POLL))
                if updates is None:
                    break
                confirmed = offset
            except self._rival as rival:
                seconds = rival.seconds
                _log.error(
                    "telegram: another process takes this bot's updates: stop it, or use another token"
                )
            except RetryAt as busy:
                seconds = busy.seconds
                _log.warning("telegram did not answer", seconds=seconds)
            except SendFailure as refused:
                seconds = LONGEST_PAUSE
                _log.error("telegram refused to give updates", reason=str(refused))
            else:
                unstored = await self._take(updates, handle)
                if updates:
                    offset = updates[-1]["update_id"] + 1 if unstored is None else unstored
                if unstored is None:
                    failures = 0
                    continue
            failures += 1
            await _unless(stop, self._wait(max(seconds, min(2.0 ** (failures - 1), LONGEST_PAUSE))))
        if offset > confirmed:  # or the next start would take these again, and repeat their answers
            with contextlib.suppress(SendFailure):
                await self._updates(offset, 0)

    async def _updates(self, offset: int, seconds: int) -> list[dict[str, Any]]:
        params = {"offset": str(offset), "timeout": str(seconds), "allowed_updates": _ALLOWED}
        updates: list[dict[str, Any]] = await self._call("getupdates", params, read_timeout=seconds + 10)
        return updates

    async def _take(self, updates: Sequence[dict[str, Any]], handle: Handle) -> int | None:
        """Handles a batch, chats side by side and each chat in order; gives the first update not stored."""
        chats: dict[str, list[Inbound]] = {}
        for update in updates:
            inbound = self.parse(update)
            if inbound is not None:
                chats.setdefault(inbound.chat, []).append(inbound)

        async def in_order(inbounds: list[Inbound]) -> int | None:
            for inbound in inbounds:
                if not await _stored(inbound, handle):
                    return int(inbound.dedupe_key)
            return None

        unstored = await asyncio.gather(*map(in_order, chats.values()))
        return min((number for number in unstored if number is not None), default=None)

    def routes(self, handle: Handle, secret: str) -> list[Route]:
        """The webhook: 200 once stored (or nothing to do), 503 where it was not, so that Telegram sends it again.

        `secret` is what `set_webhook` told Telegram; without it a post is refused unread.
        """
        if not secret:
            raise ValueError("a Telegram webhook needs TANFANG_TELEGRAM_SECRET")
        expected = secret.encode()

        async def webhook(request: Request) -> Response:
            given = request.headers.get("x-telegram-bot-api-secret-token", "")
            if not hmac.compare_digest(given.encode(), expected):
                return Response(status_code=403)
            try:
                body = await body_of(request, BODY_LIMIT)
                update = None if body is None else loads(body)
            except (ValueError, ClientDisconnect):
                return Response(status_code=400)
            if body is None:
                return Response(status_code=413)
            inbound = self.parse(update)
            if inbound is not None and not await _stored(inbound, handle):
                return Response(status_code=503)
            return Response(status_code=200)

        return [Route(WEBHOOK_PATH, webhook, methods=["POST"])]


def split(text: str, limit: int) -> list[str]:
    """The text in parts of `limit` UTF-16 code units at most, cut after sentences where there are any."""
    parts: list[str] = []
    while _units(text) > limit:
        window = text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
        end = max(map(window.rfind, _SENTENCE_ENDS)) + 1 or len(window)
        parts.append(text[:end])
        text = text[end:]
    parts.append(text)
    return [part for part in parts if part.strip()] or [text]  # Telegram refuses a blank part


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


async def _stored(inbound: Inbound, handle: Handle) -> bool:
    try:
        await handle(inbound)
    except Exception as error:
        _log.error("telegram update not stored, it will come again", error=type(error).__name__)
        return False
    return True


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """The result of `work`, or None where `stop` came first: then the work is cancelled."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopped.cancel()
        if task.cancel():
            await asyncio.wait({task})
