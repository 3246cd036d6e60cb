"""Two weeks on the page, day by day: a visitor, a first contact and two children, each answering in his own way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.demo_server import DemoServer
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage, moves

pytestmark = pytest.mark.asyncio

WANG, ZENG, LINA, LITAO = "wang", "zeng", "lina", "litao"
SHOWN = (WANG, ZENG, LINA, LITAO)
DIGEST, CALL, VISITED = "位老人要去看", "该给李国富打个电话了", "曾玉珍"


@pytest_asyncio.fixture
async def village(tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer(tmp_path / "village") as server:
        server.fill()
        yield server


async def visits(wang: PhoneOnPage, elder: str) -> None:
    """A visit by typed answers, whatever it asks of this elder."""
    await wang.says(f"上门探访 {elder}")
    await wang.sees_last("这次怎么探访的")
    last = wang.frame.locator(".messages .row.theirs").last  # his own words are the last row until the bot answers
    while "请核对" not in (asked := await last.inner_text()):
        before = await last.get_attribute("data-id") or ""
        await wang.says("量了血压" if "今天做了些什么" in asked else "跳过" if "有什么建议" in asked else "1")
        await expect(last).not_to_have_attribute("data-id", before, timeout=PATIENCE)
    await wang.taps("提交")
    await wang.sees_last("已记下")


async def count(phone: PhoneOnPage, text: str) -> int:
    """How many messages on this phone hold the text."""
    return sum(text in bubble for bubble in await phone.screen())


async def test_two_weeks_with_a_visitor_a_first_contact_and_two_children(
        village: DemoServer, page: Page, tmp_path: Path) -> None:
    await village.start()
    await page.goto(f"{village.url}/playground")
    await page.evaluate("shown => localStorage.setItem('tanfang.shown', JSON.stringify(shown))", list(SHOWN))
    await page.reload()
    await expect(page.locator(".phone")).to_have_count(len(SHOWN), timeout=PATIENCE)
    wang, zeng, lina, litao = (PhoneOnPage(page, phone) for phone in SHOWN)
    answered = {LINA: 0, LITAO: 0}
    for day in range(14):
        await moves(page, "+1 天")
        if day == 2:
            await wang.sees(f"{VISITED} 4号 · 过了")
            await zeng.sees(f"{VISITED} 4号 · 过了")
            await visits(wang, VISITED)
        if await count(lina, CALL) > answered[LINA]:
            answered[LINA] += 1
            await lina.taps("1 已联系 一切正常")
            await lina.sees_last("一切正常，打电话联系的")
        if await count(litao, CALL) > answered[LITAO]:
            answered[LITAO] += 1
            if answered[LITAO] == 1:
                await litao.taps("2 有困难")
                await litao.sees_last("什么困难")
                await litao.says("膝盖疼，走路不方便")
                await litao.taps("提交")
                await litao.sees_last("村里")
            else:
                await litao.taps("3 联系不上")
                await litao.sees_last("请人去看")
                await litao.taps("1 现在请人去看")
                await wang.sees("李涛")
                await wang.taps("1 我去看")
                await litao.sees("王强")
    assert answered == {LINA: 2, LITAO: 2}
    digests = [bubble for bubble in await wang.screen() if DIGEST in bubble]
    assert len(set(digests)) == len(digests) > 2
    named = [VISITED in digest for digest in digests]
    assert named[0]
    assert False in named  # she was seen
    await page.screenshot(path=tmp_path / "two_weeks.png")
