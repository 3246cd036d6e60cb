"""The area tree grows by a spreadsheet: what is missing is added in its place, and nothing else is touched."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot import area_tree
from bot.importing import ImportRefused, import_areas
from conversations.documents import area_sheet
from conversations.documents.area_sheet import Line
from conversations.documents.ledger_found import Fault
from scheduler import policy
from storage import areas
from storage.areas import Area
from storage.database import Store
from tests.fakes.ledger_files import xlsx

NOW = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
HEAD = ["区县", "乡镇（街道）", "村（居）", "组"]
LINES = [["江阳区", "云溪镇", "建设村", 1], [None, None, None, "2组"], [None, None, "大河社区", None],
         [None, "白塔镇", "大河村", None], [None, None, "大河社区", None]]


class Base:
    """What the command line stands on."""

    def __init__(self, store: Store) -> None:
        self.store, self.policies = store, policy.load()


async def tree(store: Store) -> list[str]:
    found = await store.read(areas.everything)
    names = {area.id: area.name for area in found}
    return sorted("/".join(names[each] for each in area.path.split("/")[:-1]) for area in found)


def lines(*rows: list[Any], head: list[str] = HEAD) -> tuple[list[Line], list[Fault]]:
    found = area_sheet.read(xlsx([["某县区划表"], head, *rows]), "{}组")
    return [each for each in found if isinstance(each, Line)], [each for each in found if isinstance(each, Fault)]


async def grown(store: Store, *rows: list[Any], top: Area | None = None, head: list[str] = HEAD,
                ) -> tuple[int, int, list[tuple[int, str]]]:
    """What came of it: areas new and there, and the faulty lines with their reasons."""
    right, faults = lines(*rows, head=head)
    made = await store.run(lambda tx: area_tree.grow(tx, top, right, "operator", NOW))
    return len(made.new), made.there, [(each.line, each.reason) for each in (*faults, *made.faults)]


async def test_a_list_makes_the_tree_and_a_second_time_nothing(store: Store) -> None:
    assert await grown(store, *LINES) == (9, 0, [])
    made = await tree(store)
    assert made == sorted([
        "江阳区", "江阳区/云溪镇", "江阳区/云溪镇/建设村", "江阳区/云溪镇/建设村/1组", "江阳区/云溪镇/建设村/2组",
        "江阳区/云溪镇/大河社区", "江阳区/白塔镇", "江阳区/白塔镇/大河村", "江阳区/白塔镇/大河社区"])
    assert await grown(store, *LINES) == (0, 9, [])
    assert await tree(store) == made


async def test_what_is_called_without_its_ending_is_the_one_that_is_there(store: Store) -> None:
    await grown(store, *LINES)
    assert await grown(store, ["江阳区", "江阳区云溪", "建设", None]) == (0, 3, [])
    # of two villages with one stem it is not clear which is meant; a whole name makes a third
    assert await grown(store, ["江阳区", "白塔镇", "大河", None]) == (0, 0, [(3, "area_ambiguous")])
    assert await grown(store, ["江阳区", "云溪镇", "大河村", None]) == (1, 2, [])


async def test_each_faulty_line_is_named_and_the_others_go_in(store: Store) -> None:
    assert await grown(store, ["江阳区", "云溪镇", "建设村", None], ["合江县", None, "石桥村", None],
                       ["江阳区", "3号", None, None], ["江阳区", "白塔镇", None, None]) == (
        4, 0, [(5, "area_name_wrong"), (4, "area_above_missing")])
    assert "江阳区/白塔镇" in await tree(store)


async def test_nothing_is_added_outside_the_own_area(store: Store) -> None:
    await grown(store, *LINES)
    top = await store.read(lambda tx: areas.named(tx, "云溪镇")[0])
    before = await tree(store)
    assert await grown(store, ["合江县", "云溪镇", "新村", None], ["江阳区", "白塔镇", "新村", None], top=top) == (
        0, 0, [(3, "area_outside"), (4, "area_outside")])
    assert await tree(store) == before
    assert await grown(store, ["建设村", "3组"], top=top, head=HEAD[2:]) == (1, 1, [])
    assert "江阳区/云溪镇/建设村/3组" in await tree(store)


async def test_the_only_county_need_not_be_said_and_a_county_goes_into_the_only_city(store: Store) -> None:
    await store.run(lambda tx: areas.add(tx, None, "city", "泸州市", NOW))
    assert (await grown(store, ["云溪镇", "建设村"], head=HEAD[1:3]))[2] == [(3, "area_above_missing")]
    await grown(store, ["江阳区", "云溪镇", None, None])
    assert await grown(store, ["云溪镇", "建设村"], head=HEAD[1:3]) == (1, 2, [])
    assert await tree(store) == ["泸州市", "泸州市/江阳区", "泸州市/江阳区/云溪镇", "泸州市/江阳区/云溪镇/建设村"]


async def test_by_hand_it_is_told_first_and_written_once_it_is_agreed(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "区划.xlsx"
    path.write_bytes(xlsx([HEAD, *LINES, ["江阳区", "？", None, None]]))
    told: list[str] = []
    await import_areas(path, Base(store), NOW, None, lambda: False, told.append)
    assert told[0] == "areas: new 9, there before 0, faulty 1" and "+ 江阳区/云溪镇/建设村/1组" in told
    assert "7" in told[-1] and await tree(store) == []
    await import_areas(path, Base(store), NOW, None, lambda: True, told.append)
    assert len(await tree(store)) == 9
    path.write_bytes(xlsx([["姓名", "乡镇", "村"], ["罗玉兰", "云溪镇", "建设村"]]))
    with pytest.raises(ImportRefused):
        await import_areas(path, Base(store), NOW, None, lambda: True, told.append)


def test_the_workbook_shows_what_would_be_added_and_what_is_to_be_mended() -> None:
    from conversations.words_book import Words

    _, faults = lines(["江阳区", "3号", None, None])
    book = openpyxl.load_workbook(BytesIO(area_sheet.write([["江阳区", "云溪镇", "", ""]], faults, Words())))
    assert [cell.value for cell in book["新增"][2]] == ["江阳区", "云溪镇", None, None]
    assert [cell.value for cell in book["有误"][2]][:4] == ["表1", 3, "乡镇（街道）", "3号"]
