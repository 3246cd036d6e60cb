"""The survey of a village: every group that the tree or a file knows of, none left out (三(二))."""

from datetime import UTC, datetime

from storage import areas, surveys
from storage.database import Store, Tx
from tests.storage.ground import lay

NOW = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)


async def test_a_group_counts_as_done_by_its_newest_survey_and_none_is_left_out(store: Store) -> None:
    ground = await store.run(lay(NOW))

    def work(tx: Tx) -> list[surveys.Coverage]:
        village = areas.find(tx, ground.village.id)
        assert village is not None
        first, second = (areas.add(tx, village, "group", name, NOW) for name in ("9组", "10组"))
        surveys.write(tx, first.id, "2026-02-01", 30, 1, ground.coordinator, NOW)
        surveys.write(tx, first.id, "2026-03-01", 40, 2, ground.coordinator, NOW)
        surveys.write(tx, second.id, "2026-03-02", 20, 0, ground.coordinator, NOW)
        surveys.write(tx, second.id, "2026-03-02", 25, 3, ground.coordinator, NOW)  # the same day again: the later counts
        return surveys.coverage(tx, ground.village.id)

    found = await store.run(work)
    done = {each.group: (each.on_day, each.households, each.found) for each in found if each.on_day}
    assert done == {"9组": ("2026-03-01", 40, 2), "10组": ("2026-03-02", 25, 3)}
    waiting = [each for each in found if each.on_day is None]
    assert waiting
    assert found[:len(waiting)] == waiting, "those not done come first"
    assert sum(each.registered for each in waiting) > 0, "groups that only stand in files are not forgotten"
