"""Every transcript, word for word on a channel of our own, and again on Telegram by polling and by webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from bot.channels.telegram import WEBHOOK_PATH, Telegram
from conversations.form import FORMS, Form, load
from conversations.message import Inbound
from storage.crypto import Keys
from tests.conversations.transcript import AGAIN, FOLDER, WRITE, InMemory, Player, without_rows
from tests.fakes.chat_ledgers import FILES, SIZES
from tests.fakes.house import PEOPLE, PHONES, Originals, Recorder, Running, Shown, find_account
from tests.fakes.served import served
from tests.fakes.telegram_api import FakeTelegram

SCRIPTS = sorted(FOLDER.glob("*.txt"))
ABROAD = [path for path in SCRIPTS if path.stem.startswith("abroad")]
SECRET = "a-secret_12"
ADDED = """
[[question]]
id = "heating_paid"
section = "care"
kind = "choice"
label = "取暖补贴"
ask = "取暖补贴领到了吗？"
options = [{ id = "yes", label = "领到了" }, { id = "no", label = "还没有" }]

[[question]]
id = "visitor_signature"
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


@pytest.fixture(scope="module")
def changed_form(tmp_path_factory: pytest.TempPathFactory) -> Form:
    """Today's form with one question added and one answer replaced: nothing but the toml is touched."""
    path = tmp_path_factory.mktemp("forms") / "visit.toml"
    text = (FORMS / "visit.toml").read_text(encoding="utf-8")
    text = text.replace('{ id = "comfort", label = "情绪抚慰" }', '{ id = "company", label = "陪伴" }')
    path.write_text(text.replace('\n[[question]]\nid = "visitor_signature"\n', ADDED), encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_a_conversation_goes_as_written(path: Path, originals: Originals, changed_form: Form) -> None:
    store, village = await originals.store()
    recorder = Recorder(abroad=path in ABROAD)
    stage = InMemory(Running(store, village, recorder), recorder)
    script = path.read_text(encoding="utf-8")
    try:
        played = await Player(stage, changed_form).play(script)
    finally:
        store.close()
    if WRITE:
        path.write_text(played, encoding="utf-8")
    assert played == path.read_text(encoding="utf-8")
    if path in ABROAD:
        said = "".join(shown.text for sent in recorder.sent.values() for shown in sent)
        assert not [name for name in ("张桂芳", "曾国富", "仇大山", "欧阳明") if name in said]


class OnTelegram:
    """The same, over HTTP through the fake of the Bot API."""

    def __init__(self, running: Running, fake: FakeTelegram) -> None:
        self.running, self._fake = running, fake
        self._handled: asyncio.Queue[Inbound] = asyncio.Queue()
        self._last: list[Inbound] = []

    async def handle(self, inbound: Inbound) -> None:
        await self.running.handle(inbound)
        self._handled.put_nowait(inbound)

    async def act(self, who: str, inbounds: list[dict[str, Any]]) -> list[Shown]:
        before = self._fake.change
        if inbounds == [AGAIN]:
            await asyncio.gather(*map(self.handle, self._last))
        for fields in inbounds:
            await self._do(who, fields)
        async with asyncio.timeout(10):
            self._last = [await self._handled.get() for _ in (self._last if inbounds == [AGAIN] else inbounds)]
        await self.running.delivery.settle()
        return self._news(who, before)

    async def sweep(self) -> list[tuple[str, Shown]]:
        before = self._fake.change
        await self.running.delivery.sweep()
        return [(who, shown) for who in (*PEOPLE, *PHONES) for shown in self._news(who, before)]

    async def work(self, who: str) -> list[Shown]:
        before = self._fake.change
        await self.running.work()
        return self._news(who, before)

    def file(self, who: str) -> bytes:
        messages = self._fake.person(int(find_account(who)), who).private.messages
        return [message.document[1] for _, message in sorted(messages.items()) if message.document][-1]

    def _news(self, who: str, before: int) -> list[Shown]:
        chat = self._fake.person(int(find_account(who)), who).private
        news = [message for message in chat.messages.values() if message.by_bot and message.change > before]
        return [Shown(str(message.message_id), message.text,
                      tuple(tuple((button["text"], button.get("callback_data", "")) for button in row)
                            for row in message.keyboard if not row[0].get("request_location")),
                      message.document[0] if message.document else "")
                for message in sorted(news, key=lambda message: message.change)]

    async def _do(self, who: str, fields: dict[str, Any]) -> None:
        person = self._fake.person(int(find_account(who)), who)
        if fields == AGAIN:
            return
        if "choice" in fields:
            message = person.private.messages[int(fields["source"])]
            person._taps(person.private, message, {"callback_data": fields["choice"]})
        elif fields.get("chat_kind") == "group":
            await person.says(fields["text"], self._fake.group(-55, "建设村"))
        elif "media" in fields:
            if fields["media"][0].kind == "voice":
                await person.sends_voice()
            elif fields["media"][0].kind == "file":
                name = fields["media"][0].name
                await person.sends_document(FILES.get(name, b""), name, SIZES.get(name, 0))
            else:
                await person.sends_photo(caption=fields["text"])
        elif "place" in fields:
            await person.sends_place(fields["place"].latitude, fields["place"].longitude)
        elif "text" in fields:
            await person.says(fields["text"])
        else:
            await person.sends_sticker()


@asynccontextmanager
async def telegram(mode: str, originals: Originals, *, abroad: bool) -> AsyncIterator[OnTelegram]:
    store, village = await originals.store("telegram")
    async with FakeTelegram() as fake:
        now: list[Any] = []
        channel = Telegram(fake.token, fake.url, place_label="发送位置", now=lambda: now[0](), abroad=abroad)
        running = Running(store, village, channel)
        now.append(running.now)
        stage = OnTelegram(running, fake)
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


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
async def test_the_same_is_said_on_telegram(path: Path, mode: str, originals: Originals, changed_form: Form) -> None:
    script = path.read_text(encoding="utf-8")
    async with telegram(mode, originals, abroad=path in ABROAD) as stage:
        played = await Player(stage, changed_form).play(script)
    assert without_rows(played) == without_rows(script)
