"""The daily sweep of reminders over a whole county: its time, memory, and what it reads.

`python -m bench.sweeping` (BENCH_ELDERS=1000000) measures on SQLite and PostgreSQL, each in a process of its own.
What the sweep takes stands beside one INSERT … SELECT in the same run that writes as many rows as the sweep does: a
digest for each person who is told, and the next day of each elder.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psycopg
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench import county as counties
from bench.county import County
from bench.measure import peak_mb
from scheduler import policy, reminders, tick
from storage.database import Store, Tx
from storage.key_file import load_keys
from storage.opening import open_store
from storage.tables import outbox

ELDERS = int(os.environ.get("BENCH_ELDERS", "1000000"))
TODAY = date(2026, 3, 10)
SWEEPS = {"reminders": reminders.sweep}
COPIES = 3  # of the INSERT … SELECT; the median counts
STEPS = 1000  # of SQLite's machine between two counts
_WRITTEN = select(func.count()).select_from(outbox)
_COPY = """INSERT INTO outbox SELECT '{0}' || n || substr(id, 4), channel, chat, lane, kind, fields,
    '{0}' || n || unique_key, state, not_before, leased_until, attempts, receipt, reason, created_at, done_at
    FROM outbox CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3) AS times
    WHERE unique_key LIKE 'digest:%' ORDER BY n LIMIT {1}"""
_READ = """SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_user_tables
    WHERE relname IN ('elders', 'assignments', 'people', 'accounts', 'posts', 'areas')"""


@dataclass(frozen=True, slots=True)
class Swept:
    """What was measured: seconds; `read` is rows of PostgreSQL's tables, or steps of SQLite's machine."""

    engine: str
    elders: int
    filled: float
    due: int
    written: int
    swept: float
    copied: float
    grown_mb: float
    read: int


async def measured(url: str, folder: Path, county: County) -> Swept:
    """Fills an empty database, and sweeps it once."""
    store = open_store(url, load_keys(folder / "bench.keys.json", create=True))
    now = datetime.combine(county.today, datetime.min.time(), policy.load().city.zone).astimezone(UTC) + timedelta(
        hours=1)
    began = time.perf_counter()
    await counties.fill(store, url, county, now)
    filled = time.perf_counter() - began
    await store.run(lambda tx: None)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    before, read, steps = peak_mb(), _rows_read(url), [0]
    if store.dialect == "sqlite":
        store._connection.set_progress_handler(lambda: steps.__setitem__(0, steps[0] + STEPS), STEPS)  # type: ignore[attr-defined]
    began = time.perf_counter()
    if await tick.tick(store, now, policy.load(), SWEEPS):
        raise RuntimeError("the sweep failed")
    swept = time.perf_counter() - began
    grown = peak_mb() - before
    if store.dialect == "sqlite":
        store._connection.set_progress_handler(None, STEPS)  # type: ignore[attr-defined]
    digests = await _count(store)
    due = sum((i * 7919) % 100 < county.due_percent for i in range(county.elders))
    rows = digests + due  # what the sweep wrote: a digest for each person, the next day of each elder
    copied = [await _copy(store, f"{n}c", rows) for n in range(COPIES)]
    if await _count(store) != digests + rows * COPIES:
        raise RuntimeError("the copies are not as many")
    store.close()  # PostgreSQL's counters are complete once its processes have ended
    read = _rows_read(url) - read
    return Swept(store.engine, county.elders, filled, due, digests, swept, median(copied), grown, steps[0] or read)


async def _count(store: Store) -> int:
    row = await store.read(lambda tx: tx.one(_WRITTEN))
    return int(row[0]) if row else 0


async def _copy(store: Store, prefix: str, rows: int) -> float:
    def work(tx: Tx) -> None:
        tx._cursor.execute(_COPY.format(prefix, rows))

    began = time.perf_counter()
    await store.run(work)
    return time.perf_counter() - began


def _rows_read(url: str) -> int:
    if url.startswith("sqlite"):
        return 0
    with psycopg.connect(url) as connection:
        row = connection.execute(_READ).fetchone()
    return int(row[0]) if row else 0


def in_processes(elders: int, postgres: Any) -> Iterator[Swept]:
    """SQLite and PostgreSQL, each with the county, and with a tenth of it that has as many due."""
    for small in (False, True):
        of_each, percent, count = (3, 30, elders // 10) if small else (30, 3, elders)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            yield _fresh(f"sqlite:///{folder}/bench.db", folder, count, of_each, percent)
            with postgres(folder) as url:
                yield _fresh(url, folder, count, of_each, percent)


def _fresh(url: str, folder: Path, *county: int) -> Swept:
    command = [sys.executable, "-m", "bench.sweeping", "--url", url, "--keys", str(folder), *map(str, county)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Swept(**orjson.loads(done.stdout))


def draw(console: Console, rows: list[Swept]) -> None:
    table = Table(title="A daily sweep of reminders; seconds; MB: what the peak of memory grew by", box=SIMPLE,
                  title_justify="left")
    for heading in ("database", "elders", "filled in", "due", "digests", "sweep", "INSERT … SELECT", "times", "MB",
                    "read"):
        table.add_column(heading, justify="left" if heading == "database" else "right", no_wrap=True)
    for row in rows:
        table.add_row(row.engine, f"{row.elders:,}", f"{row.filled:.1f}", f"{row.due:,}", f"{row.written:,}",
                      f"{row.swept:.2f}", f"{row.copied:.2f}", f"{row.swept / row.copied:.1f}", f"{row.grown_mb:.1f}",
                      f"{row.read:,}")
    console.print(table)
    console.print("read: rows that PostgreSQL's counters name, steps of SQLite's machine; as many are due in the tenth",
                  style="dim")


def main() -> None:
    from bench.__main__ import postgres

    draw(Console(width=120), list(in_processes(ELDERS, postgres)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url")
    parser.add_argument("--keys", type=Path)
    parser.add_argument("county", type=int, nargs="*")
    given = parser.parse_args()
    if given.url is None:
        main()
    else:
        wanted = County(*given.county, TODAY)
        sys.stdout.buffer.write(orjson.dumps(asdict(asyncio.run(measured(given.url, given.keys, wanted)))))
