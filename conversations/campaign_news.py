"""What is told of campaigns unasked: whom to reach today, a festival that comes, how one went (C13)."""

from collections.abc import Callable
from typing import Any

from conversations import campaigns as shown
from conversations.engine import Part
from conversations.turn import label
from scheduler import campaigning
from scheduler.campaigning import CampaignEnded, CampaignNow, CampaignWork, FestivalProposed, Section
from storage import campaigns
from storage.database import Tx
from storage.scope import Scope

Rows = list[list[list[object]]]
READ_AT = "08:00"  # such a message is read in the morning


def work(sections: tuple[Section, ...], scope: Scope, timezone: str) -> Part:
    """What somebody still has to do in campaigns, with the elders who come next."""
    wall = (scope.day.isoformat(), READ_AT)
    people = list({elder.id: elder for each in sections for elder in each.next}.values())[:campaigning.NEXT]
    buttons: Rows = [[["button.person", {"label": label(elder)}, f"/reach {elder.id}"]] for elder in people]
    buttons.append([["button.campaign_left", {}, "/campaignleft"]])
    return ("campaigns.work", {
        "campaigns": [{**shown.told(each.campaign, timezone, wall), "wanted": each.wanted, "left": each.left}
                      for each in sections],
        "by_phone": any("phone" in each.campaign.met_by for each in sections),
        "people": [shown.person(elder, scope.day) for elder in people], "buttons": buttons})


def brief(sections: tuple[Section, ...]) -> Part:
    """The same in a line each, for the day's digest."""
    return ("campaigns.brief", {"campaigns": [
        {"name": each.campaign.name, "left": each.left, "last": each.campaign.last_on,
         "home_only": each.campaign.met_by == ("home",)} for each in sections]})


def _work(tx: Tx, notice: CampaignWork, scope: Scope) -> tuple[Part, ...] | None:
    sections = campaigning.section(tx, scope, scope.day)
    return (work(sections, scope, notice.timezone),) if sections else None


def _proposed(tx: Tx, notice: FestivalProposed, scope: Scope) -> tuple[Part, ...] | None:
    found = campaigns.find(tx, scope, notice.campaign)
    if found is None:
        return None
    buttons: Rows = [[["button.campaign_open", {}, f"/campaignopen {found.id}"]], [
        ["button.campaign_days", {}, f"/campaigndays {found.id}"],
        ["button.campaign_cancel", {}, f"/campaigncancel {found.id}"]]]
    return (("campaigns.proposed", {"name": found.name, "area": found.area, "first": found.first_on,
                                    "last": found.last_on, "come": found.first_on <= scope.day.isoformat(),
                                    "buttons": buttons}),)


def _ended(tx: Tx, notice: CampaignEnded, scope: Scope) -> tuple[Part, ...] | None:
    found = campaigns.find(tx, scope, notice.campaign)
    return (shown.closing(tx, scope, found, notice.timezone, (scope.day.isoformat(), READ_AT)),) if found else None


TELL: dict[str, Callable[[Tx, Any, Scope], tuple[Part, ...] | None]] = {
    CampaignWork.kind: _work, CampaignNow.kind: _work, FestivalProposed.kind: _proposed, CampaignEnded.kind: _ended}
