"""What a ledger would change, as a workbook: a line a field, before and after; the files that would be opened."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.documents.file_words import field, value
from conversations.words_book import Words
from scheduler.intake import Taken

Cells = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ledger: where it stands, whose it is, and what would become of it. The repr names no person."""

    sheet: str
    line: int
    village: str
    name: str
    taken: Taken

    def __repr__(self) -> str:
        return f"Line({self.sheet}, {self.line}, {self.taken.outcome})"


def write(lines: Sequence[Line], words: Words) -> bytes:
    """The .xlsx: a sheet of changes, one of new files, one of what is left as it is (closed, or twice)."""
    from conversations.documents import workbook  # late: openpyxl takes 0.2 s to import

    made = {"changes": _changes(lines, words), "new": _new(lines), "left": _left(lines, words)}
    return workbook.sheets(
        (words.say(f"difference.{kind}"), words.say(f"difference.{kind}_head").split(), cells)
        for kind, cells in made.items())


def _changes(lines: Iterable[Line], words: Words) -> Iterator[Cells]:
    for line in lines:
        if line.taken.outcome == "differs":
            for change in line.taken.changes:
                yield (line.village, line.taken.number, line.name, field(change.field, words),
                       value(change.field, change.before, words), value(change.field, change.after, words))


def _new(lines: Iterable[Line]) -> Iterator[Cells]:
    return ((line.village, line.name, line.sheet, line.line) for line in lines if line.taken.outcome == "new")


def _left(lines: Iterable[Line], words: Words) -> Iterator[Cells]:
    for line in lines:
        twice = line.taken.outcome == "differs" and not line.taken.elder_id
        if twice or line.taken.outcome == "closed":
            why = words.say("difference.twice" if twice else "difference.closed")
            yield line.village, line.taken.number, line.name, why, line.sheet, line.line
