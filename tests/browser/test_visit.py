"""Whole visits on the page in a real browser, with the server that `make run` starts: kept, printed, and there again."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from docx import Document
from playwright.async_api import Page, expect

from storage.elders import Elder
from storage.visits import Visit
from tests.browser.demo_server import DemoServer
from tests.browser.phone_on_page import PATIENCE, PhoneOnPage

pytestmark = pytest.mark.asyncio

WANG = "wang"
UNCHANGED, SAFE = "1 无变化", "1 安全"
CHANGES = ("家里人口有变化吗", "老人说话表达", "老人走路活动", "老人反应、记事", "老人的病", "老人的情绪")
SAFETY = ("燃气安全吗", "水和取暖安全吗", "用电安全吗")
CARE = "送了米和油，量了血压"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo village, made once, as `python -m bot demo` makes it."""
    folder = tmp_path_factory.mktemp("village")
    DemoServer(folder).fill()
    return folder


@pytest_asyncio.fixture
async def village(filled: Path, tmp_path: Path) -> AsyncIterator[DemoServer]:
    async with DemoServer.copied(filled, tmp_path / "village") as server:
        yield server


async def opened(page: Page, village: DemoServer) -> PhoneOnPage:
    """The grid worker's phone on the page of a server just started."""
    await village.start()
    await page.goto(f"{village.url}/playground")
    await expect(page.locator(".phone")).to_have_count(3, timeout=PATIENCE)
    return PhoneOnPage(page, WANG)


async def taps_through(wang: PhoneOnPage, *questions: tuple[str, str]) -> None:
    """Waits for each question and taps its answer."""
    for question, answer in questions:
        await wang.sees_last(question)
        await wang.taps(answer)


async def kept(village: DemoServer, elder: Elder, before: list[Visit]) -> Visit:
    """The one visit that came to those before, with the number after theirs."""
    now = await village.visits_of(WANG, elder.id)
    (new,) = [visit for visit in now if visit.visit_id not in {known.visit_id for known in before}]
    assert len(now) == len(before) + 1
    assert (new.number, new.version, new.state) == (elder.visits_made + 1, 1, "current")
    return new


def values(visit: Visit) -> dict[str, Any]:
    return {question: answer[0] for question, answer in visit.answers.items()}


def manners(visit: Visit) -> dict[str, Any]:
    return {question: answer[2] for question, answer in visit.answers.items()}


def printed(file: Path) -> str:
    """The words of the first copy, any white space as one space."""
    document = Document(str(file))
    words = [paragraph.text for paragraph in document.paragraphs]
    words += [cell.text for row in document.tables[0].rows for cell in row.cells]
    return " ".join(" ".join(words).split())


async def test_a_whole_visit_by_taps_is_kept_and_comes_out_as_the_official_form(
        village: DemoServer, page: Page, tmp_path: Path) -> None:
    elder = (await village.elders_of(WANG))[0]
    before = await village.visits_of(WANG, elder.id)
    wang = await opened(page, village)
    await wang.frame.get_by_role("button", name="你好").click()
    await taps_through(wang, ("今天要做什么", "2 我的老人"))
    listed = await wang.sees_last("先到期的在前")
    await listed.get_by_role("button", name=elder.name).click()
    await taps_through(
        wang, ("最近探访", "1 上门探访"), ("这次怎么探访的", "1 上门探访"),
        *((question, UNCHANGED) for question in CHANGES[:2]), (CHANGES[2], "3 较差"), (CHANGES[3], "以上均无变化"),
        *((question, SAFE) for question in SAFETY), ("老人个人卫生", "以上均无变化"))
    await wang.sees_last("今天做了些什么")
    await wang.says(CARE)
    await taps_through(wang, ("需要帮忙", "1 没有"), ("有什么建议", "跳过"), ("子女家属", "1 都可以告诉"),
                       ("怎么签字", "1 以姓名确认"), ("满意吗", "1 满意"), ("谁说的", "1 老人自己"))
    review = await wang.sees_last("请核对")
    await expect(review).to_contain_text("行动能力：较差")
    submit = review.get_by_role("button", name="提交")
    await expect(submit).not_to_be_in_viewport()  # a long text is shown from its beginning
    await wang.frame.get_by_role("button", name="往下看").click()
    await expect(submit).to_be_in_viewport()
    await wang.taps("提交")
    await wang.sees_last(f"已记下：{elder.name}第 {elder.visits_made + 1} 次探访")
    await wang.taps("1 打印记录表")
    answer = await wang.sees_last("请查收")
    async with page.expect_download() as download:
        await answer.get_by_role("link").click()
    await (await download.value).save_as(tmp_path / "annex3.docx")

    assert await village.stop() == 0
    visit = await kept(village, elder, before)
    assert values(visit) | {"mobility": "worse", "illness": "unchanged", "indoor": "unchanged", "gas": "safe",
                            "care_given": CARE, "method": "home", "satisfaction": "satisfied"} == values(visit)
    assert {manners(visit)[name] for name in ("method", "mobility", "gas")} == {"tap"}
    assert {manners(visit)[name] for name in ("illness", "home_hygiene")} == {"section"}
    year, month, day = map(int, visit.on_day.split("-"))
    paper = printed(tmp_path / "annex3.docx")
    for words in (f"第 {visit.number} 次", f"{year} 年 {month} 月 {day} 日", "☑ 上门探访", "行动能力 □ 无变化 □ 较好 ☑ 较差",
                  "表达能力 ☑ 无变化 □ 较好 □ 较差", "燃气安全 ☑ 安全", CARE, "王强", elder.name, "满意"):
        assert words in paper


async def test_a_whole_visit_by_typed_numbers_is_kept_in_a_dozen_messages(village: DemoServer, page: Page) -> None:
    elder = (await village.elders_of(WANG))[1]
    before = await village.visits_of(WANG, elder.id)
    wang = await opened(page, village)
    typed = [
        ("上门探访", "探访的是哪一位"), (elder.name, "这次怎么探访的"), ("1", "家里人口有变化吗"), ("111211", "燃气安全吗"),
        ("112", "老人个人卫生"), ("131", "今天做了些什么"), (CARE, "需要帮忙"), ("1", "有什么建议"),
        ("跳过", "子女家属"), ("1", "怎么签字"), ("111", "请核对"), ("提交", "已记下"),
    ]
    for text, shown in typed:
        await wang.says(text)
        await wang.sees_last(shown)
    await village.stop()
    visit = await kept(village, elder, before)
    assert values(visit) | {
        "family_size": "unchanged", "reaction": "better", "illness": "unchanged", "mood": "unchanged", "gas": "safe",
        "water_heating": "safe", "electricity": "mostly_safe", "personal_hygiene": "unchanged",
        "home_hygiene": "worse", "indoor": "unchanged", "need_kinds": ["none"], "satisfaction_by": "elder",
    } == values(visit)
    assert {manners(visit)[name] for name in ("method", "reaction", "electricity", "home_hygiene")} == {"digits"}


async def test_a_visit_with_a_step_back_a_pause_two_kills_and_an_edit_in_review_is_kept_once(
        village: DemoServer, page: Page) -> None:
    elder = (await village.elders_of(WANG))[2]
    before = await village.visits_of(WANG, elder.id)
    wang = await opened(page, village)
    await wang.says(f"上门探访 {elder.name}")
    await taps_through(wang, ("这次怎么探访的", "1 上门探访"), (CHANGES[0], UNCHANGED), (CHANGES[1], UNCHANGED),
                       (CHANGES[2], "上一题"))
    await wang.sees_last("已填：无变化")  # the question before, with its answer
    await taps_through(wang, (CHANGES[1], "2 较好"), (CHANGES[2], "稍后继续"))
    await wang.sees_last("已放好")

    await village.kill()
    await expect(page.get_by_text("连接断开，正在重连")).to_be_visible(timeout=PATIENCE)
    await village.start()
    await wang.says("你好")
    await taps_through(wang, ("您有一份没填完的", f"1 接着填 {elder.name}"), (CHANGES[2], UNCHANGED),
                       (CHANGES[3], "以上均无变化"))
    await wang.sees_last(SAFETY[0])

    await village.kill()
    await wang.taps(SAFE)  # it waits on the page
    await expect(page.get_by_text("连接断开，正在重连")).to_be_visible(timeout=PATIENCE)
    await village.start()
    await taps_through(wang, (SAFETY[1], SAFE), (SAFETY[2], SAFE), ("老人个人卫生", "以上均无变化"))
    await wang.sees_last("今天做了些什么")
    await wang.says(CARE)
    await taps_through(wang, ("需要帮忙", "1 没有"), ("有什么建议", "跳过"), ("子女家属", "1 都可以告诉"),
                       ("怎么签字", "1 以姓名确认"), ("满意吗", "1 满意"), ("谁说的", "1 老人自己"), ("请核对", "改一项"))
    changing = await wang.sees_last("要改哪一项")
    await changing.get_by_role("button", name="用电安全").click()
    await taps_through(wang, (SAFETY[2], "3 不安全"))
    await wang.sees_last("用电哪里不安全")  # only what depends on it is asked again
    await wang.says("插座烧黑了")
    await taps_through(wang, ("告诉老人了吗", "1 已告知"))
    await expect(await wang.sees_last("请核对")).to_contain_text("插座烧黑了")
    await wang.taps("提交")
    await wang.sees_last("已记下")
    await wang.says(f"档案 {elder.name}")
    await wang.taps(f"3 看第 {elder.visits_made + 1} 次")
    record = await wang.sees_last("次探访 ·")
    for line in ("表达能力：较好", "用电安全：不安全", "插座烧黑了", f"关爱服务情况：{CARE}"):
        await expect(record).to_contain_text(line)

    await village.stop()
    visit = await kept(village, elder, before)
    assert values(visit) | {"expression": "better", "mobility": "unchanged", "gas": "safe", "electricity": "unsafe",
                            "electricity_hazard": "插座烧黑了", "electricity_told": "told"} == values(visit)


async def test_a_second_start_answers_in_less_than_three_seconds(village: DemoServer) -> None:
    taken = []
    while len(taken) < 3 and min(taken, default=3) >= 3:  # a busy machine gets three tries
        begun = time.monotonic()
        await village.start()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert "王强" in (await client.get(f"{village.url}/playground/api/phones")).text
        taken.append(time.monotonic() - begun)
        await village.kill()
    assert min(taken) < 3
