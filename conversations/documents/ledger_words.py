"""The words of `ledger_columns.toml`: one spelling for each, and what it stands for."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

_NOTE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_SPACE = re.compile(r"\s+")

_toml: Mapping[str, Any] = tomllib.loads(
    files("conversations.documents").joinpath("ledger_columns.toml").read_text(encoding="utf-8")
)


def plain(text: str) -> str:
    """The text in half width (NFKC), without spaces at its ends."""
    return unicodedata.normalize("NFKC", text).strip()


def dense(text: str) -> str:
    """`plain` without any space or line break."""
    return _SPACE.sub("", plain(text))


def word(text: str) -> str:
    """The spelling by which words are compared: dense, lower case, no bracketed notes, no `*` or `:` at the ends."""
    return _NOTE.sub("", dense(text)).strip("*:").lower()


def _words(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word(each) for each in words)


def _by_word(meanings: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
    return {word(each): meaning for meaning, words in meanings.items() for each in words}


def pattern(name: str) -> re.Pattern[str]:
    return re.compile(_toml["patterns"][name], re.IGNORECASE)


COLUMN_TITLES: Mapping[str, str] = {field: block["title"] for field, block in _toml["columns"].items()}
COLUMN_BY_WORD = _by_word({field: block["words"] for field, block in _toml["columns"].items()})
FILL_DOWN = frozenset(field for field, block in _toml["columns"].items() if block.get("fill_down"))
IGNORED = _words(_toml["ignored"]["words"])
PHONE_AFTER: Mapping[str, str] = _toml["beside"]["phone_after"]
FOOTERS: tuple[str, ...] = tuple(dense(each) for each in _toml["footers"]["words"])
HOUSEHOLD_TITLES: Mapping[str, str] = {field: block["title"] for field, block in _toml["household"].items()}
HOUSEHOLD_BY_WORD = _by_word({field: block["words"] for field, block in _toml["household"].items()})
AREA_BY_WORD: Mapping[str, str] = {
    **_by_word({level: _toml["columns"][level]["words"] for level in ("township", "village", "group")}),
    **_by_word(_toml["areas"])}
LIST_BY_WORD: Mapping[str, str] = {**COLUMN_BY_WORD, **_by_word(_toml["list"])}
REPORT_COLUMN: str = _toml["report"]["column"]

_values = _toml["values"]
SEX = _by_word(_values["sex"])
YES_NO = _by_word(_values["yes_no"])
ABILITY = _by_word(_values["ability"])
DISABILITY_GRADE = _by_word(_values["disability_grade"])
ECONOMIC = _by_word(_values["economic"])
CATEGORIES = _by_word(_values["categories"])
CATEGORY_ENDINGS: tuple[str, ...] = tuple(_values["category_endings"]["words"])
NOTHING = _words(_values["nothing"]["words"])
SAFE = _by_word(_values["safe"])
ALONE = _by_word(_values["alone"])
WISH = _by_word(_values["wish"])
HELP_UNIT = _by_word(_values["help_unit"])
RELATION = _by_word(_values["relation"])
HEALTH = _by_word(_values["health"])
STATUS = _by_word(_values["status"])
NO_MONEY = _words(_values["no_money"]["words"])

TOWNSHIP_ENDINGS: tuple[str, ...] = tuple(_toml["patterns"]["township_endings"])
VILLAGE_ENDINGS: tuple[str, ...] = tuple(_toml["patterns"]["village_endings"])
TICK_PREFIX: str = _toml["patterns"]["tick_prefix"]
BOXES_TICKED: str = _toml["patterns"]["boxes_ticked"]
BOXES_EMPTY: str = _toml["patterns"]["boxes_empty"]


def first_word(table: str, meaning: object) -> str:
    """The word to write for what a table of values means; empty for what it does not know."""
    return str(_values[table][meaning][0]) if meaning in _values[table] else ""


def without_ending(text: str, endings: tuple[str, ...]) -> str:
    """`text` without the first of `endings` that it has; unchanged where nothing else would remain."""
    for ending in endings:
        if text.endswith(ending) and len(text) > len(ending):
            return text[: -len(ending)]
    return text


def category(text: str) -> str | None:
    """The category that a word means, with or without an ending such as 老人."""
    bare = word(text)
    return CATEGORIES.get(bare) or CATEGORIES.get(without_ending(bare, CATEGORY_ENDINGS))


def ticked_column(text: str) -> tuple[str, str] | None:
    """The field and value that a column ticked by √ stands for, such as ("categories", "living_alone")."""
    bare = word(text).removeprefix(TICK_PREFIX)
    if found := category(bare):
        return "categories", found
    found = ECONOMIC.get(bare)
    return ("economic", found) if found and found != "ordinary" else None
