"""摸排: which groups and estates were gone through, none left out (不漏一户、不漏一人)."""

from conversations import session
from conversations.draft import Answer
from conversations.engine import Part
from conversations.lookups import villages
from conversations.turn import Ask
from storage import surveys
from storage.ids import millis

MOST = 30  # villages in one message


def survey(ask: Ask, rest: str) -> tuple[Part, ...]:
    """How far the survey is in the village named, or in each of the asker's villages."""
    known = villages(ask)
    chosen = [area for area in known if rest in (area.id, area.name)] if rest else known
    if not chosen:
        return (("survey.no_village", {}),)
    where = chosen[0].id if len(chosen) == 1 else ""
    buttons: list[list[list[object]]] = [[["survey_button.write", {}, f"/surveyed {where}"]]]
    if where:
        groups = surveys.coverage(ask.tx, chosen[0].id)
        return (("survey.village", {
            "village": chosen[0].name, "left": sum(each.on_day is None for each in groups), "groups": [
                {"name": each.group, "registered": each.registered, "day": each.on_day, "households": each.households,
                 "found": each.found} for each in groups], "buttons": buttons}),)
    lines = []
    for area in chosen[:MOST]:
        groups = surveys.coverage(ask.tx, area.id)
        done = sum(each.on_day is not None for each in groups)
        lines.append({"village": area.name, "total": len(groups), "done": done})
        buttons.append([["survey_button.village", {"village": area.name}, f"/survey {area.id}"]])
    return (("survey.villages", {"lines": lines, "more": len(chosen) - len(lines), "buttons": buttons}),)


def surveyed(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Writes down that a group was gone through."""
    known = villages(ask)
    chosen = [area for area in known if area.id == rest] or (known if len(known) == 1 else [])
    if not known:
        return (("survey.no_village", {}),)
    answers = {"village": Answer(chosen[0].id, millis(ask.now), "default")} if chosen else {}
    return session.start(ask, "survey", {"called": {"village": chosen[0].name}} if chosen else {}, answers)


COMMANDS = {"survey": survey, "surveyed": surveyed}
