"""Whom a campaign reached, and whom it did not yet (C13).

Reached is who was visited in its days by a way of visiting that counts there, which the visits themselves say, so
that a corrected or voided one needs nothing more; and who was spoken to at a distance, which is kept here.
Wanted are all active elders of the area: also those who do not want to be visited, paused ones apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, exists, func, or_, select, union
from sqlalchemy.dialects.postgresql import insert

from storage.campaigns import Campaign
from storage.database import Tx
from storage.elders import BRIEF, Elder
from storage.ids import millis
from storage.scope import ELDER_IN_SCOPE, Scope, within
from storage.tables import areas, assignments, campaign_reached, elders, people, posts, visits
from storage.visits import WAYS

_insert = insert(campaign_reached)
_CALLED = _insert.on_conflict_do_update(index_elements=["campaign_id", "elder_id"], set_={
    "on_day": _insert.excluded.on_day, "at": _insert.excluded.at, "method": _insert.excluded.method,
    "times": campaign_reached.c.times + case((campaign_reached.c.on_day == _insert.excluded.on_day, 0), else_=1)})
_UNCALLED = delete(campaign_reached).where(
    campaign_reached.c.campaign_id == bindparam("campaign"), campaign_reached.c.elder_id == bindparam("elder"),
    campaign_reached.c.on_day == bindparam("on_day"))

_VISITED = exists().where(
    visits.c.elder_id == elders.c.id, visits.c.state == "current", visits.c.on_day >= bindparam("since"),
    visits.c.on_day <= bindparam("last"), visits.c.written_at >= bindparam("begun"),
    or_(*[visits.c.method == bindparam(f"way{n}") for n in range(WAYS)]))
_SPOKEN_TO = exists().where(
    campaign_reached.c.campaign_id == bindparam("campaign"), campaign_reached.c.elder_id == elders.c.id,
    campaign_reached.c.on_day >= bindparam("since"))
_REACHED = or_(_VISITED, _SPOKEN_TO)
_HERE = and_(areas.c.path >= bindparam("path"), areas.c.path < bindparam("path_end"))
# not "is active": SQLite would begin with the index of all those who are
_WANTED = and_(elders.c.status != "paused", elders.c.status != "closed")

_left = within(BRIEF.where(_HERE, _WANTED, ~_REACHED)).subquery()
_LEFT = select(_left).order_by(  # the most fragile first: priority class, alone, the oldest
    case((_left.c.care_class == "priority", 0), else_=1), case((_left.c.categories.like("%alone%"), 0), else_=1),
    _left.c.birth.is_(None), _left.c.birth, _left.c.number, _left.c.elder_id).limit(bindparam("count")).offset(
    bindparam("skip"))
_IS_LEFT = select(elders.c.id).select_from(elders.join(areas, areas.c.id == elders.c.village_id)).where(
    elders.c.id == bindparam("elder"), ELDER_IN_SCOPE, _HERE, _WANTED, ~_REACHED)
_counted = within(select(
    elders.c.id, areas.c.id.label("village_id"), areas.c.name.label("village"), areas.c.path, elders.c.status,
    case((_REACHED, 1), else_=0).label("reached")).select_from(
    elders.join(areas, areas.c.id == elders.c.village_id)).where(_HERE, elders.c.status != "closed")).subquery()
_active = _counted.c.status == "active"
_PROGRESS = select(
    _counted.c.village_id, _counted.c.village, _counted.c.path, func.sum(case((_active, 1), else_=0)),
    func.sum(case((_active, _counted.c.reached), else_=0)), func.sum(case((_active, 0), else_=1))).group_by(
    _counted.c.village_id, _counted.c.village, _counted.c.path).order_by(_counted.c.path)

_care = assignments.alias("care")
_runs = and_(_care.c.from_on <= bindparam("scope_day"),
             or_(_care.c.until_on.is_(None), _care.c.until_on >= bindparam("scope_day")))
_visitors = select(_care.c.person_id).select_from(
    elders.join(areas, areas.c.id == elders.c.village_id).join(_care, _care.c.elder_id == elders.c.id).join(
        people, people.c.id == _care.c.person_id)).where(
    _HERE, _WANTED, ~_REACHED, people.c.status == "active", _runs,
    or_(_care.c.role == "visitor", _care.c.role == "stand_in"))
_coordinators = select(posts.c.person_id).select_from(
    posts.join(areas, areas.c.id == posts.c.area_id).join(people, people.c.id == posts.c.person_id)).where(
    _HERE, posts.c.role == "village", people.c.status == "active",
    exists().where(elders.c.village_id == areas.c.id, _WANTED, ~_REACHED))
_WORKERS = union(_visitors, _coordinators).order_by("person_id")
_VILLAGES = select(areas.c.path).where(
    _HERE, areas.c.level == "village", areas.c.path > bindparam("after")).order_by(areas.c.path).limit(
    bindparam("count"))
_VILLAGE_COORDINATORS = select(posts.c.person_id).select_from(
    posts.join(areas, areas.c.id == posts.c.area_id).join(people, people.c.id == posts.c.person_id)).where(
    _HERE, posts.c.role == "village", people.c.status == "active").distinct().order_by(posts.c.person_id)


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one village: how many are wanted, how many of them are reached, and how many rest (hospital, away)."""

    village_id: str
    village: str
    path: str
    wanted: int
    reached: int
    paused: int


def called(tx: Tx, campaign: Campaign, elder_id: str, method: str, day: date, now: datetime) -> None:
    """An elder was spoken to at a distance. The caller looked that it runs there and that this way counts."""
    tx.run(_CALLED, campaign_id=campaign.id, elder_id=elder_id, on_day=day.isoformat(), at=millis(now), method=method,
           times=1)


def uncalled(tx: Tx, campaign: Campaign, elder_id: str, day: date) -> bool:
    """Takes back what was kept of this day; one of an earlier day that it replaced is wanted again."""
    return tx.run(_UNCALLED, campaign=campaign.id, elder=elder_id, on_day=day.isoformat()) == 1


def left(tx: Tx, scope: Scope, campaign: Campaign, count: int, skip: int = 0) -> list[Elder]:
    """Those in scope who are not reached yet, the most fragile first. `ways`: of visiting, that count there."""
    return [Elder(*row) for row in tx.all(_LEFT, count=count, skip=skip, **_values(campaign, scope.day),
                                          **scope.values)]


def is_left(tx: Tx, scope: Scope, campaign: Campaign, elder_id: str) -> bool:
    """Whether this elder of the scope is not reached yet."""
    return tx.one(_IS_LEFT, elder=elder_id, **_values(campaign, scope.day), **scope.values) is not None


def progress(tx: Tx, scope: Scope, campaign: Campaign) -> list[Progress]:
    """Each village of it in which the scope's person has elders, in the order of the tree."""
    return [Progress(village, name, path, int(wanted), int(reached), int(paused))
            for village, name, path, wanted, reached, paused in tx.all(
                _PROGRESS, **_values(campaign, scope.day), **scope.values)]


def villages(tx: Tx, campaign: Campaign, after: str, count: int) -> list[str]:
    """The paths of its next villages."""
    return [path for path, in tx.all(_VILLAGES, path=campaign.path, path_end=campaign.path + "~", after=after,
                                     count=count)]


def workers(tx: Tx, campaign: Campaign, villages: Sequence[str], day: date) -> list[str]:
    """The visitors, stand-ins and coordinators with elders not reached in villages, by their paths, that lie together.

    For the clock, which is nobody: so no Scope.
    """
    if not villages:
        return []
    values = {**_values(campaign, day), "path": villages[0], "path_end": villages[-1] + "~"}
    return [person for person, in tx.all(_WORKERS, scope_day=day.isoformat(), **values)]


def village_coordinators(tx: Tx, campaign: Campaign) -> list[str]:
    """Who coordinates a village in which it runs, by id."""
    return [person for person, in tx.all(_VILLAGE_COORDINATORS, path=campaign.path, path_end=campaign.path + "~")]


def _values(campaign: Campaign, day: date) -> dict[str, Any]:
    """Where a matter of hours, only what was written since it began counts; else whole days."""
    begun = millis(campaign.begun_at) if campaign.begun_at and campaign.within_hours else 0
    return {"campaign": campaign.id, "path": campaign.path, "path_end": campaign.path + "~", "begun": begun,
            "since": campaign.since(day), "last": campaign.last_on,
            **{f"way{n}": campaign.met_by[n] if n < len(campaign.met_by) else "" for n in range(WAYS)}}
