"""The gateway for text messages, where an operator has one: alerts alone, to people who have no account.

`POST TANFANG_SMS_URL` with `Authorization: Bearer TOKEN` and {"id", "to", "template", "text"}; any 2xx is taken, the
same `id` again is the same message. The outbox holds no number: a chat names whose it is, and is looked up here.
"""

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable

import httpx
import orjson

from bot.channels.base import Capabilities, Receipt, Refused, RetryAt
from conversations.message import Inbound, Media, Message

CONNECT, READ = 3.0, 8.0  # seconds
BUSY_SECONDS, LONGEST_WAIT = 5.0, 300.0
TEXT_LENGTH = 200  # characters: three parts of a text message
PHONE = re.compile(r"\+?\d{7,15}")

NumberOf = Callable[[str], Awaitable[str]]  # from a chat to a phone number, empty where there is none any more


class Sms:
    """Sends only: nothing comes in, and there are no buttons."""

    name = "sms"
    capabilities = Capabilities(
        button_rows=0, buttons_per_row=0, label_length=0, text_length=TEXT_LENGTH, can_edit=False, can_push=True,
        has_groups=False, carries_files=False, abroad=False)

    def __init__(self, url: str, token: str, number_of: NumberOf, transport: httpx.AsyncBaseTransport | None = None,
                 ) -> None:
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._url = url
        self._number_of = number_of
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(READ, connect=CONNECT), transport=transport, follow_redirects=False,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})

    async def send(self, chat: str, message: Message) -> Receipt:
        """Raises RetryAt where the gateway is busy or away, Refused where it, or the number, is not to be had."""
        number = re.sub(r"[\s()-]", "", await self._number_of(chat))
        if not PHONE.fullmatch(number):
            raise Refused("no phone number")
        text = message.text[:TEXT_LENGTH]
        key = hashlib.sha256(f"{chat}\n{text}".encode()).hexdigest()[:32]
        template = message.told.kind if message.told else ""
        body = orjson.dumps({"id": key, "to": number, "template": template, "text": text})
        try:
            answer = await self._http.post(self._url, content=body)
        except (httpx.HTTPError, httpx.InvalidURL):  # the error holds the URL; it is not passed on
            raise RetryAt(BUSY_SECONDS) from None
        if answer.is_success:
            return Receipt(key)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetryAt(_wait(answer.headers.get("retry-after", "")))
        raise Refused(f"HTTP {answer.status_code}")

    async def fetch(self, media: Media) -> bytes:
        """Nothing comes in."""
        raise Refused("no media")

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """Nothing was tapped."""

    async def close(self) -> None:
        await self._http.aclose()


def _wait(retry_after: str) -> float:
    """Seconds to wait: as the gateway says, within reason."""
    usable = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 6
    return min(max(float(retry_after), 1.0), LONGEST_WAIT) if usable else BUSY_SECONDS
