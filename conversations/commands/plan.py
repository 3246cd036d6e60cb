"""日程: a proposal for the next two weeks, day by day and place by place; also as a file for the phone's calendar."""

from conversations.documents import plan as plans
from conversations.documents.plan import Plan
from conversations.engine import Part
from conversations.turn import Ask
from scheduler.planning import Walk
from storage.to_see import ToSee

FILE = "file"


def plan(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The asker's own days; with `file` the file. It is reckoned anew each time: whoever was seen is out of it."""
    found = plans.gather(ask.tx, ask.scope)
    if not found.count:
        return (("plan.none", {"later": found.later, "buttons": [[["button.mine", {}, "/my"]]]}),)
    if rest == FILE:
        return (("plan.sent", {"document": {"kind": "plan", "person": ask.writer.person_id}}),)
    return (("plan.told", {
        "first": found.first.isoformat(), "last": found.last.isoformat(), "count": found.count, "later": found.later,
        "days": _days(found), "buttons": [[["button.plan_file", {}, f"/plan {FILE}"], ["button.due", {}, "/due"]]]}),)


def _days(found: Plan) -> list[dict[str, object]]:
    days: dict[str, list[dict[str, object]]] = {}
    for walk in found.walks:
        days.setdefault(walk.day.isoformat(), []).append(_walk(found, walk))
    return [{"day": day, "walks": walks} for day, walks in days.items()]


def _walk(found: Plan, walk: Walk[ToSee]) -> dict[str, object]:
    village, group = walk.place
    return {"village": village, "group": group, "people": [
        {"name": each.name, "overdue": each.last < found.first, "last_day": each.last == walk.day}
        for each in walk.seen]}


COMMANDS = {"plan": plan}
