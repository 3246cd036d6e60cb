"""What the callbacks of platforms share."""

from starlette.requests import Request


async def body_of(request: Request, limit: int) -> bytes | None:
    """The request's body, or None where it is over `limit` bytes (the rest is not read). Raises ClientDisconnect."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > limit:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)
