"""What doctor finds out about Telegram, asked of the fake."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.channels.telegram import Telegram
from bot.checks import telegram
from bot.settings import Settings
from tests.fakes.telegram_api import USERNAME, FakeTelegram

PUBLIC = "https://bot.example.gov.cn"


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


async def found(fake: FakeTelegram, folder: Path, **given: Any) -> list[str]:
    given = {"telegram_token": fake.token, "telegram_api_url": fake.url, "public_url": PUBLIC, **given}
    if given.get("telegram_mode") == "webhook":
        given["telegram_secret"] = "s"
    return await telegram.findings(Settings(
        data_dir=folder / "data", key_file=folder / "keys.json", _env_file=None, **given))


async def post_to(fake: FakeTelegram, url: str) -> None:
    bot = Telegram(fake.token, fake.url, place_label="-", now=lambda: None)  # type: ignore[arg-type, return-value]
    await bot.set_webhook(url, "s")
    await bot.close()


async def test_of_a_bot_that_is_well_set_up_there_is_its_name_and_no_warning(fake: FakeTelegram, tmp_path: Path) -> None:
    assert await found(fake, tmp_path) == [f"telegram  @{USERNAME} by polling"]
    await post_to(fake, f"{PUBLIC}/telegram/webhook")
    assert await found(fake, tmp_path, telegram_mode="webhook") == [f"telegram  @{USERNAME} by webhook"]


async def test_a_token_that_is_not_known_and_a_server_that_is_away_are_told_apart(
        fake: FakeTelegram, tmp_path: Path) -> None:
    [unknown] = await found(fake, tmp_path, telegram_token="1:wrong")
    assert "TANFANG_TELEGRAM_TOKEN" in unknown and "@BotFather" in unknown and "1:wrong" not in unknown
    [away] = await found(fake, tmp_path, telegram_api_url="http://127.0.0.1:9")
    assert "does not answer" in away and "TANFANG_TELEGRAM_API_URL" in away


async def test_a_webhook_that_is_elsewhere_unset_or_still_set_is_told(fake: FakeTelegram, tmp_path: Path) -> None:
    assert "posts nowhere yet" in (await found(fake, tmp_path, telegram_mode="webhook"))[1]
    await post_to(fake, "https://other.example/telegram/webhook")
    assert "another address" in (await found(fake, tmp_path, telegram_mode="webhook"))[1]
    assert "although TANFANG_TELEGRAM_MODE is polling" in (await found(fake, tmp_path))[1]


async def test_what_telegram_met_at_the_webhook_is_told(fake: FakeTelegram, tmp_path: Path) -> None:
    await post_to(fake, f"{PUBLIC}/telegram/webhook")
    fake.post_error = "Wrong response from the webhook: 502 Bad Gateway"
    assert "502 Bad Gateway" in (await found(fake, tmp_path, telegram_mode="webhook"))[1]


@pytest.mark.parametrize(("url", "said"), [
    ("", "is not set"), ("http://bot.example.gov.cn", "no https"), ("https://192.0.2.7", "wants a domain"),
    ("https://bot.example.gov.cn:8080", "port 8080")])
async def test_an_address_to_which_telegram_cannot_post_is_told(
        url: str, said: str, fake: FakeTelegram, tmp_path: Path) -> None:
    mode = "webhook" if url else "polling"
    assert any(said in line and line.startswith("WARNING") and "TANFANG_PUBLIC_URL" in line
               for line in await found(fake, tmp_path, public_url=url, telegram_mode=mode))
