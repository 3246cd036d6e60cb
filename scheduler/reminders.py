"""One digest a day for each person who is to be told of an elder that is due: visitor, first contact, coordinators.

Who is told when stands in `[reminders]` of the policy. The sweep only finds whom to write to; what a digest says is
read when it leaves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta

from scheduler.policy import Policies, Policy
from scheduler.reminder_notices import URGENT, Digest
from scheduler.reminder_rules import Limits, at_hour
from storage import outbox, reminding
from storage.database import Tx
from storage.outbox import Outgoing
from storage.reminding import Addressee, Due, Ranks

CHUNK = 500  # elders in one unit of work


def sweep(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Writes the digests of a chunk of elders, and moves each to his next day; True where there may be more.

    Twice, on two machines or after days of standing still: a person has one digest of today.
    """
    today = now.astimezone(policies.city.zone).date()
    found, known = reminding.chunk(tx, today, CHUNK)
    if not found:
        return False
    rules = {village: policies.of(tx, village) for village in {each.village_id for each in found}}
    limits = {village: policy.reminders.limits(today, policy.remind_days) for village, policy in rules.items()}
    over: dict[str, Ranks] = {}
    if any(_goes_up(each, limits[each.village_id]) for each in found):
        over, above = reminding.coordinators(tx, today, CHUNK)
        known = {**above, **known}
    digests: dict[str, tuple[Outgoing, str, datetime]] = {}
    for each in found:
        for person in _told(each, limits[each.village_id], over, known):
            if person.where and person.person_id not in digests:
                digests[person.person_id] = _digest(tx, person, limits[each.village_id], rules[each.village_id], now)
    outbox.add_once(tx, digests.values(), now)
    reminding.move(tx, [(each, _next(each, rules[each.village_id], today)) for each in found])
    return len(found) == CHUNK


def _told(due: Due, limits: Limits, over: Mapping[str, Ranks], known: Mapping[str, Addressee]) -> Iterator[Addressee]:
    """Those to be told of an elder today."""
    for role, is_put_off, person_id in due.carers:
        person = known[person_id]
        urgent = role == "first_contact" or person.how_much == URGENT
        if not is_put_off and due.due_until <= (limits.first_contact if urgent else limits.visitor):
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


def _digest(tx: Tx, person: Addressee, limits: Limits, policy: Policy, now: datetime) -> tuple[Outgoing, str, datetime]:
    today = now.astimezone(policy.zone).date()
    notice = Digest(person=person.person_id, day=today.isoformat(), **asdict(limits))
    assert person.where is not None
    row = Outgoing(tx.new_id(now), *person.where, notice.lane, notice.kind, notice.model_dump())
    hour = at_hour(today, person.digest_at or policy.reminders.digest_at, policy.zone)
    return row, f"digest:{person.person_id}:{today}", hour


def _next(due: Due, policy: Policy, today: date) -> str:
    """The next day on which somebody is to be told of him, unless he is seen before."""
    begins = date.fromisoformat(due.due_until) - timedelta(days=policy.remind_days)
    return max(today + timedelta(days=1), begins).isoformat()
