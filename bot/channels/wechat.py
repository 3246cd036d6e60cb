"""WeChat Official Account: what comes in is answered in the reply to its own request, the rest goes by customer message
while the platform lets it, then by template.

What names and answers contain cannot become a link. Nothing is acknowledged before it is stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.channels import wechat_answers
from bot.channels.base import Answer, Capabilities, Now, Receipt, Refused, RetryAt, SendFailure, TakeAnswer
from bot.channels.kept import Kept
from bot.channels.tencent import xml
from bot.channels.tencent.callback import received
from bot.channels.tencent.calls import Calls
from bot.channels.tencent.envelope import Envelope, Forged
from bot.channels.tencent.page import QUIET, page
from bot.channels.tencent.tokens import Tokens, token_in
from bot.channels.wechat_answers import Answers
from bot.channels.wechat_codes import DayFull, WindowShut, classify
from bot.channels.wechat_inbound import CHANNEL, Came, parse
from bot.channels.wechat_templates import TEMPLATE, Ready, Templates
from bot.channels.wechat_text import LIMIT, pieces
from conversations.message import Inbound, Media, Message
from conversations.words_book import Words
from storage import accounts, invitations, reply_windows
from storage.database import Store, StoreUnavailable, Tx

API_URL = "https://api.weixin.qq.com"
QR_URL = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket="
PATH = "/wechat"
JOIN_PATH = "/wechat/join"
FILE_LIMIT = 20 * 1024 * 1024
PATIENCE = wechat_answers.PATIENCE

_CAPABILITIES = Capabilities(
    button_rows=100, buttons_per_row=100, label_length=60, text_length=LIMIT, can_edit=False, can_push=True,
    has_groups=False, carries_files=False, abroad=False)
_log = structlog.get_logger()
NotThrough = Callable[[str, str, str], Awaitable[None]]  # is told of a channel's chat the handle of what did not arrive
AfterStart = Callable[[str], Coroutine[Any, Any, None]]  # is told who may have come in; nothing waits for it


@dataclass(frozen=True, slots=True)
class Account:
    """The Official Account, as its console has it; without an AES key messages come in plain."""

    app_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    api_url: str = API_URL


@dataclass(frozen=True, slots=True)
class Join:
    """One invitation's QR code: what stands in it, and the address of its picture."""

    link: str
    picture: str


class WeChat:
    """The channel. `patience`, `next_try` and `pause` (seconds) are shorter in tests."""

    name = CHANNEL
    capabilities = _CAPABILITIES

    def __init__(self, account: Account, store: Store, templates: Templates, now: Now, zone: ZoneInfo, *,
                 patience: float = PATIENCE, next_try: float = wechat_answers.NEXT_TRY,
                 pause: float = wechat_answers.PAUSE) -> None:
        self.calls = Calls(account.api_url, classify)
        self.calls.use(Tokens(store, f"wechat:{account.app_id}", self._fetch_token, now))
        self._account = account
        self._envelope = Envelope(account.token, account.aes_key, account.app_id)
        self._store = store
        self._templates = templates
        self._now = now
        self._zone = zone
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_doubt: Kept[str] = Kept()  # the ids of templates that may have left, though nobody said so
        self._rest: Kept[list[str]] = Kept()  # what is still to leave of a long message
        self._answers = Answers(self._push, patience=patience, next_try=next_try, pause=pause)

    # --- out ---

    async def send(self, chat: str, message: Message) -> Receipt:
        """Sends by customer message, or by template where none may go. Raises SendFailure."""
        mark = sha256(repr((chat, message.text, message.buttons, message.told)).encode()).hexdigest()
        rest = self._rest.pop(mark, None) or pieces([message])
        try:
            while rest:
                await self._customer(chat, rest[0])
                rest = rest[1:]
        except (WindowShut, DayFull) as shut:
            try:
                ready = self._templates.ready(chat, message, self._now().astimezone(self._zone))
            except Refused:
                raise (shut if isinstance(shut, DayFull) else Refused("no window, and no template")) from None
            return await self._by_template(mark, ready)
        except RetryAt:
            self._rest.put(mark, rest)
            raise
        return Receipt("message")

    async def _by_template(self, mark: str, ready: Ready) -> Receipt:
        """Of one `client_msg_id` the platform shows one message in ten minutes: so it may be sent again."""
        once = self._in_doubt.pop(mark, "") or token_hex(16)
        try:
            sent = await self.calls.post(ready.path, {
                **ready.body, **({"client_msg_id": once} if ready.path == TEMPLATE else {})})
        except RetryAt:
            self._in_doubt.put(mark, once)
            raise
        return Receipt(f"template:{sent.get('msgid', '')}")

    async def _customer(self, chat: str, text: str) -> None:
        """One customer message, counted only if the platform took it. Raises WindowShut where none may go."""
        window = await self._store.run(lambda tx: reply_windows.take(tx, CHANNEL, chat, self._now()))
        if window is None:
            raise WindowShut("no window")
        try:
            await self.calls.post("/cgi-bin/message/custom/send",
                                  {"touser": chat, "msgtype": "text", "text": {"content": text}})
        except WindowShut:
            await self._store.run(lambda tx: reply_windows.shut(tx, CHANNEL, chat))
            raise
        except BaseException:
            await self._store.run(lambda tx: reply_windows.give_back(tx, CHANNEL, chat, window))
            raise

    async def _push(self, chat: str, texts: Sequence[str], answer: Answer) -> None:
        """What a reply could not hold; where it does not go, all of it goes once more, by the outbox."""
        try:
            for text in texts:
                await self._customer(chat, text)
        except SendFailure:
            await answer.send()
        else:
            answer.carried()

    async def fetch(self, media: Media) -> bytes:
        """The bytes of a photo or voice note, from the platform's own host. Raises SendFailure."""
        return await self.calls.download("/cgi-bin/media/get", {"media_id": media.ref}, FILE_LIMIT)

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """Nothing spins here."""

    async def quiet(self) -> None:
        """Returns once every answer has left, and what follows it."""
        await self._answers.settle()

    async def close(self) -> None:
        await self.quiet()
        for task in self._tasks:
            task.cancel()
        await self.calls.close()

    async def _fetch_token(self, force: bool) -> tuple[str, float]:
        given = await self.calls.bare("POST", "/cgi-bin/stable_token", {
            "grant_type": "client_credential", "appid": self._account.app_id, "secret": self._account.secret,
            "force_refresh": force})
        return token_in(given)

    # --- binding by QR ---

    async def join(self, token: str) -> Join:
        """Who scans this follows, and comes in with this invitation. Raises SendFailure."""
        made = await self.calls.post("/cgi-bin/qrcode/create", {
            "expire_seconds": int(invitations.VALID.total_seconds()), "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": token}}})
        return Join(str(made.get("url", "")), f"{QR_URL}{quote(str(made.get('ticket', '')), safe='')}")

    # --- in ---

    def routes(self, take: TakeAnswer, after: AfterStart | None = None, lost: NotThrough | None = None) -> list[Route]:
        """The callback: verification, messages and events; and the page that leads from an invitation to its picture.

        200 only for what is stored (or of no interest), 403 for what is not the platform's, 503 so that it comes again.
        """
        words = Words()

        async def verify(request: Request) -> Response:
            try:
                self._envelope.open_plain(request.query_params, self._now())
            except Forged:
                return Response(status_code=403)
            return PlainTextResponse(request.query_params.get("echostr", ""))

        async def receive(request: Request) -> Response:
            query, arrived = request.query_params, asyncio.get_running_loop().time()
            came = await received(request, lambda body: parse(self._opened(body, query), self._now()), self.name,
                                  PlainTextResponse("success"))
            if isinstance(came, Response):
                return came
            return await self._respond(came, query.get("nonce", ""), arrived, take, after, lost)

        async def join(request: Request) -> Response:
            token = request.path_params["token"]
            now = self._now()
            try:
                found = await self._store.read(lambda tx: invitations.by_token(tx, token))
                if found is None or found.state(now) != "open":
                    return page(words, "wechat.join_over", 404)
                return RedirectResponse((await self.join(token)).picture, 303, QUIET)
            except (SendFailure, StoreUnavailable):
                return page(words, "wechat.join_later", 503)

        return [Route(PATH, verify, methods=["GET"]), Route(PATH, receive, methods=["POST"]),
                Route(f"{JOIN_PATH}/{{token}}", join, methods=["GET"])]

    def _opened(self, body: bytes, query: Mapping[str, str]) -> str | bytes:
        """The message of a request; in safe mode nothing in plain is taken. Raises Forged and Unreadable."""
        if not self._envelope.sealed:
            self._envelope.open_plain(query, self._now())
            return body
        return self._envelope.open_body(body, query, self._now())

    async def _respond(self, came: Came, nonce: str, arrived: float, take: TakeAnswer, after: AfterStart | None,
                       lost: NotThrough | None) -> Response:
        try:
            if came.inbound is None:
                await self._note(came)
                if came.handle and lost is not None:
                    await lost(CHANNEL, came.account, came.handle)
                return PlainTextResponse("success")
            answer = await self._answers.reply(
                came.account, came.inbound.dedupe_key, lambda: self._take(came, take, after),
                asyncio.get_running_loop().time() - arrived)
        except Exception as error:
            _log.error("wechat: a message was not stored, it will come again", error=type(error).__name__)
            return Response(status_code=503)
        if answer is None:
            return Response(status_code=503)
        now, left = self._now(), BackgroundTask(answer.left)
        reply = self._envelope.seal(xml.reply(came.us, came.account, answer.text, now), nonce, now)
        if not reply:
            return PlainTextResponse("success", background=left)
        return Response(reply, media_type="application/xml", background=left)

    async def _take(self, came: Came, take: TakeAnswer, after: AfterStart | None) -> Answer | None:
        def beside(tx: Tx) -> None:
            if came.window is not None:
                reply_windows.opened(tx, CHANNEL, came.account, came.window, self._now())

        assert came.inbound is not None  # the caller has looked
        answer = await take(came.inbound, beside)
        if after is not None and came.inbound.text.startswith("/start"):  # who follows again has lost his menu
            self._go(after(came.account))
        return answer

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _note(self, came: Came) -> None:
        """What nobody is answered: he unfollowed, or a template did not reach him."""
        def gone(tx: Tx) -> None:
            accounts.blocked(tx, CHANNEL, came.account, self._now())
            reply_windows.shut(tx, CHANNEL, came.account)

        if came.what == "left" or (came.what == "template_failed" and "user" in came.why):
            await self._store.run(gone, f"{CHANNEL}:{came.account}")
        elif came.what == "template_failed":
            _log.error("wechat: a template message failed", why=came.why[:40])

