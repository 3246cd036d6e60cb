"""From a message to what WeCom shows: a text, or a card with buttons, or one with boxes to tick.

A card holds few words: what does not fit stands in a text before it, and what it has no button for can be typed. A
button's key brings back its label beside its token, so that nobody need remember what a card said.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from bot.channels.tencent.xml import clean
from bot.channels.wechat_text import split
from conversations.message import Button, Message
from conversations.words_book import Words

TEXT_BYTES = 2048
TITLE, UNDER_TITLE, UNDER = 36, 44, 160  # characters: of a title, beside it on a card to tick, under it on others
BUTTONS, BUTTON = 6, 10  # of one card, and the characters of a button
BOXES, BOX, BOX_BYTES = 20, 17, 128  # of one card, the characters of one, the bytes of its id
SOURCE, PRESSED = 20, 16
VALUE = 26
SINGLE = "single"  # the key of a card where one of many is ticked
_DONE = ".=done"

Body = dict[str, Any]
_TICKED = "☑ "
_UNSAFE = str.maketrans({"<": "＜", ">": "＞"})  # what somebody wrote must not become a link
_NUMBER = re.compile(r"^\d+ ")
_LINK = re.compile(r"https?://[!-;=?-~]+")
_STEERS = re.compile(r"\w{1,32}\.\w{1,16}\.=[a-z]+", re.ASCII)
_ONE_OF_SEVERAL = re.compile(r"(\w{1,32}\.\w{1,16}\.)(\d{1,3})", re.ASCII)


class Pressed(NamedTuple):
    """What the key of a button, or the boxes that were ticked, say: the token, and the label as it was shown."""

    token: str
    label: str


def bodies(message: Message, words: Words, new_task: Callable[[], str]) -> list[Body]:
    """The message as the platform's messages, in order. `new_task` gives an id that no card of ours ever had."""
    text = told(message.text)
    buttons = list(chain.from_iterable(message.buttons))
    if not buttons:
        return _with_link(text, words) or texts(text)
    card = _card(buttons, words)
    if card is None:
        return texts("\n\n".join(filter(None, (text, _lines(buttons, words)))))
    before = _words_on(card, text, words)
    card["task_id"] = new_task()
    return [*before, {"msgtype": "template_card", "template_card": card}]


def texts(text: str) -> list[Body]:
    """A text, in parts of TEXT_BYTES at most."""
    return [{"msgtype": "text", "text": {"content": part}} for part in split(text, TEXT_BYTES) if part.strip()]


def told(text: str) -> str:
    """What somebody wrote, without control characters, and so that nothing of it becomes a link with another label."""
    return clean(text).translate(_UNSAFE).strip()


def pressed(key: str, ticked: Sequence[str]) -> Pressed | None:
    """What a card's event means; None: nothing that a card of ours says, or nothing was ticked where one must be."""
    if key == SINGLE:
        return _read(ticked[0]) if len(ticked) == 1 else None
    done = _read(key)
    if not ticked or not done.token.endswith(_DONE):
        return done
    chosen = [_read(each) for each in ticked]
    found = [_ONE_OF_SEVERAL.fullmatch(each.token) for each in chosen]
    if not all(found):
        return None
    where = done.token.removesuffix(_DONE[1:])
    if any(match[1] != where for match in found if match):
        return None
    token = where + "".join(f"{match[2]}," for match in found if match)
    return Pressed(token, "、".join(each.label for each in chosen))


def replaces(token: str) -> bool:
    """Whether a card is done with once this button was pressed: one of a question, and who goes. Menus stay."""
    return not token.startswith("/") or token.startswith("/claim ")


def shown_as_pressed(label: str, words: Words) -> str:
    """What stands on the button of an answered card."""
    return words.say("wecom.pressed", {"label": label})[:PRESSED]


def _card(buttons: Sequence[Button], words: Words) -> Body | None:
    """The card without its words; None where the choice does not fit one."""
    options = [each for each in buttons if not _STEERS.fullmatch(each.token)]
    steering = [each for each in buttons if _STEERS.fullmatch(each.token)]
    done = next((each for each in steering if each.token.endswith(_DONE)), None)
    if done is None and len(options) <= BUTTONS:
        return _of_buttons(buttons, options, steering, words)
    if not 0 < len(options) <= BOXES or any(len(_bare(each)) > BOX for each in options):
        return None
    ids = [_key(each, BOX_BYTES) for each in options]
    boxes = [{"id": key, "text": _bare(each), "is_checked": each.label.startswith(_TICKED)}
             for key, each in zip(ids, options, strict=True)]
    card: Body = {
        "card_type": "vote_interaction",
        "checkbox": {"question_key": "choice", "option_list": boxes, "mode": 1 if done else 0},
        "submit_button": {"text": _short(done.label if done else words.say("wecom.confirm"), BUTTON),
                          "key": _key(done, 1024) if done else SINGLE}}
    _to_type(card, [each for each in steering if each is not done], words)
    return card


def _of_buttons(buttons: Sequence[Button], options: Sequence[Button], steering: Sequence[Button], words: Words,
                ) -> Body:
    first = [*options, *steering][:BUTTONS]
    card: Body = {"card_type": "button_interaction", "button_list": [
        {"text": _short(_label(each), BUTTON), "style": 1 if each in options or not options else 2,
         "key": _key(each, 1024)} for each in buttons if each in first]}
    if any(len(_label(each)) > BUTTON for each in options):
        card["horizontal_content_list"] = [
            {"keyname": str(n), "value": _short(_NUMBER.sub("", _bare(each)), VALUE)}
            for n, each in enumerate(options, 1)]
    _to_type(card, [each for each in steering if each not in first], words)
    return card


def _to_type(card: Body, left: Sequence[Button], words: Words) -> None:
    if left:
        hint = words.say("wecom.type", {"words": [_label(each) for each in left]})
        card["source"] = {"desc": _short(hint, SOURCE), "desc_color": 0}


def _words_on(card: Body, text: str, words: Words) -> list[Body]:
    """Puts the words on the card; what does not fit is given back as texts to stand before it."""
    title, _, rest = text.partition("\n")
    rest = rest.strip()
    ticks = card["card_type"] == "vote_interaction"
    if title and len(title) <= TITLE and len(rest) <= (UNDER_TITLE if ticks else UNDER):
        card["main_title"] = {"title": title, "desc": rest} if ticks and rest else {"title": title}
        if rest and not ticks:
            card["sub_title_text"] = rest
        return []
    if not ticks and text and len(text) <= UNDER:
        card["sub_title_text"] = text
        return []
    card["main_title"] = {"title": words.say("wecom.choose")}
    return texts(text)


def _with_link(text: str, words: Words) -> list[Body] | None:
    """A short result with one link as a card that opens it; None where it is none."""
    found = _LINK.findall(text)
    title, _, rest = text.partition("\n")
    if len(found) != 1 or len(title) > TITLE or found[0] in title:
        return None
    under = rest.replace(found[0], "").strip()
    if not under or len(under) > UNDER:
        return None
    opens = {"type": 1, "url": found[0]}
    return [{"msgtype": "template_card", "template_card": {
        "card_type": "text_notice", "main_title": {"title": title}, "sub_title_text": under, "card_action": opens,
        "jump_list": [{**opens, "title": words.say("wecom.open")}]}}]


def _lines(buttons: Sequence[Button], words: Words) -> str:
    """Every label to read: numbered ones a line each, those that steer in one, as words to type."""
    options = [_label(each) for each in buttons if not _STEERS.fullmatch(each.token)]
    steering = [_label(each) for each in buttons if _STEERS.fullmatch(each.token)]
    return "\n".join([*options, *([words.say("wecom.type", {"words": steering})] if steering else [])])


def _label(button: Button) -> str:
    return told(button.label)


def _bare(button: Button) -> str:
    """An option's label without the tick and, where that makes it a box or a value, with its number."""
    return _label(button).removeprefix(_TICKED)


def _key(button: Button, limit: int) -> str:
    return f"{button.token}|{_bare(button)}".encode()[:limit].decode(errors="ignore")


def _read(key: str) -> Pressed:
    token, _, label = key.partition("|")
    return Pressed(token, label)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most - 1] + "…"
