"""Invitations and spoken codes: what may bind, once, for how long, and who may deal with them."""

import asyncio
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from storage import assignments, guesses, invitations, people
from storage.database import Store, Tx
from storage.invitations import Invitation
from storage.scope import Scope
from tests.storage.ground import DAY, Ground, lay

SECOND = timedelta(seconds=1)


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


async def made(store: Store, person: str, now: datetime) -> tuple[str, Invitation]:
    def work(tx: Tx) -> tuple[str, Invitation]:
        token = invitations.make(tx, person, "operator", now)
        found = invitations.by_token(tx, token)
        assert found is not None
        return token, found
    return await store.run(work)


async def coded(store: Store, invitation: str, now: datetime) -> str | None:
    return await store.run(lambda tx: invitations.new_code(tx, invitation, "operator", now))


async def test_of_many_who_use_an_invitation_at_once_one_does(store: Store, ground: Ground, now: datetime) -> None:
    _, found = await made(store, ground.visitor, now)
    used = await asyncio.gather(*(
        store.run(lambda tx, n=n: invitations.use(tx, found.id, "test", str(n), now)) for n in range(8)))
    assert sorted(used) == [False] * 7 + [True]


async def test_an_invitation_is_good_for_seven_days(store: Store, ground: Ground, now: datetime) -> None:
    _, found = await made(store, ground.visitor, now)
    last = now + timedelta(days=7)
    assert (found.state(last), found.state(last + SECOND)) == ("open", "expired")
    assert not await store.run(lambda tx: invitations.use(tx, found.id, "test", "1", last + SECOND))
    assert await store.run(lambda tx: invitations.use(tx, found.id, "test", "1", last))


async def test_a_token_that_was_never_made_is_nobodys(store: Store, ground: Ground, now: datetime) -> None:
    await made(store, ground.visitor, now)
    assert await store.read(lambda tx: invitations.by_token(tx, "guess")) is None


async def test_neither_token_nor_code_can_be_read_from_the_database(
    store: Store, ground: Ground, now: datetime
) -> None:
    token, found = await made(store, ground.visitor, now)
    code = await coded(store, found.id, now)
    rows = str(await store.read(lambda tx: tx.all(sa.text("SELECT * FROM invitations"))))
    assert found.id in rows
    assert token not in rows
    assert f"'{code}'" not in rows


async def test_a_code_is_good_for_half_an_hour_and_a_new_one_ends_it(
    store: Store, ground: Ground, now: datetime
) -> None:
    _, found = await made(store, ground.visitor, now)
    first = await coded(store, found.id, now)
    assert first is not None
    last = now + timedelta(minutes=30)
    hit = await store.read(lambda tx: invitations.by_code(tx, first, last))
    assert hit is not None
    assert hit.id == found.id
    assert await store.read(lambda tx: invitations.by_code(tx, first, last + SECOND)) is None
    second = await coded(store, found.id, now)
    assert second is not None
    assert await store.read(lambda tx: invitations.by_code(tx, first, now)) is None
    assert await store.read(lambda tx: invitations.by_code(tx, second, now)) is not None


@pytest.mark.parametrize("end", ["used", "revoked", "expired"])
async def test_what_is_over_has_no_code_and_gets_none(
    store: Store, ground: Ground, now: datetime, end: str
) -> None:
    _, found = await made(store, ground.visitor, now)
    code = await coded(store, found.id, now)
    assert code is not None
    later = now
    if end == "used":
        await store.run(lambda tx: invitations.use(tx, found.id, "test", "1", now))
    elif end == "revoked":
        assert await store.run(lambda tx: invitations.revoke(tx, found, "operator", now))
        assert not await store.run(lambda tx: invitations.use(tx, found.id, "test", "1", now))
    else:
        later = now + timedelta(days=7) + SECOND
    assert await store.read(lambda tx: invitations.by_code(tx, code, later)) is None
    assert await coded(store, found.id, later) is None


async def test_a_code_ends_with_its_invitation(store: Store, ground: Ground, now: datetime) -> None:
    _, found = await made(store, ground.visitor, now)
    last = now + timedelta(days=7)
    code = await coded(store, found.id, last - SECOND)
    assert code is not None
    assert await store.read(lambda tx: invitations.by_code(tx, code, last)) is not None
    assert await store.read(lambda tx: invitations.by_code(tx, code, last + SECOND)) is None


async def test_a_code_that_is_over_may_be_given_again(store: Store, ground: Ground, now: datetime) -> None:
    """The same six digits come up for another one: taken while they are live, free when they are over."""
    _, first = await made(store, ground.visitor, now)
    _, second = await made(store, ground.other_visitor, now)
    draws = [(1).to_bytes(8), (1).to_bytes(8), (2).to_bytes(8), (1).to_bytes(8)]

    def code(tx: Tx, invitation: str, at: datetime) -> str | None:
        tx.random_bytes = lambda count: draws.pop(0)
        return invitations.new_code(tx, invitation, "operator", at)

    assert await store.run(lambda tx: code(tx, first.id, now)) == "000001"
    assert await store.run(lambda tx: code(tx, second.id, now)) == "000002"
    later = now + timedelta(minutes=30) + SECOND
    assert await store.run(lambda tx: code(tx, second.id, later)) == "000001"


async def test_a_coordinator_sees_only_invitations_of_people_wholly_in_his_area(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> tuple[str, str, str]:
        here = people.add(tx, ground.village.id, "周涛", ("village",), now).id
        there = people.add(tx, ground.other_village.id, "吴刚", ("village",), now).id
        both = people.add(tx, ground.village.id, "何平", ("visitor",), now).id
        assignments.entrust(tx, both, ground.other_elder, "visitor", DAY.isoformat())
        above = people.add(tx, ground.village.id, "郑敏", ("visitor",), now)
        tx.run(people._POST, person_id=above.id, role="township", area_id=ground.township.id)
        for person in (ground.visitor, ground.other_visitor, both, above.id):
            invitations.make(tx, person, "operator", now)
        return here, there, both

    here, there, both = await store.run(work)

    def seen(person: str) -> set[str]:
        return {found.name for found in seen_by[person]}

    seen_by = {person: await store.read(
        lambda tx, person=person: invitations.pending(tx, Scope(person, DAY), now, 50))
        for person in (here, there, ground.coordinator, ground.visitor)}
    assert seen(here) == {"王强"}
    assert seen(there) == {"李军"}
    assert seen(ground.coordinator) == {"王强", "李军", "何平", "郑敏"}
    assert seen(ground.visitor) == set()
    hidden = seen_by[there][0].id
    assert await store.read(lambda tx: invitations.find(tx, Scope(here, DAY), hidden)) is None
    after = DAY + timedelta(days=1)

    def ends(tx: Tx) -> bool:
        assignments.end(tx, both, ground.other_elder, DAY)
        assignments.entrust(tx, both, ground.other_elder, "visitor", "2026-01-01", DAY.isoformat())
        return people.held(tx, Scope(here, DAY), both) is None and people.held(tx, Scope(here, after), both) is not None

    assert await store.run(ends), "an assignment that is over hinders nobody"


async def test_void_ends_what_is_open_and_leaves_what_was_used_by_others(
    store: Store, ground: Ground, now: datetime
) -> None:
    _, used = await made(store, ground.visitor, now)
    token, _ = await made(store, ground.visitor, now)
    other, _ = await made(store, ground.other_visitor, now)
    await store.run(lambda tx: invitations.use(tx, used.id, "test", "1", now))
    await store.run(lambda tx: invitations.void(tx, ground.visitor, "operator", now))

    def states(tx: Tx) -> list[str]:
        found = [invitations.by_token(tx, each) for each in (token, other)]
        kept = invitations.find(tx, ground.scope, used.id)
        return [each.state(now) for each in (*found, kept) if each]

    assert await store.read(states) == ["revoked", "open", "used"]


async def test_wrong_tries_are_counted_by_account_and_hour(store: Store, now: datetime) -> None:
    at = now.replace(minute=59)
    assert [await store.run(lambda tx: guesses.count(tx, "test", "7", at)) for _ in range(guesses.PER_ACCOUNT)] == [
        *[False] * (guesses.PER_ACCOUNT - 1), True]
    assert await store.read(lambda tx: guesses.spent(tx, "test", "7", at))
    assert not await store.read(lambda tx: guesses.spent(tx, "test", "8", at))
    assert not await store.read(lambda tx: guesses.spent(tx, "wechat", "7", at))
    assert not await store.read(lambda tx: guesses.spent(tx, "test", "7", at + timedelta(minutes=1)))


async def test_tries_made_at_once_are_all_counted(store: Store, now: datetime) -> None:
    await asyncio.gather(*(store.run(lambda tx: guesses.count(tx, "test", "7", now)) for _ in range(8)))
    rows = await store.read(lambda tx: tx.all(sa.text("SELECT count FROM guesses")))
    assert [count for count, in rows] == [8]


async def test_all_accounts_together_have_a_limit_too(store: Store, now: datetime) -> None:
    for account in range(guesses.IN_ALL - 1):
        await store.run(lambda tx, account=account: guesses.count(tx, "test", str(account), now))
    assert not await store.read(lambda tx: guesses.all_spent(tx, now))
    assert await store.run(lambda tx: guesses.count(tx, "test", "last", now))
    assert await store.read(lambda tx: guesses.all_spent(tx, now))
    assert not await store.read(lambda tx: guesses.all_spent(tx, now + timedelta(hours=1)))


async def test_counts_are_forgotten_after_a_week(store: Store, now: datetime) -> None:
    await store.run(lambda tx: guesses.count(tx, "test", "7", now))
    await store.run(lambda tx: guesses.count(tx, "test", "8", now + timedelta(days=7, hours=1)))
    rows = await store.read(lambda tx: tx.all(sa.text("SELECT account FROM guesses")))
    assert [account for account, in rows] == ["8"]
