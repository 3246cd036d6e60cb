"""How elders who are due are listed: numbered, by place, each with what makes him urgent, and a button for each."""

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from storage.due import Waiting

Rows = list[list[list[object]]]
MOST_BUTTONS = 8
LAST_DAYS = 2  # days left with which it is said more pressingly


def groups(found: Sequence[Waiting], today: date, begin: int = 1, risks: Collection[str] = ()) -> list[dict[str, Any]]:
    """The elders in their order, those of one group of a village together. `risks`: by id, where a danger is left."""
    numbered = list(enumerate(found, begin))
    return [{"village": village, "group": group, "people": [line(each, today, n, risks) for n, each in those]}
            for (village, group), those in groupby(numbered, lambda pair: (pair[1].village, pair[1].group_name))]


def line(each: Waiting, today: date, n: int = 0, risks: Collection[str] = ()) -> dict[str, Any]:
    """What words want of one of them."""
    return {"n": n, "name": each.name, "number": each.number, "left": each.left(today), "last": each.due_until,
            "role": role(each), "priority": each.care_class == "priority", "needs": each.open_needs,
            "hazards": each.open_hazards, "risk": each.id in risks}


def role(each: Waiting) -> str:
    """What the reader is to him: visitor, stand_in, contact, or nothing of these."""
    return "visitor" if each.as_visitor else "stand_in" if each.as_stand_in else "contact" if each.as_contact else ""


def pressing(found: Sequence[Waiting], today: date) -> str:
    """How pressing it is: late, last (the last days), plain."""
    least = min((each.left(today) for each in found), default=LAST_DAYS + 1)
    return "late" if least < 0 else "last" if least <= LAST_DAYS else "plain"


def visits(found: Sequence[Waiting]) -> Rows:
    """A button for each, as many as fit, that begins his visit; and one for who cannot go to one of them today."""
    rows: Rows = [[["button.person", {"label": label(each)}, f"/visit {each.id}"]] for each in found[:MOST_BUTTONS]]
    going = [each for each in found if each.as_visitor or each.as_stand_in]
    if going:
        rows.append([["button.cannot", {}, f"/cannot {going[0].id}" if len(going) == 1 else "/cannot"]])
    return rows


def label(each: Waiting) -> dict[str, Any]:
    """What he is told apart by on a button."""
    return {"name": each.name, "village": each.village, "group": each.group_name, "number": each.number}
