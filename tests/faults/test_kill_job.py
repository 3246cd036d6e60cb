"""kill -9 in the middle of an import: the job goes on from its cursor, and each line is written once."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from storage import areas, audit, invitations, people
from storage.database import Tx
from storage.tables import elders, jobs, outbox
from tests.fakes.chat_ledgers import many
from tests.fakes.telegram_api import FakeTelegram
from tests.faults.server import Server

ROWS = 3000
KILLS = 5


def coordinator(tx: Tx) -> str:
    """Fills in a township with one village; gives its coordinator's invitation."""
    now = datetime.now(UTC)
    town = areas.add(tx, None, "township", "云溪镇", now)
    areas.add(tx, town, "village", "建设村", now)
    return invitations.make(tx, people.add(tx, town.id, "赵敏", ("township",), now).id, "op", now)


def lines_done(server: Server) -> int:
    """How far the writing is, read beside the server; -1 where it is not begun, or over."""
    with sqlite3.connect(f"file:{server.folder / 'data' / 'tanfang.db'}?mode=ro", uri=True) as beside:
        row = beside.execute("SELECT cursor FROM jobs WHERE kind = 'import_apply' AND state = 'waiting'").fetchone()
    return int(row[0].split()[0] or 0) if row and row[0] else -1


async def further(server: Server, than: int) -> int:
    """Waits until another chunk is written; gives how many lines are."""
    async with asyncio.timeout(60):
        while (done := lines_done(server)) <= than:
            await server.lives(0.005)
    return done


async def test_an_import_killed_again_and_again_writes_each_line_once(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, TELEGRAM_DOMESTIC_REASON="test") as server:
        zhao = fake.person(880_000_500, "某")
        await zhao.says(f"/start {await server.asks(coordinator)}")
        await server.start()
        await zhao.sees("绑定好了")
        await zhao.sends_document(many(ROWS), "台账.xlsx")
        await zhao.sees("正在看这份表")
        await server.kill()
        await server.start()
        await zhao.sees(f"新增 {ROWS}，更改 0，有误 0", 60)
        await zhao.taps("确认")
        stood, seen = 0, []
        for _ in range(KILLS):
            stood = await further(server, stood)
            await server.kill()
            seen.append(stood)
            await server.start()
        await zhao.sees(f"写好了：新增 {ROWS}，更改 0，有误 0", 60)
        assert (await server.stop())[0] == 0
        assert len(set(seen)) == KILLS and seen[0] > 0 and seen[-1] < ROWS, seen

        def kept(tx: Tx) -> None:
            assert tx.one(select(func.count(), func.count(func.distinct(elders.c.name)))) == (ROWS, ROWS)
            states = dict(tx.all(select(jobs.c.kind, jobs.c.state)))
            assert states == {"import": "done", "import_apply": "done"}
            assert tx.all(select(outbox.c.id).where(  # a digest of those brought in may wait for the morning
                outbox.c.state == "waiting", outbox.c.lane != "reminder")) == []
            assert audit.verify(tx).broken_at is None

        await server.asks(kept)
        assert "罗" not in server.said() and "台账.xlsx" not in server.said()
