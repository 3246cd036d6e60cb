"""Passive replies against time: the store held up, repeats that join, an answer that follows as a message, once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from storage.crypto import Keys
from storage.database import StoreUnavailable
from tests.channels.wechat_stage import Stage, staged, state_of
from tests.fakes.house import Originals


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Originals:
    return Originals(tmp_path_factory.mktemp("village"), keys)


class HeldUp:
    """A store that takes works and does them only when it is let go."""

    def __init__(self, store: Any) -> None:
        self._store, self.open = store, asyncio.Event()
        self.begun = 0

    async def run(self, work: Any, key: str = "") -> Any:
        self.begun += 1
        await self.open.wait()
        return await self._store.run(work, key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def held_up(stage: Stage) -> HeldUp:
    held = HeldUp(stage.store)
    stage.running.dispatch._store = held
    return held


async def test_while_the_store_is_held_up_nothing_is_acknowledged_and_a_repeat_joins_the_waiting_work(
        originals: Originals) -> None:
    async with staged(originals, patience=0.05, next_try=60) as stage:
        held, wang = await held_up(stage), stage.who("王强")
        delivery = await stage.fake.callbacks.deliver(wang, {"MsgType": "text", "Content": "你好", "MsgId": "1"}, tries=2)
        assert delivery.statuses == [503, 503]
        stage.channel._answers._patience = 5.0
        held.open.set()
        await stage.fake.callbacks.again(wang, delivery, tries=1)
        assert delivery.statuses == [503, 503, 200]
        assert held.begun == 1
        assert [received.via for received in wang.phone] == ["reply"]


async def test_where_the_third_try_ends_first_too_the_answer_follows_as_a_message_once(originals: Originals) -> None:
    async with staged(originals, patience=0.05, next_try=60) as stage:
        held, wang = await held_up(stage), stage.who("王强")
        delivery = await wang.says("你好")
        assert delivery.statuses == [503, 503, 503]
        assert not wang.phone
        held.open.set()
        await stage.channel.quiet()
        await stage.running.delivery.settle()
        assert [received.via for received in wang.phone] == ["message"]
        await stage.fake.callbacks.again(wang, delivery, tries=1)
        assert len(wang.phone) == 1
        assert await state_of(stage) == [("sent", "message")]


async def test_where_no_repeat_comes_the_answer_follows_as_a_message_once(originals: Originals) -> None:
    async with staged(originals, patience=0.05, next_try=0.0) as stage:
        held, wang = await held_up(stage), stage.who("王强")
        await stage.fake.callbacks.deliver(wang, {"MsgType": "text", "Content": "你好", "MsgId": "1"}, tries=1)
        wang.opens("message", 5, timedelta(hours=48))
        held.open.set()
        await stage.channel.quiet()
        await stage.running.delivery.settle()
        assert [received.via for received in wang.phone] == ["message"]


async def test_what_was_not_stored_is_not_acknowledged_and_begins_anew(originals: Originals) -> None:
    async with staged(originals) as stage:
        await _stored_anew(stage)


async def _stored_anew(stage: Stage) -> None:
    wang, real = stage.who("王强"), stage.running.dispatch._store
    broken = HeldUp(real)

    async def refuse(work: Any, key: str = "") -> Any:
        raise StoreUnavailable("disk full")

    broken.run = refuse  # type: ignore[method-assign]
    stage.running.dispatch._store = broken
    delivery = await wang.says("你好")
    assert delivery.statuses == [503, 503, 503]
    stage.running.dispatch._store = real
    await stage.fake.callbacks.again(wang, delivery)
    assert delivery.reply and len(wang.phone) == 1


async def test_another_process_that_carried_the_answer_leaves_nothing_to_send(originals: Originals) -> None:
    async with staged(originals, patience=0.05, next_try=60) as stage:
        held, wang = await held_up(stage), stage.who("王强")
        delivery = await stage.fake.callbacks.deliver(wang, {"MsgType": "text", "Content": "你好", "MsgId": "1"}, tries=1)
        wang.opens("message", 5, timedelta(hours=48))
        held.open.set()
        [work] = stage.channel._answers._works.values()
        await work.task
        stage.channel._answers._works.clear()  # the repeat comes to another process
        stage.channel._answers._patience = 5.0
        await stage.fake.callbacks.again(wang, delivery, tries=1)
        assert delivery.statuses == [503, 200]
        async with asyncio.timeout(5):
            while not stage.running.delivery.marks:  # noqa: ASYNC110 (the reply has left when its mark waits)
                await asyncio.sleep(0)
        await stage.running.delivery.flush()
        work.asked.set()
        await stage.channel.quiet()
        await stage.running.delivery.settle()
        assert [received.via for received in wang.phone] == ["reply"]
