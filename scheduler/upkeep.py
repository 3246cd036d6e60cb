"""What the ledger needs as days go by: classes that change with a birthday, or with the policy."""

from collections.abc import Iterable
from datetime import datetime

from scheduler import casework
from scheduler.policy import Policies
from storage import elders, meta
from storage.database import Tx
from storage.elders import Elder

CHUNK = 100  # files in one unit of work
ACTOR = "clock"  # who the audit chain says did it
DERIVED_BY = "policy_derived_by"  # the digest of the policies by which every class was derived
DERIVING = "policy_deriving"  # a digest, and the last file that was derived by it: a killed sweep goes on there


def classes(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Derives a chunk of classes and windows anew (C8); True where there is more to do.

    Those whose birthday has come; and all of them, once, where the policy is another than it was.
    """
    birthdays = elders.class_over(tx, now.astimezone(policies.city.zone).date().isoformat(), CHUNK)
    if birthdays:
        _derive(tx, birthdays, policies, now)
        return True
    if meta.get(tx, DERIVED_BY) == policies.digest:
        return False
    digest, _, after = (meta.get(tx, DERIVING) or "").partition(" ")
    rest = elders.all_after(tx, after if digest == policies.digest else "", CHUNK)
    _derive(tx, rest, policies, now)
    if rest:
        meta.put(tx, DERIVING, f"{policies.digest} {rest[-1].id}")
    else:
        meta.put(tx, DERIVED_BY, policies.digest)
    return bool(rest)


def _derive(tx: Tx, files: Iterable[Elder], policies: Policies, now: datetime) -> None:
    for elder in files:
        if changed := casework.derive(tx, elder, policies, now):
            tx.note(now, ACTOR, "elder.derive", elder.id, changed)
