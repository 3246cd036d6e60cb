"""Lists of other bodies beside the ledger: compared by ID number, and what was confirmed of it taken over (C3)."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import orjson

from bot.aside import aside
from conversations.commands.exchange import MATCH_DAYS
from conversations.documents import list_sheet, match_workbook
from conversations.documents.ledger_found import Fault
from conversations.documents.ledger_words import dense
from conversations.documents.list_sheet import Listed
from conversations.documents.match_workbook import Difference, Marked
from scheduler import matching
from scheduler.policy import Policies
from storage import duplicates, files
from storage.areas import Area
from storage.database import Store, Tx
from storage.duplicates import Change
from storage.elders import NewElder
from storage.scope import Scope

KIND = "match"  # of the files that are kept
KEPT = timedelta(days=MATCH_DAYS)
PORTION = 250  # lines that are looked up at once
CHUNK = 20  # elders that one unit of work changes
# an outcome as one letter of a job's cursor, which so says how far it is and what became of each line
_LETTERS = {"taken": "t", "already": "a", "changed": "c", "gone": "g", "other_says": "o", "edited": "e"}
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class Compared:
    """What a list says of the ledger: how many people stand on both, where they differ, and who stands on none."""

    matched: int
    lines: Sequence[Difference] = field(repr=False)
    absent: Sequence[Listed] = field(repr=False)
    unread: Sequence[Fault] = field(repr=False)

    @property
    def by_button(self) -> list[tuple[int, str]]:
        """What may be taken over at one press."""
        return by_button(self.lines)

    @property
    def fields(self) -> dict[str, int]:
        """The numbers, as `matching.compared` says them."""
        return {"matched": self.matched, "differing": len({line.elder_id for line in self.lines}),
                "lines": len(self.lines), "ended": len(self.lines) - len(self.by_button),
                "absent": len(self.absent), "unread": len(self.unread)}

    async def workbook(self, kept: str) -> bytes | None:
        """What there is to look at, None where list and ledger say the same; `kept` is what `keep` gave."""
        if not (self.lines or self.absent or self.unread):
            return None
        return await aside(lambda: match_workbook.write(kept, self.lines, self.absent, self.unread))

    def keep(self, tx: Tx, area: Area, person: str, now: datetime) -> str:
        """Keeps the differences until they are answered; gives the file's id, empty where there are none."""
        tx.note(now, person, "list.compared", area.id, ["id_number", "facts"])
        lines = [[line.elder_id, line.village, line.number, line.name, line.field, line.before, line.after]
                 for line in self.lines]
        body = orjson.dumps({"area": area.id, "lines": lines})
        return files.add(tx, KIND, person, "", body, now, KEPT) if lines else ""


def by_button(lines: Sequence[Difference]) -> list[tuple[int, str]]:
    """Place and word of what may be taken over at one press: a death or a move is to be marked for itself."""
    return [(place, line.told) for place, line in enumerate(lines) if line.field not in matching.ENDS]


def kept(tx: Tx, person: str, file: str, now: datetime) -> tuple[str, list[Difference]] | None:
    """The area that was compared, and what differed; None where it is somebody else's, or its time is over."""
    found = files.find(tx, person, file, now)
    if found is None or found.kind != KIND:
        return None
    body = orjson.loads(found.body)
    return body["area"], [Difference(*line) for line in body["lines"]]


async def compare(store: Store, source: bytes, area: Area, scope: Scope) -> Compared:
    """Looks everybody on a list up in this area, as far as the scope's person coordinates it. Raises Unreadable."""
    found = await aside(lambda: list(list_sheet.read(source, scope.day)))
    people = [each for each in found if isinstance(each, Listed)]
    lines, absent, matched = list[Difference](), list[Listed](), 0
    for start in range(0, len(people), PORTION):
        portion = people[start:start + PORTION]
        files = await store.read(partial(duplicates.listed, scope=scope, path=area.path,
                                         id_numbers=[each.id_number for each in portion]))
        absent += [each for each in portion if each.id_number not in files]
        matched += len(files)
        lines += [Difference(there.elder_id, there.village, there.file.number or 0, there.file.name, *change)
                  for each in portion if (there := files.get(each.id_number)) and not there.closed
                  for change in _changes(there.file, each)]
    return Compared(matched, lines, absent, [each for each in found if isinstance(each, Fault)])


def _changes(file: NewElder, each: Listed) -> Iterator[tuple[str, object, object]]:
    return ((change.field, change.before, change.after) for change in matching.differences(file, each.values))


def chunks(lines: Sequence[Difference], marked: Sequence[Marked], done: str, scope: Scope, policies: Policies,
           now: datetime) -> Iterator[Callable[[Tx], str]]:
    """The units of work that take over what is marked and not `done` yet; each gives the letters of its lines."""
    by_elder = [list(group) for _, group in groupby(marked, lambda mark: lines[mark.place].elder_id)]
    at = 0
    while by_elder:
        chunk, by_elder = by_elder[:CHUNK], by_elder[CHUNK:]
        at += sum(map(len, chunk))
        if at > len(done):
            yield partial(_take, chunk=chunk, lines=lines, scope=scope, policies=policies, now=now)


def _take(tx: Tx, chunk: Sequence[Sequence[Marked]], lines: Sequence[Difference], scope: Scope, policies: Policies,
          now: datetime) -> str:
    letters = ""
    for marks in chunk:
        confirmed = [mark for mark in marks if dense(mark.told) == dense(lines[mark.place].told)]
        changes = [Change(line.field, line.before, line.after) for line in (lines[mark.place] for mark in confirmed)]
        elder = lines[marks[0].place].elder_id
        became = dict(zip((mark.place for mark in confirmed),
                          matching.take(tx, scope, elder, changes, policies, now), strict=True))
        letters += "".join(_LETTERS[became.get(mark.place, "edited")] for mark in marks)
    return letters


def counts(done: str) -> Counter[str]:
    """How many lines became what."""
    return Counter(_OUTCOMES[letter] for letter in done)


async def left(lines: Sequence[Difference], marked: Sequence[Marked], done: str) -> bytes | None:
    """The workbook of what was marked and not taken over, with the reasons; None where there is nothing."""
    found = [(lines[mark.place], _OUTCOMES[letter]) for mark, letter in zip(marked, done, strict=True)
             if _OUTCOMES[letter] not in ("taken", "already")]
    return await aside(lambda: match_workbook.write_left(found)) if found else None
