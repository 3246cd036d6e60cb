"""Annex 2 as Word, read back cell by cell: what is known in its own cell, what is not known empty."""

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from random import Random
from typing import Any

import pytest
from docx import Document
from docx.document import Document as Docx
from docx.oxml.ns import qn
from sqlalchemy import select

from conversations.documents import making
from conversations.documents.registration_form import AT_ONCE, BOXES, Kept, docx
from conversations.message import Inbound
from conversations.words_book import Words
from scheduler import annex2
from storage import areas, files
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.tables import files as files_table
from storage.tables import posts
from tests.conversations.test_visit_record import FOOT, KEEPERS, MARKUP, cells, paragraphs
from tests.fakes.house import PRIVATE, Originals, Recorder, Running, Village

TITLE = "四川省特殊困难老年人信息登记表"
HEADS = ["序号", "姓名", "性别", "公民身份号码", "与户主 关系", "健康状况", "是否为 低保对象 /特困人员", "是否经 常探访"]
PENSION = "家庭每月领取养老保险、社会救助和社会福利补贴等情况"
HELP = ("□ 党政机关、群团组织 □ 乡镇（街道）、村（居）民委员会 □ 企业 □ 社会组织 □ 专业社会工作者 □ 志愿者 □ 其他")
# Annex 2 of the plan with nothing filled in: a list of cells for each row.
EMPTY_FORM = [
    ["一、探访对象基本情况"],
    ["家庭住址", "县（市、区） 乡镇（街道） 村（居）", "是否居住在 户籍所在地", "□ 是 □ 否"],
    ["被探访人 姓名", "", "联系 电话", "", "紧急 联系人", "", "联系 电话", ""],
    ["对象类型", "□ 孤寡老年人 □ 独居老年人 □ 空巢老年人 □ 留守老年人 □ 失能老年人（包括中、重） "
                 "□ 重残老年人（残疾证号： ） □ 计划生育特殊家庭老年人", "□ 重点对象 □ 一般对象"],
    ["能力程度", "□ 能力完好 □ 轻度失能 □ 中度失能 □ 重度失能"],
    ["曾患病史", ""],
    ["经济情况", "□ 特困人员 □ 低保、低保边缘", "经济 来源", "", "月可支配 收入", ""],
    ["二、家庭基本情况"],
    HEADS,
    ["户主", *[""] * 7], ["2", *[""] * 7], ["3", *[""] * 7], ["4", *[""] * 7], ["5", *[""] * 7],
    ["三、家庭生活条件"],
    ["饮水是否 安全", "", "生活用电 是否安全", "", "住房是否 安全", "", "家庭每月 收入（元）", ""],
    [PENSION, "□ 有领取养老保险，每月 元 □ 无养老保险"],
    [PENSION, "享受社会救助和社会福利补贴项目", ""],
    [PENSION, "每月补贴金额", ""],
    ["四、已享受帮扶情况"],
    ["帮扶单位 （组织）", HELP],
    ["帮扶责任人", ""],
    ["帮扶措施："],
]
PLACES = {"city": "泸州市", "county": "沱阳县", "township": "云溪镇", "village": "建设村"}
NOBODY = NewElder("v", "", "", "", None, None, [], "", "")
WHOLE = NewElder(
    "v", "3组", "李国富", "lgf", "male", "1943-05-12", ["living_alone", "severely_disabled"], "moderate", "2026-03-01",
    disability_grade=1, id_number="510502194305121234", phone="13912345678", facts={
        "address": "建设路12号", "at_registered_residence": False, "emergency_name": "李娜（女儿）",
        "emergency_phone": "13812345678", "emergency2_name": "李涛", "disability_certificate": "51050219430512123411",
        "illnesses": "高血压", "economic": "minimum_living", "income_source": "种地", "income": 0,
        "household": [
            {"name": "王秀英", "sex": "female", "id_number": "510502194601011229", "relation": "spouse", "health": "ill",
             "on_relief": True, "visits_often": True},
            {"name": "李娜", "relation": "child", "visits_often": False}],
        "water_safe": True, "electricity_safe": False, "house_safe": True, "household_income": 2300, "pension": 180,
        "assistance": "低保金", "assistance_amount": 350, "help_unit": "volunteer", "help_person": "王强",
        "help_measures": "每周送餐\n每月量血压"})
BY_OPTION = {
    "at_registered_residence": (1, {"yes": "是", "no": "否"}),
    "categories": (3, {"childless_alone": "孤寡", "living_alone": "独居", "empty_nest": "空巢", "left_behind": "留守",
                       "care_dependent": "失能", "severely_disabled": "重残", "special_family_planning": "计划"}),
    "care_class": (3, {"priority": "重点", "general": "一般"}),
    "ability": (4, {"intact": "能力完好", "mild": "轻度", "moderate": "中度", "severe": "重度"}),
    "economic": (6, {"extreme_poverty": "特困", "minimum_living": "低保"}),
    "pension": (16, {"receives": "有领取", "none": "无养老"}),
    "help_unit": (20, {"party_group": "党政", "township_village": "乡镇", "enterprise": "企业",
                       "social_organisation": "社会组织", "social_worker": "专业", "volunteer": "志愿者", "other": "其他"}),
}


def printed(*kept: Kept) -> Docx:
    return Document(BytesIO(docx(kept, Words())))


def form(file: NewElder, care_class: str = "", *, whole: bool = True, places: dict[str, str] = PLACES) -> list[list[str]]:
    """The rows of its first copy."""
    return cells(printed(Kept(file, care_class, places, whole)).tables[0])


def with_facts(**facts: object) -> NewElder:
    return replace(NOBODY, facts=facts)


def test_an_empty_file_shows_every_word_of_the_official_form_and_nothing_else() -> None:
    document = printed(Kept(NOBODY, "", {}))
    assert [cells(table) for table in document.tables] == [EMPTY_FORM] * 3
    around = ["附件 2", TITLE, "建档日期： 年 月 日", FOOT]
    assert paragraphs(document) == [line for keeper in KEEPERS for line in (keeper, *around)]


def test_everything_known_stands_in_its_own_cell() -> None:
    expected = [list(row) for row in EMPTY_FORM]
    expected[1] = ["家庭住址", "沱阳县 县（市、区） 云溪镇 乡镇（街道） 建设村 村（居） 3组 建设路12号",
                   "是否居住在 户籍所在地", "□ 是 ☑ 否"]
    expected[2][1::2] = ["李国富", "13912345678", "李娜（女儿）", "13812345678"]
    expected[3][1] = expected[3][1].replace("□ 独居", "☑ 独居").replace("□ 重残", "☑ 重残").replace(
        "证号： ", "证号： 51050219430512123411 ")
    expected[3][2] = "☑ 重点对象 □ 一般对象"
    expected[4][1] = expected[4][1].replace("□ 中度", "☑ 中度")
    expected[5][1] = "高血压"
    expected[6][1::2] = ["□ 特困人员 ☑ 低保、低保边缘（低保）", "种地", "0 元"]
    expected[9:12] = [["户主", "李国富", "男", "510502194305121234", "户主", "", "是", ""],
                      ["2", "王秀英", "女", "510502194601011229", "配偶", "患病", "是", "是"],
                      ["3", "李娜", "", "", "子女", "", "", "否"]]
    expected[15][1::2] = ["是", "否", "是", "2300"]
    expected[16][1] = "☑ 有领取养老保险，每月 180 元 □ 无养老保险"
    expected[17][2], expected[18][2] = "低保金", "350 元"
    expected[20][1] = HELP.replace("□ 志愿者", "☑ 志愿者")
    expected[21][1] = "王强"
    expected[22][0] = "帮扶措施： 每周送餐 每月量血压"
    document = printed(Kept(WHOLE, "priority", PLACES))
    assert [cells(table) for table in document.tables] == [expected] * 3
    assert paragraphs(document).count("建档日期：2026 年 3 月 1 日") == 3


def test_the_options_are_those_of_the_form_and_of_the_file() -> None:
    assert {question: set(options) for question, options in BOXES.items()} == {
        question: set(words) for question, (_, words) in BY_OPTION.items()}
    assert set(annex2.ECONOMIC) == {*BOXES["economic"], "minimum_living_edge", "ordinary"}


@pytest.mark.parametrize(("question", "option"), [
    (question, option) for question, (_, words) in BY_OPTION.items() for option in words])
def test_an_answer_ticks_its_own_box_and_no_other(question: str, option: str) -> None:
    value: Any = {"yes": True, "no": False, "receives": 7, "none": 0}.get(option, option)
    file, care_class = with_facts(**{question: value}), ""
    if question == "categories":
        file = replace(NOBODY, categories=[option])
    elif question == "ability":
        file = replace(NOBODY, ability=option)
    elif question == "care_class":
        file, care_class = NOBODY, option
    place, words = BY_OPTION[question]
    ticked = {(number, sign) for number, row in enumerate(form(file, care_class)) for cell in row
              for sign in cell.split("☑ ")[1:]}
    assert len(ticked) == 1
    assert next(iter(ticked))[0] == place and next(iter(ticked))[1].startswith(words[option])


@pytest.mark.parametrize(("ability", "economic", "told"), [
    ("total", "minimum_living_edge", ("☑ 重度失能（完全失能）", "☑ 低保、低保边缘（低保边缘）")),
    ("severe", "minimum_living", ("☑ 重度失能", "☑ 低保、低保边缘（低保）"))])
def test_where_the_form_has_one_box_for_two_the_word_stands_beside_it(
        ability: str, economic: str, told: tuple[str, str]) -> None:
    rows = form(replace(with_facts(economic=economic), ability=ability))
    assert rows[4][1].endswith(told[0]) and rows[6][1].endswith(told[1])


def test_neither_poor_nor_judged_ticks_nothing() -> None:
    assert "☑" not in str(form(with_facts(economic="ordinary")))


SPOUSE, HEAD, UNKNOWN = {"name": "王氏", "relation": "spouse"}, {"name": "李老", "relation": "head"}, {"name": "李某"}


@pytest.mark.parametrize(("facts", "expected"), [
    ({}, [("户主", "李国富", "")]),
    ({"alone": True}, [("户主", "李国富", "户主")]),
    ({"household": [SPOUSE]}, [("户主", "李国富", "户主"), ("2", "王氏", "配偶")]),
    ({"household": [SPOUSE, UNKNOWN]}, [("户主", "李国富", ""), ("2", "王氏", "配偶"), ("3", "李某", "")]),
    ({"household": [SPOUSE, HEAD]}, [("户主", "李老", "户主"), ("2", "李国富", ""), ("3", "王氏", "配偶")]),
    # a spreadsheet may name the elder himself among them: he stands there once
    ({"household": [SPOUSE, {"name": "李国富", "relation": "parent", "health": "ill"}]},
     [("户主", "", ""), ("2", "李国富", "父母"), ("3", "王氏", "配偶")]),
    ({"household": [{"name": f"人{n}", "relation": "child"} for n in range(9)]},
     [("户主", "李国富", "户主"), *((str(n + 2), f"人{n}", "子女") for n in range(9))]),
])
def test_the_head_comes_first_and_the_elder_has_a_row_of_his_own(
        facts: dict[str, object], expected: list[tuple[str, str, str]]) -> None:
    rows = form(replace(WHOLE, facts=facts))
    members = rows[9:rows.index(["三、家庭生活条件"])]
    told = [(row[0], row[1], row[4]) for row in members]
    assert told == expected + [(("户主", "2", "3", "4", "5")[n], "", "") for n in range(len(expected), 5)]
    own = next(row for row in members if row[1] == "李国富")
    assert own[2:4] == ["男", "510502194305121234"]


def test_the_group_is_not_written_twice_beside_an_address_that_names_it() -> None:
    file = replace(NOBODY, group_name="3组", facts={"address": "建设村3组18号"})
    assert form(file)[1][1].endswith("村（居） 建设村3组18号")


def test_who_may_not_read_numbers_gets_their_last_digits() -> None:
    rows = str(form(WHOLE, whole=False))
    for number in ("510502194305121234", "13912345678", "13812345678", "51050219430512123411", "510502194601011229"):
        assert number not in rows and f"****{number[-4:]}" in rows


TEXTS = ("address", "emergency_name", "illnesses", "income_source", "assistance", "help_person", "help_measures")
MEMBER_TEXTS = ("name", "relation", "health")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_written_is_printed_as_it_was_however_long(seed: int) -> None:
    random = Random(seed)

    def text() -> str:
        pieces = [MARKUP, "\x00\x0b\ufffe", "老人说的话。" * random.randint(1, 400), "A" * random.randint(1, 900), "😀", "{{ form }}"]
        return "".join(random.sample(pieces, random.randint(1, len(pieces))))

    facts: dict[str, Any] = {name: text() for name in TEXTS}
    facts["household"] = [{name: text() for name in MEMBER_TEXTS} for _ in range(random.randint(0, 12))]
    file = replace(NOBODY, name=text(), phone=text(), group_name=text(), facts=facts)
    wanted = [*(facts[name] for name in TEXTS), file.name, file.phone, file.group_name,
              *(member[name] for member in facts["household"] for name in MEMBER_TEXTS)]
    document = printed(Kept(file, "general", {level: text() for level in PLACES}))
    for table in document.tables:
        told = {cell.text for cell in table._cells}
        for each in wanted:
            kept = "".join(char for char in each if char not in "\x00\x0b\ufffe")
            assert any(kept in cell for cell in told)
        assert {height.get(qn("w:hRule")) for height in table._tbl.iter(qn("w:trHeight"))} == {"atLeast"}
        assert not table._tbl.findall(f".//{qn('w:cantSplit')}")
        assert table._tbl.tblPr.find(qn("w:tblLayout")).get(qn("w:type")) == "fixed"  # no long word widens a column


def test_many_forms_are_a_pile_for_each_keeper_and_each_form_starts_its_page() -> None:
    count = 2 * AT_ONCE + 1
    document = printed(*(Kept(replace(NOBODY, name=f"老人{n}"), "general", PLACES) for n in range(count)))
    assert [table.rows[2].cells[4].text for table in document.tables] == [f"老人{n}" for n in range(count)] * 3
    starts = [line.text for line in document.paragraphs if line.paragraph_format.page_break_before]
    assert starts == [keeper for keeper in KEEPERS for _ in range(count)]
    assert len(document.sections) == 1


# In the house


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


@pytest.fixture
async def village(originals: Originals) -> AsyncIterator[tuple[Store, Village]]:
    store, village = await originals.store()
    yield store, village
    store.close()


ELDER = "张桂芳3组"


async def made(running: Running, person: str, words: Words | None = None) -> list[list[str]] | None:
    wanted = {"kind": "registration_form", "elder": running.village.elders[ELDER],
              "person": running.village.people[person]}
    make = await running.store.read(lambda tx: making.prepare(tx, running.house, wanted, running.at))
    return cells(Document(BytesIO(make(words or Words()).body)).tables[0]) if make else None


async def test_numbers_are_whole_for_the_coordinator_and_nobody_gets_another_villages_file(
        village: tuple[Store, Village]) -> None:
    running = Running(*village, Recorder())
    whole, short = await made(running, "赵敏"), await made(running, "王强")
    assert PRIVATE["id_number"] in str(whole) and PRIVATE["phone"] in str(whole) and "云溪镇" in str(whole)
    assert PRIVATE["id_number"] not in str(short) and PRIVATE["phone"] not in str(short) and "****1234" in str(short)
    assert await made(running, "李军") is None


@pytest.mark.parametrize("abroad", [True, False], ids=["abroad", "no files"])
async def test_it_waits_whole_behind_a_page_where_it_may_not_or_cannot_be_sent(
        abroad: bool, village: tuple[Store, Village]) -> None:
    recorder = Recorder(abroad=abroad)
    recorder.capabilities = replace(recorder.capabilities, carries_files=abroad)
    running = Running(*village, recorder)
    elder = running.village.elders[ELDER]
    await running.handle(Inbound("test", "7003", "7003", "1", running.at, text=f"/printfile {elder}"))
    await running.delivery.settle()
    said = [shown.text for shown in recorder.sent["7003"]]
    assert recorder.documents == [] and sum("/f/" in text for text in said) == 1
    assert PRIVATE["id_number"] not in str(said) and ("张桂芳" in str(said)) != abroad

    def kept(tx: Tx) -> bytes:
        ((file_id,),) = tx.all(select(files_table.c.id))
        file = files.find(tx, running.village.people["赵敏"], file_id, running.at)
        assert file is not None
        return file.body

    rows = cells(Document(BytesIO(await running.store.read(kept))).tables[0])
    assert rows[2][1] == "张桂芳" and rows[2][3] == PRIVATE["phone"]


async def test_a_village_is_printed_by_file_number_for_who_coordinates_it_and_for_nobody_else(
        village: tuple[Store, Village]) -> None:
    recorder = Recorder()
    running = Running(*village, recorder)

    async def exports(where: str, *, lost: bool = False) -> list[str]:
        area = await running.store.read(lambda tx: areas.named(tx, where)[0].id)
        running.later()
        await running.handle(Inbound("test", "7003", "7003", f"{where}{running.at}", running.at, text=f"/export forms {area}"))
        if lost:
            await running.store.run(lambda tx: tx.run(posts.delete()))
        recorder.documents.clear()
        await running.work()
        return [table.rows[2].cells[4].text for document in recorder.documents
                for table in Document(BytesIO(document.body)).tables]

    def elsewhere(tx: Tx) -> None:
        areas.add(tx, areas.add(tx, None, "township", "白塔镇", running.at), "village", "龙井村", running.at)

    await running.store.run(elsewhere)
    assert await exports("建设村") == ["张桂芳", "曾国富", "张桂芳", "单秀英", "仇大山", "欧阳明"] * 3
    assert await exports("云溪镇") == []  # asked for the village
    assert await exports("龙井村") == []
    assert "用不了" in recorder.sent["7003"][-1].text
    assert await exports("河坝村", lost=True) == []
    assert "不管这个地方了" in recorder.sent["7003"][-1].text
