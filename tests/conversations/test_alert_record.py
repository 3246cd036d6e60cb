"""The file of an alert: every step with its time and who did it, for coordinators of the place alone."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from docx import Document

from conversations import book as books
from conversations.documents import alert_record
from conversations.turn import House
from conversations.words_book import Words
from scheduler import alerting, policy, raising
from storage import alerts, elders
from storage.database import Store, Tx
from storage.scope import Scope
from tests.scheduler.test_alerting import Village, settle
from tests.storage.ground import DAY

POLICIES = policy.load()


@pytest.fixture
async def village(store: Store, now: datetime) -> Village:
    return await store.run(lambda tx: settle(tx, now))


async def test_every_step_stands_in_it_with_who_and_when(store: Store, village: Village, now: datetime) -> None:
    who, house = village.people, House(books.from_folder(), POLICIES)

    scope = Scope(who["township"], DAY)
    outcome = {"found": "闻到燃气", "done": "关了阀门", "told": "family rescue", "risk": "left"}
    made = await store.run(lambda tx: raising.press(
        tx, who["visitor"], None, village.ground.village.id, "门锁着", POLICIES, now))
    course: list[tuple[int, Callable[[Tx, alerts.Alert, datetime], object]]] = [
        (0, lambda tx, alert, at: raising.say_whom(
            tx, alert, elders.unscoped(tx, village.ground.elder), alert.area_id, POLICIES, at)),
        (1, lambda tx, alert, at: raising.say_what(tx, alert, "gas", POLICIES, at)),
        (4, lambda tx, alert, at: alerting.climb(tx, at, POLICIES)),
        (5, lambda tx, alert, at: alerting.claim(tx, alert, who["grid"], POLICIES, at)),
        (6, lambda tx, alert, at: alerting.arrive(tx, alert, who["grid"], POLICIES, at)),
        (6, lambda tx, alert, at: raising.add_words(tx, alert, who["child"], "钥匙在邻居家", POLICIES, at)),
        (7, lambda tx, alert, at: alerting.end(tx, alert, who["grid"], outcome, POLICIES, at)),
        (8, lambda tx, alert, at: alerts.answer_after(tx, scope, alert.id, {"risk_gone": "yes"}, scope.person_id, at))]
    for minute, step in course:
        def work(tx: Tx, step: Any = step, at: datetime = now + timedelta(minutes=minute)) -> None:
            step(tx, alerts.unscoped(tx, made.id), at)
        await store.run(work)
    kept = await store.read(lambda tx: alert_record.gather(tx, house, Scope(who["village"], DAY), made.id, now))
    assert kept
    name, body = alert_record.docx(kept, Words())
    assert name.endswith(".docx")
    steps, told, results = Document(BytesIO(body)).tables
    assert {tuple(cell.text for cell in row.cells)[1:] for row in told.rows} >= {
        ("grid", "收到"), ("child", "收到"), ("first", "还没回“收到”")}
    assert [(row.cells[0].text[-5:], row.cells[1].text, row.cells[2].text) for row in steps.rows] == [
        (f"{(now + timedelta(minutes=minute)).astimezone(POLICIES.city.zone):%H:%M}", person, told)
        for minute, person, told in (
            (0, "王强", "报了警报"), (0, "王强", "说了警报是哪位老人"), (1, "王强", "警报发出去了"),
            (4, "自动", "没有人去或没有人到场，告诉了更多人"), (5, "grid", "去处理警报"), (6, "grid", "到场处理警报"),
            (6, "child", "给警报补充了情况"), (7, "grid", "处理完了警报"), (8, "赵敏", "回访了警报"))]
    assert [row.cells[1].text for row in results.rows] == [
        "闻到燃气", "关了阀门", "家属、消防或派出所", "还没有排除", "解决了"]
    for other in ("visitor", "child", "grid", "first"):
        theirs = Scope(who[other], DAY)
        assert not await store.read(lambda tx, theirs=theirs: alert_record.gather(tx, house, theirs, made.id, now))
