"""值班: who stands on the ladder of a village, rank by rank, and whether a message reaches him (三(六)1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler import visitor_kinds
from scheduler.ladders import DEFAULT, Rank, Rungs
from scheduler.policy import Policies
from scheduler.visitor_kinds import may_answer_alerts
from storage import accounts, on_duty, people
from storage.database import Tx

ABOVE: tuple[Rank, ...] = ("township", "county", "city")


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody who is told; `kind` is his kind of visitor, `channel` the one on which he is told (None: on none)."""

    person_id: str
    name: str
    role: str
    kind: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Duty:
    """The people of each rank that a ladder of the village names, and the rungs of each kind, alike ones together."""

    ranks: Mapping[Rank, Sequence[OnDuty]]
    rungs: Rungs
    others: Sequence[tuple[Sequence[str], Rungs]]  # the kinds that climb otherwise, and how


def of_village(tx: Tx, area_id: str, policies: Policies, today: date, *, night: bool) -> Duty:
    """Who is told of an alert in this village by day or at night. The caller has looked that the asker may see it."""
    rules = policies.of(tx, area_id)
    climbs = {kind: each.night if night else each.day for kind, each in rules.ladders.items()}
    others: dict[Rungs, list[str]] = {}
    for kind, rungs in climbs.items():
        if rungs != climbs[DEFAULT]:
            others.setdefault(rungs, []).append(kind)
    named = {rank for rungs in climbs.values() for rung in rungs for rank in rung.tell}
    ranks: dict[Rank, Sequence[OnDuty]] = {"near": _near(tx, area_id, policies, today)}
    ranks |= {rank: [_seen(tx, person, rank) for person in people.coordinators(tx, area_id, rank)]
              for rank in ABOVE if rank in named}
    return Duty(ranks, climbs[DEFAULT], [(kinds, rungs) for rungs, kinds in others.items()])


def _near(tx: Tx, area_id: str, policies: Policies, today: date) -> list[OnDuty]:
    """The village's coordinators (where it has none, who is asked in their place), and who goes to its elders."""
    ranks = {role: people.coordinators(tx, area_id, role) for role in people.COORDINATING}
    role = next((role for role, persons in ranks.items() if persons), "village")
    found = {person: _seen(tx, person, role) for person in ranks[role]}
    for each in on_duty.going(tx, area_id, today.isoformat()):
        kinds = policies.of(tx, each.area_id).visitor_kinds
        kind = visitor_kinds.of(kinds, each.kind, visitor=each.role != "first_contact")
        if may_answer_alerts(kind, each.minor_until, today):
            found.setdefault(each.person_id, _seen(tx, each.person_id, each.role, each.kind))
    return [*found.values()]


def _seen(tx: Tx, person_id: str, role: str, kind: str | None = None) -> OnDuty:
    person, where = people.find(tx, person_id), accounts.reached(tx, person_id)
    return OnDuty(person_id, person.name if person else "", role, kind, where[0] if where else None)


