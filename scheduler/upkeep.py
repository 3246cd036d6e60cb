"""What the ledger needs as days go by: classes that change with a birthday, or with the policy; what files lack."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from scheduler import annex2, casework
from scheduler.policy import Policies
from storage import elder_files, elders, meta
from storage.database import Tx
from storage.elders import Elder

CHUNK = 100  # files in one unit of work
ACTOR = "clock"  # who the audit chain says did it
DERIVED_BY = "policy_derived_by"  # by which rules every file was derived
DERIVING = "policy_deriving"  # the rules, and the last file that was derived by them: a killed sweep goes on there
RULES = "missing"  # what is derived beside the policy's rules: another word here, and every file is derived once more


def classes(tx: Tx, now: datetime, policies: Policies) -> bool:
    """Derives a chunk of classes and windows anew (C8); True where there is more to do.

    Those whose birthday has come; and all of them, with what they lack of annex 2, once, where the policy is another
    than it was, or this program derives more than the one before.
    """
    birthdays = elders.class_over(tx, now.astimezone(policies.city.zone).date().isoformat(), CHUNK)
    if birthdays:
        _derive(tx, birthdays, policies, now)
        return True
    rules = f"{policies.digest}+{RULES}"
    if meta.get(tx, DERIVED_BY) == rules:
        return False
    before, _, after = (meta.get(tx, DERIVING) or "").partition(" ")
    rest = elders.all_after(tx, after if before == rules else "", CHUNK)
    _derive(tx, (_looked_through(tx, elder) for elder in rest), policies, now)
    if rest:
        meta.put(tx, DERIVING, f"{rules} {rest[-1].id}")
    else:
        meta.put(tx, DERIVED_BY, rules)
    return bool(rest)


def _looked_through(tx: Tx, elder: Elder) -> Elder:
    """The elder with what his file lacks: one that was opened before that was counted has an empty list."""
    file = elder_files.unscoped(tx, elder.id)
    return replace(elder, missing=" ".join(annex2.missing(file))) if file else elder


def _derive(tx: Tx, files: Iterable[Elder], policies: Policies, now: datetime) -> None:
    for elder in files:
        if changed := casework.derive(tx, elder, policies, now):
            tx.note(now, ACTOR, "elder.derive", elder.id, changed)
