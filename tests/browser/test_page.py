"""The playground's page in a real browser, with an echo in the bot's place."""

import itertools
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from conversations.message import Button, Message
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage
from tests.fakes.playground_house import GROUP, LI, WANG, EchoHouse, echo_house

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[EchoHouse]:
    async with echo_house(tmp_path) as started:
        yield started


async def opened(page: Page, house: EchoHouse, query: str = "") -> None:
    await page.goto(f"{house.url}/playground{query}")
    await expect(page.locator(".phone").first).to_be_attached(timeout=PATIENCE)


async def test_phones_stand_side_by_side_and_each_gets_its_own_messages(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang, li, group = (PhoneOnPage(page, phone) for phone in (WANG, LI, GROUP))
    await wang.says("你好")
    await wang.sees("收到：你好")
    await li.says("我是李娜")
    await li.sees("收到：我是李娜")
    assert await wang.screen() == ["你好", "收到：你好"]
    assert await li.screen() == ["我是李娜", "收到：我是李娜"]
    boxes = [await phone.frame.bounding_box() for phone in (wang, li, group)]
    assert all(a and b and a["x"] + a["width"] <= b["x"] and a["y"] == b["y"]
               for a, b in itertools.pairwise(boxes))


async def test_a_tap_shows_as_pressed_and_the_question_is_edited_in_its_place(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await wang.says("问")
    question = await wang.sees("第 5 题")
    assert await question.locator(".button-row").evaluate_all(
        "rows => rows.map(row => [...row.children].map(button => button.textContent))") == [
        ["1 良好", "2 一般", "3 较差"], ["上一题"]]
    house.away = True  # the tap is shown at once, and waits
    await wang.taps("3 较差")
    await expect(question.get_by_role("button", name="3 较差")).to_have_class(re.compile("pressed"))
    house.away = False
    await wang.sees("您选了：较差")
    assert await wang.screen() == ["问", "您选了：较差"]


async def test_a_message_sent_while_the_server_is_away_arrives_once_without_a_reload(
        house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await wang.says("之前")
    await wang.sees("收到：之前")
    await house.stop()
    await expect(page.get_by_text("连接断开，正在重连…")).to_be_visible(timeout=PATIENCE)
    await wang.says("断线时写的")
    await wang.says("第二句")
    assert (await wang.screen())[-2:] == ["断线时写的", "第二句"]
    await house.start()
    await wang.sees("收到：第二句")
    await expect(page.get_by_text("连接断开，正在重连…")).to_be_hidden(timeout=PATIENCE)
    assert await wang.screen() == ["之前", "收到：之前", "断线时写的", "收到：断线时写的", "第二句", "收到：第二句"]
    assert [inbound.text for inbound in house.received] == ["之前", "断线时写的", "第二句"]


async def test_what_the_bot_sent_while_the_line_was_down_appears_without_a_reload(
        house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await wang.says("问")
    await wang.sees("第 5 题")
    await page.route("**/api/events*", lambda route: route.abort())
    await house.stop()
    await expect(page.get_by_text("连接断开，正在重连…")).to_be_visible(timeout=PATIENCE)
    await house.start()
    await house.playground.send(WANG, Message("断线时来的"))
    await page.unroute("**/api/events*")
    await wang.sees("断线时来的")


async def test_a_message_that_waits_survives_a_reload_of_the_page(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    house.away = True
    await wang.says("没存上")
    await expect(await wang.sees("没存上")).to_contain_text("待发送")
    await page.reload()
    await expect(await wang.sees("没存上")).to_contain_text("待发送")
    house.away = False
    await wang.sees("收到：没存上")
    assert await wang.screen() == ["没存上", "收到：没存上"]
    assert len(house.received) == 1


async def test_what_is_half_written_is_there_after_a_reload_and_the_enter_of_a_composition_sends_nothing(
        house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    box = wang.frame.get_by_role("textbox", name="输入消息")
    await box.fill("帮他打了水")
    for shape in ({"isComposing": True}, {"keyCode": 229}):
        await box.evaluate("(box, shape) => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', ...shape}))",
                           shape)
    await page.reload()
    await expect(box).to_have_value("帮他打了水", timeout=PATIENCE)
    await box.press("Enter")
    await wang.sees("收到：帮他打了水")
    await page.reload()
    await wang.sees("收到：帮他打了水")
    await expect(box).to_have_value("")
    assert await wang.screen() == ["帮他打了水", "收到：帮他打了水"]


async def test_a_text_that_was_refused_stands_in_the_composer_again(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await wang.says("长" * 30_000)
    await expect(page.locator("#trouble")).to_be_visible(timeout=PATIENCE)
    await expect(wang.frame.get_by_role("textbox", name="输入消息")).to_have_value("长" * 30_000)
    assert await wang.screen() == []


async def test_what_the_bot_sends_unasked_appears_and_the_newest_is_in_view(house: EchoHouse, page: Page) -> None:
    for number in range(70):
        await house.playground.send(WANG, Message(f"第 {number} 条"))
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await expect(await wang.sees("第 69 条")).to_be_in_viewport()
    await house.playground.send(WANG, Message("今天 3 位"))
    await expect(await wang.sees("今天 3 位")).to_be_in_viewport()
    await wang.frame.get_by_role("button", name="更早的消息").click()
    await wang.sees("第 0 条")
    assert await wang.screen() == [f"第 {number} 条" for number in range(70)] + ["今天 3 位"]


async def test_what_is_asked_stays_in_view_above_many_buttons(house: EchoHouse, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 700})
    await opened(page, house)
    await house.playground.send(WANG, Message("先打 120。是哪位老人？", tuple(
        (Button(f"{number} 老人", f"/soswhom {number}"),) for number in range(1, 15))))
    wang = PhoneOnPage(page, WANG)
    asked = await wang.sees("是哪位老人")
    await expect(asked.locator(".text")).to_be_in_viewport()
    await expect(asked.get_by_role("button", name="14 老人")).not_to_be_in_viewport()
    await wang.frame.get_by_role("button", name="往下看").click()
    await expect(asked.get_by_role("button", name="14 老人")).to_be_in_viewport()


async def test_with_large_text_the_phone_fills_the_screen_and_nothing_hangs_out(house: EchoHouse, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    await opened(page, house)
    await page.evaluate("document.documentElement.style.fontSize = '34px'")
    wang = PhoneOnPage(page, WANG)
    await wang.says("你好")
    heard = await wang.sees("收到：你好")
    await wang.frame.get_by_role("textbox").scroll_into_view_if_needed()
    await expect(heard.locator(".text")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_markup_in_a_message_is_shown_as_text_with_its_line_breaks(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    nasty = "<img src=x onerror=alert(1)>\n  <b>二</b>"
    await house.playground.send(WANG, Message(nasty, ((Button("<i>好</i>", "t"),),)))
    row = await PhoneOnPage(page, WANG).sees("<b>二</b>")
    assert await row.locator(".text").inner_text() == nasty
    assert await row.locator("img, b, i").count() == 0
    await expect(row.get_by_role("button", name="<i>好</i>")).to_be_visible()


async def test_documents_are_downloaded_photos_and_voice_are_sent_and_a_place_is_one_tap(
        house: EchoHouse, page: Page, tmp_path: Path) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await wang.says("文件")
    row = await wang.sees("附件3 探访记录.docx")
    async with page.expect_download() as download:
        await row.get_by_role("link").click()
    got = await download.value
    assert got.suggested_filename == "附件3 探访记录.docx"
    assert Path(await got.path()).read_bytes() == b"PK\x03\x04 made up"
    picture = tmp_path / "door.png"
    await wang.frame.screenshot(path=picture)
    await wang.attaches("photo", picture)
    await wang.sees(f"收到 photo，{picture.stat().st_size} 字节")
    await expect(wang.frame.get_by_role("img", name="照片")).to_be_visible()
    voice = tmp_path / "note.ogg"
    voice.write_bytes(b"OggS made up")
    await wang.attaches("voice", voice)
    await wang.sees("收到 voice，12 字节")
    await wang.says("位置")
    await (await wang.sees("请发送位置")).get_by_role("button", name=re.compile("发送我的位置")).click()
    await wang.sees("位置：28.87, 105.44")


async def test_the_clock_is_shown_in_local_time_and_goes_forward(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    clock = page.locator("#now")
    await expect(clock).to_have_text("2026年3月5日星期四 08:31")
    for button, shown in [("+1 小时", "2026年3月5日星期四 09:31"), ("明早 08:30", "2026年3月6日星期五 08:30"),
                          ("+1 天", "2026年3月7日星期六 08:30"), ("+1 周", "2026年3月14日星期六 08:30")]:
        await page.get_by_role("button", name=button).click()
        await expect(clock).to_have_text(shown)


async def test_in_a_group_one_chooses_who_speaks(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    group = PhoneOnPage(page, GROUP)
    await group.frame.get_by_label("发言人").select_option("李娜")
    await group.says("我来")
    await group.sees("收到：我来")
    assert [(inbound.account, inbound.chat_kind) for inbound in house.received] == [(LI, "group")]


async def test_the_choice_of_phones_is_remembered(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    await page.get_by_role("button", name="选择手机").click()
    await page.get_by_role("checkbox", name="李娜").click()
    await page.get_by_role("button", name="完成").click()
    await expect(page.locator(".phone")).to_have_count(2)
    await house.playground.send(LI, Message("看不见的"))
    await expect(page.get_by_role("button", name="选择手机")).to_contain_text("1 条新消息")
    await page.reload()
    await expect(page.locator(".phone h2")).to_have_text(["王建国", "桂花村工作群"])


async def test_an_invitation_link_opens_a_new_phone_once(house: EchoHouse, page: Page) -> None:
    await opened(page, house, "?start=tok123")
    newcomer = page.locator(".phone").filter(has_text="新手机")
    await expect(newcomer).to_contain_text("收到：/start tok123", timeout=PATIENCE)
    assert "tok123" not in page.url
    await page.reload()
    await expect(newcomer).to_contain_text("收到：/start tok123", timeout=PATIENCE)
    assert [inbound.text for inbound in house.received] == ["/start tok123"]


async def test_a_narrow_screen_shows_one_phone_with_tabs(house: EchoHouse, page: Page) -> None:
    await page.set_viewport_size({"width": 375, "height": 720})
    await opened(page, house)
    wang, li = PhoneOnPage(page, WANG), PhoneOnPage(page, LI)
    await wang.says("问")
    await wang.sees("第 5 题")
    await expect(li.frame).to_be_hidden()
    await house.playground.send(LI, Message("给李娜的"))
    tab = page.get_by_role("tab", name="李娜")
    await expect(tab).to_have_class(re.compile("unread"))
    await tab.click()
    await li.sees("给李娜的")
    await expect(wang.frame).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 375


async def test_a_question_is_answered_with_the_keyboard_alone(house: EchoHouse, page: Page) -> None:
    await opened(page, house)
    wang = PhoneOnPage(page, WANG)
    await wang.says("问")
    question = await wang.sees("第 5 题")
    await question.get_by_role("button", name="1 良好").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await wang.sees("您选了：一般")
    focused = await page.evaluate("document.activeElement.tagName")
    assert focused == "TEXTAREA", "the focus goes on, where the button is gone"
