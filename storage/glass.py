"""Break-glass (C15): one file of another area of the same county, while an alert on that elder runs.

The only read of a person's elder beyond a Scope: by the alert's number, which somebody must have told him.
"""

from dataclasses import dataclass

from storage import alerts, areas, elder_files, elders, people
from storage.alerts import Alert
from storage.database import Tx
from storage.elders import Elder, NewElder
from storage.scope import Scope

COORDINATORS = frozenset({"village", "township", "county"})


@dataclass(frozen=True, slots=True)
class Opened:
    """The alert, its elder, and the whole file."""

    alert: Alert
    elder: Elder
    file: NewElder


def openable(tx: Tx, scope: Scope, number: int) -> Opened | None:
    """What a coordinator of the same county may open by the number of an alert; None for anybody and anything else.

    The caller notes on the audit chain what is shown.
    """
    alert = alerts.running_numbered(tx, number)
    elder = elders.unscoped(tx, alert.elder_id or "") if alert else None
    if alert is None or alert.drill or elder is None or elder.condition == "erased":
        return None
    county = _county(tx, elder.village_id)
    mine = (post.area_id for post in people.posts_of(tx, scope.person_id) if post.role in COORDINATORS)
    if county is None or county not in (_county(tx, area) for area in mine):
        return None
    file = elder_files.unscoped(tx, elder.id)
    return Opened(alert, elder, file) if file else None


def _county(tx: Tx, area_id: str) -> str | None:
    """The county that an area lies in, by id; where the tree begins below the counties, all of it is one."""
    area = areas.find(tx, area_id)
    return next((each.id for each in areas.above(tx, area) if each.level != "city"), None) if area else None
