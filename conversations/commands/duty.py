"""值班: who is told of an alert in a village, one after the other, and who is not reached."""

from conversations.engine import Part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask
from scheduler import duty
from scheduler.ladders import Rungs
from storage import areas
from storage.areas import Area

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
DAY = "day"  # behind a village: what holds by day


def shown(ask: Ask, rest: str) -> Parts:
    """The night of the asker's village, or of one that he coordinates, by id or name; `day` behind it shows the day."""
    mine = areas.villages_of(ask.tx, ask.writer.person_id)
    called, _, when = rest.partition(" ")
    meant = [area for area in mine if called in (area.id, area.name)]
    if called == DAY:
        meant, when = mine, DAY
    if not called or called.startswith("+"):
        meant = mine
    if not meant:
        return (("ladder.no_village", {"buttons": [[["button.duty", {}, "/duty"]]] if mine else []}),)
    return _duty(ask, meant[0], night=when != DAY) if len(meant) == 1 else _which(meant, skipped(called))


def _which(villages: list[Area], skip: int) -> Parts:
    rows: Rows = [[["button.duty_of", {"name": each.name}, f"/duty {each.id}"]] for each in villages[skip:skip + PAGE]]
    return (("ladder.which", {"buttons": rows + further("/duty", len(villages), skip)}),)


def _duty(ask: Ask, village: Area, *, night: bool) -> Parts:
    found = duty.of_village(ask.tx, village.id, ask.house.policies, ask.today, night=night)
    rules = ask.policy(village.id).alerts
    other = (["button.duty_day", {}, f"/duty {village.id} {DAY}"] if night
             else ["button.duty_night", {}, f"/duty {village.id}"])
    return (("ladder.duty", {
        "area": village.name, "night": night, "first": rules.night_from, "last": rules.night_until,
        "steps": _steps(found.rungs), "others": [
            {"kinds": list(kinds), "steps": _steps(rungs)} for kinds, rungs in found.others],
        "ranks": [{"rank": rank, "reached": any(each.channel for each in those), "people": [
            {"name": each.name, "role": each.role, "kind": each.kind, "channel": each.channel} for each in those]}
            for rank, those in found.ranks.items()],
        "buttons": [[other]]}),)


def _steps(rungs: Rungs) -> list[dict[str, object]]:
    """The rungs, with those near before all others: they are told when it is raised."""
    at_once = [rank for rung in rungs if not rung.after for rank in rung.tell if rank != "near"]
    later = [{"after": rung.after, "ranks": list(rung.tell)} for rung in rungs if rung.after]
    return [{"after": 0, "ranks": ["near", *at_once]}, *later]


COMMANDS = {"duty": shown}
