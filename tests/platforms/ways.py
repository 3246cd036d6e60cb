"""Every way in which a person and the bot reach each other: what is played on one is played on all."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from tests.conversations.transcript import without_rows
from tests.platforms import wechat
from tests.platforms.playground import playground
from tests.platforms.stage import OnPlatform
from tests.platforms.telegram import telegram


@dataclass(frozen=True)
class Way:
    """How a stage on it is opened: `opens(originals, abroad=…)`."""

    opens: Callable[..., AbstractAsyncContextManager[OnPlatform]]
    goes_abroad: bool = False  # can be the channel of a transcript that is played abroad
    alike: Callable[[str], str] = without_rows  # what a transcript and what was played there have in common
    lacks: frozenset[str] = frozenset()  # what nobody can do there, as a transcript's direction names it


WAYS = {
    "playground": Way(playground, lacks=frozenset({"(blocks)", "(sticker)"})),
    "polling": Way(partial(telegram, mode="polling"), goes_abroad=True),
    "webhook": Way(partial(telegram, mode="webhook"), goes_abroad=True),
    "wechat": Way(wechat.wechat, alike=wechat.alike, lacks=frozenset({"(in the group)", "(file ", "[file ", "(back ", "@ opens"})),
}


def ways_for(script: str, *, abroad: bool = False) -> list[str]:
    """The names of the ways on which everything in a script can be done."""
    return [name for name, way in WAYS.items()
            if (way.goes_abroad or not abroad) and not any(what in script for what in way.lacks)]
