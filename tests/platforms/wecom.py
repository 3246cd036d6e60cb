"""WeCom: cards with buttons or boxes, and texts."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.channels.wecom import WeCom
from conversations.words_book import Words
from tests.channels.wecom_stage import staged
from tests.conversations.transcript import without_steering
from tests.fakes.house import Originals, Shown, find_account
from tests.fakes.wecom_api import FakeWeCom
from tests.fakes.wecom_people import Delivery, Member, Received
from tests.platforms.stage import OnPlatform

CHOOSE = Words().say("wecom.choose")  # the title of a card whose words stand in a text before it
TYPE = Words().say("wecom.type", {"words": []})  # before the words that can be typed
NUMBERED = re.compile(r"(☑ )?(\d{1,2}) \S")


class WeComPlatform:
    """The fake and its members. A delivery is acknowledged once it is stored; what answers it comes as messages."""

    def __init__(self, channel: WeCom, fake: FakeWeCom) -> None:
        self.channel, self._fake = channel, fake
        self._last: list[Delivery] = []
        self._told = 0
        self._done: set[int] = set()  # cards that were answered when somebody last looked

    async def does(self, who: str, fields: dict[str, Any]) -> int:
        member = self._fake.person(find_account(who), who)
        if fields == {"blocks": True}:
            self._last = [await member.leaves()]
            return 0
        member.visible = True  # an administrator lets him in again
        delivery = await self._sent(member, fields)
        assert delivery.statuses[-1] == 200
        self._last.append(delivery)
        return 0

    async def _sent(self, member: Member, fields: dict[str, Any]) -> Delivery:
        match fields:
            case {"choice": choice, "source": source}:
                return await self._pressed(member, choice, next(e for e in member.phone if str(e.change) == source))
            case {"media": (media,)} if media.kind == "voice":
                return await member.sends_voice()
            case {"media": _}:
                return await member.sends_photo()
            case {"place": place}:
                return await member.sends_place(place.latitude, place.longitude)
            case {"text": text}:
                line = NUMBERED.match(text)  # of a line that has no button people send the number
                return await member.says(line[2] if line and text in member.last.text else text)
            case _:
                return await member.sends_video()

    async def _pressed(self, member: Member, choice: str, card: Received) -> Delivery:
        assert card.change not in self._done, "the card is answered, and cannot be pressed"
        if any(choice == key for _, key in card.boxes):  # ticks it beside those that are ticked, and submits
            ids = [key for text, key in card.boxes if text in card.checked or key == choice]
            return await member._card(card, card.submit[1], "vote_interaction", ids)
        return await member._card(card, choice, "button_interaction")

    async def again(self, count: int) -> None:
        for delivery in self._last[-count:]:
            await self._fake.callbacks.again(delivery)

    async def rests(self) -> None:
        """What was delivered was acknowledged."""

    async def news(self) -> list[tuple[str, Shown]]:
        since, self._told = self._told, self._fake.change
        self._done = {each.change for member in self._fake.people.values() for each in member.phone if each.pressed}
        new = [(each.change, member.user_id, each) for member in self._fake.people.values() for each in member.phone
               if each.change > since]
        return [(user, _shown(each)) for _, user, each in sorted(new, key=lambda each: each[0])]

    async def file(self, who: str) -> bytes:
        member = self._fake.person(find_account(who))
        return next(each.file[1] for each in reversed(member.phone) if each.file)


def _shown(received: Received) -> Shown:
    """A card with its buttons, their labels whole as their keys hold them, and what it says can be typed; or a text, in
    which labels are lines.
    """
    buttons = [(key.partition("|")[2], key) for _, key in received.buttons]
    buttons += [(f"{'☑ ' if text in received.checked else ''}{text}", key) for text, key in received.boxes]
    buttons += [(word, "") for word in received.hint.partition("：")[2].split("、")]
    text, handle = received.text.removeprefix(CHOOSE), str(received.change)
    document = received.file[0] if received.file else ""
    if received.kind != "text":
        return Shown(handle, text.strip(), tuple((button,) for button in buttons if button[0]), document)
    lines = text.splitlines()
    steering = lines[-1].removeprefix(TYPE).split("、") if lines[-1].startswith(TYPE) else []
    written = [line for line in lines if NUMBERED.match(line)] + steering
    shown = [f"[{line}]" if NUMBERED.match(line) else line for line in lines]
    if steering:
        shown[-1] = " ".join(f"[{word}]" for word in steering)
    return Shown(handle, "\n".join(shown), tuple(((label, ""),) for label in written), inline=True)


def alike(transcript: str) -> str:
    """What it has in common with other platforms: numbered options, and the datum of its places."""
    return without_steering(transcript).replace("GCJ-02", "WGS-84")


@asynccontextmanager
async def wecom(originals: Originals, *, abroad: bool = False) -> AsyncIterator[OnPlatform]:
    assert not abroad, "WeCom stands at home"
    async with staged(originals) as stage:
        yield OnPlatform(stage.running, WeComPlatform(stage.channel, stage.fake))
