"""Another body's list beside the ledger: who stands on both, where they differ, and nothing without a yes."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import pytest_asyncio
from sqlalchemy import select

from bot import matching as bot_matching
from bot.matching import KEPT
from conversations import book as books
from conversations.documents import file_kind
from conversations.message import Inbound, Media
from scheduler import casework, matching
from scheduler import policy as policies
from scheduler.policy import Policies
from storage import areas, assignments, duplicates, elders, jobs, people, tables
from storage.database import Store, StoreUnavailable, Tx
from storage.elder_files import read
from storage.elders import NewElder
from storage.scope import Scope
from storage.tables import audit, outbox, posts
from tests.conversations.transcript import lines_of, marked
from tests.fakes.house import START, Recorder, Running, bind, find_account, settle
from tests.fakes.ledger_files import id_number, xlsx

LUO, HE, FAR, NEW = (id_number(date(1948, 5, 12), turn=turn) for turn in range(4))
HEAD = ["姓名", "身份证号", "残疾等级", "能力等级", "曾患病史", "状态"]


class Office:
    """The village with two elders whose ID numbers are known, and one in another township."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self.running, self.recorder, self.store = running, recorder, running.store
        self.said = 0
        self.elders: dict[str, str] = {}

    def settle(self, tx: Tx) -> None:
        made = START - timedelta(days=50)
        other = areas.add(tx, areas.add(tx, None, "township", "白塔镇", made), "village", "龙井村", made)
        people.add(tx, other.id, "外人", ("village",), made)
        village = areas.named(tx, "建设村")[0].id
        for name, number, where in (("罗玉兰", LUO, village), ("何素云", HE, village), ("外乡人", FAR, other.id)):
            new = NewElder(where, "1组", name, "x", "male", "1948-05-12", ["empty_nest"], "intact", "2026-01-01",
                           id_number=number, facts={"illnesses": "高血压"})
            self.elders[name] = casework.register(tx, new, policies.load(), made)
        assignments.entrust(tx, self.running.village.people["王强"], self.elders["罗玉兰"], "visitor", "2026-01-01")

    async def does(self, text: str = "", file: bytes = b"", choice: str = "", who: str = "赵敏") -> str:
        """Says or sends something, lets the jobs be done; gives all that is answered."""
        self.said += 1
        self.recorder.files = {"it": file}
        account, sent = find_account(who), len(self.recorder.sent.get(find_account(who), []))
        media = (Media("file", "it", len(file), "名单.xlsx"),) if file else ()
        await self.running.handle(Inbound("test", account, account, str(self.said), self.running.now(), text=text,
                                          choice=choice, media=media))
        await self.running.delivery.settle()
        await self.running.work()
        return "\n".join(each.text for each in self.recorder.sent[account][sent:])

    @property
    def workbook(self) -> bytes:
        return self.recorder.documents[-1].body

    async def file(self, name: str) -> NewElder:
        scope = Scope(self.running.village.people["赵敏"], START.date())
        found = await self.store.read(lambda tx: read(tx, scope, self.elders[name]))
        assert found is not None
        return found

    async def revises(self, name: str, **fields: Any) -> None:
        scope = Scope(self.running.village.people["赵敏"], START.date())

        def work(tx: Tx) -> None:
            file = read(tx, scope, self.elders[name])
            assert file is not None
            new = NewElder(**{slot: getattr(file, slot) for slot in NewElder.__slots__} | fields)
            casework.revise(tx, scope, self.elders[name], new, policies.load(), START)

        await self.store.run(work)

    def button(self, label: str) -> str:
        return next(token for shown in reversed(self.recorder.sent[find_account("赵敏")]) for row in shown.buttons
                    for text, token in row if label in text)


@pytest_asyncio.fixture
async def office(store: Store) -> Office:
    form = books.from_folder().current["visit"]
    village = await store.run(lambda tx: settle(tx, form))
    await store.run(lambda tx: bind(tx, village, ("test",)))
    recorder = Recorder()
    made = Office(Running(store, village, recorder), recorder)
    await store.run(made.settle)
    return made


def a_list(*lines: list[Any]) -> bytes:
    return xlsx([HEAD, *lines])


async def test_who_is_in_another_township_is_no_more_than_somebody_unknown(office: Office) -> None:
    said = await office.does(file=a_list(["外乡客", FAR, "一级"], ["新来的", NEW, "一级"], ["罗玉兰", LUO, "一级"]))
    assert "对上 1 位" in said and "台账里没有 2 位" in said
    told = list(lines_of(office.workbook))
    assert [line for line in told if "外乡" in line] == [f"外乡客 | {FAR} |  | 表1 | 2"]
    assert not any("龙井" in line or "白塔" in line or "高血压" in line for line in told)


async def test_nobody_is_matched_or_changed_by_who_does_not_coordinate_where_he_lives(office: Office) -> None:
    zhao, wang = (Scope(office.running.village.people[name], START.date()) for name in ("赵敏", "王强"))
    change = [duplicates.Change("illnesses", "高血压", "糖尿病")]

    def work(tx: Tx) -> tuple[list[set[str]], list[str]]:
        path, other = areas.named(tx, "云溪镇")[0].path, areas.named(tx, "白塔镇")[0].id
        tx.run(posts.insert().values(person_id=zhao.person_id, role="township", area_id=other))
        found = [set(duplicates.listed(tx, scope, where, [LUO, HE, FAR])) for scope, where in (
            (zhao, ""), (zhao, path), (wang, ""))]
        return found, list(matching.take(tx, wang, office.elders["罗玉兰"], change, policies.load(), START))

    found, outcomes = await office.store.run(work)
    # all of hers, of these those in the area of the list; a visitor's elders are no coordinator's
    assert found == [{LUO, HE, FAR}, {LUO, HE}, set()] and outcomes == ["gone"]


async def test_only_what_is_marked_is_taken_over_and_class_and_audit_follow(office: Office) -> None:
    await office.does(file=a_list(["罗玉兰", LUO, "二级", "中度失能", "糖尿病"]))
    before = await office.file("罗玉兰")
    assert "采纳 2 项" in await office.does(file=marked(office.workbook, {1, 3}))
    file = await office.file("罗玉兰")
    assert (file.ability, file.disability_grade, file.facts) == ("moderate", None, {"illnesses": "糖尿病"})
    assert before.ability == "intact" and before.facts == {"illnesses": "高血压"}
    scope = Scope(office.running.village.people["赵敏"], START.date())
    elder = await office.store.read(lambda tx: elders.find(tx, scope, office.elders["罗玉兰"]))
    assert elder is not None and elder.care_class == "priority"
    chain = str(await office.store.read(lambda tx: tx.all(select(audit.c.entries))))
    assert "elder.listed" in chain and "糖尿病" not in chain


async def test_what_the_ledger_says_otherwise_by_now_stays_and_is_told(office: Office) -> None:
    await office.does(file=a_list(["罗玉兰", LUO, "二级", None, "糖尿病"]))
    await office.revises("罗玉兰", facts={"illnesses": "痛风"})
    said = await office.does(choice=office.button("全部采纳"))
    assert "采纳 1 项" in said and "改过的有 1 项" in said
    file = await office.file("罗玉兰")
    assert (file.disability_grade, file.facts) == (2, {"illnesses": "痛风"})
    (line,) = [line for line in lines_of(office.workbook) if "又改过" in line]
    assert line.startswith("建设村 | 7 | 罗玉兰 | 曾患病史 | 高血压 | 糖尿病")


async def test_a_value_that_was_typed_over_in_the_workbook_is_not_taken(office: Office) -> None:
    await office.does(file=a_list(["罗玉兰", LUO, "二级"]))
    book = openpyxl.load_workbook(BytesIO(marked(office.workbook, {1})))
    book.worksheets[0].cell(2, 6).value = "1级"
    book.save(out := BytesIO())
    assert "采纳 0 项" in await office.does(file=out.getvalue())
    assert (await office.file("罗玉兰")).disability_grade is None


async def test_a_death_is_taken_by_its_own_mark_only_and_who_visits_is_told(office: Office) -> None:
    said = await office.does(file=a_list(["罗玉兰", LUO, None, None, None, "死亡"]))
    assert "去世" in said and not any("全部采纳" in text for row in office.recorder.sent["7003"][-1].buttons
                                      for text, _ in row)
    assert "采纳 1 项" in await office.does(file=marked(office.workbook, {1}))
    scope = Scope(office.running.village.people["赵敏"], START.date())
    elder = await office.store.read(lambda tx: elders.find(tx, scope, office.elders["罗玉兰"]))
    assert elder is not None and (elder.status, elder.condition, elder.condition_since) == (
        "closed", "died", "2026-03-05")
    kinds = await office.store.read(lambda tx: [row[0] for row in tx.all(select(outbox.c.kind))])
    assert kinds.count("life_changed") == 1


async def test_a_death_that_somebody_higher_is_to_confirm_is_not_taken(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = Policies(policies.load().city.model_copy(update={"life_confirmed_by": "county"}))
    monkeypatch.setattr(office.running, "policies", strict)
    office.running.use(office.running.book)
    await office.does(file=a_list(["罗玉兰", LUO, None, None, None, "死亡"]))
    assert "采纳 0 项" in await office.does(file=marked(office.workbook, {1}))
    assert any("用“变动”报" in line for line in lines_of(office.workbook))
    scope = Scope(office.running.village.people["赵敏"], START.date())
    elder = await office.store.read(lambda tx: elders.find(tx, scope, office.elders["罗玉兰"]))
    assert elder is not None and elder.status == "active"


async def test_nobody_answers_the_list_of_somebody_else_and_none_is_answered_too_late(office: Office) -> None:
    await office.does(file=a_list(["罗玉兰", LUO, "二级"]))
    answer = marked(office.workbook, {1})
    await office.store.run(lambda tx: tx.run(posts.insert().values(
        person_id=office.running.village.people["李军"], role="township", area_id=areas.named(tx, "云溪镇")[0].id)))
    assert "已经删掉了" in await office.does(file=answer, who="李军")
    office.running.at = START + KEPT + timedelta(hours=1)
    assert "已经删掉了" in await office.does(file=answer)
    assert (await office.file("罗玉兰")).disability_grade is None


async def test_a_post_lost_meanwhile_takes_nothing(office: Office) -> None:
    await office.does(file=a_list(["罗玉兰", LUO, "二级"]))
    token = office.button("全部采纳")
    await office.store.run(lambda tx: tx.run(posts.delete()))
    await office.does(choice=token)
    found = await office.store.read(lambda tx: tx.all(select(tables.elders.c.disability_grade).where(
        tables.elders.c.id == office.elders["罗玉兰"])))
    assert list(found) == [(None,)]


async def test_what_is_cut_off_in_the_middle_goes_on_and_tells_all_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_matching, "CHUNK", 1)
    await office.does(file=a_list(["罗玉兰", LUO, "二级"], ["何素云", HE, "三级"]))
    answer = marked(office.workbook, {1, 2})
    await office.revises("罗玉兰", disability_grade=4)  # the first line is to be told as left
    take, away = matching.take, {office.elders["何素云"]}

    def cut(tx: Tx, scope: Scope, elder: str, *more: Any) -> list[matching.Outcome]:
        if elder in away:
            raise StoreUnavailable
        return take(tx, scope, elder, *more)

    monkeypatch.setattr(matching, "take", cut)
    await office.does(file=answer)
    assert (await office.file("何素云")).disability_grade is None
    away.clear()
    office.running.later(jobs.LEASE.total_seconds())
    said = await office.does("你好")
    assert "采纳 1 项" in said and "改过的有 1 项" in said
    assert [line for line in lines_of(office.workbook) if "罗玉兰" in line and "又改过" in line]


@pytest.mark.parametrize(("head", "line", "kind"), [
    (["姓名", "身份证号", "村", "对象类型"], ["罗玉兰", LUO, "建设村", "独居"], "ledger"),
    (["姓名", "身份证号", "村", "独居"], ["罗玉兰", LUO, "建设村", "√"], "ledger"),
    (["姓名", "村", "出生日期"], ["罗玉兰", "建设村", "1948-05-12"], "ledger"),
    (["姓名", "身份证号", "村", "人员类别"], ["罗玉兰", LUO, "建设村", "肢体"], "list"),
    (["身份证号码", "残疾等级"], [LUO, "二级"], "list"), (["乱七八糟", "什么"], ["一", "二"], "ledger")])
def test_a_list_is_told_from_a_ledger_by_what_it_says(head: list[str], line: list[str], kind: str) -> None:
    assert file_kind.kind(xlsx([head, line])) == kind
