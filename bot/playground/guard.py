"""What keeps other web pages away from the playground: it has no password, so only its own page may ask.

A page of another origin can send requests to 127.0.0.1, and with DNS rebinding even read the answers;
both are refused here, by the Host and Origin headers and by content types that no plain form can send.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Middleware: lets through what asks one of `hosts` (names without port) from a page of the same host."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = OWN_HOSTS) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = _refusal(Headers(scope=scope), scope["method"], self._hosts)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if reason:
            await JSONResponse({"error": reason}, status_code=403)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)


def _refusal(headers: Headers, method: str, hosts: frozenset[str]) -> str:
    host = headers.get("host", "")
    if _name(host) not in hosts:
        return "this host name is not served here"
    origin = headers.get("origin")
    if method not in ("GET", "HEAD") and origin is not None and _netloc(origin) != host:
        return "only the playground's own page may send"
    return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def read_body(request: Request, limit: int, content_types: tuple[str, ...]) -> bytes:
    """The whole body. Raises HTTPException: 415 for another content type, 413 beyond `limit` bytes."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not given.startswith(content_types):
        raise HTTPException(415, f"the content type must be one of: {', '.join(content_types)}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HTTPException(413, f"the body is larger than {limit} bytes")
    return bytes(body)
