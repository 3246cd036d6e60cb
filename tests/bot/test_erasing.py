"""Erasing an elder: nothing personal is left, not in the file on disk either; the figures keep what they count."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from bot import cli, erasing
from bot.app import Foundation
from bot.erasing import EraseRefused
from bot.settings import Settings
from scheduler import casework, checkins, consent
from scheduler import policy as policies
from storage import accounts, assignments, audit, drafts, elder_files, elders, media, outbox, proposals, visits
from storage import erasing as ledger
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elder_files import Wish
from storage.key_file import load_keys
from storage.opening import open_store
from storage.outbox import Outgoing
from storage.scope import Scope
from storage.tables import metadata
from tests.fakes.house import START
from tests.storage.ground import STANDING, Ground, entry, lay, new_elder

NAME, ID_NUMBER, PHONE, ILLNESS = "单于秀英", "510502194001011234", "13912345678", "矽肺病三期"
POLICY = policies.load()
CLEAR = [text.encode() for text in (NAME, ID_NUMBER, PHONE, ILLNESS)]


def plant(tx: Tx, ground: Ground) -> str:
    """An elder of whom every table has something; a neighbour has some of the same."""
    new = new_elder(ground.village, NAME, id_number=ID_NUMBER, phone=PHONE, facts={"illnesses": ILLNESS})
    elder = casework.register(tx, new, POLICY, START)
    for person, role in ((ground.visitor, "visitor"), (ground.coordinator, "first_contact")):
        assignments.entrust(tx, person, elder, role, "2026-01-01")
    elder_files.keep_wish(tx, elder, Wish("willing", "consent", "2026-01-01", ground.visitor), START)
    photo = media.add(tx, "test", "photo", "ref", START, b"bytes")
    scope = Scope(ground.visitor, START.date())
    given: dict[str, list[Any]] = {"illness_name": [ILLNESS, 1, "text", [photo]]}
    submitted = _draft(tx, ground.visitor, "submitted", {"answers": given, "elder": elder})
    casework.submit(tx, scope, entry(elder, submitted, answers=given), POLICY, START)
    kept = visits.last_by(tx, scope)
    assert kept is not None
    casework.correct(tx, scope, kept, entry(elder, "d2", answers=given), f"{NAME}记错了", POLICY, START)
    _draft(tx, ground.visitor, "open", {"answers": {"elder": [elder, 1, "tap"]}, "context": {"elder_name": NAME}})
    _draft(tx, ground.other_visitor, "open", {"answers": {"elder": [ground.other_elder, 1, "tap"]}})
    asked = proposals.add(tx, "life", ground.village.id, {"name": NAME}, ground.visitor, START, elder_id=elder)
    assert asked
    for who in (elder, ground.other_elder):
        outbox.add(tx, Outgoing(tx.new_id(START), "test", "7001", "reminder", "visit_due", {"elder": who}), START)
    accounts.bind(tx, "test", "7001", "7001", ground.visitor, START)
    own = elders.find(tx, ground.scope, elder)
    assert own is not None
    accounts.bind(tx, "test", "7009", "7009", checkins.set_up(tx, own, "08:00", ground.visitor, POLICY, START), START)
    return elder


def _draft(tx: Tx, person: str, state: str, body: dict[str, Any]) -> str:
    draft = tx.new_id(START)
    drafts.add(tx, draft, drafts.new_tag(tx), person, "visit", "h", orjson.dumps(body), START, state)
    return draft


def rows(tx: Tx) -> dict[str, int]:
    found = {}
    for name, table in metadata.tables.items():
        row = tx.one(select(func.count()).select_from(table))
        found[name] = row[0] if row else 0
    return found


COUNTS = {"elders": 1, "visits": 2, "proposals": 1, "drafts": 2, "outbox": 1, "media": 1, "wishes": 1, "assignments": 3,
          "people": 1, "check_ins": 1}


async def test_the_dry_run_counts_and_changes_nothing(store: Store, keys: Keys, now: Any) -> None:
    ground = await store.run(lay(now))
    elder = await store.run(lambda tx: plant(tx, ground))
    before = await store.read(rows)
    assert await store.read(lambda tx: ledger.counts(tx, elder)) == COUNTS
    assert await store.read(rows) == before
    assert await store.read(lambda tx: ledger.counts(tx, "nobody")) is None


async def test_the_row_its_number_and_the_days_and_methods_of_visits_stay_and_all_else_goes(
    store: Store, now: Any
) -> None:
    ground = await store.run(lay(now))
    elder = await store.run(lambda tx: plant(tx, ground))
    before = await store.read(rows)
    was = await store.read(lambda tx: elders.find(tx, ground.scope, elder))
    today = START.date()
    assert await store.run(lambda tx: ledger.erase(tx, elder, ground.coordinator, today, START)) == COUNTS
    file = await store.read(lambda tx: elder_files.read(tx, ground.scope, elder))
    found = await store.read(lambda tx: elders.find(tx, ground.scope, elder))
    assert was is not None and file is not None and found is not None
    assert (file.name, file.initials, file.id_number, file.phone, file.facts, file.birth, file.sex, file.wish) == (
        "", "", "", "", {}, None, None, "")
    assert (found.number, found.village_id, found.visits_made, found.last_home_on) == (
        was.number, was.village_id, was.visits_made, was.last_home_on)
    assert (found.status, found.condition, found.condition_since) == ("closed", "erased", today.isoformat())
    visit, = await store.read(lambda tx: visits.last(tx, ground.scope, elder, 9))
    assert (visit.on_day, visit.method, visit.number) == ("2026-03-02", "home", 1)
    assert (visit.answers, visit.reason) == ({}, "")
    after = await store.read(rows)
    gone = {name: before[name] - after[name] for name in after if before[name] != after[name]}
    assert gone == {"drafts": 2, "media": 1, "wishes": 1, "assignments": 3, "accounts": 1, "check_ins": 1,
                    "courses": -1, "audit": -1, "audit_subjects": -1}  # that he is off the ledger stays for figures
    assert await store.read(lambda tx: proposals.waiting(tx, ground.scope, 9)) == []
    line, *_ = await store.read(lambda tx: audit.about(tx, elder, 1))
    assert [(e.actor, e.action) for e in line.entries] == [(ground.coordinator, "elder.erase")]


async def test_what_waits_about_him_is_not_sent_and_what_is_about_others_is(store: Store, now: Any) -> None:
    ground = await store.run(lay(now))
    elder = await store.run(lambda tx: plant(tx, ground))
    await store.run(lambda tx: ledger.erase(tx, elder, "op", START.date(), START))
    sent = [await store.run(lambda tx: outbox.take(tx, START))]
    assert [row.fields["elder"] for row in sent[0]] == [ground.other_elder]


async def test_erasing_twice_is_once_and_his_id_number_may_be_registered_again(store: Store, now: Any) -> None:
    ground = await store.run(lay(now))
    elder = await store.run(lambda tx: plant(tx, ground))
    await store.run(lambda tx: ledger.erase(tx, elder, "op", START.date(), START))
    assert await store.run(lambda tx: ledger.erase(tx, elder, "op", START.date(), START)) is None
    def late(tx: Tx) -> None:  # a file that somebody still had open
        elder_files.rewrite(tx, elder, new_elder(ground.village, NAME, number=9), STANDING)
        elder_files.set_condition(tx, elder, "active", None, None)

    await store.run(late)
    found = await store.read(lambda tx: elders.find(tx, ground.scope, elder))
    assert found is not None and (found.name, found.status, found.condition) == ("", "closed", "erased")
    again = new_elder(ground.village, NAME, id_number=ID_NUMBER)
    assert await store.run(lambda tx: casework.register(tx, again, POLICY, START)) != elder


async def test_a_coordinator_of_where_he_lives_erases_who_takes_back_his_consent_and_nobody_else(
    store: Store, now: Any
) -> None:
    ground = await store.run(lay(now))
    elder = await store.run(lambda tx: plant(tx, ground))
    for person in (ground.visitor, ground.other_visitor):
        assert await store.run(lambda tx, who=person: consent.withdrawn(
            tx, Scope(who, START.date()), elder, POLICY.city, START)) is None
    assert await store.run(
        lambda tx: consent.withdrawn(tx, ground.scope, elder, POLICY.city, START, dry_run=True)) == COUNTS
    assert await store.run(lambda tx: consent.withdrawn(tx, ground.scope, elder, POLICY.city, START)) == COUNTS
    line, = await store.read(lambda tx: audit.about(tx, elder, 1))
    assert [(e.actor, e.action) for e in line.entries] == [(ground.coordinator, "elder.erase")]


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Foundation]:
    settings = Settings(data_dir=tmp_path / "data", key_file=tmp_path / "keys.json", _env_file=None)
    keys = load_keys(settings.key_file, create=True)
    base = Foundation(settings, keys, POLICY, open_store(settings.database, keys))
    yield base
    base.store.close()


async def test_no_trace_is_left_in_the_file_on_disk(base: Foundation, tmp_path: Path) -> None:
    ground = await base.store.run(lay(START - timedelta(days=1)))
    elder = await base.store.run(lambda tx: plant(tx, ground))
    file = tmp_path / "data" / "tanfang.db"
    on_disk = file.read_bytes() + file.with_name("tanfang.db-wal").read_bytes()
    assert [text in on_disk for text in CLEAR] == [True, False, False, False]  # only the name is not sealed
    lines = await erasing.erase(base, "", "石岭村", NAME, START, dry_run=False)
    assert lines[0] == f"erased: elder {elder}"
    base.store.close()
    assert not file.with_name("tanfang.db-wal").exists()
    assert not any(text in file.read_bytes() for text in CLEAR)


async def test_two_of_a_name_are_told_apart_by_id_and_nobody_is_erased_by_mistake(base: Foundation) -> None:
    ground = await base.store.run(lay(START))
    await base.store.run(lambda tx: casework.register(tx, new_elder(ground.village), POLICY, START))
    with pytest.raises(EraseRefused, match=f"several elders, give an id: .*{ground.elder}"):
        await erasing.erase(base, "", "石岭村", "张桂芳", START, dry_run=False)
    with pytest.raises(EraseRefused, match="no elder of that name"):
        await erasing.erase(base, "", "石岭村", "张三丰", START, dry_run=False)
    with pytest.raises(EraseRefused, match="no area"):
        await erasing.erase(base, "", "没有村", "张桂芳", START, dry_run=False)
    with pytest.raises(EraseRefused, match="no elder nobody"):
        await erasing.erase(base, "nobody", "", "", START, dry_run=True)


def test_the_command_line_counts_first_and_erases_then(base: Foundation, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    ground = asyncio.run(_laid(base))
    monkeypatch.setattr(cli, "_opened", lambda: Foundation(
        base.settings, base.keys, base.policies, open_store(base.settings.database, base.keys)))
    run = CliRunner()
    counted = run.invoke(cli.app, ["erase", ground.elder, "--dry-run"])
    assert (counted.exit_code, counted.stdout.splitlines()) == (
        0, [f"would be erased: elder {ground.elder}", "  elders 1", "  assignments 1"])
    assert run.invoke(cli.app, ["erase", "--area", "石岭村", "--name", "张桂芳"]).exit_code == 0
    assert run.invoke(cli.app, ["erase", ground.elder]).exit_code == 2
    assert run.invoke(cli.app, ["erase"]).exit_code == 2


async def _laid(base: Foundation) -> Ground:
    return await base.store.run(lay(START))
