"""A Telegram channel that talks to the strict fake."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.telegram import Telegram
from tests.fakes.telegram_api import FakeTelegram

NOW = datetime(2026, 3, 2, 8, 40, tzinfo=UTC)


def channel(fake: FakeTelegram, **settings: Any) -> Telegram:
    return Telegram(
        settings.pop("token", fake.token), fake.url, place_label="发送位置", now=lambda: NOW, **settings
    )


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def telegram(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    telegram = channel(fake)
    yield telegram
    await telegram.close()
