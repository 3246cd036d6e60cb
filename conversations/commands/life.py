"""变动, 意愿, and what of them stands on a card: how an elder's life changed, and what he wants."""

from datetime import timedelta

from conversations import lists, lookup, session
from conversations.engine import Part
from conversations.life import in_question
from conversations.lists import PAGE, skipped
from conversations.turn import Ask, label
from storage import elder_files, elders, people, reviews
from storage.elders import Elder

Rows = list[list[list[object]]]


def change(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Reports a change of one elder's life; with no name, and only one elder in sight, it is his."""
    found = lookup.one(ask, rest, "change") if rest else _only(ask)
    if not isinstance(found, Elder):
        return found
    if in_question(found):
        return (("life.consent_paused", {"elder": found.name, "buttons": [[["button.wish", {}, f"/wish {found.id}"]]]
                                         if ask.may("wish") else []}),)
    if found.status == "closed":
        if found.condition == "erased":
            return (("menu.elder_gone", {}),)
        if found.condition == "refused":
            return (("life.consent_closed", {"elder": found.name}),)
        if not elders.held(ask.tx, ask.scope, found.id):
            return (("life.closed_ask", {"elder": found.name, "why": found.condition}),)
    return session.start(ask, "life", {"elder_id": found.id, "elder_name": found.name, "stands": found.status,
                                       "registered_on": found.registered_on})


def wish(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Asks what the elder wants; with no name, the list of who is to be asked again."""
    if not rest or rest.startswith("+"):
        return _again(ask, rest)
    found = lookup.one(ask, rest, "wish")
    if not isinstance(found, Elder):
        return found
    if found.condition == "erased":
        return (("menu.elder_gone", {}),)
    return session.start(ask, "wish", {"elder_id": found.id, "elder_name": found.name,
                                       "registered_on": found.registered_on})


def to_refresh(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The files that nobody has gone through for half a year, the oldest first (C3)."""
    since = (ask.today - timedelta(days=ask.policy(ask.person.area_id).refresh_days)).isoformat()
    skip = skipped(rest)
    total, page = reviews.old_count(ask.tx, ask.scope, since), reviews.old(ask.tx, ask.scope, since, PAGE, skip)
    shown = [{**label(elder), "day": elder.reviewed_on} for elder in page]
    return (("life.refresh_list", {
        "total": total, "people": shown, "buttons": _buttons(page, "refresh", skip, total)}),)


def _again(ask: Ask, rest: str) -> tuple[Part, ...]:
    until = (ask.today - timedelta(days=ask.policy(ask.person.area_id).wish_again_days)).isoformat()
    skip = skipped(rest)
    total = reviews.ask_again_count(ask.tx, ask.scope, until)
    page = reviews.ask_again(ask.tx, ask.scope, until, PAGE, skip)
    shown = [{**label(found), "wish": found.wish, "day": _asked_on(ask, found)} for found in page]
    return (("life.wish_list", {
        "total": total, "people": shown, "buttons": _buttons(page, "wish", skip, total)}),)


def _asked_on(ask: Ask, elder: Elder) -> str:
    """The day (ISO) on which he was last asked; of what came with a spreadsheet, that of the filing."""
    asked = elder_files.wishes_of(ask.tx, elder.id)
    return asked[0].on_day if asked else elder.registered_on


def _buttons(page: list[Elder], command: str, skip: int, total: int) -> Rows:
    return lists.buttons(page, command, total, skip) or [[["button.mine", {}, "/my"]]]


def _only(ask: Ask) -> Elder | tuple[Part, ...]:
    """The one elder in sight, or whom to choose from."""
    known = elders.due_first(ask.tx, ask.scope, lookup.MOST)
    if len(known) == 1:
        return known[0]
    if not known or len(known) == lookup.MOST:
        return (("life.which", {}),)
    return (("life.which_mine", {"buttons": [
        [["button.person", {"label": label(each)}, f"/change {each.id}"]] for each in known]}),)


def standing(ask: Ask, found: Elder) -> tuple[Part, ...]:
    """What a card says of pauses, the wish, and a file to be gone through again; empty where there is nothing."""
    wishes = []
    for each in elder_files.wishes_of(ask.tx, found.id)[:3]:
        asker = people.find(ask.tx, each.asked_by) if each.asked_by else None
        wishes.append({"day": each.on_day, "wish": each.wish, "basis": each.basis, "by": asker.name if asker else ""})
    paused = found.status != "active"
    old = found.status == "active" and _is_old(ask, found)
    if not (paused or wishes or old):
        return ()
    return (("life.standing", {
        "status": found.status, "why": found.condition or "", "since": found.condition_since or "",
        "until": found.condition_until or "", "wishes": wishes, "old": old}),)


def buttons(ask: Ask, found: Elder) -> Rows:
    """The steps from a card."""
    row: list[list[object]] = []
    closed = found.status == "closed"
    if ask.may("change") and (not closed or (
            found.condition in ("moved", "died") and elders.held(ask.tx, ask.scope, found.id))):
        row.append(["button.restore" if closed else "button.life", {}, f"/change {found.id}"])
    if ask.may("wish") and (not closed or found.condition == "refused"):
        row.append(["button.wish", {}, f"/wish {found.id}"])
    if ask.may("refresh") and not closed and _is_old(ask, found):
        row.append(["button.refresh", {}, f"/refresh {found.id}"])
    return [row] if row else []


def _is_old(ask: Ask, found: Elder) -> bool:
    since = ask.today - timedelta(days=ask.policy(found.village_id).refresh_days)
    return (found.reviewed_on or "") <= since.isoformat()


COMMANDS = {"change": change, "wish": wish}
