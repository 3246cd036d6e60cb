"""Health and metrics over HTTP."""

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storage import meta
from storage.database import Store, StoreUnavailable


def build_routes(store: Store, ready: Callable[[], bool]) -> list[Route]:
    """`/healthz`: the process lives. `/readyz`: it can keep what it is told. `/metrics`: Prometheus text."""

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        if not ready():
            return PlainTextResponse("starting or stopping\n", 503)
        try:
            await store.run(lambda tx: meta.put(tx, "readyz", "1"))
        except StoreUnavailable:
            return PlainTextResponse("the database takes nothing\n", 503)
        return PlainTextResponse("ready\n")

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
