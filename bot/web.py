"""Health and metrics over HTTP."""

from collections.abc import Callable
from datetime import datetime

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot import clock
from storage import meta
from storage.database import Store, StoreUnavailable, Tx


def build_routes(store: Store, ready: Callable[[], bool], now: Callable[[], datetime]) -> list[Route]:
    """`/healthz`: the process lives. `/readyz`: it can keep what it is told. `/metrics`: Prometheus text.

    What `/readyz` says of the clock changes nothing of its 200: who asks can be answered.
    """

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if not ready():
            return PlainTextResponse("starting or stopping\n", 503)
        try:
            ticked = await store.run(_look)
        except StoreUnavailable:
            return PlainTextResponse("the database takes nothing\n", 503)
        return PlainTextResponse("\n".join(("ready", *ticked, "")))

    def _look(tx: Tx) -> list[str]:
        meta.put(tx, "readyz", "1")
        return clock.standing(tx, now())

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
