"""What the tests of the ledgers stand on: two villages, a visitor in each, an elder in each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from storage import areas, assignments, elders, forms, people
from storage.areas import Area
from storage.database import Tx
from storage.elders import NewElder, Standing
from storage.scope import Scope
from storage.sqlite import driver
from storage.visits import Entry

DAY = date(2026, 3, 2)
STANDING = Standing("general", "2026-03-01", "2026-03-31", None, None, None)
TAKEN = (driver.IntegrityError, psycopg.errors.UniqueViolation)  # a unique value that is there already


@dataclass(frozen=True)
class Ground:
    township: Area
    village: Area
    other_village: Area
    visitor: str
    other_visitor: str
    coordinator: str
    elder: str
    other_elder: str

    @property
    def scope(self) -> Scope:
        return Scope(self.coordinator, DAY)


def new_elder(village: Area, name: str = "张桂芳", **given: Any) -> NewElder:
    return NewElder(village.id, "3组", name, "zgf", "female", "1940-01-01", ["living_alone"], "intact", "2026-01-01",
                    **given)


def entry(elder_id: str, draft_id: str, **given: Any) -> Entry:
    return Entry(**{"elder_id": elder_id, "form_hash": "h", "on_day": "2026-03-02", "method": "home", "late": False,
                    "answers": {"mood": ["same", 1, "tap"]}, "draft_id": draft_id} | given)


def lay(now: datetime) -> Callable[[Tx], Ground]:
    def work(tx: Tx) -> Ground:
        township = areas.add(tx, None, "township", "云龙镇", now)
        village = areas.add(tx, township, "village", "石岭村", now)
        other = areas.add(tx, township, "village", "河坝村", now)
        forms.keep(tx, "h", "visit", "{}")
        ground = Ground(
            township, village, other,
            people.add(tx, village.id, "王强", ("visitor",), now, "grid_worker").id,
            people.add(tx, other.id, "李军", ("visitor",), now, "grid_worker").id,
            people.add(tx, township.id, "赵敏", ("township",), now).id,
            elders.add(tx, new_elder(village), STANDING, now),
            elders.add(tx, new_elder(other, "陈国清"), STANDING, now),
        )
        assignments.entrust(tx, ground.visitor, ground.elder, "visitor", "2026-01-01")
        assignments.entrust(tx, ground.other_visitor, ground.other_elder, "visitor", "2026-01-01")
        return ground
    return work
