"""The statements of every turn find their rows by an index, in ledgers of a size where that matters."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.sql.expression import ClauseElement

from storage import (
    accounts,
    areas,
    assignments,
    audit,
    campaign_progress,
    campaigns,
    drafts,
    due,
    duplicates,
    elders,
    erasing,
    figures,
    inbox,
    ledger_counts,
    outbox,
    people,
    reminding,
    retention,
    visits,
)
from storage.database import Store, Tx
from storage.ids import millis
from storage.outbox import Outgoing
from storage.scope import Scope
from tests.conftest import database, run_on
from tests.storage.ground import DAY, STANDING, lay, new_elder

ELDERS, WAITING = 10_000, 10_000
BIG = ("elders", "outbox", "visits", "accounts", "drafts", "people", "inbox", "assignments")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A database of its own: what other tests left in the statistics of a shared one changes plans."""
    name = f"tanfang_plans_{uuid4().hex}"
    run_on(postgres_server, f"CREATE DATABASE {name}")
    yield database(postgres_server, name)
    run_on(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def fill(tx: Tx, now: datetime) -> dict[str, Any]:
    """A ledger of many villages, with a visitor who has 30 elders and a queue of reminders."""
    ground = lay(now)(tx)
    villages = [areas.add(tx, ground.township, "village", f"村{n}", now) for n in range(50)]
    made = elders.add_many(tx, [(new_elder(villages[n % 50], number=n), STANDING) for n in range(ELDERS)], now)
    visitor = people.add(tx, villages[0].id, "某", ("visitor",), now).id
    for elder in made[:30]:
        assignments.entrust(tx, visitor, elder, "visitor", "2026-01-01")
    other = people.add(tx, villages[0].id, "某甲", ("visitor",), now).id  # the others': a table is read whole where it is small
    tx.many(assignments._insert, [{"person_id": other, "elder_id": elder, "role": "visitor", "from_on": "2026-01-01",
                                   "until_on": None} for elder in made[30:]])
    for n in range(1000):
        people.add(tx, villages[n % 50].id, f"某{n}", (), now)
    for n in range(WAITING):
        outbox.add(tx, Outgoing(f"{n:06}", "t", f"c{n % 2000}", "reminder", "text", {}), now)
    accounts.bind(tx, "t", "1", "1", visitor, now)
    tx.many(visits._ADD, [_visit(f"{n:032x}", elder, now) for n, elder in enumerate(made)])
    visits.submit(tx, visits.Entry(made[0], "h", "2026-03-01", "home", False, {}, "d"), visitor, now)
    inbox.take(tx, "t", "1", b"", "", now)
    drafts.add(tx, "d", "TAG", visitor, "visit", "h", b"", now)
    scope = Scope(visitor, DAY).values
    made_here = campaigns.add(tx, campaigns.NewCampaign(
        "other", "c", villages[0].id, "2026-03-01", "2026-03-09", "other", ("home", "phone")), visitor, now, "open")
    campaign = campaigns.unscoped(tx, made_here or "")
    assert campaign is not None
    reached = campaign_progress._values(campaign, DAY)
    return {
        "campaign left": (campaign_progress._LEFT, {"count": 8, "skip": 0, **reached, **scope}),
        "campaign progress": (campaign_progress._PROGRESS, {**reached, **scope}),
        "without": (assignments._WITHOUT_PAGE, {
            "of_role": "visitor", "count": 8, "skip": 0, **assignments.beginning(Scope(visitor, DAY)), **scope}),
        "caseload": (assignments._CASELOAD, {"person": visitor, **scope}),
        "visited": (assignments._VISITED, {"person": visitor, "first": "2026-03-01", "last": "2026-03-02"}),
        "left alone": (assignments._LEFT_ALONE, {
            "first_day": "2026-02-22", "last_day": "2026-03-01", "scope_day": DAY.isoformat(), "count": 9}),
        "campaign is left": (campaign_progress._IS_LEFT, {"elder": made[0], **reached, **scope}),
        "campaigns of his elders": (campaigns._ENTRUSTED, scope),
        "due_first": (elders._DUE_FIRST, {"count": 10, "skip": 0, **scope}),
        "matching": (elders._MATCHING, {"part": "%x%", "initials": "x%", "count": 5, **scope}),
        "numbered": (elders._NUMBERED, {"number": 7, "count": 5, **scope}),
        "count": (elders._COUNT, scope),
        "find": (elders._ONE, {"elder": made[0], **scope}),
        "lacking": (ledger_counts._LACKING, {"count": 8, "skip": 0, **scope}),
        "grouped": (ledger_counts._BY_VILLAGE[True][0], {"year": "2026-01-01", "village": villages[0].id, **scope}),
        "sums": (ledger_counts._sums(("living_alone",), ("phone",), here=True), {
            "since": "2026-01-01", "village": villages[0].id, **scope}),
        "listed": (duplicates._LISTED, {
            "path": ground.township.path, "path_end": ground.township.path + "~", "scope_person": ground.coordinator,
            **{f"wanted_{n}": f"index {n}" for n in range(50)}}),
        "due": (due._IN_SCOPE, {"count": 8, "skip": 0, **scope}),
        "overdue": (due._LATE_COUNT, scope),
        "own": (due._OWN, {"until": "2026-03-31", "contact_until": "2026-03-02", "village": "", "count": 60,
                           **scope}),
        "by village": (due._BY_VILLAGE, {
            "village_until": "2026-03-01", "township_until": "2026-02-27", **scope}),
        "alone": (due._ALONE, {"after": "2026-02-27", "until": "2026-03-31", "count": 60, **scope}),
        "of village": (due._OF_VILLAGE, {
            "village": villages[0].id, "until": "2026-03-01", "count": 5, **scope}),
        "last": (visits._LAST, {"elder": made[0], "count": 1, **scope}),
        "last_by": (visits._LAST_BY, scope),
        "writer": (accounts._WRITER, {"channel": "t", "account": "1"}),
        "in chat": (accounts._IN_CHAT, {"on_channel": "t", "chat": "1"}),
        "paused drafts": (drafts._PAUSED, {"person": visitor, "count": 5}),
        "about": (audit.ABOUT, {"of": made[0], "before": audit.NEWEST, "count": 9}),
        "class over": (elders._CLASS_OVER, {"on_day": "2026-01-01", "count": 100}),
        "closed": (erasing._CLOSED_BEFORE, {"before": "2026-01-01", "count": 1}),
        "old inbox": (retention._INBOX, {"before": millis(now), "count": 5}),
        **_of_figures(villages[0].id),
        "ready": (outbox._READY, {"in_lane": "reminder", "at": millis(now), "count": 50}),
    }


def _visit(visit: str, elder: str, now: datetime) -> dict[str, Any]:
    return {"id": visit, "visit_id": visit, "version": 1, "elder_id": elder, "number": 0, "state": "current",
            "form_hash": "h", "on_day": "2026-03-01", "method": "home", "late": 0, "answers": b"", "visitor_id": None,
            "written_by": None, "written_at": millis(now), "reason": None, "draft_id": None, "moved_from": None,
            "minutes": None}


def _of_figures(village: str) -> dict[str, Any]:
    """What a village's figures are counted from."""
    some = {"village": village, "after": "", "last": "f"}
    return {
        "files": (figures._FILES, {"village": village, "after": "", "before": 2**60, "count": 50}),
        "courses": (figures._COURSES, some),
        "stood": (figures._STOOD, {**some, "since": "2026-03-01", "until": "2026-03-31", "before": 2**60}),
    }


def plan(statement: ClauseElement, values: dict[str, Any]) -> Callable[[Tx], list[str]]:
    def work(tx: Tx) -> list[str]:
        sql, constants = tx._statements.sql(statement)
        explain = "EXPLAIN QUERY PLAN " if tx.dialect == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF) "
        tx._cursor.execute(explain + sql, {**constants, **values})
        return [str(row[-1]).strip() for row in tx._cursor.fetchall()]
    return work


def made_anew(statement: ClauseElement, values: dict[str, Any]) -> Callable[[Tx], int]:
    """How often SQLite asks what a statement may do when it runs again: it asks while it prepares one."""
    def work(tx: Tx) -> int:
        asked: list[object] = []
        tx._cursor.connection.set_authorizer(lambda *what: asked.append(what) or 0)
        tx.all(statement, **values)
        asked.clear()
        tx.all(statement, **values)
        tx._cursor.connection.set_authorizer(None)
        return len(asked)
    return work


def whole_tables(lines: list[str]) -> list[str]:
    """The steps of a plan that read one of the big tables from end to end."""
    return [line for line in lines
            if not line.endswith("(never executed)") and any(line.startswith((f"SCAN {table}", f"->  Seq Scan on {table}")) for table in BIG)]


async def test_no_statement_of_a_turn_reads_a_big_table_whole_sorts_all_that_waits_or_is_planned_each_time(
    store: Store, now: datetime
) -> None:
    statements = await store.run(lambda tx: fill(tx, now))
    for name, (statement, values) in statements.items():
        lines = await store.run(plan(statement, values))
        assert whole_tables(lines) == [], name
        if store.dialect == "sqlite":
            anew = await store.run(made_anew(statement, values))
            assert anew == 0 or name == "matching", name  # LIKE is planned by its pattern
        assert name == "closed" or not [line for line in lines if "elders_paused (status=?)" in line]  # nearly all are
        if name == "in chat":  # not all accounts of the channel, which a start of the primary key gives too
            assert any("accounts_chat" in line for line in lines)
        if name == "ready":
            assert not [line for line in lines if "TEMP B-TREE" in line or line.startswith("->  Sort")]
    assert len(await store.run(lambda tx: outbox.take(tx, now))) == outbox.FEW


async def test_the_sweep_of_reminders_reads_only_those_elders_whose_day_has_come(store: Store, now: datetime) -> None:
    await store.run(lambda tx: fill(tx, now))
    for statement, values in (
        (reminding._CHUNK, {"today": "2026-03-01", "count": 100}),
        (reminding._MOVE, {"last_on": "2026-03-01", "last": "x", "next_day": "2026-03-02", "in_a_week": "2026-03-08",
                           "long_ago": "2026-02-22"}),
    ):
        lines = await store.run(plan(statement, values))
        assert not [line for line in whole_tables(lines) if " elders" in line]
        assert any("elders_remind" in line for line in lines)
