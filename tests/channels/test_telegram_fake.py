"""The fake Telegram is as strict as the real one: tests against it mean something."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fakes.telegram_api import FakeTelegram


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


async def test_it_ends_the_older_of_two_pollers(fake: FakeTelegram) -> None:
    async with httpx.AsyncClient(base_url=f"{fake.url}/bot{fake.token}/", timeout=10) as client:
        older = asyncio.create_task(client.post("getUpdates", data={"timeout": "30"}))
        await fake.hears("getUpdates")
        assert (await client.post("getUpdates", data={"timeout": "0"})).status_code == 200
        assert (await older).status_code == 409


async def test_it_fails_a_test_whose_bot_sends_an_unknown_field() -> None:
    with pytest.raises(AssertionError, match="colour"):
        async with FakeTelegram() as strict, httpx.AsyncClient() as client:
            await strict.person(7, "王").says("好")
            data = {"chat_id": "7", "text": "x", "colour": "red"}
            answer = await client.post(f"{strict.url}/bot{strict.token}/sendMessage", data=data)
            assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "data", "description"),
    [
        ("sendMessage", {"text": " "}, "message text is empty"),
        ("sendMessage", {"text": "👵" * 2049}, "message is too long"),
        ("sendMessage", {"text": "<b>x", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"text": "张<三>", "parse_mode": "HTML"}, "can't parse entities"),
        ("sendMessage", {"text": "x", "reply_markup": "{"}, "can't parse reply markup"),
        ("sendMessage", {"text": "x", "chat_id": "8"}, "chat not found"),
        ("sendMessage", {}, "message text is empty"),
        ("editMessageText", {"text": "x", "message_id": "99"}, "message to edit not found"),
    ],
)
async def test_it_refuses_what_the_real_one_refuses(
    fake: FakeTelegram, method: str, data: dict[str, str], description: str
) -> None:
    await fake.person(7, "王").says("好")
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{fake.url}/bot{fake.token}/{method}", data={"chat_id": "7", **data})
    assert answer.status_code == 400
    assert description in answer.json()["description"]
