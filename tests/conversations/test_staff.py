"""人员: a kind binds from the next message on, nobody under age is left alone by a change, and no door stands open."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from storage import accounts, areas, assignments, people, proposals
from storage.crypto import Keys
from storage.database import Tx
from storage.people import Person
from storage.scope import Scope
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running, find_account

ACCOUNTS = {"小周": "7501", "何平": "7502", "周涛": "7503"}


@dataclass
class Desk:
    """The village, and what one of its people is answered. 小周 is a student under age, 何平 has no kind."""

    stage: InMemory

    async def asked(self, who: str, *texts: str) -> str:
        """The answer to the last of them; one that begins with / is a button."""
        account = ACCOUNTS.get(who) or find_account(who)
        running = self.stage.running
        for text in texts:
            running.later()
            fields = {"choice": text} if text.startswith("/") else {"text": text}
            await running.handle(self.stage._inbound(account, fields))
            await running.delivery.settle()
        return self.stage._recorder.sent[account][-1].text

    async def person(self, name: str) -> Person:
        def find(tx: Tx) -> Person | None:
            return people.find(tx, people.named(tx, name)[0])
        found = await self.stage.running.store.read(find)
        assert found is not None
        return found


@pytest_asyncio.fixture
async def desk(tmp_path: Path, keys: Keys) -> AsyncIterator[Desk]:
    store, village = await Originals(tmp_path, keys).store()
    recorder = Recorder()

    def fill(tx: Tx) -> None:
        here, next_door = (areas.named(tx, name)[0].id for name in ("建设村", "河坝村"))
        for person in (people.add(tx, here, "小周", ("visitor",), START, "student", minor_until="2027-01-01"),
                       people.add(tx, here, "何平", ("visitor",), START),
                       people.add(tx, next_door, "周涛", ("village",), START)):
            accounts.bind(tx, "test", ACCOUNTS[person.name], ACCOUNTS[person.name], person.id, START)
        assignments.entrust(tx, people.named(tx, "何平")[0], village.elders["仇大山6组"], "visitor", "2026-01-01")

    await store.run(fill)
    yield Desk(InMemory(Running(store, village, recorder), recorder))
    store.close()


async def test_a_visitor_to_whom_nobody_gave_a_kind_is_bound_as_the_narrowest(desk: Desk) -> None:
    for text in ("登记", "补填", "摸排", "意愿 仇大山", "第一联系人 仇大山"):
        assert "这一项您这里用不了" in await desk.asked("何平", text)
    assert "仇大山" in await desk.asked("何平", "档案 仇大山")
    assert "还没有定类别" in await desk.asked("赵敏", "人员 何平")
    assert "他现在是哪一类探访人员" in await desk.asked("赵敏", "改人员 何平")
    assert "资料改好了" in await desk.asked("赵敏", "老党员", "提交")
    assert "住在哪里" in await desk.asked("何平", "登记")


async def test_who_is_under_age_stays_so_whatever_kind_he_becomes(desk: Desk) -> None:
    assert "资料改好了" in await desk.asked("赵敏", "改人员 小周", "1", "快递送餐员", "提交")
    person = await desk.person("小周")
    assert (person.visitor_kind, person.minor_until, person.guardian_consent_on) == ("courier", "2027-01-01", None)
    assert "监护人还没有同意" in await desk.asked("赵敏", "人员 小周")


async def test_an_adult_has_no_guardian(desk: Desk) -> None:
    await desk.asked("赵敏", "改人员 小周", "3", "昨天", "提交")
    assert (await desk.person("小周")).guardian_consent_on == "2026-03-04"
    said = await desk.asked("赵敏", "改人员 小周", "2", "跳过")
    assert "监护人" not in said and "提交" in said
    await desk.asked("赵敏", "提交")
    person = await desk.person("小周")
    assert (person.minor_until, person.guardian_consent_on) == (None, None)


async def test_somebody_outside_the_own_area_is_changed_by_no_button(desk: Desk) -> None:
    wang = desk.stage.running.village.people["王强"]
    for button in (f"/editperson {wang}", f"/suspend {wang}", f"/activate {wang} left", f"/activate {wang}",
                   f"/handover {wang} all", f"/people {wang}"):
        assert "没找到这位" in await desk.asked("周涛", button), button
    assert "没找到" in await desk.asked("周涛", "人员 网格员 王")
    assert "王强" not in await desk.asked("周涛", "人员 网格员")


async def test_a_form_that_was_open_changes_nobody_who_left_the_own_area_meanwhile(desk: Desk) -> None:
    wang = desk.stage.running.village.people["李军"]
    await desk.asked("周涛", "改人员 李军", "2", "县义工队")

    def moves(tx: Tx) -> None:
        assignments.entrust(tx, wang, desk.stage.running.village.elders["仇大山6组"], "visitor", "2026-01-01")

    await desk.stage.running.store.run(moves)
    assert "没找到这位" in await desk.asked("周涛", "提交")
    assert (await desk.person("李军")).organisation == ""


async def test_two_who_suspend_at_once_suspend_once_and_the_first_reason_stays(desk: Desk) -> None:
    await desk.asked("赵敏", "停用 李军", "手机丢了")
    await desk.asked("周涛", "停用 李军", "喝酒", "提交")
    assert "刚刚有变化" in await desk.asked("赵敏", "提交")
    assert "原因：喝酒" in await desk.asked("赵敏", "人员 李军")


async def test_who_is_under_age_is_not_given_the_elder_whom_he_found(desk: Desk) -> None:
    """A county may let students fill in files: the elder still gets no child as his only visitor."""
    running = desk.stage.running
    village = (await desk.person("小周")).area_id

    def propose(tx: Tx) -> str:
        body = {"form": running.book.current["elder"].hash, "name": "罗玉兰", "answers": {
            name: [value, 1, "text"] for name, value in (
                ("village", village), ("group", "3组"), ("name", "罗玉兰"), ("sex", "female"), ("ability", "intact"), ("registered_on", "2026-03-05"))}}
        return proposals.add(tx, "registration", village, body, people.named(tx, "小周")[0], START)

    proposal = await running.store.run(propose)
    assert "罗玉兰" in await desk.asked("赵敏", f"/confirm {proposal}")
    assert "没有探访人员的老人" in await desk.asked("赵敏", "分派") and "罗玉兰" in await desk.asked("赵敏", "分派")
    caseload = await running.store.read(lambda tx: assignments.caseload(
        tx, Scope(running.village.people["赵敏"], START.date()), people.named(tx, "小周")[0]))
    assert caseload == []


@pytest.mark.parametrize("channel_abroad", [False, True])
async def test_why_somebody_is_suspended_does_not_go_abroad(desk: Desk, channel_abroad: bool) -> None:
    await desk.asked("赵敏", "停用 李军", "照顾生病的母亲", "提交")
    if channel_abroad:
        desk.stage.running.channel.capabilities = Recorder(abroad=True).capabilities
        desk.stage.running.use(desk.stage.running.book)
    said = await desk.asked("赵敏", "人员 李军")
    assert "工作号已暂停" in said and ("照顾生病的母亲" in said) is not channel_abroad
