"""月报, 季报 as a workbook to print: by area and class, by month with charts, what stands beside, how it is counted.

Areas stand in the order of the tree. Numbers only; every text is a text.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from conversations import figures
from conversations.documents.workbook import put
from conversations.words_book import Words, visitor_kind
from scheduler.figures import CLASSES, Month
from scheduler.reporting import Line, Report

COLUMNS = ("on_ledger", "due", "met", "late", "missed", "waiting", "paused", "refused", "excused", "rate", "home",
           "phone", "video", "other", "later", "now_seen", "now_rate", "left", "left_missed")
LATER = ("later", "now_seen", "now_rate")
PARTS = ("met", "late", "missed", "waiting", "paused", "refused", "excused")  # all of these are on the ledger
NARROW, FIRST = 9, 22  # widths in characters
COLOURS = ("2E7D32", "F9A825", "C62828", "90A4AE", "5C6BC0", "8E24AA", "BDBDBD")  # of PARTS
_LINE = Side(style="thin", color="BBBBBB")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)


def write(report: Report, today: date, cut_off_days: int, words: Words) -> bytes:
    """The .xlsx."""
    book = Workbook()
    say = _Says(words, report, today)
    _areas(book, say, say("areas"), report.months)
    if len(report.months) > 1:
        for month in report.months:
            _areas(book, say, say("areas_of", month=month.month), (month,))
    _months(book, say)
    _now(book, say)
    how = book.create_sheet(say("how"))
    for row, line in enumerate(say("how_lines", days=cut_off_days).splitlines(), 1):
        put(how.cell(row, 1), line)
        how.cell(row, 1).alignment = Alignment(wrap_text=True)
    how.column_dimensions["A"].width = 90
    _for_print(how, say)
    del book[book.sheetnames[0]]  # the one that every new workbook has
    out = BytesIO()
    book.save(out)
    return out.getvalue()


class _Says:
    """The words of the workbook, and what it tells."""

    def __init__(self, words: Words, report: Report, today: date) -> None:
        self._words, self.report, self._today = words, report, today

    def __call__(self, name: str, **fields: Any) -> str:
        return self._words.say(f"figures_sheet.{name}", fields)

    def care_class(self, name: str) -> str:
        return self._words.say(f"class.{name}") if name else self("both")

    def month(self, month: Month) -> str:
        return self("month_of", year=month.year, month=month.month,
                    state=figures.state(self.report, month, self._today))

    def title(self) -> str:
        return self._words.say("figures_sheet.title", figures.head(self.report))


def _areas(book: Workbook, say: _Says, title: str, months: Sequence[Month]) -> None:
    """A line for each area and class: in the order of the tree, set in by its depth."""
    sheet = book.create_sheet(title)
    _header(sheet, [say("area"), say("class"), *map(say, COLUMNS)])
    top = say.report.area.path.count("/")
    for area in say.report.tree:
        for care_class in ("", *CLASSES):
            line = say.report.line(area, months, care_class)
            row = _row(sheet, [area.name, say.care_class(care_class), *_cells(line)])
            sheet.cell(row, 1).alignment = Alignment(indent=area.path.count("/") - top)
            if not care_class:
                _bold(sheet, row)
    _for_print(sheet, say)


def _months(book: Workbook, say: _Says) -> None:
    """A line for each month and class of the whole area, and two charts of it."""
    report = say.report
    sheet = book.create_sheet(say("months"))
    _header(sheet, [say("month"), say("class"), *map(say, COLUMNS)])
    shown = (*report.earlier, *report.months)
    for month in shown:  # the lines of both classes first: what the charts show stands together
        _row(sheet, [say.month(month), say("both"), *_cells(
            report.line(report.area, (month,)), as_frozen=month in report.earlier)])
        _bold(sheet, sheet.max_row)
    last = sheet.max_row
    if len(report.months) > 1:
        _row(sheet, [say("whole_quarter"), say("both"), *_cells(report.line(report.area, report.months))])
        _bold(sheet, sheet.max_row)
    for care_class in CLASSES:
        for month in shown:
            _row(sheet, [say.month(month), say.care_class(care_class),
                         *_cells(report.line(report.area, (month,), care_class), as_frozen=month in report.earlier)])
    sheet.column_dimensions["A"].width = FIRST
    below = sheet.max_row + 2
    rate = _chart(sheet, say("rate_chart"), last, ("rate",))
    rate.y_axis.scaling.min, rate.y_axis.scaling.max = 0, 100
    rate.legend = None
    rate.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    parts = _chart(sheet, say("parts_chart"), last, PARTS)
    parts.grouping, parts.overlap = "stacked", 100
    sheet.add_chart(rate, f"A{below}")
    sheet.add_chart(parts, f"I{below}")
    _for_print(sheet, say)


def _chart(sheet: Worksheet, title: str, last: int, columns: Sequence[str]) -> BarChart:
    """Bars of these columns over the months in the rows from the second to `last`."""
    chart = BarChart()
    chart.type, chart.title, chart.height, chart.width = "col", title, 7.5, 14
    for name in columns:
        at = COLUMNS.index(name) + 3
        chart.add_data(Reference(sheet, min_col=at, min_row=1, max_row=last), titles_from_data=True)
        chart.series[-1].graphicalProperties.solidFill = COLOURS[PARTS.index(name)] if name in PARTS else COLOURS[0]
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=last))
    chart.x_axis.delete = chart.y_axis.delete = False  # some programs leave them out where nothing is said
    return chart


def _now(book: Workbook, say: _Says) -> None:
    """What stands beside, as it is now: gaps, needs, the survey, and the visiting forces by kind."""
    report = say.report
    sheet = book.create_sheet(say("now"))
    kinds = sorted(report.forces(report.area))
    names = ("no_first_contact", "open_needs", "groups", "surveyed")
    called = [visitor_kind(kind) if kind else say("unsorted") for kind in kinds]
    _header(sheet, [say("area"), *map(say, names), *called])
    for area in report.tree:
        gaps, forces = report.gaps(area), report.forces(area)
        counts = [getattr(gaps, name) for name in names]
        row = _row(sheet, [area.name, *counts, *[forces.get(kind, 0) for kind in kinds]])
        sheet.cell(row, 1).alignment = Alignment(indent=area.path.count("/") - report.area.path.count("/"))
    _for_print(sheet, say)


def _cells(line: Line, *, as_frozen: bool = False) -> list[Any]:
    """A line's numbers; of months that only stand beside it is not known what came later."""
    told = figures.line(line)
    return [None if as_frozen and name in LATER else told[name] for name in COLUMNS]


def _header(sheet: Worksheet, names: Iterable[str]) -> None:
    for column, name in enumerate(names, 1):
        cell = sheet.cell(1, column)
        put(cell, name)
        cell.font, cell.border = Font(bold=True), _BOX
        cell.fill = PatternFill("solid", fgColor="E3ECE4")
        cell.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")
        sheet.column_dimensions[get_column_letter(column)].width = FIRST if column == 1 else NARROW
    sheet.freeze_panes = "C2"


def _row(sheet: Worksheet, values: Iterable[Any]) -> int:
    row = sheet.max_row + 1
    for column, value in enumerate(values, 1):
        cell = sheet.cell(row, column)
        put(cell, value)
        cell.border = _BOX
    return row


def _bold(sheet: Worksheet, row: int) -> None:
    for cell in sheet[row]:
        cell.font = Font(bold=True)


def _for_print(sheet: Worksheet, say: _Says) -> None:
    """Across the page and as wide as it, the head on every page, with what it is and of which."""
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    title = f"{say.title()} {sheet.title}".replace("&", "&&")
    for part, text in ((sheet.oddHeader, title), (sheet.oddFooter, "&P / &N")):
        assert part is not None  # openpyxl makes them
        part.center.text = text
