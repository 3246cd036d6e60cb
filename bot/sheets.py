"""Ledgers that come and go by chat: looked through field by field, written as they were shown, given back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from itertools import zip_longest
from typing import Literal, Protocol

from bot.aside import aside
from bot.import_places import Villages, known
from bot.importing import _Done, _Ledger
from conversations.documents import difference_workbook, ledger_report
from conversations.documents.difference_workbook import Line
from conversations.documents.ledger_sheet import Fault, Row, read
from conversations.words_book import Words
from scheduler import intake
from scheduler.intake import Taken
from scheduler.policy import Policies
from storage import elder_files
from storage.areas import Area
from storage.database import Store, Tx
from storage.elder_files import Placed
from storage.elders import NewElder
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
    """What a ledger would change: nothing is written. `copy` shows it field by field, or only what is faulty.

    `digests` name what was shown of each portion: only that is written after a yes.
    """

    counts: Counts
    copy: bytes | None
    shows: Literal["difference", "faulty"]
    digests: tuple[str, ...] = ()


class Applying(Protocol):
    """A ledger on its way in. Its lines come in the same chunks whenever the same file is opened."""

    total: int

    def chunks(self, after: int) -> Iterator[tuple[int, Callable[[Tx], Counts]]]:
        """From the line `after` on: how many lines are done with a chunk, and the unit of work that does it."""
        ...

    def faulty_lines(self) -> int:
        """After the last chunk: how many lines the reader did not take."""
        ...

    def faulty(self) -> bytes | None:
        """After the last chunk: the copy with what to mend, None where there is nothing."""
        ...


class Sheets(Protocol):
    """Each raises `ledger_file.Unreadable`, or PlacesUnclear where the villages of the area cannot be told apart."""

    async def preview(self, source: bytes, area: Area, person: str, now: datetime) -> Looked:
        """Looks a ledger of this area through."""
        ...

    async def apply(self, source: bytes, area: Area, person: str, now: datetime, digests: Sequence[str]) -> Applying:
        """Opens a ledger to be written as it was shown; its works raise `intake.ChangedMeanwhile`."""
        ...

    async def export(self, area: Area, person: str, now: datetime) -> tuple[bytes, int]:
        """The ledger of an area as a workbook, and how many lines it has."""
        ...


class Ledgers:
    """Ledgers of an area by chat: looked through, written as they were shown, given back."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def preview(self, source: bytes, area: Area, person: str, now: datetime) -> Looked:
        """Looks a ledger of this area through, field by field."""
        opened = await self._open(source, area, person, now)
        counts, digests, lines, seen = Counts(), list[str](), list[Line](), intake.Seen()
        portions = opened.portions()
        while rows := await aside(lambda: next(portions, None)):  # one at a time: a whole ledger is large
            files = [opened.ledger.file(row) for row in rows]
            taken = await self._store.read(partial(intake.look, files=files, seen=seen))
            digests.append(intake.digest(taken))
            opened.elsewhere(rows, taken)
            counts += _counts(taken)
            lines += [Line(row.sheet, row.line, row.village, row.name, each)
                      for row, each in zip(rows, taken, strict=True) if each.outcome != "same"]
        counts += Counts(faulty=opened.faulty_lines())
        if counts.new or counts.changed or counts.left:
            shown = await aside(lambda: difference_workbook.write(lines, Words()))
            return Looked(counts, shown, "difference", tuple(digests))
        return Looked(counts, await aside(opened.faulty), "faulty", tuple(digests))

    async def apply(self, source: bytes, area: Area, person: str, now: datetime, digests: Sequence[str]) -> Applying:
        """Opens a ledger to be written as it was shown."""
        opened = await self._open(source, area, person, now)
        opened.shown = tuple(digests)
        return opened

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
        self.shown: tuple[str, ...] = ()
        self._found: list[Fault] = []
        self._there: list[Fault] = []  # lines of elders of another village
        self._done = _Done(villages)

    def portions(self) -> Iterator[list[Row]]:
        """The right lines, in the same portions whenever the same file is opened; faults are kept on the way."""
        for rows, faults in self.ledger.chunks():
            self._found += faults
            yield rows

    def chunks(self, after: int) -> Iterator[tuple[int, Callable[[Tx], Counts]]]:
        """As in `Applying`."""
        lines, seen = 0, intake.Seen()
        for rows, shown in zip_longest(self.portions(), self.shown, fillvalue=""):
            if not isinstance(rows, list):
                raise intake.ChangedMeanwhile  # not the file that was shown
            files = [self.ledger.file(row) for row in rows]
            lines += len(rows)
            if lines > after:
                yield lines, self._work(rows, files, seen.copy(), str(shown))
            seen.note(files)

    def _work(self, rows: list[Row], files: list[NewElder], seen: intake.Seen, shown: str) -> Callable[[Tx], Counts]:
        def work(tx: Tx) -> Counts:
            taken = intake.take(tx, files, self._policies, self._person, self._now, seen=seen.copy(), over=True,
                                shown=shown)  # a copy: a unit of work may run twice
            self.elsewhere(rows, taken)
            return _counts(taken)

        return work

    def elsewhere(self, rows: list[Row], taken: Sequence[Taken]) -> None:
        """Notes the lines of elders who are registered in another village: they are for the copy to mend."""
        self._there += self._done.elsewhere(rows, taken)

    def faulty_lines(self) -> int:
        """As in `Applying`."""
        return len({(fault.sheet, fault.line) for fault in self._found if fault.line and not fault.warning})

    def faulty(self) -> bytes | None:
        """As in `Applying`."""
        faults = [fault for fault in (*self._found, *self._there) if fault.line]
        if not faults:
            return None
        copy = BytesIO()
        ledger_report.write_faulty_copy(self._source, copy, faults)  # type: ignore[arg-type]
        return copy.getvalue()


def _counts(taken: Sequence[Taken]) -> Counts:
    """`left` lines are of closed files, or stand twice with other words."""
    outcomes = ["left" if each.outcome == "differs" and not each.elder_id else each.outcome for each in taken]
    return Counts(
        new=outcomes.count("new"), changed=outcomes.count("differs") + outcomes.count("changed"),
        same=outcomes.count("same"), faulty=outcomes.count("elsewhere"),
        left=outcomes.count("left") + outcomes.count("closed"))
