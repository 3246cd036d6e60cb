"""Campaigns on both databases: their states, whom they touch, whom they reached, and when remote visits count."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from storage import areas, assignments, campaign_progress, campaigns, elders, people, visits
from storage.campaigns import Campaign, NewCampaign
from storage.database import Store, Tx
from storage.elders import Standing
from storage.scope import Scope
from tests.storage.ground import DAY, STANDING, Ground, entry, lay

ANY = ("home", "phone", "video", "other")
HOME = ("home",)


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


def opened(tx: Tx, ground: Ground, now: datetime, begin: bool = True, **given: Any) -> Campaign:
    new = NewCampaign(**{"kind": "weather", "name": "cold wave", "area_id": ground.village.id, "first_on": "2026-03-02",
                         "last_on": "2026-03-05", "advice": "cold", "met_by": ANY} | given)
    made = campaigns.add(tx, new, ground.coordinator, now, "open")
    assert made is not None
    if begin:
        assert campaigns.begin(tx, made, now)
    found = campaigns.unscoped(tx, made)
    assert found is not None
    return found


async def test_a_campaign_goes_from_proposed_to_open_to_ended_and_each_step_is_taken_once(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        new = NewCampaign("festival", "spring", ground.township.id, "2026-03-02", "2026-03-09", "festival", HOME,
                          festival="spring")
        proposed = campaigns.add(tx, new, None, now, "proposed")
        assert proposed is not None
        assert campaigns.add(tx, new, None, now, "proposed") is None
        assert campaigns.having(tx, "spring", DAY) == {ground.township.id}
        assert not campaigns.begin(tx, proposed, now)
        assert campaigns.open_(tx, proposed, "2026-03-03", "2026-03-09", ground.coordinator, now)
        assert not campaigns.open_(tx, proposed, "2026-03-04", "2026-03-09", ground.coordinator, now)
        assert campaigns.to_begin(tx, DAY, 9) == []
        assert campaigns.to_begin(tx, date(2026, 3, 3), 9) == [proposed]
        found = campaigns.unscoped(tx, proposed)
        assert found is not None and (found.first_on, found.state, found.runs) == ("2026-03-03", "open", False)
        assert not campaigns.end(tx, found, "2026-03-04", "clock", now)  # what has not begun cannot end
        assert campaigns.begin(tx, proposed, now)
        assert not campaigns.begin(tx, proposed, now)
        assert campaigns.end(tx, found, "2026-03-04", "clock", now)
        assert not campaigns.end(tx, found, "2026-03-04", "clock", now)
        assert not campaigns.cancel(tx, proposed, ground.coordinator, now)
        found = campaigns.unscoped(tx, proposed)
        assert found is not None and (found.state, found.last_on) == ("ended", "2026-03-04")
    await store.run(work)


async def test_days_move_freely_before_it_begins_and_then_only_its_end(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        later = opened(tx, ground, now, begin=False, first_on="2026-03-04")
        assert campaigns.move(tx, later, "2026-03-03", "2026-03-08", ground.coordinator, now)
        campaigns.begin(tx, later.id, now)
        assert campaigns.move(tx, later, "2026-03-01", "2026-03-09", ground.coordinator, now)
        found = campaigns.unscoped(tx, later.id)
        assert found is not None and (found.first_on, found.last_on) == ("2026-03-03", "2026-03-09")
        campaigns.end(tx, found, "2026-03-05", "clock", now)
        assert not campaigns.move(tx, found, "2026-03-03", "2026-03-20", ground.coordinator, now)
    await store.run(work)


async def test_it_is_seen_below_and_above_and_by_who_cares_there_and_decided_on_in_the_own_subtree_only(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        county = areas.add(tx, None, "county", "江阳区", now)
        neighbour = areas.add(tx, county, "township", "白沙镇", now)
        next_door = people.add(tx, neighbour.id, "钱进", ("township",), now).id
        in_village = people.add(tx, ground.village.id, "周全", ("village",), now).id
        child = people.add(tx, ground.village.id, "李娜", ("family",), now).id
        assignments.entrust(tx, child, ground.elder, "family", "2026-01-01")
        here = opened(tx, ground, now)
        wide = opened(tx, ground, now, area_id=ground.township.id, kind="epidemic")

        def seen(person: str) -> set[str]:
            scope = Scope(person, DAY)
            listed = {each.id for each in campaigns.listed(tx, scope)}
            assert listed == {each.id for each in (here, wide) if campaigns.find(tx, scope, each.id)}
            return listed

        assert seen(ground.coordinator) == seen(ground.visitor) == seen(in_village) == {here.id, wide.id}
        assert seen(ground.other_visitor) == {wide.id}
        assert seen(next_door) == seen(child) == set()
        decides = [(person, each.id) for person in (ground.coordinator, ground.visitor, in_village, next_door)
                   for each in (here, wide) if campaigns.managed(tx, Scope(person, DAY), each.id)]
        assert decides == [(ground.coordinator, here.id), (ground.coordinator, wide.id), (in_village, here.id)]
        assert [each.id for each in campaigns.running_over(tx, ground.village.id, DAY)] == [here.id, wide.id]
        assert [each.id for each in campaigns.running_over(tx, ground.other_village.id, DAY)] == [wide.id]
    await store.run(work)


async def test_remote_visits_count_in_the_days_of_epidemics_declared_so_and_stay_counted_when_it_is_over(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        opened(tx, ground, now, kind="epidemic", name="told only")
        assert campaigns.remote_periods(tx, ground.village.id) == []
        remote = opened(tx, ground, now, kind="epidemic", area_id=ground.township.id, remote=True, every_days=3,
                        last_on="2026-04-10")
        for village in (ground.village, ground.other_village, ground.township):
            assert campaigns.remote_periods(tx, village.id) == [("2026-03-02", "2026-04-10")]
        assert not campaigns.cancel(tx, remote.id, ground.coordinator, now)  # windows were met by it
        assert campaigns.end(tx, remote, "2026-03-20", ground.coordinator, now)
        assert campaigns.remote_periods(tx, ground.village.id) == [("2026-03-02", "2026-03-20")]
        planned = opened(tx, ground, now, begin=False, kind="epidemic", name="next", remote=True, first_on="2026-05-01",
                         last_on="2026-05-09")
        assert len(campaigns.remote_periods(tx, ground.village.id)) == 2
        assert campaigns.cancel(tx, planned.id, ground.coordinator, now)
        assert campaigns.remote_periods(tx, ground.village.id) == [("2026-03-02", "2026-03-20")]
        elsewhere = areas.add(tx, None, "township", "白沙镇", now)
        assert campaigns.remote_periods(tx, areas.add(tx, elsewhere, "village", "沙坝村", now).id) == []
    await store.run(work)


async def test_who_was_visited_or_called_is_reached_and_a_voided_visit_is_not(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        festival = opened(tx, ground, now, kind="festival", name="spring", met_by=HOME)
        anyhow = opened(tx, ground, now, kind="other", name="check")

        def reached(campaign: Campaign) -> int:
            found = campaign_progress.progress(tx, ground.scope, campaign)
            assert [each.village for each in found] == ["石岭村"]
            left = campaign_progress.left(tx, ground.scope, campaign, 9)
            assert found[0].wanted - found[0].reached == len(left)
            return found[0].reached

        assert (reached(festival), reached(anyhow)) == (0, 0)
        visits.submit(tx, entry(ground.elder, "before", on_day="2026-03-01"), ground.visitor, now)
        assert (reached(festival), reached(anyhow)) == (0, 0)
        by_phone, _ = visits.submit(tx, entry(ground.elder, "d", method="phone"), ground.visitor, now)
        assert (reached(festival), reached(anyhow)) == (0, 1)
        visit = visits.find(tx, ground.scope, by_phone)
        assert visit is not None
        visits.void(tx, visit, ground.visitor, "wrong elder", now)
        assert (reached(festival), reached(anyhow)) == (0, 0)
        campaign_progress.called(tx, anyhow, ground.elder, "phone", DAY, now)
        campaign_progress.called(tx, anyhow, ground.elder, "phone", DAY, now)
        assert (reached(festival), reached(anyhow)) == (0, 1)
        assert campaign_progress.uncalled(tx, anyhow, ground.elder, DAY)
        assert not campaign_progress.uncalled(tx, anyhow, ground.elder, DAY)
        assert reached(anyhow) == 0
        visits.submit(tx, entry(ground.elder, "home"), ground.visitor, now)
        assert (reached(festival), reached(anyhow)) == (1, 1)
    await store.run(work)


async def test_contacts_that_are_to_be_repeated_count_for_so_many_days(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        epidemic = opened(tx, ground, now, kind="epidemic", remote=True, every_days=3, last_on="2026-03-20")
        campaign_progress.called(tx, epidemic, ground.elder, "phone", DAY, now)

        def left(days: int) -> list[str]:
            scope = Scope(ground.visitor, DAY + timedelta(days=days))
            return [each.id for each in campaign_progress.left(tx, scope, epidemic, 9)]

        assert [left(days) for days in range(4)] == [[], [], [], [ground.elder]]
        campaigns.end(tx, epidemic, "2026-03-09", "clock", now)
        over = campaigns.unscoped(tx, epidemic.id)
        assert over is not None
        assert campaign_progress.progress(tx, Scope(ground.visitor, date(2026, 3, 10)), over)[0].reached == 1
    await store.run(work)


async def test_in_extreme_weather_a_visit_from_before_it_began_reached_nobody(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        visits.submit(tx, entry(ground.elder, "earlier today"), ground.visitor, now - timedelta(hours=1))
        cold = opened(tx, ground, now, within_hours=24)
        assert cold.until == now + timedelta(hours=24)
        assert campaign_progress.progress(tx, ground.scope, cold)[0].reached == 0
        visits.submit(tx, entry(ground.elder, "since"), ground.visitor, now + timedelta(hours=1))
        assert campaign_progress.progress(tx, ground.scope, cold)[0].reached == 1
    await store.run(work)


async def test_the_most_fragile_come_first_and_each_sees_only_his_own(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        priority = Standing("priority", "2026-03-01", "2026-03-15", None, None, None)
        for name, birth, categories, standing in (
                ("甲", "1936-01-01", ["empty_nest"], STANDING), ("乙", "1950-01-01", ["empty_nest"], priority),
                ("丙", "1955-01-01", ["childless_alone"], priority), ("丁", None, ["living_alone"], STANDING)):
            file = elders.NewElder(ground.village.id, "3组", name, "x", "male", birth, categories, "intact",
                                   "2026-01-01")
            elders.add(tx, file, standing, now)
        cold = opened(tx, ground, now, area_id=ground.township.id)
        order = [each.name for each in campaign_progress.left(tx, ground.scope, cold, 9)]
        assert order == ["丙", "乙", "张桂芳", "陈国清", "丁", "甲"]
        theirs = Scope(ground.visitor, DAY)
        assert [each.name for each in campaign_progress.left(tx, theirs, cold, 9)] == ["张桂芳"]
        here, there = campaign_progress.villages(tx, cold, "", 9)
        assert (here, there) == (ground.village.path, ground.other_village.path)
        assert campaign_progress.villages(tx, cold, here, 9) == [there]
        assert campaign_progress.workers(tx, cold, [here], DAY) == [ground.visitor]
        assert campaign_progress.workers(tx, cold, [here, there], DAY) == sorted((ground.visitor, ground.other_visitor))
        campaign_progress.called(tx, cold, ground.elder, "phone", DAY, now)
        assert campaign_progress.workers(tx, cold, [here], DAY) == []
        assert campaign_progress.workers(tx, cold, [there], DAY) == [ground.other_visitor]
    await store.run(work)
