"""Whoever acts on what he read a moment ago changes nothing where it is so no more, or is not his to change."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from storage import (
    accounts,
    alert_told,
    alert_turns,
    alerts,
    check_ins,
    device_events,
    device_vendors,
    devices,
    groups,
    jobs,
    outbox,
    people,
    proposals,
    requests,
)
from storage.alerts import Alert
from storage.database import Store, Tx
from storage.outbox import Outgoing
from storage.scope import SOS, UNSAID, Scope
from tests.storage.ground import DAY, Ground, lay

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ground(store: Store, now: datetime) -> Ground:
    return await store.run(lay(now))


def opened(tx: Tx, ground: Ground, now: datetime, kind: str = "help") -> Alert:
    return alerts.add(tx, ground.elder, ground.village.id, kind, "person", ground.visitor, "", now, now)


async def test_an_alert_goes_out_once_and_says_once_what_it_is(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        alert = opened(tx, ground, now, UNSAID)
        assert not alerts.turn(tx, alert, "fire", ground.visitor, now), "nobody was told of it yet"
        assert alerts.lock_pressed(tx, alert.id) == alert
        alerts.go_out(tx, alert, SOS, now)
        assert alerts.lock_pressed(tx, alert.id) is None, "that is done"
        assert alerts.turn(tx, alert, "fall", ground.visitor, now)
        assert not alerts.turn(tx, alert, "fire", ground.visitor, now)
        assert alerts.lock(tx, alert.id).kind == "fall"
    await store.run(work)


async def test_only_who_goes_now_asks_for_more_and_only_who_was_asked_answers(
        store: Store, ground: Ground, now: datetime) -> None:
    first, second, third = ground.visitor, ground.coordinator, ground.other_visitor

    def work(tx: Tx) -> None:
        alert = opened(tx, ground, now)
        assert alerts.claim(tx, alert, first, now)
        his = alerts.lock(tx, alert.id)
        assert alert_turns.offer(tx, his, first, second, now)
        assert not alert_turns.unoffer(tx, his, third, now)
        assert not alert_turns.take_over(tx, his, third, now)
        assert alert_turns.take_over(tx, his, second, now)
        assert not alert_turns.support(tx, his, first, now, now), "another goes in his place"
        assert not alert_turns.offer(tx, his, first, third, now)
        assert not alert_turns.give_back(tx, his, first, now), "as he read it, he went"
        assert not alert_turns.take_over(tx, his, second, now)
        assert alerts.lock(tx, alert.id).claimed_by == second
    await store.run(work)


async def test_the_first_time_that_an_alert_was_seen_stays(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        alert = opened(tx, ground, now)
        alert_told.add(tx, alert.id, ground.visitor, "telegram", now, now + MINUTE)
        [waiting] = alert_told.of(tx, alert.id)
        assert alert_told.seen(tx, alert.id, ground.visitor, now)
        assert not alert_told.seen(tx, alert.id, ground.visitor, now + MINUTE)
        assert not alert_told.again(tx, waiting, "wechat", now + MINUTE)
        assert not alert_told.missed(tx, waiting)
        [seen] = alert_told.of(tx, alert.id)
        assert (seen.state, seen.seen_at, seen.channels) == ("seen", now, ("telegram",))
    await store.run(work)


async def test_a_message_that_is_done_with_is_neither_dropped_nor_held_nor_sent_again(
        store: Store, now: datetime) -> None:
    def work(tx: Tx) -> None:
        for row in ("1", "2", "3"):
            outbox.add(tx, Outgoing(row, "telegram", f"c{row}", "reply", "text", {}), now, unique_key=f"k{row}")
        outbox.sent(tx, [("1", "m1")], now)
        outbox.drop(tx, "1", "late", now)
        outbox.retry(tx, "1", now)
        outbox.hold(tx, "1", now)
        outbox.silence(tx, "telegram", "c1", "gone", now)
        assert outbox.was_sent(tx, "k1") and not outbox.was_sent(tx, "k2")
        outbox.silence(tx, "telegram", "c2", "gone", now)
        outbox.silence(tx, "wechat", "c3", "gone", now)
        outbox.hold(tx, "2", now)
        assert [row.id for row in outbox.take(tx, now)] == ["3"]
        assert outbox.was_sent(tx, "k1") and outbox.receipt(tx, "k1") == "m1"
    await store.run(work)


async def test_a_job_is_ended_only_from_where_it_stands(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        made = jobs.add(tx, "import", {}, now)
        job = jobs.take(tx, frozenset({"import"}), now)
        assert job is not None and job.id == made
        assert jobs.move(tx, job.id, "", "20", now)
        assert not jobs.end(tx, job, "", "done", now), "somebody else is further"
        assert jobs.end(tx, job, "20", "done", now)
        assert not jobs.end(tx, job, "20", "failed", now)
    await store.run(work)


async def test_a_proposal_is_decided_once(store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        made = proposals.add(tx, "life", ground.village.id, {"what": "moved"}, ground.visitor, now)
        found = proposals.find(tx, ground.scope, made)
        assert found is not None
        assert proposals.find(tx, Scope(ground.visitor, DAY), made) == found, "he reported it"
        assert proposals.find(tx, Scope(ground.other_visitor, DAY), made) is None
        assert proposals.decide(tx, found, "refused", ground.coordinator, now)
        assert not proposals.decide(tx, found, "confirmed", ground.coordinator, now)
        assert not proposals.agree(tx, found, {"what": "died"})
        after = proposals.find(tx, ground.scope, made)
        assert after is not None and (after.state, after.body) == ("refused", {"what": "moved"})
    await store.run(work)


async def test_a_visit_ends_what_was_asked_for_it_and_no_call_back(
        store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        visit, call = (requests.add(tx, ground.elder, kind, DAY.isoformat(), ground.visitor, now)
                       for kind in ("visit", "call_back"))
        later = requests.add(tx, ground.elder, "visit", "2026-03-09", ground.visitor, now)
        assert [row for row, _ in requests.seen_to(tx, ground.elder, DAY.isoformat(), ground.visitor, now)] == [visit]
        assert {each.id for each in requests.of_elder(tx, ground.scope, ground.elder)} == {call, later}
    await store.run(work)


async def test_an_answer_to_a_check_in_that_was_set_anew_moves_nothing(
        store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        day, next_day = DAY.isoformat(), "2026-03-03"
        check_ins.set_up(tx, ground.elder, ground.visitor, "08:00", day, now, ground.visitor, now)
        before = check_ins.hold(tx, ground.elder)
        assert before is not None
        check_ins.set_up(tx, ground.elder, ground.visitor, "09:00", day, now + 60 * MINUTE, ground.visitor, now)
        assert not check_ins.move(tx, before, "asked", day, now), "at another hour"
        now_set = check_ins.hold(tx, ground.elder)
        assert now_set is not None
        assert not check_ins.move(tx, replace(now_set, day=next_day), "asked", day, now)
        assert not check_ins.move(tx, replace(now_set, stage="again"), "asked", day, now)
        assert check_ins.move(tx, now_set, "asked", day, now)
        assert check_ins.find(tx, Scope(ground.visitor, DAY), ground.elder) is not None
        assert check_ins.find(tx, Scope(ground.other_visitor, DAY), ground.elder) is None
    await store.run(work)


async def test_what_a_device_sent_is_taken_over_once_and_answered_once(
        store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        token = device_vendors.invite(tx, "anxin", "operator", now)
        vendor = device_vendors.by_token(tx, token)
        assert vendor is not None
        device = devices.known(tx, vendor.id, "SN1", now)
        assert device_events.add(tx, device, "e1", "fall", now, {}, now)
        [event] = device_events.latest(tx, device, 1)
        assert device_events.adopt(tx, event, ground.elder)
        assert not device_events.adopt(tx, event, ground.other_elder)
        assert device_events.find(tx, Scope(ground.other_visitor, DAY), event.id) is None
        found = device_events.find(tx, Scope(ground.visitor, DAY), event.id)
        assert found is not None
        assert device_events.answer(tx, found, "fine", ground.visitor, now)
        assert not device_events.answer(tx, found, "unreachable", ground.coordinator, now)
    await store.run(work)


async def test_a_group_is_bound_by_who_asked_for_it_and_shown_to_nobody_else_meanwhile(
        store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        asked = groups.ask(tx, "telegram", "-100", ground.coordinator, now)
        assert groups.find(tx, ground.scope, asked.id) is not None
        assert groups.find(tx, Scope(ground.visitor, DAY), asked.id) is None
        assert not groups.choose(tx, asked, ground.other_village.id, ground.visitor)
        assert not groups.bind(tx, asked, ground.other_village.id, ground.visitor, now)
        assert groups.bind(tx, asked, ground.village.id, ground.coordinator, now)
        assert not groups.bind(tx, asked, ground.other_village.id, ground.coordinator, now), "it is bound"
        again = groups.ask(tx, "telegram", "-100", ground.other_visitor, now)
        assert (again.state, again.area_id, again.bound_by) == ("bound", ground.village.id, ground.coordinator)
    await store.run(work)


async def test_an_account_is_decided_on_once_and_given_up_by_whose_it_is(
        store: Store, ground: Ground, now: datetime) -> None:
    def work(tx: Tx) -> None:
        accounts.bind(tx, "telegram", "11", "11", ground.visitor, now, state="waiting")
        [waiting] = accounts.of(tx, ground.visitor)
        assert accounts.in_chat(tx, "telegram", "11") is None and accounts.reached(tx, ground.visitor) is None
        assert accounts.decide(tx, waiting, ground.visitor, "active", ground.coordinator, now)
        assert not accounts.decide(tx, waiting, ground.visitor, "refused", ground.coordinator, now), "somebody was quicker"
        assert accounts.in_chat(tx, "telegram", "11") == ("11", ground.visitor)
        accounts.bind(tx, "telegram", "11", "11", ground.other_visitor, now)
        assert not accounts.remove(tx, waiting, ground.visitor, now), "it is another one's now"
        assert accounts.reached(tx, ground.other_visitor) == ("telegram", "11")
        people.suspend(tx, ground.other_visitor, ground.coordinator, now)
        assert accounts.reached(tx, ground.other_visitor) is None, "he is written to no more"
    await store.run(work)
