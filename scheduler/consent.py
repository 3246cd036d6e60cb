"""An elder takes back his consent to be on the ledger: a coordinator of where he lives has his data erased."""

from datetime import datetime

from scheduler.policy import Policy
from storage import erasing, ties
from storage.database import Tx
from storage.scope import Scope

COORDINATING = frozenset({"village", "township", "county"})


def may_withdraw(tx: Tx, scope: Scope, elder_id: str) -> bool:
    """Whether the scope's person coordinates, from village to county, where this elder lives."""
    return bool(ties.over(tx, scope, elder_id) & COORDINATING)


def withdrawn(tx: Tx, scope: Scope, elder_id: str, policy: Policy, now: datetime, *, dry_run: bool = False,
              ) -> dict[str, int] | None:
    """Erases the elder in the scope's person's name (with `dry_run` only counts); rows by table.

    None where he may not, or there is nothing to erase. For ever: ask first.
    """
    if not may_withdraw(tx, scope, elder_id):
        return None
    if dry_run:
        return erasing.counts(tx, elder_id)
    return erasing.erase(tx, elder_id, scope.person_id, now.astimezone(policy.zone).date(), now)
