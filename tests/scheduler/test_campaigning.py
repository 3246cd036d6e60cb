"""Campaigns by the clock, on both databases: proposed, begun, told and ended, stepped day by day; and what they meet."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from scheduler import campaigning, casework, holding, notices, policy
from scheduler.campaigning import CampaignWork
from scheduler.policy import Policies
from storage import (
    accounts,
    areas,
    assignments,
    campaign_progress,
    campaigns,
    elders,
    outbox,
    people,
    tables,
    visits,
)
from storage.areas import Area
from storage.campaigns import Campaign, NewCampaign
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import DAY, STANDING, Ground, entry, lay, new_elder

POLICIES = policy.load()
ANY, HOME = ("home", "phone", "video", "other"), ("home",)
SWEEPS = (campaigning.propose, campaigning.begin, campaigning.end, campaigning.tell)


def at(day: str | date, hour: int = 8, minute: int = 0) -> datetime:
    """A time on the wall in Luzhou."""
    return datetime.fromisoformat(f"{day}T{hour:02}:{minute:02}:00+08:00").astimezone(UTC)


def reachable(tx: Tx, person: str, now: datetime) -> None:
    accounts.bind(tx, "test", person, person, person, now)


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    """Everybody can be written to; the chat is called like the person."""
    def work(tx: Tx) -> Ground:
        ground = lay(now)(tx)
        for person in (ground.visitor, ground.other_visitor, ground.coordinator):
            reachable(tx, person, now)
        return ground
    return await store.run(work)


async def swept(store: Store, now: datetime, policies: Policies = POLICIES) -> None:
    """The clock's minute, twice."""
    for sweep in SWEEPS * 2:
        while await store.run(lambda tx, sweep=sweep: sweep(tx, now, policies)):
            pass


async def waiting(store: Store, *, proposed: bool = False) -> list[tuple[str, str, str, datetime, dict[str, Any]]]:
    """What is in the outbox, in the order of its making, without festivals `proposed`: who, kind, lane, from when,
    fields."""
    out = tables.outbox.c

    def query(tx: Tx) -> list[Any]:
        rows = tx.all(select(out.chat, out.kind, out.lane, out.not_before, out.fields, out.id).order_by(out.id))
        return [(who, kind, lane, datetime.fromtimestamp(since / 1000, UTC),
                 orjson.loads(tx.keys.open(fields, "outbox.fields", row))) for who, kind, lane, since, fields, row in rows
                if proposed or kind != "festival_proposed"]
    return await store.read(query)


async def leaves_at(store: Store, now: datetime) -> list[str]:
    """To whom a message leaves now that is still wanted then."""
    today = now.astimezone(POLICIES.city.zone).date()

    def work(tx: Tx) -> list[str]:
        rows = holding.take(tx, now, POLICIES.city)
        outbox.sent(tx, [(row.id, "1") for row in rows], now)
        return [row.chat if row.kind != "festival_proposed" and notices.KINDS[row.kind].model_validate(
            row.fields).still_wanted(tx, today) else "" for row in rows]
    gone: list[str] = []
    while found := await store.run(work):
        gone += found
    return sorted(filter(None, gone))


async def opened(store: Store, ground: Ground, now: datetime, policies: Policies = POLICIES, **given: Any) -> Campaign:
    new = NewCampaign(**{"kind": "weather", "name": "cold", "area_id": ground.township.id, "first_on": "2026-03-02",
                         "last_on": "2026-03-05", "advice": "cold", "met_by": ANY, "within_hours": 24} | given)

    def work(tx: Tx) -> Campaign:
        made = campaigning.launch(tx, new, ground.coordinator, policies, now)
        assert made is not None
        found = campaigns.unscoped(tx, made)
        assert found is not None
        return found
    return await store.run(work)


YEAR = """
2026-12-01 opened    flood
2026-12-01 two visitors are told
2026-12-02 two visitors are told
2026-12-03 closing   flood
2027-01-20 proposed  spring 2027-01-30..2027-02-13
2027-01-30 two visitors are told
2027-01-31 two visitors are told
2027-02-01 two visitors are told
2027-02-02 one visitor is told
2027-02-08 proposed  lantern 2027-02-18..2027-02-21
2027-02-14 closing   spring
2027-02-18 proposed  lantern 2027-02-18..2027-02-21
2027-03-23 proposed  qingming 2027-04-02..2027-04-06
2027-04-02 two visitors are told
2027-04-03 two visitors are told
2027-04-04 two visitors are told
2027-04-05 two visitors are told
2027-04-06 two visitors are told
2027-04-07 closing   qingming
2027-05-27 proposed  dragon_boat 2027-06-06..2027-06-10
2027-06-06 proposed  dragon_boat 2027-06-06..2027-06-10
2027-09-02 proposed  mid_autumn 2027-09-12..2027-09-16
2027-09-12 two visitors are told
2027-09-13 two visitors are told
2027-09-14 two visitors are told
2027-09-15 two visitors are told
2027-09-16 two visitors are told
2027-09-17 closing   mid_autumn
2027-09-25 proposed  double_ninth 2027-10-05..2027-10-09
2027-10-05 proposed  double_ninth 2027-10-05..2027-10-09
"""


async def test_a_year_goes_by_in_which_every_other_festival_is_confirmed(store: Store, ground: Ground) -> None:
    """The coordinator says yes to 春节, 清明 and 中秋, nothing to the others, of which he is asked
    once more on their first day; on 1 and 2 February both elders are seen."""
    table: list[str] = []
    seen = 0
    day = date(2026, 12, 1)
    while day < date(2027, 11, 1):
        if day == date(2026, 12, 1):
            flood = await opened(store, ground, at(day), kind="other", name="flood", within_hours=None,
                                 first_on="2026-12-01", last_on="2026-12-02")
            table.append(f"{day} opened    {flood.name}")
        await swept(store, at(day))
        rows = await waiting(store, proposed=True)
        fresh, seen = rows[seen:], len(rows)
        told = sum(kind == "campaign_work" for _, kind, *_ in fresh)
        for who, kind, lane, since, fields in fresh:
            assert (lane, since) == ("reminder", at(day))
            if kind != "campaign_work":
                assert who == ground.coordinator
                found = await store.read(lambda tx, of=fields["campaign"]: campaigns.unscoped(tx, of))
                assert found is not None
                if kind == "campaign_ended":
                    table.append(f"{day} closing   {found.name}")
                else:
                    table.append(f"{day} proposed  {found.name} {found.first_on}..{found.last_on}")
                    if found.name in ("spring", "qingming", "mid_autumn"):
                        assert await store.run(lambda tx, of=found, day=day: campaigning.confirm(
                            tx, of, of.first_on, of.last_on, ground.coordinator, POLICIES, at(day)))
        table += [f"{day} {'two visitors are told' if told == 2 else 'one visitor is told'}"] if told else []
        for when, elder, visitor in ((date(2027, 2, 1), ground.elder, ground.visitor),
                                     (date(2027, 2, 2), ground.other_elder, ground.other_visitor)):
            if day == when:
                await store.run(lambda tx, day=day, elder=elder, visitor=visitor: visits.submit(
                    tx, entry(elder, str(day), on_day=str(day)), visitor, at(day, 10)))
        day += timedelta(days=1)
    assert "\n".join(table) == YEAR.strip()


async def test_a_matter_of_hours_is_told_within_the_minute_and_at_night_in_the_morning(
    store: Store, ground: Ground, now: datetime
) -> None:
    both = {ground.visitor, ground.other_visitor}
    await opened(store, ground, at("2026-03-02", 14))
    await swept(store, at("2026-03-02", 14))
    rows = await waiting(store)
    assert {(who, lane, since) for who, _, lane, since, _ in rows} == {
        (who, "reminder", at("2026-03-02", 14)) for who in both}
    assert await leaves_at(store, at("2026-03-02", 14)) == sorted(both)
    await opened(store, ground, at("2026-03-02", 16), name="storm")
    await swept(store, at("2026-03-02", 16))
    assert await leaves_at(store, at("2026-03-02", 16)) == sorted(both)  # beside what was told that day before
    await opened(store, ground, at("2026-03-02", 23), name="frost")
    for day, hour in (("2026-03-02", 23), ("2026-03-03", 0), ("2026-03-03", 7)):
        await swept(store, at(day, hour))
        assert await leaves_at(store, at(day, hour)) == []
    await swept(store, at("2026-03-03", 8))
    assert await leaves_at(store, at("2026-03-03", 8)) == sorted(both)  # once, not for last night and for today


async def test_who_was_told_of_weather_in_the_night_hears_of_all_campaigns_in_that_one_message(
    store: Store, ground: Ground, now: datetime
) -> None:
    await opened(store, ground, at("2026-03-01", 21), kind="other", name="check", within_hours=None, first_on="2026-03-01")
    await opened(store, ground, at("2026-03-02", 6), area_id=ground.village.id)
    for hour in (6, 8, 12):
        await swept(store, at("2026-03-02", hour))
    assert sorted((who, since) for who, _, _, since, _ in await waiting(store)) == sorted(
        [(ground.visitor, at("2026-03-02", 6)), (ground.other_visitor, at("2026-03-02", 8))])
    assert await leaves_at(store, at("2026-03-02", 8)) == sorted((ground.visitor, ground.other_visitor))


async def test_where_the_policy_says_so_weather_goes_out_at_night(
    store: Store, ground: Ground, now: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "p.toml"
    path.write_text("[campaigns]\nweather_at_once = true\n", encoding="utf-8")
    at_once = policy.load(path)
    await opened(store, ground, at("2026-03-02", 23), at_once)
    await swept(store, at("2026-03-02", 23), at_once)
    assert {(kind, lane, since) for _, kind, lane, since, _ in await waiting(store)} == {
        ("campaign_now", "alert", at("2026-03-02", 23))}


async def test_what_can_wait_is_told_in_the_morning_only(store: Store, ground: Ground, now: datetime) -> None:
    await opened(store, ground, at("2026-03-02", 21), kind="other", within_hours=None)
    for hour in (21, 23):
        await swept(store, at("2026-03-02", hour))
    await swept(store, at("2026-03-03", 7))
    assert await waiting(store) == []
    await swept(store, at("2026-03-03", 8))
    assert len(await waiting(store)) == 2


async def test_of_three_campaigns_at_once_each_hears_once_and_one_call_counts_in_all_where_calls_count(
    store: Store, ground: Ground, now: datetime
) -> None:
    made = [await opened(store, ground, at("2026-03-02", 9), kind=kind, name=kind, within_hours=None, met_by=ways)
            for kind, ways in (("epidemic", ANY), ("festival", HOME), ("other", ("home", "phone")))]
    await swept(store, at("2026-03-02", 9))
    assert sorted(who for who, *_ in await waiting(store)) == sorted((ground.visitor, ground.other_visitor))

    def work(tx: Tx) -> None:
        scope = Scope(ground.visitor, DAY)
        elder = elders.find(tx, scope, ground.elder)
        assert elder is not None
        notice = CampaignWork(person=ground.visitor, day=DAY.isoformat(), timezone="Asia/Shanghai")
        assert len(campaigning.section(tx, scope, DAY)) == 3
        assert [each.id for each in campaigning.called(tx, elder, "video", DAY, now)] == [made[0].id]
        assert [each.name for each in campaigning.open_over(tx, scope, elder)] == ["festival", "other"]
        campaigning.called(tx, elder, "phone", DAY, now)
        assert [(each.campaign.name, each.left) for each in campaigning.section(tx, scope, DAY)] == [("festival", 1)]
        assert notice.still_wanted(tx, DAY)
        visits.submit(tx, entry(ground.elder, "home"), ground.visitor, now)
        assert campaigning.section(tx, scope, DAY) == ()
        assert not notice.still_wanted(tx, DAY)
        assert len(campaigning.section(tx, Scope(ground.coordinator, DAY), DAY)) == 3  # next door nobody was seen
    await store.run(work)


async def test_people_are_told_in_chunks_each_once_also_who_stands_in_and_the_village_but_not_who_is_suspended(
    store: Store, ground: Ground, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigning, "VILLAGES", 1)

    def work(tx: Tx) -> set[str]:
        assignments.entrust(tx, ground.visitor, ground.other_elder, "visitor", "2026-01-01")  # he is in both villages
        more = [people.add(tx, ground.village.id, f"甲{n}", ("visitor",), now).id for n in range(5)]
        for person, role in zip(more, ("visitor", "stand_in", "visitor", "family", "cadre"), strict=True):
            assignments.entrust(tx, person, ground.elder, role, "2026-01-01")
        village = people.add(tx, ground.village.id, "周全", ("village",), now).id
        for person in (*more, village):
            reachable(tx, person, now)
        people.suspend(tx, more[2], "operator", now)
        return {ground.visitor, ground.other_visitor, more[0], more[1], village}
    wanted = await store.run(work)
    await opened(store, ground, at("2026-03-02", 9))
    assert await store.run(lambda tx: campaigning.tell(tx, at("2026-03-02", 9), POLICIES))
    assert len(await waiting(store)) == 4
    await swept(store, at("2026-03-02", 9))
    told = [who for who, *_ in await waiting(store)]
    assert (len(told), set(told)) == (len(wanted), wanted)


async def test_it_ends_by_itself_and_tells_who_opened_it_and_the_villages(
    store: Store, ground: Ground, now: datetime
) -> None:
    def work(tx: Tx) -> str:
        village = people.add(tx, ground.village.id, "周全", ("village",), now).id
        reachable(tx, village, now)
        campaigns.add(tx, NewCampaign("festival", "spring", ground.township.id, "2026-03-02", "2026-03-05", "festival",
                                      HOME, festival="spring"), None, now, "proposed")
        return village
    village = await store.run(work)
    cold = await opened(store, ground, at("2026-03-02", 9))
    await swept(store, at("2026-03-05", 23, 59))
    assert (await store.read(lambda tx: campaigns.unscoped(tx, cold.id))).state == "open"  # type: ignore[union-attr]
    await swept(store, at("2026-03-06", 0, 1))
    told = [(who, since) for who, kind, _, since, _ in await waiting(store) if kind == "campaign_ended"]
    assert sorted(told) == sorted((who, at("2026-03-06", 0, 1)) for who in (village, ground.coordinator))
    states = await store.read(lambda tx: dict(tx.all(select(tables.campaigns.c.name, tables.campaigns.c.state))))
    assert states == {"cold": "ended", "spring": "cancelled"}


async def test_days_on_which_the_clock_stood_still_begin_and_end_what_they_held(
    store: Store, ground: Ground, now: datetime
) -> None:
    later = await opened(store, ground, now, first_on="2026-03-04", last_on="2026-03-20", within_hours=None)
    missed = await opened(store, ground, now, first_on="2026-03-04", last_on="2026-03-05", name="missed")
    assert not later.runs
    await swept(store, at("2026-03-10"))
    states = dict(await store.read(lambda tx: tx.all(select(tables.campaigns.c.id, tables.campaigns.c.state))))
    assert states == {later.id: "open", missed.id: "cancelled"}
    assert len(await waiting(store)) == 2  # one morning's message, not seven


COUNTIES = """
[areas."江阳区".campaigns]
proposed_to = "township"
[areas."江阳区".festivals]
"火把节" = { lunar = "06-24" }
[areas."叙永县".festivals]
dragon_boat = { lunar = "05-05", off = true }
mid_autumn = { lunar = "08-15", days = { "2026" = ["2026-09-20", "2026-09-30"] } }
"""


async def test_each_county_is_asked_for_its_own_festivals_and_where_nobody_holds_it_its_townships(
    store: Store, now: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "p.toml"
    path.write_text(COUNTIES, encoding="utf-8")
    policies = policy.load(path)

    def work(tx: Tx) -> dict[str, str]:
        city = areas.add(tx, None, "city", "泸州市", now)
        names: dict[str, str] = {}

        def place(parent: Area, level: str, name: str, held: bool = True) -> Area:
            area = areas.add(tx, parent, level, name, now)
            if held:
                person = people.add(tx, area.id, f"{name}的人", (level,), now).id
                reachable(tx, person, now)
            names[area.id] = name
            return area

        by_township = place(city, "county", "江阳区")
        place(by_township, "township", "云溪镇")
        place(by_township, "township", "白沙镇")
        own_days = place(city, "county", "叙永县")
        place(own_days, "township", "落卜镇")
        unheld = place(city, "county", "古蔺县", held=False)
        place(unheld, "township", "二郎镇")
        place(unheld, "township", "丹桂镇", held=False)
        return names
    names = await store.run(work)
    found: list[tuple[str, str, str]] = []
    for day in ("2026-06-06", "2026-07-30", "2026-08-10", "2026-09-10", "2026-09-12"):
        await swept(store, at(day), policies)
    column = tables.campaigns.c
    rows = await store.read(lambda tx: tx.all(select(column.area_id, column.name, column.first_on)))
    found = sorted((names[area], name, first) for area, name, first in rows)
    assert found == sorted([
        ("云溪镇", "dragon_boat", "2026-06-16"), ("白沙镇", "dragon_boat", "2026-06-16"),
        ("二郎镇", "dragon_boat", "2026-06-16"),
        ("云溪镇", "火把节", "2026-08-03"), ("白沙镇", "火把节", "2026-08-03"),
        ("叙永县", "mid_autumn", "2026-09-20"), ("云溪镇", "mid_autumn", "2026-09-22"),
        ("白沙镇", "mid_autumn", "2026-09-22"), ("二郎镇", "mid_autumn", "2026-09-22")])


async def test_a_festival_that_was_declined_is_not_proposed_again(store: Store, ground: Ground, now: datetime) -> None:
    await swept(store, at("2026-03-25"))
    proposed = await store.read(lambda tx: tx.all(select(tables.campaigns.c.id)))
    assert len(proposed) == 1
    assert await store.run(lambda tx: campaigns.cancel(tx, proposed[0][0], ground.coordinator, now))
    for day in ("2026-03-26", "2026-04-02"):
        await swept(store, at(day))
    assert await store.read(lambda tx: tx.all(select(tables.campaigns.c.id))) == proposed


async def test_a_festival_that_was_held_on_other_days_is_not_proposed_again_when_it_is_over(
    store: Store, ground: Ground
) -> None:
    await swept(store, at("2027-01-25"))
    [(proposed,)] = await store.read(lambda tx: tx.all(select(tables.campaigns.c.id)))

    def confirm(tx: Tx) -> bool:
        found = campaigns.unscoped(tx, proposed)
        assert found is not None and (found.first_on, found.last_on) == ("2027-01-30", "2027-02-13")
        return campaigning.confirm(tx, found, "2027-02-01", "2027-02-07", ground.coordinator, POLICIES, at("2027-01-25"))
    assert await store.run(confirm)
    for day in ("2027-02-01", "2027-02-08", "2027-02-09"):
        await swept(store, at(day))
    names = await store.read(lambda tx: tx.all(select(tables.campaigns.c.name, tables.campaigns.c.state)))
    assert sorted(map(tuple, names)) == [("lantern", "proposed"), ("spring", "ended")]


@pytest.fixture
def visited(now: datetime) -> Callable[[Tx, Ground, str, str], tuple[str, str]]:
    """Keeps a visit; gives its id, and until when the elder's next one is due."""
    def keep(tx: Tx, ground: Ground, day: str, method: str) -> tuple[str, str]:
        kept = casework.submit(tx, Scope(ground.visitor, date.fromisoformat(day)), entry(
            ground.elder, day + method, on_day=day, method=method), POLICIES, at(day, 10))
        assert kept is not None
        return kept.visit_id, kept.elder.due_until
    return keep


async def test_a_call_meets_the_window_only_where_home_visits_were_declared_impossible(
    store: Store, ground: Ground, now: datetime, visited: Callable[[Tx, Ground, str, str], tuple[str, str]]
) -> None:
    await opened(store, ground, at("2026-03-05"), kind="epidemic", name="told", first_on="2026-03-05",
                 last_on="2026-03-31", within_hours=None)
    _, due = await store.run(lambda tx: visited(tx, ground, "2026-03-06", "phone"))
    assert due < "2026-03-16"
    await opened(store, ground, at("2026-03-10"), kind="epidemic", name="remote", first_on="2026-03-10",
                 last_on="2026-03-12", within_hours=None, remote=True, every_days=3)
    visit, due = await store.run(lambda tx: visited(tx, ground, "2026-03-11", "phone"))
    assert due == "2026-03-31"
    _, due = await store.run(lambda tx: visited(tx, ground, "2026-03-17", "phone"))  # it is over
    assert due == "2026-03-31"

    def void(tx: Tx) -> str:
        scope = Scope(ground.visitor, date(2026, 3, 17))
        found = visits.find(tx, scope, visit)
        assert found is not None
        elder = casework.void(tx, scope, found, "not he", POLICIES, at("2026-03-17", 11))
        assert elder is not None
        return elder.due_until
    assert await store.run(void) < "2026-03-16"


async def test_a_visit_corrected_to_another_elder_reaches_that_one(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        second = elders.add(tx, new_elder(ground.village, "曾国富"), STANDING, now)
        assignments.entrust(tx, ground.visitor, second, "visitor", "2026-01-01")
        made = campaigning.launch(tx, NewCampaign("festival", "spring", ground.village.id, "2026-03-02", "2026-03-05",
                                                  "festival", HOME), ground.coordinator, POLICIES, now)
        campaign = campaigns.unscoped(tx, made or "")
        assert campaign is not None
        scope = Scope(ground.visitor, DAY)
        kept = casework.submit(tx, scope, entry(ground.elder, "d"), POLICIES, now)
        assert kept is not None
        assert [each.id for each in campaign_progress.left(tx, scope, campaign, 9)] == [second]
        before = visits.find(tx, scope, kept.visit_id)
        assert before is not None
        casework.correct(tx, scope, before, entry(second, "e"), "wrong elder", POLICIES, now)
        assert [each.id for each in campaign_progress.left(tx, scope, campaign, 9)] == [ground.elder]
    await store.run(work)
