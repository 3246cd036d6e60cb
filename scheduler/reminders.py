"""One digest a day for each person who is to be told of an elder that is due: visitor, first contact, coordinators.

Who is told when stands in `[reminders]` of the policy. The sweep only finds whom to write to; what a digest says is
read when it leaves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import cache, partial

from scheduler.policy import Policies
from scheduler.reminder_notices import URGENT, Digest
from scheduler.reminder_rules import Limits, at_hour
from storage import outbox, reminding
from storage.database import Tx
from storage.outbox import Outgoing
from storage.reminding import Addressee, Due, Ranks

CHUNK = 1000  # elders in one unit of work


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Writes the digests of a chunk of elders, and moves each to his next day; True where there may be more.

    Twice, on two machines or after days of standing still: a person has one digest of today.
    """
    today = now.astimezone(policies.city.zone).date()
    found, known = reminding.chunk(tx, today, CHUNK)
    if not found:
        return False
    rules = _Rules(tx, policies, today)
    over, above = reminding.coordinators(
        tx, today, {each.village_id for each in found if _goes_up(each, rules.limits(each.village_id))})
    known = {**above, **known}
    digests: dict[str, tuple[Outgoing, str, datetime]] = {}
    for each in found:
        for person in _told(each, rules.limits(each.village_id), today.isoformat(), over, known):
            if person.where and person.person_id not in digests:
                fields = {"person": person.person_id, **rules.fields(each.village_id)}
                digests[person.person_id] = (
                    Outgoing(tx.new_id(now), *person.where, Digest.lane, Digest.kind, fields),
                    f"digest:{person.person_id}:{today}", rules.hour(each.village_id, person.digest_at))
    outbox.add_once(tx, digests.values(), now)
    reminding.move(tx, found[-1], today, policies.city.reminders.overdue_daily)
    return len(found) == CHUNK


class _Rules:
    """The rules of the villages of a chunk on one day, each worked out once."""

    def __init__(self, tx: Tx, policies: Policies, today: date) -> None:
        self._today = today
        self._policy = cache(partial(policies.of, tx))
        self.limits = cache(self._limits)
        self.fields = cache(self._fields)
        self.hour = cache(self._hour)

    def _limits(self, village: str) -> Limits:
        policy = self._policy(village)
        return policy.reminders.limits(self._today, policy.remind_days)

    def _fields(self, village: str) -> dict[str, str]:
        """What a digest holds beside its person."""
        return {"day": self._today.isoformat(), **asdict(self.limits(village))}

    def _hour(self, village: str, chosen: str | None) -> datetime:
        policy = self._policy(village)
        hour = at_hour(self._today, chosen or policy.reminders.digest_at, policy.zone)
        return hour.astimezone(UTC)  # that of a zone is worked out anew for each row


def _told(due: Due, limits: Limits, today: str, over: Mapping[str, Ranks], known: Mapping[str, Addressee],
          ) -> Iterator[Addressee]:
    """Those to be told of an elder today: who said that he goes on a day is so on that day, and not before it."""
    for role, said, person_id in due.carers:
        person = known[person_id]
        urgent = role == "first_contact" or person.how_much == URGENT
        if said == today or (said < today and due.due_until <= (limits.first_contact if urgent else limits.visitor)):
            yield person
    ranks = over.get(due.village_id, {})
    if _goes_up(due, limits):
        yield from (known[person] for person in reminding.told(ranks, "village"))
    if due.due_until <= limits.township:
        yield from (known[person] for person in reminding.told(ranks, "township"))


def _goes_up(due: Due, limits: Limits) -> bool:
    """Whether the village's coordinator is told: overdue, or nobody goes there, in office and not on leave."""
    return due.due_until <= limits.village or (
        due.due_until <= limits.visitor and all(role == "first_contact" for role, *_ in due.carers))
