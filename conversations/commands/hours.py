"""服务时长: how long somebody's visits took, term by term, with a proof to print (C9)."""

from datetime import date

from conversations.engine import Part
from conversations.turn import Ask
from scheduler import terms
from scheduler.terms import Term
from storage import people, visits
from storage.people import Person

Parts = tuple[Part, ...]
Buttons = list[list[list[object]]]


def hours(ask: Ask, rest: str) -> Parts:
    """The asker's own, or those of somebody in the area that he coordinates: this term and the one before."""
    person = whose(ask, rest)
    if person is None:
        return (("hours.gone", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    begins = ask.policy(person.area_id).terms
    this = terms.term(ask.today, begins)
    told, buttons = [], Buttons()
    for each in (this, terms.before(this, begins)):
        spent = visits.time_spent(ask.tx, person.id, each.first.isoformat(), each.last.isoformat())
        told.append({"first": each.first.isoformat(), "last": each.last.isoformat(), "times": spent.times,
                     "minutes": spent.minutes})
        if spent.times:
            buttons.append([["button.hours_proof", {"first": each.first.isoformat()},
                             f"/hoursproof {person.id} {each.first.isoformat()}"]])
    return (("hours.told", {"name": person.name, "terms": told,
                            "buttons": buttons or [[["button.mine", {}, "/my"]]]}),)


def proof(ask: Ask, rest: str) -> Parts:
    """The proof of one term as Word; `rest` is whose, and the term's first day. Made when it is sent."""
    who, _, first = rest.partition(" ")
    person = whose(ask, who)
    found = _term(ask, person, first) if person else None
    if person is None or found is None:
        return (("hours.gone", {"buttons": [[["button.hours", {}, "/hours"]]]}),)
    ask.note("person.hours", person.id, ("hours",))
    return (("hours.proof", {"name": person.name, "document": {
        "kind": "hours", "of": person.id, "person": ask.writer.person_id, "first": found.first.isoformat(),
        "last": found.last.isoformat()}}),)


def whose(ask: Ask, rest: str) -> Person | None:
    """The asker himself, or somebody all of whose work lies in his area."""
    if not rest or rest == ask.writer.person_id:
        return ask.person
    named = people.held_named(ask.tx, ask.scope, rest)
    return people.held(ask.tx, ask.scope, rest) or (named[0] if len(named) == 1 else None)


def _term(ask: Ask, person: Person, first: str) -> Term | None:
    """The term that begins on this day, where one does."""
    try:
        found = terms.term(date.fromisoformat(first), ask.policy(person.area_id).terms)
    except ValueError:
        return None
    return found if found.first.isoformat() == first and found.first <= ask.today else None


COMMANDS = {"hours": hours, "hours_proof": proof}
