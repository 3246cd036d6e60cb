"""Every way in which a person and the bot reach each other: what is played on one is played on all."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from tests.conversations.transcript import without_rows
from tests.platforms import wechat, wecom
from tests.platforms.playground import playground
from tests.platforms.stage import OnPlatform
from tests.platforms.telegram import telegram


@dataclass(frozen=True)
class Way:
    """How a stage on it is opened: `opens(originals, abroad=…)`."""

    opens: Callable[..., AbstractAsyncContextManager[OnPlatform]]
    alike: Callable[[str], str] = without_rows  # what a transcript and what was played there have in common
    goes_abroad: bool = False  # can be the channel of a transcript that is played abroad
    share: int = 1  # how much likelier a transcript is played there than on others that fit: few fit the narrow ones
    lacks: tuple[str, ...] = ()  # what nobody can do or see there, as it stands in a transcript
    passes_over: tuple[str, ...] = ()  # transcripts in which people press what is an answered card there
    fits: Callable[[str], bool] = bool  # whether what is said in a transcript would be the same there


WAYS = {
    "playground": Way(playground, lacks=("(blocks)", "(sticker)")),
    "polling": Way(partial(telegram, mode="polling"), goes_abroad=True),
    "webhook": Way(partial(telegram, mode="webhook"), goes_abroad=True),
    "wechat": Way(wechat.wechat, wechat.alike, share=4, fits=wechat.in_window, lacks=(
        "(in the group)", "(file ", "[file ", "(back ", "@ opens", "(photo) ",
        "(button abc)")),  # what is tapped says its label, too
    "wecom": Way(wecom.wecom, wecom.alike, share=4, lacks=(
        "(in the group)", "(file ", "[file ", "(back ", "(photo) ", "(old [",  # an answered card cannot be pressed
        "> [选好了]"), passes_over=("steering", "channels", "cannot", "registration_back")),  # several are ticked at once
}


def ways_for(script: str, *, abroad: bool = False) -> list[str]:
    """The names of the ways on which everything in a script can be done."""
    return [name for name, way in WAYS.items()
            if (way.goes_abroad or not abroad) and way.fits(script) and not any(what in script for what in way.lacks)]
