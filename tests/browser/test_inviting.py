"""A village coordinator invites on the page, and the link opens a new phone for who comes: with the real server."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.demo_server import DemoServer
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage


@pytest_asyncio.fixture
async def village(tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer(tmp_path / "village") as server:
        server.fill()
        yield server


async def test_who_is_invited_on_the_page_opens_the_link_and_the_coordinator_is_told(
    village: DemoServer, page: Page
) -> None:
    await village.start()
    await page.goto(f"{village.url}/playground")
    await expect(page.locator(".phone")).to_have_count(3, timeout=PATIENCE)
    chen = PhoneOnPage(page, "chen")
    await chen.says("邀请")
    await chen.sees_last("请谁？")
    await chen.says("吴刚")
    await chen.sees_last("请他做什么")
    await chen.taps("1 探访人员")
    await chen.sees_last("哪一类探访人员")
    await chen.taps("2 志愿者")
    await chen.sees_last("还没满 18 岁")
    await chen.taps("跳过")
    await chen.sees_last("哪个单位")
    await chen.taps("跳过")
    await chen.taps("提交")
    await chen.sees("吴刚的口令")
    invitation = await chen.sees("吴刚，您好")
    await expect(invitation).to_contain_text("邀请二维码.png")
    link = re.search(r"http\S+start=[\w-]{22}", await invitation.inner_text())
    assert link is not None
    await page.goto(link[0])
    newcomer = page.locator(".phone").filter(has_text="这是请您做建设村探访人员（志愿者）的邀请，陈秀兰发来的。绑定好了。")
    await expect(newcomer).to_be_visible(timeout=PATIENCE)
    assert link[0].partition("=")[2] not in page.url
    await PhoneOnPage(page, "chen").sees("吴刚 · 建设村探访人员（志愿者）")
    await PhoneOnPage(page, "chen").taps("1 不是本人")
    await PhoneOnPage(page, "chen").sees("停用了")
