"""Annex 3 as a Word file: one visit in the official layout, a copy for each keeper.

The layout and all its words are in `templates/annex3.docx`, which docxtpl fills in; here are only ids.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Self

from docxtpl import DocxTemplate
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape
from pydantic import BaseModel, ConfigDict, Field, model_validator

TEMPLATES = Path(__file__).with_name("templates")
TICKED, EMPTY = "☑", "□"

_CHANGE = ("unchanged", "better", "worse")
_SAFETY = ("safe", "mostly_safe", "unsafe")
BOXES: Mapping[str, tuple[str, ...]] = {
    "method": ("phone", "home", "video", "other"),
    "family_size": ("unchanged", "more", "fewer"),
    "expression": _CHANGE,
    "mobility": _CHANGE,
    "illness": ("unchanged", "severe", "better"),
    "mood": _CHANGE,
    "gas": _SAFETY,
    "water_heating": _SAFETY,
    "electricity": _SAFETY,
    "personal_hygiene": _CHANGE,
    "home_hygiene": _CHANGE,
    "indoor": _CHANGE,
}
"""Every question of annex 3 that has boxes, with its options in printed order."""

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class VisitRecord(BaseModel):
    """One visit as annex 3 prints it; `additions` are (label, text) lines for what the form has no row for.

    A question left out of `boxes` prints with all its boxes empty. ValueError on a question or option that
    annex 3 does not have. There is no place for an ID number or a phone number: annex 3 asks for neither.
    """

    # An error text must not repeat what was recorded about a person.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    number: int = Field(ge=1)
    day: date
    boxes: Mapping[str, str]
    method_other: str = ""
    family_more: int | None = Field(default=None, ge=0)
    family_fewer: int | None = Field(default=None, ge=0)
    illness_name: str = ""
    care_given: str = ""
    needs: str = ""
    suggestions: str = ""
    visitor_signature: str = ""
    elder_signature: str = ""
    satisfaction: str = ""
    additions: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="after")
    def _boxes_are_printed(self) -> Self:
        unknown = sorted(self.boxes.keys() - BOXES.keys())
        if unknown:
            raise ValueError(f"annex 3 has no question {', '.join(unknown)}")
        for question, chosen in self.boxes.items():
            if chosen not in BOXES[question]:
                raise ValueError(f"annex 3 has no such option of {question}")
        return self


def official_keepers() -> tuple[str, ...]:
    """The keepers that the form's own foot names, in its order, as the words to mark their copies with."""
    return tuple(tomllib.loads((TEMPLATES / "keepers.toml").read_text("utf-8"))["keepers"])


def annex3(record: VisitRecord, keepers: Sequence[str]) -> bytes:
    """A .docx with one copy of the record for each of `keepers`, each copy starting on its own page."""
    document = DocxTemplate(BytesIO(_template()))
    boxes = {
        question: {option: TICKED if record.boxes.get(question) == option else EMPTY for option in options}
        for question, options in BOXES.items()
    }
    # The finalize of the environment makes each value literal on its way into the document.
    document.render({"record": record, "box": boxes, "keepers": keepers}, _environment())
    file = BytesIO()
    document.save(file)
    return file.getvalue()


@cache
def _template() -> bytes:
    return (TEMPLATES / "annex3.docx").read_bytes()


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, finalize=_literal)


def _literal(value: object) -> Markup:
    """The value as text that reaches the page unchanged, without what XML cannot hold.

    docxtpl turns `{_{` and `%_}` in the finished XML into template marks; as a character reference the
    underscore is not seen by it. A line break becomes the bell, which it takes for a new paragraph.
    """
    if value is None:
        return Markup("")
    lines = _NOT_IN_XML.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Markup(str(escape("\a".join(lines))).replace("_", "&#95;"))
