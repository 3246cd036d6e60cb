"""演练: it goes the way of an alert and is marked wherever it shows; no family hears of it, and what is real is apart."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from scheduler import alerting, drills
from storage import accounts, alert_drills, alert_risks, alerts, assignments, glass, people, tables
from storage.alerts import Alert
from storage.crypto import Keys
from storage.database import Tx
from storage.scope import Scope
from tests.fakes.house import START
from tests.fakes.talk import Talk, labels, talking, token

ELDER = "张桂芳3组"
MARK = "【演练】"


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        running, village = found.running, found.running.village

        def fill(tx: Tx) -> None:
            place = people.find(tx, village.people["王强"])
            assert place is not None
            for name, role, account in (("何村长", "village", "7501"), ("李涛", "family", "7502")):
                village.people[name] = people.add(tx, place.area_id, name, (role,), START).id
                accounts.bind(tx, "test", account, account, village.people[name], START)
                found.accounts[name] = account
            # a son who is first contact as well: he may not be frightened either
            for role in ("family", "first_contact"):
                assignments.entrust(tx, village.people["李涛"], village.elders[ELDER], role, "2026-01-01")
        await running.store.run(fill)
        yield found


async def begun(talk: Talk, who: str = "何村长", township: bool = False, elder: str = ELDER) -> Alert:
    """Starts one by the buttons."""
    kind = await talk.asked(who, f"/drill {talk.running.village.elders[elder]}")
    reach = await talk.asked(who, token(kind, "火情"))
    await talk.asked(who, token(reach, "乡镇" if township else "村里"))
    found = await talk.running.store.read(alert_drills.running)
    assert len(found) == 1
    return found[0]


async def goes(talk: Talk, minutes: int) -> dict[str, list[str]]:
    """The clock goes on; gives what people are sent."""
    running = talk.running
    running.at += timedelta(minutes=minutes)
    await running.store.run(lambda tx: alerting.climb(tx, running.now(), running.policies))
    await running.store.run(lambda tx: drills.sweep(tx, running.now(), running.policies))
    return await talk.told()


async def test_it_goes_from_the_start_to_the_end_with_every_message_marked(talk: Talk) -> None:
    drill = await begun(talk)
    said = [each for texts in (await talk.told()).values() for each in texts]
    for who, text in (("王强", f"/claim {drill.id}"), ("王强", f"/arrived {drill.id}"), ("王强", f"/close {drill.id}"),
                      ("王强", "人出来了"), ("王强", "打了 119"), ("王强", "2"), ("王强", "1"), ("何村长", f"/alert {drill.id}"),
                      ("何村长", "警报"), ("王强", "提交")):
        said.append((await talk.asked(who, text)).text)
        said += [each for texts in (await talk.told()).values() for each in texts]
    assert (await talk.now(drill)).state == "closed"
    assert len(said) >= 14 and [text for text in said if MARK not in text] == []


@pytest.mark.parametrize("township", [False, True])
async def test_only_who_may_go_is_told_and_the_township_where_it_was_chosen(talk: Talk, township: bool) -> None:
    drill = await begun(talk, township=township)
    told = set(await talk.told())
    for minutes in (4, 7, 20):
        told |= set(await goes(talk, minutes))
    await talk.asked("王强", f"/claim {drill.id}", f"/falsealarm {drill.id}", "练完了", "提交")
    told |= set(await talk.told())
    names = {who for who in told if who in ("李娜", "赵敏", "王强")} | ({"李涛"} if "7502" in told else set())
    assert names == ({"王强", "赵敏"} if township else {"王强"})
    for child in ("李娜", "李涛"):
        assert "没找到" in (await talk.asked(child, f"/alert {drill.id}")).text


async def test_a_real_cry_during_a_drill_is_an_alert_of_its_own(talk: Talk) -> None:
    drill = await begun(talk)
    await talk.told()
    real = await talk.alarm(ELDER, "fire", "王强")
    assert real.id != drill.id and not real.drill
    assert MARK not in (await talk.told())["李娜"][0]
    await talk.asked("王强", f"/claim {drill.id}", "紧急 张桂芳")
    assert (await talk.now(drill)).words == ""


async def test_it_ends_by_itself_and_leaves_nothing_to_be_asked_after(talk: Talk) -> None:
    drill = await begun(talk)
    assert (await talk.now(drill)).running
    await goes(talk, 59)
    assert (await talk.now(drill)).running
    said = (await goes(talk, 2))["王强"]
    assert any("自己结束了" in text and MARK in text for text in said)
    assert (await talk.now(drill)).state == "false_alarm"
    closed = await begun(talk)
    await talk.asked("王强", f"/claim {closed.id}", f"/close {closed.id}", "练了", "练了", "6", "还没有", "提交")
    wang = Scope(talk.running.village.people["王强"], START.date())

    def left(tx: Tx) -> tuple[list[str], int | None]:
        row = tx.one(select(tables.alerts.c.next_at).where(tables.alerts.c.id == closed.id))
        return alert_risks.elders(tx, wang), row[0] if row else 0
    assert await talk.running.store.read(left) == ([], None)


async def test_a_made_up_name_is_for_who_coordinates_one_village_and_stands_on_the_card(talk: Talk) -> None:
    kind = await talk.asked("何村长", "演练 王大爷")
    reach = await talk.asked("何村长", token(kind, "摔倒"))
    await talk.asked("何村长", token(reach, "村里"), token(reach, "村里"))
    [drill] = await talk.running.store.read(alert_drills.running)
    assert drill.elder_id is None
    assert "王大爷" in (await talk.asked("何村长", f"/alert {drill.id}")).text
    assert "请从名单里点" in (await talk.asked("赵敏", "演练 王大爷")).text


@pytest.mark.parametrize(("who", "rest"), [
    ("王强", "1 fire {}"), ("李娜", "1 fire {}"), ("赵敏", "1 abuse {}"), ("赵敏", "3 fire {}"), ("赵敏", "1 fire x"), ("赵敏", "")])
async def test_who_may_not_or_a_forged_button_starts_none(talk: Talk, who: str, rest: str) -> None:
    await talk.asked(who, f"/drillgo {rest.format(talk.running.village.elders[ELDER])}")
    assert await talk.running.store.read(alert_drills.running) == []


async def test_no_contact_is_called_and_no_file_is_opened_for_a_drill(talk: Talk) -> None:
    await talk.file_says(ELDER, emergency_name="陈芳", emergency_phone="13800000001")
    drill = await begun(talk)
    card = await talk.asked("王强", f"/claim {drill.id}")
    assert "138" not in card.text and "家属" not in card.text and "打通" not in "".join(labels(card))
    zhao = Scope(talk.running.village.people["赵敏"], START.date())
    assert await talk.running.store.read(lambda tx: glass.openable(tx, zhao, drill.number)) is None
    assert await talk.running.store.read(lambda tx: alerts.running_of(tx, drill.elder_id or "")) is None
