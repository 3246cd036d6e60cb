"""`POST /devices/alarms` and its OpenAPI document."""

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bot.devices import shapes
from bot.devices.intake import Intake
from bot.devices.shapes import MOST_BYTES, PATH, Answer, Wrong
from bot.metrics import alarms
from storage import device_vendors
from storage.database import StoreUnavailable
from storage.device_vendors import Vendor

TYPE = "application/json"
HEADERS = {"401": {"WWW-Authenticate": "Bearer"}, "503": {"Retry-After": "5"}}
MOST_OF_A_TOKEN = 200  # characters


def build_routes(intake: Intake, public: str) -> list[Route]:
    """The door by HTTP. Whoever has no token is answered before a byte of his body is read."""
    document = orjson.dumps(shapes.openapi(public))

    async def take(request: Request) -> Response:
        try:
            vendor = await _vendor(intake, request)
            if vendor is None:
                alarms("http", "no_token").inc()
                return _say(401, "Authorization", "must be Bearer and a token that holds")
            body = await _body(request)
        except StoreUnavailable:
            return _say(503, "server", "nothing was kept; send it again")
        except ClientDisconnect:
            return Response(status_code=400)  # nobody hears it
        status, answer = await intake.take(vendor, body, "http")
        return _answer(status, answer)

    async def openapi(request: Request) -> Response:
        return Response(document, media_type=TYPE)

    return [Route(PATH, take, methods=["POST"]), Route("/devices/openapi.json", openapi)]


async def _vendor(intake: Intake, request: Request) -> Vendor | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > MOST_OF_A_TOKEN or not token.isascii():
        return None
    return await intake.store.read(lambda tx: device_vendors.by_token(tx, token))


async def _body(request: Request) -> bytes:
    """The body, or a little more than is taken of one that is too long."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            break
    return b"".join(parts)


def _say(status: int, where: str, what: str) -> Response:
    return _answer(status, Answer(errors=(Wrong(where=where, what=what),)))


def _answer(status: int, answer: Answer) -> Response:
    return Response(answer.model_dump_json(exclude_defaults=True), status, HEADERS.get(str(status)), TYPE)
