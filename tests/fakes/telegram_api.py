"""A strict Bot API on loopback: a real HTTP server, so the bot under test may be another process.

It refuses what the real one refuses, confirms updates by offset, and posts to a webhook until it hears 200
(one at a time for a chat, chats side by side). It lives in the test's event loop and outlives the bot. What a
bot must never send (unknown methods and fields) also fails the test, at the end of the `async with`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.served import served
from tests.fakes.telegram_people import Chat, Person, Shown
from tests.fakes.telegram_rules import (
    NAMES,
    Fault,
    Refusal,
    check_commands,
    check_fields,
    keyboard,
    params_of,
    parsed,
    shown_text,
)
from tests.fakes.telegram_updates import Queue

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
USERNAME = "tanfang_test_bot"
_BOT = {"id": 110201543, "is_bot": True, "first_name": "bot", "username": USERNAME}
_OLD_TAP = "query is too old and response timeout expired or query ID is invalid"


@dataclass
class Call:
    """One request of the bot, and what it heard."""

    method: str
    params: dict[str, Any]
    status: int = 200
    description: str = ""


@dataclass
class _Refusing:
    refusal: Refusal
    times: int
    method: str


class FakeTelegram:
    """`async with FakeTelegram() as fake:`, then TANFANG_TELEGRAM_API_URL=fake.url and _TOKEN=fake.token."""

    def __init__(self, token: str = TOKEN, retry_seconds: float = 0.05) -> None:
        self.token, self.url = token, ""
        self.calls: list[Call] = []
        self.faults: list[str] = []  # what a bot must never send
        self.commands: list[dict[str, str]] = []
        self.taps: dict[str, bool] = {}  # id of each tap -> answered?
        self.change = 0  # counts what the bot sent and edited
        self.file_limit = 20 * 1024 * 1024  # bytes; a self-hosted Bot API server has none
        self.clock: Callable[[], int] = lambda: int(time.time())
        self.post_error = ""  # what Telegram remembers of its last post to the webhook
        self._queue = Queue(retry_seconds)
        self._people: dict[int, Person] = {}
        self._chats: dict[int, Chat] = {}
        self._files: dict[str, bytes] = {}
        self._refusing: list[_Refusing] = []
        self._silence: asyncio.Event | None = None
        self._message_id = 0
        self._heard = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = Starlette(
            routes=[
                Route("/bot{token}/{method}", self._serve, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._download),
            ]
        )
        self._served = served(app)
        self.url = await self._served.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.recover()
        await self._queue.close()
        await self._served.__aexit__(None, None, None)
        if kind is None and self.faults:
            raise AssertionError("the bot sent what it must never send: " + "; ".join(self.faults))

    # --- for tests ---

    def person(self, account: int, name: str) -> Person:
        """Somebody; the bot cannot write to him before he wrote to it."""
        person = self._people.setdefault(account, Person(self, account, name))
        self._chats[account] = person.private
        return person

    def group(self, chat_id: int, title: str) -> Chat:
        """A group that the bot is in; `chat_id` is negative. Members speak by `person.says(…, group=…)`."""
        return self._chats.setdefault(chat_id, Chat(self, chat_id, "group", title))

    def migrate(self, group: Chat) -> Chat:
        """Makes the group a supergroup with another id; gives that one."""
        new = Chat(self, -1_000_000_000_000 + group.id, "supergroup", group.title)
        self._chats[new.id], group.moved_to = new, new.id
        return new

    def refuse(
        self,
        status: int,
        description: str,
        parameters: dict[str, Any] | None = None,
        times: int = 1,
        method: str = "",
    ) -> None:
        """Answers the next `times` calls (of one method only, if named) with this error."""
        self._refusing.append(_Refusing(Refusal(status, description, parameters), times, method))

    def flood(self, retry_after: int, times: int = 1, method: str = "") -> None:
        """429 for the next calls."""
        description = f"Too Many Requests: retry after {retry_after}"
        self.refuse(429, description, {"retry_after": retry_after}, times, method)

    def fall_silent(self) -> None:
        """Takes every call and answers none, until `recover`; nothing of them is done."""
        self._silence = asyncio.Event()

    def recover(self) -> None:
        """It works again."""
        self._refusing.clear()
        if self._silence:
            self._silence.set()
            self._silence = None

    async def hears(self, method: str, times: int = 1, timeout: float = 10.0) -> Call:
        """Waits until the bot has called a method so often; gives the last of these calls."""
        async with asyncio.timeout(timeout):
            while len(self.called(method)) < times:
                await self._heard.wait()
        return self.called(method)[times - 1]

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def chats(self) -> list[Chat]:
        """Every chat that the bot could be in."""
        return list(self._chats.values())

    @property
    def updates(self) -> list[dict[str, Any]]:
        """All that ever happened, as raw updates."""
        return self._queue.updates

    @property
    def pending(self) -> list[int]:
        """The ids of updates that the bot has not confirmed."""
        return [update["update_id"] for _, update in self._queue.pending]

    @property
    def deliveries(self) -> list[tuple[int, int]]:
        """What was posted to the webhook: (update id, status; 0 where nobody answered)."""
        return self._queue.deliveries

    def emit(self, chat: int, kind: str, body: dict[str, Any]) -> int:
        """Something happened: an update of any kind on its way to the bot. Gives its id."""
        return self._queue.put(chat, kind, body)

    def repeat(self, count: int) -> None:
        """Delivers the last so many updates once more."""
        self._queue.repeat(count)

    # --- state, also used by people ---

    def add(self, chat: Chat, message: Shown) -> Shown:
        self._message_id += 1
        message.message_id = self._message_id
        chat.messages[message.message_id] = message
        return message

    def new_tap(self) -> str:
        tap = str(4_000_000_000_000_000_000 + len(self.taps))
        self.taps[tap] = False
        return tap

    def keep_file(self, body: bytes) -> str:
        file_id = f"AgAC{len(self._files):06d}"
        self._files[file_id] = body
        return file_id

    def as_json(self, chat: Chat, message: Shown) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "message_id": message.message_id,
            "from": _BOT,
            "chat": chat.about(),
            "date": self.clock(),
        }
        if message.document:
            shown["document"] = {
                "file_id": "BQAC",
                "file_unique_id": "BQAC",
                "file_name": message.document[0],
            }
            shown["caption"] = message.text
        else:
            shown["text"] = message.text
        if message.keyboard_kind == "inline":
            shown["reply_markup"] = {"inline_keyboard": message.keyboard}
        return shown

    # --- HTTP ---

    async def _download(self, request: Request) -> Response:
        body = self._files.get(request.path_params["path"].removeprefix("files/"))
        if request.path_params["token"] != self.token or body is None:
            return Response("Not Found", 404)
        return Response(body)

    async def _serve(self, request: Request) -> Response:
        method = NAMES.get(request.path_params["method"].lower(), "")
        call = Call(method or request.path_params["method"], await params_of(request))
        self.calls.append(call)
        self._heard.set()
        self._heard = asyncio.Event()
        try:
            if request.path_params["token"] != self.token:
                raise Refusal(401, "Unauthorized")
            if not method:
                raise Fault(404, "Not Found")
            check_fields(method, call.params)
            if self._silence:
                await self._silence.wait()
                raise Refusal(502, "Bad Gateway")
            self._refuse_on_demand(method)
            handler: Callable[[dict[str, Any]], Awaitable[Any]] = getattr(self, f"_{method}")
            return JSONResponse({"ok": True, "result": await handler(call.params)})
        except Refusal as refusal:
            call.status, call.description = refusal.status, refusal.description
            if isinstance(refusal, Fault):
                self.faults.append(f"{call.method}: {refusal.description}")
            answer = {"ok": False, "error_code": refusal.status, "description": refusal.description}
            if refusal.parameters:
                answer["parameters"] = refusal.parameters
            return JSONResponse(answer, refusal.status)
        except Exception as error:
            self.faults.append(f"{call.method}: {error!r}")
            return JSONResponse({"ok": False, "error_code": 500, "description": "Internal Server Error"}, 500)

    def _refuse_on_demand(self, method: str) -> None:
        for refusing in self._refusing:
            if refusing.times and refusing.method in ("", method):
                refusing.times -= 1
                raise refusing.refusal

    def _chat(self, params: dict[str, Any]) -> Chat:
        chat_id = str(params["chat_id"])
        chat = self._chats.get(int(chat_id)) if chat_id.lstrip("-").isdigit() else None
        if chat is None or not chat.known:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.moved_to:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {"migrate_to_chat_id": chat.moved_to},
            )
        if chat.blocked:
            kicked = f"bot was kicked from the {chat.kind} chat"
            raise Refusal(403, "Forbidden: " + ("bot was blocked by the user" if chat.private else kicked))
        return chat

    def _editable(self, params: dict[str, Any]) -> tuple[Chat, Shown]:
        chat = self._chat(params)
        number = str(params["message_id"])
        message = chat.messages.get(int(number)) if number.isdigit() else None
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if not message.by_bot or message.keyboard_kind == "reply":
            raise Refusal(400, "Bad Request: message can't be edited")
        return chat, message

    def _show(self, chat: Chat, message: Shown) -> dict[str, Any]:
        self.change += 1
        message.change = self.change
        chat.tell()
        return self.as_json(chat, message)

    # --- methods ---

    async def _getMe(self, params: dict[str, Any]) -> dict[str, Any]:
        return {**_BOT, "can_join_groups": True, "can_read_all_group_messages": False}

    async def _getUpdates(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        return await self._queue.take(
            offset=int(params.get("offset", 0)),
            limit=int(params.get("limit", 100)),
            seconds=float(params.get("timeout", 0)),
            allowed=parsed(params, "allowed_updates"),
        )

    async def _setWebhook(self, params: dict[str, Any]) -> bool:
        secret = params.get("secret_token", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
            raise Refusal(400, "Bad Request: secret token contains unallowed characters")
        if not params["url"].startswith("https://") and "//127.0.0.1" not in params["url"]:
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self._queue.set_webhook(params["url"], secret, parsed(params, "allowed_updates"))
        return True

    async def _deleteWebhook(self, params: dict[str, Any]) -> bool:
        self._queue.set_webhook("", "", None)
        return True

    async def _getWebhookInfo(self, params: dict[str, Any]) -> dict[str, Any]:
        count = len(self._queue.pending)
        url = self._queue.webhook_url
        about = {"url": url, "has_custom_certificate": False, "pending_update_count": count}
        return {**about, "last_error_message": self.post_error} if self.post_error else about

    async def _setMyCommands(self, params: dict[str, Any]) -> bool:
        self.commands = check_commands(params)
        return True

    async def _sendMessage(self, params: dict[str, Any]) -> dict[str, Any]:
        chat, text = self._chat(params), shown_text(params)
        rows, kind = keyboard(params, chat.private)
        return self._show(chat, self.add(chat, Shown(0, text, rows, kind, by_bot=True)))

    async def _sendDocument(self, params: dict[str, Any]) -> dict[str, Any]:
        chat, caption = self._chat(params), shown_text(params, "caption")
        rows, kind = keyboard(params, chat.private)
        if not isinstance(params["document"], tuple) or not params["document"][1]:
            raise Refusal(400, "Bad Request: file must be non-empty")
        message = Shown(0, caption, rows, kind, by_bot=True, document=params["document"])
        return self._show(chat, self.add(chat, message))

    async def _editMessageText(self, params: dict[str, Any]) -> dict[str, Any]:
        chat, message = self._editable(params)
        text = shown_text(params)
        rows, kind = keyboard(params, chat.private)
        if message.document:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return self._edit(chat, message, text, rows, kind)

    async def _editMessageReplyMarkup(self, params: dict[str, Any]) -> dict[str, Any]:
        chat, message = self._editable(params)
        return self._edit(chat, message, message.text, *keyboard(params, chat.private))

    def _edit(
        self, chat: Chat, message: Shown, text: str, rows: list[list[dict[str, Any]]], kind: str
    ) -> dict[str, Any]:
        if kind == "reply":
            raise Refusal(400, "Bad Request: inline keyboard expected")
        if (text, rows) == (message.text, message.keyboard):
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message",
            )
        message.text, message.keyboard, message.keyboard_kind = text, rows, kind
        return self._show(chat, message)

    async def _answerCallbackQuery(self, params: dict[str, Any]) -> bool:
        if params["callback_query_id"] not in self.taps:
            raise Refusal(400, f"Bad Request: {_OLD_TAP}")
        self.taps[params["callback_query_id"]] = True
        return True

    async def _getFile(self, params: dict[str, Any]) -> dict[str, Any]:
        file_id = params["file_id"]
        if file_id not in self._files:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self._files[file_id])
        if size > self.file_limit:
            raise Refusal(400, "Bad Request: file is too big")
        return {
            "file_id": file_id,
            "file_unique_id": file_id,
            "file_size": size,
            "file_path": f"files/{file_id}",
        }
