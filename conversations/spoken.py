"""What people say in words of their own, where nothing else understood it: 陈大爷摔了, 去看张婆婆, 打不通."""

import tomllib
from pathlib import Path
from typing import Any

from conversations.controls import plain

_raw: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "words" / "spoken.toml").read_text(encoding="utf-8"))
_DANGER, _NO_DANGER = tuple(_raw["danger"]["words"]), tuple(_raw["danger"]["not"])
_BEFORE, _BEHIND = tuple(_raw["names"]["before"]), tuple(_raw["names"]["behind"])
_TITLES = {title: sex for sex in ("male", "female", "any") for title in _raw["names"][sex]}
_OLD: str = _raw["names"]["old"]
_CALLS = {word: button for button, words in _raw["calls"].items() for word in words}
_ANSWERS = {(label, word) for label, words in _raw["answers"].items() for word in words}
_ENDS = " 。.!！?？~～,，"
LONGEST = 40  # characters of a sentence that may hold a name


def danger(text: str) -> bool:
    """Whether something seems to have happened: a reason to ask, never to tell anybody."""
    text = plain(text)
    return any(word in text for word in _DANGER) and not any(word in text for word in _NO_DANGER)


def name(text: str) -> str:
    """What is left of 去看张国发 or 陈大贵家; empty where nothing was taken away."""
    rest = text.strip(_ENDS)
    if len(rest) > LONGEST:
        return ""
    lead = next((word for word in _BEFORE if rest.startswith(word)), "")
    rest = rest.removeprefix(lead).strip(_ENDS)
    tail = next((word for word in _BEHIND if rest.endswith(word)), "")
    rest = rest.removesuffix(tail).strip(_ENDS)
    return rest if rest != text else ""


def title(text: str) -> tuple[str, str] | None:
    """Surname and sex (`any` where it is not said) of 张大爷 or 老张; None where nobody is called so."""
    for word, sex in _TITLES.items():
        if text.endswith(word) and 0 < len(text) - len(word) <= 2:
            return text.removesuffix(word), sex
    if text.startswith(_OLD) and 1 < len(text) <= 3:
        return text.removeprefix(_OLD), "any"
    return None


def call(text: str) -> str:
    """The key of the button by which a child answers for a call, `page` where it may be any; empty: none of that."""
    return _CALLS.get(plain(text).strip(_ENDS), "")


def means(label: str, text: str) -> bool:
    """Whether this is another way to say the option with this label."""
    return (label, text) in _ANSWERS
