"""Campaigns (C13): times in which more is done than the ordinary, over an area and from one day to another.

States go one way: proposed -> open -> ended, or cancelled from either of the first two. An open one has begun once
`begun_at` stands: one that was opened ahead of its first day waits for the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from storage import areas
from storage.database import Row, Tx
from storage.ids import instant, millis
from storage.scope import COORDINATORS, Scope
from storage.tables import areas as areas_table
from storage.tables import assignments, campaigns, elders, posts

Kind = Literal["epidemic", "weather", "festival", "other"]
DEPTH = len(areas.LEVELS)
EVER = 2**62  # later than any instant

_ADD = insert(campaigns).on_conflict_do_nothing(index_elements=["area_id", "kind", "first_on", "name"])
_PATH = select(areas_table.c.path).where(areas_table.c.id == bindparam("area"))
_OVER = or_(*[campaigns.c.area_id == bindparam(f"over{n}") for n in range(DEPTH)])  # each by the index on areas
_REMOTE = select(campaigns.c.first_on, campaigns.c.last_on).where(
    _OVER, campaigns.c.remote == 1, or_(campaigns.c.state == "open", campaigns.c.state == "ended"),
    campaigns.c.decided_at < bindparam("before")).order_by(campaigns.c.first_on, campaigns.c.last_on)

_COLUMNS = (
    campaigns.c.id, campaigns.c.kind, campaigns.c.name, campaigns.c.area_id, areas_table.c.name.label("area"),
    areas_table.c.path, campaigns.c.first_on, campaigns.c.last_on, campaigns.c.state, campaigns.c.remote,
    campaigns.c.every_days, campaigns.c.within_hours, campaigns.c.festival, campaigns.c.advice, campaigns.c.met_by,
    campaigns.c.made_by, campaigns.c.decided_by, campaigns.c.begun_at, campaigns.c.ended_at)
_ALL = select(*_COLUMNS).select_from(campaigns.join(areas_table, areas_table.c.id == campaigns.c.area_id))
_UNSCOPED = _ALL.where(campaigns.c.id == bindparam("campaign"))

_OFFICES = select(areas_table.c.path).select_from(posts.join(
    areas_table, areas_table.c.id == posts.c.area_id)).where(
    posts.c.person_id == bindparam("scope_person"), or_(*[posts.c.role == role for role in COORDINATORS])).distinct()
_ENTRUSTED = select(areas_table.c.path).select_from(assignments.join(
    elders, elders.c.id == assignments.c.elder_id).join(areas_table, areas_table.c.id == elders.c.village_id)).where(
    assignments.c.person_id == bindparam("scope_person"), assignments.c.role != "family",
    assignments.c.from_on <= bindparam("scope_day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("scope_day"))).distinct()
_LISTED = _ALL.where(or_(campaigns.c.state == "open", campaigns.c.state == "proposed"),
                     campaigns.c.last_on >= bindparam("on_day")).order_by(
    campaigns.c.state, campaigns.c.first_on, campaigns.c.id)
_BEGUN = and_(campaigns.c.state == "open", campaigns.c.begun_at.is_not(None))
_RUNNING = _ALL.where(_BEGUN, campaigns.c.last_on >= bindparam("on_day")).order_by(campaigns.c.id)
_RUNNING_OVER = _ALL.where(_BEGUN, campaigns.c.last_on >= bindparam("on_day"), _OVER).order_by(
    campaigns.c.first_on, campaigns.c.id)
_TO_BEGIN = select(campaigns.c.id).where(
    campaigns.c.state == "open", campaigns.c.begun_at.is_(None), campaigns.c.last_on >= bindparam("on_day"),
    campaigns.c.first_on <= bindparam("on_day")).order_by(campaigns.c.id).limit(bindparam("count"))
_OVERDUE = _ALL.where(or_(campaigns.c.state == "open", campaigns.c.state == "proposed"),
                      campaigns.c.last_on < bindparam("on_day")).order_by(campaigns.c.id).limit(bindparam("count"))
_UNANSWERED = _ALL.where(campaigns.c.state == "proposed", campaigns.c.last_on >= bindparam("on_day"),
                         campaigns.c.first_on <= bindparam("on_day")).order_by(campaigns.c.id)
_OF_FESTIVAL = select(campaigns.c.area_id).where(
    or_(*[campaigns.c.state == state for state in ("proposed", "open", "ended", "cancelled")]),
    campaigns.c.last_on >= bindparam("on_day"), campaigns.c.festival == bindparam("called"))

_this = campaigns.c.id == bindparam("campaign")
_proposed, _open = campaigns.c.state == "proposed", campaigns.c.state == "open"
_twin = campaigns.alias("twin")
_free = ~select(_twin.c.id).where(  # no other of its name is there from that day on, taken back ones included
    _twin.c.area_id == campaigns.c.area_id, _twin.c.kind == campaigns.c.kind, _twin.c.name == campaigns.c.name,
    _twin.c.first_on == bindparam("new_first"), _twin.c.id != campaigns.c.id).exists()
_OPEN = update(campaigns).where(_this, _proposed, _free).values(
    state="open", first_on=bindparam("new_first"), last_on=bindparam("new_last"), decided_by=bindparam("by"),
    decided_at=bindparam("at"))
_MOVE = update(campaigns).where(_this, _open, campaigns.c.begun_at.is_(None), _free).values(
    first_on=bindparam("new_first"), last_on=bindparam("new_last"))
_PROLONG = update(campaigns).where(_this, _open, campaigns.c.begun_at.is_not(None)).values(
    last_on=bindparam("new_last"))
_BEGIN = update(campaigns).where(_this, _open, campaigns.c.begun_at.is_(None)).values(begun_at=bindparam("at"))
_END = update(campaigns).where(_this, _open, campaigns.c.begun_at.is_not(None)).values(
    state="ended", ended_at=bindparam("at"), last_on=bindparam("new_last"))
# where visits by telephone already met windows, they were made in good faith: such a one can only be ended
_CANCEL = update(campaigns).where(
    _this, or_(_proposed, and_(_open, or_(campaigns.c.remote == 0, campaigns.c.begun_at.is_(None))))).values(
    state="cancelled", ended_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What is proposed or opened: ISO days; `advice` names the tips that go with it, `met_by` what reaches somebody."""

    kind: Kind
    name: str
    area_id: str
    first_on: str
    last_on: str
    advice: str
    met_by: Sequence[str]
    remote: bool = False
    every_days: int | None = None
    within_hours: int | None = None
    festival: str | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One of them, with its area's name and path."""

    id: str
    kind: Kind
    name: str
    area_id: str
    area: str
    path: str
    first_on: str
    last_on: str
    state: str
    remote: bool
    every_days: int | None
    within_hours: int | None
    festival: str | None
    advice: str
    met_by: tuple[str, ...]
    made_by: str | None
    decided_by: str | None
    begun_at: datetime | None
    ended_at: datetime | None

    @property
    def runs(self) -> bool:
        return self.state == "open" and self.begun_at is not None

    @property
    def until(self) -> datetime | None:
        """By when everybody is to be reached, where that is a matter of hours."""
        return self.begun_at + timedelta(hours=self.within_hours) if self.begun_at and self.within_hours else None

    def until_on(self, timezone: str) -> tuple[str, str] | None:
        """The same as a day (ISO) and HH:MM on the wall of this time zone."""
        wall = self.until.astimezone(ZoneInfo(timezone)) if self.until else None
        return (wall.date().isoformat(), f"{wall:%H:%M}") if wall else None

    def since(self, day: date) -> str:
        """The first day (ISO) on which a contact still counts on this day: they are repeated every so many days."""
        if self.every_days is None or self.state == "ended":
            return self.first_on
        return max(self.first_on, (day - timedelta(days=self.every_days - 1)).isoformat())


def add(tx: Tx, new: NewCampaign, by: str | None, now: datetime, state: Literal["proposed", "open"]) -> str | None:
    """Proposes (by None: the clock) or opens one, which does not begin by this; gives its id.

    None where one of this kind and name is there from the same day on.
    """
    campaign = tx.new_id(now)
    decided = state == "open"
    added = tx.run(
        _ADD, id=campaign, kind=new.kind, name=new.name, area_id=new.area_id, first_on=new.first_on,
        last_on=new.last_on, state=state, remote=int(new.remote), every_days=new.every_days,
        within_hours=new.within_hours, festival=new.festival, advice=new.advice,
        met_by=" ".join(new.met_by), made_by=by, made_at=millis(now),
        decided_by=by if decided else None, decided_at=millis(now) if decided else None, begun_at=None, ended_at=None)
    if added != 1:
        return None
    tx.note(now, by or "clock", "campaign.open" if decided else "campaign.propose", campaign,
            [new.kind, "remote"] if new.remote else [new.kind])
    return campaign


def open_(tx: Tx, campaign: str, first_on: str, last_on: str, by: str, now: datetime) -> bool:
    """Says yes to what was proposed, for these days; False where somebody decided before, or one of its name is there
    from the same day on.
    """
    return _noted(tx, tx.run(_OPEN, campaign=campaign, new_first=first_on, new_last=last_on, by=by, at=millis(now)),
                  campaign, "campaign.open", by, now)


def move(tx: Tx, campaign: Campaign, first_on: str, last_on: str, by: str, now: datetime) -> bool:
    """Other days for one that is open; once it has begun only the last one.

    False where it is open no more, or another of its name is there from the same day on.
    """
    moved = tx.run(_MOVE, campaign=campaign.id, new_first=first_on, new_last=last_on) or tx.run(
        _PROLONG, campaign=campaign.id, new_last=last_on)
    return _noted(tx, moved, campaign.id, "campaign.move", by, now)


def begin(tx: Tx, campaign: str, now: datetime) -> bool:
    """From now on it runs; False where it does already, or is open no more."""
    return tx.run(_BEGIN, campaign=campaign, at=millis(now)) == 1


def end(tx: Tx, campaign: Campaign, day: str, by: str, now: datetime) -> bool:
    """It is over, on this day (ISO) at the latest; False where it was before."""
    return _noted(tx, tx.run(_END, campaign=campaign.id, new_last=min(campaign.last_on, day), at=millis(now)),
                  campaign.id, "campaign.end", by, now)


def cancel(tx: Tx, campaign: str, by: str, now: datetime) -> bool:
    """It never was; False where it is over, or where remote visits meet windows already: that one is ended."""
    return _noted(tx, tx.run(_CANCEL, campaign=campaign, at=millis(now)), campaign, "campaign.cancel", by, now)


def find(tx: Tx, scope: Scope, campaign: str) -> Campaign | None:
    """One that touches the scope's person: over, or in, what he coordinates, or over an elder entrusted to him."""
    found = unscoped(tx, campaign)
    return found if found and _touches(_places(tx, scope), found) else None


def managed(tx: Tx, scope: Scope, campaign: str) -> bool:
    """Whether it lies in the own subtree of a coordinator: only then he decides on it (C1)."""
    found = unscoped(tx, campaign)
    return found is not None and any(found.path.startswith(office) for office, in tx.all(
        _OFFICES, scope_person=scope.person_id))


def listed(tx: Tx, scope: Scope) -> list[Campaign]:
    """Those that touch the scope's person and are open or proposed, those that run first."""
    found = [_campaign(row) for row in tx.all(_LISTED, on_day=scope.day.isoformat())]
    places = _places(tx, scope) if found else ([], [])
    return [each for each in found if _touches(places, each)]


def running(tx: Tx, day: date) -> list[Campaign]:
    """All that run on a day. For the clock, which is nobody: so no Scope."""
    return [_campaign(row) for row in tx.all(_RUNNING, on_day=day.isoformat())]


def running_over(tx: Tx, village_id: str, day: date) -> list[Campaign]:
    """Those that run over a village on a day. The caller has looked whose elder it is about."""
    return [_campaign(row) for row in tx.all(_RUNNING_OVER, on_day=day.isoformat(), **_over(tx, village_id))]


def to_begin(tx: Tx, day: date, count: int) -> list[str]:
    """The ids of those open whose first day has come."""
    return [campaign for campaign, in tx.all(_TO_BEGIN, on_day=day.isoformat(), count=count)]


def overdue(tx: Tx, day: date, count: int) -> list[Campaign]:
    """Those open or proposed whose last day is over. For the clock, which is nobody: so no Scope."""
    return [_campaign(row) for row in tx.all(_OVERDUE, on_day=day.isoformat(), count=count)]


def unanswered(tx: Tx, day: date) -> list[Campaign]:
    """Those that are proposed still though their days have come. For the clock, which is nobody: so no Scope."""
    return [_campaign(row) for row in tx.all(_UNANSWERED, on_day=day.isoformat())]


def having(tx: Tx, festival: str, day: date) -> set[str]:
    """The areas in which this festival is proposed, open or decided on already, and was not past on that day."""
    return {area for area, in tx.all(_OF_FESTIVAL, on_day=day.isoformat(), called=festival)}


def unscoped(tx: Tx, campaign: str) -> Campaign | None:
    """One for the program's own work; nobody is shown it by this."""
    row = tx.one(_UNSCOPED, campaign=campaign)
    return _campaign(row) if row else None


def remote_periods(tx: Tx, village_id: str, before: int = EVER) -> list[tuple[str, str]]:
    """The first and last days (ISO) between which remote visits meet the windows of this village's elders.

    Those of epidemics for which a coordinator declared home visits impossible (三(六)2), past ones included: what a
    visit by telephone met then stays met. One that was ended early ends on that day; a cancelled one never was.
    Only those count that were opened before an instant (milliseconds).
    """
    return [(first, last) for first, last in tx.all(_REMOTE, before=before, **_over(tx, village_id))]


def _places(tx: Tx, scope: Scope) -> tuple[list[str], list[str]]:
    """The paths of what the scope's person coordinates, and of the villages of those entrusted to him."""
    return ([path for path, in tx.all(_OFFICES, scope_person=scope.person_id)],
            [path for path, in tx.all(_ENTRUSTED, **scope.values)])


def _touches(places: tuple[list[str], list[str]], campaign: Campaign) -> bool:
    offices, villages = places
    return any(campaign.path.startswith(path) or path.startswith(campaign.path) for path in offices) or any(
        path.startswith(campaign.path) for path in villages)


def _over(tx: Tx, area_id: str) -> dict[str, str]:
    """The ids of an area and all that it lies in, as the statements want them."""
    row = tx.one(_PATH, area=area_id)
    line = row[0].split("/")[:-1] if row else []
    return {f"over{n}": line[n] if n < len(line) else "" for n in range(DEPTH)}


def _noted(tx: Tx, changed: int, campaign: str, action: str, by: str, now: datetime) -> bool:
    if changed == 1:
        tx.note(now, by, action, campaign)
    return changed == 1


def _campaign(row: Row) -> Campaign:
    *head, remote, every, within, festival, advice, met_by, made_by, decided_by, begun, ended = row
    values: list[Any] = [*head, bool(remote), every, within, festival, advice, tuple(met_by.split()), made_by,
                         decided_by, instant(begun) if begun else None, instant(ended) if ended else None]
    return Campaign(*values)
