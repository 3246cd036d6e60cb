"""值班: who would be told in a village is who is told, and who is not reached stands there as such."""

from datetime import datetime

import pytest

from scheduler import alerting, duty, policy
from storage import accounts, people
from storage.database import Store, Tx
from tests.scheduler.test_alerting import Village, sent
from tests.scheduler.test_ladder import DAYTIME, under_county
from tests.storage.ground import DAY

POLICIES = policy.load()


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: under_county(tx, now))


async def seen(store: Store, village: Village, *, night: bool) -> duty.Duty:
    return await store.read(lambda tx: duty.of_village(tx, village.ground.village.id, POLICIES, DAY, night=night))


async def test_it_names_those_near_who_are_told_of_an_alert_and_each_rank_that_a_rung_tells(
    store: Store, village: Village
) -> None:
    found = await seen(store, village, night=True)
    assert {rank: sorted(each.name for each in those) for rank, those in found.ranks.items()} == {
        "near": ["first", "grid", "village", "王强"], "township": ["赵敏"], "county": ["county"], "city": ["city"]}
    assert {each.channel for those in found.ranks.values() for each in those} == {"test"}
    assert "city" not in (await seen(store, village, night=False)).ranks
    await store.run(lambda tx: alerting.raise_alert(
        tx, village.ground.elder, "fall", "device", None, POLICIES, DAYTIME))
    told = {fields["person"] for _, fields in await sent(store, DAYTIME) if fields["goes"]}
    assert told == {each.person_id for each in found.ranks["near"]}


async def test_who_has_no_account_or_blocked_it_is_not_reached_and_who_is_suspended_is_not_on_duty(
    store: Store, village: Village, now: datetime
) -> None:
    def change(tx: Tx) -> None:
        for where in accounts.of(tx, village.people["grid"]):
            accounts.blocked(tx, "test", where.chat, now)
        people.suspend(tx, village.people["first"], "operator", now)
    await store.run(change)
    found = await seen(store, village, night=True)
    assert {each.name: each.channel for each in found.ranks["near"]} == {
        "grid": None, "village": "test", "王强": "test"}
