"""From settings to the WeCom channel, and what it does beside messages."""

import asyncio
import tomllib
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from bot.channels.base import Now
from bot.channels.wecom import Application, WeCom
from bot.channels.wecom_join import JOIN_PATH, Joining
from bot.settings import Settings
from conversations.words_book import FOLDER
from storage.database import Store

STEP = 600.0  # seconds between looks at who belongs into the villages' chats; each message looks too
_log = structlog.get_logger()


def build(settings: Settings, store: Store, now: Now, zone: ZoneInfo) -> WeCom:
    """The channel; the settings are whole."""
    return WeCom(Application(settings.wecom_corp_id, int(settings.wecom_agent_id or 0), settings.wecom_secret,
                             settings.wecom_token, settings.wecom_aes_key, settings.wecom_api_url), store, now, zone)


def joining(settings: Settings, channel: WeCom, store: Store, now: Now) -> tuple[Joining, str]:
    """What opens invitations, and the address that a token is put behind."""
    return Joining(channel.calls, store, now, settings.wecom_corp_id, int(settings.wecom_agent_id or 0),
                   settings.public), f"{settings.public}{JOIN_PATH}/"


def menu() -> list[dict[str, Any]]:
    """The menu as the platform takes it."""
    rows = tomllib.loads((FOLDER / "wecom_menu.toml").read_text(encoding="utf-8"))["menu"]
    return [{"name": name, "sub_button": [_button(*each) for each in under]} if isinstance(under, list)
            else _button(name, under) for name, under in rows]


async def set_menu(channel: WeCom) -> None:
    """Sets the menu, once a start; a failure is only logged."""
    try:
        await channel.set_menu(menu())
    except Exception as error:
        _log.warning("wecom: the menu was not set", error=type(error).__name__)


async def keep_chats(channel: WeCom, stop: asyncio.Event) -> None:
    """Keeps the members of the villages' chats in step with who is in office, until `stop`."""
    while not stop.is_set():
        try:
            await channel.groups.keep_all()
        except Exception as error:
            _log.warning("wecom: the villages' chats were left", error=type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STEP)


def _button(name: str, key: str) -> dict[str, Any]:
    return {"type": "click", "name": name, "key": key}
