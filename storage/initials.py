"""Pinyin initials of a name, by which people look for it: 张桂芳 is found by `zgf`."""

import re
import tomllib
from functools import cache
from pathlib import Path
from unicodedata import normalize

HAN = re.compile(r"[\u3007\u3400-\u9fff\U00020000-\U0003ffff]+")
WORD = re.compile(r"[^\W\d_]+|\d")


def initials(name: str) -> str:
    """Lower-case initials; a Latin word gives its first letter, digits stay, and what has no reading is left out."""
    name = normalize("NFKC", name)
    found: list[str] = []
    done = 0
    for part in HAN.finditer(name):
        found += [*_latin(name[done:part.start()]), *_han(part.group(), surname=not found)]
        done = part.end()
    return "".join([*found, *_latin(name[done:])])


def _latin(text: str) -> list[str]:
    return [word[0].lower() for word in WORD.findall(text)]


def _han(text: str, *, surname: bool) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # imported here: it reads its dictionaries, most starts need none

    letters = [letter for letter in lazy_pinyin(text, style=Style.FIRST_LETTER, errors="ignore") if letter]
    reading = _surnames().get(text[0]) if surname else None
    return [reading[0], *letters[1:]] if reading else letters


@cache
def _surnames() -> dict[str, str]:
    """Readings by surname, all of one character: of the longer ones pypinyin knows every word."""
    with (Path(__file__).parent / "surnames.toml").open("rb") as file:
        return tomllib.load(file)
