"""What the router decides, seen through the whole house: store, router, delivery, on channels that record."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from conversations.message import Inbound, Media
from conversations.router import MOST_BLOCKS
from storage import accounts, assignments, drafts, media, people
from storage.crypto import Keys
from storage.database import Tx
from storage.tables import audit
from tests.conversations.transcript import told
from tests.fakes.house import PEOPLE, START, Originals, Recorder, Running, Shown, bind, elder_called

WANG = PEOPLE["王强"][0]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


class House:
    """王强 in a running house; `says` and `taps` give what is then shown."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self.running, self.recorder = running, recorder
        self.count = 0

    async def does(self, **fields: Any) -> list[Shown]:
        self.count += 1
        account = fields.pop("account", WANG)
        key = fields.pop("key", str(self.count))
        before = len(self.recorder.sent.get(account, []))
        self.running.later()
        await self.running.handle(Inbound("test", account, account, key, self.running.now(), **fields))
        await self.running.delivery.settle()
        return self.recorder.sent.get(account, [])[before:]

    async def says(self, *texts: str) -> Shown:
        shown: list[Shown] = []
        for text in texts:
            shown = await self.does(text=text)
        return shown[-1]

    async def taps(self, shown: Shown, label: str) -> Shown:
        token = next(token for row in shown.buttons for text, token in row if label in text)
        return (await self.does(choice=token, source=shown.handle))[-1]

    async def body(self) -> bytes | None:
        def read(tx: Tx) -> bytes | None:
            writer = accounts.writer(tx, "test", WANG)
            assert writer is not None
            return drafts.open_body(tx, writer.draft.id, writer.draft.body) if writer.draft else None
        return await self.running.store.read(read)


@pytest.fixture
async def house(originals: Originals) -> AsyncIterator[House]:
    store, village = await originals.store()
    recorder = Recorder()
    yield House(Running(store, village, recorder), recorder)
    store.close()


async def test_a_tapped_question_becomes_the_next_one_in_its_place(house: House) -> None:
    first = await house.says("上门探访 仇大山")
    assert (await house.taps(first, "1 上门探访")).handle == first.handle


async def test_what_is_typed_is_answered_below(house: House) -> None:
    first = await house.says("上门探访 仇大山")
    assert (await house.says("1")).handle != first.handle


async def test_an_old_button_and_a_menu_leave_what_stands_there(house: House) -> None:
    menu = await house.says("你好")
    first = await house.taps(menu, "我的老人")
    assert first.handle != menu.handle
    asked = await house.says("上门探访 仇大山")
    await house.says("1")
    assert (await house.taps(asked, "2 电话问候")).handle != asked.handle


async def test_a_draft_belongs_to_the_person_whatever_the_channel(house: House, originals: Originals) -> None:
    await house.says("上门探访 仇大山", "1")
    running = house.running
    await running.store.run(lambda tx: bind(tx, running.village, ("other",)))
    other = Recorder()
    other.name = "other"
    elsewhere = Running(running.store, running.village, other)
    elsewhere.at = running.at
    await elsewhere.handle(Inbound("other", WANG, WANG, "1", elsewhere.now(), text="111111"))
    await elsewhere.delivery.settle()
    assert "燃气安全吗" in other.sent[WANG][-1].text
    assert "水和取暖" in (await house.says("1")).text


async def test_a_photo_is_kept_with_its_bytes(house: House) -> None:
    await house.says("上门探访 仇大山", "1", "111111")
    await house.does(text="不安全", media=(Media("photo", "platform-handle"),))
    waiting = await house.running.store.read(lambda tx: media.waiting(tx, "test"))
    assert [(kind, ref) for _, kind, ref in waiting] == [("photo", "platform-handle")]
    body = await house.body()
    assert body is not None
    assert waiting[0][0].encode() in body


async def test_the_same_message_twice_at_once_is_one(house: House) -> None:
    await house.says("上门探访 仇大山")
    now = house.running.now()
    inbound = Inbound("test", WANG, WANG, "same", now, text="1")
    before = len(house.recorder.sent[WANG])
    await asyncio.gather(*(house.running.handle(inbound) for _ in range(4)))
    await house.running.delivery.settle()
    assert len(house.recorder.sent[WANG]) == before + 1


async def test_a_number_that_is_too_big_for_a_list_harms_nothing(house: House) -> None:
    for text in ("/my 99999999999999999999", "9" * 5000, "档案 " + "9" * 30, "/resume " + "x" * 5000, "/record %", "/visit '"):
        shown = await house.says(text)
        assert "出了点小问题" not in shown.text
        await house.says("取消", "是")


@pytest.mark.parametrize("text", ["\x00", "\u202e仇大山", "a" * 100_000, "\ufffe", "探访\n：", "探访 \n\n：：", "/", "/start ", "%_\\"])
async def test_odd_texts_are_answered_kindly(house: House, text: str) -> None:
    for opening in ("你好", "上门探访", "上门探访 仇大山"):
        await house.says(opening)
        assert "出了点小问题" not in (await house.says(text)).text
        await house.says("取消", "是")


@pytest.mark.parametrize("choice", [".", "..", "x.y.z", "/", "/elder", "/elder x", "/visit nobody", "/void", "/edit 1",
                                    "A" * 500, "²", "TAG.²", "/printvisit ../..", "/resume 0"])
async def test_odd_buttons_are_answered_kindly(house: House, choice: str) -> None:
    await house.says("上门探访 仇大山", "1")
    before = await house.body()
    assert "出了点小问题" not in (await house.does(choice=choice, source="1"))[-1].text
    if not choice.startswith(("/visit", "/void", "/edit")):
        assert await house.body() == before


@pytest.mark.parametrize("what", ["²", "99", "-1", "=", "=x", "0" * 5000, "=submit", "=done", "=change", "=yes", "=skip"])
async def test_an_unknown_button_of_the_right_form_changes_nothing(house: House, what: str) -> None:
    asked = await house.says("上门探访 仇大山")
    tag, where, _ = asked.buttons[0][0][1].split(".")
    before = await house.body()
    shown = await house.does(choice=f"{tag}.{where}.{what}", source=asked.handle)
    assert "这次怎么探访的" in shown[-1].text
    assert await house.body() == before


async def test_more_visits_in_a_message_than_are_taken_are_named(house: House) -> None:
    text = "\n".join("探访 仇大山\n探访方式：电话" for _ in range(MOST_BLOCKS + 2))
    shown = await house.says(text)
    assert f"收到 {MOST_BLOCKS} 份，后面还有 2 份没收下" in shown.text
    await house.says("稍后继续")
    home = await house.says("你好")
    assert f"您有 {MOST_BLOCKS} 份没填完的" in home.text
    assert len([line for line in told([home]) if "接着填" in line]) == 5


async def test_a_form_put_aside_is_not_taken_up_again_for_an_elder_or_a_task_that_is_his_no_more(house: House) -> None:
    village = house.running.village
    await house.says("上门探访 仇大山", "1", "稍后继续", "登记", "稍后继续")
    home = await house.says("你好")

    def less(tx: Tx) -> None:
        assignments.end(tx, village.people["王强"], village.elders["仇大山6组"], START.date())
        wang = people.find(tx, village.people["王强"])
        assert wang
        people.revise(tx, wang, replace(wang, visitor_kind="short_term_volunteer"), village.people["赵敏"], START)

    await house.running.store.run(less)
    offered = [label for row in home.buttons for label, _ in row if "接着填" in label]
    assert len(offered) == 2
    for label in offered:
        await house.taps(home, label)
        assert await house.body() is None


async def test_a_visit_that_is_no_more_his_does_not_come_up_again_and_again(house: House) -> None:
    filled = "\n".join((
        "探访方式：电话", "家庭健康精神：以上均无变化", "燃气安全：安全", "水暖安全：安全", "用电安全：安全", "卫生环境：以上均无变化",
        "服务情况：问候", "有无需求：无", "建议：跳过", "哪些不告诉家属：没有", "被探访人签字：确认",
        "老年人服务满意度评价：满意", "谁给的评价：本人"))
    await house.says(f"探访 仇大山\n{filled}\n探访 仇大山\n{filled}", "提交")
    village = house.running.village
    await house.running.store.run(lambda tx: assignments.end(tx, village.people["王强"], village.elders["仇大山6组"], START.date()))
    shown = await house.says("提交")
    assert "不在您名下" in shown.text
    assert "下一份" not in shown.text
    assert await house.body() is None


async def test_reading_a_file_and_a_visit_stands_on_the_audit_chain(house: House) -> None:
    await house.says("仇大山", "看记录 仇大山", "打印")
    chain = await house.running.store.read(lambda tx: " ".join(entries for entries, in tx.all(select(audit.c.entries))))
    assert [action for action in ("elder.read", "visit.read", "visit.print") if action not in chain] == []
    assert "仇大山" not in chain


async def test_a_home_visit_moves_the_window_and_a_call_does_not(house: House) -> None:
    filled = ["111111", "111", "111", "送菜", "没有", "跳过", "没有", "111", "提交"]

    async def due() -> str:
        elder = await house.running.store.read(lambda tx: elder_called(tx, house.running.village, "仇大山6组"))
        return elder.due_from

    assert await due() == "2026-03-01"
    await house.says("上门探访 仇大山", "电话", *filled)
    assert await due() == "2026-03-01"
    await house.says("上门探访 仇大山", "上门", *filled)
    assert await due() == "2026-03-16"


async def test_the_clock_of_a_submitted_visit_is_the_wall_where_the_elders_live(house: House) -> None:
    """23:30 in Luzhou is 15:30 UTC: the visit is of that day."""
    house.running.at = START.replace(hour=23, minute=30)
    await house.says("上门探访 仇大山", "1", "111111", "111", "111", "送菜", "没有", "跳过", "没有", "111")
    assert "3月5日" in (await house.says("提交")).text


async def test_who_coordinates_elsewhere_may_not_correct_a_colleagues_visit_here(house: House) -> None:
    """A village coordinator who visits one elder next door is a visitor there: he reads the visit, no more."""
    village, account = house.running.village, "9900"

    def next_door(tx: Tx) -> None:
        home = people.find(tx, village.people["李军"])
        assert home is not None
        person = people.add(tx, home.area_id, "何平", ("village", "visitor"), START)
        assignments.entrust(tx, person.id, village.elders["仇大山6组"], "visitor", START.date().isoformat())
        accounts.bind(tx, "test", account, account, person.id, START)

    await house.running.store.run(next_door)
    shown = (await house.does(account=account, text="看记录 仇大山"))[-1]
    assert "第 1 次" in shown.text
    assert not [label for row in shown.buttons for label, _ in row if "更正" in label]
    visit = next(token for row in shown.buttons for _, token in row if "/printvisit" in token).split()[1]
    for command in ("correct", "edit", "void"):
        assert "用不了" in (await house.does(account=account, choice=f"/{command} {visit}"))[-1].text
