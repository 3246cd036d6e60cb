"""Elders who were to be away until a day that has come: visits are due again, and their coordinator is told."""

from datetime import date, datetime, timedelta

from scheduler import casework, notices
from scheduler.notices import PauseOver
from scheduler.policy import Policies
from storage import elder_files, people
from storage.database import Tx
from storage.scope import Scope

CHUNK = 50


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Opens a chunk of them again from the day after, though the clock may come late; True where there may be more.

    Doing it twice does nothing twice. Nobody is forgotten because no one answered: who is still away is reported again.
    Where there is no coordinator at all, an operator is told.
    """
    opened, today = 0, now.astimezone(policies.city.zone).date()
    for elder, village, until in elder_files.pauses_until(tx, (today - timedelta(days=1)).isoformat(), CHUNK):
        told = notices.confirmers(tx, village, policies.of(tx, village).life_confirmed_by) or people.operators(tx)
        if not told:
            continue
        back = (date.fromisoformat(until) + timedelta(days=1)).isoformat()
        if casework.stand(tx, Scope(told[0], today), elder, "active", "recovered", back, policies, now) is None:
            continue
        opened += 1
        for person in told:
            notices.tell(tx, PauseOver(person=person, elder=elder), now,
                         unique_key=f"pause_over:{elder}:{today}:{person}")
    return opened == CHUNK
