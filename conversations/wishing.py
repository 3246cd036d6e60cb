"""意愿: whether an elder wants to be visited, on what basis his file is kept, and his taking that back (C3, C15)."""

from datetime import date, timedelta

from conversations import life
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.form import Form
from conversations.turn import Ask
from scheduler import casework, notices
from scheduler.notices import ConsentWithdrawn
from storage import elders
from storage.elder_files import Wish

ASK_AGAIN = ("unwilling", "undecided")


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """Keeps what was said. Consent taken back closes the file where a coordinator writes it down; what a visitor writes
    pauses it at once, until a coordinator confirms.
    """
    elder = elders.find(ask.tx, ask.scope, draft.context["elder_id"])
    if elder is None or elder.condition == "erased":
        return Ended((("form.not_yours", {}),), "paused")
    wish, day = str(draft.answers["wish"].value), str(draft.answers["asked_on"].value)
    basis = str(draft.answers["basis"].value) if "basis" in draft.answers else ""
    kept = Wish(wish, basis, day, ask.writer.person_id)
    newest = casework.keep_wish(ask.tx, elder.id, kept, ask.house.policies, ask.now)
    ask.note("elder.wish", elder.id, ("wish", "basis"))
    rules = ask.house.policies
    buttons = [[["button.file", {}, f"/elder {elder.id}"], ["button.mine", {}, "/my"]]]
    if not newest:  # consent is neither taken back nor given again by what he said before that
        return Ended((("life.wish_older", {"elder": elder.name, "wish": wish, "day": day, "buttons": buttons}),),
                     result=elder.id)
    if wish == "withdrawn" and elder.status != "closed" and not life.confirms(ask, elder.village_id):
        if life.in_question(elder):
            return Ended((("life.consent_paused", {"elder": elder.name, "buttons": buttons}),), result=elder.id)
        kind, said = life.withdrawn(ask, elder, day, draft)
        return Ended(((kind, {**said, "buttons": buttons}),), result=elder.id)
    if wish == "withdrawn":
        if elder.status != "closed":
            casework.stand(ask.tx, ask.scope, elder.id, "closed", life.WITHDRAWN, day, rules, ask.now)
        for person in notices.confirmers(ask.tx, elder.village_id, ask.policy(elder.village_id).life_confirmed_by):
            if person != ask.writer.person_id:
                notices.tell(ask.tx, ConsentWithdrawn(person=person, elder=elder.id), ask.now)
        return Ended((("life.wish_withdrawn", {"elder": elder.name, "day": day, "buttons": buttons}),), result=elder.id)
    if elder.condition == life.WITHDRAWN and elder.status != "active" and wish == "willing":
        casework.stand(ask.tx, ask.scope, elder.id, "active", "recovered", ask.today.isoformat(), rules, ask.now)
    again = date.fromisoformat(day) + timedelta(days=ask.policy(elder.village_id).wish_again_days)
    return Ended((("life.wish_kept", {
        "elder": elder.name, "wish": wish, "day": day, "again": again.isoformat() if wish in ASK_AGAIN else "",
        "buttons": buttons}),), result=elder.id)
