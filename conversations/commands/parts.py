"""Pieces that several commands show."""

from typing import Any

from conversations.form import Form
from conversations.turn import Ask
from storage import forms
from storage.visits import Visit


def form_of(ask: Ask, visit: Visit) -> Form:
    """The form that the visit was made with."""
    try:
        return ask.house.book.form(visit.form_hash)
    except KeyError:
        definition = forms.definition(ask.tx, visit.form_hash)
        if definition is None:
            raise LookupError(f"form {visit.form_hash} of visit {visit.visit_id} is not kept") from None
        return ask.house.book.learn(definition)


def method(ask: Ask, visit: Visit) -> str:
    """The visit's method in the words of its form."""
    return form_of(ask, visit).by_id["method"].option(visit.method).label


def visit_lines(ask: Ask, visits: list[Visit]) -> list[dict[str, Any]]:
    """Number, day and method of each, for a list."""
    return [{"number": visit.number, "day": visit.on_day, "method": method(ask, visit), "late": visit.late}
            for visit in visits]
