"""服务时长: counted by term of the visits that stand, shown to who made them and who coordinates him, proved on paper."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from docx import Document

from conversations.documents import making
from conversations.words_book import Words
from storage import accounts, areas, assignments, forms, people, visits
from storage.crypto import Keys
from storage.database import Tx
from storage.scope import Scope
from storage.visits import Entry
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running, find_account

ELDER = "仇大山6组"
SAID = "小周的服务时长：\n2026年2月15日 周日到2026年8月31日 周一：{}\n2025年9月1日 周一到2026年2月14日 周六：{}\n"


@dataclass
class Desk:
    """小周, a student, with the visits that he made, and the house where one asks after them."""

    stage: InMemory
    student: str
    made: list[str]

    async def asked(self, who: str, text: str) -> str:
        account = "7501" if who == "小周" else find_account(who)
        running = self.stage.running
        running.later()
        await running.handle(self.stage._inbound(account, {"text": text}))
        await running.delivery.settle()
        return self.stage._recorder.sent[account][-1].text


@pytest_asyncio.fixture
async def desk(tmp_path: Path, keys: Keys) -> AsyncIterator[Desk]:
    store, village = await Originals(tmp_path, keys).store()
    recorder = Recorder()
    running = Running(store, village, recorder)
    form = running.book.current["visit"]

    def fill(tx: Tx) -> tuple[str, list[str]]:
        where = areas.named(tx, "建设村")[0].id
        who = people.add(tx, where, "小周", ("visitor",), START, "student", "泸州职院").id
        accounts.bind(tx, "test", "7501", "7501", who, START)
        assignments.entrust(tx, who, village.elders[ELDER], "visitor", "2025-01-01")
        forms.keep(tx, form.hash, form.name, form.definition)
        return who, [visits.submit(tx, Entry(village.elders[ELDER], form.hash, day, "home", False, {}, f"d{day}", spent),
                                   who, START)[0]
                     for day, spent in (("2026-02-14", 30), ("2026-02-15", 45), ("2026-03-04", 75), ("2026-03-05", None))]

    yield Desk(InMemory(running, recorder), *await store.run(fill))
    store.close()


async def test_time_is_counted_by_term(desk: Desk) -> None:
    assert (await desk.asked("小周", "服务时长")).startswith(SAID.format("2 次，2 小时", "1 次，30 分钟"))


@pytest.mark.parametrize("asked", [
    "时长 2026-02-15 2026-03-04", "服务时长 3月4日到2月15日", "时长 ２０２６.２.１５ 2026.3.4", "/hours {id} 20260215 20260304",
    "时长 小周 2026-02-15 2026-03-04", "时长 小周 2月15日至3月4日"])
async def test_time_between_two_days_is_counted_with_both_of_them_and_proved(desk: Desk, asked: str) -> None:
    who = "赵敏" if "小周" in asked else "小周"
    said = await desk.asked(who, asked.format(id=desk.student))
    assert said.startswith("小周的服务时长：\n2026年2月15日 周日到2026年3月4日 周三：2 次，2 小时\n\n")
    account = find_account("赵敏") if who == "赵敏" else "7501"
    labels = [label for row in desk.stage._recorder.sent[account][-1].buttons for label, _ in row]
    assert labels == ["1 证明（2026-02-15 到 2026-03-04）", "2 本学期", "3 上学期", "4 本月", "5 上月"]
    assert "请查收" in await desk.asked(who, "1")


@pytest.mark.parametrize(("button", "said"), [
    ("本学期", "2026年2月15日 周日到2026年8月31日 周一：2 次，2 小时"), ("上学期", "2025年9月1日 周一到2026年2月14日 周六：1 次，30 分钟"),
    ("本月", "2026年3月1日 周日到2026年3月31日 周二：1 次，1 小时 15 分钟"), ("上月", "2026年2月1日 周日到2026年2月28日 周六：2 次，1 小时 15 分钟")])
async def test_the_periods_asked_for_most_are_a_tap_away(desk: Desk, button: str, said: str) -> None:
    await desk.asked("小周", "服务时长")
    tokens = {label.partition(" ")[2]: token for row in desk.stage._recorder.sent["7501"][-1].buttons
              for label, token in row}
    assert len(tokens[button].encode()) <= 64
    await desk.stage.running.handle(desk.stage._inbound("7501", {"choice": tokens[button]}))
    await desk.stage.running.delivery.settle()
    assert desk.stage._recorder.sent["7501"][-1].text.startswith(f"小周的服务时长：\n{said}\n\n")


async def test_what_is_void_does_not_count_and_a_correction_counts_once(desk: Desk) -> None:
    def change(tx: Tx) -> None:
        scope = Scope(desk.student, START.date())
        first, later = (visits.find(tx, scope, desk.made[n]) for n in (1, 2))
        assert first and later
        visits.void(tx, first, desk.student, "写错", START)
        visits.correct(tx, later, Entry(later.elder_id, later.form_hash, later.on_day, "home", False, {}, "again", 61),
                       desk.student, "写错", START)

    await desk.stage.running.store.run(change)
    assert (await desk.asked("小周", "服务时长")).startswith(SAID.format("1 次，1 小时 1 分钟", "1 次，30 分钟"))


async def test_the_coordinator_of_his_village_sees_them_and_no_other_visitor_does(desk: Desk) -> None:
    assert (await desk.asked("赵敏", "服务时长 小周")).startswith(SAID.format("2 次，2 小时", "1 次，30 分钟"))
    for text in (f"/hours {desk.student}", "服务时长 小周", f"/hoursproof {desk.student} 20260215 20260831"):
        assert (await desk.asked("王强", text)).startswith("没找到这一份")
    assert (await desk.asked("李娜", "服务时长")).startswith("这一项您这里用不了")


async def test_the_proof_says_how_long_and_names_no_elder(desk: Desk) -> None:
    assert "没找到" in await desk.asked("赵敏", f"/hoursproof {desk.student} 2026-02-15")
    running = desk.stage.running
    wanted = {"kind": "hours", "of": desk.student, "person": running.village.people["赵敏"], "first": "2026-02-15",
              "last": "2026-08-31"}
    assert "请查收" in await desk.asked("赵敏", f"/hoursproof {desk.student} 20260215 20260831")
    make = await running.store.read(lambda tx: making.prepare(tx, running.house, wanted, running.at))
    assert make is not None
    file = make(Words())
    text = "\n".join(each.text for each in Document(BytesIO(file.body)).paragraphs)
    assert ("兹证明：泸州职院 小周（学生），从2026年2月15日 周日到2026年8月31日 周一，"
            "在建设村参加特殊困难老年人探访关爱服务 2 次，共 2 小时。") in text
    assert "仇" not in text and file.name == "服务时长证明-小周-2026-02-15-2026-08-31.docx"
    other = {**wanted, "person": running.village.people["王强"]}
    assert await running.store.read(lambda tx: making.prepare(tx, running.house, other, running.at)) is None
