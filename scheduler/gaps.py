"""Elders whom nobody visits any more: care that was given until a day ends by itself, and their coordinator is told."""

from datetime import datetime

from scheduler import notices
from scheduler.notices import LeftAlone
from scheduler.policy import Policies
from storage import assignments, people
from storage.database import Tx

MOST = 500  # of one week, in the whole installation


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Tells the nearest coordinators once of each elder left without a visitor of age; never more to do."""
    today = now.astimezone(policies.city.zone).date()
    for elder, village, ended in assignments.left_alone(tx, today, MOST):
        for person in people.nearest_coordinators(tx, village):
            notices.tell(tx, LeftAlone(person=person, elder=elder), now,
                         unique_key=f"left_alone:{elder}:{ended}:{person}")
    return False
