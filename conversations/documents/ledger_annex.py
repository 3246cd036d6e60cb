"""What annex 2 asks beyond the first ledgers: how each column is read, and the word that is written for it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from conversations.documents import ledger_fields as fields
from conversations.documents import ledger_words
from conversations.documents.ledger_fields import Cell
from conversations.documents.ledger_words import first_word

_safe = fields.chosen(ledger_words.SAFE, "safe_unknown")
_alone = fields.chosen(ledger_words.ALONE, "alone_unknown")
_until = fields.full_day("certificate_until_unreadable")


def _is_safe(cell: Cell) -> bool:
    return _safe(cell) == "yes"


def _is_alone(cell: Cell) -> bool | None:
    return _alone(cell) == "yes" or None  # kept only where it is so


def _iso(cell: Cell) -> str:
    return _until(cell).isoformat()


# By the names of annex2.FACTS, in the order of the form.
READ: Mapping[str, Callable[[Cell], object]] = {
    "emergency2_name": fields.text, "emergency2_phone": fields.phone, "certificate_until": _iso, "alone": _is_alone,
    "water_safe": _is_safe, "electricity_safe": _is_safe, "house_safe": _is_safe,
    "household_income": fields.income, "pension": fields.income, "assistance": fields.answered,
    "assistance_amount": fields.income,
    "help_unit": fields.chosen(ledger_words.HELP_UNIT, "help_unit_unknown"), "help_person": fields.text,
    "help_measures": fields.answered,
}
wish = fields.chosen(ledger_words.WISH, "wish_unknown")
_registered = fields.full_day("registered_on_unreadable")
_WRITTEN_AS = {"water_safe": "safe", "electricity_safe": "safe", "house_safe": "safe", "alone": "alone",
               "help_unit": "help_unit"}


def registered(cell: Cell, today: date) -> date:
    """The day on which the file was opened, which is not to come."""
    found = _registered(cell)
    if found > today:
        raise fields.Refused("registered_on_future")
    return found


def written(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The cells that READ reads back as these facts."""
    return {name: _cell(name, facts.get(name)) for name in READ}


def _cell(name: str, value: Any) -> Any:
    if value is None or name not in _WRITTEN_AS:
        return value
    return first_word(_WRITTEN_AS[name], {True: "yes", False: "no"}.get(value, value))
