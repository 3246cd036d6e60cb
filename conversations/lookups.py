"""What a question of kind `person` may look up: elders, villages, visitors and their kinds. One line here for each."""

from collections.abc import Callable
from typing import Any, NamedTuple

from conversations import binding_devices, lookup
from conversations.answers import place
from conversations.documents.ledger_words import VILLAGE_ENDINGS, without_ending
from conversations.draft import Candidate
from conversations.turn import Ask
from conversations.words_book import visitor_kind
from scheduler.visitor_kinds import minor
from storage import areas, assignments, elders, people, ties
from storage.areas import Area
from storage.assignments import Near

LISTED = 8
MOST_VISITORS = 200  # in whose radius one village lies
Known = dict[str, Any]


class LookUp(NamedTuple):
    """Whom or what to offer before anything is typed, what a text may mean, and what a button means.

    Each is told what the draft knows (its context).
    """

    listing: Callable[[Ask, Known], tuple[Candidate, ...]]
    find: Callable[[Ask, Known, str], tuple[Candidate, ...]]
    by_id: Callable[[Ask, Known, str], tuple[Candidate, ...]]


def _village(area: Area) -> Candidate:
    return Candidate(area.id, {"name": area.name}, called=area.name)


def villages(ask: Ask) -> list[Area]:
    """The villages in which the person works or which he coordinates."""
    return areas.villages_of(ask.tx, ask.writer.person_id)


def _villages_listed(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    return tuple(map(_village, villages(ask)[:LISTED]))


def _villages_found(ask: Ask, known: Known, text: str) -> tuple[Candidate, ...]:
    if (listed := _listed(known, text)) is not None:
        return _village_by_id(ask, known, listed)
    theirs = villages(ask)
    exact = [area for area in theirs if area.name == text]
    stem = without_ending(text, VILLAGE_ENDINGS)
    return tuple(map(_village, exact or [area for area in theirs if stem and stem in area.name][:LISTED]))


def _village_by_id(ask: Ask, known: Known, area_id: str) -> tuple[Candidate, ...]:
    return tuple(_village(area) for area in villages(ask) if area.id == area_id)


def _held_listed(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    """The areas that the asker coordinates, the widest first."""
    return tuple(map(_village, areas.held(ask.tx, ask.writer.person_id)[:LISTED]))


def _held_found(ask: Ask, known: Known, text: str) -> tuple[Candidate, ...]:
    if (listed := _listed(known, text)) is not None:
        return _held_by_id(ask, known, listed)
    held = areas.held(ask.tx, ask.writer.person_id)
    exact = [area for area in held if area.name == text]
    return tuple(map(_village, exact or [area for area in held if text and text in area.name][:LISTED]))


def _held_by_id(ask: Ask, known: Known, area_id: str) -> tuple[Candidate, ...]:
    return tuple(_village(area) for area in areas.held(ask.tx, ask.writer.person_id) if area.id == area_id)


def _any_village_listed(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    """The other villages of the elder's township: most who move go no further."""
    elder = elders.find(ask.tx, ask.scope, str(known.get("elder_id", "")))
    own = areas.find(ask.tx, elder.village_id) if elder else None
    township = areas.find(ask.tx, own.parent_id) if own and own.parent_id else None
    near = areas.under(ask.tx, township) if township else []
    others = [area for area in near if area.level == "village" and area != own]
    return tuple(_placed(ask, area) for area in others[:LISTED])


def _any_village_found(ask: Ask, known: Known, text: str) -> tuple[Candidate, ...]:
    """Villages of the whole tree by their full name, each with its township: an elder may move anywhere."""
    if (listed := _listed(known, text)) is not None:
        return _any_village_by_id(ask, known, listed)
    return tuple(_placed(ask, area) for area in areas.named(ask.tx, text) if area.level == "village")[:LISTED]


def _any_village_by_id(ask: Ask, known: Known, area_id: str) -> tuple[Candidate, ...]:
    area = areas.find(ask.tx, area_id)
    return (_placed(ask, area),) if area and area.level == "village" else ()


def _placed(ask: Ask, area: Area) -> Candidate:
    above = areas.find(ask.tx, area.parent_id) if area.parent_id else None
    name = f"{above.name if above else ''}{area.name}"
    return Candidate(area.id, {"name": name}, called=name)


def _visitors_listed(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    """Who works closest and has fewest elders, but for who has this one already."""
    return tuple(_near(found) for found in _visitors(ask, known)[:LISTED])


def _visitors_found(ask: Ask, known: Known, text: str) -> tuple[Candidate, ...]:
    if (listed := _listed(known, text)) is not None:
        return _visitor_by_id(ask, known, listed)
    near = tuple(_near(found) for found in _visitors(ask, known) if text and text in found.name)[:LISTED]
    return near or tuple(each for found in people.held_named(ask.tx, ask.scope, text)
                         for each in _visitor_by_id(ask, known, found.id))


def _visitor_by_id(ask: Ask, known: Known, person_id: str) -> tuple[Candidate, ...]:
    """One of them, or any other visitor in the asker's area: the radius only suggests, a person decides."""
    near = tuple(_near(found) for found in _visitors(ask, known) if found.person_id == person_id)
    if near or person_id in known.get("not_these", ()):
        return near
    found = people.held(ask.tx, ask.scope, person_id)
    if found is None or found.status != "active" or "visitor" not in people.roles(ask.tx, person_id):
        return ()
    area = areas.find(ask.tx, found.area_id)
    load = len(assignments.caseload(ask.tx, ask.scope, found.id))
    return (_near(Near(found.id, found.name, found.visitor_kind, "", area.name if area else "", load, None)),)


def _visitors(ask: Ask, known: Known) -> list[Near]:
    """The visitors in whose radius the draft's village lies, where the asker works there himself (C9)."""
    if not any(area.id == known["village_id"] for area in villages(ask)):
        return []
    return [found for found in assignments.near(ask.tx, ask.scope, known["village_id"], MOST_VISITORS)
            if found.person_id not in known.get("not_these", ())]


def _near(found: Near) -> Candidate:
    return Candidate(found.person_id, {"name": found.name, "kind": found.kind or "", "area": found.area,
                                       "load": found.load}, called=found.name)


def _kinds_listed(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    """The kinds of visitors that the policy of the draft's area has."""
    return tuple(Candidate(name, {"name": name}, {"hours": kind.hours}, visitor_kind(name))
                 for name, kind in ask.policy(known["area_id"]).visitor_kinds.items())


def _kinds_found(ask: Ask, known: Known, text: str) -> tuple[Candidate, ...]:
    """By its word or a part of it, with characters left out: 快递员 for 快递送餐员."""
    if (listed := _listed(known, text)) is not None:
        return _kind_by_id(ask, known, listed)
    every = _kinds_listed(ask, known)
    return tuple(each for each in every if each.called == text) or tuple(
        each for each in every if len(text) > 1 and _within(text, each.called))


def _within(text: str, whole: str) -> bool:
    left = iter(whole)
    return all(char in left for char in text)


def _kind_by_id(ask: Ask, known: Known, name: str) -> tuple[Candidate, ...]:
    return tuple(each for each in _kinds_listed(ask, known) if each.id == name)


def _family_of(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    """The family of the draft's elder."""
    elder = str(known.get("elder_id", ""))
    if not elders.in_scope(ask.tx, ask.scope, elder):
        return ()
    return tuple(Candidate(found.id, {"name": found.name}, called=found.name)
                 for person in ties.family(ask.tx, elder, ask.today.isoformat())
                 if (found := people.find(ask.tx, person)))


def _answerable(ask: Ask, known: Known) -> tuple[Candidate, ...]:
    """Who may answer for a measure: whoever cares for the draft's elder, his family left out, and who asks."""
    carers = assignments.carers(ask.tx, ask.scope, str(known.get("elder_id", "")))
    theirs = {each.person_id: each.name for each in carers
              if each.role != "family" and not minor(each.minor_until, ask.today)}
    return tuple(Candidate(person, {"name": name}, called=name)
                 for person, name in {**theirs, ask.writer.person_id: ask.writer.name}.items())


def _among(few: Callable[[Ask, Known], tuple[Candidate, ...]]) -> LookUp:
    """A look-up among a few people, all of whom are offered."""
    def find(ask: Ask, known: Known, text: str) -> tuple[Candidate, ...]:
        every, listed = few(ask, known), _listed(known, text)
        return tuple(each for each in every if each.id == listed or (text and text in each.called))

    return LookUp(few, find, lambda ask, known, person: tuple(each for each in few(ask, known) if each.id == person))


def _listed(known: Known, text: str) -> str | None:
    """The id that a typed number means in the list just shown."""
    listed = known.get("listed", [])
    index = place(text, len(listed))
    return None if index is None else str(listed[index])


LOOK_UPS: dict[str, LookUp] = {
    "elders": LookUp(lambda ask, known: lookup.listing(ask), lambda ask, known, text: lookup.find(
        ask, text, known.get("listed", [])), lambda ask, known, elder: lookup.by_id(ask, elder)),
    "held": LookUp(_held_listed, _held_found, _held_by_id),
    "any_village": LookUp(_any_village_listed, _any_village_found, _any_village_by_id),
    "vendors": _among(lambda ask, known: tuple(
        Candidate(each.id, {"name": each.name}, called=each.name) for each in binding_devices.vendors(ask))),
    "villages": LookUp(_villages_listed, _villages_found, _village_by_id),
    "visitor_kinds": LookUp(_kinds_listed, _kinds_found, _kind_by_id),
    "family": _among(_family_of),
    "answerable": _among(_answerable),
    "visitors": LookUp(_visitors_listed, _visitors_found, _visitor_by_id),
}
