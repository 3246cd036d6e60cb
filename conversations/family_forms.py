"""What the short forms between family and village become when they are submitted."""

from conversations import families
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.form import Form
from conversations.turn import Ask
from scheduler import calls, family
from storage import contacts, elders, needs, requests, tellings, ties
from storage.contacts import Contact
from storage.elders import Elder

GONE = Ended((("form.not_yours", {}),), "paused")


def trouble(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A call that found something difficult: the village hears of it, once."""
    elder = _theirs(ask, draft)
    if elder is None:
        return GONE
    me = ask.writer.person_id
    contact = Contact(contacts.id_of(me, elder.id, int(draft.context["stamp"])), elder.id, me, ask.today.isoformat(),
                      ask.now, "phone", "trouble", _text(draft, "words"))
    need = family.trouble(ask.tx, contact, elder, ask.house.policies)
    if need is None:
        return Ended(families.answered_before(ask, elder, contact.id))
    return Ended((("family.trouble", {"elder": elder.name, "buttons": [
        [["button.see_now", {}, f"/seehim {elder.id}"]], *families.back(elder.id)]}),), result=need)


def ask_visit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A visit is asked for a day, today or later."""
    return _asked(ask, draft, "visit", max(_text(draft, "due"), ask.today.isoformat()))


def call_back(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A call back is asked for; it is late where nobody takes it within a day."""
    return _asked(ask, draft, "call_back", ask.today.isoformat())


def call_plan(ask: Ask, form: Form, draft: Draft) -> Ended:
    """The child's own choices; what he was not asked stays."""
    elder = _theirs(ask, draft)
    if elder is None:
        return GONE
    policy = ask.policy(elder.village_id)
    plan = calls.begin(ask.tx, ask.writer.person_id, elder.id, policy, ask.now)
    given = {question: str(answer.value) for question, answer in draft.answers.items()}
    shares = given["shares"] == "turns" if "shares" in given else plan.shares
    chosen = calls.choose(ask.tx, plan, policy, ask.now, weekday=int(given.get("weekday", plan.weekday)),
                          at_time=given.get("at", plan.at_time), shares=shares, summaries=given["summaries"])
    moved = chosen.at_time != given.get("at", chosen.at_time)
    return Ended((("family.chosen", {
        "elder": elder.name, "away": bool(draft.context["away"]), "moved": moved,
        "plan": {"weekday": chosen.weekday, "at": chosen.at_time, "shares": chosen.shares,
                 "summaries": chosen.summaries},
        "buttons": families.back(elder.id)}),), result=elder.id)


def telling(ask: Ask, form: Form, draft: Draft) -> Ended:
    """What the elder said of one of his family."""
    elder = elders.find(ask.tx, ask.scope, draft.context["elder_id"])
    child, day = _text(draft, "child"), _text(draft, "asked_on")
    if elder is None or elder.condition == "erased" or families.relative(ask, elder.id) or child not in ties.family(
            ask.tx, elder.id, ask.today.isoformat()):
        return GONE
    allowed = _text(draft, "allowed") == "yes"
    chosen = draft.answers["withheld"].value if "withheld" in draft.answers else []
    withheld = tuple(each for each in tellings.AREAS if isinstance(chosen, list) and each in chosen)
    tellings.add(ask.tx, elder.id, child, allowed=allowed, withheld=withheld, on_day=day, by=ask.writer.person_id,
                 now=ask.now)
    calls.begin(ask.tx, child, elder.id, ask.policy(elder.village_id), ask.now)  # how much he hears is his choice
    name = draft.context.get("called", {}).get("child", "")
    newest = tellings.newest(ask.tx, ask.scope, elder.id, child)
    return Ended((("tellings.kept", {
        "elder": elder.name, "name": name, "allowed": allowed, "withheld": list(withheld), "day": day,
        "older": newest is not None and newest.on_day > day,
        "buttons": [[["button.file", {}, f"/elder {elder.id}"], ["button.mine", {}, "/my"]]]}),), result=elder.id)


def decline(ask: Ask, form: Form, draft: Draft) -> Ended:
    """The village cannot do what a family asked for: it hears why."""
    found = requests.find(ask.tx, ask.scope, draft.context["request"])
    if found is None or not elders.held(ask.tx, ask.scope, found.elder_id):
        return GONE
    rows = [[["button.requests", {}, "/requests"]]]
    if not family.decline(ask.tx, found, ask.writer.person_id, _text(draft, "reason"), ask.now):
        return Ended((("requests.ended_before", {"buttons": rows}),))
    return Ended((("requests.declined", {"asker": found.asker, "buttons": rows}),), result=found.id)


def arrange(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A need has its measure, who answers for it, and a day."""
    found = needs.find(ask.tx, ask.scope, draft.context["need"])
    if found is None or not elders.held(ask.tx, ask.scope, found.elder_id):
        return GONE
    due = max(_text(draft, "due"), ask.today.isoformat())
    rows = _needs()
    if not family.arrange(ask.tx, found, _text(draft, "measure"), _text(draft, "answerable"), due,
                          ask.writer.person_id, ask.now):
        return Ended((("needs.arranged_before", {"buttons": rows}),))
    name = draft.context.get("called", {}).get("answerable", "")
    return Ended((("needs.arranged", {"name": name, "due_on": due, "maker": found.maker, "buttons": rows}),),
                 result=found.id)


def settle(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A need is closed with what came of it."""
    found = needs.find(ask.tx, ask.scope, draft.context["need"])
    if found is None or not (found.answerable == ask.writer.person_id or elders.held(
            ask.tx, ask.scope, found.elder_id)):
        return GONE
    if not family.close(ask.tx, found, _text(draft, "outcome"), ask.writer.person_id, ask.now):
        return Ended((("needs.closed_before", {"buttons": _needs()}),))
    return Ended((("needs.closed", {"maker": found.maker, "buttons": _needs()}),), result=found.id)


def _asked(ask: Ask, draft: Draft, kind: str, due_on: str) -> Ended:
    elder = _theirs(ask, draft)
    if elder is None:
        return GONE
    for each in requests.mine(ask.tx, ask.scope, elder.id):
        if (each.kind, each.due_on) == (kind, due_on):
            return Ended((("family.asked_before", {**families.of_request(each), "elder": elder.name,
                                                   "buttons": families.back(elder.id)}),))
    told = family.ask(ask.tx, elder, kind, due_on, _text(draft, "words"), ask.writer.person_id, ask.house.policies,
                      ask.now)
    return Ended((("family.asked", {"elder": elder.name, "kind": kind, "due_on": due_on, "told": told,
                                    "buttons": families.back(elder.id)}),), result=elder.id)


def _theirs(ask: Ask, draft: Draft) -> Elder | None:
    return families.theirs(ask, str(draft.context["elder_id"]))


def _text(draft: Draft, question: str) -> str:
    return str(draft.answers[question].value) if question in draft.answers else ""


def _needs() -> list[list[list[object]]]:
    return [[["button.needs", {}, "/needs"]]]


SUBMIT = {"arrange": arrange, "askvisit": ask_visit, "callback": call_back, "callplan": call_plan, "decline": decline,
          "settle": settle, "telling": telling, "trouble": trouble}
