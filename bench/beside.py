"""Benches that measure the same beside a queue of reminders: each database in a process of its own."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import structlog

from storage import outbox
from storage.database import Store


async def reminders(store: Store) -> int:
    """How many wait."""
    return (await store.read(outbox.depth)).get("reminder", 0)


def in_processes(module: str, waiting: int, postgres: Any) -> Iterator[dict[str, Any]]:
    """What `module` measures on SQLite, then on PostgreSQL: the fields of each of its rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from _fresh(module, f"sqlite:///{folder}/bench.db", folder, waiting)
        with postgres(folder) as url:
            yield from _fresh(module, url, folder, waiting)


def _fresh(module: str, url: str, folder: Path, waiting: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", module, "--url", url, "--keys", str(folder), "--waiting", str(waiting)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    rows: list[dict[str, Any]] = orjson.loads(done.stdout)
    return rows


def main(measured: Callable[[str, Path, int], Awaitable[Sequence[Any]]]) -> None:
    """The process of its own: measures what its arguments say, and writes the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--waiting", type=int, required=True)
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the rows alone go out

    async def rows() -> list[dict[str, Any]]:
        return [asdict(row) for row in await measured(given.url, given.keys, given.waiting)]

    sys.stdout.buffer.write(orjson.dumps(asyncio.run(rows())))
