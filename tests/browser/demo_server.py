"""`python -m bot demo` as a process of its own, which a test stops, kills and starts again as an operator would."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import httpx

from bot.app import foundation
from bot.settings import Settings
from storage import accounts, elders, phones, visits
from storage.database import T, Tx
from storage.elders import Elder
from storage.scope import Scope
from storage.visits import Visit
from tests.faults.server import HOUSE, clean_env, free_port

DEMO = (sys.executable, "-m", "bot", "demo")
SCREENED_FOR = 90  # days after which the mood is asked about again


class DemoServer:
    """A demo village in a folder, and the one process that serves it. Leaving the `async with` ends the process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: asyncio.subprocess.Process | None = None

    @classmethod
    def copied(cls, filled: Path, folder: Path) -> Self:
        """A village of its own: what `fill` left in another folder, without filling again."""
        shutil.copytree(filled, folder, dirs_exist_ok=True)
        return cls(folder)

    def fill(self) -> None:
        """Makes the village, and stops."""
        subprocess.run([*DEMO, "--only-fill"], cwd=HOUSE, env=self._env, check=True, capture_output=True, timeout=60)

    async def start(self, timeout: float = 30.0) -> None:
        """Returns once the process answers that it is ready."""
        with (self.folder / "stderr.txt").open("ab") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                *DEMO, cwd=HOUSE, env=self._env, stdout=stderr, stderr=stderr)
        async with asyncio.timeout(timeout), httpx.AsyncClient(trust_env=False) as client:
            while True:
                with suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                with suppress(TimeoutError):
                    code = await asyncio.wait_for(self.process.wait(), 0.02)
                    raise AssertionError(f"it ended with {code}: {(self.folder / 'stderr.txt').read_text()[-2000:]}")

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        self.process = None

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(20):
            code = await self.process.wait()
        self.process = None
        return code

    async def asks(self, work: Callable[[Tx], T]) -> T:
        """What stands in the village's database, read with its keys while nobody serves it."""
        assert self.process is None
        base = foundation(Settings(data_dir=self.folder / "data", key_file=self.folder / "keys.json", _env_file=None))
        try:
            return await base.store.read(work)
        finally:
            base.store.close()

    async def elders_of(self, account: str) -> list[Elder]:
        """Those in somebody's care who are not to be asked about their mood, the one due first at the top."""
        today = datetime.now(UTC).date()

        def asked_lately(elder: Elder) -> bool:
            screened = elder.last_screening_on
            return screened is not None and (today - date.fromisoformat(screened)).days < SCREENED_FOR - 1

        return [elder for elder in await self.asks(lambda tx: elders.due_first(tx, _scope(tx, account), 100))
                if asked_lately(elder)]

    async def visits_of(self, account: str, elder: str) -> list[Visit]:
        """An elder's visits as somebody may see them, the newest first."""
        return await self.asks(lambda tx: visits.last(tx, _scope(tx, account), elder, 100))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None:
            await self.kill()

    @property
    def _env(self) -> dict[str, str]:
        return clean_env() | {"TANFANG_DATA_DIR": str(self.folder / "data"), "TANFANG_PORT": str(self.port),
                              "TANFANG_KEY_FILE": str(self.folder / "keys.json")}



def _scope(tx: Tx, account: str) -> Scope:
    person = {name: person for name, person, _ in accounts.on(tx, phones.CHANNEL)}[account]
    return Scope(person, datetime.now(UTC).date())
