"""Access tokens and calls: one refresh for all workers, never a loop, never an error that tells a secret."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bot.channels.base import Refused, RetryAt, SendFailure
from bot.channels.tencent.calls import Calls
from bot.channels.tencent.failures import BUSY, addresses, classifier
from bot.channels.tencent.tokens import Tokens
from storage import platform_tokens
from storage.database import Store

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
classify = classifier("test", {-1: BUSY}, "there")


class Platform:
    """Gives tokens t1, t2 …, takes only the last one, and says how often each was asked for."""

    def __init__(self) -> None:
        self.given = 0
        self.forced = 0
        self.calls = 0
        self.stable = False  # goes on giving the token that it refuses, unless it is forced
        self.answer: Callable[[httpx.Request], httpx.Response] | None = None

    async def fetch(self, force: bool) -> tuple[str, float]:
        await asyncio.sleep(0)
        self.forced += force
        if force or not (self.stable and self.given):
            self.given += 1
        return f"t{self.given}", 7200.0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.answer is not None:
            return self.answer(request)
        good = request.url.params["access_token"] == f"t{self.given}"
        return httpx.Response(200, json={"errcode": 0, "name": "好"} if good else {"errcode": 42001, "errmsg": "expired"})


def tokens(store: Store, platform: Platform, now: Callable[[], datetime] = lambda: NOW) -> Tokens:
    return Tokens(store, "wechat:wx1", platform.fetch, now)


@asynccontextmanager
async def worker(store: Store, platform: Platform) -> AsyncIterator[Calls]:
    calls = Calls("https://api.test", classify, httpx.MockTransport(platform.handle))
    calls.use(tokens(store, platform))
    yield calls
    await calls.close()


async def test_three_workers_and_one_expired_token_make_one_refresh(store: Store) -> None:
    platform = Platform()
    async with worker(store, platform) as one, worker(store, platform) as two, worker(store, platform) as three:
        for calls in (one, two, three):
            await calls.get("/x")
        assert platform.given == 1
        platform.given = 2  # the platform takes t1 no more
        said = await asyncio.gather(*(calls.post("/x", {}) for calls in (one, two, three) for _ in range(4)))
    assert [each["name"] for each in said] == ["好"] * 12
    assert platform.given == 3


async def test_a_token_that_soon_ends_is_renewed_before_it_is_used(store: Store) -> None:
    platform, clock = Platform(), [NOW]
    shared = tokens(store, platform, lambda: clock[0])
    assert await shared.get() == await shared.get() == "t1"
    clock[0] += timedelta(seconds=7200) - platform_tokens.MARGIN
    assert await shared.get() == "t2"


async def test_a_stable_token_that_is_refused_is_renewed_by_force(store: Store) -> None:
    platform = Platform()
    platform.stable = True
    shared = tokens(store, platform)
    assert await shared.get() == "t1"
    assert await shared.get(refused="t1") == "t2"
    assert platform.forced == 1


async def test_a_token_that_is_refused_for_ever_is_forced_once_in_its_life_by_all_workers(store: Store) -> None:
    """The platform forces twenty times a day: what goes wrong for hours must not use them up."""
    platform, clock = Platform(), [NOW]
    platform.stable = True
    one, two = (tokens(store, platform, lambda: clock[0]) for _ in range(2))
    refused = await one.get()
    for worker in (one, two, one, two):
        refused = await worker.get(refused)
        clock[0] += timedelta(seconds=61)
    assert platform.forced == 1
    clock[0] += platform_tokens.FORCED_REST
    assert await one.get(refused) != refused
    assert platform.forced == 2


async def test_who_died_with_the_lease_holds_up_nobody_for_long(store: Store) -> None:
    assert (await store.run(lambda tx: platform_tokens.take(tx, "wechat:wx1", NOW))).renew
    assert not (await store.run(lambda tx: platform_tokens.take(tx, "wechat:wx1", NOW))).renew
    later = NOW + platform_tokens.LEASE
    assert await tokens(store, Platform(), lambda: later).get() == "t1"


async def test_a_failed_renewal_gives_the_lease_back(store: Store) -> None:
    async def fetch(force: bool) -> tuple[str, float]:
        raise RetryAt(5)

    with pytest.raises(RetryAt):
        await Tokens(store, "wechat:wx1", fetch, lambda: NOW).get()
    assert (await store.run(lambda tx: platform_tokens.take(tx, "wechat:wx1", NOW))).renew


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_permanent_refusal_of_the_token_is_one_refresh_and_then_a_failure(sqlite_store: Store, code: int) -> None:
    platform = Platform()
    platform.answer = lambda _: httpx.Response(200, json={"errcode": code, "errmsg": "invalid credential"})
    async with worker(sqlite_store, platform) as calls:
        with pytest.raises(SendFailure):
            await calls.get("/x")
        with pytest.raises(SendFailure):
            await calls.download("/media", {}, 100)
    assert platform.calls == 4


def refuse(error: httpx.HTTPError) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error
    return answer


@pytest.mark.parametrize(("answer", "failure"), [
    (lambda _: httpx.Response(200, json={"errcode": -1}), RetryAt),
    (lambda _: httpx.Response(200, json={"errcode": "47001", "errmsg": "data format error"}), Refused),
    (lambda _: httpx.Response(200, content=b"<html>"), RetryAt),
    (lambda _: httpx.Response(200, content=b"[]"), RetryAt),
    (lambda _: httpx.Response(502), RetryAt),
    (lambda _: httpx.Response(404), Refused),
    (lambda _: httpx.Response(302, headers={"location": "https://elsewhere.test"}), Refused),
    (refuse(httpx.ReadTimeout("GET https://api.test/x?access_token=t1")), RetryAt),
    (refuse(httpx.ConnectError("no")), RetryAt)])
async def test_whatever_goes_wrong_is_a_failure_of_the_contract_and_tells_no_secret(
        sqlite_store: Store, answer: Any, failure: type[SendFailure]) -> None:
    platform = Platform()
    platform.answer = answer
    async with worker(sqlite_store, platform) as calls:
        with pytest.raises(failure) as raised:
            await calls.post("/x", {})
    assert "t1" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


async def test_every_call_has_a_time_out_the_one_for_a_token_too(sqlite_store: Store) -> None:
    seen: list[dict[str, float]] = []
    platform = Platform()
    platform.answer = lambda request: (seen.append(request.extensions["timeout"]), httpx.Response(200, json={}))[1]
    async with worker(sqlite_store, platform) as calls:
        await calls.bare("POST", "/cgi-bin/stable_token", {})
        await calls.get("/x")
        assert len(seen) == 2
    assert all(value and value <= 10 for each in seen for value in each.values())


async def test_a_file_is_bounded_and_an_error_instead_of_one_is_an_error(sqlite_store: Store) -> None:
    platform = Platform()
    async with worker(sqlite_store, platform) as calls:
        platform.answer = lambda _: httpx.Response(200, content=b"x" * 100, headers={"content-type": "image/jpeg"})
        assert await calls.download("/media", {"media_id": "m"}, 100) == b"x" * 100
        with pytest.raises(Refused, match="too big"):
            await calls.download("/media", {"media_id": "m"}, 99)
        platform.answer = lambda _: httpx.Response(200, json={"errcode": 40007, "errmsg": "invalid media_id"})
        with pytest.raises(Refused, match="40007"):
            await calls.download("/media", {"media_id": "m"}, 100)


def test_an_address_is_told_once_though_the_platform_says_it_twice() -> None:
    assert addresses("invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: x") == ("203.0.113.9",)


def test_the_log_names_the_address_and_the_field_but_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    classify(47003, "argument invalid! data.thing2.value 单秀英 not in whitelist 10.1.2.3 rid: x")
    said = capsys.readouterr().out
    assert "thing2" in said and "10.1.2.3" in said and "单秀英" not in said
