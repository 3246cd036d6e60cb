"""Messages are counted so that no span, whenever it begins, holds more than the platform shows."""

from datetime import datetime, timedelta
from random import Random

from storage import send_counts
from storage.database import Store
from storage.send_counts import Limit

MINUTE = Limit("minute", timedelta(minutes=1), 10, 2)
HOUR = Limit("hour", timedelta(hours=1), 40, 0)


async def take(store: Store, now: datetime, *, count: int = 1, urgent: bool = False) -> datetime | None:
    return await store.run(
        lambda tx: send_counts.take(tx, "wecom", "7001", (MINUTE, HOUR), now, count=count, urgent=urgent))


async def test_the_last_places_are_for_what_is_urgent(store: Store, now: datetime) -> None:
    assert [await take(store, now) for _ in range(8)] == [None] * 8
    later = await take(store, now)
    assert later is not None and timedelta(seconds=50) <= later - now <= timedelta(seconds=70)
    assert [await take(store, now, urgent=True) for _ in range(2)] == [None, None]
    assert await take(store, now, urgent=True) is not None
    assert await take(store, later) is None


async def test_several_go_together_or_not_at_all(store: Store, now: datetime) -> None:
    assert await take(store, now, count=7) is None
    assert await take(store, now, count=2) is not None
    assert await take(store, now, count=1) is None  # nothing was counted of the two


async def test_each_account_has_its_own(store: Store, now: datetime) -> None:
    assert [await take(store, now) for _ in range(8)] == [None] * 8
    assert await store.run(lambda tx: send_counts.take(tx, "wecom", "7002", (MINUTE, HOUR), now)) is None


async def test_no_span_ever_holds_more(store: Store, now: datetime) -> None:
    random, sent = Random(7), []
    for _ in range(120):
        if await take(store, now, urgent=True) is None:
            sent.append(now)
        now += timedelta(seconds=random.choice((0, 1, 5, 40, 300)))
    assert len(sent) > 40
    for span, most in ((timedelta(minutes=1), 10), (timedelta(hours=1), 40)):
        assert max(sum(at < other <= at + span for other in sent) for at in sent) <= most
