"""A start that cannot go well ends with one line that names what to mend, and exit code 2."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from tests.faults.server import HOUSE, clean_env


async def refused(folder: Path, **settings: str) -> str:
    """Starts a server that must refuse; gives its one line."""
    env = clean_env() | {"TANFANG_DATA_DIR": str(folder / "data"), "TANFANG_KEY_FILE": str(folder / "keys.json")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", cwd=HOUSE, env=env | {f"TANFANG_{n}": v for n, v in settings.items()},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    try:
        async with asyncio.timeout(20):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    text = said.decode()
    assert process.returncode == 2, text
    lines = [line for line in text.strip().splitlines() if not line.startswith("open http")]
    assert len(lines) == 1 and lines[0].startswith("tanfang: ") and "Traceback" not in text, text
    return lines[0]


@pytest.mark.parametrize(("settings", "named"), [
    ({"TELEGRAM_TOKEN": "1:t", "TELEGRAM_MODE": "webhook"}, ["TANFANG_TELEGRAM_SECRET", "TANFANG_PUBLIC_URL"]),
    ({"TELEGRAM_TOKEN": "1:t", "TELEGRAM_MODE": "webhook", "PUBLIC_URL": "https://a"}, ["TANFANG_TELEGRAM_SECRET"]),
    ({"TELEGRAM_MODE": "webhook"}, ["TANFANG_TELEGRAM_TOKEN"]),
    ({"TELEGRAM_SECRET": "s"}, ["TANFANG_TELEGRAM_TOKEN"]),
    ({"TELEGRAM_TOKEN": "1:t", "TELEGRAM_MODE": "pigeon"}, ["TANFANG_TELEGRAM_MODE"]),
    ({"TELEGRAM_TOKEN": "1:t", "PLAYGROUND": "on"}, ["TANFANG_PLAYGROUND"]),
    ({"PORT": "many"}, ["TANFANG_PORT"]),
    ({"DATABASE_URL": "mysql://somewhere/db"}, ["TANFANG_DATABASE_URL"]),
    ({"DATABASE_URL": "sqlite:////proc/none/tanfang.db"}, ["TANFANG_DATABASE_URL"]),
    ({"DATABASE_URL": "postgresql://u:secretword@127.0.0.1:9/db"}, ["TANFANG_DATABASE_URL"]),
    ({"POLICY_FILE": "/nowhere/policy.toml"}, ["/nowhere/policy.toml"]),
    ({"POLICY_FILE": "/"}, ["policy file /"]),
])
async def test_wrong_settings_are_refused_by_name(settings: dict[str, str], named: list[str], tmp_path: Path) -> None:
    line = await refused(tmp_path, **settings)
    assert all(name in line for name in named) and "secretword" not in line


@pytest.mark.parametrize("text", ["old_age = ", "old_age = 7", "home_method = ['home']"])
async def test_a_policy_file_with_a_fault_is_refused_by_its_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    assert str(file) in await refused(tmp_path, POLICY_FILE=str(file))


async def test_keys_beside_the_data_are_refused(tmp_path: Path) -> None:
    line = await refused(tmp_path, KEY_FILE=str(tmp_path / "data" / "keys.json"))
    assert "TANFANG_KEY_FILE" in line and "TANFANG_DATA_DIR" in line


async def test_a_key_file_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("no keys")
    assert str(tmp_path / "keys.json") in await refused(tmp_path)


async def test_a_port_in_use_is_refused_by_its_number(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = await refused(tmp_path, PORT=port)
    assert "TANFANG_PORT" in line and port in line
