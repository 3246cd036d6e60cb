"""A photo, a voice note or a place sent while an own alert runs belongs to it; an open form that wants it goes first."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from docx import Document

from conversations.documents import alert_record, qr
from conversations.message import Media, Place
from conversations.words_book import Words
from storage import alert_media, erasing, media, retention
from storage.alert_media import Added
from storage.alerts import Alert
from storage.crypto import Keys
from storage.scope import Scope
from tests.fakes.house import START
from tests.fakes.talk import Talk, labels, talking, token

ELDER = "张桂芳3组"
PHOTO, VOICE = (Media("photo", "a-photo", 1000),), (Media("voice", "a-voice", 1000),)
HERE = Place(28.871, 105.442)


@pytest_asyncio.fixture
async def talk(tmp_path: Path, keys: Keys) -> AsyncIterator[Talk]:
    async with talking(tmp_path, keys) as found:
        yield found


async def kept(talk: Talk, alert: Alert) -> list[Added]:
    return await talk.running.store.read(lambda tx: alert_media.of(tx, alert.id))


async def test_what_the_raiser_and_who_goes_send_is_on_the_card_and_each_kind_is_told_once(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall", "王强")
    await talk.asked("赵敏", f"/claim {alert.id}")
    await talk.told()
    assert "加到警报" in (await talk.asked("王强", media=PHOTO)).text
    assert "加到警报" in (await talk.asked("王强", media=PHOTO)).text
    assert "加到警报" in (await talk.asked("赵敏", place=HERE)).text
    got = await talk.told()
    assert [("照片" in said, "位置" in said) for said in got["李娜"]] == [(True, False), (False, True)]
    assert len(got["赵敏"]) == 1 and len(got["王强"]) == 1
    card = await talk.asked("李娜", f"/alert {alert.id}")
    assert "照片 2 张" in card.text and "28.871000, 105.442000" in card.text
    assert "position=105.442000,28.871000&coordinate=wgs84" in card.text
    assert "还没有传到" in (await talk.asked("李娜", token(card, "看照片（2）"))).text
    second = (await kept(talk, alert))[1].media_id or ""
    await talk.running.store.run(lambda tx: media.fill(tx, second, b"bytes"))
    shown = await talk.asked("李娜", token(card, "看照片（2）"))
    assert shown.document.endswith(".jpg")


async def test_it_goes_to_the_form_that_wants_it_and_else_to_the_alert(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall", "王强")
    await talk.asked("王强", f"/claim {alert.id}", "探访 曾国富", "1")
    said = await talk.asked("王强", media=PHOTO)  # a question with boxes wants none
    assert "家里人口" in said.text  # and the form stands where it stood
    assert len(await kept(talk, alert)) == 1
    for digits in ("111111", "111", "111", "111"):
        await talk.asked("王强", digits)
    await talk.asked("王强", media=VOICE)  # 关爱服务情况 may be spoken
    assert len(await kept(talk, alert)) == 1


async def test_a_photo_sent_while_it_is_said_how_it_ended_is_kept_with_the_alert(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall")
    await talk.asked("王强", f"/claim {alert.id}")
    await talk.asked("赵敏", f"/close {alert.id}")
    said = await talk.asked("赵敏", media=PHOTO)
    assert "什么情况" in said.text
    assert [each.kind for each in await kept(talk, alert)] == ["photo"]


async def test_a_photo_in_the_cry_itself_and_within_the_first_minute_goes_with_it(talk: Talk) -> None:
    await talk.alarm(ELDER, "fall")
    await talk.asked("王强", "紧急", media=PHOTO)
    await talk.asked("王强", media=VOICE)
    asked = await talk.asked("王强", "紧急")
    what = await talk.asked("王强", token(asked, "建设村3组 1号"))
    await talk.asked("王强", token(what, "摔倒"))  # it joins the alert that runs
    joined = await talk.alarm(ELDER, "fall")
    assert [each.kind for each in await kept(talk, joined)] == ["photo", "voice"]


@pytest.mark.parametrize("who", ["李娜", "李军"])
async def test_who_neither_raised_it_nor_goes_adds_nothing(talk: Talk, who: str) -> None:
    alert = await talk.alarm(ELDER, "fall", "王强")
    await talk.asked(who, media=PHOTO)
    await talk.asked(who, place=HERE)
    assert await kept(talk, alert) == []


async def test_after_the_end_nothing_is_added_and_there_is_an_end_to_it(talk: Talk) -> None:
    alert = await talk.alarm(ELDER, "fall", "王强")
    for _ in range(alert_media.MOST):
        await talk.asked("王强", media=PHOTO)
    assert "够多了" in (await talk.asked("王强", media=PHOTO)).text
    await talk.asked("赵敏", f"/falsealarm {alert.id}", "没事", "提交")
    assert "加到警报" not in (await talk.asked("王强", media=PHOTO)).text
    assert len(await kept(talk, alert)) == alert_media.MOST


async def test_abroad_only_that_there_is_something_is_said(tmp_path: Path, keys: Keys) -> None:
    async with talking(tmp_path, keys, abroad=True) as talk:
        alert = await talk.alarm(ELDER, "fall", "王强")
        await talk.asked("王强", place=HERE)
        await talk.asked("王强", media=PHOTO)
        card = await talk.asked("王强", f"/alert {alert.id}")
        assert "国内" in card.text and "28.8" not in card.text and "http" not in card.text
        assert not any("照片" in label for label in labels(card))
        forged = await talk.asked("王强", f"/alertmedia {(await kept(talk, alert))[1].id}")
        assert not forged.document


@pytest.mark.parametrize(("who", "kind"), [("李军", "fall"), ("李娜", "abuse")])
async def test_who_may_not_see_the_alert_sees_no_photo_of_it(talk: Talk, who: str, kind: str) -> None:
    alert = await talk.alarm(ELDER, kind, "赵敏")
    await talk.asked("赵敏", media=PHOTO)
    shown = await talk.asked(who, f"/alertmedia {(await kept(talk, alert))[0].id}")
    assert "没找到" in shown.text and not shown.document


async def test_it_is_printed_in_the_file_and_gone_with_the_elder(talk: Talk) -> None:
    running, zhao = talk.running, talk.running.village.people["赵敏"]
    alert = await talk.alarm(ELDER, "fall", "王强")
    await talk.asked("王强", "在堂屋", media=PHOTO)
    await talk.asked("王强", media=VOICE)
    await talk.asked("王强", place=HERE)
    photo, voice, _ = (each.media_id or "" for each in await kept(talk, alert))
    await running.store.run(lambda tx: media.fill(tx, photo, qr.png("x")))
    gathered = await running.store.read(lambda tx: alert_record.gather(
        tx, running.house, Scope(zhao, START.date()), alert.id, running.now()))
    assert gathered
    document = Document(BytesIO(alert_record.docx(gathered, Words())[1]))
    said = [each.text for each in document.paragraphs if "王强" in each.text]
    assert [line.rpartition("：")[2] for line in said] == ["照片", "语音", "位置 28.871000, 105.442000"]
    assert len(document.inline_shapes) == 1
    old = running.now() + timedelta(days=400)
    assert await running.store.run(lambda tx: retention.media_that_never_came(tx, old, 9)) == 0  # the file speaks of it
    told = await running.store.run(lambda tx: erasing.erase(tx, alert.elder_id or "", zhao, START.date(), START))
    assert told and told["alert_media"] == 3 and told["media"] == 2
    assert await kept(talk, alert) == []
    assert await running.store.read(lambda tx: media.body(tx, photo)) is None
    assert voice


async def test_a_broken_photo_keeps_no_file_from_being_printed(talk: Talk) -> None:
    running, whole = talk.running, qr.png("x")
    alert = await talk.alarm(ELDER, "fall", "王强")
    await talk.asked("王强", media=PHOTO)
    gathered = await running.store.read(lambda tx: alert_record.gather(
        tx, running.house, Scope(running.village.people["赵敏"], START.date()), alert.id, running.now()))
    assert gathered
    (line,) = gathered.added
    photos = (whole[:20], whole[:16] + bytes(8) + whole[24:], b"\xff\xd8\xff\xe1\0\x20Exif\0\0II*\0", b"GIF89a", whole)
    many = replace(gathered, added=[(*line[:3], photo) for photo in photos])
    document = Document(BytesIO(alert_record.docx(many, Words())[1]))
    assert len([each for each in document.paragraphs if each.text.endswith("照片")]) == len(photos)
    assert len(document.inline_shapes) == 1
