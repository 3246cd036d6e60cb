"""A ledger as a file from the command line: in a coordinator's name, as he could take it in chat."""

from datetime import datetime
from pathlib import Path

from bot.app import Foundation
from bot.inviting import area_called
from bot.sheets import Ledgers
from conversations.commands.exchange import holds
from storage import people
from storage.areas import Area
from storage.database import Tx


class ExportRefused(Exception):
    """Why nothing is given or taken in somebody's name, for the operator."""


def whose(tx: Tx, area: str, by: str) -> tuple[Area, str]:
    """The area of a name or path, and who of this name coordinates it. Raises ExportRefused, InvitationRefused."""
    where = area_called(tx, area)
    named = [person for person in people.named(tx, by) if holds(tx, person, where.id)]
    if len(named) != 1:
        raise ExportRefused(f"{'nobody' if not named else 'more than one'} called {by} coordinates {area}")
    return where, named[0]


async def ledger(base: Foundation, area: str, by: str, out: Path, now: datetime) -> int:
    """Writes the ledger of an area to `out`, never over a file that is there; gives how many files it holds.

    Raises ExportRefused, InvitationRefused.
    """
    if out.exists():
        raise ExportRefused(f"{out} is there already")

    where, person = await base.store.read(lambda tx: whose(tx, area, by))
    body, rows = await Ledgers(base.store, base.policies).export(where, person, now)
    await base.store.run(lambda tx: tx.note(now, person, "export.ledger", where.id, ["ledger"]))
    out.touch(mode=0o600)  # ID numbers are in it
    out.write_bytes(body)
    return rows
