"""What is looked up once a question is answered: facts that change which questions come next. One line for each."""

from collections.abc import Callable
from typing import Any

from conversations import duplicates, firstcontact, staff
from conversations.draft import Draft
from conversations.engine import Part
from conversations.turn import Ask

CHECKS: dict[str, Callable[[Ask, Draft], tuple[dict[str, Any], tuple[Part, ...]]]] = {
    "duplicates": duplicates.check,
    "first_contact": firstcontact.check,
    "under_age": staff.under_age,
}
