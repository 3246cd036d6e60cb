"""Annex 3 as a Word file: one visit in the official layout, a copy for each keeper.

The layout and all its words are in `templates/annex3.docx`; here are only ids.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conversations.documents.official_form import Boxes, fill, ticked

_CHANGE = ("unchanged", "better", "worse")
_SAFETY = ("safe", "mostly_safe", "unsafe")
BOXES: Boxes = {
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


def annex3(record: VisitRecord, keepers: Sequence[str]) -> bytes:
    """A .docx with one copy of the record for each of `keepers`, each copy starting on its own page."""
    chosen = {question: (option,) for question, option in record.boxes.items()}
    return fill("annex3.docx", {"record": record, "box": ticked(BOXES, chosen), "keepers": keepers})
