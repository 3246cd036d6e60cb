"""What a list says otherwise than the ledger, as a workbook: a line a field, to be marked 是 and sent back (C3)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as value_of
from itertools import islice
from typing import Any

from python_calamine import CalamineSheet

from conversations.documents import file_words, ledger_faults, ledger_layout, ledger_words
from conversations.documents import ledger_fields as fields
from conversations.documents.ledger_file import open_workbook
from conversations.documents.ledger_found import Fault
from conversations.documents.ledger_words import dense, word
from conversations.documents.list_sheet import Listed
from conversations.words_book import Words

_KEY = re.compile(r"([0-9a-f]{32})-(\d{1,6})")
_SEARCHED = 40  # rows in which a header is looked for
_WORDS = Words()
_HEAD = _WORDS.say("match_sheet.head").split()
_TAKE, _TOLD, _KEYED = _HEAD[6], _HEAD[5], _HEAD[7]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one elder that a list says otherwise. The repr names no person."""

    elder_id: str
    village: str = value_of(repr=False)
    number: int
    name: str = value_of(repr=False)
    field: str
    before: Any = value_of(repr=False)
    after: Any = value_of(repr=False)

    @property
    def told(self) -> str:
        """What the list says, as it is shown."""
        return _value(self.field, self.after)


@dataclass(frozen=True, slots=True)
class Marked:
    """A line that came back with 是: its place among the differences, and what it shows as the list's word."""

    place: int
    told: str = value_of(repr=False)


def write(kept: str, lines: Sequence[Difference], absent: Iterable[Listed], unread: Iterable[Fault]) -> bytes:
    """The .xlsx: what differs, who is not on the ledger, what was not understood.

    `kept` is the id under which the differences are kept until they are answered.
    """
    from conversations.documents import workbook  # late: openpyxl takes 0.2 s to import

    made = [("differ", (*_cells(line), None, f"{kept}-{place}")) for place, line in enumerate(lines)]
    sheets = {
        "differ": (_HEAD, [cells for _, cells in made]),
        "absent": (_said("absent_head").split(), [
            (each.values.get("name"), each.id_number, each.address, each.sheet, each.line) for each in absent]),
        "unread": (_said("unread_head").split(), [
            (each.sheet, each.line, each.column, ledger_faults.explain(each)) for each in unread])}
    return workbook.sheets((_said(name), head, cells) for name, (head, cells) in sheets.items())


def write_left(left: Iterable[tuple[Difference, str]]) -> bytes:
    """The .xlsx of what was not taken over, each with the reason, a key of `[match_left]`."""
    from conversations.documents import workbook  # late: openpyxl takes 0.2 s to import

    head = [*_HEAD[:6], _said("why")]
    return workbook.sheets([(_said("left"), head, (
        (*_cells(line), _WORDS.say(f"match_left.{why}")) for line, why in left))])


def is_answer(sheet: CalamineSheet) -> bool:
    """Whether a sheet is one that `write` made."""
    return _columns(sheet) is not None


def answers(source: bytes) -> dict[str, list[Marked]]:
    """The lines marked 是, by the id of what they answer."""
    found: dict[str, dict[int, Marked]] = {}
    with open_workbook(source) as workbook:
        for name in workbook.sheet_names:
            for key, marked in _marked(workbook.get_sheet_by_name(name)):
                found.setdefault(key, {})[marked.place] = marked
    return {key: sorted(marks.values(), key=lambda mark: mark.place) for key, marks in found.items()}


def _marked(sheet: CalamineSheet) -> Iterator[tuple[str, Marked]]:
    columns = _columns(sheet)
    for _, cells in ledger_layout.lines(sheet) if columns else ():
        shown = {name: fields.shown(cells[at]) if at < len(cells) else "" for name, at in (columns or {}).items()}
        key = _KEY.fullmatch(dense(shown[_KEYED]))
        if key and ledger_words.YES_NO.get(word(shown[_TAKE])) == "yes":
            yield key[1], Marked(int(key[2]), shown[_TOLD])


def _columns(sheet: CalamineSheet) -> Mapping[str, int] | None:
    for _, cells in islice(ledger_layout.lines(sheet), _SEARCHED):
        heads = [word(fields.shown(cell)) for cell in cells]
        if all(word(name) in heads for name in (_TAKE, _TOLD, _KEYED)):
            return {name: heads.index(word(name)) for name in (_TAKE, _TOLD, _KEYED)}
    return None


def _cells(line: Difference) -> tuple[Any, ...]:
    name = _said(line.field) if _WORDS.has(f"match_sheet.{line.field}") else file_words.field(line.field, _WORDS)
    return line.village, line.number, line.name, name, _value(line.field, line.before), line.told


def _value(name: str, given: Any) -> str:
    if name in ("died", "moved"):
        return "" if given is None else given or _said("day_unknown")
    if name == "disability_grade":
        return _WORDS.say("workbook.grade", {"grade": given}) if given else ""
    return file_words.value(name, given, _WORDS)


def _said(name: str) -> str:
    return _WORDS.say(f"match_sheet.{name}")
