"""今天去不了: why, and then another day within the window, or another visitor. Two taps, and no blame."""

from datetime import date, timedelta

from conversations import due_lists, lookup
from conversations.engine import Part
from conversations.lists import PAGE
from conversations.turn import Ask, label
from scheduler import notices
from scheduler.reminder_notices import EVER, NobodyHome, OtherWanted
from storage import accounts, assignments, due, elders, people, postponements, reminding, ties
from storage.elders import Elder
from storage.postponements import REASONS, Reason

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
OTHER = "else"  # instead of a day: somebody else is to go


def cannot(ask: Ask, rest: str) -> Parts:
    """`ELDER`: asks why. `ELDER REASON`: proposes days. `ELDER REASON DAY` or `… else`: keeps it."""
    elder_id, _, said = rest.partition(" ")
    word, _, instead = said.partition(" ")
    if not elder_id:
        return _which(ask)
    elder = _visited(ask, elder_id) or _named(ask, rest)
    if elder is None:
        return (("menu.elder_gone", {}), *_which(ask))
    if elder.due_from > ask.today.isoformat():
        return (("cannot.seen", {"elder": elder.name, "first": elder.due_from}),)
    reason = next((each for each in REASONS if each == word), None)
    if reason is None:
        return (("cannot.why", {"elder": label(elder), "buttons": [
            [[f"cannot_reason.{each}", {}, f"/cannot {elder.id} {each}"]] for each in REASONS]}),)
    days = _days(ask, elder)
    if instead == OTHER:
        return _somebody_else(ask, elder, reason)
    day = next((each for each in days if each.isoformat() == instead), None)
    if day is None:
        return (_proposed(ask, elder, reason, days),)
    _keep(ask, elder, day, reason, comes=True)
    return (("cannot.kept", {"elder": elder.name, "day": day.isoformat(), "buttons": _back()}),)


def _which(ask: Ask) -> Parts:
    """Of those who are due and theirs to visit."""
    found = due.own(ask.tx, ask.scope, EVER, "", PAGE)
    if not found:
        return (("cannot.none", {"buttons": _back()}),)
    rows: Rows = [[["button.person", {"label": due_lists.label(each)}, f"/cannot {each.id}"]] for each in found]
    if len(found) > 1 and ask.may("leave"):
        rows.append([["button.cannot_any", {}, "/leave"]])
    return (("cannot.which", {"buttons": rows}),)


def _named(ask: Ask, text: str) -> Elder | None:
    """今天去不了 陈大贵: the one whose name was typed."""
    found = lookup.matching(ask, text)
    return _visited(ask, found[0].id) if len(found) == 1 else None


def _visited(ask: Ask, elder_id: str) -> Elder | None:
    """The elder, where the asker is to visit him."""
    elder = elders.find(ask.tx, ask.scope, elder_id)
    goes = elder and ties.over(ask.tx, ask.scope, elder.id) & {*assignments.VISITING}
    return elder if goes and elder and elder.status == "active" else None


def _days(ask: Ask, elder: Elder) -> list[date]:
    """Tomorrow and further, to the end of the window; where that is over or at its end, the next few days."""
    rules = ask.policy(elder.village_id).reminders
    left = (date.fromisoformat(elder.due_until) - ask.today).days
    return [ask.today + timedelta(days=n) for n in range(1, 1 + min(max(left, rules.postpone_days), PAGE - 1))]


def _proposed(ask: Ask, elder: Elder, reason: Reason, days: list[date]) -> Part:
    rows: Rows = [[["button.on_day", {"day": each.isoformat()}, f"/cannot {elder.id} {reason} {each.isoformat()}"]]
                  for each in days]
    rows.append([["button.somebody_else", {}, f"/cannot {elder.id} {reason} {OTHER}"]])
    return ("cannot.days", {"elder": elder.name, "last": elder.due_until,
                            "over": elder.due_until <= ask.today.isoformat(), "buttons": rows})


def _somebody_else(ask: Ask, elder: Elder, reason: Reason) -> Parts:
    _keep(ask, elder, ask.today + timedelta(days=1), reason, comes=False)
    me, day = ask.writer.person_id, ask.today.isoformat()
    over = people.nearest_coordinators(ask.tx, elder.village_id, besides=me)
    for person in over:
        notices.tell(ask.tx, OtherWanted(person=person, elder=elder.id, visitor=me, day=day, reason=reason), ask.now,
                     unique_key=f"other_wanted:{elder.id}:{me}:{day}:{person}")
    told = any(accounts.reached(ask.tx, person) for person in over)
    return (("cannot.asked", {"elder": elder.name, "told": told, "buttons": _back()}),)


def _keep(ask: Ask, elder: Elder, until: date, reason: Reason, *, comes: bool) -> None:
    """Not before that day, on which he comes himself, or hears of it where the window is over.

    Nobody at home twice in a row, with no visit in between, is said to the coordinator.
    """
    if comes or elder.due_until < ask.today.isoformat():  # it may be long before his window's last days, or after
        reminding.sooner(ask.tx, elder.id, until.isoformat())
    before = postponements.last(ask.tx, elder.id, ask.writer.person_id)
    if before and (before[0].until_on, before[0].reason) == (until.isoformat(), reason):
        return  # pressed twice
    postponements.add(ask.tx, elder.id, ask.writer.person_id, until, reason, ask.now)
    ask.note("elder.postpone", elder.id, ("day", "reason"))
    if reason != "nobody_home" or not before or before[0].reason != "nobody_home":
        return
    said_on = ask.house.today(before[0].made_at).isoformat()
    if said_on < ask.today.isoformat() and (elder.last_visit_on or "") < said_on:
        for person in people.nearest_coordinators(ask.tx, elder.village_id, besides=ask.writer.person_id):
            notices.tell(ask.tx, NobodyHome(person=person, elder=elder.id, visitor=ask.writer.person_id,
                                            day=ask.today.isoformat()), ask.now,
                         unique_key=f"nobody_home:{elder.id}:{ask.today}:{person}")


def _back() -> Rows:
    return [[["button.due", {}, "/due"]]]


COMMANDS = {"cannot": cannot}
