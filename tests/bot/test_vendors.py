"""A vendor's token from the command line to the door of a running program; nothing secret in the log."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot import doctor, vendors
from bot.app import App, Foundation
from bot.inviting import InvitationRefused
from bot.settings import Settings
from scheduler import policy
from storage.crypto import Keys
from storage.database import Store
from storage.key_file import load_keys
from tests.fakes import mqtt_broker
from tests.fakes.alarms import alarm

NOW = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)


def based(store: Store, keys: Keys, tmp_path: Path, mqtt_url: str = "") -> Foundation:
    key_file = tmp_path / "keys" / "tanfang.keys.json"
    key_file.parent.mkdir()
    load_keys(key_file, create=True)
    settings = Settings(key_file=key_file, data_dir=tmp_path / "data", mqtt_url=mqtt_url, _env_file=None)
    return Foundation(settings, keys, policy.load(), store)


async def test_a_token_is_printed_once_and_another_ends_it(sqlite_store: Store, keys: Keys, tmp_path: Path) -> None:
    base = based(sqlite_store, keys, tmp_path)
    first = await vendors.invite(base, "anxin", NOW)
    second = await vendors.invite(base, "anxin", NOW)
    assert first[1].strip().startswith("anxin.") and len(first[1].strip()) > 40 and first[1] != second[1]
    assert "holds no longer" in second[-1] and "holds no longer" not in first[-1]
    assert any("devices   of anxin by HTTP" in line for line in await doctor.findings(base))
    assert "nothing more" in (await vendors.revoke(base, "anxin", NOW))[0]
    with pytest.raises(InvitationRefused, match="no device vendor anxin"):
        await vendors.revoke(base, "anxin", NOW)


@pytest.mark.parametrize("name", ["", "a", "An Xin", "安心", "an.xin", "an/xin", "-anxin", "a" * 41, "anxin\n"])
async def test_a_name_that_fits_no_topic_is_refused(sqlite_store: Store, keys: Keys, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvitationRefused, match="device-vendor"):
        await vendors.invite(based(sqlite_store, keys, tmp_path), name, NOW)


async def test_the_running_program_takes_alarms_by_both_doors_and_logs_nothing_secret(
    sqlite_store: Store, keys: Keys, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    brokers = mqtt_broker.broker(tmp_path, "anxin")
    broker = next(brokers)
    base = based(sqlite_store, keys, tmp_path, broker.url)
    token = (await vendors.invite(base, "anxin", NOW))[1].strip()
    running = App(base)
    async with running.web.router.lifespan_context(running.web), httpx.AsyncClient(
            transport=httpx.ASGITransport(running.web), base_url="http://127.0.0.1") as http:
        sent = alarm(NOW, "secret-event", "SECRET-SERIAL", "heart_rate", per_minute=133)
        answer = await http.post("/devices/alarms", json=sent, headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["results"][0]["result"] == "unknown_device"
        assert (await http.get("/devices/openapi.json")).status_code == 200
        async with broker.vendor("anxin") as client:
            async with asyncio.timeout(30):
                while True:  # until the program has come to the broker
                    await client.publish("tanfang/devices/anxin/alarms", httpx.Request("POST", "http://x", json=sent).content, qos=1)
                    try:
                        async with asyncio.timeout(0.5):
                            message = await anext(client.messages)
                    except TimeoutError:
                        continue
                    break
        assert message.payload == answer.content  # the same event by another door is the same event
        said = (await http.get("/metrics")).text
        assert 'tanfang_device_alarms_total{door="http",outcome="unknown_device"}' in said
    next(brokers, None)
    logged = "".join(capfd.readouterr())
    for secret in (token, token.partition(".")[2], "secret-event", "SECRET-SERIAL", "133", mqtt_broker.SECRET):
        assert secret not in logged
