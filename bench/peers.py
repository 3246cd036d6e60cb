"""The others: `python -m bench.peers` measures the same visit with two frameworks, and with bare sqlite3."""

import argparse
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measure import Load, Row, fresh

MODULES = {"c": "bench.peer_telegram_bot", "d": "bench.peer_aiogram", "e": "bench.bare_sqlite"}
QUICK = Load(people=10, visits=1, alone=1)


def rows(load: Load) -> Iterator[tuple[str, Row]]:
    """Measures one after the other; gives each row with its letter, (e) twice."""
    for letter, module in MODULES.items():
        for row in fresh(module, load):
            yield letter, row


def draw(console: Console, load: Load, measured: Sequence[tuple[str, Row]]) -> None:
    """Prints what was measured as a table, the notes under it."""
    table = Table(title=f"{load.people} people at once; p50, p99, alone: ms from update to answer; MB: peak",
                  box=SIMPLE, title_justify="left")
    for heading in ("", "implementation"):
        table.add_column(heading, no_wrap=True)
    for heading in ("turns/s", "p50", "p99", "alone", "MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for letter, row in measured:
        numbers = (row.turns_per_second, row.p50_ms, row.p99_ms, row.alone_ms, row.peak_mb)
        table.add_row(letter, row.name, *map(_shown, numbers))
    console.print(table)
    for letter, row in measured:
        if row.note:
            console.print(f"({letter}) {row.name}: {row.note}", style="dim")


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 50 else f"{value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few people: that it runs, not how fast")
    load = QUICK if parser.parse_args().quick else Load()
    draw(Console(), load, list(rows(load)))


if __name__ == "__main__":
    main()
