"""From a message to WeChat's plain text: numbered lines, each a link that says its label when it is tapped.

A tap comes back as a text message with the label, and the button's token as `bizmsgmenuid`.
"""

import re
from collections.abc import Sequence
from itertools import chain
from urllib.parse import quote, unquote

from bot.channels.tencent.xml import clean
from conversations.message import Button, Message

LIMIT = 2048  # bytes of one text, in a reply and in a customer message
TOKEN = re.compile(r"/[^\x00-\x1f]{1,63}|[A-Z2-7]{16}\.\w{1,16}\.[\w.=:-]{1,45}")

NONE, CHOICES, ALL = 0, 1, 2  # which buttons are links

_NUMBER = re.compile(r"(☑ )?\d+ (?=.)")
_SENTENCE_ENDS = "。！？；\n"
_UNSAFE = str.maketrans({"<": "＜", ">": "＞"})  # what somebody wrote must not become a link
_IN_A_LINK = str.maketrans({"<": "", ">": "", '"': "", "&": "", "\n": " "})


def pieces(messages: Sequence[Message]) -> list[str]:
    """The messages as one text, in pieces of LIMIT bytes at most where it must be.

    A second piece is a customer message, of which there are few: so links go first, those that only steer before the
    choices. What stands above the last message keeps its choices as links, whatever it costs: a number that is typed
    answers the last.
    """
    *above, last = messages
    ways = [(ALL, ALL), (CHOICES, CHOICES), (CHOICES, NONE)]
    if not any(_NUMBER.match(button.label) for message in above for row in message.buttons for button in row):
        ways.append((NONE, NONE))
    for of_above, of_last in ways:
        whole = "\n\n".join(filter(None, (*(_text(each, of_above) for each in above), _text(last, of_last))))
        if _size(whole) <= LIMIT:
            return [whole] if whole else []
    if above:
        return [piece for message in messages for piece in pieces([message])]
    return [piece for each in split(_text(last, NONE), LIMIT) if (piece := each.strip())]


def token_of(hint: str) -> str:
    """The token that a tapped link carries; empty where it is none of ours. Clients may give it as it stands there."""
    token = unquote(hint)
    return token if TOKEN.fullmatch(token) else ""


def split(text: str, limit: int) -> list[str]:
    """The text in parts of `limit` bytes at most, cut after sentences where there are any."""
    parts: list[str] = []
    while _size(text) > limit:
        window = text.encode()[:limit].decode(errors="ignore")
        end = max(map(window.rfind, _SENTENCE_ENDS)) + 1 or len(window)
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text]


def _text(message: Message, links: int) -> str:
    return "\n\n".join(filter(None, (_body(message), _lines(message, links))))


def _body(message: Message) -> str:
    return clean(message.text).translate(_UNSAFE).strip()


def _lines(message: Message, links: int) -> str:
    """Numbered labels a line each; those that only steer share one."""
    numbered: list[str] = []
    steering: list[str] = []
    for button in chain.from_iterable(message.buttons):
        if _NUMBER.match(button.label):
            numbered.append(_link(button) if links >= CHOICES else _label(button))
        else:
            steering.append(_link(button) if links >= ALL else _label(button))
    return "\n".join([*numbered, *(["　".join(steering)] if steering else [])])


def _label(button: Button) -> str:
    return clean(button.label).translate(_UNSAFE)


def _link(button: Button) -> str:
    said = _NUMBER.sub("", clean(button.label)).translate(_IN_A_LINK)
    if not said.strip():
        return _label(button)
    return (f'<a href="weixin://bizmsgmenu?msgmenucontent={said}&msgmenuid={quote(button.token, safe="/.")}">'
            f"{_label(button)}</a>")


def _size(text: str) -> int:
    return len(text.encode())
