"""kill -9 in the middle of a backup, of a restore, and of the server between the two."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import backing_up, restoring
from bot.backing_up import ground
from bot.settings import Settings
from conversations.words_book import Words
from storage import audit, backup_file, outbox
from storage import drafts as ledger
from storage.database import Tx
from storage.key_file import load_keys
from storage.opening import open_store
from storage.outbox import Outgoing
from storage.restoring import RestoreRefused
from storage.tables import drafts, elders
from tests.fakes.telegram_api import FakeTelegram
from tests.faults.kept import rows
from tests.faults.server import HOUSE, Server
from tests.faults.visitor import Visitor
from tests.storage.ground import lay

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
FALLBACK = Words().say("menu.fallback").splitlines()[0]
HALF = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from storage import backup_file, restoring, snapshot
from storage.key_file import load_keys
{module}
real = module.{name}
def stops(*given):
    if {when}:
        print("half", flush=True)
        sys.stdin.readline()
    return real(*given)
module.{name} = stops
url, keys, file, now = sys.argv[1], load_keys(Path(sys.argv[2]), create=False), Path(sys.argv[3]), datetime.now(UTC)
if sys.argv[4] == "backup":
    with snapshot.of(url) as found:
        backup_file.write(file, now, found.engine, found.revision, found.tables, found.head, keys)
else:
    with file.open("rb") as opened:
        about = backup_file.check(opened, keys)
        restoring.restore(url, opened, about, keys, now, lambda there: None, lambda tx, there: None)
"""
IN_A_BACKUP = HALF.format(module="module = backup_file", name="_key_id", when="True")
WHILE_FILLING = {kind: HALF.format(module="module = restoring", name=name, when="given[1].table == 'elders'")
                 for kind, name in (("sqlite", "_insert"), ("postgresql", "_copy"))}
BEFORE_THE_NAME = HALF.format(module="import os as module", name="replace", when="True")


async def killed(program: str, url: str, keys: Path, file: Path, what: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, url, str(keys), str(file), what, cwd=HOUSE,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    async with asyncio.timeout(60):
        while (line := (await process.stdout.readline()).decode().strip()) != "half":
            assert process.returncode is None and line, "it ended by itself"
    process.kill()
    await process.wait()


async def test_killed_in_the_middle_there_is_no_backup_and_the_old_database_or_the_new(url: str, tmp_path: Path) -> None:
    key_file, file = tmp_path / "keys" / "own.json", tmp_path / "b.backup"
    keys = load_keys(key_file, create=True)
    here = ground(Settings(database_url=url, key_file=key_file, _env_file=None))
    store = open_store(url, keys)
    try:
        await store.run(lay(NOW))
        await store.run(lambda tx: ledger.add(tx, "d", "t", tx.all(sa.text("SELECT id FROM people"))[0][0], "visit", "h",
                                              b"{}", NOW, "open"))
        await killed(IN_A_BACKUP, url, key_file, file, "backup")
        assert not file.exists()
        backing_up.backup(here, file, NOW)
        await store.run(lambda tx: tx.run(sa.update(elders).values(name="后来")))
        after = await store.read(rows)
    finally:
        store.close()
    sqlite = url.startswith("sqlite")
    for program in (WHILE_FILLING["sqlite" if sqlite else "postgresql"], *([BEFORE_THE_NAME] if sqlite else [])):
        await killed(program, url, key_file, file, "restore")
        store = open_store(url, keys)  # the old one, whole
        assert await store.read(rows) == after
        store.close()
    restoring.restore(here, file, NOW, print, replace=True)
    store = open_store(url, keys)
    names = await store.read(lambda tx: {name for name, in tx.all(sa.select(elders.c.name))})
    store.close()
    assert names == {"张桂芳", "陈国清"}
    assert len(list(tmp_path.glob("*-before-restore-*"))) == int(sqlite)
    assert not list(tmp_path.glob("*-restoring"))


async def test_after_a_backup_under_load_a_kill_and_a_restore_people_go_on_where_they_were(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        members = await server.village(2)
        here = ground(Settings(data_dir=tmp_path / "data", key_file=tmp_path / "keys.json", _env_file=None))
        asked, busy = (Visitor(fake, fake.person(880_000_600 + n, "某")) for n in range(2))
        await server.start()
        await asyncio.gather(*(v.begins(m.token) for v, m in zip((asked, busy), members, strict=True)))
        asked.acted = fake.change
        await asked.person.says("/visit")
        for _ in range(4):
            await asked.reacts(await asked.next())
        question = (await asked.next()).text
        enough = asyncio.Event()

        async def writes() -> None:
            while not enough.is_set():
                await busy.reacts(await busy.next())

        await busy.person.says("/visit")
        writing = asyncio.create_task(writes())
        under_load, file = tmp_path / "1.backup", tmp_path / "2.backup"
        await asyncio.to_thread(backing_up.backup, here, under_load, NOW)
        with under_load.open("rb") as opened:
            assert backup_file.check(opened, here.keys).rows["elders"] == 6
        with pytest.raises(RestoreRefused, match="serve or another command has it open"):
            restoring.restore(here, under_load, NOW, print, replace=True)
        enough.set()
        await writing
        await server.kill()

        def waits(tx: Tx) -> None:
            outbox.add(tx, Outgoing(tx.new_id(server.now), "telegram", str(asked.person.id), "reply", "reply",
                                    {"parts": [["menu.fallback", {}]]}), server.now)

        await server.asks(waits)
        backing_up.backup(here, file, server.now)
        await server.asks(lambda tx: tx.run(sa.update(drafts).values(state="cancelled")))
        restoring.restore(here, file, server.now, print, replace=True)
        await server.start()
        await asked.person.says("你好")
        shown = await asked.next()
        assert question.splitlines()[-1] in shown.text
        await asked.reacts(shown)
        assert question.splitlines()[-1] not in (await asked.next()).text
        assert not [message for message in asked.person.chat if FALLBACK in message.text]
        base = server.opened()
        await restoring.decide_later(base, "send", server.now)
        base.store.close()
        await asked.person.sees(FALLBACK)
        await server.stop()
        assert (await server.asks(audit.verify)).broken_at is None
