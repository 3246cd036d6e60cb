"""What doctor finds out about an Official Account, asked of the fake."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import bot
from bot.channels import wechat_menu
from bot.channels.wechat_templates import Templates
from bot.checks import wechat
from bot.settings import Settings
from conversations.telling import _TELL
from conversations.words_book import Words
from tests.fakes import tencent
from tests.fakes.wechat_api import FakeWeChat

NOW = datetime(2026, 3, 5, 1, tzinfo=UTC)
FILE = """
[alert_raised]
template = "T-1"
fields = { thing1 = "{{ line }}", time2 = "{{ time }}" }
"""


@pytest.fixture
async def fake() -> AsyncIterator[FakeWeChat]:
    async with FakeWeChat(lambda: NOW, templates={"T-1": ("thing1", "time2")}, seen_at=["203.0.113.7"]) as fake:
        fake.menu = wechat_menu.groups()[0].buttons
        yield fake


async def found(fake: FakeWeChat, folder: Path, templates: str = FILE, **given: Any) -> list[str]:
    """Findings, with these settings otherwise than right."""
    if templates:
        (folder / "templates.toml").write_text(templates)
        given["wechat_templates"] = folder / "templates.toml"
    right = {"wechat_app_id": fake.app_id, "wechat_app_secret": fake.secret, "wechat_token": fake.token,
             "wechat_aes_key": tencent.AES_KEY, "wechat_api_url": fake.url, "public_url": "https://bot.example.gov.cn"}
    return await wechat.findings(Settings(data_dir=folder / "data", key_file=folder / "keys.json", _env_file=None,
                                          **{**right, **given}))


def warned(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("WARNING")]


async def test_of_an_account_that_is_well_set_up_it_tells_where_posts_come_from_and_warns_of_nothing(
        fake: FakeWeChat, tmp_path: Path) -> None:
    lines = await found(fake, tmp_path)
    assert warned(lines) == []
    said = "\n".join(lines)
    for part in (fake.app_id, "https://bot.example.gov.cn/wechat", "101.226.62.77", "203.0.113.7", "1 templates"):
        assert part in said
    assert fake.secret not in said and tencent.AES_KEY not in said


@pytest.mark.parametrize(("given", "name"), [
    ({"wechat_app_id": "wx0"}, "TANFANG_WECHAT_APP_ID"), ({"wechat_app_secret": "0" * 32}, "TANFANG_WECHAT_APP_SECRET")])
async def test_credentials_that_are_not_taken_are_named_with_their_place_in_the_console(
        given: dict[str, str], name: str, fake: FakeWeChat, tmp_path: Path) -> None:
    [line] = warned(await found(fake, tmp_path, **given))
    assert name in line and "基本配置" in line and "0" * 32 not in line


async def test_a_machine_that_is_not_on_the_ip_list_is_told_its_own_address(fake: FakeWeChat, tmp_path: Path) -> None:
    fake.fails("/cgi-bin/stable_token", 40164)
    [line] = warned(await found(fake, tmp_path))
    assert "IP白名单" in line and "10.9.8.7" in line


async def test_a_platform_that_is_away_is_told(fake: FakeWeChat, tmp_path: Path) -> None:
    [line] = warned(await found(fake, tmp_path, wechat_api_url="http://127.0.0.1:9"))
    assert "does not answer" in line and "TANFANG_WECHAT_API_URL" in line


async def test_plain_mode_and_an_address_to_which_wechat_cannot_post_are_told(fake: FakeWeChat, tmp_path: Path) -> None:
    assert ["安全模式" in line for line in warned(await found(fake, tmp_path, wechat_aes_key=""))] == [True]
    lines = warned(await found(fake, tmp_path, public_url="http://192.0.2.7:8080"))
    assert [part in line for part, line in zip(("https", "wants a domain", "port 8080"), lines, strict=True)] == [True] * 3


async def test_where_the_console_has_no_address_or_one_that_is_not_found_it_says_so(
        fake: FakeWeChat, tmp_path: Path) -> None:
    fake.seen_at = None
    assert ["启用" in line for line in warned(await found(fake, tmp_path))] == [True]
    fake.seen_at = []
    assert ["备案" in line for line in warned(await found(fake, tmp_path))] == [True]


async def test_a_menu_that_is_missing_or_another_is_told(fake: FakeWeChat, tmp_path: Path) -> None:
    fake.menu = None
    assert ["no menu" in line for line in warned(await found(fake, tmp_path))] == [True]
    fake.menu = [{"type": "click", "name": "别的", "key": "x"}]
    assert ["别的" in line for line in warned(await found(fake, tmp_path))] == [True]


async def test_templates_that_the_account_has_not_or_with_other_fields_are_told(fake: FakeWeChat, tmp_path: Path) -> None:
    assert ["48 hours" in line for line in warned(await found(fake, tmp_path, templates=""))] == [True]
    other = FILE + '[other]\ntemplate = "T-9"\nfields = { thing1 = "x" }\n'
    [missing] = warned(await found(fake, tmp_path, templates=other))
    assert "[other]" in missing and "T-9" in missing
    fake.templates["T-1"] = ("thing1", "time3")
    [fields] = warned(await found(fake, tmp_path))
    assert "thing1, time2" in fields and "thing1, time3" in fields
    fake.fails("/cgi-bin/template/get_all_private_template", 48001)
    [refused] = warned(await found(fake, tmp_path))
    assert "服务号" in refused


def test_the_file_of_templates_that_the_guide_shows_is_taken(tmp_path: Path) -> None:
    guide = (Path(bot.__file__).parent.parent / "docs" / "wechat.md").read_text(encoding="utf-8")
    (tmp_path / "templates.toml").write_text(guide.partition("```toml")[2].partition("```")[0], encoding="utf-8")
    taken = Templates(tmp_path / "templates.toml", Words().phrase).fields()
    assert taken.keys() - {"other"} <= _TELL.keys() and "other" in taken


def test_every_setting_stands_in_the_guide_of_its_platform() -> None:
    for platform in ("telegram", "wechat", "wecom"):
        guide = (Path(bot.__file__).parent.parent / "docs" / f"{platform}.md").read_text(encoding="utf-8")
        named = {f"TANFANG_{name.upper()}" for name in Settings.model_fields if name.startswith(f"{platform}_")}
        assert {name for name in named if name not in guide} == set()


@pytest.mark.parametrize("code", [89503, 45009, 50002, 48004, 61024])
async def test_whatever_refuses_the_account_something_to_do_is_said(code: int, fake: FakeWeChat, tmp_path: Path) -> None:
    fake.fails("/cgi-bin/stable_token", code)
    [line] = warned(await found(fake, tmp_path))
    assert ":" in line and any(word in line for word in ("confirm", "clear", "read", "look it up"))
