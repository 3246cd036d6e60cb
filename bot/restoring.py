"""`restore`: a backup in the place of the database, and what waited in it held back until an operator says so."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot import audit_head, clock, erased_list
from bot.audit_head import HeadFileBroken, Kept
from bot.backing_up import Ground, ago, counted, told
from storage import audit, backup_file, erasing, held, restoring
from storage.audit import Verdict
from storage.backup_file import BackupBroken
from storage.database import Tx
from storage.held import Held
from storage.restoring import RestoreRefused, There

if TYPE_CHECKING:
    from bot.app import Foundation

ACTOR = "operator"  # who the audit chain says did it
Waiting = Literal["hold", "send", "drop"]


@dataclass(frozen=True, slots=True)
class _Done:
    """What was found and done within the restore."""

    verdict: Verdict
    held: Held
    erased: int
    now: datetime  # as the playground has it


def restore(base: Ground, file: Path, now: datetime, say: Callable[[str], None], *, replace: bool = False,
            only_check: bool = False, waiting: Waiting = "hold") -> None:
    """Checks the file and says what it is; then restores it, and says what came of it. Raises RestoreRefused."""
    heads_at, beside = (each.beside(base.settings.key_file) for each in (audit_head, erased_list))
    try:
        heads, listed, opened = audit_head.read(heads_at), erased_list.read(beside), file.open("rb")
    except HeadFileBroken as error:
        raise RestoreRefused(str(error)) from None
    except OSError as error:
        raise RestoreRefused(f"{error.filename} cannot be read: {error.strerror}") from None
    with opened:
        try:
            about = backup_file.check(opened, base.keys)
        except BackupBroken as error:
            raise RestoreRefused(f"{file}: {error}") from None
        for line in told(base, about, now):
            say(line)
        if only_check:
            return
        result = restoring.restore(
            base.settings.database, opened, about, base.keys, now.astimezone(base.policies.city.zone),
            lambda there: _allow(base, there, replace=replace),
            lambda tx, there: _finish(base, tx, about.id[:16], heads, listed | there.erased, waiting, now))
    if result.head:
        audit_head.add(heads_at, result.head, now)
    kept = f"; what was there is kept as {result.kept}: delete it when it is not wanted any more" if result.kept else ""
    say(f"restored{kept}")
    for line in (*_of_chain(result.done.verdict, about.head), *_of_erased(result.done, known=beside.exists()),
                 *_of_held(result.done, waiting)):
        say(line)


def _allow(base: Ground, there: There, *, replace: bool) -> None:
    if there.empty or replace:
        return
    found = counted(there.rows) if there.readable else "it cannot be read"
    sqlite = base.settings.database.startswith("sqlite")
    becomes = "keeps it under another name" if sqlite else "takes its place, and all of that is lost: back it up first"
    raise RestoreRefused(f"there is a database already ({found}); restore --replace {becomes}")


def _finish(base: Ground, tx: Tx, backup: str, heads: list[Kept], erased: frozenset[str], waiting: Waiting,
            now: datetime) -> _Done:
    today = now.astimezone(base.policies.city.zone).date()
    verdict = audit.verify(tx, heads)
    again = sum(erasing.erase(tx, elder, ACTOR, today, now) is not None for elder in sorted(erased))
    there = held.hold(tx)
    if waiting != "hold":
        decide(tx, waiting, now)
    audit.restored(tx, backup, verdict.left, now)
    return _Done(verdict, there, again, now + (clock.kept_offset(tx) or timedelta(0)))


def _of_chain(verdict: Verdict, head: tuple[int, str] | None) -> list[str]:
    """What the audit chain of the backup is worth, and which later lines are gone."""
    length = head[0] if head else 0
    if verdict.lines < length:
        return [f"WARNING: the audit chain is broken at line {verdict.broken_at}, as it was when the backup was made"]
    lines = []
    if later := [each.seq for each in verdict.left if each.seq > length]:
        lines.append(f"the audit chain ends with line {length}: lines up to {max(later)}, of which heads were kept, "
                     "went with what came after the backup; audit verify says so too")
    if other := sorted(each.seq for each in verdict.left if each.seq <= length):
        lines.append(f"WARNING: heads kept of lines {', '.join(map(str, other))} are not in the chain of the backup: "
                     "they were written between two restores, or the chain was changed")
    return lines or ["the audit chain holds, and has all heads that were kept"]


def _of_erased(done: _Done, *, known: bool) -> list[str]:
    if done.erased:
        return [f"erased once more: {done.erased} elders who were erased after the backup was made"]
    if not known:
        return ["no list of erased elders lies beside the key file: who was erased after the backup was made may be "
                "back in it; erase him again"]
    return []


def _of_held(done: _Done, waiting: Waiting) -> list[str]:
    if not done.held.messages and not done.held.alerts:
        return ["no message waited in it, and no alert ran"]
    did = {"hold": "held, nothing of it goes out", "send": "goes on", "drop": "messages dropped"}[waiting]
    lines = [f"waited in it: {done.held}: {did}"]
    lines += [f"  alert A-{each.number:04d} in {each.place} ({each.kind}, {each.state}), raised "
              f"{ago(done.now, each.raised_at)}: call there and ask" for each in done.held.alerts]
    if waiting != "send" and done.held.alerts:
        lines.append("the clock tells nobody more of these alerts; whoever takes one over goes on as ever")
    if waiting == "hold":
        lines.append("python -m bot restore --send-waiting, now or while serve runs, lets it go on; --drop-waiting "
                     "drops the messages")
    return lines


def decide(tx: Tx, waiting: Waiting, now: datetime) -> None:
    """Lets what is held go, or drops it."""
    tx.note(now, ACTOR, "backup.sent" if waiting == "send" else "backup.dropped", "")
    (held.send if waiting == "send" else held.drop)(tx, now)


async def decide_later(base: "Foundation", waiting: Waiting, wall: datetime) -> list[str]:
    """As an operator said after a restore, beside a running `serve` or without; the lines to print.

    Raises RestoreRefused where nothing is held.
    """
    def work(tx: Tx) -> Held | None:
        found = held.look(tx)
        if found:
            decide(tx, waiting, wall + (clock.kept_offset(tx) or timedelta(0)))
        return found

    found = await base.store.run(work)
    if found is None:
        raise RestoreRefused("nothing is held: no backup was restored here, or this was decided before")
    return [f"{'goes on' if waiting == 'send' else 'messages dropped'}: {found}"]
