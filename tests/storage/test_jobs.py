"""Jobs, files and pages: taken once, gone on with, each its person's, and nothing of them to be read from the disk."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import accounts, files, jobs, pages, people, tables
from storage.database import Store, Tx
from storage.jobs import Asker, Job
from storage.pages import MOST_TRIES, VALID
from tests.storage.ground import Ground, lay

KINDS = frozenset({"import"})


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


@pytest.fixture
def asker(ground: Ground) -> Asker:
    return Asker(ground.coordinator, "t", "7003")


async def added(store: Store, now: datetime, asker: Asker | None, **fields: Any) -> str:
    job = await store.run(lambda tx: jobs.add(tx, "import", fields, now, asker))
    assert job is not None
    return job


async def taken(store: Store, now: datetime) -> Job:
    job = await store.run(lambda tx: jobs.take(tx, KINDS, now))
    assert job is not None
    return job


async def test_of_many_who_want_a_job_one_gets_it(store: Store, asker: Asker, now: datetime) -> None:
    job = await added(store, now, asker, area="a")
    found = await asyncio.gather(*(store.run(lambda tx: jobs.take(tx, KINDS, now)) for _ in range(8)))
    assert [each for each in found if each] == [Job(job, "import", "waiting", "", asker, {"area": "a"})]


async def test_a_job_of_a_dead_process_is_taken_when_its_lease_is_over(
    store: Store, asker: Asker, now: datetime
) -> None:
    await added(store, now, asker)
    first = await taken(store, now)
    early = now + jobs.LEASE - timedelta(seconds=1)
    assert await store.run(lambda tx: jobs.take(tx, KINDS, early)) is None
    await store.run(lambda tx: jobs.renew(tx, first.id, early))
    assert await store.run(lambda tx: jobs.take(tx, KINDS, now + jobs.LEASE)) is None
    assert (await taken(store, early + jobs.LEASE)).id == first.id


async def test_a_cursor_moves_only_from_where_it_stood(store: Store, asker: Asker, now: datetime) -> None:
    job = await added(store, now, asker)
    moved = await asyncio.gather(*(store.run(lambda tx: jobs.move(tx, job, "", "250", now)) for _ in range(6)))
    assert sorted(moved) == [False] * 5 + [True]
    assert (await taken(store, now)).cursor == "250"


async def test_a_kind_that_this_release_does_not_know_is_left_to_others(
    store: Store, asker: Asker, now: datetime
) -> None:
    await store.run(lambda tx: jobs.add(tx, "of tomorrow", {}, now))
    job = await added(store, now, asker)
    assert (await taken(store, now)).id == job
    assert await store.run(lambda tx: jobs.take(tx, KINDS, now)) is None


async def test_a_person_has_one_job_at_a_time_and_a_question_gives_way(
    store: Store, ground: Ground, asker: Asker, now: datetime
) -> None:
    first = await added(store, now, asker)
    assert await store.run(lambda tx: jobs.add(tx, "import", {}, now, asker)) is None
    assert await added(store, now, Asker(ground.visitor, "t", "1"))
    job = await store.read(lambda tx: jobs.find(tx, asker.person_id, first))
    assert job is not None
    assert await store.run(lambda tx: jobs.end(tx, job, "", "asking", now, previewed=True))
    assert await added(store, now, asker)
    given_way = await store.read(lambda tx: jobs.find(tx, asker.person_id, first))
    assert given_way is not None and given_way.state == "cancelled" and given_way.fields == {"previewed": True}
    assert not await store.run(lambda tx: jobs.answer(tx, job, "done", now))


async def test_a_cancelled_job_gets_no_further_and_only_its_person_cancels_it(
    store: Store, ground: Ground, asker: Asker, now: datetime
) -> None:
    job = await added(store, now, asker)
    assert not await store.run(lambda tx: jobs.cancel(tx, ground.visitor, job, now))
    assert await store.read(lambda tx: jobs.find(tx, ground.visitor, job)) is None
    held = await taken(store, now)
    assert await store.run(lambda tx: jobs.cancel(tx, asker.person_id, job, now))
    assert not await store.run(lambda tx: jobs.move(tx, job, "", "1", now))
    assert not await store.run(lambda tx: jobs.end(tx, held, "", "done", now))


async def test_a_file_goes_to_its_person_only_and_for_a_day(store: Store, ground: Ground, now: datetime) -> None:
    def keep(tx: Any) -> str:
        for account, person in (("1", ground.visitor), ("2", ground.coordinator)):
            accounts.bind(tx, "t", account, account, person, now)
        return files.add(tx, "export", ground.coordinator, "台账.xlsx", b"planted", now)

    file = await store.run(keep)

    async def sent(chat: str, at: datetime) -> bytes | None:
        found = await store.read(lambda tx: files.for_chat(tx, file, "t", chat, now=at))
        return found.body if found else None

    assert await sent("2", now) == b"planted"
    assert await sent("1", now) is None
    assert await store.read(lambda tx: files.find(tx, ground.visitor, file, now)) is None
    assert await sent("2", now + files.KEPT) is None
    assert await store.run(lambda tx: files.forget(tx, now + files.KEPT - timedelta(seconds=1))) == 0
    await store.run(lambda tx: people.suspend(tx, ground.coordinator, "operator", now))
    assert await sent("2", now) is None
    assert await store.run(lambda tx: files.forget(tx, now + files.KEPT)) == 1


async def test_nothing_of_a_file_job_or_page_can_be_read_from_the_disk(
    store: Store, ground: Ground, asker: Asker, now: datetime
) -> None:
    await store.run(lambda tx: files.add(tx, "ledger", ground.coordinator, "planted name", b"planted body", now))
    await added(store, now, asker, ref="planted handle")
    token, code = await store.run(lambda tx: pages.make(tx, "upload", ground.coordinator, now))
    for table in ("files", "jobs", "pages"):
        rows = repr(await store.read(lambda tx, table=table: tx.all(sa.text(f"SELECT * FROM {table}"))))
        assert "planted" not in rows and token not in rows and f"'{code}'" not in rows


async def test_a_page_opens_for_its_code_and_serves_once(store: Store, ground: Ground, now: datetime) -> None:
    token, code = await store.run(lambda tx: pages.make(tx, "upload", ground.coordinator, now))
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert await store.run(lambda tx: pages.enter(tx, token, wrong, now)) is None
    grant = await store.run(lambda tx: pages.enter(tx, token, code, now))
    assert grant is not None
    assert await store.read(lambda tx: pages.entered(tx, token, grant))
    other, _ = await store.run(lambda tx: pages.make(tx, "upload", ground.coordinator, now))
    assert not await store.read(lambda tx: pages.entered(tx, other, grant))
    used = await asyncio.gather(*(store.run(lambda tx: pages.use(tx, token, now)) for _ in range(6)))
    assert sorted(used) == [False] * 5 + [True]
    assert (await store.read(lambda tx: pages.find(tx, token, now))).state == "used"
    assert await store.run(lambda tx: pages.enter(tx, token, code, now)) is None


async def test_the_right_code_after_five_wrong_ones_opens_nothing(store: Store, ground: Ground, now: datetime) -> None:
    token, code = await store.run(lambda tx: pages.make(tx, "upload", ground.coordinator, now))
    wrong = [f"{(int(code) + n) % 10**6:06d}" for n in range(1, 20)]
    tried = await asyncio.gather(*(store.run(lambda tx, no=no: pages.enter(tx, token, no, now)) for no in wrong))
    assert not any(tried)
    assert (await store.read(lambda tx: pages.find(tx, token, now))).left == 0
    assert await store.run(lambda tx: pages.enter(tx, token, code, now)) is None
    assert MOST_TRIES == 5


async def test_a_page_is_over_after_half_an_hour_or_with_its_person(
    store: Store, ground: Ground, now: datetime
) -> None:
    token, code = await store.run(lambda tx: pages.make(tx, "upload", ground.coordinator, now))
    late = now + VALID
    assert (await store.read(lambda tx: pages.find(tx, token, late))).state == "expired"
    assert await store.run(lambda tx: pages.enter(tx, token, code, late)) is None
    assert not await store.run(lambda tx: pages.use(tx, token, late))
    await store.run(lambda tx: people.suspend(tx, ground.coordinator, "operator", now))
    assert (await store.read(lambda tx: pages.find(tx, token, now))).state == "void"
    assert await store.run(lambda tx: pages.enter(tx, token, code, now)) is None
    assert (await store.read(lambda tx: pages.find(tx, "made-up", now))).state == "unknown"


async def test_a_page_that_is_over_cannot_be_used_and_equal_codes_of_two_pages_look_unlike(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> None:
        random = iter(range(1, 9))
        tx.random_bytes = lambda count: bytes([next(random)]) * count if count == 16 else bytes(count)
        (one, code), (other, same) = (pages.make(tx, "upload", ground.coordinator, now) for _ in range(2))
        assert code == same and one != other
        kept = [index for index, in tx.all(sa.select(tables.pages.c.code_index))]
        assert len(set(kept)) == 2
        assert not pages.use(tx, one, now + VALID)
        people.suspend(tx, ground.coordinator, "operator", now)
        assert pages.enter(tx, other, code, now) is None, "he may do nothing more"
        assert people.activate(tx, ground.coordinator, "operator", now, shown="suspended", since="2026-03-02")
        assert pages.enter(tx, other, code, now) is not None
        assert pages.use(tx, one, now + VALID - timedelta(milliseconds=1))
        assert not pages.use(tx, one, now)
    await store.run(work)
