"""A start that cannot go well ends with one line that names what to mend, and exit code 2."""

import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes.by_hand import bot
from tests.faults.server import HOUSE, clean_env

WECHAT = {"WECHAT_APP_ID": "wx1", "WECHAT_APP_SECRET": "secretword", "WECHAT_TOKEN": "t", "PUBLIC_URL": "https://a"}


@pytest.fixture(autouse=True)
def no_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start sets up the logs of its process: here it would be for all tests after it."""
    monkeypatch.setattr("bot.logs.configure", lambda: None)


def env_of(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    ours = {"DATA_DIR": str(folder / "data"), "KEY_FILE": str(folder / "keys.json"), **settings}
    return clean_env() | {f"TANFANG_{name}": value for name, value in ours.items()}


def refused(folder: Path, **settings: str) -> str:
    """Serves, which must be refused; gives the one line."""
    done = bot(env_of(folder, settings), "serve")
    return _line(done.returncode, done.stderr)


def _line(code: int, text: str) -> str:
    assert code == 2, text
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
    ({"WECHAT_APP_ID": "wx1"}, ["TANFANG_WECHAT_APP_SECRET", "TANFANG_WECHAT_TOKEN", "TANFANG_PUBLIC_URL"]),
    ({"WECHAT_AES_KEY": "x" * 43}, ["TANFANG_WECHAT_APP_ID", "TANFANG_WECHAT_APP_SECRET", "TANFANG_WECHAT_TOKEN"]),
    ({**WECHAT, "WECHAT_AES_KEY": "short"}, ["TANFANG_WECHAT_AES_KEY"]),
    ({**WECHAT, "WECHAT_TEMPLATES": "/nowhere/templates.toml"}, ["TANFANG_WECHAT_TEMPLATES", "/nowhere"]),
    ({**WECHAT, "PLAYGROUND": "on"}, ["TANFANG_PLAYGROUND"]),
    ({"PORT": "many"}, ["TANFANG_PORT"]),
    ({"DATABASE_URL": "mysql://somewhere/db"}, ["TANFANG_DATABASE_URL"]),
    ({"DATABASE_URL": "sqlite:////proc/none/tanfang.db"}, ["TANFANG_DATABASE_URL"]),
    ({"DATABASE_URL": "postgresql://u:secretword@127.0.0.1:9/db"}, ["TANFANG_DATABASE_URL"]),
    ({"POLICY_FILE": "/nowhere/policy.toml"}, ["/nowhere/policy.toml"]),
    ({"POLICY_FILE": "/"}, ["policy file /"]),
])
def test_wrong_settings_are_refused_by_name(settings: dict[str, str], named: list[str], tmp_path: Path) -> None:
    line = refused(tmp_path, **settings)
    assert all(name in line for name in named) and "secretword" not in line


@pytest.mark.parametrize("text", ["old_age = ", "old_age = 7", "home_method = ['home']"])
def test_a_policy_file_with_a_fault_is_refused_by_its_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    assert str(file) in refused(tmp_path, POLICY_FILE=str(file))


def test_keys_beside_the_data_are_refused(tmp_path: Path) -> None:
    line = refused(tmp_path, KEY_FILE=str(tmp_path / "data" / "keys.json"))
    assert "TANFANG_KEY_FILE" in line and "TANFANG_DATA_DIR" in line


def test_a_key_file_that_is_none_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("no keys")
    assert str(tmp_path / "keys.json") in refused(tmp_path)


def test_a_port_in_use_is_refused_by_its_number_and_the_process_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([sys.executable, "-m", "bot", "serve"], cwd=HOUSE, env=env_of(tmp_path, {"PORT": port}),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20, check=False)
    line = _line(done.returncode, done.stdout)
    assert "TANFANG_PORT" in line and port in line
