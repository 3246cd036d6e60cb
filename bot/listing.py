"""Another body's list from the command line, in a coordinator's name: `python -m bot import LIST --list`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot import matching
from bot.app import Foundation
from bot.exporting import ExportRefused, whose
from bot.importing import free_name, written
from bot.sheets import KEY
from conversations.commands.exchange import holds
from conversations.documents import file_kind, ledger_faults, match_workbook
from conversations.documents.ledger_file import Unreadable
from conversations.documents.match_workbook import Difference, Marked
from conversations.words_book import Words
from storage.scope import Scope


async def match(base: Foundation, path: Path, area: str, by: str, now: datetime, *, all_of_it: bool) -> list[str]:
    """Compares a list with the ledger of an area and writes beside it where they differ; or takes over what came back
    marked. With `all_of_it` it takes over at once whatever one press in chat would.

    Gives the lines to print. Raises ImportRefused, ExportRefused, InvitationRefused.
    """
    where, person = await base.store.read(lambda tx: whose(tx, area, by))
    scope, words, source = Scope(person, now.astimezone(base.policies.city.zone).date()), Words(), path.read_bytes()
    try:
        if file_kind.kind(source) == "answers":
            return await _answered(base, match_workbook.answers(source), path, scope, now, words)
        compared = await matching.compare(base.store, source, where, scope)
    except Unreadable as error:
        raise ExportRefused(f"{path}: {ledger_faults.explain_unreadable(error)}") from None
    kept = await base.store.run(lambda tx: compared.keep(tx, where, person, now))
    told = [", ".join(f"{name} {count}" for name, count in compared.fields.items())]
    if copy := await compared.workbook(kept):
        told.append(f"what differs: {written(copy, free_name(path, words.say('match_sheet.mark')), words)}")
    if all_of_it and compared.by_button:
        marked = [Marked(*each) for each in compared.by_button]
        told += await _taken(base, compared.lines, marked, path, scope, now, words)
    return told


async def _answered(base: Foundation, marks: dict[str, list[Marked]], path: Path, scope: Scope, now: datetime,
                    words: Words) -> list[str]:
    if len(marks) != 1:
        raise ExportRefused(f"{path}: {words.say('matching.several' if marks else 'matching.none_marked')}")
    (file, marked), = marks.items()
    kept = await base.store.read(lambda tx: matching.kept(tx, scope.person_id, file, now))
    if kept is None or not await base.store.read(lambda tx: holds(tx, scope.person_id, kept[0])):
        raise ExportRefused(f"{path}: {words.say('matching.stale', {'days': matching.KEPT.days})}")
    return await _taken(base, kept[1], [mark for mark in marked if mark.place < len(kept[1])], path, scope, now, words)


async def _taken(base: Foundation, lines: Sequence[Difference], marked: Sequence[Marked], path: Path, scope: Scope,
                 now: datetime, words: Words) -> list[str]:
    done = ""
    for work in matching.chunks(lines, marked, "", scope, base.policies, now):
        done += await base.store.run(work, KEY)
    told = [", ".join(f"{outcome} {count}" for outcome, count in sorted(matching.counts(done).items()))]
    if copy := await matching.left(lines, marked, done):
        told.append(f"what was left: {written(copy, free_name(path, words.say('match_sheet.left_mark')), words)}")
    return told
