"""What a child and the village see of each other: pieces that several commands, forms and notices show."""

from datetime import timedelta
from functools import lru_cache
from typing import Any

from conversations import form as forms_of
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask
from scheduler import summaries
from storage import accounts, call_plans, contacts, elders, forms, needs, people, requests, tellings, ties
from storage.database import Tx
from storage.elders import Elder
from storage.requests import Request
from storage.visits import Visit

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
OUTCOMES = {"yes": "fine", "no": "unreachable"}  # as a button's token names them: it holds 64 bytes


def theirs(ask: Ask, elder_id: str) -> Elder | None:
    """The elder of this id, where the asker belongs to his family."""
    elder = elders.find(ask.tx, ask.scope, elder_id)
    return elder if elder and "family" in ties.over(ask.tx, ask.scope, elder_id) else None


def back(elder_id: str) -> Rows:
    """The way to the page of one elder, for his family."""
    return [[["button.family", {}, f"/family {elder_id}"]]]


def answers(elder_id: str, stamp: int) -> Rows:
    """The three answers to one asking (`stamp`)."""
    return [[["button.call_fine", {}, f"/called {elder_id} yes {stamp}"]],
            [["button.call_trouble", {}, f"/trouble {elder_id} {stamp}"],
             ["button.call_in_vain", {}, f"/called {elder_id} no {stamp}"]]]


def answered_before(ask: Ask, elder: Elder, contact_id: str) -> Parts:
    """This asking was answered before: nothing changes; his page takes another answer."""
    before = contacts.find(ask.tx, ask.scope, contact_id)
    return (("family.answered_before", {"elder": elder.name, "outcome": before.outcome if before else "fine",
                                        "day": before.on_day if before else ask.today.isoformat(),
                                        "buttons": back(elder.id)}),)


def of_request(request: Request) -> dict[str, Any]:
    """What is said of something that a family asks for, without its words."""
    return {"kind": request.kind, "due_on": request.due_on, "state": request.state, "taker": request.taker,
            "urgent": request.urgent}


def may_read(ask: Ask, visit: Visit) -> bool:
    """Whether the asker may read all of a visit: of his own family only what he wrote himself, or where it is his post.

    What the elder asked not to tell them stands in it.
    """
    return visit.visitor_id == ask.writer.person_id or not relative(ask, visit.elder_id)


def relative(ask: Ask, elder_id: str) -> bool:
    """Whether the asker belongs to the elder's family, and does not coordinate where he lives."""
    over = ties.over(ask.tx, ask.scope, elder_id)
    return "family" in over and over.isdisjoint(people.COORDINATING)


def beside(ask: Ask, found: Elder) -> Parts:
    """For who visits: what the children report, beside what he found himself (三(三)3), and what they may be told.

    Nothing of it for one of them, who visits too: none sees what the others said, or what is kept from them.
    """
    if relative(ask, found.id):
        return ()
    since = ask.today - timedelta(days=ask.policy(found.village_id).calls.beside_days)
    call = contacts.beside(ask.tx, ask.scope, found.id, since.isoformat())
    asked = requests.of_elder(ask.tx, ask.scope, found.id)
    family = ties.family(ask.tx, found.id, ask.today.isoformat())
    silent = [ask.house.today(plan.asked_at).isoformat() for plan in call_plans.of_elder(ask.tx, found.id)
              if plan.unanswered and plan.asked_at and plan.person_id in family]
    told = []
    for person in family:
        said, child = tellings.newest(ask.tx, ask.scope, found.id, person), people.find(ask.tx, person)
        told.append({"name": child.name if child else "", "allowed": said.allowed if said else None,
                     "withheld": sorted(said.withheld) if said else [], "day": said.on_day if said else "",
                     "asker": said.asker if said else "", "cut_off": accounts.cut_off(ask.tx, person)})
    open_needs = needs.open_of(ask.tx, found.id)
    if not (call or asked or silent or told or open_needs):
        return ()
    return (("family.beside", {
        "days": ask.policy(found.village_id).calls.beside_days, "count": call.count if call else 0,
        "call": {"day": call.on_day, "method": call.method, "outcome": call.outcome, "name": call.name}
        if call else None, "silent": max(silent, default=""), "asked": [of_request(each) for each in asked],
        "needs": open_needs, "told": told}),)


def buttons(ask: Ask, found: Elder) -> Rows:
    """The step from a card to what the family may be told."""
    if not ask.may("telling") or found.status == "closed" or relative(ask, found.id) or not ties.family(
            ask.tx, found.id, ask.today.isoformat()):
        return []
    return [[["button.telling", {}, f"/telling {found.id}"]]]


def summary(tx: Tx, visit: Visit, withheld: frozenset[str]) -> dict[str, Any]:
    """A visit in fields of a sentence: by area, what is not as ever in the words of its form; never more than that.

    An area that is not there is not spoken of. `all` is False where he asked to keep that day to himself.
    """
    form = _form(forms.definition(tx, visit.form_hash) or "")
    told = summaries.tellable({question: answer[0] for question, answer in visit.answers.items()}, withheld)
    return {"day": visit.on_day, "visitor": visit.visitor or "", "elder": visit.elder,
            "method": form.by_id["method"].option(visit.method).label, "all": told is not None,
            "areas": {area: [said for question, given in items for said in _said(form, question, given)]
                      for area, items in (told or {}).items()}}


def _said(form: Form, question: str, given: str | tuple[str, ...]) -> list[str]:
    asked = form.by_id[question]
    if isinstance(given, str):
        return [f"{asked.label} {asked.option(given).label}"]
    return [asked.option(each).label for each in given]


@lru_cache(maxsize=8)
def _form(definition: str) -> Form:
    return forms_of.from_definition(definition)
