"""`python -m bot serve` as a process of its own, to be killed, stopped and started again; and a village for it."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bot.app import Foundation, foundation
from bot.settings import Settings
from scheduler import casework
from storage import areas, assignments, invitations, people
from storage.database import T, Tx
from storage.elders import NewElder
from storage.initials import initials

HOUSE = Path(__file__).parents[2]
SECRET = "fault-test-secret"
VISITORS = (
    *("王强", "李勇", "刘洋", "陈静", "杨帆", "赵磊", "黄敏", "周杰", "吴霞", "徐丽"),
    *("孙涛", "胡军", "朱红", "高峰", "林芳", "何平", "郭亮", "马超", "罗兰", "梁山"),
)
ELDERS = ["张桂芳", "曾国富", "单秀英", "仇德贵", "谢淑珍"]


@dataclass(frozen=True)
class Member:
    """Somebody of the village: a visitor with his elders, and the invitation that binds his account."""

    person_id: str
    name: str
    token: str
    elders: tuple[str, ...]


class Server:
    """One installation in `folder`; at most one process of it at a time."""

    def __init__(self, folder: Path, api_url: str, token: str, mode: str = "polling", **more: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.stderr = folder / "stderr.txt"
        self.process: asyncio.subprocess.Process | None = None
        named = {
            "DATA_DIR": str(folder / "data"), "KEY_FILE": str(folder / "keys.json"), "PORT": str(self.port),
            "TELEGRAM_TOKEN": token, "TELEGRAM_API_URL": api_url, "TELEGRAM_MODE": mode, "PLAYGROUND": "off"}
        if mode == "webhook":
            named |= {"TELEGRAM_SECRET": SECRET, "PUBLIC_URL": self.url}
        self.env = clean_env() | {f"TANFANG_{name}": value for name, value in (named | more).items()}

    async def start(self) -> None:
        """Begins a process; `ready` says when it can be spoken to."""
        assert self.process is None
        with self.stderr.open("ab") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", cwd=HOUSE, env=self.env, stdout=stderr, stderr=stderr)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def ready(self, timeout: float = 20.0) -> None:
        """Waits until the process answers that it is ready."""
        async with asyncio.timeout(timeout), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await self.lives(0.02)

    async def lives(self, seconds: float) -> None:
        """Lets it run for so long; fails where it ends by itself."""
        assert self.process is not None
        with suppress(TimeoutError):
            code = await asyncio.wait_for(self.process.wait(), seconds)
            raise AssertionError(f"the server ended by itself with {code}: {self.said()[-2000:]}")

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.process = None

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; gives the exit code and how many seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.terminate()
        async with asyncio.timeout(30):
            code = await self.process.wait()
        self.process = None
        return code, time.monotonic() - begun

    async def post(self, body: bytes | AsyncIterator[bytes], secret: str | None = SECRET) -> int:
        """Posts a body to the webhook; gives the status."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return (await client.post(f"{self.url}/telegram/webhook", content=body, headers=headers)).status_code

    async def gets(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            answer = await client.get(self.url + path)
        return answer.status_code, answer.text

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None:
            await self.kill()

    def said(self) -> str:
        """All that its processes wrote to stdout and stderr."""
        return self.stderr.read_text() if self.stderr.exists() else ""

    def opened(self) -> Foundation:
        """The same installation, opened in this process. Close its store."""
        return foundation(Settings(data_dir=self.folder / "data", key_file=self.folder / "keys.json", _env_file=None))

    async def asks(self, work: Callable[[Tx], T]) -> T:
        """Does a work on the installation's database from outside the server."""
        base = self.opened()
        try:
            return await base.store.run(work)
        finally:
            base.store.close()

    async def village(self, visitors: int, elders_each: int = 3) -> list[Member]:
        """Fills in visitors, each with elders of his own, all by made-up names."""
        base, now = self.opened(), datetime.now(UTC)

        def fill(tx: Tx) -> list[Member]:
            town = areas.add(tx, None, "township", "云溪镇", now)
            village = areas.add(tx, town, "village", "建设村", now)
            return [member(tx, village.id, name) for name in VISITORS[:visitors]]

        def member(tx: Tx, village: str, name: str) -> Member:
            person = people.add(tx, village, name, ("visitor",), now, "grid_worker")
            names = []
            for elder in ELDERS[:elders_each]:
                new = NewElder(village, "3组", f"{elder}{name[0]}", initials(f"{elder}{name[0]}"), "female",
                               "1940-01-01", ["living_alone"], "intact", "2026-01-01")
                elder_id = casework.register(tx, new, base.policies, now)
                assignments.entrust(tx, person.id, elder_id, "visitor", "2026-01-01")
                names.append(elder_id)
            return Member(person.id, name, invitations.make(tx, person.id, "op", now), tuple(names))

        try:
            return await base.store.run(fill)
        finally:
            base.store.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_env() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TANFANG_")}


