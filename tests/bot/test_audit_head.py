"""The head of the audit chain outside the database: written daily, told to operators, held against the chain."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot import audit_head, cli, doctor, rotation, watch
from bot.app import Foundation
from bot.settings import Settings
from conversations.telling import parts
from conversations.words_book import Words
from scheduler import audit_heads
from scheduler import policy as policies
from storage import accounts, areas, key_file, outbox, people
from storage.database import Tx
from storage.key_file import load_keys
from storage.opening import open_store

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Foundation]:
    settings = Settings(data_dir=tmp_path / "data", key_file=tmp_path / "keys" / "own.keys.json", _env_file=None)
    keys = load_keys(settings.key_file, create=True)
    base = Foundation(settings, keys, policies.load(), open_store(settings.database, keys))
    yield base
    base.store.close()


@pytest.fixture
def head_file(base: Foundation) -> Path:
    return base.settings.key_file.with_name("own.keys.audit-head.jsonl")


async def note(base: Foundation, count: int = 1) -> None:
    for number in range(count):
        await base.store.run(lambda tx, number=number: tx.note(NOW, "p1", "elder.read", f"e{number}"))


async def test_a_line_is_added_once_a_day_while_the_chain_grows(base: Foundation, head_file: Path) -> None:
    assert not await audit_head.keep_daily(base, NOW)  # nothing to keep yet
    await note(base)
    assert await audit_head.keep_daily(base, NOW)
    await note(base)
    assert not await audit_head.keep_daily(base, NOW + timedelta(hours=2))
    assert await audit_head.keep_daily(base, NOW + DAY)
    assert not await audit_head.keep_daily(base, NOW + 2 * DAY)  # it did not grow
    assert [(kept.seq, kept.kept_at) for kept in audit_head.read(head_file)] == [(1, NOW), (2, NOW + DAY)]
    assert head_file.stat().st_mode & 0o777 == 0o600


def verify(base: Foundation, monkeypatch: pytest.MonkeyPatch, *commands: str) -> tuple[int, str]:
    """Exit code and output of `audit verify` on the same files."""
    monkeypatch.setattr(cli, "_opened", lambda: Foundation(
        base.settings, base.keys, base.policies, open_store(base.settings.database, base.keys)))
    result = CliRunner().invoke(cli.app, ["audit", "verify"])
    return result.exit_code, result.output.strip()


@pytest.mark.parametrize(("change", "line"), [
    ("DELETE FROM audit WHERE seq > 4", 5), ("DELETE FROM audit", 1), ("DELETE FROM audit WHERE seq = 2", 2),
    ("UPDATE audit SET entries = replace(entries, 'e3', 'e9')", 4)])
def test_verify_finds_what_was_cut_or_changed(
    base: Foundation, monkeypatch: pytest.MonkeyPatch, change: str, line: int
) -> None:
    async def write() -> None:
        await note(base, 6)
        await audit_head.keep_daily(base, NOW)

    async def tamper() -> None:
        await base.store.run(lambda tx: tx.run(sa.text(change)))

    asyncio.run(write())
    assert verify(base, monkeypatch)[1].startswith("6 lines, all in order, as 1 heads kept elsewhere say")
    asyncio.run(tamper())
    assert verify(base, monkeypatch) == (1, f"the chain is broken at line {line}")


def test_a_line_of_the_file_that_was_spoilt_is_named(
    base: Foundation, head_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head_file.write_text(json.dumps({"seq": 1}) + "\n")
    code, said = verify(base, monkeypatch)
    assert code == 1 and f"{head_file.name}, line 1" in said


async def test_operators_are_told_once_a_day_and_nobody_else(base: Foundation) -> None:
    def work(tx: Tx) -> list[str]:
        county = areas.add(tx, None, "county", "江阳区", NOW)
        ids = []
        for n, roles in enumerate((("operator",), ("county",), ("operator", "county"), ("operator",))):
            person = people.add(tx, county.id, "某", roles, NOW).id
            accounts.bind(tx, "test", f"{n}", f"{n}", person, NOW)
            ids.append(person)
        people.suspend(tx, ids[3], ids[0], NOW)
        return ids

    ids = await base.store.run(work)
    for hours in (0, 1, 24):
        at = NOW + timedelta(hours=hours)
        assert not await base.store.run(lambda tx, at=at: audit_heads.sweep(tx, at, base.policies))
    rows = []
    while taken := await base.store.run(lambda tx: outbox.take(tx, NOW + 2 * DAY)):
        rows += taken
        for row in taken:
            await base.store.run(lambda tx, row=row: outbox.sent(tx, [(row.id, "1")], NOW))
    assert sorted(row.fields["person"] for row in rows) == sorted([ids[0], ids[2]] * 2)
    told = await base.store.read(lambda tx: parts(tx, rows[0].kind, rows[0].fields, NOW.date()))
    assert told is not None
    text = Words().say(*told[0])
    assert rows[0].fields["mac"] in text and f"第 {rows[0].fields['lines']} 行" in text


async def test_a_running_process_goes_on_with_a_rotation_and_keeps_the_head(
    base: Foundation, head_file: Path
) -> None:
    await note(base)
    key_file.add_key(base.settings.key_file, NOW, NOW)  # begun by somebody who was killed
    await watch.look(base, lambda: datetime.now(UTC))
    assert set(base.keys.sealing.by_id) == {"k2"}
    assert len(audit_head.read(head_file)) == 1


async def test_a_fault_of_the_files_does_not_end_the_watch(base: Foundation, head_file: Path) -> None:
    head_file.write_text("spoilt\n")
    key_file.add_key(base.settings.key_file, NOW, NOW)
    await watch.look(base, lambda: datetime.now(UTC))
    assert set(base.keys.sealing.by_id) == {"k2"}  # one fault does not keep the other work from being done
    stop = asyncio.Event()
    watching = asyncio.create_task(watch.watch(base, lambda: NOW, stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(watching, 10)


def about(lines: list[str], *words: str) -> list[str]:
    return [line for line in lines if all(word in line for word in words)]


async def test_doctor_tells_of_keys_rotation_and_head(base: Foundation, head_file: Path) -> None:
    lines = await doctor.findings(base)
    assert about(lines, "newest", "key k1, 0 days old")
    assert about(lines, "WARNING", "no head of the audit chain")
    assert not about(lines, "rotation is unfinished") and not about(lines, "one folder")

    await note(base)
    await audit_head.keep_daily(base, datetime.now(UTC) - timedelta(days=5))
    await rotation.begin(base, datetime.now(UTC) - timedelta(days=400))
    lines = await doctor.findings(base)
    assert about(lines, "WARNING", "a key rotation is unfinished, begun ")
    assert about(lines, "WARNING", "over a year old")
    assert about(lines, "head of line 1 written")
    assert about(lines, "WARNING", "written 5 days ago")
    head_file.write_text("spoilt\n")
    assert about(await doctor.findings(base), "WARNING", f"{head_file.name}, line 1")


async def test_doctor_warns_where_keys_and_database_lie_in_one_folder(base: Foundation, tmp_path: Path) -> None:
    beside = Settings(database_url=f"sqlite:///{tmp_path / 'keys' / 'tanfang.db'}", data_dir=tmp_path / "data",
                      key_file=base.settings.key_file, _env_file=None)
    lines = await doctor.findings(Foundation(beside, base.keys, base.policies, base.store))
    assert about(lines, "WARNING", "one folder")
