"""What chat needs of spreadsheets, and the importer of the command line behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import Literal, Protocol

from bot.aside import aside
from bot.import_places import Villages, known
from bot.importing import _Done, _Ledger
from conversations.documents import ledger_report
from conversations.documents.ledger_sheet import Fault, Row, read
from conversations.words_book import Words
from scheduler import intake
from scheduler.policy import Policies
from storage import elder_files, elders
from storage.areas import Area
from storage.database import Store, Tx
from storage.elder_files import Placed
from storage.elders import Known, NewElder
from storage.scope import Scope

PORTION = 500  # files read at once
KEY = intake.KEY  # works that write a ledger run one after another


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of lines, or would: `faulty` ones do not go in, `left` ones say otherwise than a file that stays."""

    new: int = 0
    changed: int = 0
    same: int = 0
    faulty: int = 0
    left: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.new + other.new, self.changed + other.changed, self.same + other.same,
                      self.faulty + other.faulty, self.left + other.left)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a ledger would change: nothing is written. `copy` shows it cell by cell, or only what is faulty."""

    counts: Counts
    copy: bytes | None
    shows: Literal["difference", "faulty"]


class Applying(Protocol):
    """A ledger on its way in. Its lines come in the same chunks whenever the same file is opened."""

    total: int

    def chunks(self, after: int) -> Iterator[tuple[int, Callable[[Tx], Counts]]]:
        """From the line `after` on: how many lines are done with a chunk, and the unit of work that does it."""
        ...

    def faulty(self) -> bytes | None:
        """After the last chunk: the copy with what to mend, None where there is nothing."""
        ...


class Sheets(Protocol):
    """Each raises `ledger_file.Unreadable`, or PlacesUnclear where the villages of the area cannot be told apart."""

    async def preview(self, source: bytes, area: Area, person: str, now: datetime) -> Looked:
        """Looks a ledger of this area through."""
        ...

    async def apply(self, source: bytes, area: Area, person: str, now: datetime) -> Applying:
        """Opens a ledger to be written."""
        ...

    async def export(self, area: Area, person: str, now: datetime) -> tuple[bytes, int]:
        """The ledger of an area as a workbook, and how many lines it has."""
        ...


class Importer:
    """The functions of `bot/importing.py`, as chat wants them."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def preview(self, source: bytes, area: Area, person: str, now: datetime) -> Looked:
        """Looks a ledger of this area through."""
        opened = await self._open(source, area, person, now)
        counts, before = Counts(), intake.Opened()
        for rows, faults in await aside(lambda: list(opened.ledger.chunks())):
            files = [opened.ledger.file(row) for row in rows]
            known_files = await self._store.read(partial(elders.known, files=files))
            opened.found += faults
            for row, file, there in zip(rows, files, known_files, strict=True):
                counts += opened.looked(row, file, there or before.known(file), before)
        faulty = len({(fault.sheet, fault.line) for fault in opened.faults() if not fault.warning})
        return Looked(counts + Counts(faulty=faulty), await aside(opened.faulty), "faulty")

    async def apply(self, source: bytes, area: Area, person: str, now: datetime) -> Applying:
        """Opens a ledger to be written."""
        return await self._open(source, area, person, now)

    async def export(self, area: Area, person: str, now: datetime) -> tuple[bytes, int]:
        """The ledger of an area as a workbook, and how many lines it has."""
        scope = Scope(person, now.astimezone(self._policies.city.zone).date())
        found: list[Placed] = []
        while True:
            after = found[-1].id if found else ""
            portion = await self._store.read(partial(
                elder_files.of_area, scope=scope, path=area.path, after=after, count=PORTION))
            found += portion
            if len(portion) < PORTION:
                break
        from conversations.documents.ledger_workbook import write  # late: openpyxl takes 0.2 s to import

        return await aside(lambda: write(found, Words())), len(found)

    async def _open(self, source: bytes, area: Area, person: str, now: datetime) -> "_Opened":
        villages = await self._store.read(lambda tx: known(tx, area))
        return await aside(lambda: _Opened(source, villages, self._policies, person, now))


class _Opened:
    """A ledger that was read."""

    def __init__(self, source: bytes, villages: Villages, policies: Policies, person: str, now: datetime) -> None:
        self._source, self._policies, self._person, self._now = source, policies, person, now
        today = now.astimezone(policies.city.zone).date()
        self.ledger = _Ledger(read(source, today, villages.may_name), Words(), today)
        self.total = self.ledger.reading.rows
        self.found: list[Fault] = []
        self._done = _Done(villages)
        self._elsewhere: dict[tuple[str, int], Fault] = {}

    def chunks(self, after: int) -> Iterator[tuple[int, Callable[[Tx], Counts]]]:
        """As in `Applying`."""
        lines = 0
        for rows, faults in self.ledger.chunks():
            self.found += faults
            faulty = len({(fault.sheet, fault.line) for fault in faults if fault.line and not fault.warning})
            lines += len(rows) + faulty
            if lines > after:
                yield lines, self._work(rows, faulty)

    def looked(self, row: Row, file: NewElder, found: Known | None, before: intake.Opened) -> Counts:
        """What would become of a line, beside what the lines before it open."""
        if found is None:
            before.add(file)
            return Counts(new=1)
        if found.village_id != file.village_id:
            self._is_elsewhere(row, found.village_id)
            return Counts()
        return Counts(left=1) if found.differs else Counts(same=1)

    def _is_elsewhere(self, row: Row, village_id: str) -> None:
        self._elsewhere[row.sheet, row.line] = self._done.elsewhere(row, village_id)

    def _work(self, rows: list[Row], faulty: int) -> Callable[[Tx], Counts]:
        def work(tx: Tx) -> Counts:
            opening = [self.ledger.file(row) for row in rows]
            taken = intake.open_files(tx, opening, self._policies, self._person, self._now)
            for row, each in zip(rows, taken, strict=True):
                if each.outcome == "elsewhere":
                    self._is_elsewhere(row, each.village_id)
            outcomes = [each.outcome for each in taken]
            return Counts(outcomes.count("new"), 0, outcomes.count("same"),
                          faulty + outcomes.count("elsewhere"), outcomes.count("differs"))

        return work

    def faults(self) -> list[Fault]:
        """Those of single lines; of a unit of work that was done twice each once."""
        return [*(fault for fault in self.found if fault.line), *self._elsewhere.values()]

    def faulty(self) -> bytes | None:
        """As in `Applying`."""
        if not (faults := self.faults()):
            return None
        copy = BytesIO()
        ledger_report.write_faulty_copy(self._source, copy, faults)  # type: ignore[arg-type]
        return copy.getvalue()
