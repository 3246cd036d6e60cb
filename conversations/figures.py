"""What is said of the figures of an area: the numbers that are looked for first, and the way to the others (C14)."""

from datetime import date, timedelta
from typing import Any

from conversations import periods
from conversations.engine import Part
from scheduler.figures import CLASSES, Month, Numbers, quarter
from scheduler.reporting import Line, Report

MOST = 30  # areas in one message
Buttons = list[list[list[object]]]


def told(report: Report, today: date, cut_off_days: int) -> Part:
    """The numbers of a month, or those of a quarter's months side by side and together."""
    gaps = report.gaps(report.area)
    return ("figures.told", {
        **head(report), "whole": line(report.line(report.area, report.months)),
        "months": [_month(report, each, today, cut_off_days) for each in report.months],
        "classes": [{"name": each, **line(report.line(report.area, report.months, each))} for each in CLASSES],
        "no_first_contact": gaps.no_first_contact, "open_needs": gaps.open_needs, "groups": gaps.groups,
        "surveyed": gaps.surveyed, "forces": report.forces(report.area), "buttons": _buttons(report, today)})


def by_area(report: Report, today: date, cut_off_days: int) -> Part:
    """The areas of the next level, in the order of the tree, each with the way to its own figures."""
    below = report.below
    period = periods.written(report.months)
    buttons: Buttons = [[["figures_button.area", {"name": area.name}, f"/month {area.id} {period}"]]
                        for area in below[:MOST]]
    return ("figures.by_area", {
        **head(report), "months": [_month(report, each, today, cut_off_days) for each in report.months],
        "lines": [{"name": area.name, **line(report.line(area, report.months))} for area in below[:MOST]],
        "more": max(len(below) - MOST, 0), "buttons": [*buttons, *_buttons(report, today, below=True)]})


def line(of: Line) -> dict[str, Any]:
    """A line's numbers by name; rates in percent, None where nobody is on the ledger."""
    numbers: Numbers = of.numbers
    return {**{name: getattr(numbers, name) for name in numbers.__slots__}, "on_ledger": numbers.on_ledger,
            "due": numbers.due, "seen": numbers.seen, "visits": numbers.visits, "rate": numbers.rate, "later": of.later,
            "now_seen": of.now.seen, "now_rate": of.now.rate}


def state(report: Report, month: Month, today: date) -> str:
    """Whether a month's figures are frozen, will be soon (`settling`), or the month still runs."""
    if month in report.frozen:
        return "frozen"
    return "running" if month.last >= today else "settling"


def head(report: Report) -> dict[str, Any]:
    """Of what and of when; `month` is 0 for a quarter."""
    first = report.months[0]
    return {"area": report.area.name, "year": first.year, "month": first.month if len(report.months) == 1 else 0,
            "quarter": (first.month + 2) // 3, "level": report.below[0].level if report.below else ""}


def _month(report: Report, month: Month, today: date, cut_off_days: int) -> dict[str, Any]:
    return {"month": month.month, "state": state(report, month, today),
            "cut_off": (month.last + timedelta(days=cut_off_days)).isoformat(),
            **line(report.line(report.area, (month,)))}


def _buttons(report: Report, today: date, *, below: bool = False) -> Buttons:
    """As a workbook, by area or (from there) the whole, the period before, and month for quarter or quarter for month.
    """
    area, months = report.area, report.months
    here = f"/month {area.id}"
    first = months[0]
    before = (first.plus(-1),) if len(months) == 1 else quarter(first.plus(-1))
    other = quarter(first) if len(months) == 1 else tuple(each for each in months if each.first <= today)[-1:]
    row: list[list[object]] = [["figures_button.xlsx", {}, f"{here} {periods.written(months)} xlsx"]]
    if below:
        row.append(["figures_button.whole", {}, f"{here} {periods.written(months)}"])
    elif report.below:
        row.append(["figures_button.below", {"level": report.below[0].level},
                    f"{here} {periods.written(months)} below"])
    return [row, [[f"figures_button.before_{len(months)}", {}, f"{here} {periods.written(before)}"],
                  [f"figures_button.other_{len(months)}", {}, f"{here} {periods.written(other)}"]]]
