"""`POST /devices/alarms`: nothing lost, nothing twice, and who sends something wrong is told what."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.requests import Request

from bot.devices import routes
from bot.devices.intake import Intake
from bot.devices.routes import build_routes
from bot.devices.shapes import MOST_BYTES
from scheduler import policy
from storage import device_vendors
from storage import tables as kept
from storage.database import Store, StoreUnavailable
from tests.fakes import alarms
from tests.fakes.alarms import Field, alarm

POLICIES = policy.load()
URL = "/devices/alarms"


@pytest.fixture
async def village(store: Store, now: datetime) -> Field:
    return await store.run(lambda tx: alarms.settle(tx, now))


def client(store: Store, now: datetime, token: str = "") -> httpx.AsyncClient:
    app = Starlette(routes=build_routes(Intake(store, POLICIES, lambda: now), "https://tanfang.example"))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door", headers=headers)


@pytest.fixture
async def door(store: Store, village: Field, now: datetime) -> AsyncIterator[httpx.AsyncClient]:
    async with client(store, now, village.token) as http:
        yield http


async def count(store: Store, table: str) -> int:
    row = await store.read(lambda tx: tx.one(select(func.count()).select_from(kept.metadata.tables[table])))
    return int(row[0]) if row else 0


async def test_ten_thousand_alarms_and_none_is_lost_or_kept_twice(store: Store, village: Field, now: datetime) -> None:
    total = 10_000 if store.dialect == "sqlite" else 1_500
    chance = Random(5)
    sent = alarms.made(village, total * 6 // 10, now, chance)
    deliveries: list[tuple[str, Any]] = [("right", each) for each in sent]
    deliveries += [("right", each) for each in chance.sample(sent, total // 4)]  # the vendor did not hear the answer
    deliveries += [("wrong", alarms.wrong(n, now)) for n in range(total // 10)]
    chance.shuffle(deliveries)
    requests: list[tuple[str, Any]] = [("batch", each) for each in alarms.batches(deliveries, chance)]
    requests += [("token", alarm(now, f"stranger{n}", "S-0-0")) for n in range(total * 25 // 1000)]
    requests += [("broken", alarms.BROKEN[n % len(alarms.BROKEN)]) for n in range(total * 25 // 1000)]
    chance.shuffle(requests)
    told: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
    waiting = iter(requests)

    async def vendor(http: httpx.AsyncClient) -> None:
        for kind, what in waiting:
            if kind == "broken":
                answer = await http.post(URL, content=what)
                assert answer.status_code in (400, 422) and answer.json()["errors"][0]["what"]
            elif kind == "token":
                token = chance.choice((village.token[:-1], f"{alarms.VENDOR}.", "anxin", "other.x", village.token + "x"))
                answer = await http.post(URL, json=what, headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == 401 and answer.json()["errors"][0]["where"] == "Authorization"
            else:
                await deliver(http, what)

    async def deliver(http: httpx.AsyncClient, batch: list[tuple[str, Any]]) -> None:
        bodies = [what if kind == "right" else what[0] for kind, what in batch]
        single = len(bodies) == 1 and chance.random() < 0.5
        answer = await http.post(URL, json=bodies[0] if single else {"alarms": bodies})
        kinds = {kind for kind, _ in batch}
        assert answer.status_code == (207 if len(kinds) == 2 else 200 if kinds == {"right"} else 422)
        for (kind, what), result in zip(batch, answer.json()["results"], strict=True):
            if kind == "right":
                assert result["event_id"] == what["event_id"]
                told[what["event_id"]].add((result["result"], result.get("number")))
            else:
                assert result["result"] == "refused" and what[1] in [each["where"] for each in result["errors"]]

    async with client(store, now, village.token) as http:
        await asyncio.gather(*(vendor(http) for _ in range(12)))
    became = await alarms.check(store, village, sent, told)
    assert set(became) == {"alert", "check_in", "note", "unknown_device"}


async def test_the_same_alarm_again_gets_the_same_answer_and_tells_nobody(
    store: Store, door: httpx.AsyncClient, now: datetime
) -> None:
    first = await door.post(URL, json=alarm(now, "1", "S-0-0"))
    assert first.json() == {"results": [{"event_id": "1", "result": "alert", "number": "A-0001"}]}
    before = await count(store, "outbox")
    again = await asyncio.gather(*(door.post(URL, json=alarm(now, "1", "S-0-0")) for _ in range(5)))
    assert {(each.status_code, each.text) for each in again} == {(200, first.text)}
    assert await count(store, "outbox") == before
    assert await count(store, "device_events") == 1


async def test_of_a_batch_the_good_are_kept_and_the_others_told_what_is_wrong(
    store: Store, door: httpx.AsyncClient, now: datetime
) -> None:
    answer = await door.post(URL, json={"alarms": [
        alarm(now, "1", "S-0-0"), alarm(now, "2", "S-0-0", "heart_rate"), alarm(now, "3", "s-1-0", colour="red")]})
    assert answer.status_code == 207
    assert [each["result"] for each in answer.json()["results"]] == ["alert", "refused", "refused"]
    assert [each.get("errors") for each in answer.json()["results"]] == [
        None, [{"where": "per_minute", "what": "Field required"}],
        [{"where": "colour", "what": "Extra inputs are not permitted"}]]
    assert await count(store, "device_events") == 1


async def test_who_has_no_token_that_holds_changes_nothing(
    store: Store, village: Field, door: httpx.AsyncClient, now: datetime
) -> None:
    body = alarm(now, "1", "S-0-0")
    for header in ("", "Bearer", "Basic abc", "Bearer anxin.wrong", f"Bearer {village.token}x", "Bearer " + "x" * 900):
        answer = await door.post(URL, json=body, headers={"Authorization": header})
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        assert village.token not in answer.text
    await store.run(lambda tx: device_vendors.revoke(tx, alarms.VENDOR, "operator", now))
    assert (await door.post(URL, json=body)).status_code == 401
    newer = await store.run(lambda tx: device_vendors.invite(tx, alarms.VENDOR, "operator", now))
    assert (await door.post(URL, json=body)).status_code == 401
    assert await count(store, "device_events") == 0
    assert (await door.post(URL, json=body, headers={"Authorization": f"Bearer {newer}"})).status_code == 200


async def test_a_body_that_is_too_long_is_not_read_to_its_end(store: Store, door: httpx.AsyncClient, now: datetime) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 65536

    answer = await door.post(URL, content=endless())
    assert answer.status_code == 413 and "bytes" in answer.json()["errors"][0]["what"]
    many = await door.post(URL, json={"alarms": [alarm(now, f"{n}", "S-0-0") for n in range(201)]})
    assert many.status_code == 422 and many.json()["errors"][0]["where"] == "alarms"
    assert await count(store, "device_events") == 0


class _Full:
    """A store that takes nothing from now on, as a full disk does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.read = store.read

    async def run(self, work: Any, key: str = "") -> Any:
        def undone(tx: Any) -> None:
            work(tx)
            raise StoreUnavailable
        return await self._store.run(undone, key)


async def test_what_is_not_on_disk_is_not_answered_as_kept(store: Store, village: Field, now: datetime) -> None:
    full: Any = _Full(store)
    async with client(full, now, village.token) as http:
        answer = await http.post(URL, json=alarm(now, "1", "S-0-0"))
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "5" and "results" not in answer.json()
    assert await count(store, "device_events") == 0
    async with client(store, now, village.token) as http:
        assert (await http.post(URL, json=alarm(now, "1", "S-0-0"))).json()["results"][0]["result"] == "alert"


async def test_the_token_is_kept_only_as_a_hash(store: Store, village: Field) -> None:
    row = await store.read(lambda tx: tx.one(select(kept.device_vendors)))
    assert row is not None and all(village.token.partition(".")[2] not in str(value) for value in row)


async def test_the_document_for_vendors_says_what_is_taken(door: httpx.AsyncClient, now: datetime) -> None:
    document = orjson.loads((await door.get("/devices/openapi.json")).content)
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    for name, kind in ((ref["$ref"].rpartition("/")[2], ref) for ref in schemas["Alarm"]["oneOf"]):
        assert schemas[name]["additionalProperties"] is False, kind
        example: dict[str, Any] = alarm(now, f"of {name}".replace(" ", "."), "S-0-0", schemas[name]["properties"]["kind"].get(
            "enum", [schemas[name]["properties"]["kind"].get("const")])[0])
        example |= {field: 10 for field in schemas[name]["required"] if field not in example}
        answer = await door.post(document["paths"] and URL, json=example)
        assert answer.status_code == 200, answer.text


async def test_of_a_body_that_does_not_end_little_more_is_read_than_is_taken() -> None:
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 65_536
        assert read < 10 * MOST_BYTES, "it would be read for ever"
        return {"type": "http.request", "body": bytes(65_536), "more_body": True}

    assert len(await routes._body(Request({"type": "http"}, receive))) > MOST_BYTES
