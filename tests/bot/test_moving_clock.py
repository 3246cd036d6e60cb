"""The playground's clock goes through every due instant in order, by its page and by `tick --at`; and says what it did."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bot import clock, ticking
from bot.app import App, Foundation, load_book
from bot.clock import ClockGoesForward, PlaygroundClock
from bot.demo import fill
from bot.settings import Settings
from conversations.turn import House
from scheduler import notices, policy
from scheduler.notices import AuditHead
from scheduler.report import Report
from storage import accounts, areas, assignments, elders, meta, people, phones
from storage.crypto import Keys
from storage.database import Tx
from storage.ids import instant
from storage.key_file import load_keys
from storage.opening import open_store
from storage.scope import Scope
from storage.tables import phone_messages
from tests.storage.ground import DAY as LAID
from tests.storage.ground import lay

ZONE = policy.load().city.zone
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def opened(url: str, folder: Path) -> Foundation:
    settings = Settings(data_dir=folder / "data", key_file=folder / "k.json", _env_file=None)
    keys: Keys = load_keys(settings.key_file, create=True)
    return Foundation(settings, keys, policy.load(), open_store(url, keys))


@pytest.fixture
def base(url: str, tmp_path: Path) -> Iterator[Foundation]:
    base = opened(url, tmp_path)
    yield base
    base.store.close()


@asynccontextmanager
async def page(base: Foundation) -> AsyncIterator[httpx.AsyncClient]:
    running = App(base)
    async with (running.web.router.lifespan_context(running.web), httpx.AsyncClient(
            transport=httpx.ASGITransport(running.web), base_url="http://127.0.0.1",
            headers={"origin": "http://127.0.0.1"}) as http):
        yield http


async def reminders(base: Foundation, *times: datetime) -> None:
    """Reminders, each for its time, to somebody with a phone on the page."""
    def work(tx: Tx) -> None:
        village = areas.add(tx, None, "village", "石岭村", clock.wall())
        person = people.add(tx, village.id, "王强", ("visitor",), clock.wall()).id
        accounts.bind(tx, phones.CHANNEL, "p", "p", person, clock.wall())
        for at in times:
            notices.tell(tx, AuditHead(person=person, lines=1, mac="m"), clock.wall(), not_before=at)
    await base.store.run(work)


async def shown_at(base: Foundation) -> list[datetime]:
    rows = await base.store.read(lambda tx: tx.all(select(phone_messages.c.at).order_by(phone_messages.c.id)))
    return [instant(at) for at, in rows]


async def test_each_reminder_reaches_its_phone_at_its_own_time_while_the_clock_is_moved(base: Foundation) -> None:
    start = clock.wall().replace(microsecond=0)
    noon = start.astimezone(ZONE).replace(hour=12, minute=0, second=0)
    times = [noon + n * DAY for n in (1, 2, 5)]
    await reminders(base, *times)
    async with page(base) as http:
        to = start + 6 * DAY
        answer = await http.post("/playground/api/clock", json={"to": to.isoformat()})
        assert answer.status_code == 200, answer.text
        assert to <= datetime.fromisoformat(answer.json()["now"]) < to + HOUR
        assert await shown_at(base) == times
        assert (await http.post("/playground/api/clock", json={"to": times[0].isoformat()})).status_code == 409
        assert "last ticked" in (await http.get("/readyz")).text


async def test_killed_on_the_way_the_clock_goes_on_from_where_it_was(base: Foundation) -> None:
    start = clock.wall()
    stood: list[datetime] = []
    kill_at = [3]

    async def nothing() -> None:
        pass

    def new(offset: timedelta) -> PlaygroundClock:
        async def act(report: Report | None) -> None:
            stood.append(made.now())
            if len(stood) in kill_at:
                raise KeyboardInterrupt
        made = PlaygroundClock(base.store, base.policies, offset, nothing, act)
        return made

    with pytest.raises(KeyboardInterrupt):
        await new(timedelta(0)).move(start + 3 * DAY)
    kept = await base.store.read(clock.kept_offset)
    assert kept is not None
    again = new(kept)
    assert stood[-1] <= again.now() < stood[-1] + HOUR  # where it was killed: the next tick does what is due there
    await again.move(start + 3 * DAY)
    assert stood == sorted(set(stood))
    midnights = [each.astimezone(ZONE) for each in stood if each.astimezone(ZONE).time() == datetime.min.time()]
    assert len({each.date() for each in midnights}) == len(midnights) == 3
    with pytest.raises(ClockGoesForward):
        await again.move(start + DAY)


async def test_a_clock_that_another_process_moved_is_followed_and_never_put_back(base: Foundation) -> None:
    async def nothing(report: Report | None = None) -> None:
        pass

    one, other = (PlaygroundClock(base.store, base.policies, timedelta(0), nothing, nothing) for _ in range(2))
    await one.move(clock.wall() + 5 * DAY)
    with pytest.raises(ClockGoesForward):
        await other.move(clock.wall() + 3 * DAY)
    assert abs(one.now() - other.now()) < HOUR


async def demo(base: Foundation, now: datetime) -> None:
    await fill(base.store, House(await load_book(base.store), base.policies), now)


@pytest.mark.parametrize("days", [0, 9])
async def test_a_dry_run_and_the_tick_that_follows_say_the_same_line_by_line(base: Foundation, days: int) -> None:
    now = clock.wall()
    await demo(base, now - 20 * DAY)  # nobody was visited since: visits are due
    to = now + days * DAY + 10 * timedelta(minutes=1)
    dry = await ticking.once(base, to, clock.wall(), dry_run=True)
    assert await shown_at(base) == []
    assert dry == await ticking.once(base, to, clock.wall(), dry_run=True)
    real = await ticking.once(base, to, clock.wall(), dry_run=False)
    assert real == dry
    assert len(dry) > 1
    with pytest.raises(ticking.TickRefused, match="only goes forward"):
        await ticking.once(base, to, clock.wall(), dry_run=False)


async def test_a_line_says_who_gets_what_when_and_why_and_never_an_elders_name(base: Foundation) -> None:
    def ends(tx: Tx) -> int:
        ground = lay(clock.wall())(tx)
        accounts.bind(tx, "playground", "z", "z", ground.coordinator, clock.wall())
        today = clock.wall().astimezone(ZONE).date()
        assignments.entrust(tx, ground.visitor, ground.elder, "visitor", "2026-01-01", today.isoformat())
        found = elders.find(tx, Scope(ground.coordinator, LAID), ground.elder)
        assert found is not None
        return found.number

    number = await base.store.run(ends)
    await base.store.run(lambda tx: meta.put(tx, clock.OFFSET, "0"))
    await ticking.once(base, None, clock.wall(), dry_run=False)  # until now nothing is due
    at = clock.wall().astimezone(ZONE).replace(hour=8, minute=0, second=0, microsecond=0) + DAY
    lines = await ticking.once(base, at, clock.wall(), dry_run=True)
    shown = f"{at:%Y-%m-%d %H:%M}"
    assert f"    赵敏 by playground: left_alone, leaves {shown}, file {number} of 石岭村" in lines
    assert not any("张桂芳" in line for line in lines)
