"""服务时长: how long somebody's visits took, by term, month, or between two days, with a proof to print (C9)."""

import re
from datetime import date, timedelta

from conversations import dates
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import terms
from scheduler.terms import Term
from storage import people, visits
from storage.people import Person

Parts = tuple[Part, ...]
Buttons = list[list[list[object]]]
BETWEEN = re.compile(r"(?:(.*?)\s+)?(\S+?)(?:\s+|到|至|~)(\S+)")  # whose, and two days
QUICK = (("this_term", "last_term"), ("this_month", "last_month"))  # as they stand in rows of buttons


def hours(ask: Ask, rest: str) -> Parts:
    """The asker's own, or those of somebody in the area that he coordinates: between the two days named last, else of
    this term and the one before.
    """
    who, period = _read(rest, ask.today)
    person = whose(ask, who)
    if person is None:
        return (("hours.gone", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    quick = _quick(ask, person)
    told, buttons = [], Buttons()
    for each in (period,) if period else (quick["this_term"], quick["last_term"]):
        spent = visits.time_spent(ask.tx, person.id, each.first.isoformat(), each.last.isoformat())
        told.append({"first": each.first.isoformat(), "last": each.last.isoformat(), "times": spent.times,
                     "minutes": spent.minutes})
        if spent.times:
            buttons.append([["button.hours_proof", {"first": each.first.isoformat(), "last": each.last.isoformat()},
                             f"/hoursproof {person.id} {_told(each)}"]])
    buttons += [[[f"button.hours_{name}", {}, f"/hours {person.id} {_told(quick[name])}"] for name in row]
                for row in QUICK]
    return (("hours.told", {"name": person.name, "terms": told, "buttons": buttons}),)


def proof(ask: Ask, rest: str) -> Parts:
    """The proof of a period as Word; `rest` is whose, and the first and last day. Made when it is sent."""
    who, period = _read(rest, ask.today)
    person = whose(ask, who)
    if person is None or period is None:
        return (("hours.gone", {"buttons": [[["button.hours", {}, "/hours"]]]}),)
    ask.note("person.hours", person.id, ("hours",))
    return (("hours.proof", {"name": person.name, "document": {
        "kind": "hours", "of": person.id, "person": ask.writer.person_id, "first": period.first.isoformat(),
        "last": period.last.isoformat()}}),)


def whose(ask: Ask, rest: str) -> Person | None:
    """The asker himself, or somebody all of whose work lies in his area."""
    if not rest or rest == ask.writer.person_id:
        return ask.person
    named = people.held_named(ask.tx, ask.scope, rest)
    return people.held(ask.tx, ask.scope, rest) or (named[0] if len(named) == 1 else None)


def _read(rest: str, today: date) -> tuple[str, Term | None]:
    """Whose, and the two days that stand last, the earlier one first."""
    found = BETWEEN.fullmatch(rest)
    days = [day for text in found.groups()[1:] if (day := dates.read(text, today))] if found else []
    if found is None or len(days) < 2:
        return rest, None
    return found[1] or "", Term(min(days), max(days))


def _quick(ask: Ask, person: Person) -> dict[str, Term]:
    """The periods that are asked for most."""
    begins = ask.policy(person.area_id).terms
    term, month = terms.term(ask.today, begins), terms.month(ask.today)
    return {"this_term": term, "last_term": terms.before(term, begins), "this_month": month,
            "last_month": terms.month(month.first - timedelta(days=1))}


def _told(period: Term) -> str:
    """As short as a button's token wants it."""
    return f"{period.first:%Y%m%d} {period.last:%Y%m%d}"


COMMANDS = {"hours": hours, "hours_proof": proof}
