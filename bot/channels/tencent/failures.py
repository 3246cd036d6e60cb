"""What the error codes of WeChat and WeCom mean to delivery, and what an operator is to do about them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.channels.base import Refused, RetryAt, SendFailure
from bot.channels.tencent.calls import Classify

OPERATOR_SECONDS = 60.0  # somebody must act first: nothing is lost meanwhile

_ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}\b")
_FIELD = re.compile(r"data\.(\w+)")  # a template's: its name is the console's, its value is a person's
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Meaning:
    """Of one code: the failure that it is, and what the log tells the operator ("" where he need do nothing)."""

    failure: Callable[[], SendFailure]
    advice: str = ""


def addresses(said: str) -> tuple[str, ...]:
    """The IP addresses in an error's text: such as this machine's, where it is not on the platform's list."""
    return tuple(dict.fromkeys(_ADDRESS.findall(said)))  # WeChat names it twice: as IPv4, and within an IPv6


def busy(seconds: float) -> Callable[[], SendFailure]:
    return lambda: RetryAt(seconds)


def refused(why: str) -> Callable[[], SendFailure]:
    return lambda: Refused(why)


def operator(setting: str) -> Meaning:
    """Somebody must put a setting right; what waits is tried again."""
    return Meaning(busy(OPERATOR_SECONDS), f"check {setting}")


BUSY = Meaning(busy(5.0))


def classifier(platform: str, meanings: Mapping[int, Meaning], explained: str) -> Classify:
    """The codes of one platform; one that is not known is refused, and logged with its number and `explained`, where
    its platform explains it.
    """
    def classify(code: int, said: str) -> SendFailure:
        meaning = meanings.get(code) or Meaning(refused(f"error {code}"), f"not known here: look it up, {explained}")
        if meaning.advice:  # of what the platform says only what can be nobody's name or words
            names = [*_FIELD.findall(said), *addresses(said)]
            _log.error(f"{platform}: {meaning.advice}", code=code, names=names)
        return meaning.failure()
    return classify
