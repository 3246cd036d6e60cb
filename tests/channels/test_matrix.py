"""docs/channels.md: what each channel can do, from its `Capabilities`, and the kit's cases on each.

CHANNELS=write .venv/bin/python -m pytest tests/channels/test_matrix.py

writes it anew; read the difference before you keep it.
"""

import os
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import bot
from bot.channels.base import Capabilities
from bot.channels.playground import Playground
from bot.channels.telegram import Telegram
from bot.channels.wechat import WeChat
from bot.channels.wechat_inbound import EVENT, MESSAGE
from bot.channels.wecom import LIMITS, WeCom
from bot.clock import wall
from conversations.words_book import Words
from tests.channels.test_kit import CASES, on
from tests.platforms.ways import WAYS

PAGE = Path(bot.__file__).parent.parent / "docs" / "channels.md"
CHANNELS: dict[str, Capabilities] = {
    "playground": Playground.capabilities,
    "telegram": Telegram("1:t", place_label="-", now=wall).capabilities,
    "wechat": WeChat.capabilities,
    "wecom": WeCom.capabilities,
}
MEANING = {
    "button_rows": "rows of buttons, or of links, under a message (0: lines, answered by number or label)",
    "buttons_per_row": "buttons in a row",
    "label_length": "characters of a label",
    "text_length": "characters of a message (WeChat, WeCom: bytes, a Chinese character has 3); what is longer comes in parts",
    "can_edit": "the answered question is replaced in place",
    "can_push": "writes unasked (reminders, alerts)",
    "has_groups": "writes to groups",
    "group_buttons": "buttons in groups; else a link to a page stands for them",
    "carries_files": "carries files; else they lie behind a page for one use",
    "takes_files": "takes files in; else they are given on such a page",
    "abroad": "stands abroad: pseudonyms, no secret question; an operator may declare otherwise",
}
NOTES = f"""\
- **Telegram**: nobody can be written to before he wrote; who stopped the bot is reached again when he writes.
- **WeChat**: what somebody says is answered in the reply to its own request, within 4.5 s. Unasked, {MESSAGE.messages} messages
  pass in {MESSAGE.lasts // timedelta(hours=1)} hours after one of his, {EVENT.messages} in {EVENT.lasts // timedelta(minutes=1)} minute after he \
followed, scanned, pressed the menu or tapped a link; later only a template.
- **WeCom**: {LIMITS[0].most} messages a minute and {LIMITS[1].most:,} an hour for one member, kept by our own ledger with
  the last places for alerts: what is beyond them WeCom drops without a word. A question is a card with
  buttons, or with boxes that are ticked at once; once answered it shows the answer.
"""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(head), _row(["---", *[":-:"] * (len(head) - 1)]), *map(_row, rows)]


def _cell(value: Any) -> str:
    return {True: "yes", False: ""}[value] if isinstance(value, bool) else f"{value:,}"


def page() -> str:
    """The whole page."""
    words = Words()
    names = [f"{words.say(f'channel.{name}')} `{name}`" for name in CHANNELS]
    assert MEANING.keys() == {each.name for each in fields(Capabilities)}
    can = [[said, *[_cell(getattr(channel, name)) for channel in CHANNELS.values()]] for name, said in MEANING.items()]
    cases = []
    for case in CASES:
        script = case.read_text()
        ways = on(case)
        said = script.splitlines()[0].removeprefix("# ").rstrip(".")
        own = {way: "its own" for way in WAYS if (case.parent / way / case.name).exists()}
        cases.append([f"`{case.stem}` {said}", *[own.get(way, _cell(way in ways)) for way in WAYS]])
    return "\n".join([
        "# What each channel can do", "",
        "Written by `CHANNELS=write` from the `Capabilities` of each channel; a test compares it with them.", "",
        *_table(["", *names], can), "", NOTES,
        "## The kit", "",
        "Each case is played word for word on every way in which people and the bot reach each other, through real HTTP",
        "and crypto against a strict fake of the platform (`tests/channels/test_kit.py`). `its own`: the platform's rules",
        "make people read something else there, which is written down beside the case.", "",
        *_table(["case", *(f"`{way}`" for way in WAYS)], cases), ""])


def test_the_page_says_what_the_channels_can() -> None:
    if os.environ.get("CHANNELS") == "write":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_channel_of_the_program_stands_on_it() -> None:
    found = {path.stem for path in (Path(bot.__file__).parent / "channels").glob("*.py")}
    assert {name for name in ("playground", "telegram", "wechat", "wecom") if name in found} == set(CHANNELS)
