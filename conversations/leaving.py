"""请假: what a leave becomes when its form is submitted, who is told, and how it is taken back."""

from collections import Counter
from datetime import date

from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.lookups import LOOK_UPS
from conversations.turn import Ask
from scheduler import notices
from scheduler.reminder_notices import LeaveNoted, LeaveOver, OnLeave, StandsIn
from scheduler.visitor_kinds import minor
from storage import assignments, leaves, people, reminding
from storage.leaves import Leave
from storage.people import Person

Parts = tuple[Part, ...]
_AGAIN: list[list[list[object]]] = [[["button.leave_new", {}, "/leave new"]]]


def opening(ask: Ask, who: Person) -> dict[str, object]:
    """What the form must know: the village where most of the person's elders live, and that he cannot be it himself."""
    today = ask.today.isoformat()
    return {"village_id": _most_of(assignments.visited(ask.tx, who.id, today, today)) or who.area_id,
            "not_these": [who.id], "person_id": who.id}


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """The leave stands from now on; the elders are the stand-in's while it runs. Who is away may be somebody all of
    whose work lies in the asker's area: he is told.
    """
    me, today = str(draft.context.get("person_id") or ask.writer.person_id), ask.today.isoformat()
    own = me == ask.writer.person_id
    again = _AGAIN if own else [[["button.leave_for", {}, f"/leavefor {me}"]]]
    if not own and people.held(ask.tx, ask.scope, me) is None:
        return Ended((("people.gone", {"buttons": [[["button.people", {}, "/people"]]]}),), "cancelled")
    first, last = max(str(draft.answers["first"].value), today), str(draft.answers["last"].value)
    if last < first:
        return Ended((("leave.ends_before", {"first": first, "last": last, "buttons": again}),), "cancelled")
    if leaves.overlaps(ask.tx, me, first, last):
        return Ended((("leave.overlaps", {"buttons": [[["button.leaves", {}, "/leave"]]]}) if own else (
            "leave.overlaps_his", {"buttons": again}),), "cancelled")
    stand_in = str(draft.answers["person"].value) if "person" in draft.answers else None
    if stand_in and (refused := _refused(ask, draft, stand_in, first, last)):
        return Ended((refused, ("leave.again", {"buttons": again})), "cancelled")
    leave_id = leaves.add(ask.tx, me, first, last, stand_in, ask.writer.person_id, ask.now)
    ask.note("person.on_leave", me, ("leave",))
    leave = leaves.find(ask.tx, leave_id)
    assert leave is not None
    told = _tell_coordinators(ask, leave, OnLeave)
    if stand_in:
        _lend(ask, leave)
        notices.tell(ask.tx, StandsIn(person=stand_in, leave=leave_id), ask.now)
    if not own:
        noted = notices.tell(ask.tx, LeaveNoted(person=me, leave=leave_id, by=ask.writer.person_id), ask.now)
        return Ended((("leave.made_for", {
            **shown(leave), "count": len(_elders(ask, leave)), "told": noted, "buttons": [
                [["button.stand_in_other" if stand_in else "button.stand_in", {}, f"/standin {leave_id}"]],
                [["button.leave_withdraw", {"first": first}, f"/leavefor withdraw {leave_id}"]]]}),), result=leave_id)
    return Ended((("leave.made", {
        **shown(leave), "count": len(_elders(ask, leave)), "told": told,
        "buttons": [[["button.leaves", {}, "/leave"]]]}),), result=leave_id)


def stand_in(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A coordinator names somebody, or somebody else than before."""
    leave = arrangeable(ask, str(draft.context["leave_id"]))
    if leave is None:
        return Ended((("leave.gone", {}),), "cancelled")
    person = str(draft.answers["person"].value)
    if refused := _refused(ask, draft, person, leave.from_on, leave.until_on):
        return Ended((refused, ("leave.again", {"buttons": [
            [["button.stand_in", {}, f"/standin {leave.id}"]]]})), "cancelled")
    _take_back(ask, leave)
    leaves.set_stand_in(ask.tx, leave.id, person)
    ask.note("person.stand_in", leave.person_id, (person,))
    changed = leaves.find(ask.tx, leave.id)
    assert changed is not None
    _lend(ask, changed)
    told = notices.tell(ask.tx, StandsIn(person=person, leave=leave.id), ask.now)
    return Ended((("leave.arranged", {**shown(changed), "count": len(_elders(ask, changed)), "told": told}),),
                 result=leave.id)


def withdraw(ask: Ask, leave: Leave) -> Parts:
    """The person is there after all: his elders are his again from today on. He is told where he did not say it."""
    if not leaves.withdraw(ask.tx, leave.id):
        return (("leave.gone", {}),)
    ask.note("person.back", leave.person_id, ("leave",))
    _take_back(ask, leave)
    if leave.stand_in:
        notices.tell(ask.tx, LeaveOver(person=leave.stand_in, leave=leave.id), ask.now)
    _tell_coordinators(ask, leave, LeaveOver)
    if leave.person_id != ask.writer.person_id:
        told = notices.tell(ask.tx, LeaveOver(person=leave.person_id, leave=leave.id), ask.now)
        return (("leave.withdrawn_for", {**shown(leave), "told": told, "buttons": [
            [["button.person_card", {"name": leave.name}, f"/people {leave.person_id}"]]]}),)
    return (("leave.withdrawn", {**shown(leave), "buttons": [[["button.mine", {}, "/my"]]]}),)


def arrangeable(ask: Ask, leave_id: str) -> Leave | None:
    """A leave that holds and is not over, where the asker coordinates every village in which the elders live."""
    leave = leaves.find(ask.tx, leave_id)
    if leave is None or leave.state != "standing" or leave.until_on < ask.today.isoformat():
        return None
    places = {village for _, village, _ in _elders(ask, leave)}
    over = all(people.coordinates(ask.tx, ask.writer.person_id, village, "village") for village in places)
    return leave if places and over else None


def village(ask: Ask, leave: Leave) -> str:
    """The id of the village where most of the elders live, near which somebody is looked for."""
    person = people.find(ask.tx, leave.person_id)
    return _most_of(_elders(ask, leave)) or (person.area_id if person else "")


def shown(leave: Leave) -> dict[str, object]:
    """What words want of a leave."""
    return {"name": leave.name, "first": leave.from_on, "last": leave.until_on,
            "stand_in": leave.stand_in_name or ""}


def _refused(ask: Ask, draft: Draft, person: str, first: str, last: str) -> Part | None:
    """Why this person cannot stand in; None where he can."""
    if not LOOK_UPS["visitors"].by_id(ask, draft.context, person):
        return ("leave.not_near", {})
    found = people.find(ask.tx, person)
    name = found.name if found else ""
    if found is not None and minor(found.minor_until, date.fromisoformat(first)):
        return ("leave.minor", {"name": name})
    if leaves.overlaps(ask.tx, person, first, last):
        return ("leave.away_too", {"name": name})
    return None


def _most_of(visited: list[tuple[str, str, str | None]]) -> str:
    villages = Counter(village for _, village, _ in visited).most_common(1)
    return villages[0][0] if villages else ""


def _elders(ask: Ask, leave: Leave) -> list[tuple[str, str, str | None]]:
    return assignments.visited(ask.tx, leave.person_id, max(leave.from_on, ask.today.isoformat()), leave.until_on)


def _lend(ask: Ask, leave: Leave) -> None:
    assert leave.stand_in is not None
    for elder, _, until in _elders(ask, leave):
        assignments.lend(ask.tx, leave.stand_in, elder, max(leave.from_on, ask.today.isoformat()),
                         min(leave.until_on, until or leave.until_on), ask.today.isoformat())
        reminding.sooner(ask.tx, elder, leave.from_on)
        ask.note("elder.entrust", elder, (leave.stand_in, "stand_in"))


def _take_back(ask: Ask, leave: Leave) -> None:
    """They are the stand-in's no more, save those that are his by another leave."""
    if leave.stand_in is None:
        return
    for elder, _, _ in _elders(ask, leave):
        assignments.end(ask.tx, leave.stand_in, elder, ask.today, "stand_in")
        ask.note("elder.release", elder, (leave.stand_in, "stand_in"))
    for other in leaves.stood_in(ask.tx, leave.stand_in, ask.today):
        if other.id != leave.id:
            _lend(ask, other)


def _tell_coordinators(ask: Ask, leave: Leave, kind: type[OnLeave | LeaveOver]) -> bool:
    """Tells those who coordinate the villages where his elders live; False where nobody could be told."""
    person = people.find(ask.tx, leave.person_id)
    villages = {village for _, village, _ in _elders(ask, leave)} or ({person.area_id} if person else set())
    over = {each for village in villages for each in people.nearest_coordinators(
        ask.tx, village, besides=leave.person_id)}
    told = [notices.tell(ask.tx, kind(person=each, leave=leave.id), ask.now)
            for each in sorted(over - {ask.writer.person_id})]
    return any(told)
