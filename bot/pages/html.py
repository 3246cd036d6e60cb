"""What every page of the bot has in common: nothing of it is kept, framed or told to others, and forms are its own.

The token stands in the address: so no address of it is kept by caches, told to other sites, or logged.
"""

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog
from jinja2 import Environment, StrictUndefined, Template
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from bot.logs import where
from storage.database import StoreUnavailable

log = structlog.get_logger()
FORM_BYTES = 1024  # of a form with a line or two
STATUS = {"unknown": 404, "used": 410, "expired": 410, "void": 410, "gone": 410, "elsewhere": 403, "away": 503,
          "too_long": 413, "often": 429}


def page(show: str, token: str = "", *, path: str = "", kind: str = "", wrong: str = "", left: int = 0,
         status: int = 0, **fields: Any) -> Response:
    """The page that shows this; its forms are sent below `path`."""
    html = _template().render(show=show, kind=kind or show, here=f"{path}/{token}", wrong=wrong, left=left, **fields)
    return closed(HTMLResponse(html, status or STATUS.get(show, 200)))


def closed(answer: Response) -> Response:
    """Nothing of it is kept, framed, or told to others."""
    answer.headers.update({
        "cache-control": "no-store", "x-content-type-options": "nosniff", "x-robots-tag": "noindex",
        # not "no-referrer": with that, browsers say "null" where they should say from which site a form comes
        "referrer-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "content-security-policy": f"default-src 'none'; style-src 'sha256-{_style()}'; form-action 'self'; "
                                   "base-uri 'none'; frame-ancestors 'none'"})
    return answer


def own(request: Request, public: str, hosts: frozenset[str]) -> bool:
    """Whether this comes from the page itself, by what the browser says of it."""
    here = request.headers.get("host", "")
    try:
        origin, host = urlsplit(request.headers.get("origin", "")).netloc, urlsplit(f"//{here}").hostname or ""
    except ValueError:  # no browser says that
        return False
    known = {urlsplit(public).netloc}
    if host in hosts:
        known.add(here)
    # who names no site is not at home, though the public address were one without a host
    return origin != "" and origin in known and (
        request.headers.get("sec-fetch-site", "same-origin") == "same-origin")


async def field(request: Request, name: str) -> str | None:
    """What was typed in a form of one line; None where more came than such a form holds."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            return None
    return parse_qs(bytes(body).decode("ascii", "replace")).get(name, [""])[0].strip()


def safely(handler: Any) -> Any:
    """The handler; where the store takes nothing, or the browser has gone, that is said."""
    async def answer(request: Request) -> Response:
        try:
            response: Response = await handler(request)
        except StoreUnavailable:
            return page("away")
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # the server's own log would hold its message, and in that what somebody wrote
            log.error("a page failed", error=type(error).__name__, where=where(error))
            return page("away")
        return response

    return answer


@cache
def _template() -> Template:
    html = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(html)


@cache
def _style() -> str:
    """The hash by which the policy allows the page's one style sheet, and nothing else."""
    html = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    sheet = html.partition("<style>")[2].partition("</style>")[0]
    return b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
