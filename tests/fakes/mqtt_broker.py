"""A real MQTT broker (mosquitto) on a loopback port, set up as docs/devices.md tells operators to."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PASSWORDS = shutil.which("mosquitto_passwd") or "mosquitto_passwd"
OURS, SECRET = "tanfang", "made-up"
RULES = f"""
user {OURS}
topic read tanfang/devices/+/alarms
topic write tanfang/devices/+/answers
pattern write tanfang/devices/%u/alarms
pattern read tanfang/devices/%u/answers
"""


class Broker:
    """One that can be stopped and started; what it kept of its sessions is there again."""

    def __init__(self, folder: Path, vendors: tuple[str, ...]) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port: int = found.getsockname()[1]
        self._folder = folder
        passwords, rules = folder / "passwords", folder / "rules"
        passwords.touch(mode=0o600)
        for name in (OURS, *vendors):
            subprocess.run([PASSWORDS, "-b", passwords, name, SECRET], check=True, capture_output=True)
        rules.write_text(RULES)
        (folder / "conf").write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\nacl_file {rules}\n"
            f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n")
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Ours, as TANFANG_MQTT_URL has it."""
        return f"mqtt://{OURS}:{SECRET}@127.0.0.1:{self.port}/tanfang-test"

    def start(self) -> None:
        assert PROGRAM
        self._running = subprocess.Popen([PROGRAM, "-c", self._folder / "conf"], stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:  # until it takes connections
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self._running.poll() is None and time.monotonic() < until, "mosquitto did not start"
            else:
                return

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait(20)
            self._running = None

    @contextlib.asynccontextmanager
    async def vendor(self, name: str) -> AsyncIterator[aiomqtt.Client]:
        """A vendor with his account, who listens for answers."""
        async with aiomqtt.Client("127.0.0.1", self.port, username=name, password=SECRET, timeout=20) as client:
            client.pending_calls_threshold = 2000
            await client.subscribe(f"tanfang/devices/{name}/answers", qos=1)
            yield client


def broker(folder: Path, *vendors: str) -> Iterator[Broker]:
    """Running, for a fixture. Skipped where there is no mosquitto, save in CI."""
    if PROGRAM is None and not os.environ.get("CI"):
        pytest.skip("no mosquitto here: apt-get install mosquitto")
    running = Broker(folder, vendors)
    running.start()
    yield running
    running.stop()
