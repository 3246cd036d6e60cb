"""Retention: each class goes when its days are over, in chunks; what is kept is kept."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import func, insert, select

from scheduler import forgetting
from scheduler import policy as policies
from scheduler.forgetting import CHUNK, CLASSES
from scheduler.policy import PolicyError
from storage import (
    alert_links,
    alerts,
    audit,
    device_events,
    device_vendors,
    devices,
    drafts,
    elder_files,
    elders,
    groups,
    inbox,
    media,
    outbox,
    phones,
    reply_windows,
    send_counts,
    tables,
    visits,
)
from storage import jobs as ledger_of_jobs
from storage.alerts import Alert
from storage.database import Store, Tx
from storage.ids import millis
from storage.outbox import Outgoing
from storage.phones import Body
from storage.reply_windows import Window
from storage.send_counts import Limit
from storage.tables import guesses, jobs, metadata
from tests.storage.ground import Ground, entry, lay

POLICY = policies.load()
RULES = POLICY.city.retention.model_dump()
TABLES = {"inbox": "inbox", "outbox": "outbox", "cancelled_drafts": "drafts", "submitted_drafts": "drafts",
          "media_never_fetched": "media", "playground": "phone_messages",
          "jobs": "jobs", "guesses": "guesses", "device_events": "device_events",
          "alert_links": "alert_links"}


def make(tx: Tx, kind: str, ground: Ground, at: datetime, number: int = 0) -> None:
    """One row of a class, made (or ended) at this time."""
    if kind == "inbox":
        inbox.take(tx, "test", f"{number}", b"said", "a", at)
    elif kind == "outbox":
        sent = Outgoing(tx.new_id(at), "test", "7001", "reply", "reply", {"parts": []})
        outbox.add(tx, sent, at)
        outbox.sent(tx, [(sent.id, "1")], at)
    elif kind in ("cancelled_drafts", "submitted_drafts"):
        draft = tx.new_id(at)
        drafts.add(tx, draft, drafts.new_tag(tx), ground.visitor, "visit", "h", b"{}", at)
        drafts.close(tx, draft, kind.removesuffix("_drafts"), at)
    elif kind == "media_never_fetched":
        media.add(tx, "test", "photo", "ref", at)
    elif kind == "playground":
        phones.add(tx, "phone1", Body(sent_at=millis(at), text="您好"))
    elif kind == "jobs":
        tx.run(insert(jobs), id=tx.new_id(at), kind="import", person_id=None, state="done", fields=None, cursor="",
               leased_until=0, created_at=millis(at), updated_at=millis(at))
    elif kind == "device_events":
        device_vendors.invite(tx, "anxin", "operator", at)
        vendor = device_vendors.named(tx, "anxin")
        assert vendor is not None
        device_events.add(tx, devices.known(tx, vendor.id, "A1", at), f"{number}", "fall", at, {}, at)
    elif kind == "alert_links":
        alerts.end(tx, linked(tx, ground, at), "false_alarm", ground.coordinator, {"reason": "x"}, at)
    elif kind == "guesses":
        tx.run(insert(guesses), channel="test", account=f"{number}", hour=millis(at) // 3_600_000, count=1)


def linked(tx: Tx, ground: Ground, at: datetime) -> Alert:
    """An alert with a page."""
    village = ground.village.id
    group = groups.add(tx, groups.FORWARDED, village, "forwarded", village, ground.coordinator, at)
    alert = alerts.add(tx, ground.elder, village, "fall", "person", None, "", at, at)
    alert_links.make(tx, alert.id, group.id, at)
    return alert


def count(tx: Tx, table: str) -> int:
    row = tx.one(select(func.count()).select_from(metadata.tables[table]))
    assert row is not None
    return int(row[0])


async def swept(store: Store, now: datetime) -> int:
    """Sweeps until nothing is left; gives how many chunks it took."""
    chunks = 1
    while await store.run(lambda tx: forgetting.sweep(tx, now, POLICY)):
        chunks += 1
    return chunks


def test_every_class_that_has_a_time_has_what_deletes_it() -> None:
    assert CLASSES.keys() | {"closed_elders"} == RULES.keys() == TABLES.keys() | {"closed_elders"}


@pytest.mark.parametrize("kind", TABLES)
async def test_a_class_goes_when_its_days_are_over_and_not_before(store: Store, now: datetime, kind: str) -> None:
    ground = await store.run(lay(now))
    over = now - timedelta(days=RULES[kind], hours=2)
    await store.run(lambda tx: make(tx, kind, ground, over, 1))
    await store.run(lambda tx: make(tx, kind, ground, now - timedelta(days=RULES[kind]) + timedelta(hours=2), 2))
    assert await store.read(lambda tx: count(tx, TABLES[kind])) == 2
    assert await swept(store, now) == 1
    assert await store.read(lambda tx: count(tx, TABLES[kind])) == 1


async def test_the_page_of_an_alert_stays_as_long_as_the_alert_runs(store: Store, now: datetime) -> None:
    ground = await store.run(lay(now))
    await store.run(lambda tx: linked(tx, ground, now - timedelta(days=400)))
    await swept(store, now)
    assert await store.read(lambda tx: count(tx, "alert_links")) == 1


@pytest.mark.parametrize("kind", ["inbox", "outbox", "guesses"])
async def test_many_rows_go_in_chunks(store: Store, now: datetime, kind: str) -> None:
    ground = await store.run(lay(now))
    await store.run(lambda tx: [make(tx, kind, ground, now - timedelta(days=90), n) for n in range(2 * CHUNK + 1)])
    assert await swept(store, now) == 3
    assert await store.read(lambda tx: count(tx, TABLES[kind])) == 0


async def test_open_and_paused_forms_waiting_messages_visits_and_the_chain_stay_for_ever(
    store: Store, now: datetime
) -> None:
    ground = await store.run(lay(now))

    def old(tx: Tx) -> None:
        for person, state in ((ground.visitor, "open"), (ground.visitor, "paused"), (ground.other_visitor, "open")):
            drafts.add(tx, tx.new_id(now), drafts.new_tag(tx), person, "visit", "h", b"{}", now, state)
        outbox.add(tx, Outgoing(tx.new_id(now), "test", "7001", "reply", "reply", {"parts": []}), now)
        assert ledger_of_jobs.add(tx, "import", {}, now)
        media.fill(tx, media.add(tx, "test", "photo", "ref", now), b"bytes")
        visits.submit(tx, entry(ground.elder, "d"), ground.visitor, now)

    await store.run(old)
    kept = ("drafts", "outbox", "jobs", "media", "visits", "audit", "elders")
    before = await store.read(lambda tx: [count(tx, table) for table in kept])
    await swept(store, now + timedelta(days=20_000))
    assert await store.read(lambda tx: [count(tx, table) for table in kept]) == before
    assert (await store.read(lambda tx: audit.verify(tx))).broken_at is None


async def test_a_cancelled_form_takes_its_photos_along_but_not_those_of_the_visit_it_was_to_correct(
    store: Store, now: datetime
) -> None:
    ground = await store.run(lay(now))

    def cancelled(tx: Tx) -> str:
        older = media.add(tx, "test", "photo", "of the visit", now - timedelta(hours=1), b"bytes")
        draft = tx.new_id(now)
        own = media.add(tx, "test", "photo", "of the draft", now + timedelta(minutes=1), b"bytes")
        body: dict[str, Any] = {"answers": {"mood": ["same", 1, "tap", [older, own]], "gas": ["safe", 1, "tap"]}}
        drafts.add(tx, draft, drafts.new_tag(tx), ground.visitor, "visit", "h", orjson.dumps(body), now)
        drafts.close(tx, draft, "cancelled", now)
        return older

    older = await store.run(cancelled)
    await swept(store, now + timedelta(days=8))
    assert await store.read(lambda tx: media.body(tx, older)) == ("photo", b"bytes")
    assert await store.read(lambda tx: (count(tx, "media"), count(tx, "drafts"))) == (1, 0)


async def test_it_is_not_kept_who_was_written_to_once_a_window_is_over(store: Store, now: datetime) -> None:
    def old(tx: Tx) -> None:
        for account, hours in (("old", 48), ("new", 50)):
            reply_windows.opened(tx, "wechat", account, Window("message", 5, timedelta(hours=hours)), now)
        limit = Limit("minute", timedelta(minutes=1), 10, 2)
        send_counts.take(tx, "wecom", "old", (limit,), now)
        send_counts.take(tx, "wecom", "new", (limit,), now + timedelta(hours=49))

    await store.run(old)
    await swept(store, now + timedelta(hours=49))
    kept = select(tables.reply_windows.c.account).union_all(select(tables.send_counts.c.account))
    assert await store.read(lambda tx: tx.all(kept)) == [("new",), ("new",)]


async def test_a_closed_file_is_erased_when_its_years_are_over(store: Store, now: datetime) -> None:
    ground = await store.run(lay(now))
    today = now.date()
    ended = (today - timedelta(days=RULES["closed_elders"] + 1)).isoformat()

    def close(tx: Tx) -> None:
        elder_files.set_condition(tx, ground.elder, "closed", "died", ended)
        elder_files.set_condition(tx, ground.other_elder, "closed", "died", today.isoformat())

    await store.run(close)
    await swept(store, now)
    found = await store.read(lambda tx: [elders.find(tx, ground.scope, each) for each in (
        ground.elder, ground.other_elder)])
    assert [(each.name, each.condition) for each in found if each] == [("", "erased"), ("陈国清", "died")]


def test_a_countys_file_that_names_one_class_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    own = tmp_path / "county.toml"
    own.write_text("[retention]\ninbox = 10\n")
    assert policies.load(own).city.retention.model_dump() == RULES | {"inbox": 10}


@pytest.mark.parametrize("line", ["inbox = 0", "closed_elders = 30", "visits = 10"])
def test_a_time_that_is_too_short_or_a_class_that_there_is_not_is_refused(tmp_path: Path, line: str) -> None:
    own = tmp_path / "county.toml"
    own.write_text(f"[retention]\n{line}\n")
    with pytest.raises(PolicyError, match=f"retention.{line.split()[0]}"):
        policies.load(own)
