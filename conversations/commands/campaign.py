"""活动: campaigns as a coordinator opens and ends them, and as a visitor works through them (C13)."""

from conversations import campaigns as shown
from conversations import session
from conversations.engine import Part
from conversations.lists import PAGE, skipped
from conversations.turn import Ask, label
from scheduler import campaigning
from storage import areas, campaign_progress, campaigns, elders
from storage.campaign_progress import Progress
from storage.campaigns import Campaign
from storage.elders import Elder

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
MOST = 20  # campaigns in one message
VILLAGES = 30  # lines; of more, townships
ADVICE = ("cold", "heat", "storm", "epidemic", "festival", "other")


def campaign(ask: Ask, rest: str) -> Parts:
    """All that are under way or ahead where the asker works; or one of them, by id."""
    if rest:
        found = campaigns.find(ask.tx, ask.scope, rest)
        return (_one(ask, found),) if found else _gone()
    decides = ask.may("campaign_open")  # what only is proposed is no business of who visits
    listed = [each for each in campaigns.listed(ask.tx, ask.scope) if decides or each.state == "open"][:MOST]
    lines, buttons, open_ = [], [], False
    for each in listed:
        wanted, reached = _sums(campaign_progress.progress(ask.tx, ask.scope, each)) if each.runs else (0, 0)
        open_ = open_ or reached < wanted
        lines.append({**shown.facts(ask, each), "wanted": wanted, "reached": reached})
        buttons.append([["button.campaign_named", {"name": each.name}, f"/campaign {each.id}"]])
    if open_:
        buttons.insert(0, [["button.campaign_left", {}, "/campaignleft"]])
    if ask.may("campaign_new"):
        buttons.append([["button.campaign_new", {}, "/campaignnew"]])
    return (("campaigns.list" if lines else "campaigns.none", {
        "lines": lines, "buttons": buttons or [[["button.mine", {}, "/my"]]]}),)


def open_one(ask: Ask, rest: str) -> Parts:
    """Asks for a new one."""
    if not areas.held(ask.tx, ask.writer.person_id):
        return (("menu.not_allowed", {}),)
    return session.start(ask, shown.FORM, {})


def confirm(ask: Ask, rest: str) -> Parts:
    """The one tap that opens a festival as it was proposed."""
    found = _managed(ask, rest)
    if found is None or found.state != "proposed" or found.last_on < ask.today.isoformat():
        return _gone()
    if not campaigning.confirm(ask.tx, found, found.first_on, found.last_on, ask.writer.person_id,
                               ask.house.policies, ask.now):
        return _gone()
    again = campaigns.find(ask.tx, ask.scope, found.id)
    return (shown.opened(ask, again),) if again else _gone()


def days(ask: Ask, rest: str) -> Parts:
    """Asks for other days."""
    found = _managed(ask, rest)
    if found is None or found.state not in ("proposed", "open"):
        return _gone()
    return (("campaigns.moving", shown.facts(ask, found)), *session.start(
        ask, shown.DAYS_FORM, {"campaign": found.id, "begun": found.runs}))


def end(ask: Ask, rest: str) -> Parts:
    """`ID`: asks whether it is to end today; `ID yes` ends it, with how it went."""
    campaign_id, _, word = rest.partition(" ")
    found = _managed(ask, campaign_id)
    if found is None or not found.runs:
        return _gone()
    if word != "yes":
        return _sure(ask, found, "campaigns.end_sure", "button.campaign_end_yes", "campaignend")
    if not campaigning.finish(ask.tx, found, ask.writer.person_id, ask.house.policies, ask.now):
        return _gone()
    again = campaigns.find(ask.tx, ask.scope, found.id)
    return (_closing(ask, again),) if again else _gone()


def cancel(ask: Ask, rest: str) -> Parts:
    """`ID`: asks whether it never was to be; `ID yes` takes it back."""
    campaign_id, _, word = rest.partition(" ")
    found = _managed(ask, campaign_id)
    if found is None or found.state not in ("proposed", "open") or (found.runs and found.remote):
        return _gone()
    if word != "yes":
        return _sure(ask, found, "campaigns.cancel_sure", "button.campaign_cancel_yes", "campaigncancel")
    if not campaigns.cancel(ask.tx, found.id, ask.writer.person_id, ask.now):
        return _gone()
    return (("campaigns.cancelled", {**shown.facts(ask, found), "buttons": [
        [["button.campaigns", {}, "/campaign"]]]}),)


def left(ask: Ask, rest: str) -> Parts:
    """Whom to reach next, the most fragile first: of one campaign by id, else of all that run; `+8` turns the page."""
    campaign_id, skip = ("", skipped(rest)) if rest.startswith("+") else (
        rest.partition(" ")[0], skipped(rest.partition(" ")[2]))
    one = campaigns.find(ask.tx, ask.scope, campaign_id) if campaign_id else None
    if campaign_id and (one is None or not one.runs):
        return _gone()
    running = [one] if one else [each.campaign for each in campaigning.section(ask.tx, ask.scope, ask.today, 0)]
    found: dict[str, Elder] = {}
    for each in running:
        found |= {elder.id: elder for elder in campaign_progress.left(ask.tx, ask.scope, each, skip + PAGE + 1)
                  if elder.id not in found}
    if not running and not any(each.runs for each in campaigns.listed(ask.tx, ask.scope)):
        return campaign(ask, "")
    page = list(found.values())[skip:skip + PAGE]
    if not page:
        return (("campaigns.all_reached", {"buttons": [[["button.campaigns", {}, "/campaign"]]]}),)
    buttons: Rows = [[["button.person", {"label": label(elder)}, f"/reach {elder.id}"]] for elder in page]
    if len(found) > skip + PAGE:
        to = f"/campaignleft {one.id} +{skip + PAGE}" if one else f"/campaignleft +{skip + PAGE}"
        buttons.append([["button.next_page", {}, to]])
    return (("campaigns.left", {"names": [each.name for each in running], "skip": skip, "people": [
        shown.person(elder, ask.today) for elder in page], "buttons": buttons}),)


def reach(ask: Ask, rest: str) -> Parts:
    """One elder: for what he is to be reached, what to say to him, and the ways to write it down."""
    elder = elders.find(ask.tx, ask.scope, rest)
    if elder is None or elder.status != "active":
        return (("menu.elder_gone", {}),)
    wanted = campaigning.open_over(ask.tx, ask.scope, elder)
    if not wanted:
        return (("campaigns.reached_already", {"elder": label(elder), "buttons": [
            [["button.campaign_left", {}, "/campaignleft"]]]}),)
    buttons: Rows = []
    ways = {way for each in wanted for way in each.met_by}
    if ask.may("phoned") and "phone" in ways:
        buttons.append([["button.called", {}, f"/phoned {elder.id}"]])
        if "video" in ways:
            buttons[0].append(["button.called_video", {}, f"/phoned {elder.id} video"])
    if ask.may("visit"):
        buttons.append([["button.visit", {}, f"/visit {elder.id}"]])
    if ask.may("phone"):
        buttons.append([["button.phone", {}, f"/phone {elder.id}"]])
    return (("campaigns.reach", {
        "elder": shown.person(elder, ask.today), "names": [each.name for each in wanted],
        "advice": list(dict.fromkeys(each.advice for each in wanted)), "by_phone": "phone" in ways,
        "remote": any(each.remote for each in wanted), "buttons": buttons}),)


def called(ask: Ask, rest: str) -> Parts:
    """`ELDER` or `ELDER video`: he was spoken to; the next one is offered."""
    elder_id, _, word = rest.partition(" ")
    elder = elders.find(ask.tx, ask.scope, elder_id)
    if elder is None or elder.status != "active":
        return (("menu.elder_gone", {}),)
    met = campaigning.called(ask.tx, elder, "video" if word == "video" else "phone", ask.today, ask.now)
    if not met:
        return (("campaigns.not_by_phone", {"elder": label(elder), "buttons": [
            [["button.visit", {}, f"/visit {elder.id}"]]]}),)
    ask.note("campaign.called", elder.id)
    buttons: Rows = []
    sections = campaigning.section(ask.tx, ask.scope, ask.today, 1)
    if sections:
        following = sections[0].next[0]
        buttons.append([["button.campaign_next", {"label": label(following)}, f"/reach {following.id}"]])
    buttons.append([["button.uncalled", {}, f"/unphoned {elder.id}"], ["button.campaigns", {}, "/campaign"]])
    return (("campaigns.called", {
        "elder": label(elder), "names": [each.name for each in met], "remote": any(each.remote for each in met),
        "left": [{"name": each.campaign.name, "left": each.left} for each in sections], "buttons": buttons}),)


def uncalled(ask: Ask, rest: str) -> Parts:
    """Takes back a press that was a slip."""
    elder = elders.find(ask.tx, ask.scope, rest)
    if elder is None:
        return (("menu.elder_gone", {}),)
    if not campaigning.uncalled(ask.tx, elder, ask.today):
        return (("campaigns.nothing_to_take_back", {"buttons": [[["button.campaigns", {}, "/campaign"]]]}),)
    ask.note("campaign.uncalled", elder.id)
    return (("campaigns.uncalled", {"elder": label(elder), "buttons": [
        [["button.campaign_reach", {"label": label(elder)}, f"/reach {elder.id}"]]]}),)


def tips(ask: Ask, rest: str) -> Parts:
    """Safety, first aid and health for one kind of campaign; with none named, the kinds."""
    if rest in ADVICE:
        return (("campaigns.tips", {"advice": [rest], "buttons": [[["button.campaigns", {}, "/campaign"]]]}),)
    return (("campaigns.which_tips", {"buttons": [
        [["button.tips_of", {"advice": each}, f"/campaigntips {each}"]] for each in ADVICE]}),)


def _one(ask: Ask, found: Campaign) -> Part:
    if found.state == "ended":
        return _closing(ask, found)
    managed = ask.may("campaign_days") and campaigns.managed(ask.tx, ask.scope, found.id)
    villages = campaign_progress.progress(ask.tx, ask.scope, found)
    wanted, reached = _sums(villages)
    buttons: Rows = []
    if found.runs and reached < wanted:
        buttons.append([["button.campaign_left", {}, f"/campaignleft {found.id}"]])
    buttons.append([["button.campaign_tips", {}, f"/campaigntips {found.advice}"]])
    if managed and found.state == "proposed":
        buttons.insert(0, [["button.campaign_open", {}, f"/campaignopen {found.id}"]])
    if managed and found.state in ("proposed", "open"):
        buttons.append([["button.campaign_days", {}, f"/campaigndays {found.id}"]])
        if found.runs:
            buttons[-1].append(["button.campaign_end", {}, f"/campaignend {found.id}"])
        if not (found.runs and found.remote):
            buttons[-1].append(["button.campaign_cancel", {}, f"/campaigncancel {found.id}"])
    return ("campaigns.one", {
        **shown.facts(ask, found), "wanted": wanted, "reached": reached,
        "paused": sum(each.paused for each in villages),
        "parts": _parts(ask, villages) if found.runs and len(villages) > 1 else [], "managed": managed,
        "buttons": buttons})


def _parts(ask: Ask, villages: list[Progress]) -> list[dict[str, object]]:
    """A line for each village; where they are many, for each township."""
    if len(villages) <= VILLAGES:
        return [{"name": each.village, "wanted": each.wanted, "reached": each.reached} for each in villages]
    townships: dict[str, list[Progress]] = {}
    for each in villages:
        townships.setdefault(each.path.rstrip("/").rpartition("/")[0], []).append(each)
    found = []
    for path, those in townships.items():
        area = areas.find(ask.tx, path.rpartition("/")[2])
        wanted, reached = _sums(those)
        found.append({"name": area.name if area else "", "wanted": wanted, "reached": reached})
    return found[:VILLAGES]


def _closing(ask: Ask, found: Campaign) -> Part:
    return shown.closing(ask.tx, ask.scope, found, ask.house.policy.timezone, (ask.today.isoformat(), ""))


def _sums(villages: list[Progress]) -> tuple[int, int]:
    return sum(each.wanted for each in villages), sum(each.reached for each in villages)


def _sure(ask: Ask, found: Campaign, sentence: str, yes: str, slash: str) -> Parts:
    return ((sentence, {**shown.facts(ask, found), "buttons": [
        [[yes, {}, f"/{slash} {found.id} yes"], ["button.campaign_keep", {}, f"/campaign {found.id}"]]]}),)


def _managed(ask: Ask, campaign_id: str) -> Campaign | None:
    """One on which the asker decides: it lies in his own subtree (C1)."""
    found = campaigns.find(ask.tx, ask.scope, campaign_id)
    return found if found and campaigns.managed(ask.tx, ask.scope, found.id) else None


def _gone() -> Parts:
    return (("campaigns.gone", {"buttons": [[["button.campaigns", {}, "/campaign"]]]}),)


COMMANDS = {"campaign": campaign, "campaign_new": open_one, "campaign_open": confirm, "campaign_days": days,
            "campaign_end": end, "campaign_cancel": cancel, "campaign_left": left, "campaign_tips": tips,
            "reach": reach, "phoned": called, "unphoned": uncalled}
