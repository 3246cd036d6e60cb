"""The kinds of visitors (三(四), C9): what each may see and do beyond visiting. A county adds its own in its policy."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

# beyond visits of one's own elders, which every kind makes: whole files (annex 2), the survey, the wish to be visited
Task = Literal["file", "survey", "wish"]
Field = Literal["id_number", "phone", "income", "household"]
IN_A_FILE: frozenset[Field] = frozenset({"id_number", "phone", "income", "household"})


class VisitorKind(BaseModel):
    """One kind. With `hours`, how long a visit took is asked and counted; `on_ladder`: may be called on alerts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: frozenset[Task] = frozenset()
    sees: frozenset[Field] = frozenset()
    hours: bool = False
    on_ladder: bool = False

    @model_validator(mode="after")
    def _file_shows_all(self) -> "VisitorKind":
        if "file" in self.tasks and not self.sees >= IN_A_FILE:
            raise ValueError(f"who fills in whole files sees {', '.join(sorted(IN_A_FILE))}")
        return self


LEAST = VisitorKind()  # of no kind yet, or of one that the policy does not know (any more): visits, and no more


def of(kinds: Mapping[str, VisitorKind], name: str | None, *, visitor: bool) -> VisitorKind | None:
    """The kind that somebody is of, in these of his area; None where he is no visitor and of no kind.

    A visitor to whom nobody gave a kind yet is of the narrowest.
    """
    if name is None:
        return LEAST if visitor else None
    return kinds.get(name, LEAST)


def minor(minor_until: str | None, today: date) -> bool:
    """Whether somebody who comes of age on this day (ISO) is not yet of age."""
    return minor_until is not None and minor_until > today.isoformat()


def may_answer_alerts(kind: VisitorKind | None, minor_until: str | None, today: date) -> bool:
    """Whether somebody may stand on an alert's ladder: never under age, else as the kind says (None: no visitor)."""
    return not minor(minor_until, today) and (kind is None or kind.on_ladder)
