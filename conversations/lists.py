"""A page of elders to press one of."""

from conversations.engine import Part
from conversations.turn import label
from storage.elders import Elder

PAGE = 8


def page(sentence: str, found: list[Elder], slash: str, total: int, skip: int) -> Part:
    """The sentence with the elders, a button for each that calls the command with his id, and the next page."""
    return (sentence, {"total": total, "people": [label(elder) for elder in found],
                       "buttons": buttons(found, slash, total, skip)})


def buttons(found: list[Elder], slash: str, total: int, skip: int) -> list[list[list[object]]]:
    """A button for each elder, and one for the next page where there is one."""
    rows: list[list[list[object]]] = [
        [["button.person", {"label": label(elder)}, f"/{slash} {elder.id}"]] for elder in found]
    return rows + further(f"/{slash}", total, skip)


def further(call: str, total: int, skip: int, page: int = PAGE) -> list[list[list[object]]]:
    """A button that calls the command for what comes after this page, where there is more; read by `skipped`."""
    return [[["button.next_page", {}, f"{call} +{skip + page}"]]] if skip + page < total else []


def skipped(rest: str) -> int:
    """How many come before the page that `+8` asks for."""
    return int(rest[1:]) if rest[1:].isascii() and rest[1:].isdigit() and len(rest) < 7 else 0
