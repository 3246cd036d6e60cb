"""政策: the rules that hold in a coordinator's area, and who set each."""

from typing import Any

from pydantic import BaseModel

from conversations.engine import Part
from conversations.turn import Ask
from scheduler import policy
from storage import areas, people
from storage.areas import Area


def rules(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Those of the own area, or of one in it by id or name; buttons lead to the other areas of the same person."""
    held = areas.held(ask.tx, ask.writer.person_id)
    if rest:
        meant = [area for area in held if rest in (area.id, area.name)][:1]
    else:
        own = {post.area_id for post in people.posts_of(ask.tx, ask.writer.person_id)}
        meant = [area for area in held if area.id in own]
    if not meant:
        return (("policy.no_area", {"buttons": [[["button.policy", {}, "/policy"]]]}),)
    return (_shown(ask, meant[0], meant[1:]),)


def _shown(ask: Ask, area: Area, others: list[Area]) -> Part:
    found = ask.house.policies.rules(*policy.place(ask.tx, area.id))
    lines = [{"key": rule.key, "value": _plain(rule.value), "origin": rule.origin, "place": rule.place}
             for rule in found if rule.key != "timezone"]
    buttons = [[["button.policy_of", {"area": each.name}, f"/policy {each.id}"]] for each in others]
    return ("policy.rules", {"area": area.name, "lines": lines, "buttons": buttons})


def _plain(value: Any) -> Any:
    """What words want of a rule: the names of a table of tables, the values of one table."""
    return list(value) if isinstance(value, dict) else value.model_dump() if isinstance(value, BaseModel) else value


COMMANDS = {"policy": rules}
