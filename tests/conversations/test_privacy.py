"""Who may read an ID number, a phone, the readers of a file, or all of it; and what the chain says afterwards."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document

from conversations.book import from_folder
from conversations.documents import making, own_data
from conversations.message import Inbound
from conversations.words_book import Words, sources
from scheduler import annex2, calls, policy
from storage import (
    accounts,
    assignments,
    audit,
    call_plans,
    contacts,
    elder_files,
    needs,
    people,
    requests,
    tellings,
    visits,
)
from storage.audit import Line
from storage.contacts import Contact
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elder_files import Wish
from storage.people import ROLES
from storage.scope import Scope
from tests.fakes.house import PRIVATE, START, Originals, Recorder, Running, Village

ROOT = Path(__file__).parents[2]
ELDER, SEEN = "张桂芳3组", "仇大山6组"  # the second was visited once
ANSWERED = {"idnumber": PRIVATE["id_number"], "phone": PRIVATE["phone"], "audit": "谁看过或改过", "owndata": "本人资料", "printfile": "一式三份"}
EVERY = frozenset(ANSWERED)
# who somebody is, as (role, where) of a post or as an assignment: what he may do about this elder
RIGHTS = {
    "village, here": EVERY, "township, here": EVERY, "county, here": EVERY,
    "village, next door": frozenset(), "city, here": frozenset(), "operator, here": frozenset(),
    "first_contact, assigned": frozenset({"phone", "printfile"}), "visitor, assigned": frozenset(), "family, assigned": frozenset(),
    "self, assigned": frozenset(),
    "visitor, assigned; village, next door": frozenset(),  # what he may do there is not what he may do here
    "first_contact, assigned; village, next door": frozenset({"phone", "printfile"}),
    "visitor, here": frozenset(),
}


@dataclass
class Office:
    running: Running
    recorder: Recorder
    store: Store
    village: Village
    count: int = 0

    async def says(self, account: str, text: str) -> str:
        self.count += 1
        await self.running.handle(Inbound("test", account, account, f"p{self.count}", self.running.at, text=text))
        await self.running.delivery.settle()
        return self.recorder.sent[account][-1].text

    async def newcomer(self, who: str, elder: str = ELDER) -> str:
        """Somebody with these roles and assignments; gives his account."""
        def work(tx: Tx) -> str:
            here = people.find(tx, self.village.people["王强"])
            there = people.find(tx, self.village.people["李军"])
            above = people.find(tx, self.village.people["赵敏"])
            assert here and there and above
            person = None
            for each in who.split("; "):
                role, where = each.split(", ")
                home = there if where == "next door" else above if role in ("township", "county", "city") else here
                if person is None:
                    person = people.add(tx, home.area_id, "周平", (role,), START).id
                else:
                    tx.run(people._POST, person_id=person, role=role, area_id=home.area_id)
                if where == "assigned":
                    assignments.entrust(tx, person, self.village.elders[elder], role, "2026-01-01")
            assert person
            accounts.bind(tx, "test", "8001", "8001", person, START)
            return "8001"
        return await self.store.run(work)

    async def lines(self, count: int = 99) -> list[Line]:
        return await self.store.read(lambda tx: audit.about(tx, self.village.elders[ELDER], count))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


@pytest.fixture
async def office(originals: Originals) -> AsyncIterator[Office]:
    store, village = await originals.store()
    recorder = Recorder()
    yield Office(Running(store, village, recorder), recorder, store, village)
    store.close()


def shown(office: Office) -> str:
    """All that was said so far, files' names included."""
    return "\n".join(f"{each.text} {each.document}" for sent in office.recorder.sent.values() for each in sent)


@pytest.mark.parametrize("who", RIGHTS)
async def test_each_may_read_what_his_part_in_this_elders_care_calls_for(who: str, office: Office) -> None:
    account = await office.newcomer(who)
    elder = office.village.elders[ELDER]
    allowed = {command for command, expected in ANSWERED.items()
               if expected in await office.says(account, f"/{command} {elder}")}
    assert allowed == RIGHTS[who]
    pressed = {token.split()[0].removeprefix("/") for row in await _file_buttons(office, account, elder)
               for _, token in row} & EVERY
    assert pressed == RIGHTS[who]
    told = shown(office)
    assert (PRIVATE["id_number"] in told, PRIVATE["phone"] in told) == (
        "idnumber" in RIGHTS[who], "phone" in RIGHTS[who])


@pytest.mark.parametrize(("who", "reads"), [
    ("first_contact, assigned", True), ("family, assigned; first_contact, assigned", False),
    ("family, assigned; village, here", True), ("family, assigned; visitor, here", False)])
async def test_who_is_family_reads_no_visit_that_others_made_and_nothing_of_his_brothers_and_sisters(
        who: str, reads: bool, office: Office) -> None:
    account, elder = await office.newcomer(who, SEEN), office.village.elders[SEEN]

    def settle(tx: Tx) -> str:
        brother = people.add(tx, people.find(tx, office.village.people["王强"]).area_id, "周远", ("family",), START).id  # type: ignore[union-attr]
        assignments.entrust(tx, brother, elder, "family", "2026-01-01")
        contacts.add(tx, Contact("c", elder, brother, "2026-03-01", START, "phone", "unreachable", ""))
        return visits.last(tx, Scope(office.village.people["王强"], START.date()), elder, 1)[0].visit_id
    visit = await office.store.run(settle)
    card = await office.says(account, f"/elder {elder}")
    pressed = {token.split()[0] for row in office.recorder.sent[account][-1].buttons for _, token in row}
    assert ("周远" in card, "/record" in pressed) == (reads, reads)
    assert ("没找到这条记录" not in await office.says(account, f"/record {visit}")) == reads
    assert ("没找到这条记录" not in await office.says(account, f"/printvisit {visit}")) == reads
    assert (await office.says(account, f"/telling {elder}")).startswith("仇大山 · 告诉家属") == reads
    assert ("上次" in await office.says(account, f"/visit {elder}")) == reads


async def test_who_is_family_no_more_is_not_waited_for(office: Office) -> None:
    elder = office.village.elders[SEEN]

    def remind(tx: Tx) -> str:
        here = people.find(tx, office.village.people["王强"])
        assert here
        child = people.add(tx, here.area_id, "周远", ("family",), START).id
        assignments.entrust(tx, child, elder, "family", "2026-01-01")
        plan = calls.begin(tx, child, elder, policy.load().city, START)
        assert call_plans.asked(tx, plan, START + timedelta(days=7), START)
        return child
    child = await office.store.run(remind)
    assert "还没有回音" in await office.says("7001", f"/elder {elder}")
    await office.store.run(lambda tx: assignments.end(tx, child, elder, START.date()))
    assert "还没有回音" not in await office.says("7001", f"/elder {elder}")


async def _file_buttons(office: Office, account: str, elder: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    await office.says(account, f"/elder {elder}")
    return office.recorder.sent[account][-1].buttons


async def test_each_reading_leaves_a_line_with_the_fields_name_and_a_refused_one_leaves_none(office: Office) -> None:
    elder = office.village.elders[ELDER]
    before = len(await office.lines())
    await office.says("7001", f"/idnumber {elder}")
    assert len(await office.lines()) == before
    await office.says("7003", f"/idnumber {elder}")
    await office.says("7003", f"/phone {elder}")
    newest = [(entry.actor, entry.action, entry.fields) for line in await office.lines(2) for entry in line.entries]
    zhao = office.village.people["赵敏"]
    assert newest == [(zhao, "elder.reveal", ("phone",)), (zhao, "elder.reveal", ("id_number",))]
    told = await office.says("7003", f"/audit {elder}")
    assert re.findall(r"赵敏 (看了.+)", told) == ["看了电话", "看了身份证号"]


async def test_who_read_a_file_is_told_a_page_at_a_time(office: Office) -> None:
    elder = office.village.elders[ELDER]
    for _ in range(12):
        await office.says("7003", f"/elder {elder}")
    first = await office.says("7003", f"谁看过 {office.village.elders[ELDER]}")
    assert first.count("看了档案") == 10
    (_, token), = office.recorder.sent["7003"][-1].buttons[-1]
    assert "看了档案" in await office.says("7003", token)
    assert "没有更早的记录了" in await office.says("7003", f"/audit {elder} 1")


async def test_nobody_reads_of_an_erased_elder(office: Office) -> None:
    from storage import erasing

    elder = office.village.elders[ELDER]
    await office.store.run(lambda tx: erasing.erase(tx, elder, "op", START.date(), START))
    for command in (*ANSWERED, "wish", "change"):
        assert "没找到这位老人" in await office.says("7003", f"/{command} {elder}")


async def test_the_own_data_are_all_there_in_words(office: Office) -> None:
    elder = office.village.elders[ELDER]
    zhao, wang = office.village.people["赵敏"], office.village.people["王强"]
    await office.store.run(lambda tx: elder_files.keep_wish(
        tx, elder, Wish("willing", "本人同意", "2026-02-01", wang), START))
    await office.says("7003", f"/phone {elder}")
    wanted = {"kind": "own_data", "elder": elder, "person": zhao}
    make = await office.store.read(lambda tx: making.prepare(tx, office.running.house, wanted, office.running.at))
    assert make is not None
    file = make(Words())
    document = Document(BytesIO(file.body))
    cells = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    for row in (["姓名", "张桂芳"], ["身份证号", PRIVATE["id_number"]], ["电话", PRIVATE["phone"]],
                ["曾患病史", "高血压"], ["经济状况", "低保"], ["是否居住在户籍地", "是"], ["类型", "独居"],
                ["2月1日 周日", "愿意", "本人同意", "王强"], ["王强", "探访人员", "1月1日 周四", ""],
                ["张桂芳", "女", "", "户主", "", "", "是"]):
        assert row in cells
    assert ["3月5日 周四 09:00", "赵敏", "看了电话"] in cells
    assert file.name == "本人资料-张桂芳-2026-03-05.docx"


async def test_the_own_data_hold_what_his_family_reported_and_asked_for(office: Office) -> None:
    elder, child, wang = office.village.elders[ELDER], office.village.people["李娜"], office.village.people["王强"]

    def work(tx: Tx) -> None:
        tellings.add(tx, elder, child, allowed=True, withheld=("mood",), on_day="2026-03-04", by=wang, now=START)
        contacts.add(tx, Contact(contacts.id_of(child, elder, 1), elder, child, "2026-03-05", START, "phone", "trouble",
                                 "膝盖疼"))
        requests.add(tx, elder, "visit", "2026-03-08", child, START, words="看看灶")
        needs.add(tx, elder, "contact", "1", "膝盖疼", child, START)

    await office.store.run(work)
    wanted = {"kind": "own_data", "elder": elder, "person": office.village.people["赵敏"]}
    make = await office.store.read(lambda tx: making.prepare(tx, office.running.house, wanted, office.running.at))
    assert make is not None
    document = Document(BytesIO(make(Words()).body))
    cells = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    for row in (["3月4日 周三", "李娜", "可以告诉，不说心情", "王强"], ["3月5日 周四", "李娜", "有困难", "膝盖疼"],
                ["3月8日 周日", "李娜", "请人去看看", "看看灶", ""], ["3月5日 周四", "李娜", "膝盖疼", "", ""]):
        assert row in cells


async def test_the_own_data_hold_every_visit_with_its_answers(office: Office) -> None:
    wanted = {"kind": "own_data", "elder": office.village.elders["仇大山6组"], "person": office.village.people["赵敏"]}
    make = await office.store.read(lambda tx: making.prepare(tx, office.running.house, wanted, office.running.at))
    assert make is not None
    document = Document(BytesIO(make(Words()).body))
    assert "第 1 次探访 · 2026年2月20日 周五 · 王强" in [each.text for each in document.paragraphs]
    cells = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    assert ["疾病名称", "高血压"] in cells and ["情绪状态", "较好"] in cells


async def test_a_document_is_not_made_for_who_may_not_see_the_elder_any_more(office: Office) -> None:
    wanted = {"kind": "own_data", "elder": office.village.elders[ELDER], "person": office.village.people["李军"]}
    assert await office.store.read(
        lambda tx: making.prepare(tx, office.running.house, wanted, office.running.at)) is None


def test_the_own_data_have_a_word_for_every_field_of_annex_2() -> None:
    missing = [name for name in (*own_data.COLUMNS, *annex2.FACTS, *annex2.MEMBER)
               if f"own_field.{name}" not in sources() and name != annex2.HOUSEHOLD]
    form = from_folder().current["elder"]
    members = [option.id for asked in ("member_relation.1", "member_health.1") for option in form.by_id[asked].options]
    missing += [f"value {code}" for code in (*annex2.ECONOMIC, *annex2.HELP_UNITS, *members) if f"own_value.{code}" not in sources()]
    assert missing == []


def test_every_action_of_the_chain_has_its_word() -> None:
    code = "\n".join(path.read_text() for room in ("storage", "scheduler", "conversations", "bot")
                     for path in (ROOT / room).rglob("*.py"))
    noted = set(re.findall(r"""note\([^"'\n]*["']([a-z_]+\.[a-z_]+)["']""", code))
    assert noted >= {"elder.read", "elder.reveal", "visit.submit"}
    assert sorted(action for action in noted if f"audit_action.{action}" not in sources()) == []


def test_the_roles_of_the_rights_are_those_there_are() -> None:
    assert {part.split(", ")[0] for who in RIGHTS for part in who.split("; ")} == set(ROLES)

