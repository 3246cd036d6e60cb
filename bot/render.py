"""From a message to what a channel can show."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from bot.channels.base import Capabilities
from conversations.engine import Part
from conversations.message import Button, Message


def reachable(parts: Sequence[Part], can: Capabilities, public: str) -> Sequence[Part] | None:
    """What a notice says, on this channel: a link below the address `public` where there can be no button; None where
    it only changes an earlier message, and that cannot be.
    """
    if any(fields.get("only_edits") and not can.can_edit for _, fields in parts):
        return None
    return [(kind, _linked(fields, can, public) if fields.get("page") else fields) for kind, fields in parts]


def _linked(fields: dict[str, Any], can: Capabilities, public: str) -> dict[str, Any]:
    if "buttons" in fields and can.group_buttons:
        return fields
    return {**{name: value for name, value in fields.items() if name != "buttons"}, "link": public + fields["page"]}


def fit(message: Message, can: Capabilities) -> Message:
    """The message within what the channel can: labels cut, rows re-laid; without buttons they are lines to read.

    Every question takes typed numbers and labels too, so nothing is lost with a button.
    """
    edits = message.edits if can.can_edit else ""
    if not message.buttons:
        return message if edits == message.edits else replace(message, edits=edits)
    if can.button_rows == 0:
        lines = "\n".join(button.label for button in chain.from_iterable(message.buttons))
        return replace(message, text=f"{message.text}\n\n{lines}", buttons=(), edits=edits)
    rows = message.buttons
    if any(len(row) > can.buttons_per_row for row in rows):
        rows = tuple(row[start:start + can.buttons_per_row] for row in rows
                     for start in range(0, len(row), can.buttons_per_row))
    if any(len(button.label) > can.label_length for row in rows for button in row):
        rows = tuple(tuple(Button(button.label[:can.label_length], button.token) for button in row) for row in rows)
    rows = rows[:can.button_rows]
    if rows == message.buttons and edits == message.edits:
        return message
    return replace(message, buttons=rows, edits=edits)
