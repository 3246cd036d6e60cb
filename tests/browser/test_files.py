"""A ledger brought in by the page's paper-clip, and by the single-use page, in a real browser with the real server."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.demo_server import DemoServer
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage
from tests.fakes.chat_ledgers import FILES, many

pytestmark = pytest.mark.asyncio

ZHAO = "zhao"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo village, made once, as `python -m bot demo` makes it."""
    folder = tmp_path_factory.mktemp("village")
    DemoServer(folder).fill()
    return folder


@pytest_asyncio.fixture
async def zhao(filled: Path, tmp_path: Path, page: Page) -> AsyncIterator[PhoneOnPage]:
    """The township coordinator's phone, alone on the page."""
    async with DemoServer.copied(filled, tmp_path / "village") as server:
        await server.start()
        await page.add_init_script(f"localStorage.setItem('tanfang.shown', '[\"{ZHAO}\"]')")
        await page.goto(f"{server.url}/playground")
        await expect(page.locator(".phone")).to_have_count(1, timeout=PATIENCE)
        yield PhoneOnPage(page, ZHAO)


async def test_a_ledger_goes_up_by_the_paper_clip_and_in_after_a_yes(zhao: PhoneOnPage, tmp_path: Path) -> None:
    ledger = tmp_path / "云溪镇.xlsx"
    ledger.write_bytes(many(20))
    async with zhao.page.expect_file_chooser() as chosen:
        await zhao.frame.get_by_role("button", name="文件").click()
    await (await chosen.value).set_files(ledger)
    sent = await zhao.sees("云溪镇.xlsx")
    await expect(sent.get_by_role("link")).to_have_attribute("download", "云溪镇.xlsx")
    await zhao.sees("云溪镇，看好了：新增 20，更改 0，有误 0。")
    await zhao.taps("1 确认")
    await zhao.sees("写好了：新增 20")


async def test_what_is_no_spreadsheet_does_not_leave_the_phone(zhao: PhoneOnPage, tmp_path: Path) -> None:
    photo = tmp_path / "照片.xlsx"
    photo.write_bytes(FILES["照片.xlsx"])
    await zhao.attaches("file", photo)
    await expect(zhao.page.get_by_role("alert")).to_have_text("这里只收 Excel 文件（.xlsx、.xls），没有发出去。", timeout=PATIENCE)
    assert await zhao.screen() == []


async def test_the_single_use_page_asks_for_the_code_and_takes_a_ledger(zhao: PhoneOnPage, tmp_path: Path) -> None:
    ledger = tmp_path / "云溪镇.xlsx"
    ledger.write_bytes(many(12))
    await zhao.says("导入 网页")
    link = re.search(r"http://\S+/f/\S+", await (await zhao.sees("只能用一次")).inner_text())
    code = re.search(r"\d{6}", await (await zhao.sees("网页会问验证码")).inner_text())
    assert link and code
    browser_page = await zhao.page.context.new_page()
    problems: list[str] = []
    browser_page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    await browser_page.goto(link[0])
    await browser_page.get_by_label("六位数字").fill(code[0])
    await browser_page.get_by_role("button", name="下一步").click()
    await browser_page.get_by_label("Excel 文件").set_input_files(ledger)
    await browser_page.get_by_role("button", name="传上去").click()
    await expect(browser_page.get_by_role("heading")).to_have_text("收到了", timeout=PATIENCE)
    await zhao.sees("云溪镇，看好了：新增 12，更改 0，有误 0。")
    await browser_page.goto(link[0])
    await expect(browser_page.get_by_role("heading")).to_have_text("这个网页已经用过了")
    assert [text for text in problems if "410" not in text and "favicon" not in text and "404" not in text] == []
