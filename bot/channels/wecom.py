"""WeCom: callbacks are acknowledged once they are stored, and answered by message; questions are cards.

What a member gets beyond the platform's limits vanishes without an error: our own ledger keeps within them, and keeps
the last places for alerts.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels import wecom_cards as cards
from bot.channels.base import Blocked, Capabilities, Handle, Now, Receipt, Refused, RetryAt, SendFailure
from bot.channels.kept import Kept
from bot.channels.tencent.callback import received
from bot.channels.tencent.calls import Calls
from bot.channels.tencent.envelope import Envelope, Forged
from bot.channels.tencent.tokens import Tokens, token_in
from bot.channels.wecom_codes import Unlicensed, classify
from bot.channels.wecom_groups import Groups
from bot.channels.wecom_inbound import CHANNEL, Came, parse
from bot.channels.wecom_members import Members
from conversations.message import Document, Inbound, Media, Message
from conversations.words_book import Words
from scheduler.notices import KINDS
from storage import accounts, send_counts
from storage.database import Store
from storage.send_counts import Limit

API_URL = "https://qyapi.weixin.qq.com"
PATH = "/wecom"
FILE_LIMIT = 20 * 1024 * 1024
PATIENCE = 4.5  # seconds: the platform waits for 5, then sends it again
LIMITS = (Limit("minute", timedelta(minutes=1), 30, 5), Limit("hour", timedelta(hours=1), 1000, 50))
SAME = 120  # seconds in which the same request is not shown again
_PICTURES = (".png", ".jpg", ".jpeg")

_CAPABILITIES = Capabilities(
    button_rows=100, buttons_per_row=100, label_length=60, text_length=cards.TEXT_BYTES, can_edit=False, can_push=True,
    has_groups=True, carries_files=True, abroad=False, takes_files=False,
    group_buttons=False)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Application:
    """The application, as the console has it."""

    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    api_url: str = API_URL


class WeCom:
    """The channel. `zone` is where days begin; `new_task` gives the ids of cards, `patience` (seconds) is shorter in
    tests.
    """

    name = CHANNEL
    capabilities = _CAPABILITIES

    def __init__(self, application: Application, store: Store, now: Now, zone: ZoneInfo, *, patience: float = PATIENCE,
                 new_task: Callable[[], str] = lambda: token_hex(16)) -> None:
        self.calls = Calls(application.api_url, classify)
        self.calls.use(Tokens(store, f"{CHANNEL}:{application.corp_id}:{application.agent_id}", self._fetch_token, now))
        self._application = application
        self._envelope = Envelope(application.token, application.aes_key, application.corp_id)
        self._store = store
        self._now = now
        self._words = Words()
        self._patience = patience
        self._new_task = new_task
        self.groups = Groups(
            self.calls, store, now, lambda: now().astimezone(zone).date().isoformat(),
            lambda village: self._words.say("wecom.group_name", {"village": village}))
        self._members = Members(self.calls, store)
        self._cards: Kept[tuple[str, str]] = Kept()  # dedupe_key -> its code, the label
        self._in_doubt: Kept[list[cards.Body]] = Kept()  # what may have left, though nobody said so
        self._handling: set[asyncio.Task[None]] = set()

    # --- out ---

    async def send(self, chat: str, message: Message) -> Receipt:
        """Sends to a member, or to a village's group. Raises SendFailure."""
        if ":" in chat:
            await self.groups.send(chat, cards.texts(cards.told(message.text)))
            return Receipt("group")
        mark = sha256(repr((chat, message.text, message.buttons, hash(message.document))).encode()).hexdigest()
        before = self._in_doubt.get(mark)
        ready = before or cards.bodies(message, self._words, self._new_task)
        if before is None and message.document is not None:
            ready = [*ready, await self._file(message.document)]
        await self._within_limits(chat, len(ready), message)
        receipt = ""
        try:
            while ready:
                receipt = await self._put(chat, ready[0], again=before is not None, notice=message.told is not None)
                ready = ready[1:]
        except RetryAt:
            self._in_doubt.put(mark, ready)
            raise
        self._in_doubt.pop(mark, None)
        return Receipt(receipt)

    async def _put(self, chat: str, body: cards.Body, *, again: bool, notice: bool) -> str:
        said: dict[str, Any] = {"touser": chat, "agentid": self._application.agent_id, **body}
        # an answer in plain text may well be the same twice, and both are meant
        if again or notice or body["msgtype"] == "template_card":
            said |= {"enable_duplicate_check": 1, "duplicate_check_interval": SAME}  # a part of what must be the same
        answer = await self.calls.post("/cgi-bin/message/send", said)
        if answer.get("invaliduser"):
            raise Blocked("nobody who may be written to")
        if answer.get("unlicenseduser"):
            _log.error("wecom: a member has no interface licence", calls="message/send")
            raise Unlicensed("no licence")
        return str(answer.get("msgid", ""))

    async def _within_limits(self, chat: str, count: int, message: Message) -> None:
        kind = KINDS.get(message.told.kind) if message.told else None
        urgent = kind is not None and kind.lane == "alert"
        later = await self._store.run(lambda tx: send_counts.take(
            tx, CHANNEL, chat, LIMITS, self._now(), count=count, urgent=urgent), f"{CHANNEL}:{chat}")
        if later is not None:
            raise RetryAt((later - self._now()).total_seconds())

    async def _file(self, document: Document) -> cards.Body:
        kind = "image" if document.name.lower().endswith(_PICTURES) else "file"
        if len(document.body) > FILE_LIMIT:
            raise Refused("file is too big")
        kept = await self.calls.upload("/cgi-bin/media/upload", document.name, document.body, {"type": kind})
        return {"msgtype": kind, kind: {"media_id": kept.get("media_id", "")}}

    async def fetch(self, media: Media) -> bytes:
        """The bytes of a photo, voice note or file, from the platform's own host. Raises SendFailure."""
        return await self.calls.download("/cgi-bin/media/get", {"media_id": media.ref}, FILE_LIMIT)

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """An answered card shows the answer, and can be pressed no more; never raises. Its code serves once."""
        code, label = self._cards.pop(inbound.dedupe_key, ("", ""))
        if not code or not cards.replaces(inbound.choice):
            return
        with suppress(SendFailure):  # the code was used before, or is three days old: the card stays as it is
            await self.calls.post("/cgi-bin/message/update_template_card", {
                "userids": [inbound.account], "agentid": self._application.agent_id, "response_code": code,
                "button": {"replace_name": cards.shown_as_pressed(label, self._words)}})

    async def set_menu(self, menu: list[dict[str, Any]]) -> None:
        """The menu below the chat. Raises SendFailure."""
        await self.calls.post("/cgi-bin/menu/create", {"button": menu}, {"agentid": str(self._application.agent_id)})

    async def close(self) -> None:
        for task in self._handling:
            task.cancel()
        await self.calls.close()

    async def _fetch_token(self, force: bool) -> tuple[str, float]:
        given = await self.calls.bare("GET", "/cgi-bin/gettoken", query={
            "corpid": self._application.corp_id, "corpsecret": self._application.secret})
        return token_in(given)

    # --- in ---

    def routes(self, handle: Handle) -> list[Route]:
        """The callback: 200 only for what is stored (or of no interest), 403 for what is not the platform's, 503 so
        that it comes again.
        """
        async def verify(request: Request) -> Response:
            try:
                return PlainTextResponse(self._envelope.open(
                    request.query_params.get("echostr", ""), request.query_params, self._now()))
            except Forged:
                return Response(status_code=403)

        async def receive(request: Request) -> Response:
            came = await received(request, lambda body: parse(
                self._envelope.open_body(body, request.query_params, self._now()), self._now()), self.name, Response())
            if isinstance(came, Response):
                return came
            return Response(status_code=200 if await self._stored(came, handle) else 503)

        return [Route(PATH, verify, methods=["GET"]), Route(PATH, receive, methods=["POST"])]

    async def _stored(self, came: Came, handle: Handle) -> bool:
        """Whether it is kept now; what takes longer than the platform waits goes on, and its repeat finds it done."""
        task = asyncio.get_running_loop().create_task(self._take(came, handle))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        try:
            await asyncio.wait_for(asyncio.shield(task), self._patience)
        except TimeoutError:
            return False
        except Exception as error:
            _log.error("wecom: a message was not stored, it will come again", error=type(error).__name__)
            return False
        return True

    async def _take(self, came: Came, handle: Handle) -> None:
        if came.left:
            await self._store.run(lambda tx: accounts.blocked(tx, CHANNEL, came.left, self._now()),
                                  f"{CHANNEL}:{came.left}")
        if came.inbound is None:
            return
        if came.code:
            self._cards.put(came.inbound.dedupe_key, (came.code, came.label))
        await handle(await self._members.known(came.inbound))
