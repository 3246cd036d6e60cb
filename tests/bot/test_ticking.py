"""The clock: beats of a serving process, ticks by hand, and the playground's clock moved forward."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bot import clock, doctor, ticking
from bot.app import App, Foundation
from bot.cli import app as cli
from bot.settings import Settings
from scheduler import casework, policy, runner, tick
from scheduler.policy import Policies
from storage import areas, elders, meta, people
from storage.crypto import Keys
from storage.database import Tx
from storage.elders import NewElder
from storage.ids import millis
from storage.key_file import load_keys
from storage.opening import open_store
from storage.scope import Scope
from tests.storage.ground import lay

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(policy.load().city.zone).date()


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Foundation]:
    settings = Settings(data_dir=tmp_path / "data", key_file=tmp_path / "keys" / "k.json", _env_file=None)
    (tmp_path / "data").mkdir()
    keys: Keys = load_keys(settings.key_file, create=True)
    store = open_store(settings.database, keys)
    yield Foundation(settings, keys, policy.load(), store)
    store.close()


def turns_eighty(day: date) -> str:
    """The birth date of somebody whose eightieth birthday is on that day."""
    return day.replace(year=day.year - 80).isoformat()


async def registered(base: Foundation, eighty_on: date) -> tuple[str, str]:
    """A coordinator, and a general elder who lives alone, registered when he was not eighty yet."""
    before = NOW - timedelta(days=40)

    def work(tx: Tx) -> tuple[str, str]:
        village = areas.add(tx, areas.add(tx, None, "township", "云溪镇", before), "village", "建设村", before)
        return people.add(tx, village.id, "赵敏", ("village",), before).id, casework.register(tx, NewElder(
            village.id, "3组", "罗玉兰", "lyl", "female", turns_eighty(eighty_on), ["living_alone"], "intact",
            before.date().isoformat()), base.policies, before)
    return await base.store.run(work)


async def care_class(base: Foundation, at: tuple[str, str]) -> str:
    coordinator, elder = at
    found = await base.store.read(lambda tx: elders.find(tx, Scope(coordinator, TODAY), elder))
    assert found is not None
    return found.care_class


async def test_a_serving_process_ticks_from_its_start_on(base: Foundation) -> None:
    elder = await registered(base, TODAY)
    assert await care_class(base, elder) == "general"
    running = App(base)
    async with running.web.router.lifespan_context(running.web), asyncio.timeout(10):
        while await care_class(base, elder) == "general":
            pass


async def test_the_clock_beats_again_and_again_and_never_twice_at_once(base: Foundation,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "BEAT", 0.01)
    under_way, most, times = 0, 0, 0
    enough = asyncio.Event()

    async def tick(*given: object, **more: object) -> list[str]:
        nonlocal under_way, most, times
        under_way, times = under_way + 1, times + 1
        most = max(most, under_way)
        for _ in range(50):
            await asyncio.sleep(0)
        under_way -= 1
        if times == 3:
            enough.set()
        return []

    monkeypatch.setattr(runner.tick, "tick", tick)
    async def nothing() -> None:
        pass

    ticker = runner.Ticker(base.store, base.policies, clock.wall, nothing)
    ticker.start()
    async with asyncio.timeout(10):
        await asyncio.gather(ticker.beat(), enough.wait())
    ticker.stop()
    assert most == 1


async def test_moving_the_playgrounds_clock_does_what_is_due_by_then(base: Foundation) -> None:
    elder = await registered(base, TODAY + timedelta(days=3))
    running = App(base)
    async with (running.web.router.lifespan_context(running.web),
                httpx.AsyncClient(transport=httpx.ASGITransport(running.web), base_url="http://127.0.0.1") as http):
        for days, wanted in ((2, "general"), (3, "priority")):
            to = (NOW + timedelta(days=days, minutes=10)).isoformat()
            answer = await http.post("/playground/api/clock", json={"to": to}, headers={"origin": "http://127.0.0.1"})
            assert answer.status_code == 200, answer.text
            assert await care_class(base, elder) == wanted


async def test_another_time_by_hand_is_for_playgrounds_or_dry_runs(base: Foundation) -> None:
    elder = await registered(base, TODAY + timedelta(days=3))
    later = NOW + timedelta(days=4)
    with pytest.raises(ticking.TickRefused, match="playground"):
        await ticking.once(base, later, NOW, dry_run=False)
    lines = await ticking.once(base, later, NOW, dry_run=True)
    assert any("elder.derive" in line for line in lines)
    assert await care_class(base, elder) == "general"
    await ticking.once(base, None, NOW, dry_run=False)
    assert await care_class(base, elder) == "general"
    await base.store.run(lambda tx: meta.put(tx, clock.OFFSET, "0"))
    await ticking.once(base, later, NOW, dry_run=False)
    assert await care_class(base, elder) == "priority"


def test_the_command_says_what_it_would_do_or_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANFANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TANFANG_KEY_FILE", str(tmp_path / "keys" / "k.json"))
    dry = CliRunner().invoke(cli, ["tick", "--at", "2027-04-01T08:00:00", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert dry.output.splitlines()[:2] == ["2027-04-01 08:00", "  classes"]
    assert CliRunner().invoke(cli, ["tick"]).exit_code == 0
    refused = CliRunner().invoke(cli, ["tick", "--at", "2027-04-01T08:00:00"])
    assert refused.exit_code == 2
    assert "playground" in refused.output


async def test_doctor_names_the_areas_of_the_policy_file_that_nobody_lives_in(base: Foundation) -> None:
    await base.store.run(lay(NOW))
    named = Policies(base.policy, own={("江阳区",): {"old_age": 75}})
    lines = await doctor.findings(Foundation(base.settings, base.keys, named, base.store))
    assert [line for line in lines if "江阳区" in line and line.startswith("WARNING")]
    assert not [line for line in await doctor.findings(base) if "[areas]" in line]


async def test_doctor_says_when_the_clock_ticked_last_and_which_sweep_failed(base: Foundation) -> None:
    def said(lines: list[str]) -> list[str]:
        return [line for line in lines if "clock" in line or "sweep" in line]

    assert said(await doctor.findings(base)) == ["WARNING   the clock has not ticked yet: serve does it each minute"]
    now = clock.wall()  # doctor looks at the wall's clock
    await ticking.once(base, None, now, dry_run=False)
    [line] = said(await doctor.findings(base))
    assert line.startswith(f"clock     last ticked {now:%Y-%m-%d %H:%M}")
    later = now + timedelta(minutes=9)
    assert (await base.store.read(lambda tx: clock.standing(tx, later)))[1].startswith("WARNING   the clock stands still")
    await base.store.run(lambda tx: meta.put(tx, f"{tick.FAILED}retention", f"{millis(later)} KeyError"))
    *_, failed = await base.store.read(lambda tx: clock.standing(tx, later + timedelta(minutes=3)))
    assert failed.startswith('WARNING   the sweep "retention" failed 3 minutes ago (KeyError)')
