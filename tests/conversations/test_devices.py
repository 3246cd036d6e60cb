"""设备: whose a device is and what is done about it is a matter of the area; buttons that are forged or old change nothing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from scheduler import devices
from scheduler.device_rules import Kind
from storage import accounts, alerts, areas, device_events, device_vendors, people
from storage import devices as ledger
from storage.crypto import Keys
from storage.database import Tx
from tests.conversations.transcript import InMemory
from tests.fakes.house import START, Originals, Recorder, Running, find_account

ACCOUNTS = {"周涛": "7503", "周工": "7504"}  # coordinator of the next village; operator
ELDER, ANOTHER = "仇大山6组", "曾国富3组"


@dataclass
class Desk:
    stage: InMemory
    device: str = ""

    async def asked(self, who: str, *texts: str) -> str:
        """The answer to the last of them; one that begins with / is a button."""
        account = ACCOUNTS.get(who) or find_account(who)
        for text in texts:
            self.stage.running.later()
            fields = {"choice": text} if text.startswith("/") else {"text": text}
            await self.stage.running.handle(self.stage._inbound(account, fields))
            await self.stage.running.delivery.settle()
        return self.stage._recorder.sent[account][-1].text

    async def sends(self, kind: Kind, serial: str = "A1", number: int | None = None) -> str:
        """A vendor sends it; gives the event's id."""
        running = self.stage.running

        def work(tx: Tx) -> str:
            vendor = device_vendors.named(tx, "anxin")
            assert vendor is not None
            devices.keep(tx, vendor, devices.Sent(tx.new_id(running.now()), serial, kind, running.now(), number),
                         running.policies, running.now())
            return device_events.latest(tx, ledger.known(tx, vendor.id, serial, running.now()), 1)[0].id
        return await running.store.run(work)

    async def stands(self) -> tuple[str | None, bool, int]:
        """Whose it is, whether it is damped, and how many alerts ran so far."""
        def look(tx: Tx) -> tuple[str | None, bool, int]:
            found = ledger.unscoped(tx, self.device)
            assert found is not None
            return found.elder_id, found.damped_until is not None, len(alerts.due(tx, START.replace(year=2099), 99))
        return await self.stage.running.store.read(look)


@pytest_asyncio.fixture
async def desk(tmp_path: Path, keys: Keys) -> AsyncIterator[Desk]:
    store, village = await Originals(tmp_path, keys).store()
    recorder = Recorder()
    found = Desk(InMemory(Running(store, village, recorder), recorder))

    def fill(tx: Tx) -> None:
        next_door, town = areas.named(tx, "河坝村")[0].id, areas.named(tx, "云溪镇")[0].id
        for person in (people.add(tx, next_door, "周涛", ("village",), START), people.add(tx, town, "周工", ("operator",), START)):
            accounts.bind(tx, "test", ACCOUNTS[person.name], ACCOUNTS[person.name], person.id, START)
        device_vendors.invite(tx, "anxin", "operator", START)
        vendor = device_vendors.named(tx, "anxin")
        assert vendor is not None
        device = ledger.known(tx, vendor.id, "A1", START)
        ledger.bind(tx, device, village.elders[ELDER], village.people["赵敏"], START)
        found.device = device.id

    await store.run(fill)
    yield found
    store.close()


@pytest.mark.parametrize("who", ["周涛", "王强", "李娜"])
@pytest.mark.parametrize("button", ["/device {}", "/deviceunbind {}", "/devicedamp {} 7", "/devicedamp {} off"])
async def test_nobody_but_a_coordinator_of_the_area_touches_a_device(desk: Desk, who: str, button: str) -> None:
    before = await desk.stands()
    assert "A1" not in await desk.asked(who, button.format(desk.device))
    assert await desk.stands() == before
    assert "A1" in await desk.asked("赵敏", button.format(desk.device))


@pytest.mark.parametrize("who", ["周涛", "李军", "李娜"])
async def test_who_is_not_near_the_elder_answers_no_question_about_him(desk: Desk, who: str) -> None:
    event = await desk.sends("left_home")
    for button in (f"/deviceanswer {event}", f"/devicehelp {event}"):
        assert "仇" not in await desk.asked(who, button)
    assert (await desk.stands())[2] == 0
    assert "A-0001" in await desk.asked("王强", f"/devicehelp {event}")
    assert "已经请人去看" in await desk.asked("王强", f"/deviceanswer {event}")
    assert (await desk.stands())[2] == 1


async def test_only_what_was_asked_about_is_answered(desk: Desk) -> None:
    note = await desk.sends("battery_low", number=5)
    assert "没找到" in await desk.asked("王强", f"/devicehelp {note}")
    assert (await desk.stands())[2] == 0


@pytest.mark.parametrize("days", ["0", "2", "-1", "99999", "x", ""])
async def test_a_device_is_damped_only_for_days_that_the_policy_offers(desk: Desk, days: str) -> None:
    await desk.asked("赵敏", f"/devicedamp {desk.device} {days}")
    assert not (await desk.stands())[1]


async def test_a_device_that_is_bound_is_not_bound_again_and_elsewhere_nothing_is_said_of_whose_it_is(desk: Desk) -> None:
    before = await desk.stands()
    assert "仇大山" in await desk.asked("赵敏", f"绑定设备 {ANOTHER[:3]}", "a1", "提交")
    said = await desk.asked("周涛", "绑定设备 陈国清", "A1", "提交")
    assert "绑在别处" in said and "仇" not in said
    assert await desk.stands() == before


async def test_where_there_are_two_vendors_it_is_asked_which(desk: Desk) -> None:
    await desk.stage.running.store.run(lambda tx: device_vendors.invite(tx, "kangle", "operator", START))
    assert "哪一家" in await desk.asked("赵敏", f"绑定设备 {ANOTHER[:3]}")
    assert "kangle A1" in await desk.asked("赵敏", "kangle", "a1", "提交")


async def test_an_operator_sees_what_is_nobodys_and_is_told_of_it(desk: Desk) -> None:
    await desk.sends("call_button", "Z9")
    await desk.stage.running.delivery.sweep()
    assert "Z9" in desk.stage._recorder.sent[ACCOUNTS["周工"]][-1].text
    said = await desk.asked("周工", "设备")
    assert "共 1 台" in said and "Z9" in said and "按了呼叫器" in said
    assert "Z9" not in await desk.asked("赵敏", "设备")
    assert "Z9" in await desk.asked("赵敏", f"绑定设备 {ANOTHER[:3]}", "z9", "提交")
    for text in ("设备", "设备 仇大山", "/devices +0"):  # whose they are is no business of his
        assert await desk.asked("周工", text) == "来过消息的设备都绑好了。"
