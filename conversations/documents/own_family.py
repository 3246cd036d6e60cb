"""What of the family is kept on one elder, for the file that he gets of himself: what he said of whom he lets know, and
what his children reported and asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from conversations.words_book import Words
from storage import contacts, needs, people, requests, tellings, ties
from storage.contacts import Contact
from storage.database import Tx
from storage.needs import Need
from storage.requests import Request
from storage.scope import Scope
from storage.tellings import Telling

Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class OfFamily:
    """All of it, with the names of the family by id. The repr names nothing."""

    tellings: list[Telling]
    contacts: list[Contact]
    requests: list[Request]
    needs: list[Need]
    names: dict[str, str]

    def __repr__(self) -> str:
        return "OfFamily()"


def gather(tx: Tx, scope: Scope, elder_id: str) -> OfFamily:
    """Reads all of it. The caller has noted it on the audit chain."""
    said = [found for person in ties.family(tx, elder_id, scope.day.isoformat())
            if (found := tellings.newest(tx, scope, elder_id, person))]
    calls = contacts.all_of(tx, scope, elder_id)
    known = {each.person_id for each in said} | {each.person_id for each in calls}
    names = {person: known_as.name for person in known if (known_as := people.find(tx, person))}
    return OfFamily(said, calls, requests.all_of(tx, scope, elder_id), needs.all_of(tx, scope, elder_id), names)


def sections(kept: OfFamily, zone: tzinfo | None, words: Words) -> Iterator[tuple[str, Rows]]:
    """Heading and rows of each part that there is something of."""
    def day(at: object) -> str:
        return words.day(str(at))

    parts: list[tuple[str, Rows]] = [
        ("own_tellings", [(day(each.on_day), kept.names.get(each.person_id, ""), words.say("own_data.telling", {
            "allowed": each.allowed, "withheld": sorted(each.withheld)}), each.asker) for each in kept.tellings]),
        ("own_contacts", [(day(each.on_day), kept.names.get(each.person_id, ""), words.say(f"outcome.{each.outcome}"),
                           each.words) for each in kept.contacts]),
        ("own_requests", [(day(each.due_on), each.asker, words.say(f"asked_for.{each.kind}"), each.words, each.answer)
                          for each in kept.requests]),
        ("own_needs", [(day(each.made_at.astimezone(zone).date()), each.maker, each.what, each.measure, each.outcome)
                       for each in kept.needs])]
    for name, rows in parts:
        if rows:
            yield words.say(f"own_data.{name}"), rows
