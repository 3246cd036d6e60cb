"""A township's ledger goes in from the command line, and what does not is told."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from bot.importing import Imported, ImportRefused, import_file
from conversations.documents import ledger_sheet
from conversations.documents.ledger_faults import explain
from scheduler import policy
from scheduler.policy import Policies
from storage import areas, elders, people
from storage.areas import Area
from storage.database import Store, Tx
from storage.elders import Elder
from storage.key_file import load_keys
from storage.opening import open_store
from storage.scope import Scope
from storage.tables import audit
from storage.tables import elders as elders_table
from tests.fakes import ledger_files
from tests.fakes.ledger_files import id_number, xlsx
from tests.fakes.ledger_people import BIRTH, GOOD, HEADER, PERSON

NOW = datetime(2026, 12, 3, 2, 0, tzinfo=UTC)
FULL = ["乡镇", *HEADER]
OTHER = id_number(date(1944, 2, 3))


@dataclass
class House:
    """An empty installation, into which ledgers are brought."""

    store: Store
    folder: Path
    policies: Policies

    async def villages(self, *named: tuple[str, str], county: str = "江阳区") -> Area:
        def work(tx: Tx) -> Area:
            top = areas.add(tx, None, "county", county, NOW)
            for township, village in named:
                areas.add(tx, areas.add(tx, top, "township", township, NOW), "village", village, NOW)
            return top

        return await self.store.run(work)

    def ledger(self, content: bytes, name: str = "台账.xlsx") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    async def imported(self, ledger: bytes | Path, **options: Any) -> Imported:
        path = ledger if isinstance(ledger, Path) else self.ledger(ledger)
        return await import_file(path, self, NOW, **options)

    async def refusal(self, ledger: bytes | Path, **options: Any) -> str:
        with pytest.raises(ImportRefused) as refused:
            await self.imported(ledger, **options)
        return str(refused.value)

    async def tree(self) -> list[tuple[str, str]]:
        found = await self.store.read(areas.everything)
        above = {area.id: area.name for area in found}
        return sorted((above.get(area.parent_id or "", ""), area.name) for area in found)

    async def only_elder(self) -> tuple[Elder, dict[str, object]]:
        def work(tx: Tx) -> tuple[Elder, dict[str, object]]:
            root = areas.everything(tx)[0]
            scope = Scope(people.add(tx, root.id, "赵", ("county",), NOW).id, NOW.date())
            (elder,) = elders.due_first(tx, scope, 5)
            return elder, elders.facts(tx, scope, elder.id)

        return await self.store.run(work)

    async def kept(self) -> list[tuple[Any, ...]]:
        """Every row of the ledger of elders and of the audit chain."""
        return await self.store.read(lambda tx: [
            *tx.all(select(elders_table).order_by(elders_table.c.id)), *tx.all(select(audit).order_by(audit.c.seq))])

    async def numbered(self) -> set[tuple[Any, ...]]:
        """All that an import decides, without ids and seals."""
        columns = elders_table.c
        decided = select(columns.village_id, columns.number, columns.name, columns.birth, columns.visits_made,
                         columns.care_class, columns.due_from, columns.due_until, columns.last_visit_on)
        names = {area.id: area.name for area in await self.store.read(areas.everything)}
        return {(names[row[0]], *row[1:]) for row in await self.store.read(lambda tx: tx.all(decided))}


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    folder = tmp_path / "ledgers"
    folder.mkdir()
    return House(store, folder, policy.load())


def in_copy(path: Path, sheet: str | None = None) -> dict[int, str]:
    """The lines of a faulty copy that have reasons beside them."""
    book = openpyxl.load_workbook(path, read_only=True)
    rows = list((book[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True))
    header = next(index for index, row in enumerate(rows) if "需要修改" in row)
    column = rows[header].index("需要修改")
    told = {line: row[column] for line, row in enumerate(rows, 1) if line > header + 1 and len(row) > column}
    return {line: str(text) for line, text in told.items() if text}


async def test_every_fault_of_a_big_ledger_is_named_and_every_other_line_goes_in(house: House) -> None:
    await house.villages(*ledger_files.areas().villages)
    path = house.folder / "big.xlsx"
    expected = ledger_files.big_ledger(path, rows=1000, faults=50)
    done = await house.imported(path)
    assert (done.new, done.same, done.changed, done.faulty) == (950, 0, 0, 50)
    assert done.report == house.folder / "big-需要修改.xlsx"
    told = in_copy(done.report)
    assert [*told] == [fault.line for fault in expected]
    found = ledger_sheet.read(path, NOW.date(), ledger_files.areas())
    sentences = {each.line: explain(each) for each in found if isinstance(each, ledger_sheet.Fault)}
    for fault in expected:
        assert told[fault.line] == f"{fault.column}：{sentences[fault.line]}"
    assert len({fault.reason for fault in expected}) == 10


async def test_a_second_import_changes_nothing(house: House) -> None:
    await house.villages(*ledger_files.areas().villages)
    path = house.folder / "big.xlsx"
    ledger_files.big_ledger(path, rows=600, faults=10)
    await house.imported(path)
    before = await house.kept()
    done = await house.imported(path)
    assert (done.new, done.same, done.changed, done.faulty) == (0, 590, 0, 10)
    assert await house.kept() == before


async def test_every_field_of_a_row_is_kept_and_its_visits_are_counted_on(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    cells: dict[str, Any] = {
        "村": "龙井村", "组": 3, "姓名": "张国芳", "身份证号": GOOD, "联系电话": "13812345678", "紧急联系人": "张敏",
        "紧急联系电话": "0830-3123456", "住址": "虚构路1号", "是否居住在户籍地": "否", "对象类型": "独居、重残",
        "残疾证号": GOOD + "42", "残疾等级": "二级", "能力等级": "轻度", "曾患病史": "高血压", "经济状况": "低保",
        "经济来源": "养老金", "月可支配收入": 0, "最近探访日期": "2026-11-20", "已探访次数": 7}
    await house.imported(xlsx([list(cells), list(cells.values())]))
    elder, facts = await house.only_elder()
    assert (elder.name, elder.village, elder.group_name, elder.number) == ("张国芳", "龙井村", "3组", 1)
    assert (elder.sex, elder.birth, elder.registered_on) == ("male", BIRTH.isoformat(), "2026-12-03")
    assert (elder.categories, elder.ability, elder.disability_grade) == ("living_alone severely_disabled", "mild", 2)
    assert (elder.care_class, elder.due_from, elder.due_until) == ("priority", "2026-12-03", "2026-12-15")
    assert facts == {
        "emergency_name": "张敏", "emergency_phone": "08303123456", "address": "虚构路1号",
        "at_registered_residence": False, "illnesses": "高血压", "disability_certificate": GOOD + "42",
        "economic": "minimum_living", "income_source": "养老金", "income": 0}
    assert await house.store.run(lambda tx: elders.take_number(tx, elder.id)) == 8
    assert await house.store.run(lambda tx: elders.with_id_number(tx, GOOD)) == elder.id
    (found,) = await house.store.read(lambda tx: tx.all(select(elders_table.c.initials)))
    assert found[0] == "zgf"


async def test_a_newer_ledger_is_counted_and_the_files_stay_as_they_are(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    await house.imported(xlsx([HEADER, PERSON]))
    before = await house.kept()
    done = await house.imported(xlsx([[*HEADER, "已探访次数"], [*PERSON, 9], ["龙井村", "李玉", OTHER, "空巢", 1]]))
    assert (done.new, done.same, done.changed) == (1, 0, 1)
    assert [row for row in await house.kept() if row in before] == before


async def test_who_is_registered_in_another_village_is_told_with_its_name(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"), ("云溪镇", "桂圆村"))
    await house.imported(xlsx([HEADER, PERSON]))
    done = await house.imported(xlsx([HEADER, ["桂圆村", *PERSON[1:]]]))
    assert (done.new, done.faulty) == (0, 1)
    assert done.report
    assert "已经在白塔镇龙井村登记" in in_copy(done.report)[2]


async def test_an_earlier_copy_in_which_somebody_works_is_never_written_over(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    ledger = house.ledger(xlsx([HEADER, PERSON, ["龙井村", "", OTHER, "空巢"]]))
    first = (await house.imported(ledger)).report
    assert first
    kept = first.read_bytes()
    second = (await house.imported(ledger)).report
    third = (await house.imported(first)).report  # the copy itself, nothing put right yet
    assert [path and path.name for path in (first, second, third)] == [
        "台账-需要修改.xlsx", "台账-需要修改-2.xlsx", "台账-需要修改-3.xlsx"]
    assert first.read_bytes() == kept


async def test_the_copy_goes_where_the_operator_says_but_not_over_the_ledger(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    ledger = house.ledger(xlsx([HEADER, PERSON, ["龙井村", "", OTHER, "空巢"]]))
    before = ledger.read_bytes()
    assert "台账.xlsx" in await house.refusal(ledger, report=ledger)
    assert ledger.read_bytes() == before
    done = await house.imported(ledger, report=house.folder / "faults.xlsx")
    assert done.report == house.folder / "faults.xlsx"
    assert [*in_copy(done.report)] == [3]


async def test_without_faults_no_copy_is_written(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    assert (await house.imported(xlsx([HEADER, PERSON]))).report is None
    assert [path.name for path in house.folder.iterdir()] == ["台账.xlsx"]


async def test_what_was_not_read_is_noted(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    content = xlsx([[*HEADER, "喜好"], [*PERSON, "下棋"]], [HEADER, PERSON], names=("一", "二"), hidden="二")
    done = await house.imported(content)
    assert done.new == 1
    assert any("二" in note for note in done.notes)
    assert any("喜好" in note for note in done.notes)


async def test_a_first_ledger_into_an_empty_store_is_told_how(house: House) -> None:
    told = await house.refusal(xlsx([FULL, ["白塔镇", *PERSON]]))
    assert "--create-areas --under" in told
    assert await house.kept() == []


async def test_a_first_ledger_makes_the_places_that_it_names(house: House) -> None:
    lines = [["白塔镇", "龙井村", "甲", "独居"], ["白塔", "龙井", "乙", "独居"],
             ["江阳区白塔镇", "龙井村3组", "丙", "独居"], ["云溪镇", "龙井村", "丁", "独居"],
             ["云溪镇", "大河社区2组", "戊", "独居"]]
    rows = [[*line, f"194{turn}-01-01"] for turn, line in enumerate(lines)]
    content = xlsx([["镇", "村", "姓名", "对象类型", "出生日期"], *rows, rows[0]])
    done = await house.imported(content, create_under="江阳区")
    assert (done.new, done.same, done.faulty) == (5, 1, 0)
    assert set(done.created) == {"白塔镇/龙井村", "云溪镇/龙井村", "云溪镇/大河社区"}
    tree = await house.tree()
    assert tree == sorted([("", "江阳区"), ("江阳区", "白塔镇"), ("江阳区", "云溪镇"), ("白塔镇", "龙井村"),
                           ("云溪镇", "龙井村"), ("云溪镇", "大河社区")])
    again = await house.imported(content, create_under="江阳区")
    assert (again.new, again.same, again.created) == (0, 6, ())
    assert await house.tree() == tree


async def test_a_townships_own_ledger_with_a_sheet_for_each_village_needs_its_name_only(house: House) -> None:
    content = xlsx([HEADER[1:], PERSON[1:]], [HEADER[1:], ["李玉", OTHER, "空巢"]], names=("龙井村", "桂圆社区"))
    assert "江阳区/云溪镇" in await house.refusal(content, create_under="江阳区")
    assert await house.tree() == []  # what is refused leaves nothing behind
    done = await house.imported(content, create_under="泸州市/江阳区/白塔镇")
    assert (done.new, set(done.created)) == (2, {"白塔镇/龙井村", "白塔镇/桂圆社区"})
    assert ("泸州市", "江阳区") in await house.tree()
    assert (await house.imported(content, create_under="白塔镇")).same == 2


@pytest.mark.parametrize("under", ["", "/", "白塔镇", "a/b", "泸州市/江阳区/某处/白塔镇"])
async def test_an_unclear_place_to_make_them_under_is_refused(house: House, under: str) -> None:
    assert "--under" in await house.refusal(xlsx([HEADER, PERSON]), create_under=under)
    assert await house.tree() == []


async def test_one_village_name_in_two_counties_wants_the_county(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    other = await house.villages(("白塔镇", "龙井村"), county="合江县")
    assert "白塔镇/龙井村" in await house.refusal(xlsx([HEADER, PERSON]))
    assert (await house.imported(xlsx([HEADER, PERSON]), area=other)).new == 1
    (row,) = await house.store.read(lambda tx: tx.all(select(elders_table.c.village_id)))
    assert row[0] in [area.id for area in await house.store.read(lambda tx: areas.under(tx, other))]


async def test_a_file_that_is_no_ledger_is_refused_with_its_name_and_what_to_do(house: House) -> None:
    await house.villages(("白塔镇", "龙井村"))
    assert "台账.xlsx" in await house.refusal(b"not a spreadsheet")
    assert "nowhere.xlsx" in await house.refusal(house.folder / "nowhere.xlsx")
    assert "另存为" in await house.refusal(b"PK not a spreadsheet")


CHILD = """
import asyncio, os, signal, sys, time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from bot.importing import import_file
from scheduler import intake, policy
from storage.key_file import load_keys
from storage.opening import open_store

url, key_file, ledger, dies_at = sys.argv[1:]
store = open_store(url, load_keys(Path(key_file), create=True))
take, calls = intake.take, []

def dying(*arguments, **more):
    calls.append(1)
    taken = take(*arguments, **more)
    if len(calls) == int(dies_at):
        os.kill(os.getpid(), signal.SIGKILL)
    return taken

intake.take = dying
now = datetime.fromisoformat("2026-12-03T02:00:00+00:00")
begun = time.process_time()
done = asyncio.run(import_file(Path(ledger), SimpleNamespace(store=store, policies=policy.load()), now,
                               create_under="江阳区"))
children = os.times()
# not ru_maxrss: that counts what the process that began this one had
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(done.new, done.same, done.faulty, time.process_time() - begun + children.children_user,
      peak // 1024)
store.close()
"""


def run_child(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", CHILD, *map(str, arguments)], capture_output=True, text=True,
                          timeout=300, check=False)


async def test_an_import_killed_in_the_middle_and_run_again_ends_the_same(tmp_path: Path) -> None:
    ledger, key_file = tmp_path / "big.xlsx", tmp_path / "test.keys.json"
    ledger_files.big_ledger(ledger, rows=1200, faults=10)
    killed, whole = (f"sqlite:///{tmp_path / name}.db" for name in ("killed", "whole"))
    assert run_child(whole, key_file, ledger, 0).stdout.split()[:3] == ["1191", "0", "9"]
    assert run_child(killed, key_file, ledger, 3).returncode == -9
    again = run_child(killed, key_file, ledger, 0).stdout.split()[:3]
    assert again == ["691", "500", "9"]
    ended = []
    for url in (killed, whole):
        store = open_store(url, load_keys(key_file, create=False))
        ended.append(await House(store, tmp_path, policy.load()).numbered())
        store.close()
    assert ended[0] == ended[1]
    assert len(ended[0]) == 1191


def test_twenty_thousand_rows_go_in_within_300_megabytes(tmp_path: Path) -> None:
    ledger = tmp_path / "big.xlsx"
    ledger_files.big_ledger(ledger)
    new, _, faulty, _, megabytes = run_child(
        f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "test.keys.json", ledger, 0).stdout.split()
    assert int(new) + int(faulty) == 20_000
    assert int(megabytes) < 300
