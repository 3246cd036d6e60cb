"""Telegram, what goes out: sending, editing, splitting, and what each refusal means."""

from typing import Any

import pytest
from telegram.error import TimedOut
from telegram.request import BaseRequest

from bot.channels.base import Blocked, Channel, Gone, Moved, Refused, RetryAt, SendFailure
from bot.channels.telegram import CAPTION_LIMIT, FILE_LIMIT, TEXT_LIMIT, Telegram, split
from conversations.message import Button, Document, Inbound, Media, Message
from tests.channels.conftest import NOW, channel
from tests.fakes.telegram_api import USERNAME, FakeTelegram
from tests.fakes.telegram_people import Person

YES_NO = ((Button("好", "t1"), Button("不好", "t2")),)


@pytest.fixture
async def wang(fake: FakeTelegram) -> Person:
    wang = fake.person(7, "王")
    await wang.says("/start")
    return wang


def test_it_is_a_channel(telegram: Telegram) -> None:
    checked: Channel = telegram
    assert checked.name == "telegram"


async def test_a_message_arrives_with_its_text_as_written_and_its_buttons(
    telegram: Telegram, wang: Person
) -> None:
    text = '张<b>三</b> & "李" *四* _五_ `六` [七](八) &lt; 👵'
    receipt = await telegram.send("7", Message(text, YES_NO))
    shown = await wang.sees("张")
    assert shown.text == text
    assert shown.labels == ["好", "不好"]
    assert receipt.handle == str(shown.message_id)


async def test_an_edit_takes_the_place_of_the_earlier_message(telegram: Telegram, wang: Person) -> None:
    first = await telegram.send("7", Message("第一题", YES_NO))
    second = await telegram.send("7", Message("第二题", edits=first.handle))
    assert second == first
    assert [m.text for m in wang.chat if m.by_bot] == ["第二题"]
    assert wang.chat[-1].labels == []


async def test_editing_to_the_same_text_is_a_success(
    fake: FakeTelegram, telegram: Telegram, wang: Person
) -> None:
    first = await telegram.send("7", Message("第一题", YES_NO))
    again = await telegram.send("7", Message("第一题", YES_NO, edits=first.handle))
    assert again == first
    assert "not modified" in fake.calls[-1].description


@pytest.mark.parametrize("edits", ["999999", "person", "document", "abc"])
async def test_what_cannot_be_edited_is_sent_anew(telegram: Telegram, wang: Person, edits: str) -> None:
    if edits == "person":
        edits = str(wang.chat[0].message_id)
    if edits == "document":
        edits = (await telegram.send("7", Message("附件", document=Document("a.docx", b"x")))).handle
    receipt = await telegram.send("7", Message("第二题", edits=edits))
    assert wang.chat[-1].text == "第二题"
    assert receipt.handle == str(wang.chat[-1].message_id) != edits


async def test_a_long_text_comes_in_parts_cut_after_sentences_with_buttons_under_the_last(
    telegram: Telegram, wang: Person
) -> None:
    text = "老人情况稳定👵。" * 1200
    receipt = await telegram.send("7", Message(text, YES_NO))
    parts = [m for m in wang.chat if m.by_bot]
    assert len(parts) == 3
    assert "".join(m.text for m in parts) == text
    assert all(m.text.endswith("。") for m in parts)
    assert [m.labels for m in parts] == [[], [], ["好", "不好"]]
    assert receipt.handle == str(parts[-1].message_id)


async def test_a_long_edit_keeps_its_first_part_in_place(telegram: Telegram, wang: Person) -> None:
    first = await telegram.send("7", Message("问题", YES_NO))
    await telegram.send("7", Message("好。" * 3000, YES_NO, edits=first.handle))
    parts = [m for m in wang.chat if m.by_bot]
    assert str(parts[0].message_id) == first.handle
    assert [len(m.text) for m in parts] == [4096, 1904]
    assert [bool(m.labels) for m in parts] == [False, True]


@pytest.mark.parametrize(
    "text", ["长" * 10_000, "👵" * 5_000, "a" * 4096, "行\n" * 5_000, "末。" + "\n" * 4096]
)
def test_no_part_is_over_the_limit_and_nothing_but_blanks_is_lost(text: str) -> None:
    parts = split(text, TEXT_LIMIT)
    assert all(0 < len(part.encode("utf-16-le")) // 2 <= TEXT_LIMIT and part.strip() for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


async def test_a_place_is_asked_by_a_button_that_sends_it_beside_the_other_answers(
    telegram: Telegram, wang: Person
) -> None:
    first = await telegram.send("7", Message("上一题", YES_NO))
    await telegram.send(
        "7", Message("在哪里？", ((Button("跳过", "t9"),),), edits=first.handle, asks_place=True)
    )
    shown = wang.chat[-1]
    assert shown.keyboard_kind == "reply"
    assert shown.keyboard[0] == [{"text": "发送位置", "request_location": True}]
    assert shown.labels == ["发送位置", "跳过"]


async def test_in_a_group_a_place_question_keeps_plain_buttons(
    fake: FakeTelegram, telegram: Telegram
) -> None:
    group = fake.group(-5, "三组")
    await telegram.send("-5", Message("在哪里？", YES_NO, asks_place=True))
    assert (await group.sees("在哪里")).keyboard_kind == "inline"


async def test_a_document_arrives_whole_with_its_caption_and_buttons(
    telegram: Telegram, wang: Person
) -> None:
    body = bytes(range(256)) * 400
    await telegram.send("7", Message("附件3", YES_NO, document=Document("探访记录.docx", body)))
    shown = wang.chat[-1]
    assert (shown.text, shown.document, shown.labels) == ("附件3", ("探访记录.docx", body), ["好", "不好"])


async def test_a_text_too_long_for_a_caption_goes_before_the_document(
    telegram: Telegram, wang: Person
) -> None:
    text = "说" * (CAPTION_LIMIT + 1)
    await telegram.send("7", Message(text, document=Document("a.docx", b"x")))
    assert [(m.text, m.document) for m in wang.chat if m.by_bot] == [(text, None), ("", ("a.docx", b"x"))]


async def test_flood_control_says_when_to_try_again(
    fake: FakeTelegram, telegram: Telegram, wang: Person
) -> None:
    fake.flood(retry_after=17)
    with pytest.raises(RetryAt) as failure:
        await telegram.send("7", Message("好"))
    assert failure.value.seconds == 17
    await telegram.send("7", Message("好"))


async def test_a_person_who_blocked_the_bot_is_blocked_also_for_edits(
    telegram: Telegram, wang: Person
) -> None:
    first = await telegram.send("7", Message("好"))
    wang.blocks()
    for edits in ("", first.handle):
        with pytest.raises(Blocked):
            await telegram.send("7", Message("还好", edits=edits))


async def test_a_group_that_grew_says_where_it_moved(fake: FakeTelegram, telegram: Telegram) -> None:
    new = fake.migrate(fake.group(-5, "三组"))
    with pytest.raises(Moved) as failure:
        await telegram.send("-5", Message("警报"))
    assert failure.value.chat == str(new.id)
    await telegram.send(failure.value.chat, Message("警报"))


async def test_an_unknown_chat_is_gone(telegram: Telegram) -> None:
    with pytest.raises(Gone):
        await telegram.send("12345", Message("好"))


async def test_a_button_that_telegram_does_not_take_is_refused_without_its_words(
    fake: FakeTelegram, telegram: Telegram, wang: Person
) -> None:
    with pytest.raises(Refused):
        await telegram.send("7", Message("好", ((Button("好", "x" * 65),),)))
    fake.refuse(400, 'Bad Request: can\'t parse entities: Unsupported start tag "张三" at byte offset 3')
    with pytest.raises(Refused) as failure:
        await telegram.send("7", Message("好"))
    assert "张三" not in str(failure.value)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    ("status", "description", "kind"),
    [
        (500, "Internal Server Error", RetryAt),
        (502, "Bad Gateway", RetryAt),
        (429, "Too Many Requests", RetryAt),
        (409, "Conflict: somebody else", RetryAt),
        (401, "Unauthorized", RetryAt),
        (403, "Forbidden: user is deactivated", Blocked),
        (403, "Forbidden: bot was kicked from the group chat", Blocked),
        (400, "Bad Request: PEER_ID_INVALID", Gone),
        (400, "Bad Request: not enough rights to send text messages to the chat", Refused),
        (413, "Request Entity Too Large", Refused),
    ],
)
async def test_each_refusal_has_its_meaning(
    fake: FakeTelegram,
    telegram: Telegram,
    wang: Person,
    status: int,
    description: str,
    kind: type[SendFailure],
) -> None:
    fake.refuse(status, description)
    with pytest.raises(SendFailure) as failure:
        await telegram.send("7", Message("好"))
    assert isinstance(failure.value, kind)


async def test_a_server_that_is_away_is_tried_again_later() -> None:
    telegram = Telegram("1:a", "http://127.0.0.1:9", place_label="位置", now=lambda: NOW)
    with pytest.raises(RetryAt) as failure:
        await telegram.send("7", Message("好"))
    assert failure.value.seconds > 0
    await telegram.close()


class Silent(BaseRequest):
    """HTTP that never answers in time, or answers with a page that is no JSON."""

    page = b""
    read_timeout = 5

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        if self.page:
            return 200, self.page
        raise TimedOut


@pytest.mark.parametrize("page", [b"", b"<html>maintenance</html>"])
async def test_a_timeout_or_a_page_that_is_no_answer_is_tried_again_later(page: bytes) -> None:
    request = Silent()
    request.page = page
    telegram = Telegram("1:a", place_label="位置", now=lambda: NOW, request=request)
    with pytest.raises(RetryAt):
        await telegram.send("7", Message("好"))


async def test_a_wrong_token_loses_no_message(fake: FakeTelegram) -> None:
    telegram = channel(fake, token="1:wrong")
    with pytest.raises(RetryAt) as failure:
        await telegram.send("7", Message("好"))
    assert failure.value.seconds >= 60
    await telegram.close()


async def test_the_tokens_of_the_bot_stay_out_of_the_log(
    telegram: Telegram, fake: FakeTelegram, wang: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await telegram.send("7", Message("机密"))
    assert fake.token not in caplog.text
    assert "机密" not in caplog.text


async def test_a_tap_is_settled_once_and_an_old_one_without_complaint(
    fake: FakeTelegram, telegram: Telegram, wang: Person
) -> None:
    await telegram.send("7", Message("问题", YES_NO))
    await wang.taps("不好")
    inbound = telegram.parse(fake.updates[-1])
    assert inbound is not None
    await telegram.settle(inbound)
    assert list(fake.taps.values()) == [True]
    await telegram.settle(inbound)
    assert len(fake.called("answerCallbackQuery")) == 1

    await wang.taps("不好")
    fake.refuse(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    late = telegram.parse(fake.updates[-1])
    assert isinstance(late, Inbound)
    await telegram.settle(late)


async def test_a_photo_is_fetched_in_its_largest_size(
    fake: FakeTelegram, telegram: Telegram, wang: Person
) -> None:
    await wang.sends_photo(b"a large picture")
    inbound = telegram.parse(fake.updates[-1])
    assert inbound is not None
    assert await telegram.fetch(inbound.media[0]) == b"a large picture"


async def test_a_file_that_is_too_big_or_unknown_is_refused(fake: FakeTelegram, telegram: Telegram) -> None:
    big = fake.keep_file(bytes(FILE_LIMIT + 1))
    for ref in (big, "nothing"):
        with pytest.raises(Refused):
            await telegram.fetch(Media("voice", ref))
    fake.file_limit *= 100
    with pytest.raises(Refused):
        await telegram.fetch(Media("voice", big))


async def test_it_knows_its_name_and_shows_its_commands(fake: FakeTelegram, telegram: Telegram) -> None:
    assert await telegram.me() == USERNAME
    await telegram.set_commands([("due", "待访"), ("help", "帮助")])
    assert fake.commands[0] == {"command": "due", "description": "待访"}
