"""Break-glass: one file beyond the scope, for coordinators of the same county, while the alert runs."""

from datetime import datetime, timedelta

import pytest

from storage import alerts, areas, elders, glass, people
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import DAY, STANDING, new_elder


def settle(tx: Tx, now: datetime, *, city: bool = True) -> dict[str, str]:
    """Two counties of a city, a township and two villages in each: who coordinates where, by name."""
    root = areas.add(tx, None, "city", "泸州市", now) if city else None
    made = {}
    for county in ("江阳", "纳溪"):
        top = areas.add(tx, root, "county", county, now)
        town = areas.add(tx, top, "township", f"{county}镇", now)
        one, two = (areas.add(tx, town, "village", f"{county}{name}村", now) for name in "甲乙")
        for role, area in (("county", top), ("township", town), ("village", two), ("visitor", two), ("first_contact", two)):
            made[f"{county} {role}"] = people.add(tx, area.id, f"{county}{role}", (role,), now).id
        made[county] = elders.add(tx, new_elder(one, f"{county}老人", phone="13912345678"), STANDING, now)
    if root:
        made["city"] = people.add(tx, root.id, "市", ("city",), now).id
    elder = elders.unscoped(tx, made["江阳"])
    assert elder
    alerts.add(tx, elder.id, elder.village_id, "fall", "person", None, "", now, now + timedelta(minutes=3))
    return made


@pytest.mark.parametrize("city", [True, False], ids=["under a city", "counties at the top"])
async def test_only_coordinators_of_the_county_open_the_file_of_a_running_alert(
    store: Store, now: datetime, city: bool
) -> None:
    made = await store.run(lambda tx: settle(tx, now, city=city))

    def opens(tx: Tx) -> list[str]:
        return sorted(name for name, person in made.items() if glass.openable(tx, Scope(person, DAY), 1))
    assert await store.read(opens) == ["江阳 county", "江阳 township", "江阳 village"]
    found = await store.read(lambda tx: glass.openable(tx, Scope(made["江阳 village"], DAY), 1))
    assert found and found.elder.id == made["江阳"] and found.file.phone == "13912345678"
    assert not await store.read(lambda tx: glass.openable(tx, Scope(made["江阳 village"], DAY), 2))

    def end(tx: Tx) -> None:
        alert = alerts.running_numbered(tx, 1)
        assert alert and alerts.end(tx, alert, "false_alarm", made["江阳 township"], {"reason": "没事"}, now)
    await store.run(end)
    assert await store.read(opens) == []
