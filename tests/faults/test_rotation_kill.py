"""kill -9 while `keys rotate` runs: nothing sealed is lost, and started again it goes on to its end."""

import asyncio
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from bot import rotation
from bot.app import foundation
from bot.settings import Settings
from storage import inbox, resealing
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.tables import inbox as inbox_table
from tests.fakes.telegram_api import FakeTelegram
from tests.faults.kept import all_is_there
from tests.faults.server import HOUSE, Server, clean_env
from tests.faults.visitor import Visitor

ROWS = 6000
KILLS = 6
SEALED = select(inbox_table.c.dedupe_key, inbox_table.c.body)
CURSOR = select(resealing.jobs.c.cursor).where(resealing.jobs.c.state == "waiting")


async def test_killed_again_and_again_it_loses_nothing_and_ends(tmp_path: Path) -> None:
    chance = random.Random(3)
    settings = Settings(data_dir=tmp_path / "data", key_file=tmp_path / "keys.json", _env_file=None)
    env = clean_env() | {"TANFANG_DATA_DIR": str(tmp_path / "data"), "TANFANG_KEY_FILE": str(tmp_path / "keys.json")}
    base = foundation(settings)
    try:
        now = datetime.now(UTC)
        for start in range(0, ROWS, 1000):
            await base.store.run(lambda tx, start=start: [
                inbox.take(tx, "test", f"u{n}", f"said {n}".encode(), "a", now) for n in range(start, start + 1000)])
        for _ in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "keys", "rotate", cwd=HOUSE, env=env,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
            await moved(base.store, process)
            await asyncio.sleep(chance.uniform(0.0, 0.03))
            process.kill()
            await process.wait()
            assert all_open(base.keys, await base.store.read(lambda tx: tx.all(SEALED)))
        assert rotation.unfinished(base)
        under = {bytes(body).split(b":")[0] for _, body in await base.store.read(lambda tx: tx.all(SEALED))}
        assert b"k2" in under  # it got somewhere, though it never lived long
        while await rotation.go_on(base, lambda: datetime.now(UTC) + rotation.SETTLED) is not None:
            pass
        assert set(base.keys.sealing.by_id) == {"k2"}
        assert all_open(base.keys, await base.store.read(lambda tx: tx.all(SEALED)))
    finally:
        base.store.close()


async def moved(store: Store, process: asyncio.subprocess.Process) -> None:
    """Waits until this process has done a chunk more than the ones before it, or has nothing left but to wait."""
    def cursor(tx: Tx) -> str:
        row = tx.one(CURSOR)
        return row[0] if row else ""

    before = await store.read(cursor)
    async with asyncio.timeout(30):
        while (now := await store.read(cursor)) == before and not done(now):
            assert process.returncode is None, await process.stderr.read() if process.stderr else ""
            await asyncio.sleep(0.005)


def done(cursor: str) -> bool:
    return cursor.startswith(f"[{len(resealing.SEALED)},")


def all_open(keys: Keys, rows: list[tuple[str, bytes]]) -> bool:
    """Every message opens, and says what it said."""
    return len(rows) == ROWS and all(
        keys.open(body, "inbox.body", f"test:{key}") == f"said {key[1:]}".encode() for key, body in rows)


async def test_a_running_server_goes_on_taking_visits_while_the_key_is_rotated(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "polling") as server:
        members = await server.village(4)
        visitors = [Visitor(fake, fake.person(880_000_200 + n, "某")) for n in range(4)]
        enough = asyncio.Event()

        async def works(visitor: Visitor, token: str) -> None:
            await visitor.begins(token)
            await visitor.logs_visits(enough, least=1)

        await server.start()
        async with asyncio.TaskGroup() as group:
            for visitor, member in zip(visitors, members, strict=True):
                group.create_task(works(visitor, member.token))
            await server.ready()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "keys", "rotate", cwd=HOUSE, env=server.env,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
            out, _ = await asyncio.wait_for(process.communicate(), 60)
            await server.lives(1.0)  # it takes messages with the old key gone
            enough.set()
        code, _ = await server.stop()
        assert (process.returncode, code) == (0, 0) and b"sealed under k2" in out
        confirmed = {str(update["update_id"]) for update in fake.updates} - {str(number) for number in fake.pending}
        await server.asks(lambda tx: all_is_there(tx, visitors, [m.person_id for m in members], confirmed))
        assert await server.asks(resealing.left) is None
        assert "failed" not in server.said() and "SealBroken" not in server.said()
