"""An elder is registered on the page over two days, confirmed by the township, and not opened a second time next door."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.demo_server import DemoServer
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage, moves

pytestmark = pytest.mark.asyncio

WANG, ZHAO, LIU, CHEN = "wang", "zhao", "liu", "chen"  # a grid worker, the township, next door's grid worker, the village
NUMBER = "510502194303120025"
PART_1 = (
    ("住在几组", "3"), ("门牌地址", "建设路 12 号"), ("户口所在地", "是"), ("写全名", "何秀珍"), ("身份证号", NUMBER),
    ("属于哪几类", "独居 空巢"), ("能力评估", "轻度"), ("哪些病", "高血压"), ("老人的电话", "13812345678"),
    ("紧急时先找谁", "何平（儿子）"), ("紧急联系人的电话", "13987654321"), ("再找谁", "跳过"), ("第二位的电话", "跳过"),
    ("特困人员、低保", "低保"), ("从哪里来", "养老金"), ("可以用", "650"), ("定期上门", "愿意"), ("谁同意的", "本人同意"))
THE_REST = (
    ("还有别的人吗", "有"), ("什么名字", "何平"), ("什么关系", "子女"), ("是男是女", "男"), ("身份证号", "跳过"),
    ("身体怎么样", "健康"), ("低保或特困", "否"), ("经常来看", "否"), ("还有第 2 位", "没有了"), ("水安全吗", "安全"),
    ("用电安全吗", "安全"), ("房子安全吗", "不安全"), ("全家一个月", "900"), ("有养老金吗", "有"), ("一个月多少元", "220"),
    ("哪些救助", "低保金"), ("一共多少元", "430"), ("由谁帮扶", "乡镇街道"), ("帮扶责任人是谁", "李军"), ("哪些帮扶措施", "跳过"))


@pytest_asyncio.fixture
async def village(tmp_path: Path) -> AsyncIterator[DemoServer]:
    server = DemoServer(tmp_path)
    server.fill()
    async with server:
        yield server


async def shown(page: Page, village: DemoServer, *phones: str) -> list[PhoneOnPage]:
    """The page with these phones on it, of a server just started."""
    await village.start()
    await page.goto(f"{village.url}/playground")
    await page.evaluate("shown => localStorage.setItem('tanfang.shown', JSON.stringify(shown))", list(phones))
    await page.reload()
    await expect(page.locator(".phone")).to_have_count(len(phones), timeout=PATIENCE)
    return [PhoneOnPage(page, phone) for phone in phones]


async def answers(phone: PhoneOnPage, *questions: tuple[str, str]) -> None:
    """Waits for each question and types its answer."""
    for question, answer in questions:
        await phone.sees_last(question)
        await phone.says(answer)


async def test_an_elder_is_registered_over_two_days_confirmed_and_caught_next_door(
        village: DemoServer, page: Page, tmp_path: Path) -> None:
    wang, _, _ = await shown(page, village, WANG, ZHAO, LIU)
    await wang.says("登记")
    await answers(wang, *PART_1)
    await wang.sees_last("第一部分（老人本人）填好了，已经存好")
    await wang.taps("稍后继续")
    await moves(page, "明早 08:30")  # nobody is told of anything at night
    await village.kill()

    wang, zhao, liu, chen = await shown(page, village, WANG, ZHAO, LIU, CHEN)  # the next day, after a crash
    await wang.says("你好")
    await wang.sees_last("今天要做什么")
    await wang.taps("1 接着填 何秀珍")
    await answers(wang, *THE_REST)
    review = await wang.sees_last("请核对")
    await expect(review).to_contain_text(NUMBER)
    await wang.taps("提交")
    await wang.sees_last("等乡镇（街道）协调员确认")

    await zhao.sees("王强报来一件新登记")
    await zhao.taps("1 看看")
    card = await zhao.sees_last("王强")
    await expect(card).to_contain_text("重点对象：高龄独居")
    await zhao.taps("1 确认")
    opened = await zhao.sees_last("何秀珍已建档")
    await expect(opened).to_contain_text("重点对象：高龄独居")
    await expect(opened).to_contain_text("下一步，定第一探访联系人")
    await wang.sees("已经确认了")

    await zhao.taps("1 定第一联系人")
    await answers(zhao, ("有没有子女", "有"), ("叫什么名字", "何平"), ("住在哪里", "和老人同一处"), ("照应不了", "能照应"),
                  ("还有第 2 个子女", "没有了"))
    review = await zhao.sees_last("请核对")
    await expect(review).to_contain_text("按规定，住在同一处的子女 何平 作第一探访联系人")
    await zhao.taps("提交")
    await chen.sees("第一探访联系人，请您看看")
    await chen.taps("1 看看")
    await chen.sees_last("何平")
    await chen.taps("1 确认")
    await chen.sees("何平")

    await liu.says("登记")
    await answers(liu, ("住在几组", "1"), ("门牌地址", "跳过"), ("户口所在地", "跳过"), ("写全名", "何秀珍"),
                  ("身份证号", NUMBER))
    caught = await liu.sees_last("是同一位老人吗")
    await expect(caught).to_contain_text("云溪镇建设村已经登记过了")
    await page.screenshot(path=tmp_path / "registration.png")
    await liu.taps("1 是同一位")
    await liu.sees_last("没有重复建档")
