"""Photos and voice notes are fetched beside the messages, and wait for a platform that is away."""

from datetime import datetime, timedelta

import pytest

from bot.channels.base import Refused, RetryAt, SendFailure
from bot.fetching import Fetching
from conversations.message import Media
from storage import media
from storage.database import Store


class Away:
    """A channel that fails as it is told to, and says which handles were asked for."""

    def __init__(self) -> None:
        self.failure: SendFailure | None = None
        self.asked: list[str] = []

    async def fetch(self, wanted: Media) -> bytes:
        self.asked.append(wanted.ref)
        if self.failure is not None:
            raise self.failure
        return b"bytes"


@pytest.fixture
def channel() -> Away:
    return Away()


async def test_what_a_platform_that_is_away_keeps_is_asked_for_less_and_less_often_and_never_given_up(
        store: Store, now: datetime, channel: Away) -> None:
    item = await store.run(lambda tx: media.add(tx, "wechat", "photo", "handle", now))
    at, channel.failure = [now], RetryAt(5)
    fetching = Fetching(store, {"wechat": channel}, lambda: at[0])  # type: ignore[dict-item]
    for _ in range(360):
        await fetching.fetch()
        at[0] += timedelta(seconds=10)
    assert 10 < len(channel.asked) < 30  # in an hour
    channel.failure = None
    at[0] += timedelta(minutes=5)
    await fetching.fetch()
    assert await store.read(lambda tx: media.body(tx, item)) == ("photo", b"bytes")


async def test_what_a_platform_refuses_is_given_up_and_holds_up_nothing_else(
        store: Store, now: datetime, channel: Away) -> None:
    await store.run(lambda tx: media.add(tx, "wechat", "photo", "gone", now))
    channel.failure = Refused("media is not there any more")
    fetching = Fetching(store, {"wechat": channel}, lambda: now)  # type: ignore[dict-item]
    for _ in range(12):
        await fetching.fetch()
    assert len(channel.asked) == 10
    other = await store.run(lambda tx: media.add(tx, "wechat", "voice", "there", now))
    channel.failure = None
    await fetching.fetch()
    assert await store.read(lambda tx: media.body(tx, other)) == ("voice", b"bytes")
