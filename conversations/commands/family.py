"""家里: what a child living elsewhere sees and does: his calls, what he asks of the village, his own settings (C2)."""

from conversations import session
from conversations.engine import Part
from conversations.families import OUTCOMES, answered_before, answers, back, of_request, theirs
from conversations.turn import Ask, label
from scheduler import calls, family
from scheduler.family_notices import allowed
from storage import contacts, elders, requests, tellings, ties
from storage.contacts import METHODS, Contact
from storage.elders import Elder
from storage.ids import millis
from storage.requests import Request

Parts = tuple[Part, ...]
Rows = list[list[list[object]]]
NO_ONE: Parts = (("family.none", {}),)
LONGEST_STAMP = 14  # digits


def home(ask: Ask, rest: str) -> Parts:
    """One of the asker's elders with all that he can do; with several of them and no name, whom to choose from."""
    theirs = [elder for each in ties.parents(ask.tx, ask.writer.person_id, ask.today.isoformat())
              if (elder := elders.find(ask.tx, ask.scope, each))]
    named = [elder for elder in theirs if rest in (elder.id, elder.name)] if rest else theirs
    if not named:
        return NO_ONE
    if len(named) > 1:
        return (("family.which", {"buttons": [
            [["button.person", {"label": label(each)}, f"/family {each.id}"]] for each in named]}),)
    return _card(ask, named[0])


def called(ask: Ask, rest: str) -> Parts:
    """One tap: 已联系 一切正常 (`fine`) or 联系不上 (`unreachable`), in answer to one asking."""
    elder_id, _, more = rest.partition(" ")
    answer, _, asking = more.partition(" ")
    found = _answering(ask, elder_id, asking if answer in OUTCOMES else "")
    if not isinstance(found[0], Elder):
        return found
    elder, stamp = found
    if OUTCOMES[answer] == "fine":
        contact = _contact(ask, elder, "fine", stamp, _usual_method(ask, elder))
        if not family.report(ask.tx, contact, elder, ask.house.policies):
            return answered_before(ask, elder, contact.id)
        return (("family.fine", {"elder": elder.name, "method": contact.method, "buttons": [
            _methods(contact), *_not_needed(ask, elder), *back(elder.id)]}),)
    contact = _contact(ask, elder, "unreachable", stamp, "phone")
    new, alert = family.unreachable(ask.tx, contact, elder, ask.house.policies)
    if not new:
        return answered_before(ask, elder, contact.id)
    if alert:
        return (("family.second_time", {"elder": elder.name, "number": alert, "buttons": [
            _reached(ask, elder), *back(elder.id)]}),)
    return (("family.unreachable", {"elder": elder.name, "buttons": [
        [["button.see_now", {}, f"/seehim {elder.id}"]], _reached(ask, elder), _still_not(ask, elder)]}),)


def said(ask: Ask, button: str) -> Parts:
    """What the button of this key on the asker's page does; with several elders, whom to choose from."""
    page = home(ask, "")
    token = next((str(token) for _, fields in page for row in fields.get("buttons", ())
                  for key, _, token in row if key == f"button.{button}"), "")
    call, _, rest = token.partition(" ")
    does = {"/called": called, "/trouble": trouble}.get(call)
    return does(ask, rest) if does else page


def by_method(ask: Ask, rest: str) -> Parts:
    """How he was reached, where it was not by telephone."""
    contact_id, _, method = rest.partition(" ")
    contact = contacts.find(ask.tx, ask.scope, contact_id)
    if contact is None or method not in METHODS or not contacts.set_method(
            ask.tx, ask.writer.person_id, contact_id, method):
        return NO_ONE
    elder = elders.find(ask.tx, ask.scope, contact.elder_id)
    return (("family.method", {"method": method, "buttons": back(elder.id) if elder else []}),) if elder else NO_ONE


def trouble(ask: Ask, rest: str) -> Parts:
    """有困难: asks what, in a few words."""
    elder_id, _, asking = rest.partition(" ")
    found = _answering(ask, elder_id, asking)
    if not isinstance(found[0], Elder):
        return found
    elder, stamp = found
    contact = contacts.id_of(ask.writer.person_id, elder.id, stamp)
    if contacts.find(ask.tx, ask.scope, contact):
        return answered_before(ask, elder, contact)
    return session.start(ask, "trouble", {"elder_id": elder.id, "elder_name": elder.name, "stamp": stamp})


def see_now(ask: Ask, rest: str) -> Parts:
    """现在请人去看: who visits him and the village are told at once."""
    elder = theirs(ask, rest)
    if elder is None:
        return NO_ONE
    request, told = family.ask_now(ask.tx, elder, ask.writer.person_id, ask.house.policies, ask.now)
    last = contacts.mine(ask.tx, ask.scope, elder.id, 1)
    calling: Rows = [_reached(ask, elder), _still_not(ask, elder)]  # for who could not reach him
    rows: Rows = [*(calling if last and last[0].outcome == "unreachable" else []), _unasking(request), *back(elder.id)]
    if told is None:
        return (("family.asked_before", {**of_request(request), "elder": elder.name, "buttons": rows}),)
    return (("family.asked_now" if told else "family.nobody_told", {
        "elder": elder.name, "told": told, "buttons": rows}),)


def ask_visit(ask: Ask, rest: str) -> Parts:
    """请人去看看: asks for which day."""
    return _asking(ask, rest, "askvisit")


def call_back(ask: Ask, rest: str) -> Parts:
    """请回电话: asks to which number, and about what."""
    return _asking(ask, rest, "callback")


def unask(ask: Ask, rest: str) -> Parts:
    """The child does not want it any more."""
    found = requests.find(ask.tx, ask.scope, rest)
    elder = elders.find(ask.tx, ask.scope, found.elder_id) if found else None
    if found is None or elder is None or found.asked_by != ask.writer.person_id:
        return NO_ONE
    if not family.withdraw(ask.tx, found, elder, ask.house.policies, ask.now):
        return (("family.ended_before", {**of_request(found), "buttons": back(elder.id)}),)
    return (("family.unasked", {**of_request(found), "buttons": back(elder.id)}),)


def settings(ask: Ask, rest: str) -> Parts:
    """The child's own day and hour, turns, and how much he wants to hear."""
    elder = theirs(ask, rest)
    if elder is None:
        return home(ask, "")
    day = ask.today.isoformat()
    away = ties.children(ask.tx, elder.id, day)
    me = ask.writer.person_id
    return session.start(ask, "callplan", {
        "elder_id": elder.id, "elder_name": elder.name, "away": me in away,
        "siblings": me in away and len(away) > 1})


def _card(ask: Ask, elder: Elder) -> Parts:
    me = ask.writer.person_id
    plan = calls.begin(ask.tx, me, elder.id, ask.policy(elder.village_id), ask.now)
    said = tellings.newest(ask.tx, ask.scope, elder.id, me)
    told = said is None or said.allowed  # he said no: then not even when somebody was there
    mine = contacts.mine(ask.tx, ask.scope, elder.id, 1)
    asked = requests.mine(ask.tx, ask.scope, elder.id)
    away = me in ties.children(ask.tx, elder.id, ask.today.isoformat())
    ask.note("elder.family_read", elder.id, ("visits",))
    stamp = plan.stamp if plan.unanswered else millis(ask.now)
    rows: Rows = answers(elder.id, stamp) if elder.status != "closed" else []
    if elder.status != "closed":
        rows.append([["button.ask_visit", {}, f"/askvisit {elder.id}"],
                     ["button.call_back", {}, f"/callback {elder.id}"]])
    rows += [_unasking(each) for each in asked]
    rows.append([["button.call_plan", {}, f"/callplan {elder.id}"], ["button.life", {}, f"/change {elder.id}"]])
    return (("family.card", {
        "elder": elder.name, "status": elder.status, "told": told, "allowed": bool(
            allowed(ask.tx, ask.scope, elder.id)), "last": elder.last_visit_on or "", "due": ask.due(elder),
        "wish": elder.wish,
        "call": {"day": mine[0].on_day, "method": mine[0].method, "outcome": mine[0].outcome} if mine else None,
        "asked": [of_request(each) for each in asked], "away": away,
        "plan": {"weekday": plan.weekday, "at": plan.at_time, "shares": plan.shares, "summaries": plan.summaries},
        "buttons": rows}),)


def _answering(ask: Ask, elder_id: str, asking: str) -> tuple[Elder, int] | Parts:
    """Elder and stamp of a button, where the elder is the asker's and still on the ledger."""
    elder = theirs(ask, elder_id)
    if elder is None or not (asking.isascii() and asking.isdigit() and len(asking) <= LONGEST_STAMP):
        return home(ask, "")
    if elder.status == "closed":
        return (("family.closed", {"elder": elder.name}),)
    return elder, int(asking)


def _contact(ask: Ask, elder: Elder, outcome: str, stamp: int, method: str) -> Contact:
    return Contact(contacts.id_of(ask.writer.person_id, elder.id, stamp), elder.id, ask.writer.person_id,
                   ask.today.isoformat(), ask.now, method, outcome, "")


def _usual_method(ask: Ask, elder: Elder) -> str:
    """How the child reached him the last time; by telephone where there was none."""
    return next((each.method for each in contacts.mine(ask.tx, ask.scope, elder.id, 5) if each.outcome == "fine"),
                "phone")


def _asking(ask: Ask, rest: str, form: str) -> Parts:
    elder = theirs(ask, rest)
    if elder is None:
        return home(ask, "")
    if elder.status == "closed":
        return (("family.closed", {"elder": elder.name}),)
    return session.start(ask, form, {"elder_id": elder.id, "elder_name": elder.name})


def _not_needed(ask: Ask, elder: Elder) -> Rows:
    """He was reached after all: what was asked for today can be taken back."""
    return [_unasking(each) for each in requests.mine(ask.tx, ask.scope, elder.id) if each.urgent]


def _unasking(request: Request) -> list[list[object]]:
    return [["button.unask", of_request(request), f"/unask {request.id}"]]


def _methods(contact: Contact) -> list[list[object]]:
    return [[f"button.by_{each}", {}, f"/callby {contact.id} {each}"] for each in METHODS if each != contact.method]


def _reached(ask: Ask, elder: Elder) -> list[list[object]]:
    return [["button.reached_after_all", {}, f"/called {elder.id} yes {millis(ask.now)}"]]


def _still_not(ask: Ask, elder: Elder) -> list[list[object]]:
    return [["button.still_in_vain", {}, f"/called {elder.id} no {millis(ask.now)}"]]


COMMANDS = {
    "family": home, "called": called, "callby": by_method, "trouble": trouble, "seehim": see_now,
    "askvisit": ask_visit, "callback": call_back, "unask": unask, "callplan": settings}
