"""月报 and 季报 as jobs: of the own area only, killed and gone on with, frozen beside what came later, as a workbook."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import pytest_asyncio
from openpyxl.workbook.workbook import Workbook
from typer.testing import CliRunner

from bot.cli import app as cli
from bot.figures import Figures
from bot.jobs import Runner
from bot.kinds import handlers
from conversations import book as books
from conversations.documents import figures_workbook
from conversations.message import Inbound
from scheduler import casework, freezing
from storage import accounts, areas, elders, jobs, key_file, people
from storage.areas import Area
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.opening import open_store
from storage.scope import Scope
from storage.tables import figures as figures_table
from storage.tables import posts
from storage.visits import Entry
from tests.fakes.house import START, ZONE, Recorder, Running, bind, settle

ZHAO, VILLAGE = "7003", "90"  # the township's coordinator, and one of 建设村


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


class Office:
    """The village of the fakes with a neighbour township, its coordinators' chats, and its clock."""

    def __init__(self, running: Running, recorder: Recorder) -> None:
        self.running, self.recorder, self.store = running, recorder, running.store
        self.said = 0

    async def says(self, text: str = "", who: str = ZHAO, choice: str = "") -> str:
        """What is answered at once."""
        self.said += 1
        await self.running.handle(Inbound("test", who, who, str(self.said), self.running.now(), text=text, choice=choice))
        await self.running.delivery.settle()
        return self.recorder.sent[who][-1].text

    async def told(self, text: str, who: str = ZHAO) -> str:
        """What is answered in the end."""
        await self.says(text, who)
        await self.running.work()
        return self.recorder.sent[who][-1].text

    async def book(self, text: str) -> Workbook:
        self.recorder.documents.clear()
        await self.told(text)
        (document,) = self.recorder.documents
        return openpyxl.load_workbook(BytesIO(document.body))

    async def area(self, name: str) -> Area:
        (found,) = await self.store.read(lambda tx: areas.named(tx, name))
        return found

    async def visited(self, elder: str, day: str) -> None:
        """赵敏 writes down a visit at home now."""
        self.said += 1
        form = self.running.book.current["visit"]
        entry = Entry(self.running.village.elders[elder], form.hash, day, "home", False, {}, f"entry{self.said}")
        scope = Scope(self.running.village.people["赵敏"], self.running.now().date())
        kept = await self.store.run(lambda tx: casework.submit(
            tx, scope, entry, self.running.policies, self.running.now()))
        assert kept is not None

    async def freezes(self) -> None:
        while await self.store.run(lambda tx: freezing.sweep(tx, self.running.now(), self.running.policies)):
            pass


def more(tx: Tx) -> None:
    """A coordinator of 建设村; a township next to theirs with an elder."""
    (village,) = areas.named(tx, "建设村")
    person = people.add(tx, village.id, "村里", ("village",), START).id
    accounts.bind(tx, "test", VILLAGE, VILLAGE, person, START)
    away = areas.add(tx, areas.add(tx, None, "township", "白塔镇", START), "village", "龙井村", START)
    elders.add_many(tx, [(NewElder(away.id, "1组", "别人", "br", None, None, [], "", "2026-01-01"), elders.Standing(
        "general", "2026-03-01", "2026-03-31", None, None, None))], START)


@pytest_asyncio.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    form = books.from_folder().current["visit"]
    village = await store.run(lambda tx: settle(tx, form))
    await store.run(lambda tx: bind(tx, village, ("test",)))
    await store.run(more)
    recorder = Recorder()
    yield Office(Running(store, village, recorder), recorder)


async def test_a_coordinator_gets_the_figures_of_the_own_area(office: Office) -> None:
    assert (await office.told("月报")).startswith("云溪镇 2026年3月 月报")
    assert "在册 7 位" in await office.told("月报")
    mine = await office.told("月报", VILLAGE)
    assert mine.startswith("建设村 ")
    assert "在册 6 位" in mine


@pytest.mark.parametrize("place", ["河坝村", "云溪镇", "白塔镇", "龙井村"])
@pytest.mark.parametrize("how", ["name", "button"])
async def test_a_village_s_coordinator_is_given_nothing_of_another_place(office: Office, place: str, how: str) -> None:
    area = await office.area(place)
    asked = f"月报 {place} 3月" if how == "name" else ""
    said = await office.says(asked, VILLAGE, "" if asked else f"/month {area.id} 2026-03 xlsx")
    assert said.startswith("没找到这个地方")
    assert await office.store.run(lambda tx: jobs.take(tx, frozenset({"figures"}), office.running.now())) is None


async def test_a_post_lost_before_it_is_counted_gives_nothing(office: Office) -> None:
    await office.says("月报")
    await office.store.run(lambda tx: tx.run(posts.delete()))
    await office.running.work()
    assert office.recorder.sent[ZHAO][-1].text.startswith("没找到这个地方")


async def test_what_is_entered_after_the_cut_off_stands_beside_the_frozen_numbers(office: Office) -> None:
    office.running.at = at("2026-03-20T09:00")
    await office.visited("曾国富3组", "2026-03-20")
    office.running.at = at("2026-04-04T02:00")
    await office.freezes()
    frozen = await office.told("月报 3月")
    assert "（4月3日 周五夜里定下的数）" in frozen
    assert "访到 1 位\n" in frozen and "补录" not in frozen
    office.running.at = at("2026-04-10T09:00")
    await office.visited("张桂芳5组", "2026-03-25")
    later = await office.told("月报 3月")
    assert "访到 1 位\n" in later
    assert "补录：定数以后又记进来 1 次。算上这些，访到 2 位（28.5%）。" in later


async def test_who_moved_away_stays_in_the_month_of_the_old_village(office: Office) -> None:
    office.running.at = at("2026-04-04T02:00")
    await office.freezes()
    other, elder = await office.area("河坝村"), office.running.village.elders["曾国富3组"]
    scope = Scope(office.running.village.people["赵敏"], office.running.now().date())
    await office.store.run(lambda tx: casework.move(
        tx, scope, elder, other.id, "2026-04-04", office.running.policies, office.running.now()))
    assert "在册 6 位" in await office.told("月报 3月", VILLAGE)
    assert "在册 5 位" in await office.told("月报 4月", VILLAGE)
    assert "更正" not in await office.told("月报 3月", VILLAGE)


async def test_areas_stand_in_the_order_of_the_tree_however_they_do(office: Office) -> None:
    office.running.at = at("2026-03-20T09:00")
    await office.visited("陈国清1组", "2026-03-20")  # all of 河坝村
    lines = [line for line in (await office.told("月报 3月 分村")).splitlines() if "：在册" in line]
    assert [line.partition("：")[0] for line in lines] == ["建设村", "河坝村"]
    assert "访到 1 位（100.0%）" in lines[1]


def rows(book: Workbook, sheet: str) -> dict[tuple[Any, Any], dict[str, Any]]:
    """The lines of a sheet by their first two cells, each by the names of its columns."""
    cells: list[list[Any]] = [[cell.value for cell in row] for row in book[sheet].iter_rows()]
    head, *lines = cells
    return {(line[0], line[1]): dict(zip(head, line, strict=True)) for line in lines}


async def test_the_workbook_holds_every_area_and_class_and_adds_up(office: Office) -> None:
    office.running.at = at("2026-03-20T09:00")
    await office.visited("曾国富3组", "2026-03-20")
    office.running.at = at("2026-04-04T02:00")
    await office.freezes()
    book = await office.book("月报 3月 Excel")
    assert book.sheetnames == ["分地方", "分月", "现在的情况", "怎么算的"]
    found = rows(book, "分地方")
    assert list(found) == [(area, care_class) for area in ("云溪镇", "建设村", "河坝村")
                           for care_class in ("合计", "重点对象", "一般对象")]
    whole = found["云溪镇", "合计"]
    assert (whole["在册"], whole["该访"], whole["按时访到"], whole["没访到"], whole["探访率%"]) == (7, 7, 1, 6, 14.2)
    for name in ("在册", "该访", "按时访到", "没访到", "上门次数"):
        assert whole[name] == found["建设村", "合计"][name] + found["河坝村", "合计"][name]
        assert whole[name] == found["云溪镇", "重点对象"][name] + found["云溪镇", "一般对象"][name]
    months = rows(book, "分月")
    assert [month for month, care_class in months if care_class == "合计"] == ["2026年1月", "2026年2月", "2026年3月"]
    assert months["2026年3月", "合计"]["探访率%"] == 14.2
    assert (months["2026年3月", "合计"]["连后补录访到"], months["2026年2月", "合计"]["连后补录访到"]) == (1, None)
    assert rows(book, "现在的情况")["建设村", 6]["网格员"] == 2


async def test_the_workbook_of_a_quarter_has_each_month_and_all_together(office: Office) -> None:
    office.running.at = at("2026-04-04T02:00")
    await office.freezes()
    book = await office.book("季报 1季度 表格")
    assert book.sheetnames[:4] == ["分地方", "1月分地方", "2月分地方", "3月分地方"]
    together = rows(book, "分地方")["云溪镇", "合计"]
    assert together["在册"] == sum(rows(book, f"{n}月分地方")["云溪镇", "合计"]["在册"] for n in (1, 2, 3)) == 19
    assert rows(book, "分月")["合计", "合计"]["在册"] == 19


async def test_the_workbook_has_two_charts_and_prints_across_the_page(office: Office) -> None:
    book = await office.book("月报 Excel")
    rate, parts = book["分月"]._charts  # type: ignore[attr-defined]
    assert [series.val.numRef.f for series in rate.series] == ["'分月'!$L$2"]
    assert (parts.grouping, len(parts.series)) == ("stacked", len(figures_workbook.PARTS))
    assert [series.val.numRef.f for series in parts.series] == [f"'分月'!${column}$2" for column in "EFGHIJK"]
    assert [cell.value for cell in book["分月"][1]][4:12] == ["按时访到", "补录访到", "没访到", "期限里", "暂停", "不愿意",
                                                               "其他免访", "探访率%"]
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$1:$1"


async def test_nothing_in_the_workbook_is_a_formula(office: Office) -> None:
    def named(tx: Tx) -> None:
        (town,) = areas.named(tx, "云溪镇")
        areas.add(tx, town, "village", "=HYPERLINK(\"http://x\")", START)
    await office.store.run(named)
    book = await office.book("月报 Excel")
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert "=HYPERLINK(\"http://x\")" in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells} <= {"s", "n"}


async def test_a_count_that_is_cut_off_between_portions_is_done_again_and_told_once(
        office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, village = [], Figures._village

    async def cut(self: Figures, *given: Any) -> None:
        seen.append(given)
        if len(seen) == 2:
            raise asyncio.CancelledError
        await village(self, *given)

    monkeypatch.setattr(Figures, "_village", cut)
    await office.says("月报")
    with pytest.raises(asyncio.CancelledError):
        await office.running.jobs.settle()
    before = len(office.recorder.sent[ZHAO])
    office.running.later(jobs.LEASE.total_seconds())
    running = office.running
    await Runner(running.store, handlers(running.store, {"test": office.recorder}, running.house), frozenset(),
                 running.now).settle()
    await running.delivery.sweep()
    assert [each.text.splitlines()[0] for each in office.recorder.sent[ZHAO][before:]] == ["云溪镇 2026年3月 月报"]


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A database that the command line finds, with three frozen months."""
    monkeypatch.setenv("TANFANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TANFANG_KEY_FILE", str(tmp_path / "keys" / "k.json"))
    (tmp_path / "data").mkdir()
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'tanfang.db'}",
                       key_file.load_keys(tmp_path / "keys" / "k.json", create=True))
    yield store
    store.close()


def test_the_command_line_counts_frozen_months_again(installation: Store) -> None:
    async def fill() -> None:
        village = await installation.run(lambda tx: settle(tx, books.from_folder().current["visit"]))
        running = Running(installation, village, Recorder())
        running.at = at("2026-03-04T02:00")
        await Office(running, Recorder()).freezes()

    asyncio.run(fill())
    done = CliRunner().invoke(cli, ["figures", "verify"])
    assert (done.exit_code, done.output) == (0, "2026-01: the same\n2026-02: the same\n")

    async def spoil() -> None:
        await installation.run(lambda tx: tx.run(figures_table.update().where(
            figures_table.c.period == "2026-02").values(numbers='{"met": 9}')))

    asyncio.run(spoil())
    spoilt = CliRunner().invoke(cli, ["figures", "verify"])
    assert spoilt.exit_code == 1
    assert "2026-02 河坝村 general: met 9 frozen, 0 counted again" in spoilt.output
