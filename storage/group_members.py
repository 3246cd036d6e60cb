"""Who belongs into a village's work group on a platform: the village's coordinators and visitors, and who bound it.

The program's own look-up, without a scope: it gives accounts, and nothing of anybody.
"""

from sqlalchemy import bindparam, or_, select

from storage.assignments import VISITING
from storage.database import Tx
from storage.tables import accounts, assignments, elders, people, posts

_at_work = select(posts.c.role).where(
    posts.c.person_id == people.c.id, posts.c.area_id == bindparam("village"),
    or_(posts.c.role == "visitor", posts.c.role == "village")).exists()
_visits = select(assignments.c.elder_id).select_from(
    assignments.join(elders, elders.c.id == assignments.c.elder_id)).where(
    assignments.c.person_id == people.c.id, elders.c.village_id == bindparam("village"), elders.c.status != "closed",
    or_(*(assignments.c.role == role for role in VISITING)), assignments.c.from_on <= bindparam("day"),
    or_(assignments.c.until_on.is_(None), assignments.c.until_on >= bindparam("day"))).exists()
_WANTED = select(accounts.c.account, people.c.id).select_from(
    accounts.join(people, people.c.id == accounts.c.person_id)).where(
    accounts.c.channel == bindparam("on_channel"), accounts.c.state == "active", accounts.c.blocked_at.is_(None),
    people.c.status == "active", or_(_at_work, _visits, people.c.id == bindparam("by"))).order_by(accounts.c.account)

def wanted(tx: Tx, channel: str, village: str, by: str, day: str) -> dict[str, str]:
    """Account to person of everybody who belongs into the group on this day (ISO)."""
    return dict(tx.all(_WANTED, on_channel=channel, village=village, by=by, day=day))
