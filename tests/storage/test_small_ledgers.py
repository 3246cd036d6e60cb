"""Inbox, drafts, accounts, media: each with the one rule that it guards."""

import asyncio
from datetime import datetime

import pytest

from storage import accounts, areas, drafts, inbox, media, meta, people
from storage.database import Store, Tx
from tests.storage.ground import TAKEN, Ground, lay


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


async def test_of_several_deliveries_of_one_thing_one_is_taken(store: Store, now: datetime) -> None:
    taken = await asyncio.gather(*(
        store.run(lambda tx, n=n: inbox.take(tx, "telegram", "7", b"x", f"answer{n}", now)) for n in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    assert await store.run(lambda tx: inbox.take(tx, "wechat", "7", b"x", "a", now))


def draft(tx: Tx, ground: Ground, now: datetime, state: str = "open") -> str:
    made = tx.new_id(now)
    drafts.add(tx, made, drafts.new_tag(tx), ground.visitor, "visit", "h", b"body", now, state)
    return made


async def test_a_person_has_one_open_draft_whatever_is_started_at_once(
    store: Store, ground: Ground, now: datetime
) -> None:
    outcomes = await asyncio.gather(*(store.run(lambda tx: draft(tx, ground, now)) for _ in range(4)),
                                    return_exceptions=True)
    assert sum(isinstance(outcome, TAKEN) for outcome in outcomes) == 3


async def test_a_draft_put_aside_can_be_taken_up_again(store: Store, ground: Ground, now: datetime) -> None:
    first = await store.run(lambda tx: draft(tx, ground, now))
    assert await store.run(lambda tx: drafts.close(tx, first, "paused", now))
    second = await store.run(lambda tx: draft(tx, ground, now))
    assert [kept.id for kept in await store.read(lambda tx: drafts.paused(tx, ground.visitor))] == [first]
    with pytest.raises(TAKEN):
        await store.run(lambda tx: drafts.reopen(tx, first, now))
    await store.run(lambda tx: drafts.close(tx, second, "cancelled", now))
    assert await store.run(lambda tx: drafts.reopen(tx, first, now))


async def test_a_draft_is_submitted_once(store: Store, ground: Ground, now: datetime) -> None:
    made = await store.run(lambda tx: draft(tx, ground, now))
    closed = await asyncio.gather(*(
        store.run(lambda tx: drafts.close(tx, made, "submitted", now, result="v1")) for _ in range(4)))
    assert sorted(closed) == [False, False, False, True]


async def test_a_button_opens_the_draft_of_its_own_person_only(store: Store, ground: Ground, now: datetime) -> None:
    made = await store.run(lambda tx: draft(tx, ground, now))
    kept = await store.read(lambda tx: drafts.find(tx, ground.visitor, made))
    assert kept is not None and kept.body == b"body"
    assert await store.read(lambda tx: drafts.tagged(tx, ground.visitor, kept.tag)) == kept
    assert await store.read(lambda tx: drafts.tagged(tx, ground.other_visitor, kept.tag)) is None
    assert await store.read(lambda tx: drafts.find(tx, ground.other_visitor, made)) is None


async def test_who_writes_is_known_with_the_open_draft(store: Store, ground: Ground, now: datetime) -> None:
    await store.run(lambda tx: accounts.bind(tx, "telegram", "11", "11", ground.visitor, now))
    made = await store.run(lambda tx: draft(tx, ground, now))
    await store.run(lambda tx: drafts.save(tx, made, b"later", now))

    writer = await store.run(lambda tx: accounts.writer(tx, "telegram", "11"))
    assert writer is not None and writer.draft is not None
    assert (writer.person_id, writer.active, writer.was_blocked) == (ground.visitor, True, False)
    sealed = writer.draft.body
    assert await store.read(lambda tx: drafts.open_body(tx, made, sealed)) == b"later"
    assert await store.run(lambda tx: accounts.writer(tx, "wechat", "11")) is None


async def test_an_account_bound_again_is_the_new_persons_and_reachable(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> accounts.Writer | None:
        accounts.bind(tx, "telegram", "11", "11", ground.visitor, now)
        accounts.blocked(tx, "telegram", "11", now)
        accounts.bind(tx, "telegram", "11", "11", ground.other_visitor, now)
        return accounts.writer(tx, "telegram", "11")
    writer = await store.run(work)
    assert writer is not None
    assert (writer.person_id, writer.was_blocked) == (ground.other_visitor, False)


async def test_a_suspended_person_is_not_active_from_the_next_message_on(
    store: Store, ground: Ground, now: datetime
) -> None:
    await store.run(lambda tx: accounts.bind(tx, "telegram", "11", "11", ground.visitor, now))
    await store.run(lambda tx: people.suspend(tx, ground.visitor, ground.coordinator, now))
    writer = await store.run(lambda tx: accounts.writer(tx, "telegram", "11"))
    assert writer is not None and not writer.active


async def test_a_photo_waits_until_its_bytes_are_here(store: Store, now: datetime) -> None:
    item = await store.run(lambda tx: media.add(tx, "telegram", "photo", "handle", now))
    assert await store.read(lambda tx: media.body(tx, item)) is None
    assert await store.read(lambda tx: media.waiting(tx, "telegram")) == [(item, "photo", "handle")]
    await store.run(lambda tx: media.fill(tx, item, b"bytes"))
    assert await store.read(lambda tx: media.waiting(tx, "telegram")) == []
    assert await store.read(lambda tx: media.body(tx, item)) == ("photo", b"bytes")


async def test_what_cannot_be_fetched_is_given_up_after_the_tenth_try(store: Store, now: datetime) -> None:
    item = await store.run(lambda tx: media.add(tx, "telegram", "photo", "handle", now))
    for _ in range(10):
        assert await store.read(lambda tx: media.waiting(tx, "telegram"))
        await store.run(lambda tx: media.failed(tx, item))
    assert await store.read(lambda tx: media.waiting(tx, "telegram")) == []


async def test_an_area_of_the_same_name_is_one_under_its_parent_and_another_elsewhere(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> tuple[list[str], list[str]]:
        again = areas.add(tx, ground.township, "village", ground.village.name, now)
        areas.add(tx, ground.village, "group", ground.village.name, now)
        assert again == ground.village
        return ([area.id for area in areas.under(tx, ground.village)],
                [area.id for area in areas.named(tx, ground.village.name)])
    under, named = await store.run(work)
    assert under == named
    assert under[0] == ground.village.id and len(under) == 2


async def test_a_named_value_is_the_one_put_last(store: Store) -> None:
    await store.run(lambda tx: meta.put(tx, "a", "1"))
    await store.run(lambda tx: meta.put(tx, "a", "2"))
    assert await store.read(lambda tx: meta.get(tx, "a")) == "2"
    assert await store.read(lambda tx: meta.get(tx, "b")) is None
