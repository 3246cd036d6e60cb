"""Key rotation: every value under the new key, the old one gone, and nothing that runs meanwhile is hurt."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import rotation
from bot.app import Foundation
from bot.settings import Settings
from scheduler import policy as policies
from storage import audit, elder_files, inbox, key_file, resealing
from storage.crypto import SealBroken
from storage.database import Tx
from storage.key_file import load_keys
from storage.opening import open_store
from storage.sealed import SEALED
from storage.tables import inbox as inbox_table
from tests.storage.ground import lay
from tests.storage.test_sealed import fill


@pytest.fixture
def base(url: str, tmp_path: Path) -> Iterator[Foundation]:
    settings = Settings(database_url=url, key_file=tmp_path / "k" / "own.keys.json", _env_file=None)
    keys = load_keys(settings.key_file, create=True)
    base = Foundation(settings, keys, policies.load(), open_store(url, keys))
    yield base
    base.store.close()


def clock() -> datetime:
    return datetime.now(UTC)


def later() -> datetime:
    return clock() + rotation.SETTLED


async def prepared(base: Foundation, said: int = 0) -> str:
    """A row of every kind, and as many inbound messages; gives the elder who has all."""
    ground = await base.store.run(lay(clock()))

    def work(tx: Tx) -> str:
        fill(tx, ground, base.keys, clock())
        for n in range(said):
            inbox.take(tx, "test", f"u{n}", f"said {n}".encode(), "a", clock())
        return ground.coordinator
    return await base.store.run(work)


def key_ids(tx: Tx) -> set[str]:
    """The ids of the keys under which anything is sealed."""
    return {bytes(value).split(b":")[0].decode() for sealed in SEALED for column in sealed.columns
            for value, in tx.all(select(sealed.table.c[column]).where(sealed.table.c[column].is_not(None)))}


async def test_after_a_rotation_everything_opens_under_the_new_key_and_the_old_one_is_gone(base: Foundation) -> None:
    await prepared(base, said=700)
    assert await base.store.read(key_ids) == {"k1"}
    old = load_keys(base.settings.key_file, create=False)
    assert await rotation.begin(base, clock()) == "k2"
    assert await rotation.go_on(base, clock) is not None  # the old key stays for those who still seal under it
    assert set(base.keys.sealing.by_id) == {"k1", "k2"}
    assert await rotation.go_on(base, later) is None
    assert await base.store.read(key_ids) == {"k2"}
    assert set(load_keys(base.settings.key_file, create=False).sealing.by_id) == {"k2"}
    body = await base.store.read(lambda tx: tx.one(select(inbox_table.c.body).where(
        inbox_table.c.dedupe_key == "u699")))
    assert body is not None
    assert base.keys.open(body[0], "inbox.body", "test:u699") == b"said 699"
    assert old.open(body[0], "inbox.body", "test:u699") == b"said 699"  # read the file again when it met the new key
    assert await base.store.read(resealing.under_way) is None
    assert (await base.store.read(lambda tx: audit.verify(tx))).broken_at is None


async def test_blind_indexes_and_the_audit_chain_keep_their_keys(base: Foundation) -> None:
    before = json.loads(base.settings.key_file.read_text())
    await rotation.begin(base, clock())
    await rotation.go_on(base, later)
    after = json.loads(base.settings.key_file.read_text())
    assert (after["index"], after["audit"]) == (before["index"], before["audit"])
    assert before["sealing"].keys() == {"k1"} and after["sealing"].keys() == {"k2"}


async def test_the_key_file_is_open_to_nobody_else_and_leaves_no_other_beside_it(base: Foundation) -> None:
    await rotation.begin(base, clock())
    await rotation.go_on(base, later)
    assert base.settings.key_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in base.settings.key_file.parent.iterdir()] == ["own.keys.json"]


async def test_a_process_that_has_the_old_file_reads_what_the_new_key_sealed_and_then_seals_under_it(
    base: Foundation
) -> None:
    running = load_keys(base.settings.key_file, create=False)
    await rotation.begin(base, clock())
    fresh = load_keys(base.settings.key_file, create=False).seal(b"x", "a", "b")
    assert fresh.startswith(b"k2:")
    assert running.open(fresh, "a", "b") == b"x"
    assert running.seal(b"x", "a", "b").startswith(b"k2:")


async def test_a_process_looks_at_the_key_file_once_a_second_before_it_seals(
    base: Foundation, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = load_keys(base.settings.key_file, create=False)
    await rotation.begin(base, clock())
    import storage.crypto as crypto

    monkeypatch.setattr(crypto.time, "monotonic", lambda: running._look_at + 0.001)
    assert running.seal(b"x", "a", "b").startswith(b"k2:")


async def test_what_was_sealed_under_the_old_key_meanwhile_keeps_it_until_it_is_sealed_anew(base: Foundation) -> None:
    await prepared(base)
    stale = load_keys(base.settings.key_file, create=False)
    stale._look = None  # a process that does not look
    await rotation.begin(base, clock())
    await rotation.go_on(base, clock)
    sealed = stale.seal(b"late", "inbox.body", "test:late")
    await base.store.run(lambda tx: tx.run(inbox_table.insert(), channel="test", dedupe_key="late", answer_id=None,
                                           body=sealed, at=0))
    assert await rotation.go_on(base, later) == timedelta(0)  # found by the look over everything: once more
    assert set(base.keys.sealing.by_id) == {"k1", "k2"}
    assert await rotation.go_on(base, later) is None
    assert await base.store.read(key_ids) == {"k2"}


async def test_a_rotation_is_gone_on_with_not_begun_twice(base: Foundation) -> None:
    await prepared(base)
    key_file.add_key(base.settings.key_file, clock(), clock())  # killed right after the file was written
    assert await rotation.begin(base, clock()) == "k2"
    await base.store.run(lambda tx: resealing.step(tx, clock()))
    assert await rotation.begin(base, clock()) == "k2"
    key_file.remove_keys(base.settings.key_file, frozenset({"k9"}))
    assert await rotation.go_on(base, later) is None
    assert await rotation.go_on(base, later) is None
    assert await base.store.read(key_ids) == {"k2"}


async def test_a_new_key_seals_only_from_its_time_on(base: Foundation) -> None:
    await prepared(base)
    assert await rotation.begin(base, clock(), timedelta(minutes=30)) == "k2"
    assert base.keys.seal(b"x", "a", "b").startswith(b"k1:")
    wait = await rotation.go_on(base, clock)
    assert wait is not None and timedelta(minutes=29) < wait <= timedelta(minutes=30)
    assert await base.store.read(key_ids) == {"k1"}


async def test_a_value_that_does_not_open_is_named_and_the_old_key_stays(base: Foundation) -> None:
    await prepared(base)
    await base.store.run(lambda tx: tx.run(inbox_table.update().values(body=b"k1:" + b"0" * 40)))
    await rotation.begin(base, clock())
    with pytest.raises(SealBroken, match=r"inbox\.body of row test:update:1"):
        await rotation.go_on(base, later)
    assert set(base.keys.sealing.by_id) == {"k1", "k2"}


async def test_a_whole_file_reads_the_same_before_and_after(base: Foundation) -> None:
    from storage.scope import Scope

    coordinator = await prepared(base)
    scope = Scope(coordinator, clock().date())

    def whole(tx: Tx) -> list[object]:
        from storage import elders
        return [elder_files.read(tx, scope, elder.id) for elder in elders.due_first(tx, scope, 10)]

    before = await base.store.read(whole)
    await rotation.begin(base, clock())
    await rotation.go_on(base, later)
    assert await base.store.read(whole) == before
    assert any(getattr(file, "id_number", "") for file in before)
