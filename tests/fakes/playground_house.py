"""A whole playground on loopback over a real SQLite file, with an echo in the bot's place."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy
import uvicorn
from starlette.applications import Starlette

from bot.channels.playground import Member, Phone, Playground
from bot.playground.routes import build_routes
from conversations.message import Button, Document, Inbound, Message
from storage.ids import uuid7
from storage.key_file import load_keys
from storage.sqlite import SqliteStore
from storage.tables import metadata

START = datetime(2026, 3, 5, 0, 31, tzinfo=UTC)  # 08:31 in Luzhou, a Thursday
WANG, LI, GROUP = "wang", "li", "village"


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    async def move(self, to: datetime) -> None:
        self.at = to


class EchoHouse:
    """Serves the playground; `received` holds each inbound thing once, across restarts.

    Says back what it gets: 问 asks with buttons and a tap edits the question, 位置 asks for a place, 文件 sends
    a document. `away` makes it refuse to store anything.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "playground.db"
        self.keys = load_keys(folder / "keys.json", create=True)
        engine = sqlalchemy.create_engine(f"sqlite:///{self.path}")
        metadata.create_all(engine)
        engine.dispose()
        self.clock = FakeClock()
        self.received: list[Inbound] = []
        self.away = False
        self.phones = [
            Phone(WANG, "王建国", "网格员 · 3 村"),
            Phone(LI, "李娜", "女儿 · 深圳"),
            Phone(
                GROUP,
                "桂花村工作群",
                "2 人",
                "group",
                (Member(WANG, "王建国"), Member(LI, "李娜")),
            ),
        ]
        self.port = _free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Opens the store and answers requests when it returns."""
        self.store = SqliteStore(self.path, self.keys, uuid7())
        self.playground = Playground(self.store, self.clock.now)
        routes = build_routes(self.playground, self._phones, self.handle, self.clock)
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        config = uvicorn.Config(
            Starlette(routes=routes), log_level="error", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        ready = asyncio.Event()
        self._serving = asyncio.create_task(_serve(self._server, listening, ready))
        async with asyncio.timeout(10):
            await ready.wait()

    async def stop(self) -> None:
        """Ends every connection and closes the store."""
        self.playground.close()
        self._server.should_exit = True
        await self._serving
        self.store.close()

    async def handle(self, inbound: Inbound) -> None:
        if self.away:
            raise RuntimeError("the disk is full")
        if any(known.dedupe_key == inbound.dedupe_key for known in self.received):
            return
        self.received.append(inbound)
        await self.playground.send(inbound.chat, _answer(inbound))

    async def _phones(self) -> list[Phone]:
        return self.phones


@asynccontextmanager
async def echo_house(folder: Path) -> AsyncIterator[EchoHouse]:
    """A started house, stopped at the end."""
    house = EchoHouse(folder)
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


def _answer(inbound: Inbound) -> Message:
    if inbound.choice:
        return Message(f"您选了：{inbound.choice}", edits=inbound.source)
    if inbound.place is not None:
        return Message(f"位置：{inbound.place.latitude}, {inbound.place.longitude}")
    if inbound.media:
        return Message(f"收到 {inbound.media[0].kind}，{inbound.media[0].size} 字节")
    if inbound.text == "问":
        return Message(
            "第 5 题 · 情绪状态\n上次：良好",
            (
                (
                    Button("1 良好", "良好"),
                    Button("2 一般", "一般"),
                    Button("3 较差", "较差"),
                ),
                (Button("上一题", "back"),),
            ),
        )
    if inbound.text == "位置":
        return Message("请发送位置。", asks_place=True)
    if inbound.text == "文件":
        return Message(
            "探访记录表",
            document=Document("附件3 探访记录.docx", b"PK\x03\x04 made up"),
        )
    return Message(f"收到：{inbound.text}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _serve(
    server: uvicorn.Server, listening: socket.socket, ready: asyncio.Event
) -> None:
    original = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await original(sockets=sockets)
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    await server.serve(sockets=[listening])
