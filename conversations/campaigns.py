"""What a campaign is shown with, and what opening one or changing its days becomes when the form is submitted (C13)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask, label
from scheduler import campaigning
from storage import areas, campaign_progress, campaigns
from storage.campaigns import Campaign, Kind, NewCampaign
from storage.database import Tx
from storage.elders import Elder
from storage.scope import Scope

FORM, DAYS_FORM = "campaign", "campaign_days"
WEATHER = ("cold", "heat", "storm")
SAME_NAME = 9  # campaigns of one name from one day on
LOOK_BACK = timedelta(days=60)  # a day said without its year that lies further back is meant of the year to come
NAMED = 20  # who was not reached, by name
MOST_PARTS = 30  # villages in one message
LONGEST = timedelta(days=92)
Rows = list[list[list[object]]]


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Opens it. What it became is told with who hears of it, and when."""
    given = {name: answer.value for name, answer in draft.answers.items()}
    area = next((each for each in areas.held(ask.tx, ask.writer.person_id) if each.id == given["area"]), None)
    if area is None:
        return Ended((("campaigns.not_yours", {}),), "cancelled")
    first = coming(str(given["first"]), ask.today)
    if first < ask.today:
        return Ended((("campaigns.past", {"day": first.isoformat()}),), "paused")
    what = str(given["what"])
    kind: Kind = "weather" if what in WEATHER else what  # type: ignore[assignment]
    rules = ask.policy(area.id).campaigns
    remote = given.get("impossible") == "yes"
    new = NewCampaign(
        kind, str(given.get("name") or what), area.id, first.isoformat(),
        (first + timedelta(days=int(str(given["days"])) - 1)).isoformat(), what, rules.met_by(kind), remote,
        int(str(given.get("every_days") or rules.every_days)) if remote else None,
        int(str(given.get("within_hours") or rules.within_hours)) if kind == "weather" else None)
    made = _launched(ask, new)
    campaign = campaigns.find(ask.tx, ask.scope, made) if made else None
    if campaign is None:
        return Ended((("campaigns.there_already", {"buttons": [[["button.campaigns", {}, "/campaign"]]]}),),
                     "cancelled")
    return Ended((opened(ask, campaign),), result=campaign.id)


def submit_days(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Other days; with them a festival that was proposed is opened."""
    found = campaigns.find(ask.tx, ask.scope, str(draft.context["campaign"]))
    if found is None or not campaigns.managed(ask.tx, ask.scope, found.id):
        return Ended((("campaigns.gone", {"buttons": [[["button.campaigns", {}, "/campaign"]]]}),), "cancelled")
    first = date.fromisoformat(found.first_on) if found.runs else coming(
        str(draft.answers["first"].value), ask.today)
    last = coming(str(draft.answers["last"].value), ask.today)
    if last < max(first, ask.today) or last - first > LONGEST or (not found.runs and first < ask.today):
        return Ended((("campaigns.days_wrong", {"first": first.isoformat(), "last": last.isoformat(), "buttons": [
            [["button.campaign_days", {}, f"/campaigndays {found.id}"]]]}),), "cancelled")
    days = (first.isoformat(), last.isoformat())
    by = ask.writer.person_id
    if found.state == "proposed":
        changed = campaigning.confirm(ask.tx, found, *days, by, ask.house.policies, ask.now)
    else:
        changed = campaigning.move(ask.tx, found, *days, by, ask.house.policies, ask.now)
    again = campaigns.find(ask.tx, ask.scope, found.id)
    if not changed and again and again.state in ("proposed", "open"):
        return Ended((("campaigns.days_taken", {"first": first.isoformat(), "name": found.name, "buttons": [
            [["button.campaign_days", {}, f"/campaigndays {found.id}"]]]}),), "cancelled")
    if not changed or again is None:
        return Ended((("campaigns.gone", {"buttons": [[["button.campaigns", {}, "/campaign"]]]}),), "cancelled")
    return Ended((opened(ask, again),), result=found.id)


def opened(ask: Ask, campaign: Campaign) -> Part:
    """What is said of one that was opened, or whose days were changed."""
    total = sum(each.wanted for each in campaign_progress.progress(ask.tx, ask.scope, campaign))
    return ("campaigns.opened", {**facts(ask, campaign), "total": total, "buttons": [
        [["button.campaign_look", {}, f"/campaign {campaign.id}"]],
        [["button.campaign_tips", {}, f"/campaigntips {campaign.advice}"]]]})


def facts(ask: Ask, campaign: Campaign) -> dict[str, Any]:
    """What words want of a campaign."""
    wall = ask.now.astimezone(ask.house.policy.zone)
    return told(campaign, ask.house.policy.timezone, (wall.date().isoformat(), f"{wall:%H:%M}"))


def told(campaign: Campaign, timezone: str, wall: tuple[str, str]) -> dict[str, Any]:
    """The same for a message that nobody asked for; `wall` is the day (ISO) and HH:MM as it is read."""
    until = campaign.until_on(timezone)
    return {"name": campaign.name, "area": campaign.area, "first": campaign.first_on, "last": campaign.last_on,
            "state": "waits" if campaign.state == "open" and not campaign.runs else campaign.state,
            "remote": campaign.remote, "every_days": campaign.every_days or 0,
            "within_hours": campaign.within_hours or 0, "until": until[0] if until else "",
            "at": until[1] if until else "",
            "past": until is not None and until < wall, "home_only": campaign.met_by == ("home",),
            "advice": campaign.advice}


def person(elder: Elder, today: date) -> dict[str, Any]:
    """An elder in a list of whom to reach."""
    return {**label(elder), "age": elder.age(today) or 0, "wish": elder.wish, "care_class": elder.care_class}


def coming(iso: str, today: date) -> date:
    """The day that was meant: 1月30日 said in December lies ahead."""
    day = date.fromisoformat(iso)
    if today - day <= LOOK_BACK:
        return day
    try:
        rolled = day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day
    return rolled if rolled >= today else day


def _launched(ask: Ask, new: NewCampaign) -> str | None:
    """Opens it, with a number behind its name where that one is taken from the same day on."""
    for nth in range(1, SAME_NAME):
        named = new if nth == 1 else replace(new, name=f"{new.name} {nth}")
        if made := campaigning.launch(ask.tx, named, ask.writer.person_id, ask.house.policies, ask.now):
            return made
    return None


def closing(tx: Tx, scope: Scope, found: Campaign, timezone: str, wall: tuple[str, str]) -> Part:
    """How one that is over went, as this person may see it: in one village by name, in several by numbers."""
    villages = campaign_progress.progress(tx, scope, found)
    wanted, reached = sum(each.wanted for each in villages), sum(each.reached for each in villages)
    named = campaign_progress.left(tx, scope, found, NAMED) if len(villages) == 1 else []
    return ("campaigns.closing", {
        **told(found, timezone, wall), "wanted": wanted, "reached": reached,
        "people": [person(each, scope.day) for each in named], "more": max(wanted - reached - NAMED, 0) if named else 0,
        "parts": [{"name": each.village, "wanted": each.wanted, "reached": each.reached} for each in villages
                  if each.reached < each.wanted][:MOST_PARTS] if len(villages) > 1 else [],
        "buttons": [[["button.campaigns", {}, "/campaign"]]]})
