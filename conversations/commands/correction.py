"""更正, 作废: a kept visit is changed only by a new version, with who, when and why."""

from typing import Any

from conversations import lookup, session
from conversations.commands.record import chosen
from conversations.draft import parse_answers
from conversations.engine import Part
from conversations.outcomes import CORRECTION
from conversations.turn import Ask
from storage import elders
from storage.visits import Visit


def correct(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks what is to be done: change the answers or the elder, or void the record."""
    visit = _own(ask, rest)
    if not isinstance(visit, Visit):
        return visit
    return (("menu.correcting", {
        "elder": visit.elder, "number": visit.number, "day": visit.on_day,
        "buttons": [[["button.edit", {}, f"/edit {visit.visit_id}"]], [["button.void", {}, f"/void {visit.visit_id}"]]],
    }),)


def edit(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Opens the visit's answers: the reason first, then the review, where each can be changed."""
    visit = _own(ask, rest)
    if not isinstance(visit, Visit):
        return visit
    ask.note("visit.read", visit.elder_id, ("answers",))
    elder = elders.find(ask.tx, ask.scope, visit.elder_id)
    context: dict[str, Any] = lookup.context(ask, elder) if elder else {}
    context |= {"correcting": True, "corrects": visit.visit_id, "corrects_version": visit.version, "last": {},
                "screening_due": "screening_low" in visit.answers, "under_age": "companion" in visit.answers,
                "hours": "minutes" in visit.answers}
    answers = parse_answers(visit.answers)
    answers.pop(CORRECTION, None)
    return session.start(ask, "visit", context, answers)


def void(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks for the reason, then takes the visit out of every count."""
    visit = _own(ask, rest)
    if not isinstance(visit, Visit):
        return visit
    return session.start(ask, "void", {
        "voids": visit.visit_id, "elder_id": visit.elder_id, "elder_name": visit.elder})


def _own(ask: Ask, rest: str) -> Visit | tuple[Part, ...]:
    """The visit, where this person may correct it and it still stands."""
    visit = chosen(ask, rest)
    if visit is None:
        return (("menu.record_gone", {}),)
    if not ask.may_correct(visit):
        return (("menu.not_allowed", {}),)
    if visit.state != "current":
        return ((f"menu.{'voided' if visit.state == 'void' else 'moved'}_already", {}),)
    return visit


COMMANDS = {"correct": correct, "edit": edit, "void": void}
