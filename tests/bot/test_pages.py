"""The single-use page over real HTTP: it opens for its person, serves once, and everything else changes nothing."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from bot.jobs import say_to
from bot.pages import html
from bot.pages.routes import build_routes
from conversations import book as books
from conversations.message import Inbound
from storage import accounts, files, pages, people
from storage import tables as t
from storage.database import Store
from storage.jobs import Asker
from tests.conversations.transcript import lines_of
from tests.fakes.chat_ledgers import FILES, LEDGER, LIST
from tests.fakes.house import START, Recorder, Running, bind, settle
from tests.fakes.served import served

ZHAO = "7003"
PUBLIC = "http://tanfang.example"
OWN = {"origin": PUBLIC, "sec-fetch-site": "same-origin"}


class Site:
    """The page served, the village behind it, and one browser before it."""

    def __init__(self, running: Running, recorder: Recorder, http: httpx.AsyncClient) -> None:
        self.running, self.recorder, self.http, self.store = running, recorder, http, running.store
        self.person = running.village.people["赵敏"]
        self.said = 0

    async def says(self, text: str) -> str:
        """What the coordinator's chat shows after she wrote this."""
        self.said += 1
        await self.running.handle(Inbound("test", ZHAO, ZHAO, str(self.said), self.running.now(), text=text))
        await self.running.delivery.settle()
        return self.shown()

    def shown(self) -> str:
        return "\n".join(shown.text for shown in self.recorder.sent.get(ZHAO, []))

    async def asks(self) -> tuple[str, str]:
        """Path and code of an upload page that she asked for in chat."""
        shown = await self.says("导入 网页")
        return re.findall(r"/f/[\w-]{22}", shown)[-1], re.findall(r"\d{6}", shown)[-1]

    async def offered(self, body: bytes = b"PK\x03\x04 made up", name: str = "台账.xlsx") -> tuple[str, str]:
        """The same of a page with a file to take away."""
        def work(tx: Any) -> tuple[str, str]:
            file = files.add(tx, "ledger", self.person, name, body, self.running.now())
            return pages.make(tx, "download", self.person, self.running.now(), file)

        token, code = await self.store.run(work)
        return f"/f/{token}", code

    async def enters(self, path: str, code: str) -> httpx.Response:
        return await self.http.post(path, data={"code": code}, headers=OWN)

    async def sends(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        return await self.http.post(f"{path}/file", files={"file": ("x.xlsx", body)}, headers={**OWN, **headers})

    async def count(self, table: Any) -> int:
        row = await self.store.read(lambda tx: tx.one(select(func.count()).select_from(table)))
        return int(row[0]) if row else 0


@pytest_asyncio.fixture
async def site(store: Store) -> AsyncIterator[Site]:
    form = books.from_folder().current["visit"]
    village = await store.run(lambda tx: settle(tx, form))
    await store.run(lambda tx: bind(tx, village, ("test",)))
    recorder = Recorder()
    running = Running(store, village, recorder)
    app = Starlette(routes=list(build_routes(store, running.now, PUBLIC, frozenset({"127.0.0.1"}))))
    async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as http:
        yield Site(running, recorder, http)


async def test_a_ledger_comes_in_by_the_page_once(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    path, code = await site.asks()
    for _ in range(8):  # looking uses nothing up
        assert "请输入验证码" in (await site.http.get(path)).text
    wrong = await site.enters(path, f"{(int(code) + 1) % 10**6:06d}")
    assert "还可以试 4 次" in wrong.text and "set-cookie" not in wrong.headers
    right = await site.enters(path, code)
    assert right.status_code == 303 and right.headers["location"] == path
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and f"path={path.lower()}" in cookie
    assert "请选择台账文件" in (await site.http.get(path)).text
    taken = await site.sends(path, LEDGER)
    assert taken.status_code == 200 and "收到了" in taken.text
    await site.running.work()
    assert "新增 2，更改 0，有误 1" in site.shown()
    again = await site.sends(path, LEDGER)
    assert again.status_code == 410 and "用过了" in again.text
    assert (await site.http.get(path)).status_code == 410
    assert await site.count(t.jobs) == 1
    spoken = "".join(capfd.readouterr())
    assert path not in spoken and code not in spoken


async def test_a_file_goes_out_by_the_page_once(site: Site) -> None:
    path, code = await site.offered(b"PK\x03\x04 the ledger")
    assert (await site.http.post(f"{path}/file", headers=OWN)).headers["content-type"].startswith("text/html")
    await site.enters(path, code)
    assert "文件准备好了" in (await site.http.get(path)).text
    given = await site.http.post(f"{path}/file", headers=OWN)
    assert given.content == b"PK\x03\x04 the ledger"
    assert given.headers["content-disposition"] == "attachment; filename*=UTF-8''%E5%8F%B0%E8%B4%A6.xlsx"
    assert (await site.http.post(f"{path}/file", headers=OWN)).status_code == 410


async def test_wechat_s_own_browser_on_a_phone_uses_no_file_up_and_is_shown_the_way_to_another(site: Site) -> None:
    path, code = await site.offered(b"PK\x03\x04 the ledger")
    wechat = {"user-agent": "Mozilla/5.0 (Linux; Android 14) Chrome/116 Mobile Safari/537.36 MicroMessenger/8.0.50"}
    assert "在浏览器打开" in (await site.http.get(path, headers=wechat)).text
    await site.enters(path, code)
    assert "在浏览器打开" in (await site.http.post(f"{path}/file", headers={**OWN, **wechat})).text
    for other in ("Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7 WindowsWechat", wechat["user-agent"] + " wxwork/4.1"):
        assert "文件准备好了" in (await site.http.get(path, headers={"user-agent": other})).text
    assert (await site.http.post(f"{path}/file", headers=OWN)).content == b"PK\x03\x04 the ledger"
    path, _ = await site.asks()  # what is given is taken there too
    assert "请输入验证码" in (await site.http.get(path, headers=wechat)).text


async def test_no_answer_is_cached_framed_or_told_to_others(site: Site) -> None:
    path, code = await site.offered()
    answers = [await site.http.get(path), await site.enters(path, "000000"), await site.enters(path, code),
               await site.http.post(f"{path}/file", headers=OWN), await site.http.get("/f/made-up")]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy


@pytest.mark.parametrize("headers", [
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, {"origin": "null"}, {},
    {"origin": PUBLIC, "sec-fetch-site": "cross-site"}, {"origin": "https://evil.example", "host": "evil.example"},
    {"origin": "http://["}, {"origin": PUBLIC, "host": "["}])
async def test_what_another_site_sends_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    path, code = await site.asks()
    assert (await site.http.post(path, data={"code": code}, headers=headers)).status_code == 403
    await site.enters(path, code)
    for _ in range(6):
        refused = await site.http.post(f"{path}/file", files={"file": ("x.xlsx", LEDGER)}, headers=headers)
        assert refused.status_code == 403
    assert await site.count(t.jobs) == 0
    assert (await site.sends(path, LEDGER)).status_code == 200


@pytest.mark.parametrize("public", ["tanfang.example", ""])
def test_a_public_address_without_a_scheme_is_no_door_for_who_names_no_site(public: str) -> None:
    request = Request({"type": "http", "headers": [(b"host", b"tanfang.example")]})
    assert not html.own(request, public, frozenset())


async def test_a_fault_of_ours_is_said_kindly_and_leaves_no_name_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    async def fails(request: Request) -> None:
        raise ValueError("Key (name)=(王强) already exists")

    async with served(Starlette(routes=[Route("/", html.safely(fails))])) as url, httpx.AsyncClient() as http:
        answer = await http.get(url)
    assert answer.status_code == 503 and "现在有点忙" in answer.text
    logged = "".join(capfd.readouterr())
    assert "王强" not in logged and "ValueError" in logged and "test_pages.py" in logged


async def test_without_the_code_nothing_goes_in_or_out(site: Site) -> None:
    path, _ = await site.asks()
    out, _ = await site.offered(b"PK\x03\x04 the ledger")
    assert "请输入验证码" in (await site.sends(path, LEDGER)).text
    other, code = await site.offered()
    await site.enters(other, code)  # the cookie of one page opens no other
    grant = next(iter(site.http.cookies.jar)).value
    assert grant
    for each in (path, out):
        refused = await site.http.post(f"{each}/file", headers={**OWN, "cookie": f"page={grant}"})
        assert "请输入验证码" in refused.text
    assert await site.count(t.jobs) == 0


async def test_after_five_wrong_codes_the_page_is_void(site: Site) -> None:
    path, code = await site.asks()
    for left in (4, 3, 2, 1):
        assert f"还可以试 {left} 次" in (await site.enters(path, f"{(int(code) + left) % 10**6:06d}")).text
    assert (await site.enters(path, "x" * 2000)).status_code == 410
    for answer in (await site.enters(path, code), await site.http.get(path), await site.sends(path, LEDGER)):
        assert answer.status_code == 410 and "不能用了" in answer.text
    assert await site.count(t.files) == 0


async def test_a_file_that_is_too_large_or_no_spreadsheet_is_refused_and_another_may_be_sent(site: Site) -> None:
    path, code = await site.asks()
    await site.enters(path, code)
    photo = await site.sends(path, FILES["照片.xlsx"])
    assert photo.status_code == 415 and "不是 Excel 文件" in photo.text

    async def pours() -> AsyncIterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="x.xlsx"\r\n\r\nPK\x03\x04'
        for _ in range(400):  # no length is declared
            yield bytes(64 * 1024)

    large = await site.http.post(f"{path}/file", content=pours(), headers={
        **OWN, "content-type": "multipart/form-data; boundary=b"})
    assert large.status_code == 413 and "太大" in large.text
    for body, kind in ((b"code=1", "application/x-www-form-urlencoded"), (b"nonsense", "multipart/form-data; boundary=b")):
        empty = await site.http.post(f"{path}/file", content=body, headers={**OWN, "content-type": kind})
        assert empty.status_code in (415, 422) and "请先选一个" in empty.text
    assert await site.count(t.files) == 0
    assert (await site.sends(path, LEDGER)).status_code == 200


async def test_an_expired_or_forged_link_says_so_and_changes_nothing(site: Site) -> None:
    path, code = await site.asks()
    await site.enters(path, code)
    site.running.at = START + timedelta(minutes=31)
    for answer in (await site.http.get(path), await site.enters(path, code), await site.sends(path, LEDGER)):
        assert answer.status_code == 410 and "过期" in answer.text
    forged = "/f/" + "A" * 22
    for answer in (await site.http.get(forged), await site.enters(forged, code), await site.sends(forged, LEDGER)):
        assert answer.status_code == 404 and "没有这个网页" in answer.text
    assert await site.count(t.jobs) == 0 and await site.count(t.files) == 0


async def test_a_page_ends_with_its_persons_office(site: Site) -> None:
    path, code = await site.asks()
    await site.enters(path, code)
    await site.store.run(lambda tx: people.suspend(tx, site.person, "operator", START))
    assert (await site.sends(path, LEDGER)).status_code == 410
    assert await site.count(t.jobs) == 0


async def test_while_a_job_is_under_way_the_page_waits(site: Site) -> None:
    path, code = await site.asks()
    await site.enters(path, code)
    other, other_code = await site.asks()
    await site.enters(other, other_code)
    assert (await site.sends(path, LEDGER)).status_code == 200
    assert (await site.sends(other, LEDGER)).status_code == 409
    await site.running.work()
    assert (await site.sends(other, LEDGER)).status_code == 200


async def test_where_a_channel_carries_no_files_a_word_file_waits_behind_a_page(site: Site) -> None:
    site.recorder.capabilities = replace(site.recorder.capabilities, carries_files=False)
    shown = await site.says("打印 仇大山")
    assert "请查收" in shown and site.recorder.documents == []
    path, code = re.findall(r"/f/[\w-]{22}", shown)[-1], re.findall(r"\d{6}", shown)[-1]
    await site.enters(path, code)
    given = await site.http.post(f"{path}/file", headers=OWN)
    assert given.content.startswith(b"PK") and "docx" in given.headers["content-disposition"]
    assert "只能用一次" in await site.says("导入")


async def test_a_ledger_never_goes_to_a_channel_abroad_and_a_faulty_copy_waits_behind_a_page(site: Site) -> None:
    site.recorder.capabilities = replace(site.recorder.capabilities, abroad=True)
    path, code = await site.asks()
    await site.enters(path, code)
    await site.sends(path, LEDGER)
    await site.running.work()
    shown = site.shown()
    assert "有误 1" in shown and site.recorder.documents == []
    path, code = re.findall(r"/f/[\w-]{22}", shown)[-1], re.findall(r"\d{6}", shown)[-1]
    await site.enters(path, code)
    assert (await site.http.post(f"{path}/file", headers=OWN)).content.startswith(b"PK")


async def test_a_list_comes_by_the_page_and_what_differs_goes_back_by_one(site: Site) -> None:
    site.recorder.capabilities = replace(site.recorder.capabilities, carries_files=False)
    path, code = await site.asks()
    await site.enters(path, code)
    await site.sends(path, LIST)
    await site.running.work()
    shown = site.shown()
    assert "台账里没有 3 位" in shown and site.recorder.documents == []
    path, code = re.findall(r"/f/[\w-]{22}", shown)[-1], re.findall(r"\d{6}", shown)[-1]
    await site.enters(path, code)
    book = (await site.http.post(f"{path}/file", headers=OWN)).content
    assert any("510502194604020191" in line for line in lines_of(book))


async def test_a_file_too_old_to_be_sent_is_said_to_be_gone(site: Site) -> None:
    file = await site.store.run(lambda tx: files.add(tx, "ledger", site.person, "台账.xlsx", b"PK", START))
    asker = Asker(site.person, "test", ZHAO)
    site.running.at = START + files.KEPT
    parts = (("files.exported", {"area": "云溪镇", "what": "ledger", "rows": 3, "document": {"kind": "file", "file": file}}),)
    await site.store.run(lambda tx: say_to(tx, asker, parts, site.running.now()))
    await site.running.delivery.sweep()
    assert "现在给不了了" in site.shown() and site.recorder.documents == []


@pytest.mark.parametrize("meanwhile", [False, True])
async def test_neither_file_nor_word_goes_into_the_chat_of_somebody_else(site: Site, meanwhile: bool) -> None:
    file = await site.store.run(lambda tx: files.add(tx, "ledger", site.person, "台账.xlsx", b"PK", START))
    parts = (("files.exported", {"area": "云溪镇", "what": "ledger", "rows": 3, "document": {"kind": "file", "file": file}}),)
    asker, wang = Asker(site.person, "test", ZHAO), site.running.village.people["王强"]

    def work(tx: Any) -> None:
        if meanwhile:  # the account gets another owner between the saying and the sending
            say_to(tx, asker, parts, site.running.now())
        accounts.bind(tx, "test", ZHAO, ZHAO, wang, START)
        if not meanwhile:
            say_to(tx, asker, parts, site.running.now())

    await site.store.run(work)
    await site.running.delivery.sweep()
    assert site.recorder.documents == []
    assert meanwhile or site.recorder.sent == {}
