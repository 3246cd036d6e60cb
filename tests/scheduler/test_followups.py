"""回访: asked on the policy's days after the end, each of them once, until all is answered."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from scheduler import alerting, followups, policy
from storage import alerts, outbox
from storage.database import Store, Tx
from storage.ids import millis
from storage.scope import Scope
from tests.scheduler.test_alerting import Village, only, raised, settle

POLICIES = policy.load()
ZONE = POLICIES.city.zone
END = datetime(2026, 3, 2, 22, 30, tzinfo=ZONE)


@pytest.fixture
async def closed(store: Store, now: datetime) -> Village:
    village = await store.run(lambda tx: settle(tx, now))
    await raised(store, village, END)
    alert = await only(store)
    assert await store.run(lambda tx: alerts.claim(tx, alert, village.people["grid"], END))
    outcome = {"found": "没事", "done": "看了", "told": "nobody", "risk": "left"}
    assert await store.run(lambda tx: alerting.end(tx, alert, village.people["grid"], outcome, POLICIES, END))
    return village


def asked(tx: Tx, at: datetime) -> list[str]:
    found = []
    while got := outbox.take(tx, at):
        found += [row.fields["person"] for row in got if row.kind == "follow_up"]
        outbox.sent(tx, [(row.id, "x") for row in got], at)
    return found


async def sweep(store: Store, village: Village, at: datetime) -> list[str]:
    assert not await store.run(lambda tx: followups.sweep(tx, at, POLICIES))
    return village.names(await store.run(lambda tx: asked(tx, at)))


async def answer(store: Store, village: Village, **given: str) -> alerts.Alert | None:
    alert, scope = await only(store), Scope(village.people["township"], END.date())
    return await store.run(lambda tx: alerts.answer_after(tx, scope, alert.id, given, scope.person_id, END))


async def test_the_township_is_asked_on_each_day_of_the_policy_and_goes_on_being_asked(
    store: Store, closed: Village
) -> None:
    days = []
    for day in range(100):
        at = datetime.combine(END.date() + timedelta(days=day), datetime.min.time(), ZONE)
        for hour in (0, 8, 9, 9, 21):  # twice at nine: asked once
            if told := await sweep(store, closed, at + timedelta(hours=hour)):
                assert told == ["township"] and hour == 9
                days.append(day)
    assert days == [1, 7, 30, 60, 90]


async def test_after_a_long_standstill_it_is_asked_once(store: Store, closed: Village) -> None:
    at = END + timedelta(days=20)
    assert await sweep(store, closed, at) == ["township"]
    assert await sweep(store, closed, at) == []
    kept = await store.read(lambda tx: alerts.to_ask_after(tx, END + timedelta(days=31), 9))
    assert len(kept) == 1


async def test_what_is_not_done_is_asked_again_and_what_all_is_done_is_not(store: Store, closed: Village) -> None:
    assert await answer(store, closed, risk_gone=alerts.NOT_YET, relieved="none", referred="yes")
    assert await sweep(store, closed, END + timedelta(days=1)) == ["township"]
    assert await answer(store, closed, risk_gone="yes")
    assert await answer(store, closed, risk_gone="not_yet") is None
    assert await sweep(store, closed, END + timedelta(days=40)) == []
    kept = await only(store)
    assert kept.outcome["risk_gone"] == "yes" and kept.outcome["risk"] == "left"  # how it ended stays as it was said


async def test_answers_given_at_the_same_moment_are_all_kept(store: Store, closed: Village) -> None:
    await asyncio.gather(*(answer(store, closed, **{name: "yes"}) for name in alerts.ASKED))
    kept = await only(store)
    assert {name: kept.outcome[name] for name in alerts.ASKED} == dict.fromkeys(alerts.ASKED, "yes")
    assert not kept.asked_after and await sweep(store, closed, END + timedelta(days=8)) == []


async def test_a_closed_alert_does_not_climb_and_a_false_one_is_not_asked_after(
    store: Store, closed: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "CHUNK", 1)
    assert not await store.run(lambda tx: alerting.climb(tx, END + timedelta(days=9), POLICIES))
    await raised(store, closed, END + timedelta(hours=1))

    def call_off(tx: Tx) -> None:
        alert = alerts.running_of(tx, closed.ground.elder)
        assert alert and alerting.end(tx, alert, closed.people["village"], {"reason": "没事"}, POLICIES, END)
    await store.run(call_off)
    far = END + timedelta(days=400)
    assert [each.state for each in await store.read(lambda tx: alerts.to_ask_after(tx, far, 9))] == ["closed"]


@pytest.mark.parametrize(("after", "first"), [
    ("2026-03-02 22:30", date(2026, 3, 3)), ("2026-03-03 09:00", date(2026, 3, 9)), ("2026-03-08 23:59", date(2026, 3, 9)),
    ("2026-03-09 09:00", date(2026, 4, 1)), ("2026-04-01 09:00", date(2026, 5, 1))])
def test_the_next_day_is_counted_from_the_end(after: str, first: date) -> None:
    at = datetime.strptime(after, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    found = POLICIES.city.alerts.ask_after(END, at, ZONE)
    assert found.date() == first and millis(found) > millis(at)
