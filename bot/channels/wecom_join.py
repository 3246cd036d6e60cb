"""An invitation opened in WeCom: the platform itself says which member opened it, and he is bound as by any link.

`/wecom/join/TOKEN` leads to the platform's sign-in, which leads back with a code that serves once. Nothing is used up
before that, so that a preview of the link uses up nothing.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.channels.base import Handle, Now, SendFailure
from bot.channels.tencent.calls import Calls
from bot.channels.tencent.page import QUIET, page
from bot.channels.wecom_inbound import CHANNEL
from conversations.message import Inbound
from conversations.words_book import Words
from storage import invitations
from storage.database import Store, StoreUnavailable

JOIN_PATH, BACK_PATH = "/wecom/join", "/wecom/joined"
SIGN_IN = "https://open.weixin.qq.com/connect/oauth2/authorize"
Handler = Callable[[Request], Awaitable[Response]]
LONGEST = 200  # characters of a code or a token
_log = structlog.get_logger()


class Joining:
    """`public` is the bot's own address, which the console must have as a trusted domain."""

    def __init__(self, calls: Calls, store: Store, now: Now, corp_id: str, agent_id: int, public: str) -> None:
        self._calls = calls
        self._store = store
        self._now = now
        self._public = public
        self._words = Words()
        self._sign_in = f"{SIGN_IN}?appid={quote(corp_id)}&response_type=code&scope=snsapi_base&agentid={agent_id}"

    def routes(self, handle: Handle) -> list[Route]:
        """The way to the sign-in, and the way back from it."""
        async def join(request: Request) -> Response:
            token = request.path_params["token"]
            if not await self._open(token):
                return page(self._words, "wecom.join_over", 404)
            back = quote(f"{self._public}{BACK_PATH}/{token}", safe="")
            return RedirectResponse(f"{self._sign_in}&redirect_uri={back}&state=join#wechat_redirect", 303, QUIET)

        async def joined(request: Request) -> Response:
            token, code = request.path_params["token"], request.query_params.get("code", "")
            if not code or len(code) > LONGEST or not await self._open(token):
                return page(self._words, "wecom.join_over", 404)
            account = await self._who(code)
            if not account:
                return page(self._words, "wecom.join_stranger", 403)
            await handle(_start(account, token, code, self._now()))
            return page(self._words, "wecom.joined", 200)

        def patiently(answer: Handler) -> Handler:
            async def answered(request: Request) -> Response:
                try:
                    return await answer(request)
                except (SendFailure, StoreUnavailable):  # the platform, or our own store, is away
                    return page(self._words, "wecom.join_later", 503)
            return answered

        return [Route(f"{JOIN_PATH}/{{token}}", patiently(join), methods=["GET"]),
                Route(f"{BACK_PATH}/{{token}}", patiently(joined), methods=["GET"])]

    async def _open(self, token: str) -> bool:
        found = await self._store.read(lambda tx: invitations.by_token(tx, token[:LONGEST]))
        return found is not None and found.state(self._now()) == "open"

    async def _who(self, code: str) -> str:
        """The member's id; empty where somebody from outside opened it. Raises SendFailure."""
        found = await self._calls.get("/cgi-bin/auth/getuserinfo", {"code": code})
        account = found.get("userid") or found.get("UserId")
        return account.lower() if isinstance(account, str) else ""


def _start(account: str, token: str, code: str, now: datetime) -> Inbound:
    once = hashlib.sha256(code.encode()).hexdigest()
    return Inbound(channel=CHANNEL, account=account, chat=account, dedupe_key=f"join:{once}", at=now,
                   text=f"/start {token}")
