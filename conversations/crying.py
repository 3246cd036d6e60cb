"""A message that begins with 紧急, 救命 or SOS, wherever it is written."""

import re
from dataclasses import dataclass

from conversations import commands
from conversations.controls import plain

_WORDS = sorted(commands.NAMES["sos"].words, key=len, reverse=True)
_BEGINS = re.compile(f"({'|'.join(map(re.escape, _WORDS))})(.*)", re.IGNORECASE | re.DOTALL)
_PARTS = re.compile(r"[\s!！,，.。:：~～?？、]")
_SOUNDS = re.compile(r"[\s!！,，.。:：~～?？、啊呀哪]*")
_OFTEN = commands.NAMES["sos"].words[0]  # the word with which ordinary ones begin too: 紧急联系人


@dataclass(frozen=True, slots=True)
class Cry:
    """What follows the word. `alone`: nothing does; `clear`: it is meant, unless somebody is writing an answer."""

    rest: str
    alone: bool
    clear: bool


def heard(text: str) -> Cry | None:
    """The cry for help that a message is, or may be; None where it is none, or calls another command."""
    text = plain(text)
    match = _BEGINS.match(text)
    call = commands.called(text)
    if match is None or (call is not None and call[0] != "sos"):
        return None
    word, after = match[1], match[2]
    rest = _SOUNDS.sub("", after, count=1).strip()
    return Cry(rest, not rest, not rest or word != _OFTEN or bool(_PARTS.match(after)))
