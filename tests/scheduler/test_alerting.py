"""Who is told of an alert and when: everybody near at once, the township when nobody goes, each of them once."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from scheduler import alerting, handing, notices, policy
from scheduler.alert_notices import AlertRaised
from scheduler.policy import Policies
from storage import accounts, alerts, areas, assignments, outbox, people
from storage import tables as kept
from storage.database import Store, Tx
from storage.scope import Scope
from tests.storage.ground import DAY, Ground, lay

POLICIES = policy.load()


@dataclass(frozen=True)
class Village:
    """People around one elder, all with an account but those of `lay`: by what they are."""

    ground: Ground
    people: dict[str, str]

    def names(self, told: list[str]) -> list[str]:
        by_id = {person: name for name, person in self.people.items()}
        return sorted(by_id[person] for person in told)


def settle(tx: Tx, now: datetime) -> Village:
    ground = lay(now)(tx)
    made = {"visitor": ground.visitor, "township": ground.coordinator}
    for name, role, kind, minor in (
        ("grid", "visitor", "grid_worker", None), ("courier", "visitor", "courier", None),
        ("young", "visitor", "grid_worker", "2027-01-01"), ("first", "first_contact", None, None),
        ("child", "family", None, None), ("village", "village", None, None)):
        made[name] = people.add(tx, ground.village.id, name, (role,), now, kind, minor_until=minor).id
        if role != "village":
            assignments.entrust(tx, made[name], ground.elder, role, "2026-01-01")
    for n, person in enumerate(made.values()):
        accounts.bind(tx, "test", f"{n}", f"{n}", person, now)
    return Village(ground, made)


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: settle(tx, now))


async def raised(store: Store, village: Village, at: datetime, by: str | None = None, policies: Policies = POLICIES,
                 ) -> int:
    return await store.run(lambda tx: alerting.raise_alert(
        tx, village.ground.elder, "help", "person", by, policies, at, "摔了一跤"))


async def sent(store: Store, at: datetime) -> list[tuple[str, dict[str, Any]]]:
    """Kind and fields of what is to leave now, taken out of the outbox."""
    def take(tx: Tx) -> list[tuple[str, dict[str, Any]]]:
        rows = []
        while got := outbox.take(tx, at):  # of each chat the oldest
            assert {row.lane for row in got} == {"alert"}
            for row in got:
                outbox.sent(tx, [(row.id, "x")], at)
            rows += [(row.kind, row.fields) for row in got]
        return rows
    return await store.run(take)


async def only(store: Store) -> alerts.Alert:
    found = await store.read(lambda tx: [alerts.unscoped(tx, each) for each, in tx.all(select(kept.alerts.c.id))])
    assert len(found) == 1 and found[0]
    return found[0]


async def climbed(store: Store, at: datetime, policies: Policies = POLICIES) -> None:
    assert not await store.run(lambda tx: alerting.climb(tx, at, policies))


async def test_everybody_near_is_told_at_once_and_only_who_may_go_is_asked_to(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    told = await sent(store, now)
    going = [fields["person"] for _, fields in told if fields["goes"]]
    assert village.names(going) == ["first", "grid", "village", "visitor"]
    assert village.names([fields["person"] for _, fields in told if not fields["goes"]]) == ["child"]
    alert = await only(store)

    def may(tx: Tx) -> list[str]:
        return village.names([person for person in village.people.values()
                              if alerting.may_go(tx, person, alert, POLICIES, DAY)])
    assert await store.read(may) == ["first", "grid", "township", "village", "visitor"]


async def test_the_family_is_given_the_number_that_its_village_set_and_nobody_else_is(
    store: Store, village: Village, now: datetime
) -> None:
    city = POLICIES.city.model_copy(update={"alerts": POLICIES.city.alerts.model_copy(update={"phone": "0830-6123456"})})
    await raised(store, village, now, policies=Policies(city))
    told = await sent(store, now)
    assert {fields["call"] for _, fields in told if fields["goes"]} == {""}
    assert [fields["call"] for _, fields in told if not fields["goes"]] == ["0830-6123456"]


async def test_who_raises_it_is_not_told_what_he_said_himself_but_how_it_goes_on(
    store: Store, village: Village, now: datetime
) -> None:
    child, grid = village.people["child"], village.people["grid"]
    await raised(store, village, now, child)
    assert child not in [fields["person"] for _, fields in await sent(store, now)]
    alert = await only(store)
    assert await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, now))
    told = await sent(store, now)
    assert {fields["step"] for _, fields in told} == {"claimed"}
    assert village.names([fields["person"] for _, fields in told]) == ["child", "first", "village", "visitor"]


async def test_two_reports_at_the_same_moment_are_one_alert(store: Store, village: Village, now: datetime) -> None:
    numbers = await asyncio.gather(*(raised(store, village, now, village.people[who]) for who in (
        "child", "first", "grid", "visitor")))
    assert set(numbers) == {1}
    assert (await only(store)).words == "\n".join(["摔了一跤"] * 4)


async def test_a_report_joins_what_runs_within_the_policy_s_minutes_and_never_what_ended(
    store: Store, village: Village, now: datetime
) -> None:
    assert await raised(store, village, now) == 1
    await sent(store, now)
    assert await raised(store, village, now + timedelta(minutes=30), village.people["child"]) == 1
    again = await sent(store, now + timedelta(minutes=30))
    assert {fields["step"] for _, fields in again} == {"again"}
    assert village.names([fields["person"] for _, fields in again]) == ["first", "grid", "village", "visitor"]
    assert await raised(store, village, now + timedelta(minutes=31)) == 2

    def call_off(tx: Tx) -> None:
        alert = alerts.running_of(tx, village.ground.elder)
        assert alert and alert.number == 2
        alerting.end(tx, alert, village.people["village"], {"reason": "x"}, POLICIES, now)
    await store.run(call_off)
    assert await raised(store, village, now + timedelta(minutes=32)) == 3


async def test_the_township_and_the_family_are_told_once_when_nobody_went_in_time(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    await sent(store, now)
    await climbed(store, now + timedelta(minutes=2, seconds=59))
    assert await sent(store, now + timedelta(minutes=3)) == []
    for minutes in (3, 3, 4, 2, 29):  # twice, and a clock that jumps forward and back
        await climbed(store, now + timedelta(minutes=minutes))
    told = await sent(store, now + timedelta(minutes=500))
    assert {(kind, fields["late"]) for kind, fields in told} == {("alert_raised", True)}
    assert village.names([fields["person"] for _, fields in told]) == [
        "child", "first", "grid", "township", "village", "visitor"]
    assert village.names([fields["person"] for _, fields in told if not fields["goes"]]) == ["child"]


async def test_the_township_is_not_told_of_what_somebody_took_over(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    alert = await only(store)
    await store.run(lambda tx: alerting.claim(tx, alert, village.people["grid"], POLICIES, now))
    await climbed(store, now + timedelta(minutes=9))
    assert "township" not in village.names([fields["person"] for _, fields in await sent(store, now)])


async def test_a_county_gives_its_own_minutes(store: Store, now: datetime) -> None:
    def county(tx: Tx) -> Village:
        village = settle(tx, now)
        top = areas.add(tx, None, "county", "江阳区", now)
        tx.run(kept.areas.update().where(kept.areas.c.id == village.ground.township.id).values(
            parent_id=top.id, path=top.path + village.ground.township.path))
        for area in (village.ground.village, village.ground.other_village):
            tx.run(kept.areas.update().where(kept.areas.c.id == area.id).values(path=top.path + area.path))
        return village

    village = await store.run(county)
    slow = Policies(POLICIES.city, own={("江阳区",): {"ladders": {"help": {
        name: [{"after": 10, "tell": ["township"]}] for name in ("day", "night", "not_there")}}}})
    await raised(store, village, now, policies=slow)
    await sent(store, now)
    await climbed(store, now + timedelta(minutes=9), slow)
    assert await sent(store, now + timedelta(minutes=9)) == []
    await climbed(store, now + timedelta(minutes=10), slow)
    assert len(await sent(store, now + timedelta(minutes=10))) == 1


async def test_where_nobody_near_is_reached_those_above_are_told_at_once(store: Store, now: datetime) -> None:
    def alone(tx: Tx) -> tuple[Ground, str]:
        ground = lay(now)(tx)
        operator = people.add(tx, ground.township.id, "运维", ("operator",), now).id
        accounts.bind(tx, "test", "1", "1", operator, now)
        return ground, operator

    ground, operator = await store.run(alone)
    await raised(store, Village(ground, {}), now)
    told = await sent(store, now)
    assert [(fields["person"], fields["goes"], fields["late"]) for _, fields in told] == [(operator, False, True)]


async def test_whoever_was_told_is_told_the_end_and_nobody_else(store: Store, village: Village, now: datetime) -> None:
    await raised(store, village, now)
    first = {fields["person"] for _, fields in await sent(store, now)}
    alert, grid = await only(store), village.people["grid"]
    newcomer = await store.run(lambda tx: people.add(tx, village.ground.village.id, "new", ("family",), now))

    def end(tx: Tx) -> bool:
        accounts.bind(tx, "test", "new", "new", newcomer.id, now)
        assignments.entrust(tx, newcomer.id, village.ground.elder, "family", "2026-01-01")
        assert alerting.claim(tx, alert, grid, POLICIES, now)
        assert not alerting.claim(tx, alert, village.people["village"], POLICIES, now)
        return alerting.end(tx, alert, grid, {"found": "没事", "done": "看了", "told": "family", "risk": "none"},
                            POLICIES, now)
    assert await store.run(end)
    ended = [fields["person"] for kind, fields in await sent(store, now) if kind == "alert_ended"]
    assert set(ended) == first - {grid} and len(ended) == len(set(ended))


async def test_an_alert_that_ended_is_not_told_as_running_any_more(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    waiting = [fields for _, fields in await sent(store, now)]

    def wanted(tx: Tx) -> set[bool]:
        return {AlertRaised.model_validate(fields).still_wanted(tx, DAY) for fields in waiting}

    assert await store.read(wanted) == {True}
    alert = await only(store)
    await store.run(lambda tx: alerting.end(
        tx, alert, village.people["village"], {"reason": "x"}, POLICIES, now))
    assert await store.read(wanted) == {False}
    for kind, fields in await sent(store, now):
        notice = notices.KINDS[kind].model_validate(fields)
        assert await store.read(lambda tx, notice=notice: notice.still_wanted(tx, DAY))


async def test_a_notice_of_an_alert_is_nothing_to_who_does_not_see_the_elder_any_more(
    store: Store, village: Village, now: datetime
) -> None:
    await raised(store, village, now)
    alert, grid = await only(store), village.people["grid"]
    await store.run(lambda tx: assignments.end(tx, grid, village.ground.elder, DAY))
    notice = AlertRaised(person=grid, alert=alert.id, at="2026-03-02T09:30", goes=True)
    assert not await store.read(lambda tx: notice.still_wanted(tx, DAY))
    assert await store.read(lambda tx: alerts.find(tx, Scope(grid, DAY), alert.id)) is None


async def test_a_killed_unit_of_work_leaves_neither_an_alert_nor_a_notice(
    store: Store, village: Village, now: datetime
) -> None:
    def killed(tx: Tx) -> None:
        alerting.raise_alert(tx, village.ground.elder, "help", "person", None, POLICIES, now)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.run(killed)
    count = select(func.count()).select_from(kept.alerts)
    assert await store.read(lambda tx: tx.one(count)) == (0,)
    assert await sent(store, now) == []
    assert await raised(store, village, now) == 1


async def test_given_back_at_night_nobody_is_asked_twice_in_one_moment(
    store: Store, village: Village, now: datetime
) -> None:
    night = now.replace(hour=15)  # 23:00 in Luzhou: the first rung asks the township at once
    await raised(store, village, night)
    await sent(store, night)
    alert = await only(store)
    grid = village.people["grid"]
    assert await store.run(lambda tx: alerting.claim(tx, alert, grid, POLICIES, night))
    await sent(store, night)
    taken = await only(store)
    assert await store.run(lambda tx: handing.give_back(tx, taken, grid, POLICIES, night))
    told = [fields["person"] for _, fields in await sent(store, night)]
    assert village.names(told) == ["child", "first", "township", "village", "visitor"]
