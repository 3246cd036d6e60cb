"""What a question of kind `person` may look up: elders, villages. One line here for each."""

from collections.abc import Callable
from typing import NamedTuple

from conversations import lookup
from conversations.answers import place
from conversations.documents.ledger_words import VILLAGE_ENDINGS, without_ending
from conversations.draft import Candidate
from conversations.turn import Ask
from storage import areas
from storage.areas import Area

LISTED = 8


class LookUp(NamedTuple):
    """Whom or what to offer before anything is typed, what a text may mean, and what a button means."""

    listing: Callable[[Ask], tuple[Candidate, ...]]
    find: Callable[[Ask, str, list[str]], tuple[Candidate, ...]]
    by_id: Callable[[Ask, str], tuple[Candidate, ...]]


def _village(area: Area) -> Candidate:
    return Candidate(area.id, {"name": area.name}, called=area.name)


def villages(ask: Ask) -> list[Area]:
    """The villages in which the person works or which he coordinates."""
    return areas.villages_of(ask.tx, ask.writer.person_id)


def _villages_listed(ask: Ask) -> tuple[Candidate, ...]:
    return tuple(map(_village, villages(ask)[:LISTED]))


def _villages_found(ask: Ask, text: str, listed: list[str]) -> tuple[Candidate, ...]:
    if (index := place(text, len(listed))) is not None:
        return _village_by_id(ask, listed[index])
    known = villages(ask)
    exact = [area for area in known if area.name == text]
    stem = without_ending(text, VILLAGE_ENDINGS)
    return tuple(map(_village, exact or [area for area in known if stem and stem in area.name][:LISTED]))


def _village_by_id(ask: Ask, area_id: str) -> tuple[Candidate, ...]:
    return tuple(_village(area) for area in villages(ask) if area.id == area_id)


def _any_village_listed(ask: Ask) -> tuple[Candidate, ...]:
    return ()


def _any_village_found(ask: Ask, text: str, listed: list[str]) -> tuple[Candidate, ...]:
    """Villages of the whole tree by their full name, each with its township: an elder may move anywhere."""
    if (index := place(text, len(listed))) is not None:
        return _any_village_by_id(ask, listed[index])
    return tuple(_placed(ask, area) for area in areas.named(ask.tx, text) if area.level == "village")[:LISTED]


def _any_village_by_id(ask: Ask, area_id: str) -> tuple[Candidate, ...]:
    area = areas.find(ask.tx, area_id)
    return (_placed(ask, area),) if area and area.level == "village" else ()


def _placed(ask: Ask, area: Area) -> Candidate:
    above = areas.find(ask.tx, area.parent_id) if area.parent_id else None
    name = f"{above.name if above else ''}{area.name}"
    return Candidate(area.id, {"name": name}, called=name)


LOOK_UPS: dict[str, LookUp] = {
    "elders": LookUp(lookup.listing, lookup.find, lookup.by_id),
    "any_village": LookUp(_any_village_listed, _any_village_found, _any_village_by_id),
    "villages": LookUp(_villages_listed, _villages_found, _village_by_id),
}
