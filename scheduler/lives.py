"""Changes of a life: hospital, away, moved, died, back. They pause, close, move or reopen a file (C3, C8)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from scheduler import casework
from scheduler.policy import Policies
from storage import assignments, elder_files, elders
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

Change = Literal["hospital", "away", "moved", "died", "back"]
PAUSING: frozenset[Change] = frozenset({"hospital", "away"})
CHUNK = 200  # files that one unit of work looks at


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to an elder, and when (ISO). `village_id` is where he moved to, where that is one of ours."""

    change: Change
    since: str
    until: str | None = None
    village_id: str | None = None


def apply(tx: Tx, scope: Scope, elder: Elder, happened: Happened, policies: Policies, now: datetime) -> Elder:
    """Writes what follows. Reminders that wait are not sent any more: each asks again when it leaves."""
    match happened.change:
        case "hospital" | "away":
            elder_files.set_condition(tx, elder.id, "paused", happened.change, happened.since, happened.until)
        case "back":
            elder_files.set_condition(tx, elder.id, "active", None, None)
        case "moved" if happened.village_id:
            _move(tx, scope, elder, happened.village_id, policies, now)
        case "moved" | "died":
            elder_files.set_condition(tx, elder.id, "closed", happened.change, happened.since)
            assignments.end_all(tx, elder.id, scope.day, but=("family",))
    tx.note(now, scope.person_id, f"elder.{happened.change}", elder.id, ["status"])
    changed = elders.find(tx, scope, elder.id)
    return casework.recompute(tx, scope, changed, policies, now) if changed else elder


def _move(tx: Tx, scope: Scope, elder: Elder, village_id: str, policies: Policies, now: datetime) -> None:
    """The file goes to the other village under its next number; who cared for him there cares no more."""
    file = elder_files.read(tx, scope, elder.id)
    assert file is not None  # the scope was asked when the elder was found
    moved = elder_files.moved(file, village_id, elders.next_number(tx, village_id))
    elder_files.rewrite(tx, elder.id, moved, casework.first_standing(moved, policies.of(tx, village_id), now))
    elder_files.set_condition(tx, elder.id, "active", None, None)
    assignments.end_all(tx, elder.id, scope.day, but=("family",))


def ended_pauses(tx: Tx, day: date) -> list[tuple[str, str]]:
    """Elder and village of the pauses whose end has come: somebody must say whether he is back."""
    return elder_files.pauses_until(tx, day.isoformat(), CHUNK)
