"""Telegram: the token, and where Telegram sends what people write."""

import asyncio
from typing import Any

from bot.channels.base import RetryAt, SendFailure
from bot.checks import public_url
from bot.clock import wall
from bot.settings import Settings

PATIENCE = 15.0  # seconds for all of it
PORTS = (443, 80, 88, 8443)


async def findings(settings: Settings) -> list[str]:
    """One finding a line; those that want something done begin with WARNING."""
    from bot.channels.telegram import Telegram
    from bot.channels.telegram_calls import TOKEN_SECONDS

    telegram = Telegram(settings.telegram_token, settings.telegram_api_url, place_label="-", now=wall)
    try:
        async with asyncio.timeout(PATIENCE):
            name, hook = await telegram.me(), await telegram.webhook()
    except (SendFailure, TimeoutError) as failure:
        if isinstance(failure, RetryAt) and failure.seconds == TOKEN_SECONDS:
            return ["WARNING   Telegram does not know TANFANG_TELEGRAM_TOKEN: @BotFather shows it (/mybots, API Token)"]
        return [f"WARNING   Telegram does not answer at {settings.telegram_api_url}: may this machine reach it, and is "
                "TANFANG_TELEGRAM_API_URL right?"]
    finally:
        await telegram.close()
    posts = settings.telegram_mode == "webhook"
    waiting = f", {hook['pending_update_count']} updates wait there" if hook.get("pending_update_count") else ""
    return [f"telegram  @{name} by {settings.telegram_mode}{waiting}", *_hook(settings, hook),
            *public_url.findings(settings, "Telegram", PORTS, posts=posts)]


def _hook(settings: Settings, hook: dict[str, Any]) -> list[str]:
    """Whether Telegram posts where these settings expect it."""
    wanted = f"{settings.public}/telegram/webhook" if settings.telegram_mode == "webhook" else ""
    found = []
    if hook["url"] != wanted:
        there = "posts to another address" if hook["url"] else "posts nowhere yet"
        found.append(f"WARNING   Telegram {there}: serve tells it at its start" if wanted else
                     "WARNING   Telegram posts to a webhook although TANFANG_TELEGRAM_MODE is polling: serve takes it "
                     "back at its start; is the token used by another program?")
    elif wanted and hook.get("last_error_message"):
        found.append(f"WARNING   Telegram could not post to {wanted}: {hook['last_error_message']}; is the proxy "
                     "up, and its certificate good (docs/proxy.md)?")
    return found
