"""Visits as a workbook: of the asked area and time and of no other, in words, and nothing in it is a formula."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import pytest_asyncio

from bot.sheets import Ledgers
from conversations import book as books
from conversations.message import Inbound, Media
from scheduler import annex2, casework
from scheduler import policy as policies
from storage import areas, elder_files, people, visits
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.ids import millis
from storage.scope import Scope
from storage.tables import posts
from storage.visits import Entry
from tests.fakes.house import EARLIER, START, Recorder, Running, bind, settle
from tests.fakes.ledger_files import id_number

ZHAO = "7003"


class Office:
    """The village with a township next to it, and the coordinator who asks for exports."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self.running, self.recorder = running, recorder
        self.said = 0

    async def exports(self, what: str) -> list[tuple[Any, ...]]:
        """The lines of the workbook that a command brings; none where there is no workbook."""
        self.said += 1
        self.recorder.documents.clear()
        await self.running.handle(Inbound("test", ZHAO, ZHAO, str(self.said), self.running.now(), text=what))
        await self.running.delivery.settle()
        await self.running.work()
        if not self.recorder.documents:
            return []
        (document,) = self.recorder.documents
        sheet, *others = openpyxl.load_workbook(BytesIO(document.body)).worksheets
        for each in (sheet, *others):
            assert not [cell for row in each.iter_rows() for cell in row if cell.data_type == "f"]
        return list(sheet.iter_rows(values_only=True))

    def area(self, name: str, tx: Tx) -> str:
        return areas.named(tx, name)[0].id

    async def id_of(self, name: str) -> str:
        return await self.running.store.read(lambda tx: self.area(name, tx))


@pytest_asyncio.fixture
async def office(store: Store) -> Office:
    form = books.from_folder().current["visit"]
    village = await store.run(lambda tx: settle(tx, form))
    await store.run(lambda tx: bind(tx, village, ("test",)))

    def elsewhere(tx: Tx) -> None:
        """One visit in the next village and one in another township, in January."""
        policy, made = policies.load(), START - timedelta(days=50)
        other = areas.add(tx, areas.add(tx, None, "township", "白塔镇", made), "village", "龙井村", made)
        visitor = people.add(tx, other.id, "外人", ("village",), made).id
        far = casework.register(tx, NewElder(other.id, "1组", "外乡人", "wxr", "male", "1940-01-01", ["living_alone"],
                                             "intact", "2026-01-01"), policy, made)
        for elder, writer in ((far, visitor), (village.elders["陈国清1组"], village.people["李军"])):
            given: dict[str, Any] = {"elder": elder, "day": "2026-01-20", **EARLIER, "care_given": "=1+1"}
            entry = Entry(elder, form.hash, "2026-01-20", "home", True,
                          {name: [value, millis(made), "tap"] for name, value in given.items()}, "")
            assert casework.submit(tx, Scope(writer, made.date()), entry, policy, made) is not None

    await store.run(elsewhere)
    recorder = Recorder()
    return Office(Running(store, village, recorder), recorder)


async def test_visits_of_the_year_are_there_by_day_and_in_words(office: Office) -> None:
    head, *lines = await office.exports("/export visits " + await office.id_of("云溪镇") + " 2026")
    assert [(line[0], line[3], line[5], line[7]) for line in lines] == [
        ("河坝村", "陈国清", "2026-01-20", "李军"), ("建设村", "仇大山", "2026-02-20", "王强")]
    told = dict(zip(head, lines[1], strict=True))
    assert (told["探访方式"], told["疾病名称"], told["燃气安全"]) == ("上门探访", "高血压", "较安全")
    assert dict(zip(head, lines[0], strict=True))["关爱服务情况"] == "=1+1"
    assert lines[0][6] == "补录" and lines[1][6] is None


@pytest.mark.parametrize(("where", "when", "elders"), [
    ("云溪镇", "2026-01", ["陈国清"]), ("建设村", "2026", ["仇大山"]), ("建设村", "2026-01", []), ("河坝村", "2025", [])])
async def test_only_the_area_and_the_time_asked_for(office: Office, where: str, when: str, elders: list[str]) -> None:
    lines = await office.exports(f"/export visits {await office.id_of(where)} {when}")
    assert [line[3] for line in lines[1:]] == elders


@pytest.mark.parametrize("where", ["白塔镇", "龙井村"])
async def test_nothing_of_another_township_is_given(office: Office, where: str) -> None:
    assert await office.exports(f"/export visits {await office.id_of(where)} 2026") == []
    assert "用不了" in office.recorder.sent[ZHAO][-1].text


async def test_a_post_lost_before_the_file_is_made_gives_none(office: Office) -> None:
    area = await office.id_of("云溪镇")
    office.said += 1
    await office.running.handle(Inbound("test", ZHAO, ZHAO, "x", office.running.now(), text=f"/export visits {area} 2026"))
    await office.running.store.run(lambda tx: tx.run(posts.delete()))
    await office.running.work()
    assert office.recorder.documents == []
    assert "不管这个地方了" in office.recorder.sent[ZHAO][-1].text


def whole(village: str, certificate: str) -> NewElder:
    """A file with all that annex 2 asks, in which nothing is easy for a spreadsheet."""
    facts: dict[str, Any] = {
        "address": "=1+1 号", "at_registered_residence": False, "emergency_name": "+罗强", "emergency_phone": "08303123456",
        "emergency2_name": "@罗敏", "emergency2_phone": "13900000002", "disability_certificate": certificate,
        "certificate_until": "2031-05-12", "illnesses": "无", "economic": "ordinary", "income_source": "-务农", "income": 0,
        "household": [
            {"name": "罗玉兰", "sex": "female", "relation": "head", "health": "fair", "on_relief": True, "visits_often": False},
            {"name": "罗强", "id_number": id_number(date(1975, 3, 1)), "relation": "child"}, {"name": "欧阳敏"}],
        "water_safe": True, "electricity_safe": False, "house_safe": True, "household_income": 2000, "pension": 0,
        "assistance": "'低保金", "assistance_amount": 300, "help_unit": "township_village", "help_person": "=王强",
        "help_measures": "每周\n送餐"}
    assert facts.keys() == set(annex2.FACTS)
    number = next(each for turn in range(500) if (each := id_number(date(1948, 5, 12), False, turn=turn)).endswith("X"))
    return NewElder(
        village, "2组", "罗玉兰", "lyl", "female", "1948-05-12", ["living_alone", "severely_disabled"], "mild",
        "2025-01-01", 1, number, "08302345678", facts, 3, "2026-01-02", wish="undecided")


async def test_a_ledger_that_goes_out_says_all_of_annex_2_to_who_reads_it(office: Office) -> None:
    village = await office.id_of("建设村")
    kept = whole(village, "51050219480512002X11")
    alone = NewElder(village, "", "罗山", "ls", "male", "1940-01-01", ["living_alone"], "", "2025-01-02",
                     facts={annex2.ALONE: True})
    named = replace(alone, name="罗川", initials="lc", facts={"household": [{"name": "罗敏", "relation": "sibling"}]})
    for file in (kept, alone, named):
        await office.running.store.run(partial(casework.register, new=file, policies=policies.load(), now=START))
    await office.exports(f"/export ledger {village}")
    (document,) = office.recorder.documents
    ledger = await Ledgers(office.running.store, policies.load()).open(document.body, None, "p", START)
    files = {file.name: file async for _, made in ledger.portions() for file in made}
    for file in (kept, alone, named):
        back = files[file.name]
        assert replace(back, categories=list(back.categories)) == file


async def test_a_ledger_that_goes_out_and_comes_in_again_changes_nothing(office: Office) -> None:
    file = whole(await office.id_of("建设村"), "51050219480512002X11")
    await office.running.store.run(partial(casework.register, new=file, policies=policies.load(), now=START))
    head, *lines = await office.exports(f"/export ledger {await office.id_of('云溪镇')} all")
    assert [line[head.index("姓名")] for line in lines] == [
        "张桂芳", "曾国富", "张桂芳", "单秀英", "仇大山", "欧阳明", "陈国清", "罗玉兰"]
    told = dict(zip(head, lines[-1], strict=True))
    assert (told["身份证号"], told["探访对象类型"], told["住址"]) == (file.id_number, "独居、重残", "=1+1 号")
    (document,) = office.recorder.documents
    office.recorder.files = {"back": document.body}
    media = (Media("file", "back", len(document.body), "back"),)
    await office.running.handle(Inbound("test", ZHAO, ZHAO, "back", office.running.now(), media=media))
    await office.running.work()
    # one of the village has a made-up number, which is told and not taken: in his line and in that of his household
    assert "新增 0，更改 0，有误 2，没有变化 7。" in office.recorder.sent[ZHAO][-1].text


async def test_files_with_a_surname_and_no_birth_come_back_by_their_number(office: Office) -> None:
    village = await office.id_of("建设村")
    bare = NewElder(village, "4组", "张某", "zm", None, None, ["empty_nest"], "", "2026-02-03",
                    facts={annex2.SURNAME_ONLY: True})
    second = replace(bare, group_name="5组", facts={"household": [{"name": "张敏", "relation": "child"}]})
    for file in (bare, second):
        await office.running.store.run(partial(casework.register, new=file, policies=policies.load(), now=START))
    before = await office.exports(f"/export ledger {village}")
    (document,) = office.recorder.documents
    ledgers, area = Ledgers(office.running.store, policies.load()), await office.running.store.read(
        lambda tx: areas.find(tx, village))
    opened = await ledgers.open(document.body, area, "p", START + timedelta(days=9))
    looked = await opened.look()
    assert (looked.counts.same, looked.counts.new, looked.counts.changed) == (7, 0, 0)
    assert "张某" not in "".join(fault.value for fault in opened.faults)
    written = await ledgers.open(document.body, area, "p", START + timedelta(days=9))
    async for _, work in written.chunks(0, looked.digests):
        await office.running.store.run(work)
    assert await office.exports(f"/export ledger {village}") == before


async def test_a_ledger_is_of_the_own_area_only(office: Office) -> None:
    head, *lines = await office.exports(f"/export ledger {await office.id_of('河坝村')}")
    assert [line[head.index("姓名")] for line in lines] == ["陈国清"]
    assert await office.exports(f"/export ledger {await office.id_of('龙井村')}") == []


async def test_no_file_and_no_visit_is_listed_for_whom_it_is_not(office: Office) -> None:
    wang, zhao = (Scope(office.running.village.people[name], START.date()) for name in ("王强", "赵敏"))

    def listed(tx: Tx) -> list[int]:
        everywhere, year = "", ("2026-01-01", "2026-12-31")
        return [len(found) for scope in (zhao, wang) for found in (
            elder_files.of_area(tx, scope, everywhere, "", 100),
            visits.of_area(tx, scope, everywhere, year, None, 100))]

    assert await office.running.store.read(listed) == [7, 2, 0, 0]
