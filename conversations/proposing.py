"""Who is told of a proposal: those who may say yes, and, once it is decided, who made it."""

from conversations.turn import Ask
from scheduler import notices
from scheduler.notices import Decided, ToConfirm
from storage.proposals import Proposal


def ask_for_yes(ask: Ask, proposal_id: str, area_id: str, role: str) -> bool:
    """Tells those whose yes is wanted: who holds this post over the area, or the next one above it.

    False where nobody could be told.
    """
    told = [notices.tell(ask.tx, ToConfirm(person=person, proposal=proposal_id), ask.now)
            for person in notices.confirmers(ask.tx, area_id, role)]
    return any(told)


def tell_maker(ask: Ask, proposal: Proposal) -> None:
    """Tells who made it how it ended, where that is somebody else."""
    if proposal.made_by and proposal.made_by != ask.writer.person_id:
        notices.tell(ask.tx, Decided(person=proposal.made_by, proposal=proposal.id), ask.now)
