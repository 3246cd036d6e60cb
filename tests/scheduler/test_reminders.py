"""Who is reminded of whom on which day: one digest a person and day, whatever happens to the clock and the processes."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.sql.expression import ClauseElement

from scheduler import casework, holding, notices, policy, reminders
from scheduler.reminder_notices import Digest
from storage import (
    accounts,
    areas,
    assignments,
    elders,
    forms,
    leaves,
    outbox,
    people,
    postponements,
    reminding,
    tables,
)
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elder_files import Wish
from storage.opening import open_store
from storage.scope import Scope
from tests.storage.ground import entry, new_elder

POLICIES = policy.load()
OPENED = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
SINCE = "2026-03-01"


def at(day: str, hour: str = "08:30") -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}:00+08:00")


@dataclass
class Place:
    """A village with its people; each has an account of his name. `甲` is of the general class, `乙` priority."""

    village: str = ""
    people: dict[str, str] = field(default_factory=dict)
    elders: dict[str, str] = field(default_factory=dict)


def settle(tx: Tx) -> Place:
    township = areas.add(tx, None, "township", "云龙镇", OPENED)
    village = areas.add(tx, township, "village", "石岭村", OPENED)
    place = Place(village.id)
    for name, area, role in (("王", village, "visitor"), ("钱", village, "visitor"), ("一", village, "first_contact"),
                             ("村", village, "village"), ("镇", township, "township")):
        place.people[name] = people.add(tx, area.id, name, (role,), OPENED).id
        accounts.bind(tx, "test", name, name, place.people[name], OPENED)
    forms.keep(tx, "h", "visit", "{}")
    for name, given in (("甲", ["empty_nest"]), ("乙", ["childless_alone"])):
        file = replace(new_elder(village, name), categories=given, registered_on=SINCE)
        place.elders[name] = casework.register(tx, file, POLICIES, OPENED)
        assignments.entrust(tx, place.people["王"], place.elders[name], "visitor", SINCE)
        assignments.entrust(tx, place.people["一"], place.elders[name], "first_contact", SINCE)
    return place


@pytest.fixture
async def place(store: Store) -> Place:
    return await store.run(settle)


async def sweep(store: Store, now: datetime) -> None:
    while await store.run(lambda tx: reminders.sweep(tx, now, POLICIES)):
        pass


async def sent(store: Store, place: Place, now: datetime) -> dict[str, str]:
    """What leaves now, by person: elders with the days left (甲7 乙-1), then what a coordinator is told (村 1+0)."""
    names = {elder: name for name, elder in place.elders.items()}
    found: dict[str, str] = {}
    today = now.astimezone(POLICIES.city.zone).date()
    while rows := await store.run(lambda tx: holding.take(tx, now, POLICIES.city)):
        for row in rows:
            notice = Digest.model_validate(row.fields)

            def read(tx: Tx, notice: Digest = notice) -> str:
                if not notice.still_wanted(tx, today):
                    return ""
                own = [f"{names[each.id]}{each.left(today)}" for each in notice.own(tx)]
                return " ".join(own + [f"村 {each.overdue}+{each.alone}" for each in notice.lines(tx)])
            said = await store.read(read)
            assert not said or row.chat not in found, f"{row.chat} has two digests"
            found |= {row.chat: said} if said else {}
            await store.run(lambda tx, row=row: outbox.sent(tx, [(row.id, "m")], now))  # type: ignore[misc]
    return found


async def day(store: Store, place: Place, on: str) -> dict[str, str]:
    """One day: the sweep just after midnight, and again, then what leaves at half past eight."""
    await sweep(store, at(on, "00:01"))
    await sweep(store, at(on, "00:02"))
    return await sent(store, place, at(on))


async def written(store: Store, chat: str) -> int:
    """How many messages were ever written for somebody."""
    rows = await store.read(lambda tx: tx.all(select(tables.outbox.c.id).where(tables.outbox.c.chat == chat)))
    return len(rows)


async def visit(store: Store, place: Place, elder: str, on: str) -> None:
    made = entry(place.elders[elder], f"{elder}{on}", on_day=on, answers={})
    await store.run(lambda tx: casework.submit(
        tx, Scope(place.people["王"], date.fromisoformat(on)), made, POLICIES, at(on, "10:00")))


async def walk(store: Store, place: Place, first: str, last: str, happens: dict[str, Callable[[], Any]]) -> str:
    """The days from first to last as a table; what happens on a day happens after its digest."""
    lines, on = [], date.fromisoformat(first)
    while on.isoformat() <= last:
        told = await day(store, place, on.isoformat())
        lines.append(f"{on:%m-%d}  " + "  ".join(f"{who}: {said}" for who, said in sorted(told.items())))
        if work := happens.get(on.isoformat()):
            await work()
        on += timedelta(days=1)
    return "\n".join(line.strip() for line in lines)


MARCH = """
03-07
03-08  王: 乙7
03-09  王: 乙6
03-10  王: 乙5
03-11  王: 乙4
03-12
03-13
03-14
03-15
03-16
03-17
03-18
03-19
03-20
03-21
03-22
03-23
03-24  王: 乙7 甲7
03-25  王: 乙6 甲6
03-26  王: 乙5 甲5
03-27  王: 乙4 甲4
03-28  王: 乙3 甲3
03-29  一: 乙2  王: 乙2
03-30  一: 乙1  王: 乙1
03-31  一: 乙0  王: 乙0
04-01  一: 乙-1  村: 村 1+0  王: 乙-1
04-02  一: 乙-2  村: 村 1+0  王: 乙-2
04-03  一: 乙-3  村: 村 1+0  王: 乙-3  镇: 村 1+0
04-04  一: 乙-4  村: 村 1+0  王: 乙-4  镇: 村 1+0
04-05
04-06
04-07
04-08
"""


async def test_day_by_day_who_is_told_of_whom(store: Store, place: Place) -> None:
    """A priority elder seen on the 11th, then missed until 4 April; a general one seen on the 28th."""
    table = await walk(store, place, "2026-03-07", "2026-04-08", {
        "2026-03-11": lambda: visit(store, place, "乙", "2026-03-11"),
        "2026-03-28": lambda: visit(store, place, "甲", "2026-03-28"),
        "2026-04-04": lambda: visit(store, place, "乙", "2026-04-04")})
    assert table == MARCH.strip()


async def test_after_ten_days_of_standing_still_there_is_one_digest_and_it_is_of_today(
    store: Store, place: Place
) -> None:
    await sweep(store, at("2026-03-10", "00:01"))
    await sweep(store, at("2026-03-20", "10:00"))
    assert await sent(store, place, at("2026-03-20", "10:00")) == {
        "王": "乙-5", "一": "乙-5", "村": "村 1+0", "镇": "村 1+0"}
    assert await sent(store, place, at("2026-03-20", "19:00")) == {}
    assert await day(store, place, "2026-03-21") == {"王": "乙-6", "一": "乙-6", "村": "村 1+0", "镇": "村 1+0"}


async def test_a_clock_that_jumps_an_hour_sends_nothing_twice_and_misses_nothing(store: Store, place: Place) -> None:
    for now in ("00:30", "23:50"):
        await sweep(store, at("2026-03-10", now) - timedelta(days=now == "23:50"))
    told = [await sent(store, place, at("2026-03-10", now)) for now in ("08:30", "09:30", "08:29", "08:31")]
    assert told == [{"王": "乙5"}, {}, {}, {}]


async def test_two_processes_that_sweep_at_once_write_each_digest_once(
    store: Store, url: str, keys: Keys, place: Place
) -> None:
    second, now = open_store(url, keys), at("2026-03-30", "00:01")
    await asyncio.gather(*(sweep(each, now) for _ in range(5) for each in (store, second)))
    second.close()
    rows = await store.read(lambda tx: tx.all(select(tables.outbox.c.chat)))
    assert Counter(rows) == {("王",): 1, ("一",): 1, ("村",): 1, ("镇",): 1}


async def test_a_sweep_that_is_killed_between_its_chunks_is_gone_on_with(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "CHUNK", 1)
    now = at("2026-03-24", "00:01")
    assert await store.run(lambda tx: reminders.sweep(tx, now, POLICIES))  # then killed
    await sweep(store, now)
    assert await sent(store, place, at("2026-03-24")) == {"王": "乙-9 甲7", "一": "乙-9", "村": "村 1+0", "镇": "村 1+0"}


async def test_a_sweep_that_breaks_leaves_nothing_behind(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError
    with monkeypatch.context() as patched:
        patched.setattr(reminding, "move", broken)
        with pytest.raises(ZeroDivisionError):
            await sweep(store, at("2026-03-10", "00:01"))
    assert await store.read(lambda tx: tx.all(select(tables.outbox.c.id))) == []
    assert await day(store, place, "2026-03-10") == {"王": "乙5"}


async def test_who_was_seen_meanwhile_is_taken_out_of_what_is_not_yet_sent(store: Store, place: Place) -> None:
    await sweep(store, at("2026-03-24", "00:01"))
    await visit(store, place, "甲", "2026-03-24")
    assert await sent(store, place, at("2026-03-24", "10:30")) == {
        "王": "乙-9", "一": "乙-9", "村": "村 1+0", "镇": "村 1+0"}
    await sweep(store, at("2026-03-25", "00:01"))
    await visit(store, place, "乙", "2026-03-25")
    assert await sent(store, place, at("2026-03-25", "10:30")) == {}


async def test_a_digest_that_could_not_be_sent_on_its_day_is_not_sent_the_next(store: Store, place: Place) -> None:
    await sweep(store, at("2026-03-10", "00:01"))
    assert await sent(store, place, at("2026-03-11", "09:00")) == {}


@pytest.mark.parametrize("why", ["unwilling", "paused", "closed"])
async def test_nobody_is_reminded_of_who_is_not_waited_for(store: Store, place: Place, why: str) -> None:
    def work(tx: Tx) -> None:
        scope, elder = Scope(place.people["镇"], date(2026, 3, 5)), place.elders["乙"]
        if why == "unwilling":
            casework.keep_wish(tx, elder, Wish("unwilling", "duty", "2026-03-05", scope.person_id), POLICIES, at("2026-03-05"))
        else:
            reason = "hospital" if why == "paused" else "died"
            casework.stand(tx, scope, elder, why, reason, "2026-03-05", POLICIES, at("2026-03-05"))  # type: ignore[arg-type]
    await store.run(work)
    for on in ("2026-03-10", "2026-03-15", "2026-03-16", "2026-03-20"):
        assert await day(store, place, on) == {}


async def test_a_suspended_visitor_gets_nothing_and_the_coordinator_hears_that_nobody_goes(
    store: Store, place: Place
) -> None:
    await store.run(lambda tx: people.suspend(tx, place.people["王"], "x", OPENED))
    assert await day(store, place, "2026-03-10") == {"村": "村 0+1"}


async def test_while_a_visitor_is_on_leave_who_stands_in_is_reminded_and_then_he_again(
    store: Store, place: Place
) -> None:
    def work(tx: Tx) -> None:
        leaves.add(tx, place.people["王"], "2026-03-09", "2026-03-10", place.people["钱"], place.people["村"], OPENED)
        assignments.lend(tx, place.people["钱"], place.elders["乙"], "2026-03-09", "2026-03-10", "2026-03-08")
    await store.run(work)
    assert await walk(store, place, "2026-03-08", "2026-03-11", {}) == (
        "03-08  王: 乙7\n03-09  钱: 乙6\n03-10  钱: 乙5\n03-11  王: 乙4")


async def test_without_a_stand_in_the_coordinator_hears_of_his_elders_and_not_once_the_leave_is_withdrawn(
    store: Store, place: Place
) -> None:
    leave = await store.run(lambda tx: leaves.add(
        tx, place.people["王"], "2026-03-09", "2026-03-20", None, place.people["村"], OPENED))
    assert await walk(store, place, "2026-03-08", "2026-03-09", {}) == "03-08  王: 乙7\n03-09  村: 村 0+1"
    await store.run(lambda tx: leaves.withdraw(tx, leave))
    assert await day(store, place, "2026-03-10") == {"王": "乙5"}


async def test_a_leave_that_begins_after_the_sweep_holds_back_the_digest(store: Store, place: Place) -> None:
    await sweep(store, at("2026-03-10", "00:01"))
    await store.run(lambda tx: leaves.add(tx, place.people["王"], "2026-03-10", "2026-03-10", None, place.people["村"], OPENED))
    assert await sent(store, place, at("2026-03-10")) == {}


async def test_who_put_an_elder_off_is_not_reminded_of_him_until_then_but_others_are(
    store: Store, place: Place
) -> None:
    await store.run(lambda tx: postponements.add(
        tx, place.elders["乙"], place.people["王"], date(2026, 3, 15), "weather", at("2026-03-12")))
    assert await walk(store, place, "2026-03-12", "2026-03-15", {}) == (
        "03-12\n03-13  一: 乙2\n03-14  一: 乙1\n03-15  一: 乙0  王: 乙0")
    assert await written(store, "王") == 1  # no message is made only to be thrown away


async def test_who_wants_only_urgent_things_hears_of_the_last_days_and_of_what_is_overdue(
    store: Store, place: Place
) -> None:
    await store.run(lambda tx: people.choose(tx, place.people["王"], "how_much", "urgent", OPENED))
    assert await walk(store, place, "2026-03-11", "2026-03-16", {}) == (
        "03-11\n03-12\n03-13  一: 乙2  王: 乙2\n03-14  一: 乙1  王: 乙1\n03-15  一: 乙0  王: 乙0\n"
        "03-16  一: 乙-1  村: 村 1+0  王: 乙-1")
    assert await written(store, "王") == 4
    assert (await day(store, place, "2026-03-24"))["王"] == "乙-9"  # and not of 甲, who has a week left


async def test_a_digest_comes_at_the_hour_that_its_reader_chose(store: Store, place: Place) -> None:
    await store.run(lambda tx: people.choose(tx, place.people["王"], "digest_at", "18:15", OPENED))
    await sweep(store, at("2026-03-10", "00:01"))
    assert await sent(store, place, at("2026-03-10", "18:14")) == {}
    assert await sent(store, place, at("2026-03-10", "18:15")) == {"王": "乙5"}


async def test_where_a_village_has_no_coordinator_the_township_hears_of_what_is_overdue_at_once(
    store: Store, place: Place
) -> None:
    await store.run(lambda tx: people.suspend(tx, place.people["村"], "x", OPENED))
    assert await day(store, place, "2026-03-16") == {"王": "乙-1", "一": "乙-1", "镇": "村 1+0"}


async def test_the_channel_that_a_person_prefers_is_the_one_he_is_written_to(store: Store, place: Place) -> None:
    def work(tx: Tx) -> None:
        for channel in ("liked", "newer"):
            accounts.bind(tx, channel, channel, channel, place.people["王"], at("2026-03-02"))
        people.prefer(tx, place.people["王"], "liked", OPENED)
    await store.run(work)
    await sweep(store, at("2026-03-10", "00:01"))
    assert await store.read(lambda tx: tx.all(select(tables.outbox.c.chat))) == [("liked",)]
    await store.run(lambda tx: accounts.blocked(tx, "liked", "liked", OPENED))
    await sweep(store, at("2026-03-11", "00:01"))
    assert await store.read(lambda tx: tx.all(
        select(tables.outbox.c.chat).order_by(tables.outbox.c.id))) == [("liked",), ("newer",)]


class Counting(Tx):
    """Counts statements."""

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx._cursor, tx._statements, tx.keys, tx.new_id, tx.random_bytes)
        self.count = 0

    def run(self, statement: ClauseElement, **values: Any) -> int:
        self.count += 1
        return super().run(statement, **values)

    def many(self, statement: ClauseElement, rows: Any) -> None:
        self.count += 1
        super().many(statement, rows)


async def test_a_chunk_takes_the_same_few_statements_however_many_elders_are_in_it(store: Store, place: Place) -> None:
    def work(tx: Tx) -> tuple[int, int]:
        village = areas.find(tx, place.village)
        assert village is not None
        for n in range(200):
            elder = casework.register(tx, new_elder(village, f"丙{n}"), POLICIES, OPENED)
            visitor = people.add(tx, village.id, f"访{n}", ("visitor",), OPENED).id
            accounts.bind(tx, "test", f"a{n}", f"a{n}", visitor, OPENED)
            assignments.entrust(tx, visitor, elder, "visitor", SINCE)
        tx.run(update(tables.elders).values(remind_on="2026-03-20"))
        counting = Counting(tx)
        assert not reminders.sweep(counting, at("2026-04-01", "00:01"), POLICIES)
        return counting.count, len(tx.all(select(tables.outbox.c.id)))
    statements, rows = await store.run(work)
    assert rows == 204
    assert statements <= 6


async def test_no_digest_names_anybody(store: Store, place: Place) -> None:
    await sweep(store, at("2026-03-30", "00:01"))
    rows = await store.run(lambda tx: outbox.take(tx, at("2026-03-30")))
    assert {key for row in rows for key in row.fields} == {
        "person", "day", "visitor", "first_contact", "village", "township"}
    assert all(isinstance(notices.KINDS[row.kind].model_validate(row.fields), Digest) for row in rows)
    assert await store.read(lambda tx: tx.all(text("SELECT 1 FROM outbox WHERE unique_key NOT LIKE 'digest:%'"))) == []
    assert await store.read(lambda tx: [elders.unscoped(tx, each) is not None for each in place.elders.values()])


async def test_the_day_that_a_visitor_named_last_brings_him_word_of_it_long_before_the_window_ends(
    store: Store, place: Place
) -> None:
    await visit(store, place, "乙", "2026-03-02")

    async def cannot(on: str, until: str) -> None:
        def work(tx: Tx) -> None:
            postponements.add(tx, place.elders["甲"], place.people["王"], date.fromisoformat(until), "busy", at(on))
            reminding.sooner(tx, place.elders["甲"], until)
        await store.run(work)

    async def looked_at_again() -> None:
        await store.run(lambda tx: casework.keep_wish(tx, place.elders["甲"], Wish(
            "willing", "duty", "2026-03-06", place.people["王"]), POLICIES, at("2026-03-06")))

    assert await walk(store, place, "2026-03-04", "2026-03-12", {
        "2026-03-04": lambda: cannot("2026-03-04", "2026-03-11"), "2026-03-05": lambda: cannot("2026-03-05", "2026-03-09"),
        "2026-03-06": looked_at_again}) == (
        "03-04\n03-05\n03-06\n03-07\n03-08\n03-09  王: 甲22\n03-10\n03-11\n03-12")


async def test_who_is_long_overdue_is_spoken_of_weekly_and_on_the_day_that_his_visitor_named(
    store: Store, place: Place
) -> None:
    await visit(store, place, "甲", "2026-03-20")
    told = {"王": "乙-10", "一": "乙-10", "村": "村 1+0", "镇": "村 1+0"}
    assert await day(store, place, "2026-03-25") == told
    assert await day(store, place, "2026-03-26") == {}
    await store.run(lambda tx: reminding.sooner(tx, place.elders["乙"], "2026-03-27"))
    await store.run(lambda tx: reminding.sooner(tx, place.elders["乙"], "2026-03-30"))
    assert (await day(store, place, "2026-03-27"))["王"] == "乙-12"
