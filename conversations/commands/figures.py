"""月报, 季报: the figures of an area, for who coordinates it; counting them is a durable job (C14)."""

from datetime import timedelta

from conversations import periods
from conversations.commands.exchange import asker_of, busy, held, holds, named, stop_button
from conversations.controls import SHOWS
from conversations.engine import Part
from conversations.periods import Months
from conversations.turn import Ask
from scheduler.figures import Month, quarter
from storage import jobs
from storage.areas import Area

Parts = tuple[Part, ...]
Buttons = list[list[list[object]]]


def month(ask: Ask, rest: str) -> Parts:
    """The month named; else the running one, or the one before until its figures are frozen."""
    settling = ask.today - timedelta(days=ask.house.policy.figures_cut_off_days)
    return _figures(ask, rest, (Month.of(settling),))


def by_quarter(ask: Ask, rest: str) -> Parts:
    """The quarter named; else the running one, or the one before until its figures are frozen."""
    settling = ask.today - timedelta(days=ask.house.policy.figures_cut_off_days)
    return _figures(ask, rest, quarter(Month.of(settling)))


def _figures(ask: Ask, rest: str, months: Months) -> Parts:
    """`rest`: an area by id or name, a month or quarter, and how it is to be shown, in any order; each may be left out.
    """
    area_named = shows = ""
    for word in rest.split():
        if found := periods.read(word, ask.today):
            months = found
        elif word in SHOWS.values() or word.lower() in SHOWS:
            shows = SHOWS.get(word.lower(), word)
        else:
            area_named = word
    if months[0].first > ask.today:
        return (("figures.not_begun", {"buttons": [[["button.figures", {}, "/month"]]]}),)
    tops = held(ask.tx, ask.writer.person_id)
    if not area_named and len(tops) > 1:
        return (("figures.which_area", {"buttons": _areas(tops, months)}),)
    area = (holds(ask.tx, ask.writer.person_id, area_named) or named(ask.tx, tops, area_named)
            if area_named else tops[0] if tops else None)
    if area is None or area.level == "group":
        return (("figures.no_area", {"buttons": [[["button.figures", {}, "/month"]]]}),)
    job = jobs.add(ask.tx, "figures", {"area": area.id, "months": [str(each) for each in months], "shows": shows},
                   ask.now, asker_of(ask))
    if job is None:
        return busy(ask.tx, asker_of(ask))
    return (("figures.counting", {"area": area.name, "months": [str(each) for each in months],
                                  "buttons": [stop_button(job)]}),)


def _areas(tops: list[Area], months: Months) -> Buttons:
    return [[["figures_button.area", {"name": area.name}, f"/month {area.id} {periods.written(months)}"]]
            for area in tops]


COMMANDS = {"month": month, "quarter": by_quarter}
