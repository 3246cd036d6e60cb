"""The door for many files at once: no second file for anybody, each with class, window and number.

`look` says what would become of each file and writes nothing; `take` does it. Both go through a source in the same
portions, so that a portion can be compared with what was shown of it (`digest`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import orjson

from scheduler import casework
from scheduler.policy import Policies
from storage import duplicates, elders
from storage.database import Tx
from storage.duplicates import Change, Known
from storage.elders import NewElder

CHUNK = 250  # files that one unit of work opens
KEY = "intake"  # works under this key run one after another, on every machine

_COLUMNS = ("name", "group_name", "sex", "birth", "id_number", "phone", "categories", "ability", "disability_grade",
            "visits_made", "earlier_visit_on", "wish")

Outcome = Literal["new", "same", "differs", "changed", "closed", "elsewhere", "unknown"]


class ChangedMeanwhile(Exception):
    """The ledger is not what it was when the differences were shown: look again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became, or would become, of one file: `new` is opened, of those that were there `changes` are taken over.

    `differs`: it says otherwise or more, and is left as it is; `changed`: that was taken over. `closed`: the file is
    closed, and left. `elsewhere`: registered in the other village `village_id`. `unknown`: it goes by a file's number
    only, and there is no such file.
    """

    outcome: Outcome
    village_id: str
    elder_id: str = ""
    number: int | None = None
    changes: tuple[Change, ...] = ()


class Seen:
    """The files of a source so far: a second line for one person says nothing new, wherever a portion ends."""

    def __init__(self) -> None:
        self._by_id: dict[str, NewElder] = {}
        self._by_person: dict[tuple[str, str, str], NewElder] = {}

    def copy(self) -> "Seen":
        """One of its own that goes on from here."""
        other = Seen()
        other._by_id, other._by_person = dict(self._by_id), dict(self._by_person)
        return other

    def note(self, files: Sequence[NewElder]) -> None:
        """Notes the lines of a portion."""
        for new in files:
            if self.taken(new) is None:
                self.add(new)

    def add(self, new: NewElder) -> None:
        """Notes a line of somebody who was not noted before."""
        if new.id_number:
            self._by_id[new.id_number] = new
        person = _person(new)
        if not new.id_number or person not in self._by_person:  # one without an ID number matches every other
            self._by_person[person] = new

    def taken(self, new: NewElder) -> Taken | None:
        """What a further line for somebody noted before becomes; None where there is none."""
        found = self._by_id.get(new.id_number) if new.id_number else None
        if found is None:
            namesake = self._by_person.get(_person(new))
            found = namesake if namesake and not (new.id_number and namesake.id_number) else None
        if found is None:
            return None
        if found.village_id != new.village_id:
            return Taken("elsewhere", found.village_id)
        differs = replace(found, number=None) != replace(new, number=None)
        return Taken("differs" if differs else "same", found.village_id)


def _person(new: NewElder) -> tuple[str, str, str]:
    return new.village_id, new.name, new.birth or f"#{new.number}"


def look(tx: Tx, files: Sequence[NewElder], seen: Seen) -> list[Taken]:
    """What would become of each; `seen` goes on from portion to portion."""
    return [_become(new, known, seen) for new, known in zip(files, duplicates.known(tx, files), strict=True)]


def _become(new: NewElder, known: Known | None, seen: Seen) -> Taken:
    if again := seen.taken(new):
        return again
    seen.add(new)
    if known is None:
        return Taken("new" if new.number is None else "unknown", new.village_id)
    return _of(known, new)


def digest(taken: Sequence[Taken]) -> str:
    """Names exactly what would be written for a portion."""
    said = [[each.outcome, each.village_id, each.elder_id, [[c.field, c.before, c.after] for c in each.changes]]
            for each in taken]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:32]


def take(tx: Tx, files: Sequence[NewElder], policies: Policies, actor: str, now: datetime, *,
         seen: Seen | None = None, over: bool = False, shown: str = "") -> list[Taken]:
    """Opens a portion of files, numbered on in their villages as they come; gives what became of each.

    A source that says no filing date (`registered_on` empty) means today.
    `seen` has the portions before. With `over`, what a source says otherwise is taken over; with `shown`, only where
    the portion is what was shown (raises ChangedMeanwhile). Doing it again opens and changes nothing. Audited as one
    line of `actor`'s for what is opened, and one for each file that is changed.
    """
    # The lock on each village comes before looking, always in the same order, so that nobody comes between.
    numbers = {village: elders.next_number(tx, village) for village in sorted({new.village_id for new in files})}
    known = duplicates.known(tx, files)
    seen = seen or Seen()
    taken = [_become(new, there, seen) for new, there in zip(files, known, strict=True)]
    opened: list[NewElder] = []
    today = now.astimezone(policies.city.zone).date().isoformat()
    for new, found in zip(files, taken, strict=True):
        if found.outcome == "new":
            opened.append(replace(new, number=numbers[new.village_id], registered_on=new.registered_on or today))
            numbers[new.village_id] += 1
    if shown and digest(taken) != shown:
        raise ChangedMeanwhile
    if opened:
        casework.register_many(tx, opened, policies, now)
        tx.note(now, actor, "elders.import", "", _fields(opened))
    if over:
        for place, (new, there, found) in enumerate(zip(files, known, taken, strict=True)):
            if there and found.outcome == "differs" and found.elder_id:
                casework.take_over(tx, there, duplicates.merged(there.file, new), policies, actor, now)
                taken[place] = replace(found, outcome="changed")
    return taken


def _of(known: Known, new: NewElder) -> Taken:
    if known.village_id != new.village_id:
        return Taken("elsewhere", known.village_id)
    outcome: Outcome = "closed" if known.closed else "differs" if known.changes else "same"
    return Taken(outcome, known.village_id, known.elder_id, known.file.number, known.changes)


def _fields(opened: Sequence[NewElder]) -> list[str]:
    """The names of what was written, of columns and of facts."""
    columns = [column for column in _COLUMNS if any(getattr(new, column) for new in opened)]
    return columns + sorted({name for new in opened for name in new.facts})
