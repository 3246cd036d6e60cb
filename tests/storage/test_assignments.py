"""Who cares for whom: ended by a date, given again, and an elder with nobody of age stands on the coordinator's list."""

from datetime import date, datetime, timedelta

import pytest

from storage import accounts, assignments, invitations, ledger_counts, people
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import DAY, Ground, lay


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


async def alone(store: Store, ground: Ground) -> list[str]:
    total, ids = await store.read(lambda tx: assignments.without(tx, ground.scope, "visitor", 9))
    assert total == len(ids)
    return ids


async def test_care_that_is_ended_is_over_at_once_and_may_be_given_again(store: Store, ground: Ground) -> None:
    mine = Scope(ground.visitor, DAY)
    assert await store.run(lambda tx: assignments.end(tx, ground.visitor, ground.elder, DAY))
    assert not await store.run(lambda tx: assignments.end(tx, ground.visitor, ground.elder, DAY))
    assert await store.read(lambda tx: assignments.carers(tx, mine, ground.elder)) == []
    assert await alone(store, ground) == [ground.elder]
    await store.run(lambda tx: assignments.entrust(tx, ground.visitor, ground.elder, "visitor", DAY.isoformat()))
    assert [each.person_id for each in await store.read(lambda tx: assignments.carers(tx, mine, ground.elder))] == [
        ground.visitor]
    assert await alone(store, ground) == []


async def test_an_elder_with_an_account_is_not_among_those_who_care_for_him(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        himself = people.add(tx, ground.village.id, "张桂芳", ("self",), now).id
        assignments.entrust(tx, himself, ground.elder, "self", "2026-01-01")
        assert [each.person_id for each in assignments.carers(tx, ground.scope, ground.elder)] == [ground.visitor]
    await store.run(work)


async def test_who_is_suspended_or_under_age_is_nobodys_only_visitor(
    store: Store, ground: Ground, now: datetime
) -> None:
    await store.run(lambda tx: people.suspend(tx, ground.visitor, ground.coordinator, now))
    assert await alone(store, ground) == [ground.elder]

    def help_(tx: Tx) -> None:
        young = people.add(tx, ground.village.id, "小周", ("visitor",), now, "student",
                           minor_until=(DAY + timedelta(1)).isoformat())
        assignments.entrust(tx, young.id, ground.elder, "visitor", "2026-01-01")
    await store.run(help_)
    assert await alone(store, ground) == [ground.elder]
    tomorrow = Scope(ground.coordinator, DAY + timedelta(1))  # he comes of age
    assert await store.read(lambda tx: assignments.without(tx, tomorrow, "visitor", 9)) == (0, [])


async def test_a_caseload_is_seen_only_as_far_as_the_asker_coordinates(store: Store, ground: Ground) -> None:
    await store.run(lambda tx: assignments.entrust(tx, ground.visitor, ground.other_elder, "cadre", "2026-01-01"))
    seen = await store.read(lambda tx: assignments.caseload(tx, ground.scope, ground.visitor))
    assert {(each.elder_id, each.role) for each in seen} == {(ground.elder, "visitor"), (ground.other_elder, "cadre")}
    assert await store.read(lambda tx: assignments.caseload(tx, Scope(ground.other_visitor, DAY), ground.visitor)) == []


async def test_near_are_the_visitors_of_the_village_those_with_fewest_elders_first(
    store: Store, ground: Ground, now: datetime
) -> None:
    free, wide = [await store.run(lambda tx, name=name, area=area: people.add(tx, area, name, ("visitor",), now).id)
                  for name, area in (("钱进", ground.village.id), ("孙立", ground.township.id))]
    near = await store.read(lambda tx: assignments.near(tx, ground.scope, ground.village.id, 9))
    assert [(each.person_id, each.load) for each in near] == [(free, 0), (ground.visitor, 1), (wide, 0)]


async def test_one_role_can_be_ended_and_the_other_stays(store: Store, ground: Ground) -> None:
    await store.run(lambda tx: assignments.entrust(tx, ground.visitor, ground.elder, "family", "2026-01-01"))
    assert await store.run(lambda tx: assignments.end(tx, ground.visitor, ground.elder, DAY, "visitor"))
    assert not await store.run(lambda tx: assignments.end(tx, ground.visitor, ground.elder, DAY, "visitor"))
    carers = await store.read(lambda tx: assignments.carers(tx, ground.scope, ground.elder))
    assert [(each.person_id, each.role) for each in carers] == [(ground.visitor, "family")]


async def test_a_first_contact_who_is_to_come_counts_while_his_invitation_is_open(
        store: Store, ground: Ground, now: datetime) -> None:
    """Afterwards the elder stands among those without one again, until he has come in."""
    def counted(tx: Tx, day: date) -> tuple[int, int]:
        scope = Scope(ground.coordinator, day)
        numbers = ledger_counts.count(tx, scope, ground.village.id, (), (), "2026-01-01")
        return assignments.without(tx, scope, "first_contact", 9)[0], numbers.no_first_contact

    def invite(tx: Tx) -> str:
        child = people.add(tx, ground.village.id, "张小梅", ("first_contact",), now).id
        assignments.entrust(tx, child, ground.elder, "first_contact", "2026-03-01")
        return child

    today = now.date()
    child = await store.run(invite)
    assert await store.read(lambda tx: counted(tx, today)) == (2, 1), "chosen, but nobody has asked him"
    token = await store.run(lambda tx: invitations.make(tx, child, ground.coordinator, now))
    assert await store.read(lambda tx: counted(tx, today)) == (1, 0)
    assert await store.read(lambda tx: counted(tx, today + timedelta(days=7))) == (1, 0)
    assert await store.read(lambda tx: counted(tx, today + timedelta(days=8))) == (2, 1), "it is over"
    found = await store.read(lambda tx: invitations.by_token(tx, token))
    assert found and await store.run(lambda tx: invitations.revoke(tx, found, ground.coordinator, now))
    assert await store.read(lambda tx: counted(tx, today)) == (2, 1), "it was taken back"
    await store.run(lambda tx: accounts.bind(tx, "test", "7", "7", child, now, "waiting"))
    assert await store.read(lambda tx: counted(tx, today)) == (2, 1), "whose account it is, is not known yet"
    await store.run(lambda tx: accounts.bind(tx, "test", "7", "7", child, now))
    assert await store.read(lambda tx: counted(tx, today + timedelta(days=99))) == (1, 0)
