"""提醒: a coordinator asks who visits an elder, or the elders of a village, to go.

A nudge keeps to quiet hours and the cap: who asks for it is told when it will arrive, or why it will not.
"""

from typing import Any

from conversations import lookup
from conversations.commands import due as lists
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import notices
from scheduler.reminder_notices import Nudge
from storage import accounts, areas, due, elders, postponements, quotas
from storage.areas import Area
from storage.due import Goer
from storage.elders import Elder

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def remind(ask: Ask, rest: str) -> Parts:
    """An elder or a village, by id or name; nothing: whose window is over."""
    if not rest:
        return lists.overdue(ask, "")
    village = next((area for area in areas.held(ask.tx, ask.writer.person_id)
                    if area.level == "village" and rest in (area.id, area.name)), None)
    if village is not None:
        return _of_village(ask, village)
    found = lookup.one(ask, rest, "remind")
    if not isinstance(found, Elder):
        return found
    if not elders.held(ask.tx, ask.scope, found.id):
        return (("menu.not_allowed", {}),)
    return (_of_elder(ask, found),)


def _of_elder(ask: Ask, elder: Elder) -> Part:
    fields: dict[str, Any] = {"elder": elder.name, "until": "", "people": [], "buttons": [
        [["button.file", {}, f"/elder {elder.id}"]]]}
    if elder.status != "active" or elder.wish == "unwilling":
        return ("remind.resting", {**fields, "why": elder.condition or "" if elder.status != "active" else "unwilling"})
    if elder.due_from > ask.today.isoformat():
        return ("remind.seen", {**fields, "until": elder.due_from})
    goers = due.goers(ask.tx, ask.scope, elder_id=elder.id)
    if not goers:
        return ("remind.nobody", {**fields, "buttons": [[["button.assign", {}, f"/assign {elder.id}"]]]})
    return ("remind.told", {**fields, "people": [_nudge(ask, each, elder=elder.id) for each in goers]})


def _of_village(ask: Ask, village: Area) -> Parts:
    goers = due.goers(ask.tx, ask.scope, village_id=village.id)
    buttons: Rows = [[["button.overdue", {}, "/overdue"]]]
    if not goers:
        return (("remind.nobody_in", {"village": village.name, "buttons": buttons}),)
    return (("remind.told_in", {"village": village.name, "buttons": buttons, "people": [
        _nudge(ask, each, village=village.id) for each in goers]}),)


def _nudge(ask: Ask, goer: Goer, *, elder: str = "", village: str = "") -> dict[str, Any]:
    """Tells one of them; gives what came of it: now, morning, tomorrow, or why not: himself, unbound, again, put_off.
    """
    told = {"name": goer.name, "count": goer.count, "day": ""}
    if goer.person_id == ask.writer.person_id:
        return {**told, "how": "himself"}
    said = postponements.last(ask.tx, elder, goer.person_id) if elder else []
    if said and said[0].until_on > ask.today.isoformat():
        return {**told, "how": "put_off", "day": said[0].until_on}
    if accounts.reached(ask.tx, goer.person_id) is None:
        return {**told, "how": "unbound"}
    notice = Nudge(person=goer.person_id, by=ask.writer.person_id, elder=elder, village=village)
    if not notice.still_wanted(ask.tx, ask.today):  # he put off all of the village
        return {**told, "how": "put_off"}
    if not notices.tell(ask.tx, notice, ask.now,
                        unique_key=f"nudge:{elder or village}:{goer.person_id}:{ask.today}"):
        return {**told, "how": "again"}
    ask.note("person.remind", goer.person_id, (elder or village,))
    return {**told, "how": _when(ask, goer.person_id)}


def _when(ask: Ask, person_id: str) -> str:
    """When it will arrive: quiet hours and the cap are kept where messages leave."""
    rules, zone = ask.house.policy.messages, ask.house.policy.zone
    if opens := rules.quiet(ask.now, zone):
        return "morning" if opens.date() == ask.now.astimezone(zone).date() else "tomorrow"
    return "now" if quotas.used(ask.tx, person_id, ask.today) < rules.most_a_day else "tomorrow"


COMMANDS = {"remind": remind}
