"""Callbacks of WeChat and WeCom: what wechatpy 1.8.18 gets wrong does not get past the envelope."""

import struct
from datetime import UTC, datetime, timedelta

import pytest
import wechatpy
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.tencent import xml
from bot.channels.tencent.envelope import Envelope, Forged
from tests.fakes import tencent

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
AT = NOW.timestamp()
APP = "wx1234567890abcdef"
safe = Envelope(tencent.TOKEN, tencent.AES_KEY, APP)
plain = Envelope(tencent.TOKEN, "", APP)


def opened(sealed: str, **query: str) -> str:
    return safe.open(sealed, {**tencent.signed(AT, sealed=sealed), **query}, NOW)


def test_what_the_platform_encrypts_is_read_and_what_we_encrypt_it_reads() -> None:
    assert opened(tencent.seal("<xml>您好</xml>", APP)) == "<xml>您好</xml>"
    reply = safe.seal(xml.reply("gh_1", "o1", "您好", NOW), "n2", NOW)
    assert tencent.opened_reply(reply, APP) == {
        "MsgType": "text", "FromUserName": "gh_1", "ToUserName": "o1", "CreateTime": str(int(AT)), "Content": "您好"}


@pytest.mark.parametrize("query", [
    {"msg_signature": "0" * 40}, {"msg_signature": ""}, {"msg_signature": "签"}, {"nonce": "n2"}, {"timestamp": ""}])
def test_a_wrong_signature_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Forged, match="signature"):
        opened(tencent.seal("x", APP), **query)


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr("bot.channels.tencent.envelope.hmac.compare_digest", lambda a, b: seen.append((a, b)) or False)
    with pytest.raises(Forged):
        opened(tencent.seal("x", APP))
    assert len(seen) == 1


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-299, True), (299, True), (302, False)])
def test_a_callback_older_or_newer_than_five_minutes_is_refused(seconds: int, taken: bool) -> None:
    query = tencent.signed((NOW + timedelta(seconds=seconds)).timestamp())
    if taken:
        plain.open_plain(query, NOW)
    else:
        with pytest.raises(Forged, match="time"):
            plain.open_plain(query, NOW)


@pytest.mark.parametrize("sealed", [
    "", "not base64!", "AAAA", tencent.sealed_bytes(b"\0" * 32), tencent.sealed_bytes(b"x" * 16 + b"\x10" * 16),
    tencent.sealed_bytes(b"r" * 16 + struct.pack(">I", 4) + b"\xff\xfe\xff\xfe" + APP.encode() + b"\x16" * 22 + b"x" * 0),
    tencent.seal("x", "wxsomebodyelse")],
    ids=["empty", "no base64", "no block", "padding of zeros", "no message", "no utf-8", "another receiver"])
def test_a_broken_ciphertext_is_refused_and_never_an_error(sealed: str) -> None:
    with pytest.raises(Forged):
        opened(sealed)


def test_an_encrypted_text_without_a_key_is_refused() -> None:
    sealed = tencent.seal("x", APP)
    with pytest.raises(Forged):
        plain.open(sealed, tencent.signed(AT, sealed=sealed), NOW)


@given(st.text(), st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "signature"]), st.text()))
def test_no_text_and_no_query_breaks_the_envelope(sealed: str, query: dict[str, str]) -> None:
    with pytest.raises(Forged):
        safe.open(sealed, query, NOW)
    with pytest.raises(Forged):
        safe.open_plain(query, NOW)


def test_an_empty_reply_is_never_encrypted() -> None:
    assert safe.seal(xml.reply("gh_1", "o1", "", NOW), "n", NOW) == ""


def test_a_key_of_another_length_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="43"):
        Envelope("t", "short", APP)


@pytest.mark.parametrize("text", ["a]]>b", "]]>", "]]]]>>", "\x00\x08\x1b[31m坏\x7f", "a\ud800b", "\ufffe", "<xml>&amp;"])
def test_a_reply_with_cdata_ends_or_control_characters_is_still_xml(text: str) -> None:
    said = tencent.parsed(xml.reply("gh_1", "o1", text, NOW))["Content"]
    assert said == xml.clean(text)


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_makes_a_reply_that_can_be_read(text: str) -> None:
    rendered = xml.reply("gh_1", "o1", text, NOW)
    assert not rendered or tencent.parsed(rendered)["Content"] == xml.clean(text).replace("\r\n", "\n").replace("\r", "\n")


def message(**fields: str) -> str:
    return "<xml>" + "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items()) + "</xml>"


@pytest.mark.parametrize("body", [
    b"", b"\xff", "<xml></xml>", "<xml/>", "<html/>", "nothing", message(FromUserName="o1"), message(MsgType="text"),
    "<xml><MsgType><a/></MsgType><FromUserName>o</FromUserName></xml>",
    "<xml><MsgType>text</MsgType><MsgType>text</MsgType><FromUserName>o</FromUserName></xml>",
    "<xml><MsgType>event</MsgType><FromUserName>o</FromUserName><Event><b/></Event></xml>",
    "<xml><MsgType>event</MsgType><FromUserName>o</FromUserName><Event>subscribe</Event><EventKey><b/></EventKey></xml>",
    '<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><MsgType>&a;</MsgType><FromUserName>o</FromUserName></xml>'])
def test_a_message_without_type_or_sender_or_with_strange_fields_is_unreadable_and_no_error(body: str | bytes) -> None:
    with pytest.raises(xml.Unreadable):
        xml.message(body, wechatpy.parse_message)


def test_two_events_are_two_though_wechatpy_gives_both_the_id_0() -> None:
    first = xml.message(message(MsgType="event", FromUserName="o1", CreateTime="1", Event="CLICK", EventKey="/due"),
                        wechatpy.parse_message)
    again = xml.message(message(MsgType="event", FromUserName="o1", CreateTime="1", Event="CLICK", EventKey="/due"),
                        wechatpy.parse_message)
    other = xml.message(message(MsgType="event", FromUserName="o1", CreateTime="2", Event="CLICK", EventKey="/due"),
                        wechatpy.parse_message)
    assert first.id == other.id == 0
    assert xml.dedupe_key(first) == xml.dedupe_key(again) != xml.dedupe_key(other)
    text = xml.message(message(MsgType="text", FromUserName="o1", MsgId="77", Content="x"), wechatpy.parse_message)
    assert xml.dedupe_key(text) == "77"
