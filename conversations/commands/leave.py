"""请假, 代看: a visitor is away for some days, and somebody else sees his elders meanwhile."""

from conversations import leaving, session
from conversations.commands.people import one
from conversations.engine import Part
from conversations.turn import Ask
from storage import leaves, people
from storage.people import Person

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]


def leave(ask: Ask, rest: str) -> Parts:
    """Nothing: his leaves, or the form where he has none. `new`: the form. `withdraw ID`: takes one back."""
    what, _, which = rest.partition(" ")
    mine = leaves.of(ask.tx, ask.writer.person_id, ask.today)
    if what == "withdraw":
        found = next((each for each in mine if each.id == which), None)
        return leaving.withdraw(ask, found) if found else (("leave.gone", {}),)
    if what == "new" or not mine:
        return session.start(ask, "leave", leaving.opening(ask, ask.person))
    buttons: Rows = [[["button.leave_withdraw", {"first": each.from_on}, f"/leave withdraw {each.id}"]]
                     for each in mine]
    return (("leave.list", {"leaves": [leaving.shown(each) for each in mine],
                            "buttons": [*buttons, [["button.leave_new", {}, "/leave new"]]]}),)


def leave_for(ask: Ask, rest: str) -> Parts:
    """A coordinator enters it for somebody of his area, by id or name. `withdraw ID`: takes one back."""
    what, _, which = rest.partition(" ")
    if what == "withdraw":
        entered = leaves.find(ask.tx, which)
        his = people.held(ask.tx, ask.scope, entered.person_id) if entered else None
        found = next((each for each in leaves.of(ask.tx, his.id, ask.today) if each.id == which), None) if his else None
        return leaving.withdraw(ask, found) if found else (("leave.gone", {}),)
    who = one(ask, rest, "leavefor")
    if not isinstance(who, Person):
        return who
    return (("leave.whose", {"name": who.name}), *session.start(ask, "leavefor", leaving.opening(ask, who)))


def stand_in(ask: Ask, rest: str) -> Parts:
    """A coordinator says who stands in: asks to whom the elders go meanwhile."""
    found = leaving.arrangeable(ask, rest)
    if found is None:
        return (("leave.gone", {}),)
    village = leaving.village(ask, found)
    return (("leave.card", leaving.shown(found)), *session.start(ask, "standin", {
        "leave_id": found.id, "village_id": village,
        "not_these": [found.person_id, *([found.stand_in] if found.stand_in else [])]}))


COMMANDS = {"leave": leave, "leave_for": leave_for, "stand_in": stand_in}
