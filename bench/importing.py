"""`python -m bench.importing`: a township's first day, 20,000 lines with 50 faults, copy with what to mend included."""

import asyncio
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import orjson

from bench.measure import peak_mb
from bot.app import Foundation
from bot.importing import import_file
from bot.settings import Settings
from scheduler import policy as policies
from storage.key_file import load_keys
from storage.opening import open_store
from tests.fakes import ledger_files

ROWS = 20_000


def in_a_process() -> str:
    """Runs it in a process of its own; gives a line to print."""
    done = subprocess.run([sys.executable, "-m", "bench.importing"], stdout=subprocess.PIPE, check=True)
    seconds, megabytes, new, faulty = orjson.loads(done.stdout)
    return f"import of {ROWS:,} rows: {seconds:.1f} s, {megabytes:.0f} MB at the most; {new:,} new, {faulty} faulty"


async def _run(folder: Path) -> list[float]:
    ledger = folder / "ledger.xlsx"
    ledger_files.big_ledger(ledger, rows=ROWS, faults=50)
    keys = load_keys(folder / "bench.keys.json", create=True)
    base = Foundation(Settings(data_dir=folder / "data", key_file=folder / "bench.keys.json"), keys, policies.load(),
                      open_store(f"sqlite:///{folder}/bench.db", keys))
    began = time.perf_counter()
    now = datetime.combine(ledger_files.TODAY, datetime.min.time(), UTC)
    done = await import_file(ledger, base, now, report=None, progress=False, area=None,
                             create_under="江阳区")
    seconds = time.perf_counter() - began
    base.store.close()
    return [seconds, peak_mb(), done.new, done.faulty]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.buffer.write(orjson.dumps(asyncio.run(_run(Path(name)))))
