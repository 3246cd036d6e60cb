"""WeCom in the settings: whole or refused by name; and a started program answers at its door."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.app import App, foundation
from bot.channels.wechat import Account
from bot.channels.wecom import Application
from bot.settings import Settings
from scheduler.group_notices import AlertCode
from storage.platform_tokens import Found
from tests.fakes import tencent
from tests.fakes.served import served
from tests.fakes.wecom_api import FakeWeCom

WHOLE: dict[str, Any] = {
    "wecom_corp_id": "ww1234567890abcdef", "wecom_agent_id": 1000002, "wecom_secret": "0123456789abcdef0123456789abcdef",
    "wecom_token": tencent.TOKEN, "wecom_aes_key": tencent.AES_KEY, "public_url": "https://tanfang.example"}


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(_env_file=None, data_dir=folder / "data", key_file=folder / "keys.json", **given)  # type: ignore[call-arg]


@pytest.mark.parametrize("left_out", list(WHOLE))
def test_half_a_platform_is_refused_by_the_name_of_what_is_missing(tmp_path: Path, left_out: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(tmp_path, **{name: value for name, value in WHOLE.items() if name != left_out})
    assert f"TANFANG_{left_out.upper()}" in str(refused.value)
    assert sum(f"TANFANG_{name.upper()}" in str(refused.value) for name in WHOLE) == 1


def test_a_wrong_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="TANFANG_WECOM_AES_KEY must be the 43"):
        settings(tmp_path, **{**WHOLE, "wecom_aes_key": "short"})


def test_nothing_that_prints_settings_or_accounts_prints_a_secret(tmp_path: Path) -> None:
    names = ("telegram_token", "telegram_secret", "wechat_app_secret", "wechat_token", "wechat_aes_key", "wecom_secret",
             "wecom_token", "wecom_aes_key", "sms_token")
    secrets = {name: f"{n}secret{'x' * 36}" for n, name in enumerate(names)}
    found = settings(tmp_path, **{
        **WHOLE, **secrets, "wechat_app_id": "wx1", "sms_url": "https://sms.example/send?key=7secret",
        "database_url": "postgresql://bot:8secret@db/tanfang", "mqtt_url": "mqtts://bot:9secret@broker"})
    keys = {"secret": found.wecom_secret, "token": found.wecom_token, "aes_key": found.wecom_aes_key}
    said = repr((found, Application("ww1", 1, **keys), Account("wx1", **keys), Found(found.wecom_token),
                 AlertCode(person="p", alert="a", code="0secret")))
    assert "secretx" not in said and not re.search(r"\dsecret", said)


async def test_a_started_program_sets_its_menu_and_answers_the_console(tmp_path: Path) -> None:
    from bot.clock import wall

    async with FakeWeCom(wall) as fake:
        app = App(foundation(settings(tmp_path, **WHOLE, wecom_api_url=fake.url)))
        async with app.web.router.lifespan_context(app.web), served(app.web) as fake.bot_url:
            assert (await fake.callbacks.verify("123")).text == "123"
            member = fake.person("WangQiang", "王强")
            delivery = await member.says("你好")
            assert delivery.statuses == [200]
            await app.delivery.settle()
            assert "邀请链接" in member.last.text
            async with httpx.AsyncClient(trust_env=False) as http:
                assert (await http.get(f"{fake.bot_url}/playground")).status_code == 404
                assert (await http.get(f"{fake.bot_url}/wecom/join/unknown")).status_code == 404
            for _ in range(200):
                if fake.menu is not None:
                    break
                await member.opens()
            assert fake.menu is not None
