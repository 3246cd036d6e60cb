"""待确认: what others reported and this person says yes or no to."""

from conversations import session
from conversations.confirming import KINDS, back, decidable
from conversations.engine import Part
from conversations.lists import PAGE, further, skipped
from conversations.turn import Ask
from storage import proposals
from storage.proposals import Proposal


def pending(ask: Ask, rest: str) -> tuple[Part, ...]:
    """One of them with what can be done about it, or the list, the oldest first; `+8` is how many come before.

    Who decides nothing is listed what he reported himself.
    """
    if rest and not rest.startswith("+"):
        found = proposals.find(ask.tx, ask.scope, rest)
        return _card(ask, found) if found else (("pending.gone", {"buttons": back()}),)
    if not ask.may("confirm"):
        return _mine(ask)
    skip = skipped(rest)
    counts = proposals.waiting_counts(ask.tx, ask.scope)
    page = proposals.waiting(ask.tx, ask.scope, PAGE, skip)
    if not page:
        return (("pending.none", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    buttons: list[list[list[object]]] = [
        [["button.proposal", {"what": each.kind, "name": each.body.get("name", "")}, f"/pending {each.id}"]]
        for each in page]
    buttons += further("/pending", sum(counts.values()), skip)
    zone = ask.house.policy.zone
    lines = [{"what": each.kind, "name": each.body.get("name", ""), "maker": each.maker or "",
              "day": each.made_at.astimezone(zone).date().isoformat()} for each in page]
    return (("pending.list", {"total": sum(counts.values()), "lines": lines, "buttons": buttons}),)


def confirm(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Yes."""
    found = decidable(ask, rest)
    return KINDS[found.kind].decide(ask, found, yes=True) if isinstance(found, Proposal) else found


def refuse(ask: Ask, rest: str) -> tuple[Part, ...]:
    """No: asks why, since who reported it wants to know what to mend."""
    found = decidable(ask, rest)
    if not isinstance(found, Proposal):
        return found
    return session.start(ask, "refuse", {"refuses": found.id})


def withdraw(ask: Ask, rest: str) -> tuple[Part, ...]:
    """Takes back what the asker reported himself, while nobody has decided it."""
    found = proposals.find(ask.tx, ask.scope, rest)
    if found is None or found.made_by != ask.writer.person_id:
        return (("pending.gone", {"buttons": back()}),)
    if found.state != "proposed":
        return (("pending.state", {"state": found.state, "buttons": back()}),)
    if not proposals.decide(ask.tx, found, "withdrawn", ask.writer.person_id, ask.now):
        return (("pending.decided_before", {"buttons": back()}),)
    return (("pending.withdrawn", {"what": found.kind, "name": found.body.get("name", ""), "buttons": back()}),)


def _mine(ask: Ask) -> tuple[Part, ...]:
    reported = proposals.mine(ask.tx, ask.scope, PAGE)
    if not reported:
        return (("pending.none_reported", {"buttons": [[["button.mine", {}, "/my"]]]}),)
    return (("pending.reported", {"buttons": [
        [["button.proposal", {"what": each.kind, "name": each.body.get("name", "")}, f"/pending {each.id}"]]
        for each in reported]}),)


def _card(ask: Ask, found: Proposal) -> tuple[Part, ...]:
    kind, fields = KINDS[found.kind].card(ask, found)
    if found.state != "proposed":
        return ((kind, {**fields, "buttons": back()}), ("pending.state", {"state": found.state}))
    buttons = back()
    if KINDS[found.kind].may_decide(ask, found):
        buttons.insert(0, [["button.confirm", {}, f"/confirm {found.id}"],
                           ["button.refuse", {}, f"/refuse {found.id}"]])
    if found.made_by == ask.writer.person_id:
        buttons.insert(0, [["button.withdraw", {}, f"/withdraw {found.id}"]])
    return ((kind, {**fields, "buttons": buttons}),)


COMMANDS = {"pending": pending, "confirm": confirm, "refuse": refuse, "withdraw": withdraw}
