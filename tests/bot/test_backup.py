"""`backup` and `restore`: one file for both databases, checked before anything is changed, whole or not at all."""

import asyncio
import gzip
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot import audit_head, backing_up, cli, erased_list, restoring
from bot.app import Foundation
from bot.backing_up import BackupRefused, Ground
from bot.doctor import findings
from bot.settings import Settings
from scheduler import alerting, policy
from storage import accounts, alert_told, alerts, audit, backup_file, drafts, erasing, in_use, opening, outbox, snapshot
from storage.crypto import Keys
from storage.database import T, Tx
from storage.in_use import DatabaseInUse
from storage.key_file import add_key, load_keys
from storage.opening import DatabaseRefused, open_store
from storage.outbox import LANES, Outgoing
from storage.restoring import RestoreRefused
from storage.sqlite import connect
from storage.tables import elders, metadata
from tests.storage.ground import lay

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=5)
POLICIES = policy.load()


class House:
    """An installation: a database and a key file, and what an operator does with it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, key_file = folder, folder / "keys" / "own.json"
        settings = Settings(data_dir=folder / "data", database_url=url, key_file=key_file, _env_file=None)
        self.ground = Ground(settings, load_keys(key_file, create=True), POLICIES)

    def moves_to(self, url: str) -> None:
        """Another database, with the same key file."""
        settings = Settings(database_url=url, key_file=self.ground.settings.key_file, _env_file=None)
        self.ground = Ground(settings, self.ground.keys, POLICIES)

    async def does(self, work: Callable[[Tx], T]) -> T:
        store = open_store(self.ground.settings.database, self.ground.keys)
        try:
            return await store.run(work)
        finally:
            store.close()

    def backs_up(self, name: str = "b.backup", at: datetime = NOW) -> Path:
        backing_up.backup(self.ground, self.folder / name, at)
        return self.folder / name

    def restores(self, file: Path, at: datetime = LATER, **how: Any) -> str:
        """What the restore says."""
        said = list[str]()
        restoring.restore(self.ground, file, at, said.append, **how)
        return "\n".join(said)

    async def with_base(self, work: Callable[[Foundation], Any]) -> Any:
        base = Foundation(self.ground.settings, self.ground.keys, POLICIES,
                          open_store(self.ground.settings.database, self.ground.keys))
        try:
            return await work(base)
        finally:
            base.store.close()


@pytest.fixture
def house(tmp_path: Path, url: str) -> House:
    return House(tmp_path, url)


@pytest.fixture
def on_sqlite(tmp_path: Path, sqlite_url: str) -> House:
    return House(tmp_path, sqlite_url)


def fill(tx: Tx) -> Any:
    """Two villages, a draft on its way, a message in each lane, an alert that nobody took over, lines of the chain."""
    ground = lay(NOW)(tx)
    for person in (ground.visitor, ground.coordinator):
        accounts.bind(tx, "test", person, person, person, NOW)
    drafts.add(tx, tx.new_id(NOW), drafts.new_tag(tx), ground.visitor, "visit", "h", b'{"answers": {"mood": 1}}', NOW,
               "open")
    for lane in ("reply", "reminder"):
        outbox.add(tx, Outgoing(tx.new_id(NOW), "test", ground.visitor, lane, "reply", {"elder": ground.elder}), NOW)
    alerting.raise_alert(tx, ground.elder, "fall", "device", None, POLICIES, NOW)
    tx.note(NOW, ground.coordinator, "elder.read", ground.elder, ["phone"])
    return ground


def everything(tx: Tx) -> dict[str, list[Any]]:
    """All rows of every table, but what a restore itself writes or holds."""
    left = [table for table in metadata.sorted_tables if table.name not in (
        "audit", "audit_subjects", "outbox", "alerts", "alert_told", "meta", "ticks")]
    return {table.name: sorted(map(repr, tx.all(sa.select(table)))) for table in left}


# The file

async def test_all_of_it_goes_into_one_file_and_from_there_into_either_database(
    on_sqlite: House, postgres_url: str, tmp_path: Path
) -> None:
    await on_sqlite.does(fill)
    before = await on_sqlite.does(everything)
    assert before["drafts"] and before["elders"]
    for n, url in enumerate((postgres_url, f"sqlite:///{tmp_path / 'new' / 'other.db'}")):
        file = on_sqlite.backs_up(f"{n}.backup")
        on_sqlite.moves_to(url)
        assert "2 elders, 0 visits, 3 people, 3 areas" in on_sqlite.restores(file)
        assert await on_sqlite.does(everything) == before
        assert (await on_sqlite.does(audit.verify)).broken_at is None


async def test_what_is_written_after_it_began_is_not_in_it(house: House) -> None:
    await house.does(fill)
    count = len(await house.does(lambda tx: tx.all(sa.select(elders.c.id))))
    file, keys = house.folder / "b.backup", house.ground.keys
    with snapshot.of(house.ground.settings.database) as found:
        await house.does(lay(LATER))
        backup_file.write(file, NOW, found.engine, found.revision, found.tables, found.head, keys)
    assert len(await house.does(lambda tx: tx.all(sa.select(elders.c.id)))) == 2 * count
    with file.open("rb") as opened:
        assert backup_file.check(opened, keys).rows["elders"] == count


async def test_it_holds_no_key_is_for_its_owner_alone_and_takes_the_place_of_nothing(on_sqlite: House) -> None:
    await on_sqlite.does(fill)
    file = on_sqlite.backs_up()
    body = gzip.decompress(file.read_bytes())
    raw = orjson.loads(on_sqlite.ground.settings.key_file.read_bytes())
    for key in (*raw["sealing"].values(), raw["index"], raw["audit"]):
        assert key.encode() not in body and b64decode(key) not in body
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupRefused, match="is there already"):
        on_sqlite.backs_up()
    assert [path.name for path in file.parent.glob("*.backup*")] == ["b.backup"]
    said = backing_up.backup(on_sqlite.ground, on_sqlite.folder, NOW)
    assert (on_sqlite.folder / "tanfang-2026-03-02-093000.backup").exists() and "2 elders" in said[0]
    assert str(on_sqlite.ground.settings.key_file) in said[1]


def cut(body: bytes) -> bytes:
    return body[:len(body) * 2 // 3]


def changed(body: bytes) -> bytes:
    return gzip.compress(gzip.decompress(body).replace("陈国清".encode(), "陈国庆".encode()))


def cut_by_lines(body: bytes) -> bytes:
    return gzip.compress(b"\n".join(gzip.decompress(body).split(b"\n")[:60]) + b"\n")


def made_up(body: bytes) -> bytes:
    """Changed, and its digest made anew by somebody who has no key."""
    import hashlib

    *lines, last = gzip.decompress(changed(body)).splitlines(keepends=True)
    end = orjson.loads(last)
    end["end"]["sha256"] = hashlib.sha256(b"".join(lines)).hexdigest()
    return gzip.compress(b"".join(lines) + orjson.dumps(end) + b"\n")


@pytest.mark.parametrize(("spoil", "said"), [
    (cut, "cut off"), (cut_by_lines, "cut off"), (changed, "was changed"), (made_up, "was changed"),
    (lambda body: b"no backup at all", "no backup of tanfang"), (lambda body: b"", "cut off"),
    (lambda body: body[:400] + bytes(9) + body[409:], "changed"), (lambda body: body + b"more", "changed")])
async def test_a_file_that_was_cut_off_or_changed_is_refused_and_nothing_is_touched(
    on_sqlite: House, spoil: Callable[[bytes], bytes], said: str
) -> None:
    await on_sqlite.does(fill)
    file = on_sqlite.backs_up()
    file.write_bytes(spoil(file.read_bytes()))
    before = await on_sqlite.does(everything)
    with pytest.raises(RestoreRefused, match=said):
        on_sqlite.restores(file, replace=True)
    assert await on_sqlite.does(everything) == before


async def test_keys_that_do_not_open_it_are_told_before_anything_is_changed(on_sqlite: House, tmp_path: Path) -> None:
    await on_sqlite.does(fill)
    first = on_sqlite.backs_up()
    own = on_sqlite.ground.settings.key_file
    with_one = own.read_bytes()
    add_key(own, NOW, NOW)
    assert on_sqlite.ground.keys.current == "k2"
    await on_sqlite.does(fill_more)
    second = on_sqlite.backs_up("2.backup")

    def other(keys: Keys) -> House:
        house = House(tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'data' / 'new.db'}")
        house.ground = Ground(house.ground.settings, keys, POLICIES)
        return house

    own.write_bytes(with_one)
    with pytest.raises(RestoreRefused, match="which takes k2: set TANFANG_KEY_FILE"):
        other(load_keys(own, create=False)).restores(second)
    add_key(own, NOW, NOW)  # an old copy, rotated once more: another key of the same name
    with pytest.raises(RestoreRefused, match="not that of the installation"):
        other(load_keys(own, create=False)).restores(second)
    with pytest.raises(RestoreRefused, match="not that of the installation"):
        other(load_keys(tmp_path / "strange.json", create=True)).restores(first)
    assert "k1, which this key file opens" in other(load_keys(own, create=False)).restores(first, only_check=True)
    assert not (tmp_path / "other" / "data").exists()


def fill_more(tx: Tx) -> None:
    (person,), *_ = tx.all(sa.text("SELECT id FROM people"))
    drafts.add(tx, tx.new_id(LATER), drafts.new_tag(tx), person, "visit", "h", b"{}", LATER, "paused")


async def test_one_of_an_older_release_is_brought_up_and_one_of_a_newer_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, f"sqlite:///{tmp_path / 'data' / 'tanfang.db'}")
    monkeypatch.setattr(opening, "NEWEST", "0001")
    open_store(house.ground.settings.database, house.ground.keys).close()
    monkeypatch.undo()
    with closing(connect(tmp_path / "data" / "tanfang.db")) as old:
        old.execute("INSERT INTO areas VALUES ('a', NULL, 'village', '石岭村', 'a/')")
    file = house.backs_up()
    with file.open("rb") as opened:
        assert backup_file.check(opened, house.ground.keys).revision == "0001"
    with pytest.raises(RestoreRefused, match=r"0 elders, 0 visits, 0 people, 1 areas\)"):
        house.restores(file)
    house.restores(file, replace=True)
    assert await house.does(lambda tx: tx.all(sa.text("SELECT name FROM areas"))) == [("石岭村",)]
    monkeypatch.setattr(opening, "REVISIONS", frozenset({"0000"}))
    with pytest.raises(RestoreRefused, match="newer release"):
        house.restores(file, replace=True)


# Into a database

async def test_a_database_that_is_open_is_left_alone_and_none_is_opened_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.does(fill)
    file = house.backs_up()

    path = opening.file_of(house.ground.settings.database)
    monkeypatch.setattr(in_use, "PATIENCE", "100ms")

    async def serves(base: Foundation) -> None:
        await base.store.run(lambda tx: None)
        if path:
            with pytest.raises(DatabaseInUse), in_use.alone(path):
                pass
        with pytest.raises(RestoreRefused, match="serve or another command has it open"):
            house.restores(file, replace=True)

    await house.with_base(serves)
    refused = list[str]()

    def beside(*_: Any) -> None:
        for opens in (lambda: open_store(house.ground.settings.database, house.ground.keys),
                      lambda: house.backs_up("2.backup"), lambda: house.restores(file, replace=True)):
            with pytest.raises((DatabaseRefused, RestoreRefused)) as error:
                opens()
            refused.append(str(error.value))

    allow = restoring._allow
    monkeypatch.setattr(restoring, "_allow", lambda *_, **how: (
        monkeypatch.setattr(restoring, "_allow", allow), beside()))
    house.restores(file, replace=True)
    assert [("is being restored" in each, "has it open" in each) for each in refused] == [
        (True, False), (True, False), (False, True)]


async def test_an_older_program_that_has_the_file_open_is_seen(on_sqlite: House) -> None:
    await on_sqlite.does(fill)
    file = on_sqlite.backs_up()
    path = opening.file_of(on_sqlite.ground.settings.database)
    assert path
    with closing(connect(path)) as other:
        other.execute("SELECT 1 FROM areas").fetchall()
        with pytest.raises(RestoreRefused, match="has it open"):
            on_sqlite.restores(file, replace=True)
    on_sqlite.restores(file, replace=True)


async def test_what_is_there_is_replaced_only_when_told_and_sqlite_keeps_it(house: House) -> None:
    await house.does(fill)
    file = house.backs_up()
    await house.does(lambda tx: tx.run(sa.update(elders).values(name="后来")))
    with pytest.raises(RestoreRefused, match=r"2 elders, 0 visits, 3 people, 3 areas\); restore --replace"):
        house.restores(file)
    assert await house.does(lambda tx: tx.all(sa.select(elders.c.name).distinct())) == [("后来",)]
    said = house.restores(file, replace=True)
    assert ("后来",) not in await house.does(lambda tx: tx.all(sa.select(elders.c.name)))
    kept = list(house.folder.glob("*-before-restore-*"))
    if house.ground.settings.database.startswith("sqlite"):
        assert str(kept[0]) in said and kept[0].name == "tanfang-before-restore-20260302-143000.db"
        with closing(connect(kept[0])) as old:
            assert old.execute("SELECT DISTINCT name FROM elders").fetchall() == [("后来",)]
    else:
        assert not kept


async def test_a_spoilt_file_and_a_journal_that_lies_about_do_not_spoil_what_is_restored(on_sqlite: House) -> None:
    await on_sqlite.does(fill)
    before = await on_sqlite.does(everything)
    file = on_sqlite.backs_up()
    path = opening.file_of(on_sqlite.ground.settings.database)
    assert path
    with closing(connect(path)) as writes:
        writes.execute("UPDATE elders SET name = '后来'")
        journal = path.with_name(f"{path.name}-wal").read_bytes()
    path.write_bytes(b"spoilt" * 2000)
    path.with_name(f"{path.name}-wal").write_bytes(journal)
    with pytest.raises(RestoreRefused, match="cannot be read"):
        on_sqlite.restores(file)
    on_sqlite.restores(file, replace=True)
    assert await on_sqlite.does(everything) == before
    path.unlink()
    path.with_name(f"{path.name}-wal").write_bytes(journal)  # the file was deleted, its journal was not
    on_sqlite.restores(file, at=LATER + timedelta(minutes=1))
    assert await on_sqlite.does(everything) == before


# What waited

async def test_nothing_that_waited_goes_out_before_it_is_said(house: House) -> None:
    await house.does(fill)
    waited = await house.does(lambda tx: outbox.depth(tx))
    assert set(waited) == set(LANES)
    file = house.backs_up()
    said = house.restores(file, replace=True)
    shown = ", ".join(f"{lane} {waited[lane]}" for lane in sorted(waited)) + ", running alerts 1"
    assert f"waited in it: {shown}: held" in said
    assert "alert A-0001 in 石岭村 (fall, open), raised 5 hours ago" in said

    def due(tx: Tx) -> tuple[int, int, int]:
        return len(outbox.take(tx, LATER)), len(alerts.due(tx, LATER, 9)), len(alert_told.due(tx, LATER, 9))

    assert await house.does(due) == (0, 0, 0)
    assert any(f"held since a backup was restored: {shown}" in line for line in await house.with_base(findings))
    released = await house.with_base(lambda base: restoring.decide_later(base, "send", LATER))
    assert released == [f"goes on: {shown}"]
    assert await house.does(due) == (4, 1, 2)
    with pytest.raises(RestoreRefused, match="nothing is held"):
        await house.with_base(lambda base: restoring.decide_later(base, "drop", LATER))


async def test_of_who_is_erased_while_messages_are_held_they_speak_no_more(house: House) -> None:
    ground = await house.does(fill)
    house.restores(house.backs_up(), replace=True)
    await house.does(lambda tx: erasing.erase(tx, ground.elder, "op", NOW.date(), NOW))
    assert await house.does(lambda tx: tx.all(sa.text("SELECT DISTINCT lane FROM outbox WHERE state = 'held'"))) == [
        ("alert",)]  # those hold the alert's id, and are asked as they leave
    await house.does(lambda tx: outbox.silence(tx, "test", ground.visitor, "cut off", NOW))
    assert await house.does(lambda tx: tx.all(sa.text("SELECT chat FROM outbox WHERE state = 'held'"))) == [
        (ground.coordinator,)]


async def test_what_waited_is_dropped_with_a_reason_where_that_is_said(house: House) -> None:
    await house.does(fill)
    file = house.backs_up()
    assert "dropped" in house.restores(file, replace=True, waiting="drop")
    assert await house.does(lambda tx: tx.all(sa.text("SELECT DISTINCT state, reason FROM outbox"))) == [
        ("dropped", "restored")]
    assert not await house.does(lambda tx: alerts.due(tx, LATER, 9))


# The chain, and who was erased

async def test_the_chain_still_verifies_and_says_what_a_restore_left_behind(
    on_sqlite: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = on_sqlite

    async def read(count: int) -> None:
        for _ in range(count):
            await house.does(lambda tx: tx.note(NOW, "p1", "elder.read", "e1"))

    async def keep(at: datetime) -> None:
        await house.with_base(lambda base: audit_head.keep_daily(base, at))

    async def verify() -> tuple[int, str]:
        monkeypatch.setattr(cli, "_opened", lambda: Foundation(
            house.ground.settings, house.ground.keys, POLICIES,
            open_store(house.ground.settings.database, house.ground.keys)))
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, ["audit", "verify"])
        return result.exit_code, result.output

    await house.does(fill)
    first = house.backs_up("1.backup")
    await read(4)
    await keep(NOW)
    length = (await house.does(audit.verify)).lines
    second = house.backs_up("2.backup")
    await read(2)
    said = house.restores(first, NOW + timedelta(hours=1), replace=True)
    assert f"lines up to {length}, of which heads were kept" in said
    code, said = await verify()
    assert code == 0 and "a backup was restored, 2026-03-02 02:30" in said
    assert f"1 heads kept elsewhere are of lines that a restore left behind: {length}" in said
    await read(1)
    await keep(NOW + timedelta(days=1))  # a head between two restores: in neither backup
    assert (await verify())[0] == 0
    between = (await house.does(audit.verify)).lines
    said = house.restores(second, NOW + timedelta(days=1, hours=1), replace=True)
    assert "WARNING: heads kept of lines" in said and str(between) in said
    assert (await verify())[0] == 0
    await read(9)
    assert (await verify())[0] == 0
    await house.does(lambda tx: tx.run(sa.text("DELETE FROM audit WHERE seq > 4")))
    assert (await verify())[0] == 1  # a tail that is cut off is found as ever


async def test_who_was_erased_after_the_backup_is_erased_once_more(house: House, tmp_path: Path) -> None:
    ground = await house.does(fill)
    file = house.backs_up()

    def shown(tx: Tx) -> list[Any]:
        return tx.all(sa.select(elders.c.name, elders.c.condition).order_by(elders.c.name))

    await house.does(lambda tx: erasing.erase(tx, ground.elder, "op", NOW.date(), NOW))
    assert "erased once more: 1 elders" in house.restores(file, replace=True)  # the database that was there tells
    assert await house.does(shown) == [("", "erased"), ("陈国清", None)]
    await house.with_base(erased_list.keep)
    beside = erased_list.beside(house.ground.settings.key_file)
    assert beside.read_text() == f"{ground.elder}\n" and beside.stat().st_mode & 0o777 == 0o600
    house.moves_to(f"sqlite:///{tmp_path / 'elsewhere.db'}")  # on another machine the list does
    assert "erased once more: 1 elders" in house.restores(file)
    beside.unlink()
    (tmp_path / "elsewhere.db").unlink()
    assert "no list of erased elders" in house.restores(file, at=LATER + timedelta(minutes=1))
