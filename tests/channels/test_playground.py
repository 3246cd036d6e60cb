"""The playground over real HTTP on loopback and a real SQLite file."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from bot.channels.base import Gone, Refused
from conversations.message import Button, Document, Media, Message
from tests.fakes.playground_house import GROUP, LI, START, WANG, EchoHouse, echo_house
from tests.fakes.playground_phone import playground_phone

pytestmark = pytest.mark.asyncio
API = "/playground/api"
PNG = b"\x89PNG\r\n\x1a\n made up"
KEY = "key-00000001"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[EchoHouse]:
    async with echo_house(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def http(house: EchoHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.url, timeout=10, trust_env=False) as client:
        yield client


async def messages(http: httpx.AsyncClient, phone: str, **params: Any) -> list[dict[str, Any]]:
    answer = await http.get(f"{API}/phones/{phone}/messages", params=params)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


async def events(http: httpx.AsyncClient, count: int, **asked: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """The first `count` events as (name, id, value)."""
    seen: list[tuple[str, str, dict[str, Any]]] = []
    async with asyncio.timeout(10), http.stream("GET", f"{API}/events", timeout=None, **asked) as stream:
        name = event_id = ""
        async for line in stream.aiter_lines():
            kind, _, value = line.partition(": ")
            if kind == "event":
                name, event_id = value, ""
            elif kind == "id":
                event_id = value
            elif kind == "data":
                seen.append((name, event_id, orjson.loads(value)))
                if len(seen) == count:
                    break
    return seen


async def test_a_person_writes_and_is_answered(house: EchoHouse) -> None:
    async with playground_phone(house.url, WANG) as phone:
        await phone.says("你好\n王大爷")
        await phone.sees("收到：你好\n王大爷")
        assert phone.screen == ["你好\n王大爷", "收到：你好\n王大爷"]
    inbound, = house.received
    assert (inbound.channel, inbound.account, inbound.chat, inbound.chat_kind, inbound.at) == (
        "playground", WANG, WANG, "private", START)


async def test_a_tap_reaches_the_bot_with_its_message_and_the_question_is_edited_in_place(house: EchoHouse) -> None:
    async with playground_phone(house.url, WANG) as phone:
        await phone.says("问")
        question = await phone.sees("第 5 题")
        assert [[b["label"] for b in row] for row in question["buttons"]] == [["1 良好", "2 一般", "3 较差"], ["上一题"]]
        await phone.taps("2 一般")
        answered = await phone.sees("您选了：一般")
        assert (answered["id"], answered["edited"], answered["buttons"]) == (question["id"], True, [])
        assert phone.screen == ["问", "您选了：一般"]
    assert (house.received[-1].choice, house.received[-1].source) == ("一般", question["id"])


async def test_a_tapped_button_stays_shown_as_pressed(house: EchoHouse, http: httpx.AsyncClient) -> None:
    receipt = await house.playground.send(WANG, Message("选", ((Button("好", "t1"), Button("不好", "t2")),)))
    house.away = True  # so that nothing takes the message's place
    await http.post(f"{API}/phones/{WANG}/messages", json={"key": KEY, "choice": "t2", "source": receipt.handle})
    assert [m["pressed"] for m in await messages(http, WANG)] == ["t2"]


async def test_the_same_key_is_one_message_however_often_it_comes(house: EchoHouse) -> None:
    async with playground_phone(house.url, WANG) as phone:
        for _ in range(3):
            await phone.says("一次", key=KEY)
        await phone.sees("收到：一次")
        assert phone.screen == ["一次", "收到：一次"]
    assert len(house.received) == 1


async def test_the_same_key_on_two_phones_is_two_messages(house: EchoHouse, http: httpx.AsyncClient) -> None:
    for phone in (WANG, LI):
        await http.post(f"{API}/phones/{phone}/messages", json={"key": KEY, "text": "你好"})
    assert [inbound.account for inbound in house.received] == [WANG, LI]


async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again(
        house: EchoHouse, http: httpx.AsyncClient) -> None:
    house.away = True
    sent = {"key": KEY, "text": "满了"}
    assert (await http.post(f"{API}/phones/{WANG}/messages", json=sent)).status_code == 503
    assert house.received == []
    house.away = False
    assert (await http.post(f"{API}/phones/{WANG}/messages", json=sent)).status_code == 202
    assert [m["text"] for m in await messages(http, WANG)] == ["满了", "收到：满了"]


async def test_messages_of_one_instant_keep_their_order_and_are_read_page_by_page(
        house: EchoHouse, http: httpx.AsyncClient) -> None:
    await asyncio.gather(*[house.playground.send(WANG, Message(str(n))) for n in range(30)])
    newest = await messages(http, WANG, limit=20)
    before = await messages(http, WANG, limit=20, before=newest[0]["id"])
    assert [m["text"] for m in before + newest] == [str(n) for n in range(30)]
    assert len(newest) == 20


async def test_a_reconnecting_listener_misses_nothing(house: EchoHouse, http: httpx.AsyncClient) -> None:
    first = await house.playground.send(WANG, Message("一"))
    (_, last, _), = await events(http, 1, params={"after": 0})
    await house.playground.send(LI, Message("二"))
    await house.playground.send(WANG, Message("一改", edits=first.handle))
    await house.stop()
    await house.start()
    missed = await events(http, 3, headers={"last-event-id": last})
    assert [(name, value.get("phone"), value.get("text")) for name, _, value in missed] == [
        ("new", LI, "二"), ("edited", WANG, "一改"), ("clock", None, None)]


async def test_a_listener_is_woken_by_what_comes_while_it_listens(house: EchoHouse, http: httpx.AsyncClient) -> None:
    seen: list[str] = []
    async with asyncio.timeout(1.5), http.stream("GET", f"{API}/events") as stream:  # less than it would poll
        async for line in stream.aiter_lines():
            if line == "event: clock" and not seen:  # it has read what there was, and waits
                await house.playground.send(WANG, Message("叮"))
            if line.startswith("event: "):
                seen.append(line.removeprefix("event: "))
            if "new" in seen:
                break
    assert seen == ["clock", "new"]


async def test_an_edit_of_an_unknown_message_or_one_of_another_chat_is_sent_anew(
        house: EchoHouse, http: httpx.AsyncClient) -> None:
    mine = await house.playground.send(LI, Message("李"))
    await house.playground.send(WANG, Message("王", edits=mine.handle))
    await house.playground.send(WANG, Message("王2", edits="nothing"))
    assert [m["text"] for m in await messages(http, LI)] == ["李"]
    assert [m["text"] for m in await messages(http, WANG)] == ["王", "王2"]


async def test_a_document_is_downloaded_byte_for_byte(house: EchoHouse, http: httpx.AsyncClient) -> None:
    body = bytes(range(256)) * 40
    await house.playground.send(WANG, Message("", document=Document("附件3.docx", body)))
    shown, = await messages(http, WANG)
    assert (shown["document"]["name"], shown["document"]["size"]) == ("附件3.docx", len(body))
    answer = await http.get(shown["document"]["url"])
    assert answer.content == body
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E9%99%84")


async def test_a_photo_goes_up_comes_to_the_bot_and_is_shown(house: EchoHouse, http: httpx.AsyncClient) -> None:
    async with playground_phone(house.url, WANG) as phone:
        ref = await phone.uploads("photo", PNG)
        await phone.does({"media": [ref], "text": "大门"})
        await phone.sees("收到 photo")
    inbound, = house.received
    assert (inbound.media, inbound.text) == ((Media("photo", ref, len(PNG)),), "大门")
    assert await house.playground.fetch(inbound.media[0]) == PNG
    own = (await messages(http, WANG))[0]
    answer = await http.get(own["media"][0]["url"])
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")


async def test_a_spreadsheet_goes_up_under_its_name_and_lies_sealed(
    house: EchoHouse, http: httpx.AsyncClient
) -> None:
    sheet = b"PK\x03\x04 planted rows"
    async with playground_phone(house.url, WANG) as phone:
        ref = await phone.uploads("file", sheet)
        await phone.does({"media": [ref], "name": "台账.xlsx"})
        await phone.sees("收到 file")
    (inbound,) = house.received
    assert inbound.media == (Media("file", ref, len(sheet), "台账.xlsx"),)
    assert await house.playground.fetch(inbound.media[0]) == sheet
    shown = (await messages(http, WANG))[0]["media"][0]
    assert shown["name"] == "台账.xlsx"
    answer = await http.get(shown["url"])
    assert (answer.content, answer.headers["content-disposition"]) == (sheet, "attachment")
    await house.stop()
    assert b"planted rows" not in house.path.read_bytes()
    await house.start()


async def test_a_file_comes_alone_and_is_a_spreadsheet_of_20_mb_at_most(
    house: EchoHouse, http: httpx.AsyncClient
) -> None:
    url, header = f"{API}/phones/{WANG}/media", {"content-type": "application/octet-stream"}
    for body, status in [(PNG, 415), (b"%PDF-1.7", 415), (b"PK\x03\x04" + bytes(20 * 1024 * 1024), 413)]:
        answer = await http.post(url, params={"kind": "file"}, content=body, headers=header)
        assert answer.status_code == status
    form = await http.post(url, params={"kind": "file"}, content=b"PK\x03\x04", headers={
        "content-type": "application/x-www-form-urlencoded"})
    assert form.status_code == 415
    async with playground_phone(house.url, WANG) as phone:
        refs = [await phone.uploads("file", b"PK\x03\x04"), await phone.uploads("photo", PNG)]
    said = f"{API}/phones/{WANG}/messages"
    assert (await http.post(said, json={"key": KEY, "media": refs})).status_code == 422
    assert (await http.post(said, json={"key": KEY, "text": "x", "name": "台账.xlsx"})).status_code == 422
    assert house.received == []


async def test_a_photo_that_is_not_there_is_gone(house: EchoHouse) -> None:
    with pytest.raises(Gone):
        await house.playground.fetch(Media("photo", "nothing"))


async def test_uploads_that_are_no_picture_or_too_large_are_refused(house: EchoHouse, http: httpx.AsyncClient) -> None:
    url, header = f"{API}/phones/{WANG}/media", {"content-type": "image/png"}
    for kind, body, status in [("photo", b"<script>", 415), ("voice", PNG, 415), ("film", PNG, 422),
                               ("photo", PNG + bytes(10 * 1024 * 1024), 413)]:
        answer = await http.post(url, params={"kind": kind}, content=body, headers=header)
        assert answer.status_code == status, kind


async def test_a_place_reaches_the_bot(house: EchoHouse) -> None:
    async with playground_phone(house.url, WANG) as phone:
        await phone.sends_place()
        await phone.sees("位置：28.87, 105.44")


async def test_a_group_is_spoken_in_by_one_of_its_members(house: EchoHouse, http: httpx.AsyncClient) -> None:
    async with playground_phone(house.url, GROUP, speaker=LI) as phone:
        await phone.says("大家好")
        await phone.sees("收到：大家好")
    inbound, = house.received
    assert (inbound.account, inbound.chat, inbound.chat_kind) == (LI, GROUP, "group")
    for phone_id, speaker in [(GROUP, "stranger"), (GROUP, None), (WANG, LI)]:
        sent = {"key": KEY, "text": "x"} | ({"as": speaker} if speaker else {})
        assert (await http.post(f"{API}/phones/{phone_id}/messages", json=sent)).status_code == 422


async def test_an_invitation_opens_one_phone_which_starts_with_the_token(
        house: EchoHouse, http: httpx.AsyncClient) -> None:
    joining = {"key": KEY, "token": "abcDEF123"}
    opened = [(await http.post(f"{API}/phones", json=joining)).json()["phone"] for _ in range(2)]
    inbound, = house.received
    assert opened == [inbound.account, inbound.account]
    assert inbound.text == "/start abcDEF123"
    assert opened[0] in [phone["id"] for phone in (await http.get(f"{API}/phones")).json()["phones"]]
    own = (await messages(http, opened[0]))[0]
    assert own["text"] == "/start", "the token is not shown"


async def test_the_clock_goes_forward_only_and_listeners_hear_of_it(house: EchoHouse, http: httpx.AsyncClient) -> None:
    later = START + timedelta(hours=1)
    assert (await http.post(f"{API}/clock", json={"to": later.isoformat()})).status_code == 200
    assert (await http.get(f"{API}/clock")).json() == {"now": "2026-03-05T01:31:00.000+00:00"}
    (name, event_id, value), = await events(http, 1)
    assert (name, event_id, value["now"]) == ("clock", "0", "2026-03-05T01:31:00.000+00:00")
    backwards = await http.post(f"{API}/clock", json={"to": START.isoformat()})
    assert backwards.status_code == 409
    assert "forward" in backwards.json()["error"]
    for wrong in ("2026-03-06T08:30:00", "9999-01-01T00:00:00+08:00", "soon"):
        assert (await http.post(f"{API}/clock", json={"to": wrong})).status_code == 422
    assert house.clock.at == later


@pytest.mark.parametrize("sent", [
    {"text": "x"}, {"key": "short", "text": "x"}, {"key": KEY}, {"key": KEY, "text": ""}, {"key": KEY, "text": 1},
    {"key": KEY, "text": "x", "more": 1}, {"key": KEY, "choice": "t"}, {"key": KEY, "media": ["nothing"]},
    {"key": KEY, "text": "x", "place": {"latitude": 1.0, "longitude": 1.0}},
    {"key": KEY, "place": {"latitude": 91.0, "longitude": 1.0}},
])
async def test_what_is_not_exactly_one_known_thing_is_refused(
        sent: dict[str, Any], house: EchoHouse, http: httpx.AsyncClient) -> None:
    assert (await http.post(f"{API}/phones/{WANG}/messages", json=sent)).status_code == 422
    assert house.received == []
    assert await messages(http, WANG) == []


async def test_a_tap_on_a_message_of_another_phone_is_refused(house: EchoHouse, http: httpx.AsyncClient) -> None:
    receipt = await house.playground.send(LI, Message("选", ((Button("好", "t1"),),)))
    sent = {"key": KEY, "choice": "t1", "source": receipt.handle}
    assert (await http.post(f"{API}/phones/{WANG}/messages", json=sent)).status_code == 404
    assert house.received == []


async def test_broken_large_and_foreign_requests_change_nothing(house: EchoHouse, http: httpx.AsyncClient) -> None:
    url, good = f"{API}/phones/{WANG}/messages", b'{"key": "%b", "text": "x"}' % KEY.encode()
    for body, headers, status in [
        (b"{", {}, 422), (b"\xff", {}, 422), (b'"' + b"x" * 70_000 + b'"', {}, 413),
        (good, {"content-type": "text/plain"}, 415), (good, {"origin": "http://evil.example"}, 403),
        (good, {"origin": "null"}, 403), (good, {"origin": "http://["}, 403), (good, {"host": "evil.example"}, 403),
        (good, {"host": "evil.example", "origin": "http://evil.example"}, 403),
    ]:
        answer = await http.post(url, content=body, headers={"content-type": "application/json", **headers})
        assert answer.status_code == status, (body[:20], headers)
    assert (await http.get(f"{API}/phones", headers={"host": "evil.example"})).status_code == 403
    assert (await http.post(f"{API}/phones/nobody/messages", content=good)).status_code == 404
    assert house.received == []
    own = {"content-type": "application/json", "origin": house.url}
    assert (await http.post(url, content=good, headers=own)).status_code == 202


@pytest.mark.parametrize("message", [
    Message(""), Message("x" * 4097), Message("x", ((),)), Message("x", ((Button("a" * 61, "t"),),)),
    Message("x", ((Button("a", "令" * 22),),)), Message("x", ((Button("a", "t"),) * 5,)),
    Message("x", ((Button("a", "t"),),) * 101),
])
async def test_what_goes_beyond_the_capabilities_is_refused(message: Message, house: EchoHouse) -> None:
    with pytest.raises(Refused):
        await house.playground.send(WANG, message)


async def test_every_answer_forbids_foreign_scripts_and_the_page_loads_nothing_from_outside(
        http: httpx.AsyncClient) -> None:
    for path in ("", "/style.css", "/page.js", "/phone.js", "/wire.js", "/icon.svg", "/api/phones"):
        answer = await http.get(f"/playground{path}")
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert answer.headers["x-content-type-options"] == "nosniff"
        outside = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in outside
        assert "https://" not in outside


async def test_what_stands_on_the_phones_is_sealed_on_disk(house: EchoHouse, http: httpx.AsyncClient) -> None:
    await http.post(f"{API}/phones/{WANG}/messages", json={"key": KEY, "text": "secret words"})
    await house.stop()
    kept = b"".join(path.read_bytes() for path in house.path.parent.glob("playground.db*"))
    assert b"secret words" not in kept
    await house.start()
    assert [m["text"] for m in await messages(http, WANG)] == ["secret words", "收到：secret words"]
