"""Brings a township's ledger into the store: `python -m bot import FILE`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot import import_places
from bot.import_places import PlacesUnclear, Villages
from conversations.documents import difference_workbook, ledger_report
from conversations.documents.difference_workbook import Line
from conversations.documents.ledger_sheet import Fault, Reading, Row, Unreadable, read
from conversations.documents.ledger_words import COLUMN_TITLES
from conversations.words_book import Words
from scheduler import intake
from scheduler.intake import Seen
from scheduler.policy import Policies
from storage.areas import Area
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.initials import initials

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
    today = now.astimezone(base.policies.city.zone).date()
    created: list[import_places.Named] = []
    if create_under is not None:
        area, created = await _create(source, base.store, create_under, today, now)
    within = area
    villages = await base.store.read(lambda tx: import_places.known(tx, within))
    if not villages.may_name.villages:
        raise PlacesUnclear("no_villages")
    ledger = _Ledger(read(source, today, villages.may_name), words, today)
    done, seen = _Done(villages), Seen()
    with _progress(words, progress) as bar:
        task = bar.add_task("", total=ledger.reading.rows)
        for rows, faults in ledger.chunks():
            done.faults += faults
            files = [ledger.file(row) for row in rows]
            before = seen.copy()

            def work(tx: Tx, files: list[NewElder] = files, seen: Seen = before) -> list[intake.Taken]:
                return intake.take(tx, files, base.policies, OPERATOR, now, seen=seen.copy(), over=over)

            done.count(rows, await base.store.run(work, key=intake.KEY) if files else [])
            seen.note(files)
            bar.update(task, completed=done.lines)
        bar.update(task, completed=ledger.reading.rows)
    notes = [ledger_report.explain(fault) for fault in done.faults if not fault.line]
    notes += [words.say("import.column_unread", {"sheet": sheet, "header": header})
              for sheet, header in ledger.reading.unread_columns]
    del ledger  # the workbook's memory, before its copy is made
    faults = [fault for fault in done.faults if fault.line]
    copy = _write_copy(path, source, faults, words, report) if faults else None
    faulty = {(fault.sheet, fault.line) for fault in faults if not fault.warning}
    return Imported(done.new, done.same, done.changed, len(faulty), copy, sum(fault.warning for fault in faults),
                    tuple(notes), tuple(map("/".join, created)))


async def look(path: Path, base: Base, now: datetime, area: Area | None) -> tuple[intake.Outcomes, Path | None]:
    """What an import would do: how many lines of each outcome, and the workbook of what would change, beside the file.

    Writes nothing into the ledger. Raises ImportRefused.
    """
    words = Words()
    try:
        villages = await base.store.read(lambda tx: import_places.known(tx, area))
        today = now.astimezone(base.policies.city.zone).date()
        ledger = _Ledger(read(path.read_bytes(), today, villages.may_name), words, today)
        seen, lines = Seen(), list[Line]()
        counts: intake.Outcomes = Counter()
        for rows, faults in ledger.chunks():
            taken = await base.store.read(partial(intake.look, files=[ledger.file(row) for row in rows], seen=seen))
            counts.update(each.outcome for each in taken)
            counts["faulty"] += len({(fault.sheet, fault.line) for fault in faults if fault.line and not fault.warning})
            lines += [Line(row.sheet, row.line, row.village, row.name, each)
                      for row, each in zip(rows, taken, strict=True) if each.outcome != "same"]
    except (OSError, Unreadable, PlacesUnclear) as error:
        raise ImportRefused(_why(error, path, words)) from None
    if not lines:
        return counts, None
    target = _free_name(path, words.say("import.difference_mark"))
    target.touch(mode=0o600)
    target.write_bytes(difference_workbook.write(lines, words))
    return counts, target


def _why(error: Exception, path: Path, words: Words) -> str:
    if isinstance(error, PlacesUnclear):
        return words.say(f"import.{error.reason}", error.details)
    if isinstance(error, Unreadable):
        return words.say("import.not_read", {"path": path, "why": ledger_report.explain_unreadable(error)})
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


class _Ledger:
    """A ledger that is being read, its lines as files to open."""

    def __init__(self, reading: Reading, words: Words, today: date) -> None:
        self.reading = reading
        self._words = words
        self._registered_on = today.isoformat()

    def chunks(self) -> Iterator[tuple[list[Row], list[Fault]]]:
        """The lines in portions of up to `intake.CHUNK` rows."""
        rows: list[Row] = []
        faults: list[Fault] = []
        for found in self.reading:
            if isinstance(found, Fault):
                faults.append(found)
                continue
            rows.append(found)
            if len(rows) == intake.CHUNK:
                yield rows, faults
                rows, faults = [], []
        yield rows, faults

    def file(self, row: Row) -> NewElder:
        """The file of a row. An ability that nobody has judged stays empty: it is not the same as intact."""
        group = self._words.say("import.group", {"number": row.group}) if (row.group or "").isdigit() else row.group
        facts = {
            "emergency_name": row.emergency_name, "emergency_phone": row.emergency_phone, "address": row.address,
            "at_registered_residence": row.at_registered_residence, "illnesses": row.illnesses,
            "disability_certificate": row.disability_certificate, "economic": row.economic,
            "income_source": row.income_source, "income": row.income, **row.annex,
        }
        return NewElder(
            village_id=row.area, group_name=group or "", name=row.name, initials=initials(row.name), sex=row.sex,
            birth=row.birth.isoformat() if row.birth else None, categories=row.categories, ability=row.ability or "",
            registered_on=row.registered_on.isoformat() if row.registered_on else self._registered_on,
            wish=row.wish or "", disability_grade=row.disability_grade, id_number=row.id_number or "",
            phone=row.phone or "", facts={name: value for name, value in facts.items() if value is not None},
            visits_made=row.visits_before, earlier_visit_on=row.last_visit.isoformat() if row.last_visit else None)


class _Done:
    """The counts of an import, and its faults, in order."""

    def __init__(self, villages: Villages) -> None:
        self._villages = villages
        self.new = self.same = self.changed = self.lines = 0
        self.faults: list[Fault] = []

    def count(self, rows: list[Row], taken: list[intake.Taken]) -> None:
        for each in taken:
            match each.outcome:
                case "new":
                    self.new += 1
                case "same":
                    self.same += 1
                case "differs" | "changed":
                    self.changed += 1
                case "closed":
                    self.changed += 1
                case _:
                    pass
        self.faults += self.elsewhere(rows, taken)
        self.lines += len(rows)

    def elsewhere(self, rows: list[Row], taken: Sequence[intake.Taken]) -> list[Fault]:
        """The lines of elders who are registered in another village, as faults."""
        return [self._elsewhere(row, each.village_id)
                for row, each in zip(rows, taken, strict=True) if each.outcome == "elsewhere"]

    def _elsewhere(self, row: Row, village_id: str) -> Fault:
        township, village = self._villages.names[village_id]
        return Fault(sheet=row.sheet, line=row.line, column=COLUMN_TITLES["id_number"], column_number=None,
                     value=row.id_number or "", reason="registered_elsewhere",
                     details={"township": township, "village": village})


def _progress(words: Words, shown: bool) -> Progress:
    return Progress(TextColumn(words.say("import.progress")), BarColumn(), MofNCompleteColumn(),
                    TimeRemainingColumn(), console=Console(stderr=True), disable=not shown)


def _write_copy(path: Path, source: bytes, faults: list[Fault], words: Words, report: Path | None) -> Path:
    target = report or _free_name(path, words.say("import.copy_mark"))
    try:
        target.touch(mode=0o600)  # ID numbers are in it
        ledger_report.write_faulty_copy(source, target, faults)
    except OSError:
        raise ImportRefused(words.say("import.report_not_writable", {"path": target})) from None
    return target


def _free_name(path: Path, mark: str) -> Path:
    """Beside the ledger, never over an earlier copy, in which somebody may be putting things right."""
    stem = path.stem.split(mark)[0]
    target, turn = path.with_name(f"{stem}{mark}.xlsx"), 1
    while target.exists():
        turn += 1
        target = path.with_name(f"{stem}{mark}-{turn}.xlsx")
    return target
