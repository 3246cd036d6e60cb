"""Ledgers looked through field by field, written as they were shown, and given back: in chat and by hand."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import Literal

from bot.aside import aside
from bot.import_places import PlacesUnclear, Villages, known
from conversations.documents import difference_workbook
from conversations.documents.difference_workbook import Line
from conversations.documents.ledger_sheet import Fault, Reading, Row, read
from conversations.documents.ledger_words import COLUMN_TITLES
from conversations.words_book import Words
from scheduler import intake
from scheduler.intake import Seen, Taken
from scheduler.policy import Policies
from storage import areas, elder_files
from storage.areas import Area
from storage.database import Store, Tx
from storage.elder_files import Placed
from storage.elders import NewElder
from storage.initials import initials
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


class Ledgers:
    """Where ledgers are opened, and made."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def open(self, source: bytes, area: Area | None, actor: str, now: datetime) -> "Ledger":
        """Reads a ledger that may name the villages in `area`, everywhere where None; `actor` is whom the audit names.

        Raises `ledger_file.Unreadable`, or PlacesUnclear where the area has no village, or two that are called alike.
        """
        villages = await self._store.read(lambda tx: known(tx, area))
        if not villages.may_name.villages:
            raise PlacesUnclear("no_villages")
        return await aside(lambda: Ledger(source, villages, self._store, self._policies, actor, now))

    async def export(self, area: Area, person: str, now: datetime) -> tuple[bytes, int]:
        """The ledger of an area as a workbook, and how many lines it has."""
        found = await self._files(area, person, now)
        from conversations.documents.ledger_workbook import write  # late: openpyxl takes 0.2 s to import

        return await aside(lambda: write(found, Words())), len(found)

    async def forms(self, village: Area, person: str, now: datetime) -> tuple[bytes, int]:
        """Annex 2 of every file of a village, by their numbers, and how many they are."""
        found = sorted(await self._files(village, person, now), key=lambda each: each.file.number or 0)
        where = await self._store.read(lambda tx: areas.names_of(tx, village.id))
        from conversations.documents.registration_form import Kept, docx  # late: docxtpl takes 0.2 s to import

        kept = [Kept(each.file, each.care_class, where) for each in found]
        return (await aside(lambda: docx(kept, Words())) if kept else b""), len(kept)

    async def _files(self, area: Area, person: str, now: datetime) -> list[Placed]:
        """The files of an area that are not closed, as far as this person coordinates it."""
        scope = Scope(person, now.astimezone(self._policies.city.zone).date())
        found: list[Placed] = []
        while True:
            after = found[-1].id if found else ""
            portion = await self._store.read(partial(
                elder_files.of_area, scope=scope, path=area.path, after=after, count=PORTION))
            found += portion
            if len(portion) < PORTION:
                return found


class Ledger:
    """A ledger that was read. Its lines come in the same portions whenever the same file is opened."""

    def __init__(self, source: bytes, villages: Villages, store: Store, policies: Policies, actor: str,
                 now: datetime) -> None:
        self._source, self._villages, self._store, self._policies = source, villages, store, policies
        self._actor, self._now, self._words = actor, now, Words()
        reading = read(source, now.astimezone(policies.city.zone).date(), villages.may_name)
        self._reading: Reading | None = reading
        self.total = reading.rows  # at the most
        self.unread_columns = reading.unread_columns
        self._unread: list[Fault] = []  # what the reader did not take so far
        self._misplaced: dict[tuple[str, int], Fault] = {}  # lines that only the store shows to be faulty

    async def look(self) -> Looked:
        """Looks the ledger through, field by field."""
        counts, digests, lines, seen = Counts(), list[str](), list[Line](), Seen()
        async for rows, files in self.portions():
            taken = await self._look(rows, files, seen)
            digests.append(intake.digest(taken))
            counts += _counts(taken)
            lines += [Line(row.sheet, row.line, row.village, row.name, each)
                      for row, each in zip(rows, taken, strict=True) if each.outcome != "same"]
        counts += Counts(faulty=self.faulty_lines())
        if counts.new or counts.changed or counts.left:
            shown = await aside(lambda: difference_workbook.write(lines, self._words))
            return Looked(counts, shown, "difference", tuple(digests))
        return Looked(counts, await aside(self.faulty), "faulty", tuple(digests))

    async def chunks(self, after: int = 0, shown: Sequence[str] = (), *, over: bool = True,
                     ) -> AsyncIterator[tuple[int, Callable[[Tx], Counts]]]:
        """From the line `after` on: how many lines are done with a chunk, and the unit of work that does it.

        With `over`, what the ledger says otherwise is taken over; with `shown` (the digests of a look) the works raise
        `intake.ChangedMeanwhile` where that is not what was shown. Of lines before `after` the faults are found again.
        """
        lines, seen, place = 0, Seen(), 0
        async for rows, files in self.portions():
            if shown and place == len(shown):
                raise intake.ChangedMeanwhile  # not the file that was shown
            lines += len(rows)
            if lines > after:
                yield lines, self._work(rows, files, seen.copy(), shown[place] if shown else "", over)
                seen.note(files)
            else:
                await self._look(rows, files, seen)
            place += 1
        if place < len(shown):
            raise intake.ChangedMeanwhile

    @property
    def faults(self) -> list[Fault]:
        """What was found so far."""
        return [*self._unread, *self._misplaced.values()]

    def faulty_lines(self) -> int:
        """After the last chunk: how many lines the reader did not take; what the store shows is counted by chunks."""
        return len({(fault.sheet, fault.line) for fault in self._unread if fault.line and not fault.warning})

    def faulty(self) -> bytes | None:
        """After the last chunk, once: the copy with what to mend, None where there is nothing."""
        self._reading = None  # the workbook's memory, before its copy is made
        faults = [fault for fault in self.faults if fault.line]
        if not faults:
            return None
        from conversations.documents.ledger_report import write_faulty_copy  # late: openpyxl takes 0.2 s to import

        write_faulty_copy(self._source, copy := BytesIO(), faults)
        return copy.getvalue()

    async def portions(self) -> AsyncIterator[tuple[list[Row], list[NewElder]]]:
        """The right lines, and the files that they make; what is faulty is noted on the way."""
        portions = self._read()
        while rows := await aside(lambda: next(portions, None)):  # one at a time: a whole ledger is large
            yield rows, [self.file(row) for row in rows]

    def _read(self) -> Iterator[list[Row]]:
        rows: list[Row] = []
        for found in self._reading or ():
            if isinstance(found, Fault):
                self._unread.append(found)
                continue
            rows.append(found)
            if len(rows) == intake.CHUNK:
                yield rows
                rows = []
        yield rows

    async def _look(self, rows: list[Row], files: list[NewElder], seen: Seen) -> list[Taken]:
        taken = await self._store.read(partial(intake.look, files=files, seen=seen))
        self._note(rows, taken)
        return taken

    def _work(self, rows: list[Row], files: list[NewElder], seen: Seen, shown: str, over: bool,
              ) -> Callable[[Tx], Counts]:
        def work(tx: Tx) -> Counts:
            taken = intake.take(tx, files, self._policies, self._actor, self._now, seen=seen.copy(), over=over,
                                shown=shown)  # a copy: a unit of work may run twice
            self._note(rows, taken)
            return _counts(taken)

        return work

    def _note(self, rows: list[Row], taken: Sequence[Taken]) -> None:
        self._misplaced |= {(row.sheet, row.line): self._fault(row, each)
                            for row, each in zip(rows, taken, strict=True) if each.outcome in _BY_LOOKING}

    def _fault(self, row: Row, taken: Taken) -> Fault:
        township, village = self._villages.names[taken.village_id]
        column, value = ("id_number", row.id_number) if taken.outcome == "elsewhere" else ("number", str(row.number))
        return Fault(sheet=row.sheet, line=row.line, column=COLUMN_TITLES[column], column_number=None,
                     value=value or "", reason=_BY_LOOKING[taken.outcome],
                     details={"township": township, "village": village})

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
            registered_on=row.registered_on.isoformat() if row.registered_on else "",
            wish=row.wish or "", disability_grade=row.disability_grade, id_number=row.id_number or "",
            phone=row.phone or "", facts={name: value for name, value in facts.items() if value is not None},
            visits_made=row.visits_before, earlier_visit_on=row.last_visit.isoformat() if row.last_visit else None,
            number=row.number)


# outcomes that are faults of the line, and the reasons told
_BY_LOOKING = {"elsewhere": "registered_elsewhere", "unknown": "number_unknown"}


def _counts(taken: Sequence[Taken]) -> Counts:
    """`left` lines are of closed files, or stand twice with other words."""
    outcomes = ["left" if each.outcome == "differs" and not each.elder_id else each.outcome for each in taken]
    return Counts(
        new=outcomes.count("new"), changed=outcomes.count("differs") + outcomes.count("changed"),
        same=outcomes.count("same"), faulty=sum(map(outcomes.count, _BY_LOOKING)),
        left=outcomes.count("left") + outcomes.count("closed"))
