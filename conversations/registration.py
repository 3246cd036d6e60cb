"""登记: a file is proposed part by part, confirmed by whom the policy names, and written (C3)."""

from conversations import duplicates, proposing, registering
from conversations.draft import Answer, Draft, dump_answers, parse_answers
from conversations.ended import Ended
from conversations.engine import Part
from conversations.form import Form
from conversations.lookups import villages
from conversations.turn import Ask
from scheduler import casework
from scheduler.visitor_kinds import minor
from storage import assignments, elder_files, elders, people, proposals
from storage import duplicates as files
from storage.elders import NewElder
from storage.proposals import Proposal

KIND = "registration"
Parts = tuple[Part, ...]


def part_done(ask: Ask, form: Form, draft: Draft) -> None:
    """A part of a new file is done: what there is of it is kept, and counted among those on their way."""
    if "revises" not in draft.context:
        _propose(ask, form, draft, "growing")


def submit(ask: Ask, form: Form, draft: Draft) -> Ended:
    """A new file goes to whom the policy names, a revised one is written at once."""
    if draft.answers.get("same_id", draft.answers.get("same_person", Answer("", 0, "tap"))).value == "same":
        return _is_there(ask, draft)
    if revises := draft.context.get("revises"):
        return _revise(ask, draft, revises)
    if str(draft.answers["village"].value) not in {area.id for area in villages(ask)}:
        return Ended((("form.not_yours", {}),), "paused")  # he does not work in that village any more
    found = _propose(ask, form, draft, "proposed")
    if may_decide(ask, found):
        return Ended(decide(ask, found, yes=True), result=found.id)
    role = ask.policy(found.area_id).registration_confirmed_by
    proposing.ask_for_yes(ask, found.id, found.area_id, role)
    buttons = [[["button.register", {}, "/register"], ["button.mine", {}, "/my"]],
               [["button.see_reported", {}, f"/pending {found.id}"]]]
    return Ended((("registration.proposed", {"elder": found.body["name"], "by": role, "buttons": buttons}),),
                 result=found.id)


def _propose(ask: Ask, form: Form, draft: Draft, state: str) -> Proposal:
    file = registering.file_of(draft.answers)
    body = {"form": form.hash, "answers": dump_answers(draft.answers), "name": file.name}
    known = proposals.of_draft(ask.tx, draft.id)
    if known is None:
        proposal = proposals.add(ask.tx, KIND, file.village_id, body, ask.writer.person_id, ask.now, state=state,
                                 draft_id=draft.id)
    else:
        proposal = known[0]
        proposals.grow(ask.tx, proposal, file.village_id, body, ask.now, state)
    found = proposals.find(ask.tx, ask.scope, proposal)
    assert found is not None  # it is this person's own
    return found


def _is_there(ask: Ask, draft: Draft) -> Ended:
    """The same person has a file already: no second one is opened."""
    if (known := proposals.of_draft(ask.tx, draft.id)) and (
            grown := proposals.find(ask.tx, ask.scope, known[0])):
        proposals.decide(ask.tx, grown, "withdrawn", ask.writer.person_id, ask.now)
    same_as = draft.context.get("same_as", "")
    elder = elders.find(ask.tx, ask.scope, same_as)
    buttons = [[["button.file", {}, f"/elder {same_as}"]]] if elder else [[["button.mine", {}, "/my"]]]
    return Ended((("registration.is_there", {"yours": elder is not None, "buttons": buttons}),))


def _revise(ask: Ask, draft: Draft, elder_id: str) -> Ended:
    before = elder_files.read(ask.tx, ask.scope, elder_id)
    if before is None:
        return Ended((("form.not_yours", {}),), "paused")
    file = registering.file_of(draft.answers, before)
    if (known := files.known(ask.tx, [file])[0]) and known.elder_id != elder_id and known.by_id_number:
        return Ended((("registration.same_id", {"where": duplicates.place(ask, known.village_id)}),), "paused")
    revised = casework.revise(ask.tx, ask.scope, elder_id, file, ask.house.policies, ask.now)
    if revised is None:
        return Ended((("form.not_yours", {}),), "paused")
    elder_files.reviewed(ask.tx, elder_id, ask.today.isoformat())
    _keep_wish(ask, elder_id, draft.answers)
    return Ended((("registration.revised", {
        "elder": revised.name, "same": file == before, "care_class": revised.care_class,
        "reasons": ask.reasons(revised), "missing": len(revised.missing.split()), "due": ask.due(revised),
        "buttons": [[["button.file", {}, f"/elder {elder_id}"], ["button.mine", {}, "/my"]]]}),), result=elder_id)


def _keep_wish(ask: Ask, elder_id: str, answers: dict[str, Answer]) -> None:
    """What was asked anew; an answer that was only kept is none."""
    if answers.get("wish", Answer("", 0, "kept")).manner != "kept" and (
            wish := registering.wish_of(answers, ask.writer.person_id, ask.house.policy.zone)):
        casework.keep_wish(ask.tx, elder_id, wish, ask.house.policies, ask.now)


# What the one who confirms sees and does


def may_decide(ask: Ask, proposal: Proposal) -> bool:
    """Whether this person confirms files there: who holds the post that the policy names, or one above it."""
    role = ask.policy(proposal.area_id).registration_confirmed_by
    return people.coordinates(ask.tx, ask.writer.person_id, proposal.area_id, role)


def card(ask: Ask, proposal: Proposal) -> Part:
    """The proposed file, with the class that it will have and what is missing."""
    answers = parse_answers(proposal.body["answers"])
    file = registering.file_of(answers)
    standing = casework.first_standing(file, ask.policy(file.village_id), ask.now)
    draft = Draft("", "", proposal.body["form"], "", answers, {"abroad": ask.abroad})
    ask.note("elder.proposal_read", proposal.id, ("answers",))
    return ("registration.card", {
        "form": proposal.body["form"], "where": duplicates.place(ask, file.village_id), "maker": proposal.maker or "",
        "items": registering.items(ask.house.book.form(proposal.body["form"]), draft),
        "elder": file.name, "care_class": standing.care_class, "reasons": _reasons(ask, file),
        "missing": standing.missing, "day": proposal.made_at.astimezone(ask.house.policy.zone).date().isoformat()})


def decide(ask: Ask, proposal: Proposal, *, yes: bool, reason: str = "") -> Parts:
    """Opens the file, or sends the proposal back with the reason."""
    name = str(proposal.body["name"])
    if not yes:
        if not proposals.decide(ask.tx, proposal, "refused", ask.writer.person_id, ask.now, reason=reason):
            return (("pending.decided_before", {}),)
        proposing.tell_maker(ask, proposal)
        return (("registration.refused", {"elder": name}),)
    answers = parse_answers(proposal.body["answers"])
    file = registering.file_of(answers)
    known = files.known(ask.tx, [file])[0]
    if known and (known.by_id_number or "same_person" not in answers):
        return ((f"registration.same_{'id' if known.by_id_number else 'person'}", {
            "where": duplicates.place(ask, known.village_id), "buttons": [
                [["button.refuse", {}, f"/refuse {proposal.id}"], ["button.pending", {}, "/pending"]]]}),)
    elder_id = casework.register(ask.tx, file, ask.house.policies, ask.now)
    if not proposals.decide(ask.tx, proposal, "confirmed", ask.writer.person_id, ask.now, elder_id=elder_id):
        raise LookupError("decided twice in one unit of work")  # nothing of it is kept
    ask.note("elder.register", elder_id, tuple(sorted(answers)))
    if proposal.made_by and (wish := registering.wish_of(answers, proposal.made_by, ask.house.policy.zone)):
        casework.keep_wish(ask.tx, elder_id, wish, ask.house.policies, ask.now)
    maker = people.find(ask.tx, proposal.made_by) if proposal.made_by else None
    visitor = maker.id if maker and "visitor" in people.roles(ask.tx, maker.id) and not minor(
        maker.minor_until, ask.today) else None  # nobody under age visits alone
    if visitor:
        assignments.entrust(ask.tx, visitor, elder_id, "visitor", ask.today.isoformat())
    if proposal.made_by != ask.writer.person_id:
        proposing.tell_maker(ask, proposal)
    elder = elders.find(ask.tx, ask.scope, elder_id)
    assert elder is not None  # he lies in the area of who confirmed
    return (("registration.confirmed", {
        "elder": name, "number": elder.number, "where": duplicates.place(ask, file.village_id),
        "care_class": elder.care_class, "reasons": ask.reasons(elder), "due": ask.due(elder),
        "missing": elder.missing.split(), "visitor": (proposal.maker or "") if visitor else "",
        "buttons": [[["button.firstcontact", {}, f"/firstcontact {elder_id}"]],
                    [["button.file", {}, f"/elder {elder_id}"], ["button.printfile", {}, f"/printfile {elder_id}"]],
                    [["button.pending", {}, "/pending"]]]}),)


def _reasons(ask: Ask, file: NewElder) -> list[tuple[str, int | None]]:
    return [(reason.word, reason.number)
            for reason in casework.classified_file(file, ask.policy(file.village_id), ask.now).reasons]
