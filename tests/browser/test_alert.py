"""A fall in the middle of a visit, on the page: the volunteer, the group, the daughter and the coordinator side by side."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.demo_server import DemoServer
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage, moves

pytestmark = pytest.mark.asyncio

ELDER, SECRETS = "李国富", ("国富", "摔倒", "踝骨")
VOLUNTEER, DAUGHTER, COORDINATOR, WORKER, TOWNSHIP = "zhou", "lina", "chen", "wang", "zhao"


@pytest_asyncio.fixture
async def village(tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer(tmp_path / "village") as server:
        server.fill()
        yield server


async def side_by_side(page: Page, *shown: str) -> tuple[PhoneOnPage, ...]:
    """These phones stand on the page."""
    await page.evaluate("shown => localStorage.setItem('tanfang.shown', JSON.stringify(shown))", list(shown))
    await page.reload()
    await expect(page.locator(".phone")).to_have_count(len(shown), timeout=PATIENCE)
    return tuple(PhoneOnPage(page, phone) for phone in shown)


async def test_a_fall_in_the_middle_of_a_visit_until_the_day_after(village: DemoServer, page: Page, tmp_path: Path) -> None:
    await village.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        phones = (await http.get(f"{village.url}/playground/api/phones")).json()["phones"]
    in_group = next(phone["id"] for phone in phones if phone["kind"] == "group")
    await page.goto(f"{village.url}/playground")
    zhou, group, lina, chen = await side_by_side(page, VOLUNTEER, in_group, DAUGHTER, COORDINATOR)

    await zhou.says(f"探访 {ELDER}")
    asked = await zhou.sees_last("这次怎么探访的")
    await zhou.says("2")
    await expect(asked).not_to_contain_text("这次怎么探访的", timeout=PATIENCE)
    stood = (await (await zhou.sees_last("（2/")).inner_text()).partition("\n")[0]
    await zhou.says("紧急")
    await zhou.sees_last("刚才的表先放着")
    await zhou.frame.get_by_role("button", name=ELDER).last.click()
    await zhou.sees("是什么事")
    await zhou.frame.get_by_role("button", name="摔倒").last.click()
    await zhou.sees_last(stood)

    for phone in (lina, chen):
        await phone.sees("摔倒")
    await group.sees("李某 · 人身求助 · 待认领")
    assert not any(secret in text for text in await group.screen() for secret in SECRETS)
    await group.frame.locator("select").select_option(WORKER)
    await page.screenshot(path=tmp_path / "alert.png")
    await asyncio.gather(group.taps("1 我去处理"), chen.frame.get_by_role("button", name="我去处理").last.click())
    await group.sees("去处理了")
    await lina.sees("去处理了")
    who = WORKER if "王强" in await (await group.sees("去处理了")).inner_text() else COORDINATOR
    zhou, group, lina, goes = await side_by_side(page, VOLUNTEER, in_group, DAUGHTER, who)
    assert await group.frame.get_by_role("button", name="我去处理").count() == 0
    await goes.frame.get_by_role("button", name="已到场").last.click()
    await group.sees("已到场")
    await lina.sees("已到场")

    await goes.frame.get_by_role("button", name="处置完毕").last.click()
    for question, answer in (("到了以后是什么情况", "踝骨扭了，人清醒"), ("做了什么处理", "陪着去了镇卫生院")):
        await goes.sees_last(question)
        await goes.says(answer)
    await goes.sees_last("都告诉了谁")
    await goes.says("家属")
    await goes.sees_last("危险排除了吗")
    await goes.says("排除了")
    await goes.sees_last("请核对")
    await goes.taps("提交")
    await goes.sees("处理完了")
    await lina.sees("处理完了")
    await group.sees("处置完毕（")
    assert not any(secret in text for text in await group.screen() for secret in SECRETS)

    zhou, group, lina, zhao = await side_by_side(page, VOLUNTEER, in_group, DAUGHTER, TOWNSHIP)
    for _ in range(2):  # it is asked at nine the next morning, whatever time it is now
        await moves(page, "+1 天")
    await zhao.sees("A-0001")
    await zhao.says("回访")
    await zhao.sees_last("A-0001")
    await zhou.says("1")
    await zhou.sees_last("（3/")
