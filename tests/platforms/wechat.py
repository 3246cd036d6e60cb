"""An Official Account of WeChat, in safe mode."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from bot.channels.wechat import WeChat
from tests.channels.wechat_stage import staged
from tests.conversations.transcript import ACTION, only_words
from tests.fakes.house import START, ZONE, Originals, Shown, find_account
from tests.fakes.wechat_api import FakeWeChat
from tests.fakes.wechat_people import LINK, MESSAGE, Delivery, Person, Received
from tests.platforms.stage import OnPlatform

NUMBERED = re.compile(r"(☑ )?(\d{1,2}) \S")
UNKNOWN = "点这里"  # what a link says that never stood anywhere


class WeChatPlatform:
    """The fake and its followers. What somebody does is answered in the reply to its own request."""

    def __init__(self, channel: WeChat, fake: FakeWeChat) -> None:
        self.channel, self._fake = channel, fake
        self._last: list[tuple[Person, Delivery]] = []
        self._told = 0

    async def does(self, who: str, fields: dict[str, Any]) -> int:
        person = self._fake.person(find_account(who))
        if not person.follows_now:  # writing to it again begins with following it
            await person.follows()
        self._last.append((person, await self._sent(person, fields)))
        return 0

    async def _sent(self, person: Person, fields: dict[str, Any]) -> Delivery:
        match fields:
            case {"blocks": _}:
                return await person.unfollows()
            case {"choice": choice, "source": source}:
                shown = next(each for each in person.phone if str(each.change) == source)
                says = next((says for _, says, token in shown.links if token == choice), UNKNOWN)
                return await person.says(says, choice)
            case {"media": (media,)} if media.kind == "voice":
                return await person.sends_voice()
            case {"media": _}:
                return await person.sends_photo()
            case {"place": place}:
                return await person.sends_place(place.latitude, place.longitude)
            case {"text": text}:
                line = NUMBERED.match(text)  # of a line that is no link people send the number
                return await person.says(line[2] if line and text in person.last.text else text)
            case _:
                return await person.sends_video()

    async def again(self, count: int) -> None:
        for person, delivery in self._last[-count:]:
            await self._fake.callbacks.again(person, delivery)

    async def rests(self) -> None:
        """What was delivered was answered; an answer's further pieces follow."""
        await self.channel.quiet()

    async def news(self) -> list[tuple[str, Shown]]:
        since = self._told
        new = [(each.change, person.openid, each) for person in self._fake.people.values() for each in person.phone
               if each.change > since]
        self._told = max([since, *(change for change, *_ in new)])
        return [(openid, _shown(each)) for _, openid, each in sorted(new, key=lambda each: each[0])]

    async def file(self, who: str) -> bytes:
        raise NotImplementedError  # it carries none


def _shown(received: Received) -> Shown:
    """As it stands on the phone: the links, which are its buttons, in the middle of the text. Where a text is so long that
    it has none, people send the number of a line, or its words.
    """
    linked = [(label, token) for label, _, token in received.links]
    plain = LINK.sub("", received.text).splitlines()
    written = [(line, "") for line in plain if NUMBERED.match(line)]
    if not linked:  # what only steers stands on the last line
        written += [(label, "") for label in plain[-1].split("\u3000")]
    rows = tuple((button,) for button in linked + written)
    return Shown(str(received.change), LINK.sub(r"[\3]", received.text), rows, inline=True)


def in_window(script: str) -> bool:
    """Whether everybody who is told something unasked wrote in the 48 hours before, five messages ago at most: what comes
    later goes out as a template, in other words.
    """
    at, windows = START, dict[str, tuple[datetime, int]]()
    for line in script.splitlines():
        if moved := re.fullmatch(r"@ time (.*)", line):
            at = datetime.strptime(moved[1], "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
        elif spoke := ACTION.fullmatch(line):
            windows[spoke[1] or "王强"] = at + MESSAGE[1], MESSAGE[0]
        elif told := re.fullmatch(r" {4}(\S+) gets", line):
            until, left = windows.get(told[1], (at, 0))
            if left == 0 or at >= until:
                return False
            windows[told[1]] = until, left - 1
    return True


def alike(transcript: str) -> str:
    """What it has in common with other platforms: one text for an answer, and the datum of its places."""
    return only_words(transcript).replace("GCJ-02", "WGS-84")


@asynccontextmanager
async def wechat(originals: Originals, *, abroad: bool = False) -> AsyncIterator[OnPlatform]:
    assert not abroad, "WeChat stands at home"
    async with staged(originals) as stage:
        yield OnPlatform(stage.running, WeChatPlatform(stage.channel, stage.fake))
