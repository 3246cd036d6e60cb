"""Campaigns (C13): times in which more is done than the ordinary, over an area and from one day to another.

States go one way: proposed -> open -> ended; cancelled from either of the first two. An open one has begun once
`begun_at` stands: one confirmed ahead of its first day waits for the clock.
"""

from sqlalchemy import bindparam, or_, select

from storage import areas
from storage.database import Tx
from storage.tables import areas as areas_table
from storage.tables import campaigns

_DEPTH = len(areas.LEVELS)
_PATH = select(areas_table.c.path).where(areas_table.c.id == bindparam("area"))
_OVER = or_(*[campaigns.c.area_id == bindparam(f"over{n}") for n in range(_DEPTH)])  # each by the index on areas
_REMOTE = select(campaigns.c.first_on, campaigns.c.last_on).where(
    _OVER, campaigns.c.remote == 1, or_(campaigns.c.state == "open", campaigns.c.state == "ended")).order_by(
    campaigns.c.first_on, campaigns.c.last_on)


def remote_periods(tx: Tx, village_id: str) -> list[tuple[str, str]]:
    """The first and last days (ISO) between which remote visits meet the windows of this village's elders.

    Those of epidemics for which a coordinator declared home visits impossible (三(六)2), past ones included: what a
    visit by telephone met then stays met. One that was ended early ends on that day; a cancelled one never was.
    """
    return [(first, last) for first, last in tx.all(_REMOTE, **_over(tx, village_id))]


def _over(tx: Tx, area_id: str) -> dict[str, str]:
    """The ids of an area and all that it lies in, as the statements want them."""
    row = tx.one(_PATH, area=area_id)
    line = row[0].split("/")[:-1] if row else []
    return {f"over{n}": line[n] if n < len(line) else "" for n in range(_DEPTH)}
