"""The page behind an alert, `/a/{token}`: three lines to whoever opens it, the rest to who proves that he may go.

Opening it changes nothing. A name and six digits make a cookie of this page only; what it then shows and does is
decided in conversations/alert_page.py.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.channels.base import Now
from bot.pages import html
from bot.pages.naming import Naming
from conversations import alert_page
from conversations.pages import ALERTS
from conversations.turn import House
from storage.database import Store
from storage.pages import VALID

TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 bits
_Work = Callable[[str, str, str, str], Awaitable[Response]]  # of token, cookie (whom, grant), and what was typed
COOKIE = re.compile(r"([A-Za-z0-9_.-]{22,80})/([0-9a-f]{64})?")


@dataclass(frozen=True, slots=True)
class _Desk:
    store: Store
    house: House
    now: Now
    hosts: frozenset[str]
    naming: Naming

    async def show(self, request: Request) -> Response:
        """What the link leads to now."""
        token, (held, grant) = _token(request), _kept(request)
        if token is None:
            return html.page("unknown")
        if "again" in request.query_params:
            held = grant = ""
        now, wrong = self.now(), "code" if "wrong" in request.query_params else ""
        # only who has shown the digits reads what must be noted
        do = self.store.run if grant else self.store.read
        view = await do(lambda tx: alert_page.look(self.house, tx, token, held, grant, now))
        if not view.line:
            return html.page(view.show)
        return html.page(view.show, token, path=ALERTS, kind="alert", wrong=wrong, line=view.line, card=view.card,
                         may_claim=view.may_claim)

    async def name(self, request: Request) -> Response:
        """Takes a name: who has it, and may go, gets six digits in his chat."""
        async def work(token: str, held: str, grant: str, name: str) -> Response:
            now = self.now()
            if not await self.store.read(lambda tx: alert_page.leads(tx, token, now)):
                return html.page("unknown")
            if not self.naming.may(token, request.client.host if request.client else "", now):
                return html.page("often")
            own = await self.store.run(lambda tx: alert_page.ask_for(self.house, tx, token, name, now))
            return self._keeping(token, f"{own}/")

        return await self._form(request, "name", work)

    async def code(self, request: Request) -> Response:
        """Takes the six digits."""
        async def work(token: str, held: str, grant: str, code: str) -> Response:
            given = await self.store.run(lambda tx: alert_page.enter(tx, token, held, code, self.now()))
            if given is None:
                return html.closed(RedirectResponse(f"{ALERTS}/{token}?wrong", 303))
            return self._keeping(token, f"{held or token}/{given}")

        return await self._form(request, "code", work)

    async def claim(self, request: Request) -> Response:
        """He goes."""
        async def work(token: str, held: str, grant: str, _: str) -> Response:
            await self.store.run(lambda tx: alert_page.claim(self.house, tx, token, held, grant, self.now()))
            return html.closed(RedirectResponse(f"{ALERTS}/{token}", 303))

        return await self._form(request, "claim", work)

    async def _form(self, request: Request, name: str, work: _Work) -> Response:
        token = _token(request)
        if token is None:
            return html.page("unknown")
        if not html.own(request, self.house.public, self.hosts):
            return html.page("elsewhere")
        given = await html.field(request, name)
        if given is None:
            return html.page("too_long")
        return await work(token, *_kept(request), given)

    def _keeping(self, token: str, value: str) -> Response:
        answer = RedirectResponse(f"{ALERTS}/{token}", 303)
        answer.set_cookie("alert", value, max_age=int(VALID.total_seconds()), path=f"{ALERTS}/{token}", httponly=True,
                          samesite="strict", secure=self.house.public.startswith("https:"))
        return html.closed(answer)


def build_routes(store: Store, house: House, now: Now, hosts: frozenset[str]) -> list[Route]:
    """The page's routes. `hosts`: the names, besides that of the house's public address, it may be asked for."""
    desk = _Desk(store, house, now, hosts, Naming())
    return [Route(ALERTS + "/{token}", html.safely(desk.show), methods=["GET"]),
            Route(ALERTS + "/{token}", html.safely(desk.code), methods=["POST"]),
            Route(ALERTS + "/{token}/name", html.safely(desk.name), methods=["POST"]),
            Route(ALERTS + "/{token}/claim", html.safely(desk.claim), methods=["POST"])]


def _token(request: Request) -> str | None:
    token = str(request.path_params["token"])
    return token if TOKEN.fullmatch(token) else None


def _kept(request: Request) -> tuple[str, str]:
    """Whom the browser says it is, and what the right digits gave it; empty where it says nothing, or nonsense."""
    kept = COOKIE.fullmatch(request.cookies.get("alert", ""))
    return (kept[1], kept[2] or "") if kept else ("", "")
