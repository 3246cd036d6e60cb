"""The request by which WeChat or WeCom tells of something: read within limits, refused where it is not theirs."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot.channels.requests import body_of
from bot.channels.tencent import xml
from bot.channels.tencent.envelope import Forged

T = TypeVar("T")
BODY_LIMIT = 64 * 1024  # bytes of one callback; real ones stay under 5 KB
_log = structlog.get_logger()


async def received(request: Request, read: Callable[[bytes], T], platform: str, unread: Response) -> T | Response:
    """What `read` makes of the body; else what the request is answered with.

    `read` may raise Forged (403) and xml.Unreadable: `unread`, for it is signed, so it would come three times and never
    be understood.
    """
    try:
        body = await body_of(request, BODY_LIMIT)
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return Response(status_code=413)
    try:
        return read(body)
    except Forged as forged:
        _log.warning(f"{platform}: a request was refused", why=str(forged))
        return Response(status_code=403)
    except xml.Unreadable as unreadable:
        _log.error(f"{platform}: a message could not be read", why=str(unreadable))
        return unread
