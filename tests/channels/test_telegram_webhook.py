"""Telegram by webhook: who may post, what is answered, and that 200 means stored."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.channels.telegram import BODY_LIMIT, WEBHOOK_PATH, Telegram
from tests.channels.test_telegram_inbound import SECRET, Inbox, message
from tests.fakes.served import served
from tests.fakes.telegram_api import FakeTelegram


def posting(telegram: Telegram, inbox: Inbox) -> httpx.AsyncClient:
    app = Starlette(routes=telegram.routes(inbox.handle, SECRET))
    transport = httpx.ASGITransport(app)
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    return httpx.AsyncClient(transport=transport, base_url="http://bot", headers=headers)


async def test_a_posted_update_is_answered_after_it_was_stored(telegram: Telegram) -> None:
    inbox = Inbox()
    async with posting(telegram, inbox) as client:
        answer = await client.post(WEBHOOK_PATH, json={"update_id": 1, "message": message()})
        assert answer.status_code == 200
        assert inbox.texts == ["x"]
        inbox.broken = {"x"}
        answer = await client.post(WEBHOOK_PATH, json={"update_id": 2, "message": message()})
        assert answer.status_code == 503


@pytest.mark.parametrize("secret", ["", "wrong", "a-secret_12", "密"])
async def test_a_forged_post_is_refused(telegram: Telegram, secret: str) -> None:
    inbox = Inbox()
    async with posting(telegram, inbox) as client:
        answer = await client.post(
            WEBHOOK_PATH,
            json={"update_id": 1, "message": message()},
            headers=[(b"X-Telegram-Bot-Api-Secret-Token", secret.encode())],
        )
    assert (answer.status_code, inbox.tried) == (403, [])


def test_a_webhook_without_a_secret_is_not_served(telegram: Telegram) -> None:
    with pytest.raises(ValueError, match="TANFANG_TELEGRAM_SECRET"):
        telegram.routes(Inbox().handle, "")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b"[]", 200),
        (b"3", 200),
        (b'{"update_id": 1, "poll_answer": {}}', 200),
        (b" " * (1024 * 1024), 413),
    ],
)
async def test_broken_big_and_unknown_bodies_change_nothing_and_the_next_works(
    telegram: Telegram, body: bytes, status: int
) -> None:
    inbox = Inbox()
    async with posting(telegram, inbox) as client:
        assert (await client.post(WEBHOOK_PATH, content=body)).status_code == status
        assert inbox.tried == []
        answer = await client.post(WEBHOOK_PATH, json={"update_id": 2, "message": message()})
    assert (answer.status_code, inbox.texts) == (200, ["x"])


async def test_a_big_body_of_undeclared_length_is_not_read_to_its_end(telegram: Telegram) -> None:
    chunk, left = b" " * 65_536, 64
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": chunk, "more_body": left > 0}

    async def send(event: Any) -> None:
        sent.append(event)

    app = Starlette(routes=telegram.routes(Inbox().handle, SECRET))
    headers = [(b"x-telegram-bot-api-secret-token", SECRET.encode())]
    scope = {"type": "http", "method": "POST", "path": WEBHOOK_PATH, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    assert sent[0]["status"] == 413
    assert (64 - left) * len(chunk) <= BODY_LIMIT + 2 * len(chunk)


async def test_the_fake_posts_again_until_it_was_stored(fake: FakeTelegram, telegram: Telegram) -> None:
    inbox, wang = Inbox(), fake.person(7, "王")
    inbox.broken = {"一"}
    async with served(Starlette(routes=telegram.routes(inbox.handle, SECRET))) as url:
        await telegram.set_webhook(url + WEBHOOK_PATH, SECRET)
        await wang.says("一")
        await wang.says("二")
        await fake.person(8, "李").says("三")
        await inbox.until("三", tried=4)
        assert "二" not in inbox.tried
        inbox.broken = set()
        await inbox.until("一", "二")
    assert [text for text in inbox.texts if text != "三"] == ["一", "二"]
    assert {status for _, status in fake.deliveries} == {200, 503}
