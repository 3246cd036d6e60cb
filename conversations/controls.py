"""The words that steer a form, read once from `words/controls.toml`."""

import tomllib
import unicodedata
from pathlib import Path
from typing import Literal, cast

Control = Literal["back", "skip", "sweep", "words", "keep", "pause", "cancel", "submit", "change", "review",
                  "yes", "no", "done", "place"]

_raw = tomllib.loads((Path(__file__).parent / "words" / "controls.toml").read_text(encoding="utf-8"))
LABELS: dict[str, str] = {name: words[0] for name, words in _raw["controls"].items()}
UNITS: str = _raw["units"]
GROUP: str = _raw["group"]
NOTHING = frozenset(_raw["nothing"])
DAYS: dict[str, int] = _raw["days"]
WEEKS: dict[str, int] = _raw["weeks"]
WEEKDAYS: str = _raw["weekdays"]["names"]
SUNDAY: str = _raw["weekdays"]["sunday"]  # its other name
WEEKDAY_BEGINS: tuple[str, ...] = tuple(_raw["weekdays"]["called"])
MONTHS: dict[str, int] = _raw["months"]
QUARTERS: dict[str, int] = _raw["quarters"]
SHOWS: dict[str, str] = _raw["shows"]
_BY_WORD: dict[str, Control] = {word: cast(Control, name) for name, words in _raw["controls"].items()
                                for word in words}


def plain(text: str) -> str:
    """The text as it is compared: as it is kept, with full-width digits and letters narrowed."""
    return kept(text if text.isascii() else unicodedata.normalize("NFKC", text))


def kept(text: str) -> str:
    """The text as it is kept when somebody writes sentences: only control characters and edges are dropped."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C").strip()


def control(text: str) -> Control | None:
    """The control that this text is, if it is one."""
    return _BY_WORD.get(text) or _BY_WORD.get(text.rstrip("。.!！ "))
