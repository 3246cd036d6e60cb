"""What may be proposed and confirmed: for each kind of proposal who decides, how it is shown, what a yes or no does."""

from collections.abc import Callable
from typing import NamedTuple

from conversations import firstcontact, life, registration
from conversations.draft import Draft
from conversations.ended import Ended
from conversations.engine import Part
from conversations.turn import Ask
from storage import proposals
from storage.proposals import Proposal


class Kind(NamedTuple):
    """One kind of proposal. `decide(ask, proposal, yes=…, reason=…)` writes the decision and gives what is said."""

    may_decide: Callable[[Ask, Proposal], bool]
    card: Callable[[Ask, Proposal], Part]
    decide: Callable[..., tuple[Part, ...]]


KINDS: dict[str, Kind] = {
    firstcontact.KIND: Kind(firstcontact.may_decide, firstcontact.card, firstcontact.decide),
    life.KIND: Kind(life.may_decide, life.card, life.decide),
    registration.KIND: Kind(registration.may_decide, registration.card, registration.decide),
}


def decidable(ask: Ask, proposal: str) -> Proposal | tuple[Part, ...]:
    """The proposal, where it waits and this person may decide it; else what is said instead."""
    found = proposals.find(ask.tx, ask.scope, proposal)
    if found is None:
        return (("pending.gone", {"buttons": back()}),)
    if found.state != "proposed":
        return (("pending.decided_before", {"buttons": back()}),)
    if not KINDS[found.kind].may_decide(ask, found):
        return (("pending.not_yours", {"buttons": back()}),)
    return found


def refused(ask: Ask, draft: Draft) -> Ended:
    """The reason of a no is given: the proposal goes back."""
    found = decidable(ask, draft.context["refuses"])
    if not isinstance(found, Proposal):
        return Ended(found)
    reason = str(draft.answers["reason"].value)
    return Ended(KINDS[found.kind].decide(ask, found, yes=False, reason=reason), result=found.id)


def back() -> list[list[list[object]]]:
    """The way back to the list."""
    return [[["button.pending", {}, "/pending"]]]
