"""The door for opening many files at once: no second file for anybody, each with class, window and number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from scheduler import casework
from scheduler.policy import Policies
from storage import elders
from storage.database import Tx
from storage.elders import Known, NewElder

CHUNK = 250  # files that one unit of work opens
KEY = "intake"  # works under this key run one after another, on every machine

_COLUMNS = ("name", "group_name", "sex", "birth", "id_number", "phone", "categories", "ability", "disability_grade",
            "visits_made", "earlier_visit_on")

Outcome = Literal["new", "same", "differs", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: `new` was opened; the others were there, and are left as they are.

    `differs`: what is there says otherwise or less. `elsewhere`: registered in the other village `village_id`.
    """

    outcome: Outcome
    village_id: str


def open_files(tx: Tx, files: Sequence[NewElder], policies: Policies, actor: str, now: datetime) -> list[Taken]:
    """Opens a chunk of files, numbered on in their villages as they come; gives what became of each.

    Doing it again opens nothing. What is opened stands on the audit chain as one line of `actor`'s.
    """
    # The lock on each village comes before looking, always in the same order, so that nobody comes between.
    numbers = {village: elders.next_number(tx, village) for village in sorted({new.village_id for new in files})}
    opened = Opened()
    taken: list[Taken] = []
    for new, known in zip(files, elders.known(tx, files), strict=True):
        if found := known or opened.known(new):
            elsewhere = found.village_id != new.village_id
            outcome: Outcome = "elsewhere" if elsewhere else "differs" if found.differs else "same"
            taken.append(Taken(outcome, found.village_id))
        else:
            opened.add(replace(new, number=numbers[new.village_id]))
            numbers[new.village_id] += 1
            taken.append(Taken("new", new.village_id))
    if opened.files:
        elders.add_many(tx, [(new, casework.first_standing(new, policies.of(tx, new.village_id), now))
                             for new in opened.files], now)
        tx.note(now, actor, "elders.import", "", _fields(opened.files))
    return taken


class Opened:
    """The files so far: a second line for the same person must not depend on where a chunk ends."""

    def __init__(self) -> None:
        self.files: list[NewElder] = []
        self._by_id: dict[str, NewElder] = {}
        self._by_person: dict[tuple[str, str, str | None], NewElder] = {}

    def add(self, new: NewElder) -> None:
        self.files.append(new)
        if new.id_number:
            self._by_id[new.id_number] = new
        person = (new.village_id, new.name, new.birth)
        if not new.id_number or person not in self._by_person:  # one without an ID number matches every other
            self._by_person[person] = new

    def known(self, new: NewElder) -> Known | None:
        """As `elders.known` would find it, were the files so far written."""
        found = self._by_id.get(new.id_number) if new.id_number else None
        if found is None:
            namesake = self._by_person.get((new.village_id, new.name, new.birth))
            found = namesake if namesake and not (new.id_number and namesake.id_number) else None
        return Known("", found.village_id, differs=replace(found, number=None) != new) if found else None


def _fields(opened: Sequence[NewElder]) -> list[str]:
    """The names of what was written, of columns and of facts."""
    columns = [column for column in _COLUMNS if any(getattr(new, column) for new in opened)]
    return columns + sorted({name for new in opened for name in new.facts})
