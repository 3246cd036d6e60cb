"""The buttons last shown in a chat outside a form, kept so that their numbers and labels can be typed.

A number answers one thing. While a form is open it is the form's, and while 紧急 asks it is that one's: what an alert
shows in between carries no numbers, and its labels are typed or tapped (docs/decisions/typed-after-sos.md).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from conversations import commands, drilling
from conversations.answers import place
from conversations.engine import Part
from conversations.say import UNNUMBERED
from conversations.turn import Ask
from conversations.words_book import Words
from storage import accounts, alerts
from storage.accounts import Writer
from storage.database import Tx
from storage.scope import SOS, UNSAID

Parts = tuple[Part, ...]
SEAL = "accounts.menu"
SOS_ASKS = ("/soswhom ", "/soswhat ")  # what the first button of 紧急's menus sends
OFFERED = ("/sos", "/alerts")  # in menus of everything, which keep their numbers
OF_ALERTS = frozenset({*drilling.OF_ONE, "sos", "alerts", "seen", "alert_page", "alert_media", "got_through",
                       "no_answer", "tell_family"})
_WORDS = Words()  # labels are compared as they are told in full


class Menu(NamedTuple):
    """The buttons, in order: label key, its fields, token; and whether they were shown with numbers."""

    buttons: list[Any]
    numbered: bool = True


def kept(ask: Ask) -> Menu:
    """What was shown last; empty where nothing was."""
    return _opened(ask.tx, ask.writer, ask.inbound.channel, ask.inbound.account)


def _opened(tx: Tx, writer: Writer, channel: str, account: str) -> Menu:
    if writer.menu is None:
        return Menu([])
    found = orjson.loads(tx.keys.open(writer.menu, SEAL, f"{channel}:{account}"))
    return Menu(found[1:], numbered=False) if found and found[0] is None else Menu(found)


def keep(tx: Tx, channel: str, account: str, said: Parts) -> None:
    """Keeps the buttons that are shown with this, where there are any."""
    shown = next((fields for _, fields in reversed(said) if fields.get("buttons")), None)
    if shown:
        buttons = [button for row in shown["buttons"] for button in row]
        _write(tx, channel, account, [None, *buttons] if shown.get(UNNUMBERED) else buttons)


def forget(ask: Ask) -> None:
    """Nothing stands there any more but the form."""
    _write(ask.tx, ask.inbound.channel, ask.inbound.account, [])


def _write(tx: Tx, channel: str, account: str, menu: Sequence[Any]) -> None:
    accounts.keep_menu(tx, channel, account, tx.keys.seal(orjson.dumps(menu), SEAL, f"{channel}:{account}"))


def token(menu: Menu, text: str) -> str:
    """The token of the button whose number or label was typed; empty where there is none."""
    if text.isascii() and text.isdigit():
        index = place(text, len(menu.buttons)) if menu.numbered else None
        return "" if index is None else str(menu.buttons[index][2])
    return next((str(button[2]) for button in menu.buttons if _WORDS.say(button[0], button[1]) == text), "")


def of_an_alert(menu: Menu, text: str) -> str:
    """The token of the alert's button whose label was typed; empty where there is none."""
    return next((str(button[2]) for button in menu.buttons if of_alert(str(button[2])) and _WORDS.say(
        button[0], button[1]) == text), "")


def asks_sos(menu: Menu) -> bool:
    """Whether 紧急 asks with it whom or what."""
    return bool(menu.buttons) and str(menu.buttons[0][2]).startswith(SOS_ASKS)


def of_alert(called: str) -> bool:
    """Whether a button with this token is about an alert."""
    call = commands.called(called)
    return call is not None and call[0] in OF_ALERTS


def without_numbers(said: Parts) -> Parts:
    """What is said, with no numbers on the buttons of alerts."""
    return tuple((kind, {**fields, UNNUMBERED: True}) if _alerts_alone(fields.get("buttons", ())) else (kind, fields)
                 for kind, fields in said)


def _alerts_alone(rows: Sequence[Sequence[Sequence[Any]]]) -> bool:
    about = [str(button[2]) for row in rows for button in row]
    return bool(about) and (all(each in OFFERED for each in about) or any(
        of_alert(each) and each not in OFFERED for each in about))


def notice(tx: Tx, channel: str, chat: str, said: Parts) -> Parts:
    """What a notice of an alert says in this chat as it leaves."""
    taken = any("buttons" in fields for _, fields in said) and _numbers_taken(tx, channel, chat)
    return without_numbers(said) if taken else said


def _numbers_taken(tx: Tx, channel: str, chat: str) -> bool:
    bound = accounts.in_chat(tx, channel, chat)
    writer = accounts.writer(tx, channel, bound[0]) if bound else None
    return bound is not None and writer is not None and (
        writer.draft is not None or _sos_waits(tx, writer, channel, bound[0]))


def _sos_waits(tx: Tx, writer: Writer, channel: str, account: str) -> bool:
    """Whether 紧急 asks him, of an alert of which that is still to be said."""
    menu = _opened(tx, writer, channel, account)
    if not asks_sos(menu):
        return False
    alert = alerts.running_numbered(tx, int(str(menu.buttons[0][2]).split()[1]))
    return alert is not None and alert.kind in (UNSAID, SOS)


def keep_notice(tx: Tx, channel: str, chat: str, said: Parts) -> None:
    """Keeps the buttons of a notice that has left, but where 紧急 asks: what is typed is for that."""
    bound = accounts.in_chat(tx, channel, chat)
    writer = accounts.writer(tx, channel, bound[0]) if bound else None
    if bound and writer and not _sos_waits(tx, writer, channel, bound[0]):
        keep(tx, channel, bound[0], said)
