"""Who is to be an elder's first contact (第一探访联系人), by the rule of 三(一). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Place = Literal["same", "elsewhere"]
Why = Literal["child_here", "no_child_here", "children_unable", "no_children"]


@dataclass(frozen=True, slots=True)
class Child:
    """An adult child: whether he lives in the same place (`same_place_level`), and is himself disabled or unable."""

    name: str
    place: Place
    unable: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The child who is first contact, or None where township and village designate somebody; and why."""

    child: Child | None
    why: Why


def choose(children: Sequence[Child]) -> Choice:
    """A child living in the same place is the first contact, but for one who is himself disabled or unable.

    Where there is none, the township designates one together with the village's two committees. Where all children
    are away the plan is silent: the same way (our reading).
    """
    here = [child for child in children if child.place == "same"]
    able = next((child for child in here if not child.unable), None)
    if able:
        return Choice(able, "child_here")
    if here:
        return Choice(None, "children_unable")
    return Choice(None, "no_child_here" if children else "no_children")
