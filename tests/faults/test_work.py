"""`python -m bot work`: what waits leaves, though nobody serves; it takes nothing in, and ends when it is told to."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from storage import outbox
from storage.key_file import load_keys
from storage.opening import open_store
from storage.outbox import Outgoing
from tests.fakes.telegram_api import FakeTelegram
from tests.faults.server import HOUSE, clean_env, free_port


def env_of(folder: Path, url: str, fake: FakeTelegram) -> dict[str, str]:
    return clean_env() | {
        "TANFANG_DATA_DIR": str(folder / "data"), "TANFANG_KEY_FILE": str(folder / "keys.json"),
        "TANFANG_DATABASE_URL": url, "TANFANG_PORT": str(free_port()), "TANFANG_PLAYGROUND": "off",
        "TANFANG_TELEGRAM_TOKEN": fake.token, "TANFANG_TELEGRAM_API_URL": fake.url}


async def test_what_waits_leaves_by_a_process_that_takes_nothing_in(postgres_url: str, tmp_path: Path) -> None:
    store, now = open_store(postgres_url, load_keys(tmp_path / "keys.json", create=True)), datetime.now(UTC)
    await store.run(lambda tx: outbox.add(tx, Outgoing(
        tx.new_id(now), "telegram", "1000", "reply", "reply", {"parts": [["menu.trouble", {}]]}), now))
    async with FakeTelegram() as fake:
        person = fake.person(1000, "王强")
        await person.says("你好")  # for who serves
        env = env_of(tmp_path, postgres_url, fake)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "work", cwd=HOUSE, env=env, stderr=asyncio.subprocess.PIPE)
        await person.sees("出了点小问题", timeout=30)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await process.communicate()
        assert process.returncode == 0
        assert "getUpdates" not in {call.method for call in fake.calls}
    assert await store.read(outbox.depth) == {}
    store.close()


async def test_on_sqlite_it_says_that_serve_does_all(tmp_path: Path) -> None:
    async with FakeTelegram() as fake:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "work", cwd=HOUSE, stderr=asyncio.subprocess.PIPE,
            env=env_of(tmp_path, f"sqlite:///{tmp_path}/data.db", fake))
        async with asyncio.timeout(30):
            _, said = await process.communicate()
    assert process.returncode == 2 and b"serve" in said and b"TANFANG_DATABASE_URL" in said
