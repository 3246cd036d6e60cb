"""Campaigns as they go (C13): opened, begun, told to who visits, and ended; festivals are proposed by the calendar."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import orjson

from scheduler import calendar, notices
from scheduler.notices import Notice
from scheduler.policy import Policies, place
from storage import areas, campaign_progress, campaigns, leaves, meta, outbox
from storage.areas import Area
from storage.campaigns import Campaign, NewCampaign
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

CHUNK = 50  # campaigns begun, or people asked, in one unit of work
VILLAGES = 5  # whose people are told in one
CLOSED = 5  # campaigns ended in one
ACTOR = "clock"
NEXT = 5  # elders named in one message
TOLD = "campaigns_told"  # by campaign: the day, and the last village of that day whose people were told
ALL_TOLD = "~"  # greater than any path
ONCE_IN = timedelta(days=180)  # a festival of one name comes once a year, on whatever days it was confirmed


@dataclass(frozen=True, slots=True)
class Section:
    """What somebody still has to do in one campaign: how many of his elders are reached, and who comes next."""

    campaign: Campaign
    wanted: int
    reached: int
    next: tuple[Elder, ...]

    @property
    def left(self) -> int:
        return self.wanted - self.reached


def section(tx: Tx, scope: Scope, today: date, count: int = NEXT) -> tuple[Section, ...]:
    """The campaigns in which not all of the scope's elders are reached: those that are a matter of hours first.

    For a daily digest and for the notice below. `count`: how many elders each names, the most fragile first.
    """
    found = []
    for campaign in campaigns.listed(tx, Scope(scope.person_id, today)):
        if not campaign.runs:
            continue
        villages = campaign_progress.progress(tx, scope, campaign)
        wanted, reached = sum(each.wanted for each in villages), sum(each.reached for each in villages)
        if reached < wanted:
            found.append(Section(campaign, wanted, reached,
                                 tuple(campaign_progress.left(tx, scope, campaign, count)) if count else ()))
    return tuple(sorted(found, key=lambda each: (each.campaign.until is None, each.campaign.last_on)))


class CampaignWork(Notice):
    """Elders of this person are to be reached. Not wanted once all are, or the campaigns are over; nor on another day:
    that has a message of its own.
    """

    kind = "campaign_work"
    day: str
    timezone: str  # on whose wall the last hour is told

    def still_wanted(self, tx: Tx, today: date) -> bool:
        return (self.day == today.isoformat() and super().still_wanted(tx, today)
                and not leaves.is_away(tx, self.person, today)
                and bool(section(tx, Scope(self.person, today), today, 0)))


class CampaignNow(CampaignWork):
    """The same where the policy says that extreme weather does not wait for the morning."""

    kind = "campaign_now"
    lane = "alert"


class FestivalProposed(Notice):
    """A festival comes: its coordinator says yes, or changes the days. Not wanted once that is decided."""

    kind = "festival_proposed"
    campaign: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = campaigns.find(tx, Scope(self.person, today), self.campaign)
        return super().still_wanted(tx, today) and found is not None and found.state == "proposed"


class CampaignEnded(Notice):
    """How a campaign ended, for who opened it and for the villages' coordinators."""

    kind = "campaign_ended"
    campaign: str
    timezone: str

    def still_wanted(self, tx: Tx, today: date) -> bool:
        found = campaigns.find(tx, Scope(self.person, today), self.campaign)
        return super().still_wanted(tx, today) and found is not None and found.state == "ended"


notices.KINDS |= {each.kind: each for each in (CampaignWork, CampaignNow, FestivalProposed, CampaignEnded)}


def launch(tx: Tx, new: NewCampaign, by: str, policies: Policies, now: datetime) -> str | None:
    """Opens a campaign, which begins at once where its first day has come; gives its id.

    The caller has looked that the area is the person's. None where one of this name is there from the same day on.
    """
    campaign = campaigns.add(tx, new, by, now, "open")
    if campaign is not None and new.first_on <= _wall(now, policies).date().isoformat():
        campaigns.begin(tx, campaign, now)
    return campaign


def confirm(tx: Tx, campaign: Campaign, first_on: str, last_on: str, by: str, policies: Policies, now: datetime,
            ) -> bool:
    """Says yes to a proposed one, for these days; False where somebody decided before."""
    opened = campaigns.open_(tx, campaign.id, first_on, last_on, by, now)
    if opened and first_on <= _wall(now, policies).date().isoformat():
        campaigns.begin(tx, campaign.id, now)
    return opened


def move(tx: Tx, campaign: Campaign, first_on: str, last_on: str, by: str, policies: Policies, now: datetime) -> bool:
    """Other days for one that is open; False where it is so no more."""
    moved = campaigns.move(tx, campaign, first_on, last_on, by, now)
    if moved and first_on <= _wall(now, policies).date().isoformat():
        campaigns.begin(tx, campaign.id, now)
    return moved


def finish(tx: Tx, campaign: Campaign, by: str, policies: Policies, now: datetime) -> bool:
    """Ends one that runs, today at the latest, and tells how it went; False where it runs no more."""
    if not campaigns.end(tx, campaign, _wall(now, policies).date().isoformat(), by, now):
        return False
    told = {campaign.decided_by, *campaign_progress.village_coordinators(tx, campaign)} - {None, by}
    for person in sorted(filter(None, told)):
        notice = CampaignEnded(person=person, campaign=campaign.id, timezone=policies.city.timezone)
        notices.tell(tx, notice, now, unique_key=f"campaign_ended:{campaign.id}:{person}")
    return True


def called(tx: Tx, elder: Elder, method: Literal["phone", "video"], today: date, now: datetime) -> list[Campaign]:
    """Keeps that an elder was spoken to, in every campaign there in which that counts; gives them."""
    met = [each for each in campaigns.running_over(tx, elder.village_id, today) if method in each.met_by]
    for campaign in met:
        campaign_progress.called(tx, campaign, elder.id, method, today, now)
    return met


def uncalled(tx: Tx, elder: Elder, today: date) -> bool:
    """Takes back what was kept of today; False where there was nothing."""
    running = campaigns.running_over(tx, elder.village_id, today)
    return sum(campaign_progress.uncalled(tx, each, elder.id, today) for each in running) > 0


def open_over(tx: Tx, scope: Scope, elder: Elder) -> list[Campaign]:
    """The campaigns over this elder in which he is not reached yet."""
    return [each for each in campaigns.running_over(tx, elder.village_id, scope.day)
            if campaign_progress.is_left(tx, scope, each, elder.id)]


def begin(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Sweep: begins those whose first day has come; True where there may be more."""
    found = campaigns.to_begin(tx, _wall(now, policies).date(), CHUNK)
    for campaign in found:
        campaigns.begin(tx, campaign, now)
    return len(found) == CHUNK


def end(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Sweep: ends those whose last day is over, and lets go what nobody said yes to; True where there may be more."""
    found = campaigns.overdue(tx, _wall(now, policies).date(), CLOSED)
    for campaign in found:
        if not finish(tx, campaign, ACTOR, policies, now):
            campaigns.cancel(tx, campaign.id, ACTOR, now)
    return len(found) == CLOSED


def tell(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Sweep: tells a chunk of visitors and village coordinators whom they have to reach; True where there is more.

    Once a day each, when the quiet hours are over, unless the day's digest says it; extreme weather on its first day
    at once, beside what was told that day before.
    """
    wall = _wall(now, policies)
    today = wall.date()
    quiet = policies.city.messages.quiet(now, policies.city.zone) is not None
    kept: dict[str, list[str]] = orjson.loads(meta.get(tx, TOLD) or "{}")
    running = campaigns.running(tx, today)
    for campaign in running:
        day, after = kept.get(campaign.id, ("", ""))
        after = after if day == today.isoformat() else ""
        if after == ALL_TOLD or (quiet and campaign.until is None):
            continue
        villages = campaign_progress.villages(tx, campaign, after, VILLAGES)
        begun = {each.id for each in running if _began(each, wall)}
        for person in campaign_progress.workers(tx, campaign, villages, today):
            _tell(tx, person, campaign, begun, policies, now)
        kept[campaign.id] = [today.isoformat(), villages[-1] if len(villages) == VILLAGES else ALL_TOLD]
        lasting = {name: value for name, value in kept.items() if value[0] == today.isoformat()}
        meta.put(tx, TOLD, orjson.dumps(lasting).decode())
        return True
    return False


def propose(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Sweep, once a day: proposes the festivals that are near; a coordinator says yes, none opens by itself."""
    today = _wall(now, policies).date()
    made = 0
    having: dict[str, set[str]] = {}
    for level in ("county", "township"):
        for area in areas.of_level(tx, level):
            rules = policies.of(tx, area.id)
            if rules.campaigns.proposed_to != level and not (level == "township" and not place(tx, area.id)[0]):
                continue  # a township that lies in no county is asked itself
            for near in calendar.coming(rules.festivals, today, rules.campaigns.propose_days):
                if near.festival not in having:
                    having[near.festival] = campaigns.having(tx, near.festival, today - ONCE_IN)
                there = having[near.festival]
                for asked, persons in _asked(tx, area):
                    if asked.id not in there:
                        made += _propose(tx, asked, persons, near, rules.campaigns.festival, policies, now)
                        there.add(asked.id)
                    if made >= CHUNK:
                        return True
    for campaign in campaigns.unanswered(tx, today):  # asked once more when its days have come, and then no more
        where = areas.find(tx, campaign.area_id)
        for person in notices.confirmers(tx, campaign.area_id, where.level) if where else ():
            notices.tell(tx, FestivalProposed(person=person, campaign=campaign.id), now,
                         unique_key=f"festival_proposed:{campaign.id}:{person}:again")
    return False


def _propose(tx: Tx, area: Area, persons: list[str], near: calendar.Period, met_by: tuple[str, ...],
             policies: Policies, now: datetime) -> int:
    """Proposes it to these people; gives how many were told."""
    new = NewCampaign("festival", near.festival, area.id, near.first.isoformat(), near.last.isoformat(), "festival",
                      met_by, festival=near.festival)
    campaign = campaigns.add(tx, new, None, now, "proposed")
    if campaign is None:
        return 0
    for person in persons:
        notices.tell(tx, FestivalProposed(person=person, campaign=campaign), now,
                     unique_key=f"festival_proposed:{campaign}:{person}")
    return len(persons)


def _asked(tx: Tx, area: Area) -> list[tuple[Area, list[str]]]:
    """Who is asked for an area; where nobody holds it, or lies above it, who holds the parts of it."""
    if area.level not in areas.LEVELS[1:4]:
        return []
    if persons := notices.confirmers(tx, area.id, area.level):
        return [(area, persons)]
    return [found for part in areas.under(tx, area) if part.parent_id == area.id for found in _asked(tx, part)]


def _began(campaign: Campaign, wall: datetime) -> bool:
    """Whether it is a matter of hours that began today."""
    return (campaign.until is not None and campaign.begun_at is not None
            and campaign.begun_at.astimezone(wall.tzinfo).date() == wall.date())


def _tell(tx: Tx, person: str, campaign: Campaign, begun: set[str], policies: Policies, now: datetime) -> None:
    """One message a day; of `begun`, matters of hours that began today, each is told at once, which is that day's.

    A digest says it too (`section`): where there is one, only what is a matter of hours does not wait for it.
    """
    day = _wall(now, policies).date().isoformat()
    today = f"campaign:{person}:{day}"
    said = [f"{today}:{each}" for each in begun] + ([] if campaign.until else [f"digest:{person}:{day}"])
    if campaign.id not in begun and any(outbox.receipt(tx, each) is not None for each in said):
        return
    at_once = campaign.until is not None and policies.of(tx, campaign.area_id).campaigns.weather_at_once
    notice = (CampaignNow if at_once else CampaignWork)(person=person, day=day, timezone=policies.city.timezone)
    notices.tell(tx, notice, now, unique_key=f"{today}:{campaign.id}" if campaign.id in begun else today)


def _wall(now: datetime, policies: Policies) -> datetime:
    return now.astimezone(policies.city.zone)
