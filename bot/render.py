"""From a message to what a channel can show."""

from dataclasses import replace
from itertools import chain

from bot.channels.base import Capabilities
from conversations.message import Button, Message


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
