"""看证件号, 看电话, 谁看过, 本人资料: what only few may read of an elder, each time with a line on the audit chain."""

from collections.abc import Callable
from typing import Any

from conversations import lookup
from conversations.engine import Part
from conversations.turn import Ask, label
from storage import audit, elder_files, elders, people, ties
from storage.elders import Elder

COORDINATING = frozenset({"village", "township", "county"})
# in which role towards this elder each command may be used: the table of permissions knows no elders
FOR_WHOM = {"idnumber": COORDINATING, "phone": COORDINATING | {"first_contact"}, "audit": COORDINATING,
            "owndata": COORDINATING}
BUTTONS = ((("button.idnumber", "idnumber"), ("button.phone", "phone")),
           (("button.audit", "audit"), ("button.owndata", "owndata")))
PAGE = 10
Rows = list[list[list[object]]]


def buttons(ask: Ask, elder: Elder) -> Rows:
    """What of these the asker may press in this elder's file."""
    roles = ties.over(ask.tx, ask.scope, elder.id)
    if not roles & FOR_WHOM["phone"]:
        return []
    rows: Rows = [[[key, {}, f"/{name} {elder.id}"] for key, name in row
                   if roles & FOR_WHOM[name] and ask.may(name) and _fit_here(ask, name)] for row in BUTTONS]
    return [row for row in rows if row]


def shows(ask: Ask, elder: Elder, name: str) -> bool:
    """Whether the asker may be shown this of the elder, here."""
    return bool(ties.over(ask.tx, ask.scope, elder.id) & FOR_WHOM[name]) and ask.may(name) and _fit_here(ask, name)


def id_number(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The whole ID number, once."""
    return _for(ask, "idnumber", rest, lambda elder: _revealed(ask, elder, "id_number"))


def phone(ask: Ask, rest: str) -> tuple[Part, ...]:
    """The phone number, once."""
    return _for(ask, "phone", rest, lambda elder: _revealed(ask, elder, "phone"))


def own_data(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Everything kept on an elder as a Word file, for himself; made when it is sent."""
    def made(elder: Elder) -> tuple[Part, ...]:
        ask.note("elder.owndata", elder.id, ("everything",))
        return (("privacy.owndata", {"elder": elder.name, "document": {
            "kind": "own_data", "elder": elder.id, "person": ask.writer.person_id}}),)
    return _for(ask, "owndata", rest, made)


def who_read(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Who read or changed an elder's file, the newest first; after the elder, the line before which to begin."""
    which, _, before = rest.rpartition(" ")
    if not (which and before.isascii() and before.isdigit() and len(before) < 10):
        which, before = rest, ""
    return _for(ask, "audit", which, lambda elder: _lines(ask, elder, int(before) if before else audit.NEWEST))


def _lines(ask: Ask, elder: Elder, before: int) -> tuple[Part, ...]:
    found = audit.about(ask.tx, elder.id, PAGE, before)
    ask.note("audit.read", elder.id)
    told: list[dict[str, Any]] = []
    for line in found:
        at = line.at.astimezone(ask.house.policy.zone)
        for entry in line.entries:
            person = people.find(ask.tx, entry.actor)
            told.append({"day": at.date().isoformat(), "time": f"{at:%H:%M}", "who": person.name if person else "",
                         "action": entry.action, "fields": list(entry.fields)})
    more: Rows = [[["button.earlier", {}, f"/audit {elder.id} {found[-1].seq}"]]] if len(found) == PAGE else []
    return (("privacy.audit", {"elder": label(elder), "lines": told, "buttons": more}),)


def _revealed(ask: Ask, elder: Elder, field: str) -> tuple[Part, ...]:
    file = elder_files.read(ask.tx, ask.scope, elder.id)
    value = getattr(file, field) if file else ""
    if not value:
        return ((f"privacy.no_{field}", {"elder": label(elder)}),)
    ask.note("elder.reveal", elder.id, (field,))
    return ((f"privacy.{field}", {"elder": label(elder), "value": value}),)


def _for(ask: Ask, name: str, which: str, answer: Callable[[Elder], tuple[Part, ...]]) -> tuple[Part, ...]:
    """The one elder meant, where the asker may do this to him on this channel."""
    if not which:
        return (("menu.which_elder", {}),)
    by_id = elders.find(ask.tx, ask.scope, which)
    found = [by_id] if by_id else lookup.matching(ask, which)
    found = [elder for elder in found if elder.condition != "erased"]
    if not found:
        return (("menu.elder_gone", {}),)
    if len(found) > 1:
        rows = [[["button.person", {"label": label(each)}, f"/{name} {each.id}"]] for each in found]
        return (("form.which", {"count": len(found), "buttons": rows}),)
    if not ties.over(ask.tx, ask.scope, found[0].id) & FOR_WHOM[name]:
        return (("privacy.not_yours", {}),)
    if not _fit_here(ask, name):
        return (("privacy.abroad", {}),)
    return answer(found[0])


def _fit_here(ask: Ask, name: str) -> bool:
    """What the chain says may be told on a channel abroad; numbers and whole files may not."""
    return name == "audit" or ask.inbound.channel not in ask.house.abroad


COMMANDS = {"idnumber": id_number, "phone": phone, "audit": who_read, "owndata": own_data}
