"""待访, 逾期: who is to be seen now, by urgency and place."""

from conversations import due_lists
from conversations.engine import Part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask
from storage import alert_risks, due, elders, leaves
from storage.due import Waiting

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def now_due(ask: Ask, rest: str) -> Parts:
    """A page of those whose window is open."""
    skip = skipped(rest)
    total, page = due.count(ask.tx, ask.scope), due.page(ask.tx, ask.scope, PAGE, skip)
    if not page:
        return (*_away(ask), ("reminders.none", {"buttons": [[["button.mine", {}, "/my"]]]}))
    rows = due_lists.visits(page)
    rows += further("/due", total, skip)
    return (*_away(ask), ("reminders.list", {
        "total": total, "buttons": rows,
        "groups": due_lists.groups(page, ask.today, risks=alert_risks.elders(ask.tx, ask.scope))}))


def overdue(ask: Ask, rest: str) -> Parts:
    """A page of those whose window has ended; a coordinator asks who visits them to go, others go."""
    skip = skipped(rest)
    total = due.count(ask.tx, ask.scope, overdue=True)
    page = due.page(ask.tx, ask.scope, PAGE, skip, overdue=True)
    if not page:
        return (("reminders.none_overdue", {"buttons": [[["button.due", {}, "/due"]]]}),)
    asks = ask.may("remind")
    rows: Rows = [[["button.person", {"label": due_lists.label(each)}, f"/{_step(ask, each, asks=asks)} {each.id}"]]
                  for each in page]
    if asks:
        rows += [[["button.remind_village", {"village": name}, f"/remind {village}"]]
                 for village, name in {each.village_id: each.village for each in page}.items()]
    rows += further("/overdue", total, skip)
    return (("reminders.overdue", {"total": total, "groups": due_lists.groups(page, ask.today, risks=alert_risks.elders(
        ask.tx, ask.scope)), "asks": asks, "buttons": rows}),)


def _step(ask: Ask, each: Waiting, *, asks: bool) -> str:
    return "remind" if asks and elders.held(ask.tx, ask.scope, each.id) else "visit"


def _away(ask: Ask) -> Parts:
    """Who is on leave is told that nobody expects him."""
    running = [each for each in leaves.of(ask.tx, ask.writer.person_id, ask.today)
               if each.from_on <= ask.today.isoformat()]
    return tuple(("reminders.away", {"last": each.until_on, "stand_in": each.stand_in_name or ""})
                 for each in running[:1])


COMMANDS = {"due": now_due, "overdue": overdue}
