"""演练: on an elder or a made-up name, of which kind, and whether the township hears of it; then it goes its way."""

from conversations import lookup
from conversations.commands import alerts as cards
from conversations.engine import Part
from conversations.lists import further, skipped
from conversations.turn import Ask, label
from scheduler import drills
from storage import alert_drills, elders
from storage.elders import Elder

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
LISTED = 8
NAME_LENGTH = 10  # characters of a made-up name: it must fit into a button


def drill(ask: Ask, rest: str) -> Parts:
    """Whom it is to be about; with that said, of which kind. While his own runs he is shown that one."""
    if own := alert_drills.of(ask.tx, ask.writer.person_id):
        return (("drill.runs", {"number": own.called}), *cards.card(ask, own.id))
    if not rest or rest.startswith("+"):
        return (_whom(ask, skipped(rest)),)
    who = _who(ask, rest)
    if who is None:
        return (("drill.which", {}), _whom(ask, 0))
    kinds: list[list[object]] = [
        ["button.sos_what", {"what": kind}, f"/drillas {kind} {who[0]}"] for kind in drills.KINDS]
    return (("drill.kind", {"name": who[1], "buttons": [kinds[at:at + 2] for at in range(0, len(kinds), 2)]}),)


def of_kind(ask: Ask, rest: str) -> Parts:
    """`KIND WHO`: asks whether the township is to hear of it."""
    kind, _, which = rest.partition(" ")
    who = _who(ask, which)
    if who is None or kind not in drills.KINDS:
        return drill(ask, "")
    reach: Rows = [[["button.drill_village", {}, f"/drillgo {drills.VILLAGE} {kind} {who[0]}"]],
                   [["button.drill_township", {}, f"/drillgo {drills.TOWNSHIP} {kind} {who[0]}"]]]
    return (("drill.reach", {"name": who[1], "what": kind, "minutes": _minutes(ask), "buttons": reach}),)


def go(ask: Ask, rest: str) -> Parts:
    """`REACH KIND WHO`: it begins."""
    reach, _, others = rest.partition(" ")
    kind, _, which = others.partition(" ")
    who = _who(ask, which)
    if who is None or kind not in drills.KINDS or reach not in (str(drills.VILLAGE), str(drills.TOWNSHIP)):
        return drill(ask, "")
    me, elder = ask.writer.person_id, elders.find(ask.tx, ask.scope, who[0])
    begun = drills.start(ask.tx, elder, drills.village_of(ask.tx, me) or "", who[1], kind, me, int(reach),
                         ask.house.policies, ask.now)
    if begun is None:
        return drill(ask, "")
    return (("drill.mark", {}), ("drill.begun", {"number": begun.called, "minutes": _minutes(ask), "buttons": [
        [["button.alert", {}, f"/alert {begun.id}"]]]}))


def _who(ask: Ask, which: str) -> tuple[str, str] | None:
    """An elder where he coordinates, by id or name, or else a made-up name; each as buttons and as people have it."""
    by_id = elders.find(ask.tx, ask.scope, which)
    found: list[Elder] = [by_id] if by_id else [
        each for each in lookup.matching(ask, which) if elders.held(ask.tx, ask.scope, each.id)]
    if len(found) == 1:
        return (found[0].id, found[0].name) if elders.held(ask.tx, ask.scope, found[0].id) else None
    made_up = which.strip()[:NAME_LENGTH]
    return (made_up, made_up) if not found and made_up and drills.village_of(ask.tx, ask.writer.person_id) else None


def _whom(ask: Ask, skip: int) -> Part:
    page = [each for each in elders.due_first(ask.tx, ask.scope, LISTED, skip)
            if elders.held(ask.tx, ask.scope, each.id)]
    rows: Rows = [[["button.person", {"label": label(each)}, f"/drill {each.id}"]] for each in page]
    rows += further("/drill", elders.count(ask.tx, ask.scope), skip, LISTED)
    return ("drill.whom", {"made_up": drills.village_of(ask.tx, ask.writer.person_id) is not None, "buttons": rows})


def _minutes(ask: Ask) -> int:
    return ask.policy(ask.person.area_id).alerts.drill_minutes


COMMANDS = {"drill": drill, "drill_as": of_kind, "drill_go": go}
