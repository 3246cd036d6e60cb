"""A gateway for text messages on loopback, which takes what the contract says and nothing else."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "a-token"
FIELDS = {"id": r"[0-9a-f]{32}", "to": r"\+?\d{7,15}", "template": r"alert_texted", "text": r"【探访】[^\n]{1,190}"}


@dataclass
class Gateway:
    """`sent` holds each message once; `answers` are given first, one a request."""

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: list[Response] = field(default_factory=list)
    asked: int = 0

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/send", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.asked += 1
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status_code=401)
        if request.headers.get("content-type") != "application/json" or request.url.query:
            return Response(status_code=415)
        body = orjson.loads(await request.body())
        if body.keys() != FIELDS.keys() or not all(re.fullmatch(FIELDS[name], body[name]) for name in FIELDS):
            return Response(status_code=422)
        if self.answers:
            return self.answers.pop(0)
        self.sent.setdefault(body["id"], body)
        return JSONResponse({"taken": True})
