"""What is forged, broken or not one's own: the right status, nothing changed, and the next update works."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select
from telegram.error import TelegramError

from bot.channels.telegram_calls import _Request
from storage import people
from storage.tables import drafts
from tests.fakes.telegram_api import FakeTelegram
from tests.fakes.telegram_people import Person
from tests.faults.kept import rows
from tests.faults.server import Server
from tests.faults.visitor import Visitor

PASSED_BY = ("inbox", "outbox", "accounts")  # a refused tap is still kept as a thing that came, with its answer
CHAT = {"id": 1000, "type": "private", "first_name": "某"}
FROM = {"id": 1000, "is_bot": False, "first_name": "某"}
MESSAGE = {"message_id": 1, "date": 1, "chat": CHAT, "from": FROM, "text": "你好"}

# what Telegram may send and this bot has no use for, and what it never sends
PASSED_OVER: list[Any] = [
    {}, [], 1, None, "text", [[MESSAGE]], {"update_id": 1}, {"update_id": 1, "message": None},
    {"update_id": 1, "message": []}, {"update_id": "1", "message": MESSAGE}, {"message": MESSAGE},
    {"update_id": 1, "edited_message": MESSAGE}, {"update_id": 1, "channel_post": MESSAGE},
    {"update_id": 1, "my_chat_member": {"chat": CHAT, "from": FROM}}, {"update_id": 1, "something_new": {"a": 1}},
    *({"update_id": 1, "message": {**MESSAGE, **wrong}} for wrong in (
        {"text": 1}, {"text": {"a": 1}}, {"from": None}, {"from": {**FROM, "is_bot": True}}, {"date": "today"},
        {"date": 10**30}, {"date": -(10**18)}, {"chat": {"id": "1000", "type": "private"}}, {"chat": {}},
        {"chat": {**CHAT, "type": "unheard_of"}}, {"photo": []}, {"photo": "x"}, {"voice": {"file_id": 7}},
        {"location": {"latitude": "north"}})),
    {"update_id": 1, "message": {key: value for key, value in MESSAGE.items() if key != "text"}},
    *({"update_id": 1, "callback_query": tap} for tap in (
        None, {}, {"id": "1", "from": FROM, "data": "x"}, {"id": "1", "from": FROM, "message": MESSAGE},
        {"id": "1", "from": FROM, "message": MESSAGE, "data": 7},
        {"id": 1, "from": FROM, "message": MESSAGE, "data": "x"})),
]


async def in_a_form(server: Server, fake: FakeTelegram, account: int, token: str) -> Visitor:
    """A visitor whose visit stands at its fourth question or so."""
    visitor = Visitor(fake, fake.person(account, "某"))
    await visitor.begins(token)
    for _ in range(4):
        await visitor.reacts(await visitor.next())
    await visitor.next()
    return visitor


def message_of(person: Person, text: str, number: int) -> dict[str, Any]:
    return {"update_id": number, "message": {**MESSAGE, "message_id": number, "from": person.about(), "text": text}}


async def test_what_is_forged_broken_or_of_no_use_changes_nothing_and_the_next_update_works(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "webhook") as server:
        [member] = await server.village(1)
        await server.start()
        visitor = await in_a_form(server, fake, 1000, member.token)
        before = await server.asks(rows)
        proper = orjson.dumps(message_of(visitor.person, "你好", 1))

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1024):
                yield b" " * 1024

        assert await server.post(proper, secret="forged") == 403
        assert await server.post(proper, secret=None) == 403
        assert await server.post(proper, secret="") == 403
        assert await server.post(b" " * 1024 * 1024) == 413
        assert await server.post(endless()) == 413
        for broken in (b"", b"{", b"\xff\xfe", b'{"update_id": 1,}', b"[" * 100_000, b"NaN", proper[:-1]):
            assert await server.post(broken) == 400, broken[:20]
        assert await server.post(b'{"a":' * 900 + b"1" + b"}" * 900) == 200
        for passed in PASSED_OVER:
            assert await server.post(json.dumps(passed).encode()) == 200, passed
        assert await server.asks(rows) == before
        await visitor.reacts(await visitor.next())
        await visitor.next()
        assert await server.asks(rows) != before
        assert "turn failed" not in server.said()


async def test_strange_texts_are_answered_with_a_kind_sentence_and_stop_nothing(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token, "webhook") as server:
        [member] = await server.village(1)
        await server.start()
        visitor = await in_a_form(server, fake, 1000, member.token)
        person, number = visitor.person, 0
        before = await server.asks(rows)
        strange = ("a\x00b", "/visit \x00", "字" * 10_000, "👵🏻‍🦳" * 50, "/start " + "垃圾" * 500, "/start \x00",
                   "/" * 300, "/void", "/record '; drop table visits", "9" * 5000, "\u202e\u200b", "{{ 7*7 }}", "%s%n", " ")
        for text in strange:
            number += 1
            seen = fake.change
            assert await server.post(orjson.dumps(message_of(person, text, number))) == 200, text[:20]
            person.private.seen = seen
            shown = await person.sees("")
            assert "出了点小问题" not in shown.text and "显示不了" not in shown.text, text[:20]
        # half a surrogate pair, which no strict JSON reader takes
        seen = fake.change
        body = orjson.dumps(message_of(person, "half", number + 1)).replace(b'"half"', b'"\\ud800 half"')
        assert await server.post(body) == 200
        person.private.seen = seen
        await person.sees("")
        after = await server.asks(rows)
        assert after["elders"] == before["elders"] and len(after["drafts"]) == len(before["drafts"]) + 1  # "/visit"
        await visitor.logs_visit()
        assert "turn failed" not in server.said()


def test_half_a_surrogate_pair_among_polled_updates_does_not_hold_up_the_others() -> None:
    answer = _Request.parse_json_payload(b'{"ok": true, "result": [{"text": "\\ud800 half"}, {"text": "next"}]}')
    assert answer["result"] == [{"text": "? half"}, {"text": "next"}]
    with pytest.raises(TelegramError):
        _Request.parse_json_payload(b"<html>")


async def test_what_belongs_to_somebody_else_is_neither_shown_nor_changed(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        mine, other = await server.village(2)
        await server.start()
        owner = Visitor(fake, fake.person(1000, "某"))
        await owner.begins(mine.token)
        visit = await owner.logs_visit()
        await owner.person.says("/visit")
        for _ in range(3):
            await owner.reacts(await owner.next())
        draft_button = next(b["callback_data"] for row in (await owner.next()).keyboard for b in row)
        draft = (await server.asks(lambda tx: tx.all(select(drafts.c.id).where(drafts.c.state == "open"))))[0][0]
        stranger = Visitor(fake, fake.person(1001, "某"))
        await stranger.begins(other.token)
        under = (await stranger.next()).message_id
        before = await server.asks(lambda tx: rows(tx, PASSED_BY))
        for data, answer in (
            (draft_button, "用不上"), ("x" * 64, "用不上"), (f"/record {visit}", "没找到这条记录"),
            (f"/printvisit {visit}", "没找到这条记录"), (f"/correct {visit}", "没找到这条记录"),
            (f"/edit {visit}", "没找到这条记录"), (f"/void {visit}", "没找到这条记录"),
            (f"/resume {draft}", "没有没填完的"),
            (f"/elder {mine.elders[0]}", "没找到这位老人"),
        ):
            await stranger.person.taps_old(under, "", data)
            shown = await stranger.person.sees(answer)
            assert "探访 ·" not in shown.text and "打扫卫生" not in shown.text
        assert await server.asks(lambda tx: rows(tx, PASSED_BY)) == before
        await owner.logs_visit()


async def test_somebody_suspended_in_the_middle_of_a_form_is_refused_at_the_next_message(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        first, second = await server.village(2)
        await server.start()
        visitor = await in_a_form(server, fake, 1000, first.token)
        await server.asks(lambda tx: people.suspend(tx, first.person_id, "op", server.now))
        before = await server.asks(lambda tx: rows(tx, PASSED_BY))
        await visitor.reacts(await visitor.next())
        await visitor.person.sees("已暂停")
        await visitor.person.says("/my")
        await visitor.person.sees("已暂停")
        assert await server.asks(lambda tx: rows(tx, PASSED_BY)) == before
        other = await in_a_form(server, fake, 1001, second.token)
        await other.logs_visit()


async def test_who_blocked_the_bot_and_a_group_that_moved_stop_nobody_else(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        first, second = await server.village(2)
        await server.start()
        blocker = await in_a_form(server, fake, 1000, first.token)
        other = await in_a_form(server, fake, 1001, second.token)
        await blocker.reacts(await blocker.next())
        blocker.person.blocks()
        group = fake.group(-500, "村群")
        await other.person.says("你好", group=group)
        moved = fake.migrate(group)
        fake.emit(group.id, "message", {"message_id": 1, "date": 1, "chat": group.about(), "from": other.person.about(),
                                        "migrate_to_chat_id": moved.id})
        await other.person.says("你好", group=moved)
        await other.logs_visit()
        assert not any(m.by_bot for chat in (group, moved) for m in chat.messages.values())
        await blocker.person.says("你好")
        await blocker.person.sees("接着刚才")
        await blocker.logs_visit()


async def test_the_operators_pages_answer(tmp_path: Path) -> None:
    async with FakeTelegram() as fake, Server(tmp_path, fake.url, fake.token) as server:
        await server.start()
        await server.ready()
        assert await server.gets("/healthz") == (200, "ok\n")
        for path, word in (("/readyz", "ready"), ("/metrics", "tanfang_")):
            status, text = await server.gets(path)
            assert status == 200 and word in text
