"""`erase`: an elder's personal data goes for ever; his row and the days of his visits stay for the figures."""

from datetime import datetime

from bot import erased_list
from bot.app import Foundation
from bot.inviting import OPERATOR, InvitationRefused, area_called
from storage import elders, erasing
from storage.database import Tx


class EraseRefused(Exception):
    """Why nothing was erased, for the operator."""


async def erase(base: Foundation, elder_id: str, area: str, name: str, now: datetime, *, dry_run: bool) -> list[str]:
    """Erases the elder of this id, or the one of this name in an area; gives the lines to print. Raises EraseRefused.

    With `dry_run` nothing is written.
    """
    def which(tx: Tx) -> str:
        if elder_id:
            return elder_id
        found = elders.ids_named(tx, area_called(tx, area).path, name)
        if len(found) != 1:
            several = f"several elders, give an id: {', '.join(found)}"
            raise EraseRefused(f"{several if found else 'no elder'} of that name in {area}")
        return found[0]

    def work(tx: Tx) -> tuple[str, dict[str, int] | None]:
        elder = which(tx)
        if dry_run:
            return elder, erasing.counts(tx, elder)
        return elder, erasing.erase(tx, elder, OPERATOR, now.astimezone(base.policy.zone).date(), now)

    try:
        elder, counts = await (base.store.read(work) if dry_run else base.store.run(work))
    except InvitationRefused as error:
        raise EraseRefused(str(error)) from None
    if counts is None:
        raise EraseRefused(f"there is no elder {elder} to erase: unknown, or erased already")
    if not dry_run:
        await erased_list.keep(base)
    lines = [f"{'would be erased' if dry_run else 'erased'}: elder {elder}"]
    return lines + [f"  {table} {count}" for table, count in counts.items() if count]
