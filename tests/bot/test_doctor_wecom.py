"""What doctor finds out about WeCom, asked of the fake."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channels import wecom_wiring
from bot.checks import wecom
from bot.settings import Settings
from tests.fakes import tencent
from tests.fakes.wecom_api import FakeWeCom

NOW = datetime(2026, 3, 5, 1, tzinfo=UTC)


@pytest.fixture
async def fake() -> AsyncIterator[FakeWeCom]:
    async with FakeWeCom(lambda: NOW) as fake:
        fake.person("wang", "王强")
        fake.menu = wecom_wiring.menu()
        yield fake


async def found(fake: FakeWeCom, folder: Path, **given: Any) -> list[str]:
    """Findings, with these settings otherwise than right."""
    right = {"wecom_corp_id": fake.corp_id, "wecom_agent_id": fake.agent_id, "wecom_secret": fake.secret,
             "wecom_token": fake.token, "wecom_aes_key": tencent.AES_KEY, "wecom_api_url": fake.url,
             "public_url": "https://bot.example.gov.cn"}
    return await wecom.findings(Settings(data_dir=folder / "data", key_file=folder / "keys.json", _env_file=None,
                                         **{**right, **given}))


def warned(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("WARNING")]


async def test_of_an_application_that_is_well_set_up_it_tells_who_sees_it_and_warns_of_nothing(
        fake: FakeWeCom, tmp_path: Path) -> None:
    lines = await found(fake, tmp_path)
    assert warned(lines) == []
    said = "\n".join(lines)
    for part in ("探访", "https://bot.example.gov.cn/wecom", "1 members", "182.254.11.176"):
        assert part in said
    assert fake.secret not in said and tencent.AES_KEY not in said and "group chats" not in said


async def test_an_application_that_not_everybody_sees_is_told_to_have_no_group_chats(
        fake: FakeWeCom, tmp_path: Path) -> None:
    fake.whole = False
    lines = await found(fake, tmp_path)
    assert warned(lines) == []
    assert any("group chats" in line and "可见范围" in line for line in lines)


@pytest.mark.parametrize(("given", "name"), [
    ({"wecom_corp_id": "ww0"}, "TANFANG_WECOM_CORP_ID"), ({"wecom_secret": "0" * 43}, "TANFANG_WECOM_SECRET"),
    ({"wecom_agent_id": 7}, "TANFANG_WECOM_AGENT_ID")])
async def test_credentials_that_are_not_taken_are_named(
        given: dict[str, Any], name: str, fake: FakeWeCom, tmp_path: Path) -> None:
    [line] = warned(await found(fake, tmp_path, **given))
    assert name in line and "0" * 43 not in line


@pytest.mark.parametrize("path", ["/cgi-bin/gettoken", "/cgi-bin/agent/get", "/cgi-bin/getcallbackip"])
async def test_a_machine_that_is_not_trusted_is_told_its_own_address(path: str, fake: FakeWeCom, tmp_path: Path) -> None:
    fake.fails(path, 60020)
    [line] = warned(await found(fake, tmp_path))
    assert "企业可信IP" in line and "10.9.8.7" in line


async def test_a_platform_that_is_away_is_told(fake: FakeWeCom, tmp_path: Path) -> None:
    [line] = warned(await found(fake, tmp_path, wecom_api_url="http://127.0.0.1:9"))
    assert "does not answer" in line and "TANFANG_WECOM_API_URL" in line


async def test_an_application_that_is_off_or_that_nobody_sees_is_told(fake: FakeWeCom, tmp_path: Path) -> None:
    fake.closed = True
    assert ["switched off" in line for line in warned(await found(fake, tmp_path))] == [True]
    fake.closed, fake.person("wang").visible, fake.whole = False, False, False
    assert ["可见范围" in line for line in warned(await found(fake, tmp_path))] == [True]


async def test_a_menu_that_is_missing_or_another_is_told(fake: FakeWeCom, tmp_path: Path) -> None:
    fake.menu = None
    assert ["no menu" in line for line in warned(await found(fake, tmp_path))] == [True]
    fake.menu = [{"type": "click", "name": "别的", "key": "x"}]
    assert ["别的" in line for line in warned(await found(fake, tmp_path))] == [True]


async def test_an_address_to_which_wecom_cannot_post_is_told(fake: FakeWeCom, tmp_path: Path) -> None:
    for url, part in (("http://bot.example.gov.cn", "https"), ("https://192.0.2.7", "domain"),
                      ("https://bot.example.gov.cn:8443", "port 8443")):
        assert [part in line for line in warned(await found(fake, tmp_path, public_url=url))] == [True]
