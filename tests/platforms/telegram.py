"""Telegram by polling and by webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from bot.channels.telegram import WEBHOOK_PATH, Telegram
from tests.fakes.chat_ledgers import FILES, SIZES
from tests.fakes.house import Originals, Running, Shown, find_account
from tests.fakes.served import served
from tests.fakes.telegram_api import FakeTelegram
from tests.fakes.telegram_people import Shown as OnPhone
from tests.platforms.stage import OnPlatform

SECRET = "a-secret_12"


class TelegramPlatform:
    """The fake of the Bot API and its people."""

    def __init__(self, channel: Telegram, fake: FakeTelegram) -> None:
        self.channel, self._fake = channel, fake
        self._told = 0  # the last change that was asked for

    async def does(self, who: str, fields: dict[str, Any]) -> int:
        person = self._fake.person(int(find_account(who)), who)
        match fields:
            case {"blocks": _}:
                person.blocks()
                return 0
            case {"choice": choice, "source": source}:
                person._taps(person.private, person.private.messages[int(source)], {"callback_data": choice})
            case {"chat_kind": "group", "text": text}:
                await person.says(text, self._fake.group(-55, "建设村"))
            case {"media": (media,)} if media.kind == "voice":
                await person.sends_voice()
            case {"media": (media,)} if media.kind == "file":
                await person.sends_document(FILES.get(media.name, b""), media.name, SIZES.get(media.name, 0))
            case {"media": _}:
                await person.sends_photo(caption=fields["text"])
            case {"place": place}:
                await person.sends_place(place.latitude, place.longitude)
            case {"text": text}:
                await person.says(text)
            case _:
                await person.sends_sticker()
        return 1

    async def again(self, count: int) -> None:
        self._fake.repeat(count)

    async def rests(self) -> None:
        """An update that was handled is confirmed with the next poll, or by the answer to its post."""

    async def news(self) -> list[tuple[str, Shown]]:
        since, self._told = self._told, self._fake.change
        new = [(message.change, str(chat.id), message) for chat in self._fake.chats if chat.private
               for message in chat.messages.values() if message.by_bot and message.change > since]
        return [(account, _shown(message)) for _, account, message in sorted(new, key=lambda each: each[0])]

    async def file(self, who: str) -> bytes:
        messages = self._fake.person(int(find_account(who)), who).private.messages
        return [message.document[1] for _, message in sorted(messages.items()) if message.document][-1]


def _shown(message: OnPhone) -> Shown:
    rows = tuple(tuple((button["text"], button.get("callback_data", "")) for button in row)
                 for row in message.keyboard if not row[0].get("request_location"))
    return Shown(str(message.message_id), message.text, rows, message.document[0] if message.document else "")


@asynccontextmanager
async def telegram(originals: Originals, *, mode: str, abroad: bool = False) -> AsyncIterator[OnPlatform]:
    store, village = await originals.store("telegram")
    async with FakeTelegram() as fake:
        now: list[Any] = []
        channel = Telegram(fake.token, fake.url, place_label="发送位置", now=lambda: now[0](), abroad=abroad)
        running = Running(store, village, channel)
        now.append(running.now)
        stage = OnPlatform(running, TelegramPlatform(channel, fake))
        stop = asyncio.Event()
        try:
            if mode == "polling":
                polling = asyncio.create_task(channel.poll(stage.handle, stop))
                yield stage
                stop.set()
                await polling
            else:
                async with served(Starlette(routes=channel.routes(stage.handle, SECRET))) as url:
                    await channel.set_webhook(url + WEBHOOK_PATH, SECRET)
                    yield stage
        finally:
            await channel.close()
            store.close()
