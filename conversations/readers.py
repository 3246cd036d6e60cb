"""Texts that must be something: a name, an ID number, a phone. The same readers as a ledger's cells have."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from conversations.controls import GROUP
from conversations.documents import id_number
from conversations.documents import ledger_fields as fields
from conversations.documents.ledger_fields import Refused

SERIAL = re.compile(r"[A-Z0-9][A-Z0-9._:/-]{0,63}")
MOST_OF_A_GROUP = 30  # characters


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer was not taken: a sentence of `words/` and what it speaks of."""

    sentence: str
    fields: dict[str, Any] = field(default_factory=dict)


def read(what: str, text: str) -> str | Refusal:
    """The text as it is kept, empty where it only says that there is nothing; or why it is not taken."""
    try:
        return READERS[what](text) or ""
    except Refused as refused:
        reason = refused.reason  # a word of the ledger's, or a whole key
        return Refusal(reason if "." in reason else f"ledger.{reason}", dict(refused.details))


def born(number: str) -> date:
    """The birth date in an ID number that was read before."""
    return id_number.read(number).birth


def age(birth: date, today: date, least: int, most: int) -> Refusal | None:
    """Why somebody born then is too young or too old to be one of those asked for; None where he is not."""
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    if years < least:
        return Refusal("refuse.too_young", {"least": least})
    return Refusal("refuse.too_old", {"most": most}) if years > most else None


def _serial(text: str) -> str:
    """A device's serial number in capitals, as vendors may send it (bot/devices/shapes.py)."""
    number = text.replace(" ", "").upper()
    if not SERIAL.fullmatch(number):
        raise Refused("refuse.serial")
    return number


READERS: dict[str, Callable[[str], str | None]] = {
    "name": fields.name,
    "surname": lambda text: fields.name(text)[:2],
    "id_number": lambda text: fields.identity(text)[0],
    "phone": fields.phone,
    "certificate": fields.certificate,
    "serial": _serial,
    "group": lambda text: f"{text}{GROUP}" if text.isascii() and text.isdigit() else text[:MOST_OF_A_GROUP],
}
