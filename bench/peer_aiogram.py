"""aiogram 3: its FSM on Redis with `appendfsync always`, so each write is on disk before it is answered."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import orjson
from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.filters import Command, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from redis.asyncio import BlockingConnectionPool, Redis

from bench import asked
from bench.asked import FIRST, NEXT, QUESTIONS, REVIEW
from bench.flow import TIME
from bench.measure import Load, Platform, Row, measure, peak_mb, serve, visits_logged

NAME = "aiogram, Redis"
SERVER = "redis-server"
VISITS = "visits"
NUMBERS = "visit-numbers"
CONNECTIONS = 200  # one for each person: nobody waits for another's
router = Router()


class Visit(StatesGroup):
    """Which question it is stands in the data: one handler serves all of them."""

    asking = State()
    review = State()


def _keyboard(buttons: tuple[tuple[str, str], ...]) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(text=label, callback_data=data)] for label, data in buttons]
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


KEYBOARDS = {name: _keyboard(question.buttons) for name, question in QUESTIONS.items()}
SUBMIT = _keyboard(asked.SUBMIT)


@router.message(Command("visit"))
async def start(message: Message, state: FSMContext) -> None:
    await state.set_data({"at": FIRST.name, "answers": {}})
    await state.set_state(Visit.asking)
    await message.answer(FIRST.text, reply_markup=KEYBOARDS[FIRST.name])


@router.message(Command("cancel"))
async def cancel(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer(asked.CANCELLED)


@router.callback_query(StateFilter(Visit.asking), F.data)
async def tapped(query: CallbackQuery, state: FSMContext) -> None:
    data = await state.get_data()
    name, _, value = (query.data or "").partition(":")
    if name != data["at"] or not isinstance(query.message, Message):
        await query.answer()
        return
    text, markup = await _take(state, data, value)
    await query.answer()
    await query.message.edit_text(text, reply_markup=markup)


@router.message(StateFilter(Visit.asking), F.text)
async def wrote(message: Message, state: FSMContext) -> None:
    text, markup = await _take(state, await state.get_data(), message.text or "")
    await message.answer(text, reply_markup=markup)


@router.callback_query(StateFilter(Visit.review), F.data == asked.SUBMIT[0][1])
async def submit(query: CallbackQuery, state: FSMContext, redis: Redis) -> None:
    answers = (await state.get_data())["answers"]
    visitor = query.from_user.id
    number = await redis.hincrby(NUMBERS, asked.elder_of(visitor, answers), 1)
    await redis.rpush(VISITS, orjson.dumps(asked.record(visitor, number, answers)))
    await state.clear()
    await query.answer()
    if isinstance(query.message, Message):
        await query.message.edit_text(asked.kept(number))


async def _take(state: FSMContext, data: dict[str, Any], value: str,
                ) -> tuple[str, InlineKeyboardMarkup | None]:
    answers = data["answers"]
    answers[data["at"]] = value
    following = NEXT[data["at"]]
    await state.set_data({"at": following.name if following else REVIEW, "answers": answers})
    if following is None:
        await state.set_state(Visit.review)
        return asked.review(answers), SUBMIT
    return following.text, KEYBOARDS[following.name]


class StubSession(AiohttpSession):
    """Makes the body that aiohttp would put on the wire, hands it over, and reads a valid result."""

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self._platform = platform

    async def make_request(self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None,
                           ) -> TelegramType:
        self.build_form_data(bot, method)()
        result: object = True
        if isinstance(method, SendMessage | EditMessageText):
            chat = int(method.chat_id or 0)
            edited = method.message_id if isinstance(method, EditMessageText) else None
            message = self._platform.replied(chat, method.reply_markup, edited)
            result = {"message_id": message, "chat": {"id": chat, "type": "private"}, "date": TIME,
                      "text": method.text}
        content = orjson.dumps({"ok": True, "result": result}).decode()
        return cast(TelegramType, self.check_response(bot, method, 200, content).result)

    async def stream_content(self, *arguments: Any, **options: Any) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError("no file is fetched here")
        yield b""


@contextmanager
def redis_server() -> Iterator[tuple[int, int]]:
    """A Redis of its own, on a free loopback port, in a folder of its own. Gives its port and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [SERVER, "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "",
             "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            if not any("Ready to accept connections" in line for line in server.stdout):
                raise RuntimeError(f"{SERVER} did not start")
            yield port, server.pid
        finally:
            server.terminate()
            server.communicate()


async def run(load: Load) -> list[Row]:
    if shutil.which(SERVER) is None:
        return [Row(NAME, note=f"not measured: no {SERVER} here")]
    with redis_server() as (port, pid):
        pool = BlockingConnectionPool(max_connections=CONNECTIONS, host="127.0.0.1", port=port)
        redis = Redis.from_pool(pool)
        platform = Platform()
        bot = Bot("7100000001:AAbench", StubSession(platform))
        dispatcher = Dispatcher(storage=RedisStorage(redis), redis=redis)
        dispatcher.include_router(router)

        async def feed(raw: bytes) -> None:
            await dispatcher.feed_raw_update(bot, orjson.loads(raw))

        row = await measure(NAME, feed, asked.token, platform, load)
        kept = await redis.llen(VISITS)
        await redis.aclose()
        if kept != visits_logged(load):
            raise RuntimeError(f"{kept} visits kept, {visits_logged(load)} submitted")
        note = f"FSM on Redis, appendfsync always; the Redis server takes {peak_mb(pid):.0f} MB more"
    return [replace(row, note=note)]


if __name__ == "__main__":
    serve(run)
