"""What chat shows of a ledger before it is written is what becomes of it when it is."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import orjson
import pytest_asyncio
from sqlalchemy import select

from bot.sheets import Counts, Ledgers
from scheduler import casework
from scheduler import policy as policies
from storage import areas, elders, tables
from storage.areas import Area
from storage.database import Store, Tx
from storage.elders import NewElder
from tests.fakes.house import START
from tests.fakes.ledger_files import id_number, xlsx
from tests.fakes.ledger_people import BIRTH, GOOD, HEADER, PERSON

NAMES = ("一", "二")


class Desk:
    """A township with its villages, and one who brings ledgers to it."""

    def __init__(self, store: Store, area: Area) -> None:
        self.store, self.area = store, area
        self.sheets = Ledgers(store, policies.load())

    async def both(self, source: bytes) -> tuple[Counts, Counts, list[Any]]:
        """The counts of the preview and of the writing, and the reasons in the copy to mend."""
        looked = await (await self.sheets.open(source, self.area, "p", START)).look()
        opened = await self.sheets.open(source, self.area, "p", START)
        written = Counts()
        async for _, work in opened.chunks(0, looked.digests):
            written += await self.store.run(work)
        return looked.counts, written + Counts(faulty=opened.faulty_lines()), reasons(opened.faulty())


def reasons(copy: bytes | None) -> list[Any]:
    """The sheet and line of each reason in a copy."""
    book = openpyxl.load_workbook(BytesIO(copy)) if copy else None
    return [(sheet.title, row[-1].row) for sheet in (book or []) for row in sheet.iter_rows(min_row=2) if row[-1].value]


@pytest_asyncio.fixture
async def desk(store: Store) -> Desk:
    def made(tx: Tx) -> Area:
        before = START - timedelta(days=50)
        township = areas.add(tx, None, "township", "白塔镇", before)
        areas.add(tx, township, "village", "龙井村", before)
        other = areas.add(tx, areas.add(tx, None, "township", "云溪镇", before), "village", "安居村", before)
        casework.register(tx, NewElder(other.id, "", "张国芳", "zgf", "male", BIRTH.isoformat(), ["living_alone"], "",
                                       "2026-01-01", id_number=GOOD), policies.load(), START)
        return township

    return Desk(store, await store.run(made))


async def test_who_is_registered_in_another_village_is_faulty_before_and_after(desk: Desk) -> None:
    source = xlsx([HEADER, PERSON, ["龙井村", "李大山", id_number(BIRTH, turn=7), "独居"]], names=NAMES[:1])
    counts = Counts(new=1, faulty=1)
    assert await desk.both(source) == (counts, counts, [("一", 2)])


async def test_who_is_registered_elsewhere_is_told_again_where_the_writing_goes_on(desk: Desk) -> None:
    people = [["龙井村", f"王{chr(0x4e00 + n)}", None, "独居", "1948-05-12"] for n in range(300)]
    source = xlsx([[*HEADER, "出生日期"], [*PERSON, None], *people])  # his line is in the first of two chunks
    looked = await (await desk.sheets.open(source, desk.area, "p", START)).look()
    lines, work = await anext((await desk.sheets.open(source, desk.area, "p", START)).chunks(0, looked.digests))
    await desk.store.run(work)  # and killed here
    opened = await desk.sheets.open(source, desk.area, "p", START)
    written = Counts()
    async for _, work in opened.chunks(lines, looked.digests):
        written += await desk.store.run(work)
    assert lines == 250 and written == Counts(new=51)
    assert reasons(opened.faulty()) == [("表1", 2)]


async def test_who_goes_by_a_number_that_no_file_has_is_faulty(desk: Desk) -> None:
    source = xlsx([[*HEADER, "档案编号"], ["龙井村", "张某", None, "独居", 9]], names=NAMES[:1])
    assert await desk.both(source) == (Counts(faulty=1), Counts(faulty=1), [("一", 2)])


async def test_the_same_elder_twice_without_an_id_number_is_opened_once(desk: Desk) -> None:
    line = ["龙井村", "李大山", None, "独居", "1948-05-12"]
    people = [["龙井村", f"王{chr(0x4e00 + n)}", None, "独居", "1948-05-12"] for n in range(300)]  # more than a chunk
    source = xlsx([[*HEADER, "出生日期"], line, *people, line])
    looked, written, _ = await desk.both(source)
    assert looked == written == Counts(new=301, same=1)


async def test_a_ledger_in_which_each_line_is_faulty_is_counted(desk: Desk) -> None:
    bad = ["龙井村", "李大山", "51050219", "独居"]
    source = xlsx([HEADER, bad, bad], [HEADER, bad], names=NAMES)  # the second line of both sheets
    lines = [("一", 2), ("一", 3), ("二", 2)]
    assert await desk.both(source) == (Counts(faulty=3), Counts(faulty=3), lines)


async def test_facts_and_households_are_taken_over_as_they_were_shown(desk: Desk) -> None:
    head, line = [*HEADER, "每月养老金", "有无家庭成员"], ["龙井村", "李大山", id_number(BIRTH, turn=7), "独居"]
    await desk.both(xlsx([head, [*line, "无", "无"]]))
    member = [["老人身份证号", "姓名", "与户主关系"], [line[2], "李敏", "女儿"]]
    looked, written, _ = await desk.both(xlsx([head, [*line, 120, None]], member))
    assert looked == written == Counts(changed=1)
    (elder,) = await desk.store.read(lambda tx: elders.ids_named(tx, desk.area.path, "李大山"))
    facts = await desk.store.read(lambda tx: open_facts(tx, elder))
    assert facts == {"pension": 120, "household": [{"name": "李敏", "relation": "child"}]}
    assert (await desk.both(xlsx([head, [*line, None, None]])))[0] == Counts(same=1)  # an empty cell erases nothing


def open_facts(tx: Tx, elder: str) -> Any:
    (sealed,) = tx.one(select(tables.elders.c.facts).where(tables.elders.c.id == elder)) or (None,)
    return orjson.loads(tx.keys.open(sealed, "elders.facts", elder))
