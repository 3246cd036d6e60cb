"""是同一位吗: whether somebody who is being registered has a file already (C3)."""

from typing import Any

from conversations.draft import Draft
from conversations.engine import Part
from conversations.registering import file_of
from conversations.turn import Ask
from storage import areas
from storage import duplicates as files

Found = tuple[dict[str, Any], tuple[Part, ...]]


def check(ask: Ask, draft: Draft) -> Found:
    """Whether there is a file for this person already (C3): by ID number anywhere, else by name and birth here.

    Duplicates are looked for everywhere, so of what is found only the township and village are told.
    """
    file = file_of(draft.answers)
    named = {"elder_name": file.name} if "name" in draft.answers else {}
    known = files.known(ask.tx, [file])[0] if "village" in draft.answers else None
    if known is None or known.elder_id == draft.context.get("revises"):
        return {"same": "", "same_as": "", **named}, ()
    how = "id" if known.by_id_number else "person"
    return {"same": how, "same_as": known.elder_id, **named}, ((f"registration.same_{how}", {
        "where": place(ask, known.village_id)}),)


def place(ask: Ask, village_id: str) -> str:
    """Township and village by name."""
    village = areas.find(ask.tx, village_id)
    above = areas.above(ask.tx, village) if village else []
    return "".join(area.name for area in above if area.level in ("township", "village"))
