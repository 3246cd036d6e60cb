"""Brings a township's ledger into the store: `python -m bot import FILE`."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot import area_tree, import_places
from bot.import_places import PlacesUnclear
from bot.sheets import Counts, Ledger, Ledgers
from conversations.documents import area_sheet, ledger_faults
from conversations.documents.area_sheet import Line
from conversations.documents.ledger_sheet import Fault, Unreadable
from conversations.words_book import Words
from scheduler import intake
from scheduler.policy import Policies
from storage.areas import Area
from storage.database import Store, Tx

OPERATOR = "operator"  # who the audit chain says did it


class ImportRefused(Exception):
    """Why the ledger is not imported, and what to do next, for the operator."""


class Base(Protocol):
    """What an import stands on."""

    @property
    def store(self) -> Store: ...
    @property
    def policies(self) -> Policies: ...


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a ledger's lines, in numbers.

    `same` and `changed` lines were there already; a `changed` one says more or otherwise, and is taken over only
    where that was asked for. `faulty` lines did not go in; with the `warnings`, which did, they stand in the copy at
    `report` (None where there are neither). `notes` are sentences on whole sheets and columns, `created` the villages
    made for this ledger (township/village).
    """

    new: int
    same: int
    changed: int
    faulty: int
    report: Path | None
    warnings: int = 0
    notes: tuple[str, ...] = ()
    created: tuple[str, ...] = ()


async def import_file(path: Path, base: Base, now: datetime, *, report: Path | None = None, progress: bool = False,
                      area: Area | None = None, create_under: str | None = None, over: bool = False) -> Imported:
    """Opens a file for each right line of a ledger (.xlsx, .xls); a second time, or after a kill, what is missing.

    A ledger may name the villages in `area` (everywhere where None). With `create_under`, a county or a path
    down to the township (江阳区/云溪镇), villages that it names and that are not there are made in it. The copy
    with the faults goes to `report`, else beside the file under a name that is free.
    Raises ImportRefused; and StoreUnavailable, after which the same import goes on from where it stopped.
    """
    words = Words()
    try:
        return await _import(path, base, now, words, report, progress, area, create_under, over)
    except (OSError, Unreadable, PlacesUnclear) as error:
        raise ImportRefused(_why(error, path, words)) from None


async def _import(path: Path, base: Base, now: datetime, words: Words, report: Path | None, progress: bool,
                  area: Area | None, create_under: str | None, over: bool) -> Imported:
    source = path.read_bytes()
    if report and report.exists() and report.samefile(path):
        raise ImportRefused(words.say("import.report_is_source", {"path": report}))
    created: list[import_places.Named] = []
    if create_under is not None:
        today = now.astimezone(base.policies.city.zone).date()
        area, created = await _create(source, base.store, create_under, today, now)
    ledger = await _opening(source, base, now, area)
    counts = Counts()
    with _progress(words, progress) as bar:
        task = bar.add_task("", total=ledger.total)
        async for lines, work in ledger.chunks(over=over):
            counts += await base.store.run(work, key=intake.KEY)
            bar.update(task, completed=lines)
        bar.update(task, completed=ledger.total)
    counts += Counts(faulty=ledger.faulty_lines())
    copy = ledger.faulty()
    kept = written(copy, report or free_name(path, words.say("import.copy_mark")), words) if copy else None
    notes = [ledger_faults.explain(fault) for fault in ledger.faults if not fault.line]
    notes += [words.say("import.column_unread", {"sheet": sheet, "header": header})
              for sheet, header in ledger.unread_columns]
    return Imported(counts.new, counts.same, counts.changed + counts.left, counts.faulty, kept,
                    sum(fault.warning for fault in ledger.faults if fault.line), tuple(notes),
                    tuple(map("/".join, created)))


async def look(path: Path, base: Base, now: datetime, area: Area | None) -> tuple[Counts, Path | None]:
    """What an import would do: what would become of the lines, and the workbook of what would change, or of what is
    to be mended, beside the file.

    Writes nothing into the ledger. Raises ImportRefused.
    """
    words = Words()
    try:
        looked = await (await _opening(path.read_bytes(), base, now, area)).look()
    except (OSError, Unreadable, PlacesUnclear) as error:
        raise ImportRefused(_why(error, path, words)) from None
    if looked.copy is None:
        return looked.counts, None
    mark = words.say("import.difference_mark" if looked.shows == "difference" else "import.copy_mark")
    return looked.counts, written(looked.copy, free_name(path, mark), words)


async def import_areas(path: Path, base: Base, now: datetime, top: Area | None, agreed: Callable[[], bool],
                       tell: Callable[[str], None]) -> None:
    """Adds the areas that a file lists and that are not there (under `top` where one is given), once that is agreed.

    Tells first how many, which, and what is faulty. Raises ImportRefused.
    """
    words = Words()
    try:
        found = area_sheet.read(path.read_bytes(), words.say("import.group", {"number": "{}"}))
    except (OSError, Unreadable) as error:
        raise ImportRefused(_why(error, path, words)) from None
    lines = [each for each in found if isinstance(each, Line)]
    looked = await base.store.read(lambda tx: area_tree.look(tx, top, lines))
    faults = [*(each for each in found if isinstance(each, Fault)), *looked.faults]
    tell(f"areas: new {len(looked.new)}, there before {looked.there}, faulty {len(faults)}")
    for names in looked.lines():
        tell("+ " + "/".join(filter(None, names)))
    for fault in faults:
        tell(f"{fault.sheet} {fault.line} {fault.column}: {ledger_faults.explain(fault)}")
    if looked.new and agreed():
        for start in range(0, len(lines), area_tree.CHUNK):
            chunk = lines[start:start + area_tree.CHUNK]
            await base.store.run(partial(area_tree.grow, top=top, lines=chunk, actor=OPERATOR, now=now), intake.KEY)


def _opening(source: bytes, base: Base, now: datetime, area: Area | None) -> Coroutine[Any, Any, Ledger]:
    return Ledgers(base.store, base.policies).open(source, area, OPERATOR, now)


def _why(error: Exception, path: Path, words: Words) -> str:
    if isinstance(error, PlacesUnclear):
        return words.say(f"import.{error.reason}", error.details)
    if isinstance(error, Unreadable):
        return words.say("import.not_read", {"path": path, "why": ledger_faults.explain_unreadable(error)})
    return words.say("import.no_file", {"path": path})


async def _create(source: bytes, store: Store, under: str, today: date, now: datetime,
                  ) -> tuple[Area, list[import_places.Named]]:
    named = import_places.named_in(source, today)

    def work(tx: Tx) -> tuple[Area, list[import_places.Named]]:
        top = import_places.top(tx, under, now)
        made = import_places.create(tx, top, named, now)
        if not import_places.known(tx, top).may_name.villages:
            raise PlacesUnclear("nothing_to_create")  # and the top, if it is new, is not kept either
        if made:
            tx.note(now, OPERATOR, "areas.create", top.id, ["name"])
        return top, made

    return await store.run(work, key=intake.KEY)


def _progress(words: Words, shown: bool) -> Progress:
    return Progress(TextColumn(words.say("import.progress")), BarColumn(), MofNCompleteColumn(),
                    TimeRemainingColumn(), console=Console(stderr=True), disable=not shown)


def written(copy: bytes, target: Path, words: Words) -> Path:
    """Writes what only its asker may read, and gives where. Raises ImportRefused."""
    try:
        target.touch(mode=0o600)  # ID numbers are in it
        target.write_bytes(copy)
    except OSError:
        raise ImportRefused(words.say("import.report_not_writable", {"path": target})) from None
    return target


def free_name(path: Path, mark: str) -> Path:
    """Beside the ledger, never over an earlier copy, in which somebody may be putting things right."""
    stem = path.stem.split(mark)[0]
    target, turn = path.with_name(f"{stem}{mark}.xlsx"), 1
    while target.exists():
        turn += 1
        target = path.with_name(f"{stem}{mark}-{turn}.xlsx")
    return target
