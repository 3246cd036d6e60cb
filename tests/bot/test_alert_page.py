"""The page behind a forwarded alert, over real HTTP: it tells a stranger three things, and lets one of the ladder go."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from bot.pages.alerts import build_routes
from bot.pages.naming import DAY, LINKS, OF_ADDRESS, OF_LINK, Naming
from conversations import alert_page
from conversations import book as books
from scheduler import alerting
from storage import accounts, areas, assignments, pages, people
from storage.crypto import Keys
from storage.database import Store, Tx
from tests.conversations.transcript import InMemory
from tests.fakes.house import PUBLIC, Recorder, Running, bind, settle
from tests.fakes.served import served
from tests.fakes.talk import Talk, labels, talking

ELDER = "张桂芳3组"
HERE = "http://tanfang.example"  # a cookie of https does not come back over http
OWN = {"origin": HERE, "sec-fetch-site": "same-origin"}
SECRET = ("张", "桂芳", "3组", "建设村", "139", "510502", "18号", "高血压")


class Site:
    """The page served, the village behind it, and browsers before it."""

    def __init__(self, talk: Talk, url: str) -> None:
        self.talk, self.url = talk, url

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, follow_redirects=True, trust_env=False, timeout=10)

    def sent(self, account: str) -> list[str]:
        channel = self.talk.running.channel
        assert isinstance(channel, Recorder)
        return [shown.text for shown in channel.sent.get(account, [])]

    async def forwarded(self, kind: str = "fall") -> str:
        """Path of the page behind a new alert, out of the text that 周梅 is given to forward."""
        self.alert = await self.talk.alarm(ELDER, kind, words="在厨房")
        await self.talk.running.delivery.sweep()
        found: list[str] = re.findall(rf"{PUBLIC}(/a/[\w-]{{22}})", "\n".join(self.sent("7101")))
        return found[-1]

    async def names(self, browser: httpx.AsyncClient, path: str, name: str) -> httpx.Response:
        answer = await browser.post(f"{path}/name", data={"name": name}, headers=OWN)
        await self.talk.running.delivery.sweep()
        return answer

    def code(self, account: str = "7001") -> str:
        return re.findall(r"\d{6}", self.sent(account)[-1])[0]

    async def enters(self, browser: httpx.AsyncClient, path: str, code: str) -> httpx.Response:
        return await browser.post(path, data={"code": code}, headers=OWN)


@pytest_asyncio.fixture(params=[False, True], ids=["at home", "abroad"])
async def site(request: pytest.FixtureRequest, tmp_path: Path, keys: Keys) -> AsyncIterator[Site]:
    async with talking(tmp_path, keys, abroad=request.param) as talk:
        def coordinator(tx: Tx) -> None:
            now = talk.running.now()
            mei = people.add(tx, areas.named(tx, "建设村")[0].id, "周梅", ("village",), now).id
            accounts.bind(tx, "test", "7101", "7101", mei, now)
        await talk.running.store.run(coordinator)
        talk.accounts["周梅"] = "7101"
        running = talk.running
        app = Starlette(routes=build_routes(running.store, replace(running.house, public=HERE), running.now, frozenset()))
        async with served(app) as url:
            site = Site(talk, url)
            said = await talk.asked("周梅", "/wechatgroup")
            assert "转发到群里" in said.text
            yield site


async def test_who_is_given_the_text_may_forward_it_and_it_says_little(site: Site) -> None:
    path = await site.forwarded()
    text = site.sent("7101")[-1]
    assert text == f"警报 {site.alert.called} · 3组 张某 · 人身求助\n能去的点这里认领：{PUBLIC}{path}"
    assert "请把下面这一条转发" in site.sent("7101")[-2]


async def test_a_stranger_sees_number_kind_and_state(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser:
        shown = (await browser.get(path)).text
        assert site.alert.called in shown and "人身求助" in shown and "等人去处理" in shown
        assert not any(secret in shown for secret in SECRET)
        await site.names(browser, path, "路人甲")
        after = (await browser.get(path)).text
        assert "六位数字" in after and not any(secret in after for secret in SECRET)
        wrong = await site.enters(browser, path, "000000")
        assert "不对" in wrong.text
        await browser.post(f"{path}/claim", data={"claim": "yes"}, headers=OWN)
    assert (await site.talk.now(site.alert)).state == "open"


async def test_one_of_the_ladder_proves_who_he_is_and_goes(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser, site.browser() as other:
        assert "六位数字" in (await site.names(browser, path, " 王 强")).text
        assert "您的名字" in site.sent("7001")[-1]
        code = site.code()
        assert "不对" in (await site.enters(browser, path, f"{(int(code) + 1) % 10**6:06d}")).text
        card = await site.enters(browser, path, code)
        assert "张桂芳" in card.text and "建设村3组18号" in card.text and "我去处理" in card.text
        done = await browser.post(f"{path}/claim", data={"claim": "yes"}, headers=OWN)
        assert "王强" in done.text and "我去处理</button>" not in done.text
        again = await site.enters(other, path, code)  # the digits are of use to that browser, and once
        assert "桂芳" not in again.text
        assert "有人去了" in (await other.get(path)).text
    now = await site.talk.now(site.alert)
    assert now.claimed_by == site.talk.running.village.people["王强"]


async def test_who_is_not_on_the_ladder_gets_no_digits_and_looks_the_same(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser, site.browser() as other:
        mine = await site.names(browser, path, "李军")  # a visitor next door
        his = await site.names(other, path, "王强")
        assert mine.text == his.text
    assert site.sent("7002") == []


async def test_names_and_digits_are_not_tried_without_end(site: Site) -> None:
    path = await site.forwarded()
    for _ in range(5):
        async with site.browser() as browser:
            await site.names(browser, path, "王强")
    assert len([text for text in site.sent("7001") if "您的名字" in text]) == 3
    async with site.browser() as browser:
        site.talk.running.later(3600)
        await site.names(browser, path, "王强")
        code = site.code()
        for _ in range(5):
            await site.enters(browser, path, f"{(int(code) + 1) % 10**6:06d}")
        assert "桂芳" not in (await site.enters(browser, path, code)).text


async def test_a_stranger_with_the_link_uses_up_nobody_s_digits_without_end(site: Site) -> None:
    path = await site.forwarded()
    stranger = {**OWN, "x-forwarded-for": "8.8.4.4"}  # as the proxy says it
    async with site.browser() as browser, site.browser() as other:
        for _ in range(OF_ADDRESS):
            assert (await browser.post(f"{path}/name", data={"name": "王强"}, headers=stranger)).status_code == 200
        refused = await browser.post(f"{path}/name", data={"name": "王强"}, headers=stranger)
        assert refused.status_code == 429 and "在和探访的聊天里" in refused.text
        site.talk.running.later(1900)  # his codes of before are over: he comes by another way
        await site.talk.running.delivery.sweep()
        await site.names(other, path, "王强")
        assert "桂芳" in (await site.enters(other, path, site.code())).text


async def test_what_is_forged_old_or_too_long_changes_nothing_and_says_so(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser:
        for forged in ("/a/" + "A" * 22, "/a/short", "/a/" + "x" * 500, path[:-1] + ("A" if path[-1] != "A" else "B")):
            answer = await browser.get(forged)
            assert answer.status_code == 404 and "没有这个网页" in answer.text
        assert (await browser.post(f"{path}/name", data={"name": "王" * 5000}, headers=OWN)).status_code == 413
        assert (await browser.post(f"{path}/name", data={"name": "王强"})).status_code == 403
        for cookie in ("x", "A" * 22 + "/" + "0" * 64, f"{path[3:]}/{'0' * 64}"):
            shown = await browser.get(path, headers={"cookie": f"alert={cookie}"})
            assert shown.status_code == 200 and "桂芳" not in shown.text
        assert not any("您的名字" in text for text in site.sent("7001"))
        await site.names(browser, path, "王强")
        await site.talk.running.store.run(lambda tx: alerting.end(
            tx, site.alert, site.talk.running.village.people["王强"], {"reason": "没事"}, site.talk.running.policies,
            site.talk.running.now()))
        over = await site.enters(browser, path, site.code())
        assert "已经处理完了" in over.text and "误报" in over.text and "桂芳" not in over.text


async def test_who_is_suspended_meanwhile_sees_nothing_more(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser:
        await site.names(browser, path, "王强")
        assert "桂芳" in (await site.enters(browser, path, site.code())).text
        await site.talk.running.store.run(lambda tx: people.suspend(
            tx, site.talk.running.village.people["王强"], "operator", site.talk.running.now()))
        assert "桂芳" not in (await browser.get(path)).text
        site.talk.running.later(3600)


async def test_who_is_asked_to_go_no_more_does_not_go_whatever_he_proved_before(site: Site) -> None:
    path = await site.forwarded()
    running = site.talk.running
    async with site.browser() as browser:
        await site.names(browser, path, "王强")
        await site.enters(browser, path, site.code())
        for elder in running.village.elders.values():
            await running.store.run(lambda tx, elder=elder: assignments.end(
                tx, running.village.people["王强"], elder, running.now().date()))
        await browser.post(f"{path}/claim", data={"claim": "yes"}, headers=OWN)
    assert (await site.talk.now(site.alert)).state == "open"


async def test_the_digits_hold_for_half_an_hour(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser:
        await site.names(browser, path, "王强")
        assert "桂芳" in (await site.enters(browser, path, site.code())).text
        site.talk.running.later(1900)
        assert "桂芳" not in (await browser.get(path)).text


async def test_abroad_address_and_phones_stand_behind_a_link_of_one_s_own(site: Site) -> None:
    alert = await site.talk.alarm(ELDER, "fall")
    card = await site.talk.asked("王强", f"/alert {alert.id}")
    if not site.talk.running.channel.capabilities.abroad:
        assert "看住址和电话" not in labels(card)
        return
    assert "18号" not in card.text and "看住址和电话" in labels(card)
    await site.talk.asked("王强", f"/alertpage {alert.id}")
    link, code = site.sent("7001")[-2:]
    path = re.findall(rf"{PUBLIC}(/a/[\w-]{{22}})", link)[0]
    async with site.browser() as browser:
        assert "桂芳" not in (await browser.get(path)).text
        assert "建设村3组18号" in (await site.enters(browser, path, re.findall(r"\d{6}", code)[0])).text
    async with site.browser() as other:
        assert "已经用过了" in (await other.get(path)).text
        assert (await other.get(path.replace("/a/", "/f/"))).status_code == 404


async def test_whether_a_name_is_on_the_ladder_cannot_be_told_by_what_the_page_does(site: Site) -> None:
    path = await site.forwarded()
    async with site.browser() as browser, site.browser() as other:
        looks = []
        for one, name in ((browser, "路人甲"), (other, "王强")):
            await site.names(one, path, name)
            cookie = next(each.value or "" for each in one.cookies.jar if each.name == "alert").strip('"')
            kept = {"cookie": f"alert={cookie}"}
            seen: list[object] = [len(cookie), cookie.count(".")]
            for held in cookie.rstrip("/").split("."):
                answer = await one.get(f"/a/{held}")
                seen += [answer.status_code, answer.text]
            for _ in range(6):  # more than the digits may be tried
                seen.append((await site.enters(one, path, "wrong!")).text)
            seen.append((await one.get(path, headers=kept)).text)
            site.talk.running.later(1900)
            seen.append((await one.get(path, headers=kept)).text)
            looks.append(seen)
    assert looks[0] == looks[1]


async def test_of_many_with_one_name_those_who_may_go_get_digits(site: Site) -> None:
    path = await site.forwarded()

    def others(tx: Tx) -> None:
        for _ in range(4):  # elsewhere in the county
            people.add(tx, areas.named(tx, "建设村")[0].id, "赵五", ("family",), site.talk.running.now())
        own = people.add(tx, areas.named(tx, "建设村")[0].id, "赵五", ("village",), site.talk.running.now()).id
        accounts.bind(tx, "test", "7105", "7105", own, site.talk.running.now())

    await site.talk.running.store.run(others)
    async with site.browser() as browser:
        await site.names(browser, path, "赵五")
        assert "桂芳" in (await site.enters(browser, path, site.code("7105"))).text


async def test_a_name_that_no_keyboard_writes_is_nobody_s(store: Store) -> None:
    village = await store.run(lambda tx: settle(tx, books.from_folder().current["visit"]))
    await store.run(lambda tx: bind(tx, village, ("test",)))
    recorder = Recorder()
    talk = Talk(InMemory(Running(store, village, recorder), recorder))
    running, alert = talk.running, await talk.alarm(ELDER, "fall")
    own, _ = await store.run(lambda tx: pages.make(tx, "alert", village.people["王强"], running.now(), alert.id))
    for name in ("王强\0", "王强\u202e"):
        held = await store.run(lambda tx, name=name: alert_page.ask_for(running.house, tx, own, name, running.now()))
        assert len(held) == 68
    assert await store.read(lambda tx: pages.live(tx, "named", village.people["王强"], running.now())) == 0


async def test_a_link_an_address_and_the_memory_of_both_have_their_bounds(now: datetime) -> None:
    naming = Naming()
    assert [naming.may("a", "8.8.4.4", now) for _ in range(OF_ADDRESS + 1)] == [*[True] * OF_ADDRESS, False]
    assert naming.may("b", "8.8.4.4", now) and naming.may("a", "8.8.8.8", now)
    network = [naming.may("c", f"2606:4700::{n:x}", now) for n in range(OF_ADDRESS + 1)]
    assert network == [*[True] * OF_ADDRESS, False]  # who has one address of IPv6 has them all
    assert [naming.may("d", "127.0.0.1", now) for _ in range(OF_LINK + 1)] == [*[True] * OF_LINK, False]
    assert not naming.may("d", "8.8.8.8", now) and naming.may("d", "8.8.8.8", now + DAY)
    assert naming.may("d", "8.8.8.8", now - DAY)  # the clock was put back
    for n in range(LINKS):
        naming.may(f"{n}", "8.8.4.4", now)
    assert naming.may("a", "8.8.4.4", now)  # the links used longest ago are forgotten
