"""What ticks did, or would do, in lines for the operator: who gets what, when it leaves, and why.

Names of staff and family stand there, never an elder's: he is a file's number.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.notices import KINDS
from storage import people
from storage.outbox import Outgoing
from storage.watched import Watched

WALL = "%Y-%m-%d %H:%M"
IN = "  "


@dataclass
class Did:
    """What one sweep did at one time: messages in their order, rows by table, lines of the audit chain."""

    told: list[str] = field(default_factory=list)
    touched: Counter[str] = field(default_factory=Counter)
    noted: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield from self.told
        yield from (f"{count} {what}" for what, count in self.touched.items())
        yield from self.noted


class Report:
    """What is seen of ticks, by their times and sweeps."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._done: dict[tuple[datetime, str], Did] = {}
        self.failed: set[str] = set()

    def add(self, now: datetime, sweep: str, did: Did) -> None:
        """Keeps what a chunk did."""
        kept = self._done.setdefault((now, sweep), Did())
        kept.told += did.told
        kept.touched.update(did.touched)
        kept.noted += did.noted

    def lines(self) -> list[str]:
        """A line with each time at which something was done, under it the sweeps, under each what it did."""
        lines, before = [], ""
        for (now, sweep), did in self._done.items():
            found = list(did.lines())
            if not found:
                continue
            at = self._wall(now)
            if at != before:
                lines.append(at)
            lines += [IN + sweep, *(2 * IN + line for line in found)]
            before = at
        return lines or ["nothing is due"]

    def seen(self, tx: Watched, now: datetime) -> Did:
        """What was done through these hands."""
        return Did([self._told(tx, row, max(leaves, now), now) for row, leaves in tx.told], tx.touched, tx.noted)

    def _told(self, tx: Watched, row: Outgoing, leaves: datetime, now: datetime) -> str:
        notice = KINDS[row.kind].model_validate(row.fields) if row.kind in KINDS else None
        person = people.find(tx, notice.person) if notice else None
        why = notice.why(tx, now.astimezone(self._zone).date()) if notice else ""
        return (f"{person.name if person else row.chat} by {row.channel}: {row.kind}, leaves {self._wall(leaves)}"
                + (f", {why}" if why else ""))

    def _wall(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime(WALL)
