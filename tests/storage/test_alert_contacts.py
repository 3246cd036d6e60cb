"""Whether the family has heard of an alert: a call that got through, or one of them who has seen it."""

from datetime import datetime

import pytest
from sqlalchemy import insert

from storage import alert_contacts, alerts, assignments, people
from storage.database import Store, Tx
from storage.ids import millis
from storage.tables import alert_told
from tests.storage.ground import lay

TODAY = "2026-03-02"


async def test_what_was_said_last_of_a_call_counts(store: Store, now: datetime) -> None:
    ground = await store.run(lay(now))

    def work(tx: Tx) -> None:
        alert = alerts.add(tx, ground.elder, ground.village.id, "fall", "person", ground.visitor, "", now, now)
        assert not alert_contacts.family_knows(tx, alert, TODAY)
        alert_contacts.mark(tx, alert, "1", "not_reached", ground.visitor, now)
        assert not alert_contacts.family_knows(tx, alert, TODAY)
        alert_contacts.mark(tx, alert, "2", "reached", ground.visitor, now)
        assert alert_contacts.family_knows(tx, alert, TODAY)
        alert_contacts.mark(tx, alert, "2", "not_reached", ground.coordinator, now)
        assert not alert_contacts.family_knows(tx, alert, TODAY)
        assert alert_contacts.of(tx, alert.id) == {"1": "not_reached", "2": "not_reached"}
    await store.run(work)


@pytest.mark.parametrize("how", ["saw it", "raised it", "goes"])
async def test_a_child_who_saw_it_raised_it_or_goes_knows(store: Store, now: datetime, how: str) -> None:
    ground = await store.run(lay(now))

    def work(tx: Tx) -> None:
        child = people.add(tx, ground.village.id, "李娜", ("family",), now).id
        by = child if how == "raised it" else ground.visitor
        alert = alerts.add(tx, ground.elder, ground.village.id, "fall", "person", by, "", now, now)
        if how == "goes":
            alerts.claim(tx, alert, child, now)
        if how == "saw it":
            tx.run(insert(alert_told), alert_id=alert.id, person_id=child, told_at=millis(now),
                   seen_at=millis(now), channels="test", state="seen", next_at=None)
        assert not alert_contacts.family_knows(tx, alert, TODAY)  # not of the family yet
        assignments.entrust(tx, child, ground.elder, "family", "2026-01-01")
        assert alert_contacts.family_knows(tx, alert, TODAY)
        assert not alert_contacts.family_knows(tx, alert, "2025-12-31")
    await store.run(work)
