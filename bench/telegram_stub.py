"""python-telegram-bot's HTTP, replaced by one that answers at once: for its own bench and for ours."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from telegram.request import BaseRequest, RequestData

from bench.flow import TIME
from bench.measure import Platform

BOT = {"id": 7_100_000_001, "is_bot": True, "first_name": "tanfang", "username": "tanfang_bench_bot"}
TOKEN = "7100000001:AAbench"


class StubRequest(BaseRequest):
    """Makes the body that would go on the wire, hands it over, and gives a valid result.

    `encode` makes the body of a call's parameters: the library's form encoding where nothing is said.
    """

    def __init__(self, platform: Platform, encode: Callable[[RequestData], bytes] | None = None) -> None:
        self._platform = platform
        self._encode = encode

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(self, url: str, method: str, request_data: RequestData | None = None,
                         read_timeout: Any = None, write_timeout: Any = None, connect_timeout: Any = None,
                         pool_timeout: Any = None) -> tuple[int, bytes]:
        if self._encode is not None and request_data is not None:
            parameters: Any = request_data.parameters
            body = self._encode(request_data)
        else:
            parameters = request_data.json_parameters if request_data else {}
            body = urlencode(parameters).encode()  # as httpx does it
        return 200, orjson.dumps({"ok": True, "result": self._result(url, parameters, body)})

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        return orjson.loads(payload)

    def _result(self, url: str, parameters: Mapping[str, Any], body: bytes) -> Any:
        name = url.rpartition("/")[2].lower()
        if name == "getme":
            return BOT
        if name not in ("sendmessage", "editmessagetext") or not body:
            return True
        chat = int(parameters["chat_id"])
        edited = int(parameters["message_id"]) if name == "editmessagetext" else None
        message = self._platform.replied(chat, parameters.get("reply_markup"), edited)
        return {"message_id": message, "from": BOT, "chat": {"id": chat, "type": "private"}, "date": TIME,
                "text": parameters["text"]}
