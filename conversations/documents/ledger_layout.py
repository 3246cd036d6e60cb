"""Where a sheet keeps what: its header under the title rows, in one line or two, its columns, its merged cells."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from python_calamine import CalamineSheet

from conversations.documents import ledger_words
from conversations.documents.ledger_fields import Cell, shown
from conversations.documents.ledger_file import Unreadable
from conversations.documents.ledger_words import word

_SEARCHED = 40  # rows in which a header is looked for
_LEAST = 3  # columns that make a header

Line = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read. `number` counts from 1; `ticks` is the value it stands for where √ marks it."""

    field: str
    number: int
    header: str
    ticks: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """`header_line` is the header's last line, from 1; `unread` the headers that mean nothing to us."""

    header_line: int
    columns: tuple[Column, ...]
    unread: tuple[str, ...]

    def column(self, field: str) -> Column | None:
        return next((column for column in self.columns if column.field == field), None)


def lines(sheet: CalamineSheet) -> Iterator[tuple[int, Line]]:
    """Every row of the sheet with its line as a spreadsheet counts it; the first cell is column A."""
    left = [""] * (sheet.start[1] if sheet.start else 0)
    for line, cells in enumerate(sheet.iter_rows(), 1):
        yield line, left + cells


def last_line(sheet: CalamineSheet) -> int:
    """The last line that holds something, from 1; 0 for an empty sheet."""
    return sheet.end[0] + 1 if sheet.end else 0


def find(sheet: CalamineSheet) -> Layout | None:
    """The sheet's layout, or None where no header is found; raises Unreadable where two columns say the same."""
    top = [cells for _, cells in islice(lines(sheet), _SEARCHED)]
    best: Layout | None = None
    for index, cells in enumerate(top):
        below = top[index + 1] if index + 1 < len(top) else []
        for layout in (_one_line(index, cells), _two_lines(index, cells, below)):
            if layout and (best is None or len(layout.columns) > len(best.columns)):
                best = layout
    if best is None:
        return None
    taken: set[str] = set()
    for column in best.columns:
        if column.ticks is None and column.field in taken:
            raise Unreadable("column_twice", sheet=sheet.name, column=column.header)
        taken.add(column.field)
    return best


def tall_merges(sheet: CalamineSheet) -> dict[int, list[tuple[int, int]]]:
    """Cells merged over several lines: first line -> (column number, last line), all from 1."""
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top:
            found[top + 1].append((left + 1, bottom + 1))
    return found


def _one_line(index: int, cells: Line) -> Layout | None:
    return _layout(index + 1, [(shown(cell), (word(shown(cell)),)) for cell in cells])


def _two_lines(index: int, cells: Line, below: Line) -> Layout | None:
    """A header whose upper line groups the lower one's columns, such as 紧急联系人 over 姓名 and 电话."""
    heads: list[tuple[str, tuple[str, ...]]] = []
    group, grouped = "", False
    for number, cell in enumerate(cells):
        upper, lower = shown(cell), shown(below[number]) if number < len(below) else ""
        group = upper or group  # a merged group's text stands in its first cell only
        if not lower:
            heads.append((upper, (word(upper),)))
            continue
        spellings = (word(group) + word(lower), word(lower))
        grouped = grouped or any(_meaning(each) for each in spellings)
        heads.append((lower, spellings))
    return _layout(index + 2, heads) if grouped else None


def _meaning(spelling: str) -> tuple[str, str | None] | None:
    """The field a header word means, and the value where it is a column to be ticked."""
    if field := ledger_words.COLUMN_BY_WORD.get(spelling):
        return field, None
    return ledger_words.ticked_column(spelling) if spelling else None


def _layout(header_line: int, heads: list[tuple[str, tuple[str, ...]]]) -> Layout | None:
    columns: list[Column] = []
    unread: list[str] = []
    for number, (header, spellings) in enumerate(heads, 1):
        meaning = next(filter(None, map(_meaning, spellings)), None)
        if meaning:
            field, ticks = meaning
            if field == "phone" and columns:
                field = ledger_words.PHONE_AFTER.get(columns[-1].field, field)
            columns.append(Column(field, number, header, ticks))
        elif header and not ledger_words.IGNORED.intersection(spellings):
            unread.append(header)
    if len(columns) < _LEAST or all(column.field != "name" for column in columns):
        return None
    return Layout(header_line, tuple(columns), tuple(unread))
