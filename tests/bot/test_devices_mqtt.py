"""Alarms by MQTT over a real broker: nothing lost, nothing twice, acknowledged only once it is on disk."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import aiomqtt
import orjson
import pytest
from sqlalchemy import func, select

from bot.devices import mqtt
from bot.devices.intake import Intake
from bot.settings import Settings
from scheduler import policy
from storage import tables as kept
from storage.database import Store, StoreUnavailable
from tests.fakes import alarms, mqtt_broker
from tests.fakes.alarms import VENDOR, Field, alarm
from tests.fakes.mqtt_broker import Broker

POLICIES = policy.load()
TOPIC = mqtt.ALARMS.format(VENDOR)
LIMIT = 40  # seconds for what takes one


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    yield from mqtt_broker.broker(tmp_path, VENDOR, "stranger")


@pytest.fixture
async def village(sqlite_store: Store, now: datetime) -> Field:
    return await sqlite_store.run(lambda tx: alarms.settle(tx, now))


@contextlib.asynccontextmanager
async def listening(broker: Broker, store: Any, now: datetime) -> AsyncIterator[None]:
    """Over a session that the broker knows: to one that it never heard of it sends nothing."""
    at = mqtt.broker(broker.url, 8080)
    first = mqtt.Client(at.host, at.port, username=at.user, password=at.password, identifier=at.session,
                        clean_session=False)
    first.acknowledge_by_hand()
    async with first:
        await first.subscribe(mqtt.ALARMS.format("+"), qos=1)
    stop = asyncio.Event()
    task = asyncio.create_task(mqtt.listen(at, Intake(store, POLICIES, lambda: now), stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, LIMIT)


async def answers(client: aiomqtt.Client, count: int) -> list[dict[str, Any]]:
    """The next so many."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(LIMIT):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            found.append(orjson.loads(message.payload))
            if len(found) == count:
                break
    return found


async def events(store: Store) -> int:
    row = await store.read(lambda tx: tx.one(select(func.count()).select_from(kept.device_events)))
    return int(row[0]) if row else 0


async def send(client: aiomqtt.Client, *what: Any, topic: str = TOPIC) -> None:
    await asyncio.gather(*(client.publish(topic, each if isinstance(each, bytes) else orjson.dumps(each), qos=1)
                           for each in what))


async def test_a_thousand_alarms_and_none_is_lost_or_kept_twice(
    broker: Broker, sqlite_store: Store, village: Field, now: datetime
) -> None:
    chance = Random(7)
    right = alarms.made(village, 600, now, chance)
    bodies: list[Any] = [*right, *chance.sample(right, 250)]
    bodies += [alarms.wrong(n, now)[0] for n in range(100)] + [alarms.BROKEN[n % len(alarms.BROKEN)] for n in range(50)]
    chance.shuffle(bodies)
    told: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
    refused = unread = 0
    async with broker.vendor(VENDOR) as client, listening(broker, sqlite_store, now):
        sending = asyncio.create_task(send(client, *bodies))
        for answer in await answers(client, len(bodies)):
            unread += bool(answer.get("errors"))
            for result in answer.get("results", []):
                refused += result["result"] == "refused" and bool(result["errors"])
                if result["result"] != "refused":
                    told[result["event_id"]].add((result["result"], result.get("number")))
        await sending
    assert (refused, unread) == (100, 50)
    became = await alarms.check(sqlite_store, village, right, told)
    assert set(became) == {"alert", "check_in", "note", "unknown_device"}


class _Failing:
    """A store that loses its first works, as a disk that is full for a while."""

    def __init__(self, store: Store, times: int) -> None:
        self._store, self.left = store, times
        self.read = store.read

    async def run(self, work: Any, key: str = "") -> Any:
        if self.left:
            self.left -= 1
            raise StoreUnavailable
        return await self._store.run(work, key)


async def test_what_is_not_on_disk_is_not_acknowledged_and_comes_again(
    broker: Broker, sqlite_store: Store, village: Field, now: datetime
) -> None:
    failing = _Failing(sqlite_store, 2)
    async with broker.vendor(VENDOR) as client, listening(broker, failing, now):
        await send(client, alarm(now, "1", "S-0-0"))  # once: the broker alone must deliver it again
        said = await answers(client, 3)
    assert [each.get("errors", [{}])[0].get("where") for each in said[:2]] == ["server", "server"]
    assert said[2]["results"][0]["result"] == "alert"
    assert failing.left == 0 and await events(sqlite_store) == 1


async def test_what_came_while_nobody_listened_is_taken_afterwards(
    broker: Broker, sqlite_store: Store, village: Field, now: datetime
) -> None:
    async with broker.vendor(VENDOR) as client:
        async with listening(broker, sqlite_store, now):
            await send(client, alarm(now, "1", "S-0-0"))
            await answers(client, 1)
        await send(client, alarm(now, "2", "S-0-1"), alarm(now, "3", "S-1-0"))
        assert await events(sqlite_store) == 1
        async with listening(broker, sqlite_store, now):
            assert {each["results"][0]["event_id"] for each in await answers(client, 2)} == {"2", "3"}
    assert await events(sqlite_store) == 3


async def test_it_connects_again_by_itself(broker: Broker, sqlite_store: Store, village: Field, now: datetime) -> None:
    async with listening(broker, sqlite_store, now):
        async with broker.vendor(VENDOR) as client:
            await send(client, alarm(now, "1", "S-0-0"))
            await answers(client, 1)
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        async with broker.vendor(VENDOR) as client:
            await send(client, alarm(now, "2", "S-0-0"))
            assert (await answers(client, 1))[0]["results"][0]["event_id"] == "2"
    assert await events(sqlite_store) == 2


async def test_nobody_sends_in_another_vendors_name_and_nothing_is_taken_from_who_is_not_invited(
    broker: Broker, sqlite_store: Store, village: Field, now: datetime
) -> None:
    async with listening(broker, sqlite_store, now):
        with contextlib.suppress(aiomqtt.MqttError):  # the broker drops it, or him
            async with broker.vendor("stranger") as client:
                await send(client, alarm(now, "1", "S-0-0"))
    async with broker.vendor("stranger") as client, listening(broker, sqlite_store, now):
        await send(client, alarm(now, "2", "S-0-0"), topic=mqtt.ALARMS.format("stranger"))
        assert (await answers(client, 1))[0]["errors"][0]["where"] == "topic"
    assert await events(sqlite_store) == 0


@pytest.mark.parametrize(("url", "expected"), [
    ("mqtt://broker", mqtt.Broker("broker", 1883, "")), ("mqtts://a:p%40ss@broker:1/s", mqtt.Broker(
        "broker", 1, "s", True, "a", "p@ss"))])
def test_the_address_of_the_broker(url: str, expected: mqtt.Broker) -> None:
    found = mqtt.broker(url, 8080)
    assert (found.host, found.port, found.tls, found.user, found.password) == (
        expected.host, expected.port, expected.tls, expected.user, expected.password)
    assert found.session == expected.session or found.session.endswith("-8080")
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize("url", ["broker", "http://broker", "mqtt://", "mqtt://u:secret-word@broker:x"])
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="TANFANG_MQTT_URL must be") as refused:
        Settings(mqtt_url=url, _env_file=None)
    assert "secret-word" not in str(refused.value).partition("[type=")[0]
