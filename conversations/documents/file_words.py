"""The fields of a file and their values in words (`own_field`, `own_value`)."""

from collections.abc import Mapping
from typing import Any

from conversations.words_book import Words

_CODED = frozenset({"sex", "categories", "ability", "economic", "help_unit", "wish", "relation", "health", "place"})


def field(name: str, words: Words) -> str:
    """What a column or fact is called; its own name where it has no word."""
    return words.say(f"own_field.{name}") if words.has(f"own_field.{name}") else name


def value(name: str, given: Any, words: Words) -> str:
    """A value as it is read; empty where there is none."""
    if isinstance(given, bool):
        return words.say("own_value.yes" if given else "own_value.no")
    if isinstance(given, Mapping):
        return " ".join(value(each, part, words) for each, part in given.items())
    if isinstance(given, list | tuple):
        return words.say("values.joiner").join(value(name, each, words) for each in given)
    if given in (None, ""):
        return ""
    key = f"own_value.{given}"
    return words.say(key) if name in _CODED and words.has(key) else str(given)
