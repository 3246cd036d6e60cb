"""Telegram, what comes in: parsing and polling. Nothing is confirmed before it is stored."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.telegram import Telegram
from conversations.message import Button, Inbound, Media, Message, Place
from tests.channels.conftest import NOW, channel
from tests.fakes.telegram_api import USERNAME, FakeTelegram

SECRET = "a-secret_1"
BOTS = {"id": 9, "is_bot": True, "first_name": "x"}


@pytest.fixture
async def telegram(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    waited.clear()
    telegram = channel(fake, wait=wait)
    yield telegram
    await telegram.close()


waited: list[float] = []


async def wait(seconds: float) -> None:
    waited.append(seconds)
    await asyncio.sleep(0)


class Inbox:
    """What was stored. `broken` holds dedupe keys, or texts, that cannot be stored yet."""

    def __init__(self) -> None:
        self.stored: list[Inbound] = []
        self.tried: list[str] = []
        self.broken: set[str] = set()
        self.mended = asyncio.Event()
        self._changed = asyncio.Condition()

    async def handle(self, inbound: Inbound) -> None:
        async with self._changed:
            self.tried.append(inbound.text)
            self._changed.notify_all()
        if inbound.text in self.broken:
            raise OSError("disk full")
        async with self._changed:
            self.stored.append(inbound)
            self._changed.notify_all()

    @property
    def texts(self) -> list[str]:
        return [inbound.text for inbound in self.stored]

    async def until(self, *texts: str, tried: int = 0) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: set(texts) <= set(self.texts) and len(self.tried) >= tried)


class Polling:
    """`async with` polls until the end."""

    def __init__(self, telegram: Telegram, inbox: Inbox) -> None:
        self.stop = asyncio.Event()
        self._polling = telegram.poll(inbox.handle, self.stop)

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._polling)

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        async with asyncio.timeout(10):
            await self._task


# --- parsing ---


async def last(fake: FakeTelegram, telegram: Telegram) -> Inbound:
    inbound = telegram.parse(fake.updates[-1])
    assert inbound is not None
    return inbound


async def test_a_text_is_taken_with_who_where_and_when(fake: FakeTelegram, telegram: Telegram) -> None:
    fake.clock = lambda: 1_772_440_000
    update = await fake.person(7, "王").says("/start abc")
    assert await last(fake, telegram) == Inbound(
        "telegram", "7", "7", str(update), datetime.fromtimestamp(1_772_440_000, UTC), text="/start abc"
    )


async def test_a_tap_carries_its_token_and_the_message_it_was_on(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    wang, group = fake.person(7, "王"), fake.group(-5, "三组")
    receipt = await telegram.send("-5", Message("警报", ((Button("我去处理", "t1"),),)))
    await wang.taps("我去", group)
    inbound = await last(fake, telegram)
    assert (inbound.choice, inbound.source, inbound.account, inbound.chat) == (
        "t1",
        receipt.handle,
        "7",
        "-5",
    )
    assert (inbound.at, inbound.chat_kind) == (NOW, "group")


async def test_photos_voices_and_places_are_taken_and_all_else_is_an_empty_message(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    wang = fake.person(7, "王")
    await wang.sends_photo(b"picture", caption="门口")
    photo = await last(fake, telegram)
    assert (photo.media[0].kind, photo.media[0].size, photo.text) == ("photo", 7, "门口")
    await wang.sends_voice()
    assert [media.kind for media in (await last(fake, telegram)).media] == ["voice"]
    await wang.sends_place(28.87, 105.44)
    assert (await last(fake, telegram)).place == Place(28.87, 105.44)
    for sends in (wang.sends_sticker, wang.sends_contact):
        await sends()
        empty = await last(fake, telegram)
        assert (empty.text, empty.choice, empty.media, empty.place) == ("", "", (), None)


async def test_a_document_is_a_file_with_its_name_and_an_animation_is_none(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    wang = fake.person(7, "王")
    await wang.sends_document(b"ledger", "台账.xlsx", caption="请看")
    inbound = await last(fake, telegram)
    (file,) = inbound.media
    assert (file.kind, file.name, file.size, inbound.text) == ("file", "台账.xlsx", 6, "请看")
    assert await telegram.fetch(file) == b"ledger"
    update = fake.updates[-1]
    unnamed = {**update, "message": {**update["message"], "document": {"file_id": "x", "file_unique_id": "x"}}}
    assert telegram.parse(unnamed).media == (Media("file", "x"),)  # type: ignore[union-attr]
    moving = {**update, "message": {**update["message"], "animation": update["message"]["document"]}}
    assert telegram.parse(moving).media == ()  # type: ignore[union-attr]
    for broken in ([], {}, {"file_id": 3}, {"file_id": "x", "file_name": 3}):
        assert telegram.parse({**update, "message": {**update["message"], "document": broken}}) is None


async def test_in_a_group_a_command_is_taken_only_if_it_is_for_this_bot(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    wang, group = fake.person(7, "王"), fake.group(-5, "三组")
    await telegram.me()
    await wang.says(f"/due@{USERNAME} 3", group)
    assert (await last(fake, telegram)).text == "/due 3"
    await wang.says("/due@other_bot 3", group)
    assert telegram.parse(fake.updates[-1]) is None


def message(**fields: Any) -> dict[str, Any]:
    person = {"id": 7, "is_bot": False, "first_name": "x"}
    base = {"message_id": 1, "from": person, "chat": {"id": 7, "type": "private"}, "date": 1, "text": "x"}
    return {k: v for k, v in {**base, **fields}.items() if v is not None}


def tap(**fields: Any) -> dict[str, Any]:
    person = {"id": 7, "is_bot": False, "first_name": "x"}
    base = {"id": "1", "from": person, "message": message(), "data": "t"}
    return {k: v for k, v in {**base, **fields}.items() if v is not None}


PASSED_OVER: list[Any] = [
    *(None, 3, "x", [], {}, {"update_id": 1}, {"update_id": 1, "message": None}),
    *({"update_id": 1, kind: message()} for kind in ("edited_message", "channel_post", "my_chat_member")),
    {"update_id": 1, "inline_query": {"id": "1", "query": "x"}},
    {"message": message()},
    *({"update_id": 1, "message": message(**{field: None})} for field in ("from", "chat", "date")),
    *(
        {"update_id": 1, "message": message(**{"text": None, field: value})}
        for field, value in (
            ("new_chat_members", [BOTS]),
            *(("photo", []), ("photo", [{}]), ("photo", 3), ("voice", {"file_id": 3})),
            *(("location", {"latitude": 1.0}), ("location", {"latitude": "x", "longitude": 1})),
        )
    ),
    {"update_id": 1, "message": message(text=["x"])},
    {"update_id": 1, "message": message(date="yesterday")},
    {"update_id": 1, "message": message(date=10**20)},
    {"update_id": 1, "message": message(**{"from": BOTS})},
    {"update_id": 1, "message": message(chat={"id": [7], "type": "private"})},
    {"update_id": 1, "message": message(chat={"id": 7, "type": "channel"})},
    {"update_id": "1", "message": message()},
    *(
        {"update_id": 1, "callback_query": tap(**{field: None})}
        for field in ("message", "data", "from", "id")
    ),
    {"update_id": 1, "callback_query": tap(data={"a": 1})},
    {"update_id": 1, "callback_query": []},
]


def member(was: str, became: str, kind: str = "supergroup") -> dict[str, Any]:
    return {"update_id": 1, "my_chat_member": {
        "chat": {"id": -5, "type": kind, "title": "x"}, "from": {"id": 7, "is_bot": False}, "date": 1,
        "old_chat_member": {"status": was}, "new_chat_member": {"status": became}}}


@pytest.mark.parametrize(("was", "became", "event"), [
    ("left", "member", "joined"), ("kicked", "administrator", "joined"), ("restricted", "left", "removed"),
    ("member", "kicked", "removed")])
def test_the_bot_comes_into_a_group_and_goes(telegram: Telegram, was: str, became: str, event: str) -> None:
    heard = telegram.parse(member(was, became))
    assert heard is not None
    assert (heard.event, heard.chat, heard.chat_kind, heard.text) == (event, "-5", "group", "")


@pytest.mark.parametrize("update", [member("member", "administrator"), member("left", "member", "private"),
                                    member("left", "member", "channel")])
def test_what_is_no_coming_or_going_of_a_group_is_passed_over(telegram: Telegram, update: Any) -> None:
    assert telegram.parse(update) is None


@pytest.mark.parametrize("update", PASSED_OVER)
def test_other_kinds_and_broken_updates_are_passed_over(telegram: Telegram, update: Any) -> None:
    assert telegram.parse({"update_id": 1, "message": message()}) is not None
    assert telegram.parse({"update_id": 1, "callback_query": tap()}) is not None
    assert telegram.parse(update) is None


# --- polling ---


async def test_polling_takes_updates_after_removing_a_webhook(fake: FakeTelegram, telegram: Telegram) -> None:
    await telegram.set_webhook("https://example.org/telegram/webhook", SECRET)
    inbox, wang = Inbox(), fake.person(7, "王")
    await wang.says("前")
    async with Polling(telegram, inbox):
        await inbox.until("前")
        await wang.says("后")
        await inbox.until("后")
    assert inbox.texts == ["前", "后"]
    assert fake.pending == []


async def test_an_update_is_confirmed_only_after_it_was_stored(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    inbox, wang = Inbox(), fake.person(7, "王")
    storing, may_store = asyncio.Event(), asyncio.Event()

    async def slow(inbound: Inbound) -> None:
        storing.set()
        await may_store.wait()
        await inbox.handle(inbound)

    stop = asyncio.Event()
    polling = asyncio.create_task(telegram.poll(slow, stop))
    update = await wang.says("一")
    async with asyncio.timeout(10):
        await storing.wait()
        assert fake.pending == [update]
        assert len(fake.called("getUpdates")) == 1
        may_store.set()
        await inbox.until("一")
        stop.set()
        await polling
    assert fake.pending == []  # also when stopped right after storing


async def test_what_was_not_stored_comes_again_and_nothing_of_that_chat_overtakes_it(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    inbox, wang, li = Inbox(), fake.person(7, "王"), fake.person(8, "李")
    inbox.broken = {"二"}
    for text in ("一", "二", "三"):
        await wang.says(text)
    await li.says("四")
    async with Polling(telegram, inbox):
        await inbox.until("一", "四", tried=8)
        assert "三" not in inbox.texts
        assert fake.pending == [update["update_id"] for update in fake.updates[1:]]
        assert waited[:2] == [1.0, 2.0]
        inbox.broken = set()
        await inbox.until("三")
    wangs = [inbound.text for inbound in inbox.stored if inbound.account == "7"]
    assert wangs == ["一", "二", "三"]
    assert fake.pending == []


async def test_one_slow_chat_does_not_hold_up_another_of_the_same_batch(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    inbox = Inbox()
    await fake.person(7, "王").says("慢")
    await fake.person(8, "李").says("快")

    async def handle(inbound: Inbound) -> None:
        if inbound.text == "慢":
            await inbox.until("快")
        await inbox.handle(inbound)

    stop = asyncio.Event()
    polling = asyncio.create_task(telegram.poll(handle, stop))
    await inbox.until("慢", "快")
    stop.set()
    await polling


async def test_an_unknown_update_does_not_stop_the_next(fake: FakeTelegram, telegram: Telegram) -> None:
    inbox = Inbox()
    fake.emit(7, "message", {"message_id": 1, "date": "broken"})
    fake.emit(7, "poll_answer", {"poll_id": "1"})
    await fake.person(7, "王").says("好")
    async with Polling(telegram, inbox):
        await inbox.until("好")
    assert fake.pending == []


@pytest.mark.parametrize(
    ("status", "description", "parameters"),
    [
        (502, "Bad Gateway", None),
        (429, "Too Many Requests: retry after 3", {"retry_after": 3}),
        (401, "Unauthorized", None),
        (400, "Bad Request: something", None),
    ],
)
async def test_polling_outlives_errors_and_waits_between(
    fake: FakeTelegram, telegram: Telegram, status: int, description: str, parameters: dict[str, Any] | None
) -> None:
    fake.refuse(status, description, parameters, times=2, method="getUpdates")
    inbox = Inbox()
    await fake.person(7, "王").says("好")
    async with Polling(telegram, inbox):
        await inbox.until("好")
    assert len(waited) == 2
    assert all(seconds >= 3 for seconds in waited)


async def test_a_second_poller_is_told_to_the_operator(
    fake: FakeTelegram, telegram: Telegram, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.refuse(409, "Conflict: terminated by other getUpdates request", method="getUpdates")
    inbox = Inbox()
    await fake.person(7, "王").says("好")
    async with Polling(telegram, inbox):
        await inbox.until("好")
    assert "another process takes this bot's updates" in capsys.readouterr().out


async def test_stopping_does_not_wait_for_the_long_poll_and_loses_nothing(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    inbox, wang = Inbox(), fake.person(7, "王")
    async with Polling(telegram, inbox):
        await fake.hears("getUpdates")
    update = await wang.says("好")
    assert fake.pending == [update]
    async with Polling(telegram, inbox):
        await inbox.until("好")
    assert (inbox.texts, fake.pending) == (["好"], [])
