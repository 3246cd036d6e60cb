"""变动: hospital, away, moved, died, back. Reported by anyone near, confirmed by whom the policy names."""

from typing import Any

from conversations import duplicates, proposing
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.turn import Ask, label
from scheduler import casework, notices
from scheduler.notices import Decided, LifeChanged, MovedHere
from storage import elder_files, elders, people, proposals, ties
from storage.elder_files import Wish
from storage.elders import Elder
from storage.proposals import Proposal

KIND = "life"
FORM = "life"
PAUSING = ("hospital", "away")
CLOSING = ("moved", "died")
WITHDRAWN = "refused"  # consent taken back: a visitor's word pauses the file, the coordinator's closes it
Parts = tuple[Part, ...]


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Keeps the report; who may confirm it himself has done so with it."""
    elder = elders.find(ask.tx, ask.scope, draft.context["elder_id"])
    if elder is None:
        return Ended((("form.not_yours", {}),), "paused")
    given = {question: str(answer.value) for question, answer in draft.answers.items()}
    closed = draft.context["stands"] == "closed"
    body = {"name": elder.name, "what": given.get("change") or given.get("change_paused") or "restored",
            "since": given.get("since", ask.today.isoformat()), "until": given.get("until", ""),
            "to": given.get("village", ""), "words": given.get("reason" if closed else "words", "")}
    if not _fits(elder, body["what"]):
        return Ended((("life.not_fitting", {"elder": elder.name}),))
    if closed and not confirms(ask, elder.village_id):
        return Ended((("menu.not_allowed", {}),), "cancelled")
    proposal = proposals.add(ask.tx, KIND, elder.village_id, body, ask.writer.person_id, ask.now, elder_id=elder.id,
                             draft_id=draft.id)
    found = proposals.find(ask.tx, ask.scope, proposal)
    assert found is not None  # it is this person's own
    if may_decide(ask, found):
        return Ended(decide(ask, found, yes=True), result=proposal)
    role = ask.policy(elder.village_id).life_confirmed_by
    proposing.ask_for_yes(ask, proposal, elder.village_id, role)
    return Ended((("life.reported", {"elder": elder.name, "by": role}),), result=proposal)


def withdrawn(ask: Ask, elder: Elder, day: str, draft: Draft) -> Part:
    """Consent was taken back on that day (ISO), as a visitor says: nothing is due or sent from now on, and a
    coordinator closes the file, or asks once more.
    """
    casework.stand(ask.tx, ask.scope, elder.id, "paused", WITHDRAWN, day, ask.house.policies, ask.now)
    body = {"name": elder.name, "what": WITHDRAWN, "since": day, "until": "", "to": "", "words": ""}
    proposal = proposals.add(ask.tx, KIND, elder.village_id, body, ask.writer.person_id, ask.now, elder_id=elder.id,
                             draft_id=draft.id)
    told = proposing.ask_for_yes(ask, proposal, elder.village_id, ask.policy(elder.village_id).life_confirmed_by)
    return ("life.wish_paused", {"elder": elder.name, "day": day, "told": told})


def may_decide(ask: Ask, proposal: Proposal) -> bool:
    """Whether this person says in that village that a change is so: by the post of the policy, or a higher one."""
    return confirms(ask, proposal.area_id)


def confirms(ask: Ask, village_id: str) -> bool:
    """The same of any change there."""
    return people.coordinates(ask.tx, ask.writer.person_id, village_id, ask.policy(village_id).life_confirmed_by)


def card(ask: Ask, proposal: Proposal) -> Part:
    """What was reported, by whom and when."""
    body = proposal.body
    elder = elders.find(ask.tx, ask.scope, proposal.elder_id or "")
    if elder is None:
        return ("life.card_gone", {"elder": body["name"]})
    ask.note("elder.proposal_read", proposal.id, ("life",))
    return ("life.card", {
        "maker": proposal.maker or "", "day": proposal.made_at.astimezone(ask.house.policy.zone).date().isoformat(),
        "elder": label(elder), "what": body["what"], "since": body["since"], "until": body["until"],
        "to": duplicates.place(ask, body["to"]) if body["to"] else "", "words": body["words"]})


def decide(ask: Ask, proposal: Proposal, *, yes: bool, reason: str = "") -> Parts:
    """Writes the change, or sends the report back with the reason. Nothing is owed or reminded of from then on."""
    body, me = proposal.body, ask.writer.person_id
    elder = elders.find(ask.tx, ask.scope, proposal.elder_id or "")
    fitting = elder is not None and _fits(elder, body["what"])
    state = "refused" if not yes else "confirmed" if fitting else "withdrawn"
    if not proposals.decide(ask.tx, proposal, state, me, ask.now, reason=reason):
        return (("pending.decided_before", {}),)
    if state != "withdrawn" and proposal.made_by and proposal.made_by != me:
        notices.tell(ask.tx, Decided(person=proposal.made_by, proposal=proposal.id), ask.now)
    if not yes and fitting and elder and body["what"] == WITHDRAWN:
        return (_not_withdrawn(ask, elder),)
    if not yes:
        return (("life.refused", {"elder": body["name"]}),)
    if elder is None or not fitting:
        return (("life.not_fitting", {"elder": body["name"]}),)
    visiting = ties.visiting(ask.tx, elder.id, ask.today.isoformat())
    said = _write(ask, elder, body)
    for person in visiting:
        if person not in (me, proposal.made_by):
            notices.tell(ask.tx, LifeChanged(person=person, elder=elder.id, what=body["what"],
                                             seen_on=ask.today.isoformat()), ask.now)
    return said


def _fits(elder: Elder, what: str) -> bool:
    """Whether the change still makes sense as the file stands now."""
    if what == "restored":
        return elder.status == "closed" and elder.condition in CLOSING
    if in_question(elder):
        return what in (WITHDRAWN, "died")
    return elder.status == "paused" if what == "back" else elder.status != "closed" and what != WITHDRAWN


def in_question(elder: Elder) -> bool:
    """Whether a coordinator is still to say if he took his consent back: until then nothing else changes."""
    return elder.status == "paused" and elder.condition == WITHDRAWN


def _not_withdrawn(ask: Ask, elder: Elder) -> Part:
    """The coordinator asked once more: the file goes on as before, and the wish is to be talked about again."""
    basis = next((each.basis for each in elder_files.wishes_of(ask.tx, elder.id) if each.basis), "")
    today = ask.today.isoformat()
    casework.keep_wish(ask.tx, elder.id, Wish("undecided", basis, today, ask.writer.person_id), ask.house.policies,
                       ask.now)
    ask.note("elder.wish", elder.id, ("wish",))
    back = casework.stand(ask.tx, ask.scope, elder.id, "active", "recovered", today, ask.house.policies, ask.now)
    return ("life.not_withdrawn", {"elder": elder.name, "due": ask.due(back or elder), "buttons": [
        [["button.wish", {}, f"/wish {elder.id}"], ["button.file", {}, f"/elder {elder.id}"]]]})


def _write(ask: Ask, elder: Elder, body: dict[str, Any]) -> Parts:
    what, since, to = body["what"], body["since"], body["to"]
    rules = ask.house.policies
    buttons = [[["button.file", {}, f"/elder {elder.id}"], ["button.mine", {}, "/my"]]]
    said: dict[str, Any] = {"elder": elder.name, "what": what, "until": body["until"], "buttons": buttons}
    if what == "moved" and to and to != elder.village_id:
        moved = casework.move(ask.tx, ask.scope, elder.id, to, since, rules, ask.now)
        assert moved is not None  # he was in this person's area a moment ago
        new = ties.whereabouts(ask.tx, elder.id)
        for person in notices.confirmers(ask.tx, to, ask.policy(to).life_confirmed_by):
            if person != ask.writer.person_id:
                notices.tell(ask.tx, MovedHere(person=person, elder=elder.id), ask.now)
        return (("life.moved", {**said, "to": duplicates.place(ask, to), "number": new,
                                "buttons": [[["button.pending", {}, "/pending"], ["button.mine", {}, "/my"]]]}),)
    if what in PAUSING:
        casework.stand(ask.tx, ask.scope, elder.id, "paused", what, since, rules, ask.now, until=body["until"] or None)
        return (("life.paused", said),)
    if what in (*CLOSING, WITHDRAWN):
        casework.stand(ask.tx, ask.scope, elder.id, "closed", what, since, rules, ask.now)
        return (("life.closed", said),)
    if what == "restored":
        since = ask.today.isoformat()  # nobody was to visit him until now
    back = casework.stand(ask.tx, ask.scope, elder.id, "active", "recovered", since, rules, ask.now)
    return ((f"life.{what}", {**said, "due": ask.due(back or elder)}),)
